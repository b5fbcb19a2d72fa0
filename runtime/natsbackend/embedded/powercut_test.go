package embedded

import (
	"context"
	"flag"
	"fmt"
	"iter"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/natsbackend"
)

var (
	cutSeed = flag.Uint64("seed", uint64(time.Now().UnixNano()), "of the first power cut")
	cuts    = flag.Int("cuts", 2, "power cuts of every kind")
)

// cut is a power cut that is about to happen.
type cut struct {
	t         *testing.T
	disk      *faultyDisk
	dir, left string
	journey   *journey
	before    seen
}

func newCut(t *testing.T, seed uint64) *cut {
	t.Logf("seed %d", seed)
	c := &cut{t: t, disk: newFaultyDisk(t, seed), dir: filepath.Join(t.TempDir(), "a"), left: filepath.Join(t.TempDir(), "b"), journey: newJourney(t, seed)}
	each := steps + 3
	if c.journey.acts = seed%2 == 1; c.journey.acts {
		each = steps - 1
	}
	c.journey.limit = 1 + rand.New(rand.NewPCG(seed, 2)).IntN(journeys*each*3/4)
	c.journey.then = func(before seen) {
		c.before = before
		c.disk.cut(c.t, c.dir, c.left)
	}
	return c
}

// await waits until the power is cut.
func (c *cut) await() {
	c.t.Helper()
	select {
	case <-c.journey.reached:
		c.t.Logf("the power was cut after: %v", c.before)
	case <-soon(c.t).Done():
		c.t.Fatal("the journeys stand still")
	}
}

// TestPowerCut: what was acknowledged, told or acted upon before a power cut is there after it.
func TestPowerCut(t *testing.T) {
	t.Parallel()
	for n := range *cuts {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			c := newCut(t, *cutSeed+uint64(n))
			s, err := start(soon(t), Config{Dir: c.dir, Durability: Strict}, c.disk)
			if err != nil {
				t.Fatal(err)
			}
			for w := range c.happen(s, time.Minute) {
				t.Error(w)
			}
		})
	}
}

// TestPowerCutWithoutBarrier: the same finds what is lost when there are rounds, but nobody waits for them.
func TestPowerCutWithoutBarrier(t *testing.T) {
	t.Parallel()
	for n := range uint64(20) {
		c := newCut(t, *cutSeed+n)
		s, err := start(soon(t), Config{Dir: c.dir}, c.disk)
		if err != nil {
			t.Fatal(err)
		}
		conn, err := nats.Connect("", s.Option())
		if err != nil {
			t.Fatal(err)
		}
		s.syncer = &syncer{
			s: s, conn: conn, store: newStore(c.dir, c.disk), requests: make(chan request), stop: make(chan struct{}), stopped: make(chan struct{}),
		}
		if err := s.syncer.round(""); err != nil {
			t.Fatal(err)
		}
		go s.syncer.run()
		for w := range c.happen(s, 10*time.Second) {
			t.Log(w)
			return
		}
	}
	t.Error("twenty power cuts lose nothing that was acknowledged: the test is blind")
}

// happen runs journeys on a server, cuts the power, starts again from what is left, and tells what does not fit what was seen.
func (c *cut) happen(s *Server, patience time.Duration) (wrong iter.Seq[string]) {
	t := c.t
	b := backendOf(t, s)
	w := c.journey.worker(b)
	client := durable.NewClient(b, durable.ClientConfig{})
	ctx, stop := context.WithCancel(soon(t))
	wait := c.journey.travel(ctx, client, 12)
	c.await()
	stop()
	wait()
	now, cancel := context.WithCancel(context.Background())
	cancel()
	_ = w.Stop(now)
	client.Close()
	b.Close()
	_ = s.Close() // what it writes now nobody will see

	s, err := start(soon(t), Config{Dir: c.left, Durability: Strict}, realDisk{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	b = backendOf(t, s)
	w = newJourney(t, 0).worker(b)
	t.Cleanup(func() { _ = w.Stop(soon(t)) })
	client = durable.NewClient(b, durable.ClientConfig{})
	t.Cleanup(func() { client.Close() })
	return c.before.wrong(t, client, patience)
}

// TestPowerCutUnderWorkers: workers and clients of other machines outlive the power cut. They drop what they know that the
// server has forgotten, and go on.
func TestPowerCutUnderWorkers(t *testing.T) {
	t.Parallel()
	for n := range *cuts {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			c := newCut(t, *cutSeed+uint64(n))
			s, err := start(soon(t), Config{Dir: c.dir, Durability: Strict, Listen: "127.0.0.1:0"}, c.disk)
			if err != nil {
				t.Fatal(err)
			}
			address := strings.TrimPrefix(s.URL(), "nats://")
			connect := func() *natsbackend.Backend {
				b, err := natsbackend.Connect(soon(t), natsbackend.Config{URL: s.URL(), Provision: true})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { b.Close() })
				return b
			}
			w := c.journey.worker(connect())
			client := durable.NewClient(connect(), durable.ClientConfig{})
			ctx, stop := context.WithCancel(soon(t))
			wait := c.journey.travel(ctx, client, 12)
			c.await()
			_ = s.Close()
			if s, err = start(soon(t), Config{Dir: c.left, Durability: Strict, Listen: address}, realDisk{}); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { s.Close() })
			wait()
			c.journey.mu.Lock()
			both := c.journey.seen()
			c.journey.mu.Unlock()
			for w := range both.wrong(t, client, time.Minute) { // on either side of the cut
				t.Error(w)
			}
			stop()
			if err := w.Stop(soon(t)); err != nil {
				t.Error(err)
			}
			client.Close()
		})
	}
}
