package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	durable "github.com/durablegen/durablegen/runtime"
)

// Config says what to do. The zero value only looks.
type Config struct {
	Fix bool // mend what is found
	// Patience is how long to wait for the owner of a live instance to project it; defaults to 10 s. What log and archive
	// tell is projected without it.
	Patience time.Duration
	// Silence is how long a message may wait for a worker, or be with one that should have finished with it at once, until that
	// is a finding; defaults to a minute.
	Silence time.Duration
}

// Kind is what is wrong.
type Kind string

// The kinds of findings. What Fix mends is the first five.
const (
	Missing  Kind = "missing"  // an instance has no state
	Stale    Kind = "stale"    // its state is behind its log or archive
	Orphaned Kind = "orphaned" // a state is of an instance that neither log nor archive knows
	Claimed  Kind = "claimed"  // an id is claimed, and nobody has begun the instance
	Marked   Kind = "marked"   // an instance is marked as parked, and does not live

	Parked   Kind = "parked"   // live instances that no worker can run
	Unserved Kind = "unserved" // what waits for a worker that is not there
	Stuck    Kind = "stuck"    // what a worker has had for too long, or has got again and again
	Skewed   Kind = "skewed"   // the clocks of this machine and of the server differ
	Full     Kind = "full"     // a limit of the server is nearly reached
	Lagging  Kind = "lagging"  // a replica of a stream is not current
)

// Severity is how bad a finding is.
type Severity string

// The severities.
const (
	Warning Severity = "warning" // nobody is stopped by it yet
	Error   Severity = "error"   // something does not go on, or is told wrongly
)

// Finding is one thing that is wrong.
type Finding struct {
	Kind     Kind     `json:"kind"`
	Severity Severity `json:"severity"`
	Group    string   `json:"group,omitempty"` // of orchestrators, if it concerns one
	ID       string   `json:"id,omitempty"`    // of an instance that it concerns, or of one of several
	What     string   `json:"what"`            // in words
	Cure     string   `json:"cure"`            // what Fix does about it, or what somebody can do
	Fixable  bool     `json:"fixable"`         // Fix mends it
	Fixed    bool     `json:"fixed"`
	Err      error    `json:"-"` // why it is not; nil when nobody tried
}

// Report is what an examination has come to.
type Report struct {
	Hub        string        `json:"hub"`
	Durability string        `json:"durability"` // what an acknowledged write has survived, in words
	Usage      durable.Usage `json:"usage"`
	States     int           `json:"states"`   // in the projection
	Archived   int           `json:"archived"` // entries in the archive
	Logged     int           `json:"logged"`   // instances that the log shows
	Findings   []Finding     `json:"findings"` // those of the hub first
}

// Left counts the findings that are not fixed.
func (r Report) Left() (n int) {
	for _, f := range r.Findings {
		if !f.Fixed {
			n++
		}
	}
	return n
}

const (
	young   = 5 * time.Second // what is younger may just be on its way
	readers = 16              // instances looked at at once
)

// Examine looks at the server, at the queues, and at the instances of a hub: it compares the projection with the log and the
// archive, reads all three, and holds a few hundred bytes for each instance. The error tells what could not be read; findings that could not be fixed are no error.
func Examine(ctx context.Context, hub durable.Backend, cfg Config) (Report, error) {
	cfg.Patience, cfg.Silence = cmp.Or(cfg.Patience, 10*time.Second), cmp.Or(cfg.Silence, time.Minute)
	e := &examination{hub: hub, cfg: cfg, seen: map[string]*patient{}, keeps: hub.Info().Retention, live: map[string]int{}, parked: map[parked]*parkedOnes{}}
	info := hub.Info()
	report := Report{Hub: info.Hub, Durability: info.Durability}
	if err := e.examineHub(ctx, &report); err != nil {
		return report, fmt.Errorf("durable: examine the hub %s: %w", info.Hub, err)
	}
	return report, nil
}

// examineHub names the steps. What serves the hub is measured first: lists take consumers, which count.
func (e *examination) examineHub(ctx context.Context, r *Report) (err error) {
	if r.Usage, err = e.hub.Usage(ctx); err != nil {
		return err
	}
	queues, err := e.hub.Queues(ctx)
	if err != nil {
		return err
	}
	if err := e.survey(ctx, r); err != nil {
		return err
	}
	r.Findings = e.inspect(r.Usage, queues)
	found, err := e.look(ctx)
	r.Findings = append(r.Findings, found...)
	return err
}

type examination struct {
	hub   durable.Backend
	cfg   Config
	keeps backend.Retention
	seen  map[string]*patient
	marks map[string]history.Address // by key

	live   map[string]int // live instances, by group
	parked map[parked]*parkedOnes
}

// patient is what the lists say of an instance.
type patient struct {
	history.Address
	shown   bool // it has a state
	final   bool // which says that the run has ended
	run     uint32
	archive uint32 // run whose end the archive has; 0: none
	log     bool   // the log shows a run that the archive does not have
}

func (e *examination) patient(of history.Address) *patient {
	p := e.seen[of.ID]
	if p == nil {
		p = &patient{Address: of}
		e.seen[of.ID] = p
	}
	return p
}

// survey lists what there is: states first, so that what is made from the rest is there already.
func (e *examination) survey(ctx context.Context, r *Report) error {
	err := e.hub.ListStates(ctx, func(s backend.State) bool {
		p := e.patient(s.Address)
		p.shown, p.final, p.run = true, s.Status.Final(), s.Run
		r.States++
		e.count(s)
		return true
	})
	if err != nil {
		return err
	}
	err = e.hub.ListArchives(ctx, func(a backend.Archive) bool {
		r.Archived++
		p := e.patient(a.Address)
		p.Address = a.Address
		switch {
		case a.Purged, !a.Status.Final():
			p.log = true // a look decides
		default:
			p.archive = a.Run
		}
		return true
	})
	if err != nil {
		return err
	}
	logged := map[string]struct{}{}
	err = e.hub.ListLog(ctx, func(of history.Address, run uint32) bool {
		logged[of.ID] = struct{}{}
		p := e.patient(of)
		p.log = p.log || run == 0 || run > p.archive
		return true
	})
	if err != nil {
		return err
	}
	r.Logged = len(logged)
	return e.listMarks(ctx)
}

// sound reports whether the lists show nothing that needs a look.
func (p *patient) sound() bool {
	return p.shown && p.final && !p.log && p.archive == p.run
}

// look examines everybody who needs it, several at once.
func (e *examination) look(ctx context.Context) ([]Finding, error) {
	var mu sync.Mutex
	var found []Finding
	var errs []error
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	work := make(chan func() (*Finding, error))
	var wg sync.WaitGroup
	for range readers {
		wg.Go(func() {
			for job := range work {
				f, err := job()
				mu.Lock()
				if err != nil {
					errs = append(errs, err)
					cancel()
				}
				if f != nil {
					found = append(found, *f)
				}
				mu.Unlock()
			}
		})
	}
	give := func(job func() (*Finding, error)) bool {
		select {
		case work <- job:
			return true
		case <-ctx.Done():
			return false
		}
	}
	for _, p := range e.seen {
		if !p.sound() && !give(func() (*Finding, error) { return e.examine(ctx, p.Address) }) {
			break
		}
	}
	for key, of := range e.marks {
		if !give(func() (*Finding, error) { return e.examineMark(ctx, key, of) }) {
			break
		}
	}
	close(work)
	wg.Wait()
	slices.SortFunc(found, func(a, b Finding) int {
		return cmp.Or(strings.Compare(a.ID, b.ID), strings.Compare(string(a.Kind), string(b.Kind)))
	})
	if len(errs) > 0 {
		return found, errs[0]
	}
	return found, context.Cause(ctx)
}

// await turns an asynchronous call of the backend into a blocking one.
func await[T any](ctx context.Context, call func(done func(T, error))) (v T, err error) {
	type answer struct {
		v   T
		err error
	}
	c := make(chan answer, 1)
	call(func(v T, err error) { c <- answer{v, err} })
	select {
	case a := <-c:
		return a.v, a.err
	case <-ctx.Done():
		return v, ctx.Err()
	}
}

// state is the projection of an instance with its revision.
type state struct {
	backend.State
	rev   uint64
	there bool
}

func (e *examination) state(ctx context.Context, id string) (state, error) {
	s, err := await(ctx, func(done func(state, error)) {
		e.hub.GetState(id, func(s backend.State, rev uint64, err error) { done(state{s, rev, err == nil}, err) })
	})
	if errors.Is(err, backend.ErrNotFound) {
		err = nil
	}
	return s, err
}

func (e *examination) known(ctx context.Context, of history.Address) (backend.Known, error) {
	return await(ctx, func(done func(backend.Known, error)) { backend.Read(e.hub, of, backend.TheEnd, done) })
}
