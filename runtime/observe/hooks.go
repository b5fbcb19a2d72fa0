package observe

import "time"

// Hooks are called when something happens in a worker; a nil one costs nothing. They are called in the middle of the
// work, by many goroutines at once: they return at once, keep nothing of the worker waiting, and never call it, its
// client or its backend.
//
// Each is called when it happened in this process. What a crash takes back and another worker does again is told
// again, by that one; the replay of a history is told by Loaded alone.
type Hooks struct {
	Started func(Start) // an execution of an orchestration has begun
	Ended   func(End)   // its end is stored
	Parked  func(Park)  // nobody here can run it; it waits for other code, see docs/operations.md
	// ArgumentsChanged: a replay has met other arguments than the recorded ones at a call with durable.ArgumentsWarn. A worker
	// tells each slot once, however often it replays the instance; of very many slots it may forget that it did.
	ArgumentsChanged func(ArgumentsChange)

	// LeftBehind is called after the start of a worker, for each version of its orchestrators that has live instances and
	// that no worker runs, see docs/changing-code.md.
	LeftBehind func(Left)

	Delivered func(Delivery) // a message has come to the owner of an instance
	Turned    func(Turn)     // the code of an orchestrator has run until it waited; what a load runs counts into Loaded
	Loaded    func(Load)     // an instance that was not in memory has been read and replayed

	AttemptStarted func(Attempt)    // the function of an activity is about to be called
	AttemptEnded   func(AttemptEnd) // what comes of it is decided

	// TraceParent gives the W3C trace context (traceparent) of an execution, which its activities, children and events
	// carry on. It must give the same for the same execution on every worker, at any time. It is called once for an
	// execution that is in memory; "": there is none. nil: they carry on that of whoever started the run.
	TraceParent func(Execution) string
	// TraceState gives the W3C tracestate that belongs to it, for activities and children, under the same rules; nil: none.
	// Without a TraceParent it is not asked: they carry on that of whoever started the run. Baggage always travels on as it is.
	TraceState func(Execution) string
}

// Execution is one execution of one instance: what runs from its start, or a continue-as-new, to its end or the next
// continue-as-new.
type Execution struct {
	Group        string // of orchestrators
	Instance     string // id; unbounded, so no label of a metric
	Orchestrator string // wire name
	Version      string // "" for none
	Parent       string // id of the parent instance; "" when a client started it
	Run          uint32 // of the instance, from 1
	Number       uint32 // of the execution in its run, from 0
	// TraceParent is the W3C trace context that the run was started with; "" when there was none.
	TraceParent string
	TraceState  string // the W3C tracestate beside it
	Baggage     string // W3C baggage that the run was started with
	// Began is when the message that begins the execution was stored, by the log's clock.
	Began time.Time
}

// Start tells that an execution has begun for the first time.
type Start struct {
	Execution
	Queued time.Duration // since its start was stored; 0 after a continue-as-new
}

// End tells that an execution has ended.
type End struct {
	Execution
	Status string    // Completed, Failed, Terminated, Canceled or ContinuedAsNew
	Kind   string    // of a failure that is not an error of user code: panic, timeout, ...
	Ended  time.Time // by the log's clock
	// Again says that the end was recorded before, perhaps by another worker, which may have told of it or not. Counters
	// leave it out; what is identified by its execution comes out once.
	Again bool
	// Events are the W3C trace contexts of who sent the events of this execution, at most 32, as far as memory knows them.
	Events []string
}

// Park tells that an instance waits for other code.
type Park struct {
	Group, Instance, Orchestrator string // Orchestrator is "" when its start could not be read
}

// ArgumentsChange tells of a call whose arguments are not those that are recorded, which stand.
type ArgumentsChange struct {
	Group, Instance, Orchestrator string
	Call                          string // wire name of the activity or child
	Slot                          string // run-execution-slot
	Recorded, Position            string // file:line of the call, when it was recorded and now; "" when it is not known
}

// Left tells of live instances whose code no worker has.
type Left struct {
	Group, Orchestrator, Version string
	Instances                    int
}

// Delivery tells of a message of an inbox.
type Delivery struct {
	Group     string
	Partition int
	Again     bool          // it was delivered before
	Cached    bool          // its instance is in memory
	Timer     bool          // it is a timer that has fired; then
	Lag       time.Duration // is how late it was stored, by the log's clock
}

// Turn tells that an orchestrator's code has run until it waited.
type Turn struct {
	Group, Orchestrator string
	Took                time.Duration // by the clock of this process
}

// Load tells that a live instance has been read from the log and the archive.
type Load struct {
	Group, Orchestrator string
	Messages            int           // replayed
	Took                time.Duration // reading and replaying
}

// Attempt is one execution of an activity's function.
type Attempt struct {
	Activity string        // wire name of its queue
	Number   int           // of the attempt, from 1
	Delivery int           // of its task, from 1: above that a worker has died on it, or was too slow
	Local    bool          // it runs in its owner's process, without a task
	Queued   time.Duration // since its task was stored, by the clocks of log and worker
}

// Outcome is what has become of an attempt.
type Outcome string

// The outcomes.
const (
	Succeeded Outcome = "succeeded"
	Failed    Outcome = "failed"   // for good
	Retried   Outcome = "retried"  // it failed, and another attempt follows
	Deferred  Outcome = "deferred" // somebody outside completes it
	Canceled  Outcome = "canceled" // nobody waits for it any more
	Returned  Outcome = "returned" // the worker stops, and another one does it again
)

// AttemptEnd tells that the outcome of an attempt is decided; it is being stored. Of one that failed without its function
// being called, as when its deadline had passed, there is no AttemptStarted and Took is 0.
type AttemptEnd struct {
	Attempt
	Outcome Outcome
	Kind    string // of a failure that is not an error of user code: panic, timeout, ...
	Took    time.Duration
}
