// Package durtwin registers two packages of one name.
package durtwin

import (
	"errors"

	"github.com/durablegen/durablegen/lint/testdata/corpus/durlib"
	twin "github.com/durablegen/durablegen/lint/testdata/corpus/durtwin/durlib"
	durable "github.com/durablegen/durablegen/runtime"
)

// Both cannot be known by one worker.
func Both(r *durable.Registry) error {
	return errors.Join(
		durlib.RegisterDurable(r, durlib.DurableReceivers{}),
		twin.RegisterDurable(r, twin.DurableReceivers{}), // want DUR109
	)
}

// One alone can.
func One(r *durable.Registry) error { return twin.RegisterDurable(r, twin.DurableReceivers{}) }
