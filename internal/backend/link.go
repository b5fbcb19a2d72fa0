package backend

import "github.com/durablegen/durablegen/runtime/observe"

// Linked is a Backend with a connection that people watch, and that can end without Close: one that was made with options
// which end it, as a limit of reconnects.
type Linked interface {
	// Done is closed when nothing will be stored or delivered any more.
	Done() <-chan struct{}
	// Err is why: nil before, ErrClosed after Close.
	Err() error
	// Status tells how the connection is. It waits for nothing.
	Status() observe.StoreStatus
}

// As finds what a backend can do beside being one, below the backends that wrap it.
func As[T any](b Backend) (T, bool) {
	for {
		if t, ok := b.(T); ok {
			return t, true
		}
		w, ok := b.(interface{ Unwrap() Backend })
		if !ok {
			var none T
			return none, false
		}
		b = w.Unwrap()
	}
}
