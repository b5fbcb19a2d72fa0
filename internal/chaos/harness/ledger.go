package harness

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Ledger is the outside world: it counts effects by their idempotency key. Effects wait while it is closed for them,
// so that a test can bring the load to a point and act there, whatever the speed of the machine. Its methods may be
// called concurrently.
type Ledger struct {
	URL string

	server *http.Server
	served chan struct{}

	mu      sync.Mutex
	moved   chan struct{}          // closed when anything changes
	limit   int                    // distinct keys let in; probes are always let in
	entries map[string]map[int]int // times, by key and value
	probes  map[string]map[int]int // the same, of the instances that a test started to see who works
	firsts  []first                // in order
}

// first is when a key came for the first time, and from which worker.
type first struct {
	at     time.Time
	key    string
	worker string
}

// Probe begins the ids of probes.
const Probe = "probe-"

// OpenLedger serves a ledger that lets nothing in.
func OpenLedger() (*Ledger, error) {
	at, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("harness: serve the ledger: %w", err)
	}
	l := &Ledger{
		URL: "http://" + at.Addr().String(), served: make(chan struct{}),
		moved: make(chan struct{}), entries: map[string]map[int]int{}, probes: map[string]map[int]int{},
	}
	l.server = &http.Server{Handler: http.HandlerFunc(l.serve)}
	go func() {
		defer close(l.served)
		_ = l.server.Serve(at) // until Close
	}()
	return l, nil
}

// Close lets everybody go and stops to serve.
func (l *Ledger) Close() {
	l.Allow(Everything)
	_ = l.server.Close() // nobody needs its answers any more
	<-l.served
}

// remote is the effect of a worker in another process.
func remote(ledger, worker string) Effect {
	return func(ctx context.Context, key string, value int) error {
		form := url.Values{"key": {key}, "value": {strconv.Itoa(value)}, "worker": {worker}}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, ledger, strings.NewReader(form.Encode()))
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			return err
		}
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("the ledger says %s", resp.Status)
		}
		return nil
	}
}

func (l *Ledger) serve(w http.ResponseWriter, r *http.Request) {
	n, err := strconv.Atoi(r.PostFormValue("value"))
	if err == nil {
		err = l.enter(r.Context(), r.PostFormValue("key"), n, r.PostFormValue("worker"))
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// Enter is the effect of a worker in this process.
func (l *Ledger) Enter(ctx context.Context, key string, value int) error {
	return l.enter(ctx, key, value, "")
}

func (l *Ledger) enter(ctx context.Context, key string, value int, worker string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	into := l.entries
	if strings.HasPrefix(key, Group+"/"+Probe) {
		into = l.probes
	} else if err := l.wait(ctx, func() bool { return len(l.entries) < l.limit || l.entries[key] != nil }); err != nil {
		return err
	}
	if into[key] == nil {
		into[key] = map[int]int{}
		l.firsts = append(l.firsts, first{time.Now(), key, worker})
	}
	into[key][value]++
	l.change()
	return nil
}

// Everything is a limit that nothing reaches.
const Everything = 1 << 30

// Allow lets effects in until there are n different ones.
func (l *Ledger) Allow(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.limit = n
	l.change()
}

// Reach waits until there are n different effects, or done says so.
func (l *Ledger) Reach(ctx context.Context, n int, done func() bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.wait(ctx, func() bool { return len(l.entries) >= n || done() }); err != nil {
		return fmt.Errorf("harness: %d effects, waiting for %d: %w", len(l.entries), n, err)
	}
	return nil
}

// Effects gives how many different effects there have been.
func (l *Ledger) Effects() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.entries)
}

// Look has everybody who waits look again.
func (l *Ledger) Look() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.change()
}

// change wakes everybody who waits. Lock held.
func (l *Ledger) change() {
	close(l.moved)
	l.moved = make(chan struct{})
}

// wait returns when cond holds. Lock held, except while it waits.
func (l *Ledger) wait(ctx context.Context, cond func() bool) error {
	for !cond() {
		moved := l.moved
		l.mu.Unlock()
		select {
		case <-moved:
		case <-ctx.Done():
		}
		l.mu.Lock()
		if err := context.Cause(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Check compares what has come in with want, which has the value of every key.
func (l *Ledger) Check(want map[string]int) (again int, wrong []error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := maps.Clone(l.entries)
	maps.Copy(all, l.probes)
	for _, k := range slices.Sorted(maps.Keys(all)) {
		v, ok := want[k]
		if !ok {
			wrong = append(wrong, fmt.Errorf("an effect that nobody ordered: %s", k))
			continue
		}
		for got, times := range all[k] {
			if got != v {
				wrong = append(wrong, fmt.Errorf("effect %s had the value %d, %d times, want %d", k, got, times, v))
			}
			again += times - 1
		}
	}
	for _, k := range slices.Sorted(maps.Keys(want)) {
		if all[k] == nil {
			wrong = append(wrong, fmt.Errorf("effect %s never happened", k))
		}
	}
	return again, wrong
}
