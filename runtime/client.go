package durable

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/owner"
)

// Backend stores a task hub. It is made by natsbackend.Connect or embedded.Start; it is not for users to implement.
type Backend = backend.Backend

// ClientConfig configures a Client. The zero value is ready.
type ClientConfig struct {
	Logger       *slog.Logger        // nil discards
	Interceptors []ClientInterceptor // around each operation, the first outermost
}

// Client starts, watches and steers instances. It may be used by many goroutines at once.
//
// Its methods return ErrNotFound, ErrAlreadyExists and ErrFinished as they say, and ErrPermission, ErrUnavailable and
// ErrClosed when the backend does.
type Client struct {
	be     Backend
	logger *slog.Logger

	interceptors []ClientInterceptor

	mu       sync.Mutex
	closed   bool
	topic    string                          // where the ends of instances started here are told
	stop     func()                          // of the subscription to topic; nil before the first start
	waiters  map[string][]chan owner.Outcome // by instance id
	started  map[string]started              // instances started here, a bounded cache
	seen     map[string]sighting             // instances that were there a moment ago and are not projected, a bounded cache
	ensured  map[string]bool
	ensuring map[string]chan struct{} // closed when the one who asks has heard
}

// started is what a client remembers of an instance that it started.
type started struct {
	group string
	run   uint32
	ended bool // its end has been told

	rewound bool // this client did not start the run, but has it rewound
}

// sighting is of an instance in the log.
type sighting struct {
	to history.Address
	at time.Time
}

const (
	startedCacheSize = 100_000
	claimAge         = 3 * time.Second       // a claim older than this is finished by whoever meets it (H11)
	truthEvery       = 2 * time.Second       // a waiter that heard nothing asks
	soon             = 20 * time.Millisecond // the projection follows the end within milliseconds
)

// NewClient makes a client on a backend.
func NewClient(b Backend, cfg ClientConfig) *Client {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Client{be: b, logger: cfg.Logger, interceptors: cfg.Interceptors, waiters: map[string][]chan owner.Outcome{}, started: map[string]started{}, seen: map[string]sighting{}, ensured: map[string]bool{}, ensuring: map[string]chan struct{}{}}
}

// Close ends the client's subscriptions. The backend stays open.
func (c *Client) Close() error {
	c.mu.Lock()
	c.closed = true
	stop := c.stop
	c.stop = nil
	c.mu.Unlock()
	if stop != nil {
		stop()
	}
	return nil
}

// newID makes a random instance id: 20 characters of base 32, 100 bits.
func newID() string { return strings.ToLower(rand.Text()[:20]) }

// newID is newID, or what a simulated backend says.
func (c *Client) newID() string {
	if s, ok := c.be.(backend.Simulated); ok {
		return s.NewID()
	}
	return newID()
}

// startNow starts an instance and returns its id.
func (c *Client) startNow(ctx context.Context, o *Orchestrator, args any, opts []StartOption) (string, error) {
	var so startOptions
	for _, opt := range opts {
		opt.applyStart(&so)
	}
	input, failure := encode(args)
	if failure != nil {
		return "", fmt.Errorf("durable: start %s: %w", o.Name, errorOf(failure))
	}
	topic, err := c.ready(ctx, o.Group)
	if err != nil {
		return "", fmt.Errorf("durable: start %s: %w", o.Name, err)
	}
	now := c.be.Clock().Now()
	start := &history.Start{Run: 1, Orchestrator: o.Name, Version: o.Version, Input: input, Tags: so.tags, Notify: topic, At: so.begins(now), Born: now}
	start.Trace, start.TraceState, start.Baggage = so.context.parent, so.context.state, so.context.baggage
	if so.version != nil {
		start.Version = *so.version
	}
	if err := start.Check(); err != nil { // before the id is claimed
		return "", fmt.Errorf("durable: start %s: %w: %w", o.Name, ErrPayload, err)
	}
	id := so.id
	if id == "" {
		id, err = c.startMade(ctx, o.Group, start)
	} else {
		err = c.startOwn(ctx, history.Address{Group: o.Group, ID: id}, start, so.reuse)
	}
	if err != nil {
		return "", fmt.Errorf("durable: start %s as %q: %w", o.Name, id, err)
	}
	return id, nil
}

// startMade starts an instance under a random id.
func (c *Client) startMade(ctx context.Context, group string, start *history.Start) (id string, err error) {
	id = c.newID()
	to := history.Address{Group: group, ID: id}
	c.remember(to, start.Run)
	err = c.put(ctx, backend.Append{To: to, Record: start, Fenced: true})
	if errors.Is(err, backend.ErrConflict) {
		err = nil // nobody else makes this id: it is our own start, stored before, whose answer was lost
	}
	if took := c.be.Clock().Now().Sub(start.Born); err == nil && took > backend.LateStart {
		err = fmt.Errorf("%w: it took %v until the start was stored, so it may not run: start it again", ErrUnavailable, took)
	}
	return id, err
}

// startOwn starts an instance under the caller's own id, which is claimed first (H11): the claim holds the whole start.
func (c *Client) startOwn(ctx context.Context, to history.Address, start *history.Start, reuse Reuse) error {
	if err := history.CheckID(to.ID); err != nil {
		return err
	}
	start.Claim = c.newID()
	now := c.be.Clock().Now()
	claim := backend.State{
		Address: to, Name: start.Orchestrator, Version: start.Version, Status: history.Pending, Run: start.Run,
		Created: now, Updated: now, Tags: start.Tags, Claim: start, Scheduled: start.At,
	}
	rev, err := c.putState(ctx, claim, 0)
	if err == nil {
		err = c.putOwnStart(ctx, to, start)
		if errors.Is(err, ErrAlreadyExists) {
			err = c.startOver(ctx, claim, rev)
		}
		return err
	}
	if !errors.Is(err, backend.ErrConflict) {
		return err
	}
	had, rev, err := c.state(ctx, to.ID)
	if errors.Is(err, errPurged) {
		return c.startOver(ctx, claim, rev)
	}
	if err != nil {
		return err
	}
	if had.Claim != nil {
		c.finishClaim(ctx, had)
	}
	switch {
	case had.Claim != nil && had.Claim.Claim == start.Claim: // our own claim, whose answer was lost
		return c.putOwnStart(ctx, to, start)
	case reuse == AttachIfExists:
		return nil
	case reuse == ReplaceFinished && had.Status.Final():
		if had.Group != to.Group {
			return fmt.Errorf("%w: it belongs to group %q", ErrAlreadyExists, had.Group)
		}
		return c.replace(ctx, claim, rev, had.Run+1)
	}
	return fmt.Errorf("%w: it is %s: choose another id or a reuse policy", ErrAlreadyExists, had.Status)
}

// replace claims a later run, in place of the state with revision rev, and starts it.
func (c *Client) replace(ctx context.Context, claim backend.State, rev uint64, run uint32) error {
	claim.Run, claim.Claim.Run = run, run
	if _, err := c.putState(ctx, claim, rev); err != nil {
		if errors.Is(err, backend.ErrConflict) {
			return fmt.Errorf("%w: another caller has just replaced it", ErrAlreadyExists)
		}
		return err
	}
	return c.putOwnStart(ctx, claim.Address, claim.Claim)
}

// startOver starts an instance anew that is not projected although it has run before: it was purged, or its projection
// got lost. The run must be above every one that is known, else its owner takes the start for an old one (H10).
func (c *Client) startOver(ctx context.Context, claim backend.State, rev uint64) error {
	l, err := c.load(ctx, claim.Address)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	var run uint32
	if err == nil {
		run = l.Start.Record.(*history.Start).Run
	}
	a, _, err := c.archive(ctx, claim.Address)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	if a.Run < run && !endedIn(l.Tail, run) {
		return fmt.Errorf("%w: it is %s", ErrAlreadyExists, Running)
	}
	return c.replace(ctx, claim, rev, max(run, a.Run)+1)
}

// endedIn reports whether a run has ended in the log.
func endedIn(tail []history.Message, run uint32) bool {
	return slices.ContainsFunc(tail, func(m history.Message) bool {
		t, ok := m.Record.(*history.Turn)
		return ok && t.Run == run && t.End != nil && t.End.Status.Final()
	})
}

// putOwnStart publishes the start of this client's own claim. It is remembered before: a short orchestration ends before
// its start is answered.
func (c *Client) putOwnStart(ctx context.Context, to history.Address, start *history.Start) error {
	c.remember(to, start.Run)
	err := c.putStart(ctx, to, start)
	if errors.Is(err, ErrAlreadyExists) {
		c.disown(to.ID)
	}
	return err
}

// putStart publishes a claimed start. The fence saves work; uniqueness comes from the run and the claim (H10).
func (c *Client) putStart(ctx context.Context, to history.Address, start *history.Start) error {
	a := backend.Append{To: to, Record: start, Fenced: true}
	for first := start.Run == 1; ; first = false {
		if !first { // what is replaced has a start in the log, unless it is purged
			loaded, err := c.load(ctx, to)
			if err != nil && !errors.Is(err, ErrNotFound) {
				return err
			}
			a.Fence = loaded.Fence
			if err == nil {
				had := loaded.Start.Record.(*history.Start)
				switch {
				case had.Run > start.Run, had.Run == start.Run && had.Claim != start.Claim:
					return ErrAlreadyExists
				case had.Run == start.Run:
					return nil // it is stored, by us or by somebody who finished our claim
				}
			}
		}
		if err := c.put(ctx, a); !errors.Is(err, backend.ErrConflict) {
			return err
		}
	}
}

// begin publishes the start of a claim unless the log has it. One that is in its way began the instance, and is not
// projected yet.
func (c *Client) begin(ctx context.Context, s backend.State) error {
	if s.Claim.Run > 1 {
		if err := c.putStart(ctx, s.Address, s.Claim); !errors.Is(err, ErrAlreadyExists) {
			return err
		}
		return nil
	}
	// Without a look at the log, which may be long: every event to an instance that waits for a worker comes here.
	err := c.put(ctx, backend.Append{To: s.Address, Record: s.Claim, Fenced: true})
	if errors.Is(err, backend.ErrConflict) {
		return nil
	}
	return err
}

// finishClaim publishes the start of a claim whose maker may have died. Failing is no harm: the next one tries.
func (c *Client) finishClaim(ctx context.Context, s backend.State) {
	if s.Status != history.Pending || s.Claim == nil || c.be.Clock().Now().Sub(s.Updated) < claimAge {
		return
	}
	if err := c.be.EnsureGroup(ctx, s.Group); err != nil {
		return
	}
	_ = c.putStart(ctx, s.Address, s.Claim)
}

// Raise sends an event. It is buffered until the orchestrator receives it; names are case-insensitive. ErrNotFound when
// nobody has this id, ErrFinished when the instance has ended, ErrFull when it has not received what it was sent before.
func (c *Client) Raise(ctx context.Context, id, name string, event any) error {
	payload, failure := encode(event)
	if failure != nil {
		return fmt.Errorf("durable: raise %s to %q: %w", name, id, errorOf(failure))
	}
	if err := history.CheckName(name); err != nil {
		return fmt.Errorf("durable: raise to %q: %w", id, err)
	}
	if err := c.tell(ctx, id, &history.Event{Name: strings.ToLower(name), ID: c.newID(), Payload: payload}); err != nil {
		return fmt.Errorf("durable: raise %s to %q: %w", name, id, err)
	}
	return nil
}

// Terminate ends an instance and its children at once, without running its code, also when no worker knows that.
// [KeepChildren] lets the children go on. ErrNotFound, ErrFinished.
func (c *Client) Terminate(ctx context.Context, id, reason string, opts ...TerminateOption) error {
	control := &history.Control{Verb: history.Terminate, Reason: reason}
	for _, opt := range opts {
		opt.applyTerminate(control)
	}
	return c.control(ctx, id, control)
}

// TerminateOption changes what [Client.Terminate] ends: [KeepChildren].
type TerminateOption interface{ applyTerminate(*history.Control) }

// KeepChildren has a terminate end the instance alone: its children go on, though nobody waits for them any more.
func KeepChildren() TerminateOption { return keepChildren{} }

type keepChildren struct{}

func (keepChildren) applyTerminate(c *history.Control) { c.Alone = true }

// Cancel asks an instance to end by itself: its context is cancelled, see [WithCancel]. It ends as Canceled when its
// orchestrator returns ErrCanceled, as it does by handing errors on; it may compensate before, or go on and end as it
// likes. A suspended instance hears of it when it is resumed. ErrNotFound, ErrFinished.
func (c *Client) Cancel(ctx context.Context, id, reason string) error {
	return c.control(ctx, id, &history.Control{Verb: history.Cancel, Reason: reason})
}

// Suspend keeps an instance's messages until Resume; terminate works all the same. ErrNotFound, ErrFinished.
func (c *Client) Suspend(ctx context.Context, id, reason string) error {
	return c.control(ctx, id, &history.Control{Verb: history.Suspend, Reason: reason})
}

// Resume goes on with a suspended instance. ErrNotFound, ErrFinished.
func (c *Client) Resume(ctx context.Context, id, reason string) error {
	return c.control(ctx, id, &history.Control{Verb: history.Resume, Reason: reason})
}

func (c *Client) control(ctx context.Context, id string, control *history.Control) error {
	control.ID = c.newID()
	if err := checkReason(control.Reason); err != nil {
		return fmt.Errorf("durable: %s %q: %w", control.Verb, id, err)
	}
	if err := c.tell(ctx, id, control); err != nil {
		return fmt.Errorf("durable: %s %q: %w", control.Verb, id, err)
	}
	return nil
}

// MaxReason is how many bytes the reason of a terminate, cancel, suspend, resume or rewind may have: it is the text of the
// failure that comes of it, and in every state that List reads.
const MaxReason = 4 << 10

func checkReason(reason string) error {
	if len(reason) > MaxReason {
		return fmt.Errorf("%w: its reason has %d bytes, at most %d are kept", ErrPayload, len(reason), MaxReason)
	}
	return nil
}

// tell puts a record into the inbox of an instance that exists and has not ended.
func (c *Client) tell(ctx context.Context, id string, rec history.Record) error {
	op := operationOf(id, rec)
	return c.around(ctx, op, func(ctx context.Context) error {
		if e, ok := rec.(*history.Event); ok {
			e.Trace = op.TraceParent
		}
		return c.tellNow(ctx, id, rec)
	})
}

func (c *Client) tellNow(ctx context.Context, id string, rec history.Record) error {
	if err := history.CheckID(id); err != nil {
		return err
	}
	to := history.Address{ID: id}
	s, _, err := c.state(ctx, id)
	switch {
	case err == nil && s.Status.Final():
		return ErrFinished
	case err == nil && s.Full && rec.Kind() == history.KindEvent:
		return fmt.Errorf("%w: send it again when the orchestrator has received some", ErrFull)
	case err == nil:
		to.Group = s.Group
		if s.Claim != nil && s.Status == history.Pending { // history begins at the start (I7): it goes first
			if err := c.begin(ctx, s); err != nil {
				return err
			}
		}
	case !errors.Is(err, ErrNotFound), errors.Is(err, errPurged):
		return err
	default:
		if to, err = c.exists(ctx, id); err != nil {
			return err
		}
	}
	return c.put(ctx, backend.Append{To: to, Record: rec})
}

// Get tells what the hub knows of an instance. ErrNotFound.
func (c *Client) Get(ctx context.Context, id string) (Instance, error) {
	if err := history.CheckID(id); err != nil {
		return Instance{}, fmt.Errorf("durable: get: %w", err)
	}
	var inst Instance
	err := c.around(ctx, &Operation{Verb: "get", Instance: id}, func(ctx context.Context) (err error) {
		inst, err = c.get(ctx, id)
		return err
	})
	if err != nil {
		return Instance{}, fmt.Errorf("durable: get %q: %w", id, err)
	}
	return inst, nil
}

func (c *Client) get(ctx context.Context, id string) (Instance, error) {
	s, err := c.settledState(ctx, id)
	switch {
	case err == nil && s.Status.Final():
		a, err := c.ended(ctx, s)
		if err != nil {
			return Instance{}, err
		}
		if err := cmp.Or(s.Unreadable(), a.Unreadable()); err != nil {
			return Instance{}, err
		}
		inst := instanceOf(s)
		inst.fill(a.Messages)
		return inst, nil
	case err == nil && s.Claim != nil:
		c.finishClaim(ctx, s)
		if err := s.Unreadable(); err != nil {
			return Instance{}, err
		}
		inst := instanceOf(s)
		inst.Input = json.RawMessage(s.Claim.Input)
		return inst, nil
	case err != nil && !errors.Is(err, ErrNotFound), errors.Is(err, errPurged):
		return Instance{}, err
	}
	// Live: the log has the input, and knows instances too young to be projected.
	to := s.Address
	var l backend.Known
	if err != nil {
		l, to, err = c.young(ctx, id)
	} else {
		l, err = c.load(ctx, to)
	}
	if err != nil {
		return Instance{}, err
	}
	if err := cmp.Or(s.Unreadable(), l.Unreadable()); err != nil {
		return Instance{}, err
	}
	if s.Status == "" {
		s = youngState(to, l.Start, c.be.Clock().Now())
	}
	inst := instanceOf(s)
	first := l.Start
	if l.Base != nil {
		first = l.Base
	}
	inst.fill(append([]history.Message{*first}, l.Tail...))
	return inst, nil
}

// Wait waits until an instance has ended and tells its last state. One that is started again at that moment is waited
// for again. ErrNotFound; the error of ctx when that ends first.
func (c *Client) Wait(ctx context.Context, id string) (Instance, error) {
	var inst Instance
	err := c.around(ctx, &Operation{Verb: "wait", Instance: id}, func(ctx context.Context) error {
		for { // the projection follows the hint within milliseconds, or the end was that of an earlier run
			_, err := c.outcomeNow(ctx, id)
			if err == nil {
				inst, err = c.get(ctx, id)
			}
			if err != nil || inst.Status.Final() {
				return err
			}
		}
	})
	if err != nil {
		return Instance{}, fmt.Errorf("durable: wait for %q: %w", id, err)
	}
	return inst, nil
}

// Filter chooses instances. Zero fields choose all.
type Filter struct {
	Name     string   // orchestrator: wire name, or its last part
	Statuses []Status // any of these
	IDPrefix string
	ParentID string            // its children
	RootID   string            // it and all its descendants
	Tags     map[string]string // all of these

	CreatedFrom, CreatedBefore   time.Time
	FinishedFrom, FinishedBefore time.Time // only instances that have ended

	Limit int // most instances, of PurgeAll most that have ended; 0: 1,000 of List, all of PurgeAll
}

// query is what the backend is asked for, a page of 1,000 unless f has a limit.
func (f Filter) query() backend.Query {
	q := backend.Query{
		Name: f.Name, IDPrefix: f.IDPrefix, ParentID: f.ParentID, RootID: f.RootID, Tags: f.Tags,
		CreatedFrom: f.CreatedFrom, CreatedBefore: f.CreatedBefore, FinishedFrom: f.FinishedFrom, FinishedBefore: f.FinishedBefore,
		Limit: min(cmp.Or(f.Limit, 1000), backend.MostFound),
	}
	for _, s := range f.Statuses {
		q.Statuses = append(q.Statuses, history.Status(s))
	}
	return q
}

// List tells of the first f.Limit instances that fit, the newest first; inputs and results are left out. It needs no worker,
// and reads what it finds and little more, but the whole projection if the filter has a bound of Finished. A negative limit
// is an error.
func (c *Client) List(ctx context.Context, f Filter) ([]Instance, error) {
	page, _, err := c.ListPage(ctx, f, "")
	return page, err
}

// Count counts the instances that fit, by status; f.Limit does not count. It is exact if nothing changes meanwhile, and needs no
// worker. It reads the whole projection if the filter has more than a name and statuses, or if much has expired or changed lately.
func (c *Client) Count(ctx context.Context, f Filter) (map[Status]int, error) {
	counts := map[Status]int{}
	err := c.around(ctx, &Operation{Verb: "count"}, func(ctx context.Context) error {
		found, err := c.be.CountStates(ctx, f.query())
		for s, n := range found {
			counts[Status(s)] = n
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("durable: count: %w", err)
	}
	return counts, nil
}
