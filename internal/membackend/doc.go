// Package membackend is the storage seam in memory, with the behaviour of JetStream that the protocol depends on, and
// with all its faults on demand.
//
// One implementation runs in two modes. In virtual mode nothing happens by itself: every answer, delivery, timer and
// signal is an event with a due time on a clock of its own, and [Memory.Step] runs the next one on the goroutine that
// calls it. Delays and faults come from the seed, so two runs with one seed are identical. In live mode a goroutine runs
// the same events in real time, also inside a testing/synctest bubble.
//
// Each worker or client has its own [View], which can be cut off, frozen or killed while the store goes on.
package membackend
