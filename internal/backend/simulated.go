package backend

import (
	"context"
	"time"
)

// Simulated is a Backend of the test kit: its time passes only while somebody waits for something, and the same test
// sees the same run.
type Simulated interface {
	// WaitFor lets time pass until ready reports true, for about d: longer when nothing happens meanwhile. Without ready it
	// lets d pass. The error is that of ctx, or says that nothing can happen any more.
	WaitFor(ctx context.Context, d time.Duration, ready func() bool) error
	// NewID makes an id that is new in the hub.
	NewID() string
}

// Recurring is a Clock whose time jumps to where something happens.
type Recurring interface {
	// Recur is After for what recurs for ever: it may come later, since it is no reason for time to pass.
	Recur(d time.Duration, fn func())
}

// Watched is a Backend of a worker that wants to know of the activities that run without having been delivered.
type Watched interface {
	// Began tells of an attempt that is about to run. ended is to be called when it is over and what came of it is stored;
	// lastErr is not empty when there will be another one.
	Began(d TaskDelivery) (ended func(lastErr string))
}
