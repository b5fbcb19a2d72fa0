package durable

import (
	"context"
	"errors"
	"fmt"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/codec"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/owner"
	"github.com/durablegen/durablegen/internal/steps"
)

// SaveHistory gives the history of an instance in the form of a file, a message a line, for durabletest.Replay,
// [ReadHistory] and [Client.ImportHistory]: of its present or last execution. Payloads are in it as the program sees them.
// ErrNotFound, also when the history is not kept any more, or the instance has not begun; ErrCodec as [Client.History].
func (c *Client) SaveHistory(ctx context.Context, id string) ([]byte, error) {
	if err := history.CheckID(id); err != nil {
		return nil, fmt.Errorf("durable: save the history: %w", err)
	}
	var text []byte
	err := c.around(ctx, &Operation{Verb: "history", Instance: id}, func(ctx context.Context) (err error) {
		text, err = c.saveHistory(ctx, id)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("durable: save the history of %q: %w", id, err)
	}
	return text, nil
}

func (c *Client) saveHistory(ctx context.Context, id string) ([]byte, error) {
	s, err := c.anyState(ctx, id)
	if err != nil {
		return nil, err
	}
	messages, err := c.messages(ctx, s)
	switch {
	case err != nil:
		return nil, err
	case len(messages) == 0:
		return nil, fmt.Errorf("%w: it has not begun, or its history is not kept any more", ErrNotFound)
	}
	saved, err := history.NewSaved(s.Address, messages)
	if err != nil {
		return nil, err
	}
	return saved.Text()
}

// ErrHistory reports text that is no saved history.
var ErrHistory = errors.New("durable: not a saved history")

func readSaved(text []byte) (history.Saved, error) {
	saved, err := history.ReadSaved(text)
	if err != nil {
		return saved, fmt.Errorf("%w: %w", ErrHistory, err)
	}
	return saved, nil
}

// ReadHistory tells what a saved history says, without a hub and without its code. ErrHistory. Its text may come from
// anywhere; steps that a replay would not take are left out.
func ReadHistory(text []byte) (History, error) {
	saved, err := readSaved(text)
	if err != nil {
		return History{}, err
	}
	h, start := steps.Of(saved.Messages), saved.Start()
	inst := Instance{ID: saved.ID, Name: start.Orchestrator, Version: start.Version, Status: Running, Created: h.Started, RootID: history.RootID(start.Root, start.Parent, saved.ID), Tags: start.Tags}
	inst.fill(saved.Messages)
	if end := saved.End(); end != nil && end.Status.Final() {
		inst.Status = Status(end.Status)
		if n := len(h.Steps); n > 0 {
			inst.Finished = h.Steps[n-1].Ended
		}
		if end.Failure != nil {
			inst.Failure = end.Failure.Message
		}
	}
	newest := h.Started
	for _, m := range saved.Messages {
		if m.Time.After(newest) {
			newest = m.Time
		}
	}
	return History{Instance: inst, Steps: h.Steps, SuspendedFor: h.SuspendedFor(), Summary: summary(h, inst, newest)}, nil
}

// RedactHistory leaves payloads and the texts of errors and reasons out of a saved history: "redacted" stands for each. Names,
// ids, tags, times and the order of everything stay. A replay of what comes out compares names and their order only, and the
// code reads zero values where it cannot read "redacted": it may go another way than it would. ErrHistory.
func RedactHistory(text []byte) ([]byte, error) {
	saved, err := readSaved(text)
	if err != nil {
		return nil, err
	}
	saved.Messages = codec.Redact(saved.Messages)
	saved.Redacted = "payloads were left out: a replay compares names and their order only"
	return saved.Text()
}

// ImportHistory puts a saved history of an instance that has ended into the archive, for looking at it and for [Client.Rewind],
// and gives its id. It is kept for as long as if it had ended now. ErrHistory; ErrNotFinished for one that has not ended;
// ErrAlreadyExists when the hub knows the id.
func (c *Client) ImportHistory(ctx context.Context, text []byte) (id string, err error) {
	saved, err := readSaved(text)
	if err != nil {
		return "", fmt.Errorf("durable: import: %w", err)
	}
	err = c.around(ctx, &Operation{Verb: "import", Instance: saved.ID}, func(ctx context.Context) error { return c.importHistory(ctx, saved) })
	if err != nil {
		return "", fmt.Errorf("durable: import %q: %w", saved.ID, err)
	}
	return saved.ID, nil
}

func (c *Client) importHistory(ctx context.Context, saved history.Saved) error {
	end := saved.End()
	if end == nil || !end.Status.Final() {
		return fmt.Errorf("%w: only the history of one that has ended can be looked at elsewhere", ErrNotFinished)
	}
	a := backend.Archive{
		Address: history.Address{Group: saved.Group, ID: saved.ID}, Run: saved.Run(), Status: end.Status,
		Ended: c.be.Clock().Now(), Messages: saved.Messages,
	}
	s, ok := owner.ArchivedState(a)
	if !ok {
		return fmt.Errorf("%w: it does not tell of a whole run", ErrHistory)
	}
	switch _, err := c.find(ctx, saved.ID); {
	case err == nil:
		return ErrAlreadyExists
	case !errors.Is(err, ErrNotFound):
		return err
	}
	_, rev, err := c.state(ctx, saved.ID)
	if err == nil {
		return ErrAlreadyExists
	}
	if !errors.Is(err, ErrNotFound) {
		return err
	}
	_, err = wait(ctx, func(done func(uint64, error)) { c.be.PutArchive(a, 0, done) })
	if err == nil {
		_, err = c.putState(ctx, s, rev)
	}
	if errors.Is(err, backend.ErrConflict) {
		return fmt.Errorf("%w, or did a short while ago", ErrAlreadyExists)
	}
	return err
}
