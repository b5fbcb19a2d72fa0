// Package receiver has orchestrators that are methods.
package receiver

import (
	"fmt"
	"time"

	durable "github.com/durablegen/durablegen/runtime"
)

type Clock interface{ Now() time.Time }

type system struct{}

func (system) Now() time.Time { return time.Now() }

type Service struct {
	Prefix string
	Clock  Clock
}

//durable:orchestrator
func (s *Service) Renew(ctx durable.Context, in string) (string, error) { // want DET506 DUR108
	return s.Prefix + in, nil
}

//durable:orchestrator
func (s *Service) Dated(ctx durable.Context, in string) (string, error) { // want DET506 DUR108
	return s.Clock.Now().String(), nil // want DET902
}

type Flow struct{}

//durable:orchestrator
func (Flow) Plain(ctx durable.Context, in string) (string, error) { return in, nil } // want DUR108

//durable:orchestrator
func (f Flow) Helped(ctx durable.Context, in string) (string, error) { return f.help(in), nil } // want DUR108

func (Flow) help(s string) string { return fmt.Sprint(len(s)) }
