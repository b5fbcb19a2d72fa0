package observe

import "time"

// Status is how a worker is at a moment: for gauges and health checks.
type Status struct {
	Worker     string
	Hub        string
	Partitions int // of each group
	Store      StoreStatus
	Groups     []GroupStatus    // of orchestrators that it runs, by name
	Activities []ActivityStatus // that it runs, by name
}

// StoreStatus is how the connection to the hub is.
type StoreStatus struct {
	Connected  bool
	Reconnects uint64 // of all its connections, since it was made
	Unanswered int    // writes and reads that wait for an answer
}

// GroupStatus is a worker's share of a group of orchestrators.
type GroupStatus struct {
	Group      string
	Partitions int  // that this worker owns
	Instances  int  // in its memory
	Resigned   bool // it owns nothing, because the server does not permit it to
	Loops      []LoopStatus
}

// LoopStatus is something that a worker does again and again.
type LoopStatus struct {
	Name  string
	Every time.Duration // pause between two rounds
	Ran   time.Time     // when the last round ended; before the first: when the loop began
	Reads bool          // a round reads the hub, and may take as long as that does
}

// ActivityStatus is a worker's share of an activity.
type ActivityStatus struct {
	Activity string
	Slots    int // attempts of its tasks at once, and as many local ones
	Running  int // attempts under way, local ones included
}
