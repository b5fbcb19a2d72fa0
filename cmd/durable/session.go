package main

import (
	"context"
	"errors"
	"time"

	"github.com/durablegen/durablegen/cmd/durable/internal/connect"
	"github.com/durablegen/durablegen/cmd/durable/internal/output"
	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/natsbackend"
)

// session is one run of the command: where its hub is, and how it answers.
type session struct {
	surroundings
	connect.Settings
	format output.Format
	now    func() time.Time
}

func newSession(around surroundings) *session {
	return &session{surroundings: around, format: output.Table, now: time.Now}
}

// hub is an open hub, with a client.
type hub struct {
	*durable.Client
	backend *natsbackend.Backend
}

// open connects to the hub. Its caller closes it.
func (s *session) open(ctx context.Context) (*hub, error) {
	b, err := s.Open(ctx)
	if err != nil {
		return nil, err
	}
	return &hub{durable.NewClient(b, durable.ClientConfig{}), b}, nil
}

// close ends client and connection.
func (h *hub) close() error { return errors.Join(h.Client.Close(), h.backend.Close()) }

// with runs do on the hub, and closes that.
func (s *session) with(ctx context.Context, do func(h *hub) error) (err error) {
	h, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	return do(h)
}

// briefly runs one question or request, which may take as long as --timeout.
func (s *session) briefly(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	return do(ctx)
}

// printer writes results.
func (s *session) printer() output.Printer {
	return output.Printer{W: s.stdout, Format: s.format, Color: output.Terminal(s.stdout) && s.getenv("NO_COLOR") == "" && s.getenv("TERM") != "dumb"}
}
