package lint

// The rules about the runtime, in the order of their ids.

var useRules = []Rule{
	{
		ID: "DUR101", Severity: Error, Title: "activity called directly", Since: "0.1",
		Why: "it runs inside the orchestrator, again at each replay", Do: "call it by its handle: …Activity.Call(ctx, …)",
	},
	{
		ID: "DUR102", Severity: Warning, Title: "orchestrator called directly", Since: "0.1",
		Why: "it runs as a part of this one, in this history", Do: "start a child by its handle: …Orchestrator.Call(ctx, …)",
	},
	{
		ID: "DUR103", Severity: Error, Title: "Context outside of its coroutine", Since: "0.1",
		Why: "a Context is good in the coroutine that it was given to and nowhere else",
		Do:  "use the one that the function is given, and pass it on as a parameter",
	},
	{
		ID: "DUR104", Severity: Error, Title: "standard context in an orchestrator", Since: "0.1",
		Why: "it ends, and holds values, for this process only", Do: "use the durable.Context: its Err and Canceled, and the input",
	},
	{
		ID: "DUR105", Severity: Warning, Title: "future that nobody waits for", Since: "0.1",
		Why: "what has not come to an end when the orchestrator returns is cancelled, and its error is lost",
		Do:  "wait for it with Get or durable.All, or write _ = … //durable:detached",
	},
	{
		ID: "DUR106", Severity: Warning, Title: "error of an activity dropped", Since: "0.1",
		Why: "the orchestration goes on as if it had worked", Do: "check it, or write _ = … if it does not matter",
	},
	{
		ID: "DUR107", Severity: Warning, Title: "changed while it is under way", Since: "0.1",
		Why: "a coroutine first runs when its creator waits, and an activity gets what was there when it was called, so a change in between is seen where it does not look so",
		Do:  "wait first, or work on a copy",
	},
	{
		ID: "DUR108", Severity: Error, Title: "declaration of the wrong shape", Since: "0.1",
		Why: "it cannot be made durable", Do: "write it in the accepted form; durablegen says the same",
	},
	{
		ID: "DUR109", Severity: Error, Title: "stored name that is taken, changed or not registered", Since: "0.1",
		Why: "histories know code by this name alone", Do: "choose another with name=, keep an old one with alias=, run go generate",
	},
	{
		ID: "DUR110", Severity: Warning, Title: "operation after the end", Since: "0.1",
		Why: "it also comes when the orchestration is cancelled, which starts nothing any more, or after its end is decided",
		Do:  "do it before the return, add it to a durable.Saga, or do it with durable.WithoutCancel(ctx)",
	},
	{
		ID: "DUR111", Severity: Error, Title: "callback that acts", Since: "0.1",
		Why: "the runtime calls it in between, to look and no more", Do: "do it in the orchestrator, and let the callback read the result",
	},
}

var payloadRules = []Rule{
	{
		ID: "DUR201", Severity: Error, Title: "type that JSON has no form for", Since: "0.1",
		Why: "it cannot be stored", Do: "pass the data itself",
	},
	{
		ID: "DUR202", Severity: Warning, Title: "field that is left behind", Since: "0.1",
		Why: "JSON keeps exported fields only, and those without the tag \"-\"", Do: "export it, or keep it out of what is stored",
	},
	{
		ID: "DUR203", Severity: Warning, Title: "interface that does not come back with its type", Since: "0.1",
		Why: "JSON gives it back as its own types: float64, string, bool, []any, map[string]any", Do: "use a concrete type",
	},
	{
		ID: "DUR204", Severity: Warning, Title: "value that comes back as another", Since: "0.1",
		Why: "JSON does not keep it as it is",
		Do:  "keep long numbers in typed fields, compare times with Equal and slices by length, refer to a whole by its id",
	},
	{
		ID: "DUR205", Severity: Warning, Title: "encoding that differs from time to time", Since: "0.1",
		Why: "a replay compares what is encoded anew with what was stored", Do: "let it depend on the value alone",
	},
}

var historyRules = []Rule{
	{
		ID: "DUR301", Severity: Warning, Title: "endless loop without ContinueAsNew", Since: "0.1",
		Why: "the history grows with every round, and each load replays all of it",
		Do:  "return …Orchestrator.ContinueAsNew(ctx, …) now and then, or give the loop an end",
	},
	{
		ID: "DUR302", Severity: Warning, Title: "loop without a limit", Since: "0.1",
		Why: "the history grows with every round, and nothing keeps the number small",
		Do:  "check the number, take the smaller of it and a limit, or give parts to child orchestrations",
	},
	{
		ID: "DUR303", Severity: Error, Title: "loop that never lets others run", Since: "0.1",
		Why: "nothing that it waits for can come while it runs, and the worker hangs", Do: "wait with Get, durable.Any or durable.Sleep",
	},
	{
		ID: "DUR304", Severity: Note, Title: "large payload in the history", Since: "0.1",
		Why: "every call keeps a copy of it in the history, which each load reads", Do: "store it elsewhere and pass its name",
	},
	{
		ID: "DUR305", Severity: Note, Title: "ContinueAsNew that is not returned", Since: "0.1",
		Why: "it is the error that the orchestrator has to return, and does nothing by itself", Do: "return it",
	},
}

var changeRules = []Rule{
	{
		ID: "DUR401", Severity: Warning, Title: "patch whose two ways are the same", Since: "0.1",
		Why: "it tells nothing apart", Do: "write the old way beside the new one, or keep the call by itself until no instance has it recorded",
	},
	{
		ID: "DUR402", Severity: Note, Title: "patch without an old way", Since: "0.1",
		Why: "it is kept for the instances that have it recorded and for nothing else", Do: "remove it when none of them is left",
	},
	{
		ID: "DUR403", Severity: Error, Title: "name of a change that is not a constant", Since: "0.1",
		Why: "histories know a change by its name, which has to be the same in every build and for every instance", Do: "write it as a constant",
	},
}
