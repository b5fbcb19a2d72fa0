// Package doctor looks for what is wrong with a task hub, says what helps, and mends what can be mended from outside:
//
//	report, err := doctor.Examine(ctx, hub, doctor.Config{Fix: true})
//
// It looks at what serves the hub (clocks, limits, replicas), at what waits for workers, and at what the hub shows of its
// instances, which it compares with what the log and the archive hold.
//
// The log and the archive are the truth. The projection (the states that lists and clients read) and the marks of parked
// instances are made from them, and can be made again. It is safe while workers run: whatever is written is compared and
// set, and what has changed meanwhile is looked at anew.
package doctor
