// Package doctor compares what a hub shows of its instances with what its log and archive hold, and mends it:
//
//	report, err := doctor.Examine(ctx, hub, doctor.Config{Fix: true})
//
// The log and the archive are the truth. The projection (the states that lists and clients read) and the marks of parked
// instances are made from them, and can be made again. It is safe while workers run: whatever is written is compared and
// set, and what has changed meanwhile is looked at anew.
package doctor
