// Package engine is the deterministic core: an orchestrator and the ordered inbox of its instance become decisions.
//
// A [Machine] is fed inbox messages one at a time and answers each with the [Turn] it caused. It does no I/O, reads no
// clock, starts no goroutine of its own (coroutines are iter.Pull), and knows nothing about who stores what.
package engine
