package chaos_test

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// ledger is the outside world: it counts effects by their idempotency key. Effects wait while it is closed for them,
// so that a test can bring the load to a point and act there, whatever the speed of the machine.
type ledger struct {
	url string

	mu      sync.Mutex
	moved   chan struct{}          // closed when anything changes
	limit   int                    // distinct keys let in; probes are always let in
	entries map[string]map[int]int // times, by key and value
	probes  map[string]map[int]int // the same, of the instances that a test started to see who works
}

// probe begins the ids of probes.
const probe = "probe-"

func openLedger(t *testing.T) *ledger {
	t.Helper()
	l := &ledger{moved: make(chan struct{}), entries: map[string]map[int]int{}, probes: map[string]map[int]int{}}
	s := httptest.NewServer(http.HandlerFunc(l.serve))
	t.Cleanup(func() {
		l.allow(1 << 30)
		s.CloseClientConnections()
		s.Close()
	})
	l.url = s.URL
	return l
}

// remote is the effect of a worker in another process.
func remote(ledger string) effect {
	return func(ctx context.Context, key string, value int) error {
		form := url.Values{"key": {key}, "value": {strconv.Itoa(value)}}
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

func (l *ledger) serve(w http.ResponseWriter, r *http.Request) {
	n, err := strconv.Atoi(r.PostFormValue("value"))
	if err == nil {
		err = l.enter(r.Context(), r.PostFormValue("key"), n)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// enter is the effect of a worker in this process.
func (l *ledger) enter(ctx context.Context, key string, value int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	into := l.entries
	if strings.HasPrefix(key, group+"/"+probe) {
		into = l.probes
	} else if err := l.wait(ctx, func() bool { return len(l.entries) < l.limit || l.entries[key] != nil }); err != nil {
		return err
	}
	if into[key] == nil {
		into[key] = map[int]int{}
	}
	into[key][value]++
	l.change()
	return nil
}

// allow lets effects in until there are n different ones.
func (l *ledger) allow(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.limit = n
	l.change()
}

// reach waits until there are n different effects. It gives up when the test has failed.
func (l *ledger) reach(t *testing.T, n int) {
	t.Helper()
	ctx := within(t)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.wait(ctx, func() bool { return len(l.entries) >= n || t.Failed() }); err != nil || t.Failed() {
		t.Fatalf("%d effects, waiting for %d: %v", len(l.entries), n, err)
	}
}

// look has everybody who waits look again.
func (l *ledger) look() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.change()
}

// change wakes everybody who waits. Lock held.
func (l *ledger) change() {
	close(l.moved)
	l.moved = make(chan struct{})
}

// wait returns when cond holds. Lock held, except while it waits.
func (l *ledger) wait(ctx context.Context, cond func() bool) error {
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

// check compares what has come in with want, which has the value of every key.
func (l *ledger) check(t *testing.T, want map[string]int) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	all := maps.Clone(l.entries)
	maps.Copy(all, l.probes)
	again := 0
	for _, k := range slices.Sorted(maps.Keys(all)) {
		v, ok := want[k]
		if !ok {
			t.Errorf("an effect that nobody ordered: %s", k)
			continue
		}
		for got, times := range all[k] {
			if got != v {
				t.Errorf("effect %s had the value %d, %d times, want %d", k, got, times, v)
			}
			again += times - 1
		}
	}
	for _, k := range slices.Sorted(maps.Keys(want)) {
		if all[k] == nil {
			t.Errorf("effect %s never happened", k)
		}
	}
	t.Logf("%d effects, %d of them repeated", len(all), again)
}
