package backend

import (
	"fmt"

	"github.com/durablegen/durablegen/internal/history"
)

// Unreadable gives ErrCodec when code cannot be given a record because a codec wrote it, nil when it can. A program
// that was given no codecs at all learns it here.
func Unreadable(r history.Record) error {
	if id := history.SealedBy(r); id != "" {
		return fmt.Errorf("%w: codec %q wrote it: give the backend that codec with durable.WithCodec", ErrCodec, id)
	}
	return nil
}

// Unreadable is Err, or what Unreadable says of the messages that the current execution needs.
func (l *Loaded) Unreadable() error {
	if l.Err != nil {
		return l.Err
	}
	for n := range l.Tail {
		if err := Unreadable(l.Tail[n].Record); err != nil {
			return err
		}
	}
	switch { // a base holds all that the execution knows of its start
	case l.Base != nil:
		return Unreadable(l.Base.Record)
	case l.Start != nil:
		return Unreadable(l.Start.Record)
	}
	return nil
}

// Unreadable is Err, or what Unreadable says of the custom status and the claim.
func (s *State) Unreadable() error {
	if s.Err != nil {
		return s.Err
	}
	if s.Claim != nil {
		if err := Unreadable(s.Claim); err != nil {
			return err
		}
	}
	return Unreadable(&history.Event{Payload: s.Custom})
}

// Unreadable is Err, or what Unreadable says of the messages.
func (a *Archive) Unreadable() error {
	if a.Err != nil {
		return a.Err
	}
	for n := range a.Late {
		if err := Unreadable(a.Late[n].Record); err != nil {
			return err
		}
	}
	for n := range a.Messages {
		if err := Unreadable(a.Messages[n].Record); err != nil {
			return err
		}
	}
	return nil
}
