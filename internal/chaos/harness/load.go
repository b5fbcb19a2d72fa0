package harness

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/durablegen/durablegen/internal/history"
	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/natsbackend"
)

// Client is a client and its connection.
type Client struct {
	Durable *durable.Client
	Backend *natsbackend.Backend
}

// Load is a number of errands that clients run, some of them at once. Its methods may be called concurrently.
type Load struct {
	Clients []Client // the first one also looks at everything in the end
	Ledger  *Ledger
	Named   bool        // errands have ids of their own: as many in each partition, and a start without an answer can be made again
	Fail    func(error) // told at once what is wrong; may be nil

	running sync.WaitGroup

	mu      sync.Mutex
	moved   chan struct{}      // closed when anything changes
	errands map[string]Outcome // by instance id
	ended   []int              // errands, by client
	stopped bool
	patient int // calls that were made again, because there was no answer
	slowest time.Duration
	wrong   []error
}

// NewLoad makes a load that runs nothing yet.
func NewLoad(ledger *Ledger, clients ...Client) *Load {
	return &Load{Clients: clients, Ledger: ledger, moved: make(chan struct{}), errands: map[string]Outcome{}, ended: make([]int, len(clients))}
}

// Begin runs n errands, at most atOnce at the same time, in the background; n 0: until Stop.
func (l *Load) Begin(ctx context.Context, n, atOnce int) {
	next := make(chan int)
	l.running.Go(func() {
		defer close(next)
		for from := 0; (n == 0 || from < n) && !l.isStopped(); from++ {
			select {
			case next <- from:
			case <-ctx.Done():
				return
			}
		}
	})
	for c := range atOnce {
		l.running.Go(func() {
			for from := range next {
				id := ""
				if l.Named {
					id = l.idIn(c, from)
				}
				if err := l.Run(ctx, c%len(l.Clients), from, id); err != nil {
					l.fail(err)
				}
			}
		})
	}
}

// idIn makes an id for an errand, of the partition that a place among those at once stands for.
func (l *Load) idIn(place, from int) string {
	partitions := l.Clients[0].Backend.Info().Partitions
	for n := 0; ; n++ {
		if id := fmt.Sprintf("errand-%d-%d", from, n); history.Partition(id, partitions) == place%partitions {
			return id
		}
	}
}

// Stop begins no more errands.
func (l *Load) Stop() { l.note(func() { l.stopped = true }) }

func (l *Load) isStopped() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.stopped || len(l.wrong) > 0
}

func (l *Load) fail(err error) {
	if l.Fail != nil {
		l.Fail(err)
	}
	l.note(func() { l.wrong = append(l.wrong, err) })
}

// note changes what is known, and wakes everybody who waits.
func (l *Load) note(change func()) {
	l.mu.Lock()
	change()
	close(l.moved)
	l.moved = make(chan struct{})
	l.mu.Unlock()
	l.Ledger.Look()
}

// Run does one errand: start, event, wait. It gets an id if it has none.
func (l *Load) Run(ctx context.Context, client, from int, id string) error {
	c, event, begun := l.Clients[client].Durable, from*7, time.Now()
	want := OutcomeOf(from, event)
	handle, err := l.start(ctx, c, from, id)
	if err != nil {
		return fmt.Errorf("start errand %d (%s): %w", from, id, err)
	}
	l.note(func() { l.errands[handle.ID()] = want })
	if err := l.patiently(ctx, func() error { return durable.RaiseEvent(ctx, c, handle.ID(), GoAhead, event) }); err != nil {
		return fmt.Errorf("raise the event of errand %d (%s): %w", from, handle.ID(), err)
	}
	var got int
	err = l.patiently(ctx, func() (err error) { got, err = handle.Wait(ctx); return err })
	switch {
	case err != nil:
		return fmt.Errorf("errand %d (%s): %w", from, handle.ID(), err)
	case got != want.Result:
		return fmt.Errorf("errand %d (%s) gave %d, want %d", from, handle.ID(), got, want.Result)
	}
	l.note(func() {
		l.ended[client]++
		l.slowest = max(l.slowest, time.Since(begun))
	})
	return nil
}

func (l *Load) start(ctx context.Context, c *durable.Client, from int, id string) (handle durable.Handle[int], err error) {
	if id == "" {
		return durable.StartInstance[int](ctx, c, &ErrandInfo, from)
	}
	tries := 0
	err = l.patiently(ctx, func() error {
		tries++
		_, err := durable.StartInstance[int](ctx, c, &ErrandInfo, from, durable.InstanceID(id))
		if tries > 1 && errors.Is(err, durable.ErrAlreadyExists) { // a try before had no answer
			return nil
		}
		return err
	})
	return durable.AttachInstance[int](c, &ErrandInfo, id), err
}

// patiently makes a call again that had no answer, as the program of a user would.
func (l *Load) patiently(ctx context.Context, call func() error) error {
	for {
		err := call()
		if !errors.Is(err, durable.ErrUnavailable) || ctx.Err() != nil {
			return err
		}
		l.note(func() { l.patient++ })
	}
}

// Ended gives how many errands have ended, in all or (client at least 0) of one client.
func (l *Load) Ended(client int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.endedOf(client)
}

func (l *Load) endedOf(client int) (n int) {
	for c, ended := range l.ended {
		if client < 0 || client == c {
			n += ended
		}
	}
	return n
}

// More waits until n more errands have ended, of a client as for Ended, or something is wrong.
func (l *Load) More(ctx context.Context, client, n int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for before := l.endedOf(client); l.endedOf(client) < before+n; {
		if len(l.wrong) > 0 {
			return errors.Join(l.wrong...)
		}
		moved := l.moved
		l.mu.Unlock()
		select {
		case <-moved:
		case <-ctx.Done():
		}
		l.mu.Lock()
		if ctx.Err() != nil {
			return fmt.Errorf("harness: %d of %d errands ended: %w", l.endedOf(client)-before, n, context.Cause(ctx))
		}
	}
	return nil
}

// Finish lets everything come to its end.
func (l *Load) Finish() error {
	l.Ledger.Allow(Everything)
	l.running.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	return errors.Join(l.wrong...)
}

// begun gives all errands.
func (l *Load) begun() map[string]Outcome {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.errands)
}
