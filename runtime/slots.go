package durable

import (
	"slices"

	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
)

// The errors of activities and children know the slot that they came from, so that a rewind knows what a run failed of.

// errorAt reads the failure of a future. It and all that it wraps came from the future's slot; a promise names those that
// its failure came from.
func errorAt(f *engine.Future, failure *history.Failure) error {
	slots := failure.Slots
	if n := f.Slot(); n != engine.NoSlot {
		slots = []uint32{n}
	}
	return errorFrom(failure, slots)
}

// failureAt says that a failure is that of another future's slot.
func failureAt(f *engine.Future, failure *history.Failure) *history.Failure {
	if failure == nil || f.Slot() == engine.NoSlot {
		return failure
	}
	at := *failure
	at.Slots = []uint32{f.Slot()}
	return &at
}

// slotsIn adds the slots of this instance that the errors of a tree came from.
func slotsIn(slots []uint32, err error, seen *int) []uint32 {
	const most = 10_000 // a join of a large fan-out is wide
	if *seen++; err == nil || *seen > most {
		return slots
	}
	var from []uint32
	switch e := err.(type) {
	case *ActivityError:
		from = e.slots
	case *OrchestrationError:
		from = e.slots
	case *codeError:
		from = e.slots
	}
	for _, slot := range from {
		if !slices.Contains(slots, slot) {
			slots = append(slots, slot)
		}
	}
	if len(from) > 0 {
		return slots // what it wraps came from there too
	}
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		return slotsIn(slots, e.Unwrap(), seen)
	case interface{ Unwrap() []error }:
		for _, w := range e.Unwrap() {
			slots = slotsIn(slots, w, seen)
		}
	}
	return slots
}
