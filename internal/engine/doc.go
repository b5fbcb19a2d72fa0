// Package engine is the deterministic core: an orchestrator and the ordered inbox of its instance become decisions.
//
// A [Machine] is fed inbox messages one at a time and answers each with the [Turn] it caused. It does no I/O, reads no
// clock, starts no goroutine of its own (coroutines are iter.Pull), and knows nothing about who stores what.
//
// # What it keeps
//
// The same inbox leads to the same decisions, on any worker, at any time (I1). Decisions are numbered slots; what comes
// for a complete slot, another task, run or execution, and an event or control id that was seen change nothing (I2). A
// [Machine] that is given the recorded slots compares what the program produces with them (I6). The time is that of the
// messages (I8).
//
// # What it cannot keep
//
// A program that never waits cannot be stopped, and one that starts coroutines or slots without end is limited by
// memory only. Deferred functions run when a machine is closed; if they wait for something that is not the machine's (a
// lock, a channel) so does Close. Buffered events and messages held while suspended are limited by nobody. Programs that
// share memory with other goroutines or instances are not deterministic; the linter looks for those.
package engine
