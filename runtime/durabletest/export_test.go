package durabletest

// ReplayFile is what ReplayDir does with a file.
var ReplayFile = replayFile
