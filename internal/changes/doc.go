// Package changes tells what a change of code really does to orchestrations that run: it lets old code run up to a point,
// replaces it by new code there, and looks whether anything breaks. It is for tests: those of the pairs in
// testdata/changes, of which the static judgement is to think the same, and those of generated programs.
//
// Each side of a pair is a list of RegisterDurable functions. Everything is real but the server and the clock: see
// package durabletest.
package changes
