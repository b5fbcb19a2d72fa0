package lint

// The rules about the runtime, in the order of their ids. Wrong and Right are bodies of orchestrators.

var useRules = []Rule{
	{
		ID: "DUR101", Severity: Error, Title: "activity called directly", Since: "0.1",
		Why: "it runs inside the orchestrator, again at each replay", Do: "call it by its handle: …Activity.Call(ctx, …)",
		Wrong: "receipt, err := Charge(context.Background(), in)", Right: "receipt, err := ChargeActivity.Call(ctx, in)",
	},
	{
		ID: "DUR102", Severity: Warning, Title: "orchestrator called directly", Since: "0.1",
		Why: "it runs as a part of this one, in this history", Do: "start a child by its handle: …Orchestrator.Call(ctx, …)",
		Wrong: "out, err := Refund(ctx, in)", Right: "out, err := RefundOrchestrator.Call(ctx, in)",
	},
	{
		ID: "DUR103", Severity: Error, Title: "Context outside of its coroutine", Since: "0.1",
		Why:   "a Context is good in the coroutine that it was given to and nowhere else",
		Do:    "use the one that the function is given, and pass it on as a parameter",
		Wrong: "f := durable.Go(ctx, func(durable.Context) (string, error) {\n\treturn ShipActivity.Call(ctx, in)\n})",
		Right: "f := durable.Go(ctx, func(ctx durable.Context) (string, error) {\n\treturn ShipActivity.Call(ctx, in)\n})",
	},
	{
		ID: "DUR104", Severity: Error, Title: "standard context in an orchestrator", Since: "0.1",
		Why: "it ends, and holds values, for this process only", Do: "use the durable.Context: its Err and Canceled, and the input",
		Wrong: "if std.Err() != nil {", Right: "if ctx.Err() != nil {",
	},
	{
		ID: "DUR105", Severity: Warning, Title: "future that nobody waits for", Since: "0.1",
		Why:   "what has not come to an end when the orchestrator returns is cancelled, and its error is lost",
		Do:    "wait for it with Get or durable.All, or write _ = … //durable:detached",
		Wrong: "NotifyActivity.Start(ctx, in)", Right: "done := NotifyActivity.Start(ctx, in)\n…\n_, err := done.Get(ctx)",
	},
	{
		ID: "DUR106", Severity: Warning, Title: "error of an activity dropped", Since: "0.1",
		Why: "the orchestration goes on as if it had worked", Do: "check it, or write _ = … if it does not matter",
		Wrong: "ChargeActivity.Call(ctx, in)", Right: "if _, err := ChargeActivity.Call(ctx, in); err != nil {\n\treturn err\n}",
	},
	{
		ID: "DUR107", Severity: Warning, Title: "changed while it is under way", Since: "0.1",
		Why:   "a coroutine first runs when its creator waits, and an activity gets what was there when it was called, so a change in between is seen where it does not look so",
		Do:    "wait first, or work on a copy",
		Wrong: "n := 0\nf := durable.Go(ctx, func(ctx durable.Context) (int, error) { n++; return n, nil })\nreturn n, f.Err(ctx)",
		Right: "f := durable.Go(ctx, func(ctx durable.Context) (int, error) { return 1, nil })\nreturn f.Get(ctx)",
	},
	{
		ID: "DUR108", Severity: Error, Title: "declaration of the wrong shape", Since: "0.1",
		Why: "it cannot be made durable", Do: "write it in the accepted form; durablegen says the same",
		Wrong: "//durable:activity\nfunc Charge(amounts ...int) error", Right: "//durable:activity\nfunc Charge(amounts []int) error",
	},
	{
		ID: "DUR109", Severity: Error, Title: "stored name that is taken, changed or not registered", Since: "0.1",
		Why: "histories know code by this name alone", Do: "choose another with name=, keep an old one with alias=, run go generate",
		Wrong: "//durable:activity name=shop.Pay\nfunc Charge(…) error\n\n//durable:activity name=shop.Pay\nfunc Refund(…) error",
		Right: "//durable:activity name=shop.Pay\nfunc Charge(…) error\n\n//durable:activity name=shop.Refund\nfunc Refund(…) error",
	},
	{
		ID: "DUR110", Severity: Warning, Title: "operation after the end", Since: "0.1",
		Why:   "it also comes when the orchestration is cancelled, which starts nothing any more, or after its end is decided",
		Do:    "do it before the return, add it to a durable.Saga, or do it with durable.WithoutCancel(ctx)",
		Wrong: "defer ReleaseActivity.Call(ctx, in)", Right: "defer saga.RollbackOnError(ctx, &err)",
	},
	{
		ID: "DUR111", Severity: Error, Title: "callback that acts", Since: "0.1",
		Why: "the runtime calls it in between, to look and no more", Do: "do it in the orchestrator, and let the callback read the result",
		Wrong: "durable.SetQueryHandler(ctx, \"now\", func(durable.None) (string, error) { return AskActivity.Call(ctx) })",
		Right: "answer, err := AskActivity.Call(ctx)\ndurable.SetQueryHandler(ctx, \"now\", func(durable.None) (string, error) { return answer, err })",
	},
}

var payloadRules = []Rule{
	{
		ID: "DUR201", Severity: Error, Title: "type that JSON has no form for", Since: "0.1",
		Why: "it cannot be stored", Do: "pass the data itself",
		Wrong: "//durable:activity\nfunc Watch(updates chan int) error", Right: "//durable:event\ntype Update struct{ Value int }",
	},
	{
		ID: "DUR202", Severity: Warning, Title: "field that is left behind", Since: "0.1",
		Why: "JSON keeps exported fields only, and those without the tag \"-\"", Do: "export it, or keep it out of what is stored",
		Wrong: "type Order struct {\n\tID   string\n\tpaid bool\n}", Right: "type Order struct {\n\tID   string\n\tPaid bool\n}",
	},
	{
		ID: "DUR203", Severity: Warning, Title: "interface that does not come back with its type", Since: "0.1",
		Why: "JSON gives it back as its own types: float64, string, bool, []any, map[string]any", Do: "use a concrete type",
		Wrong: "type Order struct{ Details any }", Right: "type Order struct{ Details Details }",
	},
	{
		ID: "DUR204", Severity: Warning, Title: "value that comes back as another", Since: "0.1",
		Why:   "JSON does not keep it as it is",
		Do:    "keep long numbers in typed fields, compare times with Equal and slices by length, refer to a whole by its id",
		Wrong: "if in.Due == last.Due {", Right: "if in.Due.Equal(last.Due) {",
	},
	{
		ID: "DUR205", Severity: Warning, Title: "encoding that differs from time to time", Since: "0.1",
		Why: "a replay compares what is encoded anew with what was stored", Do: "let it depend on the value alone",
		Wrong: "func (m Money) MarshalJSON() ([]byte, error) { return json.Marshal(time.Now()) }", Right: "func (m Money) MarshalJSON() ([]byte, error) { return json.Marshal(m.Cents) }",
	},
}

var historyRules = []Rule{
	{
		ID: "DUR301", Severity: Warning, Title: "endless loop without ContinueAsNew", Since: "0.1",
		Why:   "the history grows with every round, and each load replays all of it",
		Do:    "return …Orchestrator.ContinueAsNew(ctx, …) now and then, or give the loop an end",
		Wrong: "for {\n\tPollActivity.Call(ctx)\n\tdurable.Sleep(ctx, time.Hour)\n}", Right: "PollActivity.Call(ctx)\ndurable.Sleep(ctx, time.Hour)\nreturn MonitorOrchestrator.ContinueAsNew(ctx)",
	},
	{
		ID: "DUR302", Severity: Warning, Title: "loop without a limit", Since: "0.1",
		Why:   "the history grows with every round, and nothing keeps the number small",
		Do:    "check the number, take the smaller of it and a limit, or give parts to child orchestrations",
		Wrong: "for range in.Count {", Right: "for range min(in.Count, 100) {",
	},
	{
		ID: "DUR303", Severity: Error, Title: "loop that never lets others run", Since: "0.1",
		Why: "nothing that it waits for can come while it runs, and the worker hangs", Do: "wait with Get, durable.Any or durable.Sleep",
		Wrong: "for !answer.Ready() {\n}", Right: "a, err := answer.Get(ctx)",
	},
	{
		ID: "DUR304", Severity: Note, Title: "large payload in the history", Since: "0.1",
		Why: "every call keeps a copy of it in the history, which each load reads", Do: "store it elsewhere and pass its name",
		Wrong: "text, err := ReadActivity.Call(ctx, path) // returns os.ReadFile(path)", Right: "key, err := StoreActivity.Call(ctx, path)",
	},
	{
		ID: "DUR305", Severity: Note, Title: "ContinueAsNew that is not returned", Since: "0.1",
		Why: "it is the error that the orchestrator has to return, and does nothing by itself", Do: "return it",
		Wrong: "RenewalOrchestrator.ContinueAsNew(ctx, next)\nreturn nil", Right: "return RenewalOrchestrator.ContinueAsNew(ctx, next)",
	},
}
