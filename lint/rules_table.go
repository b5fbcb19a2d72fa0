package lint

var timeRules = []Rule{
	{"DET101", Error, "wall clock", "it reads the wall clock, which has gone on when the orchestrator is run again", "use ctx.Now()", "0.1"},
	{"DET102", Error, "time.Sleep", "it holds up the worker, and is slept again at each replay", "use durable.Sleep(ctx, d)", "0.1"},
	{"DET103", Error, "native timer", "it is a timer of this process, which is gone after a crash", "use durable.NewTimer(ctx, d)", "0.1"},
	{"DET104", Error, "native deadline", "it is a timer of this process, which is gone after a crash", "use durable.WithTimeout(ctx, d)", "0.1"},
	{"DET105", Warning, "time zone of the machine", "workers may have different zones, or different data about them", "use UTC() or time.FixedZone", "0.1"},
	{"DET111", Error, "process-wide randomness", "a replay draws other numbers", "use ctx.Rand()", "0.1"},
	{"DET112", Error, "cryptographic randomness", "a replay draws other bytes", "do it in an activity, or use ctx.Rand() if it is no secret", "0.1"},
	{"DET113", Error, "random identifier", "a replay makes another one", "use ctx.NewUUID()", "0.1"},
	{"DET114", Error, "generator with an unknown seed", "its seed differs at a replay", "seed it from the input, or use ctx.Rand()", "0.1"},
}

var concurrencyRules = []Rule{
	{"DET201", Error, "go statement", "goroutines run in another order each time", "use durable.Go(ctx, func(ctx durable.Context) …)", "0.1"},
	{"DET202", Error, "channel", "who comes first differs each time, and waiting holds up the worker", "use a durable.Future, or what durable.Go gives", "0.1"},
	{"DET203", Error, "select over channels", "who comes first differs each time", "use durable.Select or durable.Any", "0.1"},
	{"DET204", Error, "lock", "it waits for goroutines, which an orchestrator has none of", "leave it out: coroutines of an orchestration run one at a time", "0.1"},
	{"DET205", Error, "process-wide state", "it is shared by all orchestrations of the process, and empty after a crash", "use a local variable", "0.1"},
	{"DET206", Error, "scheduler, signals, finalizers", "it depends on this process", "leave it out", "0.1"},
}

var outsideRules = []Rule{
	{"DET301", Error, "file system", "a replay may find other files", "do it in an activity", "0.1"},
	{"DET302", Error, "network", "a replay does it again, and may get another answer", "do it in an activity, or use durable.CallHTTP", "0.1"},
	{"DET303", Error, "process", "a replay does it again", "do it in an activity; to end, return an error", "0.1"},
	{"DET304", Error, "environment", "workers may have different ones", "pass it in as input", "0.1"},
	{"DET305", Error, "platform", "workers may differ", "pass it in as input, or ask in an activity", "0.1"},
	{"DET306", Warning, "output", "it repeats at each replay", "use ctx.Logger()", "0.1"},
	{"DET307", Error, "code without a body", "what assembly or C does cannot be seen", "mark the function //durable:pure if it only computes, else do it in an activity", "0.1"},
}

var orderRules = []Rule{
	{"DET401", Error, "map order decides what is scheduled", "maps are looped over in another order each time", "range over slices.Sorted(maps.Keys(m))", "0.1"},
	{"DET402", Error, "map order leaks into a value", "maps are looped over in another order each time", "range over slices.Sorted(maps.Keys(m)), or sort what was gathered", "0.1"},
	{"DET403", Warning, "floats added in map order", "the sum of floats depends on their order", "range over slices.Sorted(maps.Keys(m))", "0.1"},
	{"DET404", Error, "unordered iterator", "maps are looped over in another order each time", "use slices.Sorted(maps.Keys(m)), or sort what was gathered", "0.1"},
	{"DET405", Warning, "sort that leaves ties in map order", "equal elements stay in the order in which the map gave them", "compare the map's key too", "0.1"},
	{"DET411", Error, "address in a value", "memory lies elsewhere in each process", "print the fields, or use an id", "0.1"},
	{"DET412", Warning, "unstable encoding", "the same value may be encoded to other bytes", "use encoding/json, or the encoder's deterministic option", "0.1"},
	{"DET413", Warning, "stack or line of code", "it changes with every build", "use the error's message only", "0.1"},
	{"DET414", Note, "float that may be rounded otherwise", "some processors add a product in one step, with another rounding", "convert the product: float64(a*b) + c, or use integers", "0.1"},
}

var stateRules = []Rule{
	{"DET501", Error, "write of a package variable", "it is shared by all orchestrations of the process, and lost in a crash", "use a local variable, or return it", "0.1"},
	{"DET502", Error, "read of a variable that changes", "its value at a replay may be another", "pass it in as input, or mark it //durable:readonly if nothing writes it while orchestrations run", "0.1"},
	{"DET503", Error, "read of a variable from outside", "it was initialised from what differs from process to process", "pass it in as input", "0.1"},
	{"DET504", Error, "func or receiver with memory", "what it remembers is shared by all orchestrations of the process, and lost in a crash", "make it inside the orchestrator", "0.1"},
	{"DET505", Warning, "setting of another module", "whoever runs the process may set it to something else", "pass the value in as input", "0.1"},
	{"DET506", Warning, "orchestrator with a receiver", "its fields are those of the process that runs it", "make it a function, and pass in what it needs as input", "0.1"},
}

var unknownRules = []Rule{
	{"DET901", Error, "unknown code", "what it does is not known", "pass what is called as a value made in sight, mark it //durable:pure if it only computes, or do it in an activity; durablegen lint -whole-program looks at what the program puts there", "0.1"},
	{"DET902", Warning, "call that may do more than compute", "which implementation is behind it does not show", "use the type itself, or an interface that only harmless types have; durablegen lint -whole-program looks at what the program puts there", "0.1"},
	{"DET903", Warning, "call by reflection", "what is called does not show", "call it by its name", "0.1"},
}
