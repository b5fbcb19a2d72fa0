// Package history holds the records of an orchestration: what the log of a task hub stores, and nothing that acts.
//
// An instance's inbox is the sequence of its [Start], [Done], [Fired], [Event] and [Control] records. Everything its
// orchestrator decides is a pure function of that sequence. What it decided is recorded in [Task] and [Turn] records:
// a task is the record of its own slot; timers, children, sends and version markers are recorded in a turn.
package history
