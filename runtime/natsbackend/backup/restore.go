package backup

import (
	"archive/tar"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/durablegen/durablegen/runtime/natsbackend"
)

// Errors of Restore to branch on.
var (
	ErrNotEmpty = errors.New("backup: the hub is not empty")
	ErrInUse    = errors.New("backup: the hub is in use")
	ErrName     = errors.New("backup: a hub cannot change its name")
)

// Config says where a copy goes.
type Config struct {
	Server    natsbackend.Config   // Hub is the file's; "" or ErrName
	Replace   bool                 // delete what the hub has; else ErrNotEmpty
	Replicas  int                  // of the streams; defaults to what they had
	Placement *jetstream.Placement // of the streams; defaults to what they had
	Progress  func(Progress)       // defaults to none
}

const (
	needServer = "2.15"          // the first that takes streams back in the form of the pieces
	listening  = time.Second     // twice as long as a worker is silent
	ending     = 5 * time.Minute // for the server to put a stream together
	sendSize   = 512 << 10
)

// restoring is a copy that is being put back.
type restoring struct {
	link *natsbackend.Link
	cfg  Config
	m    Manifest
	file *tar.Reader
	sent int64
}

// Restore makes the hub of a file on a server, and gives what the file has. First it reads all of the file and checks it:
// ErrDamaged, and nothing has happened. A hub that has instances is ErrNotEmpty without Replace, one that workers or clients
// use is ErrInUse. The log comes last, and is marked until all is there: before, nobody can connect to the hub. When it fails
// in between, the error says so; with Replace it begins anew.
//
// Times are those of the original: what expired meanwhile is gone, and timers that were due meanwhile fire at once.
func Restore(ctx context.Context, path string, cfg Config) (Manifest, error) {
	m, err := Verify(path)
	if err != nil {
		return m, err
	}
	if h := cfg.Server.Hub; h != "" && h != m.Hub {
		return m, fmt.Errorf("%w: the file is of the hub %s, and it is to be restored as %s: restore it under its own name, on another server or in another account", ErrName, m.Hub, h)
	}
	cfg.Server.Hub = m.Hub
	link, err := natsbackend.Dial(ctx, cfg.Server)
	if err != nil {
		return m, err
	}
	defer link.Close()
	if v := link.ConnectedServerVersion(); !atLeast(v, needServer) {
		return m, fmt.Errorf("backup: the server is NATS %s, and to restore a hub takes %s or newer", v, needServer)
	}
	f, err := os.Open(path)
	if err != nil {
		return m, fmt.Errorf("backup: %w", err)
	}
	defer f.Close()
	r := restoring{link: link, cfg: cfg, m: m}
	if err := r.clear(ctx); err != nil {
		return m, err
	}
	return m, r.streams(ctx, f)
}

// atLeast compares versions, "2.15.0-RC.1" with "2.15".
func atLeast(version, least string) bool {
	var a, b [2]int
	_, errA := fmt.Sscanf(version, "%d.%d", &a[0], &a[1])
	_, errB := fmt.Sscanf(least, "%d.%d", &b[0], &b[1])
	return errA == nil && errB == nil && slices.Compare(a[:], b[:]) >= 0
}

// clear makes room, the log first: without it nobody can use the hub.
func (r *restoring) clear(ctx context.Context) error {
	js, found := r.link.JetStream, []string{}
	for _, name := range natsbackend.Streams(r.m.Hub) {
		s, err := js.Stream(ctx, name)
		switch {
		case errors.Is(err, jetstream.ErrStreamNotFound):
			continue
		case err != nil:
			return fmt.Errorf("backup: look at the stream %s: %w", name, err)
		case s.CachedInfo().State.Msgs > 0 && !r.cfg.Replace:
			return fmt.Errorf("%w: the stream %s of the hub %s on %s has %d messages: restore it on another server, or say that it is to be replaced",
				ErrNotEmpty, name, r.m.Hub, r.link.ConnectedUrlRedacted(), s.CachedInfo().State.Msgs)
		}
		found = append(found, name)
	}
	if len(found) == 0 {
		return nil
	}
	if err := r.unused(ctx); err != nil {
		return err
	}
	log := natsbackend.LogStream(r.m.Hub)
	slices.SortStableFunc(found, func(a, b string) int {
		switch log {
		case a:
			return -1
		case b:
			return 1
		}
		return 0
	})
	for _, name := range found {
		if err := js.DeleteStream(ctx, name); err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
			return fmt.Errorf("backup: delete the stream %s: %w", name, err)
		}
	}
	return nil
}

// unused listens whether somebody uses the hub.
func (r *restoring) unused(ctx context.Context) error {
	sub, err := r.link.SubscribeSync(natsbackend.SignalSubjects(r.m.Hub))
	if err != nil {
		return fmt.Errorf("backup: listen for workers: %w", err)
	}
	defer func() { _ = sub.Unsubscribe() }() // it fails when the connection is closed
	wait, cancel := context.WithTimeout(ctx, listening)
	defer cancel()
	switch _, err := sub.NextMsgWithContext(wait); {
	case err == nil:
		return fmt.Errorf("%w: workers or clients of the hub %s are connected: stop them first", ErrInUse, r.m.Hub)
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, context.DeadlineExceeded):
		return nil
	default:
		return fmt.Errorf("backup: listen for workers: %w", err)
	}
}

// streams puts the streams back, the log when all others are there.
func (r *restoring) streams(ctx context.Context, f io.ReadSeeker) error {
	log := natsbackend.LogStream(r.m.Hub)
	for _, last := range []bool{false, true} {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return fmt.Errorf("backup: read the file again: %w", err)
		}
		r.file = tar.NewReader(f)
		for k := range r.m.Streams {
			s := &r.m.Streams[k]
			if (s.Name == log) != last {
				continue
			}
			if err := r.stream(ctx, s, last); err != nil {
				return fmt.Errorf("%w; the hub %s is not whole, and nobody can use it: restore it again, and say that it is to be replaced", err, r.m.Hub)
			}
		}
	}
	return nil
}

// stream puts a stream back, or leaves nothing of it.
func (r *restoring) stream(ctx context.Context, s *Stream, marked bool) error {
	cfg := s.Config
	if r.cfg.Replicas > 0 {
		cfg.Replicas = r.cfg.Replicas
	}
	if r.cfg.Placement != nil {
		cfg.Placement = r.cfg.Placement
	}
	first := cfg
	if marked {
		first.Metadata = maps.Clone(cfg.Metadata)
		first.Metadata[natsbackend.MetaRestoring] = r.m.Begun.Format(time.RFC3339)
	}
	err := r.send(ctx, s, first)
	if err == nil && marked {
		_, err = r.link.JetStream.UpdateStream(ctx, cfg)
	}
	if err != nil {
		after, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		if gone := r.link.JetStream.DeleteStream(after, s.Name); gone != nil && !errors.Is(gone, jetstream.ErrStreamNotFound) {
			err = errors.Join(err, gone)
		}
		return fmt.Errorf("backup: restore the stream %s: %w", s.Name, err)
	}
	return nil
}

// send gives the server all of a stream.
func (r *restoring) send(ctx context.Context, s *Stream, cfg jetstream.StreamConfig) error {
	request, err := json.Marshal(map[string]any{"config": cfg, "state": map[string]any{}})
	if err != nil {
		return err
	}
	var answer struct {
		Deliver string `json:"deliver_subject"`
	}
	if err := r.request(ctx, r.link.API+"STREAM.RESTORE."+s.Name, request, patience*2, &answer); err != nil {
		return err
	}
	to := sender{restoring: r, to: answer.Deliver, most: min(sendSize, int(r.link.MaxPayload()))}
	opening, err := s.opening(time.Now())
	if err != nil {
		return err
	}
	if err := to.write(ctx, opening); err != nil {
		return err
	}
	for n, p := range s.Pieces {
		if err := r.piece(ctx, p, &to); err != nil {
			return err
		}
		if r.cfg.Progress != nil {
			r.cfg.Progress(Progress{Stream: s.Name, Messages: s.Messages * uint64(n+1) / uint64(len(s.Pieces)), Of: s.Messages, Bytes: r.sent})
		}
	}
	end, err := closing()
	if err != nil {
		return err
	}
	if err := to.write(ctx, end); err != nil {
		return err
	}
	return r.request(ctx, to.to, nil, ending, nil)
}

// piece finds a piece in the file and passes it on.
func (r *restoring) piece(ctx context.Context, p Piece, to *sender) error {
	for {
		entry, err := r.file.Next()
		if err != nil {
			return fmt.Errorf("read the file again: %w", unexpected(err))
		}
		if entry.Name == p.Name {
			break
		}
	}
	content := make([]byte, p.Size)
	if _, err := io.ReadFull(r.file, content); err != nil {
		return fmt.Errorf("read the file again: %w", unexpected(err))
	}
	r.sent += p.Size
	return to.write(ctx, content)
}

// sender sends chunks, each when the server has taken the one before.
type sender struct {
	*restoring
	to    string
	most  int
	taken bool // a chunk has come through
}

func (s *sender) write(ctx context.Context, b []byte) error {
	for chunk := range slices.Chunk(b, s.most) {
		if err := s.pass(ctx, chunk); err != nil {
			return err
		}
		s.taken = true
	}
	return nil
}

// pass sends a chunk. In a cluster another server may take it, and ours hears of that later than we do: until then nobody
// seems to listen, and nothing is sent.
func (s *sender) pass(ctx context.Context, chunk []byte) error {
	soon, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		err := s.request(ctx, s.to, chunk, 4*patience, nil)
		if s.taken || !errors.Is(err, nats.ErrNoResponders) {
			return err
		}
		select {
		case <-time.After(tick):
		case <-soon.Done():
			return err
		}
	}
}

// request asks the server; answers may be empty.
func (r *restoring) request(ctx context.Context, subject string, data []byte, wait time.Duration, into any) error {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	m, err := r.link.RequestWithContext(ctx, subject, data)
	if err != nil {
		if errors.Is(err, nats.ErrNoResponders) {
			err = fmt.Errorf("nobody answers on %s: %w", subject, err)
		}
		return err
	}
	var answer struct {
		Error *jetstream.APIError `json:"error"`
	}
	if len(m.Data) == 0 {
		return nil
	}
	if err := json.Unmarshal(m.Data, &answer); err != nil {
		return fmt.Errorf("the server answered on %s with no JSON: %w", strings.TrimSpace(subject), err)
	}
	if answer.Error != nil {
		return answer.Error
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(m.Data, into)
}
