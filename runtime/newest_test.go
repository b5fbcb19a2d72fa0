package durable_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/membackend"
	durable "github.com/durablegen/durablegen/runtime"
)

// beforeWrites is a hub in which something happens before a worker writes below a key.
type beforeWrites struct {
	*membackend.View
	prefix string
	do     func()
}

func (b *beforeWrites) Meta() backend.Meta { return metaBeforeWrites{b.View.Meta(), b} }

type metaBeforeWrites struct {
	backend.Meta
	of *beforeWrites
}

func (m metaBeforeWrites) Put(ctx context.Context, key string, value []byte, rev uint64) (uint64, error) {
	if do := m.of.do; do != nil && strings.HasPrefix(key, m.of.prefix) {
		m.of.do = nil
		do()
	}
	return m.Meta.Put(ctx, key, value, rev)
}

// current gives what is started by name.
func (h *hub) current(name string) string {
	h.t.Helper()
	known, err := h.client.Orchestrators(h.t.Context())
	must(h.t, err)
	i := slices.IndexFunc(known, func(o durable.OrchestratorInfo) bool { return o.Name == name })
	if i < 0 {
		h.t.Fatalf("the hub does not know %s", name)
	}
	return known[i].Version
}

// TestNewestInARace: two builds begin at the same time, in a hub that knows the newer one from before. Whatever the older one
// has seen when the newer one begins, that one's version is what new instances get.
func TestNewestInARace(t *testing.T) {
	for _, c := range []struct {
		name   string
		before []string // versions that workers have registered that are gone
		during string   // begins between what the older one has asked and what it writes
		want   string
	}{
		{"known before", []string{"2"}, "2", "2"},
		{"new", []string{"2"}, "3", "3"},
		{"first of all", nil, "2", "2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				for _, v := range c.before {
					_, bind := versionOf(v)
					h.stop(h.work(bind))
				}
				_, bindFirst := versionOf("1")
				_, bindDuring := versionOf(c.during)
				be := &beforeWrites{View: h.m.View("worker"), prefix: "orchestrator."}
				began := false
				begin := func() { h.work(bindDuring); began = true }
				be.do = begin
				if len(c.before) > 0 { // the first write makes the older version known, the next one lowers
					be.do = func() { be.do = begin }
				}
				w := durable.NewWorker(be, registry(t, bindFirst), durable.WorkerConfig{})
				must(t, w.Start(t.Context()))
				defer h.stop(w)
				h.pass(5 * time.Second)
				if !began {
					t.Fatal("the newer build has not begun: nothing was written")
				}
				if got := h.current("flow.Order"); got != c.want {
					t.Errorf("new instances get version %q, want %q", got, c.want)
				}
			})
		})
	}
}

// TestNewestVanishes: when the last worker of the newest version has gone, new instances get the one before, and that is
// logged. When it comes again they get it again.
func TestNewestVanishes(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		var logged notes
		_, bindFirst := versionOf("1")
		_, bindSecond := versionOf("2")
		h.workAs(durable.WorkerConfig{Logger: logged.logger()}, bindFirst)
		for range 2 {
			w := h.work(bindSecond)
			h.pass(time.Minute)
			if got := h.current("flow.Order"); got != "2" {
				t.Fatalf("with a worker of version 2, new instances get version %q", got)
			}
			h.stop(w)
			h.pass(time.Minute)
			if got := h.current("flow.Order"); got != "1" {
				t.Errorf("without a worker of version 2, new instances get version %q, want 1", got)
			}
		}
		fell := slices.DeleteFunc(logged.all(), func(s string) bool { return !strings.Contains(s, "no worker has the newest version") })
		if len(fell) != 2 {
			t.Errorf("logged %q, want two warnings that the newest version has no worker", logged.all())
		}
	})
}

// TestRefusedWorkerRaisesNothing: a build that must not start, because it lacks a version that lives, does not have new
// instances get its version.
func TestRefusedWorkerRaisesNothing(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		first, bindFirst := versionOf("1")
		_, bindSecond := versionOf("2")
		w := h.work(bindFirst)
		start[string](h, first, 1, durable.InstanceID("x"))
		h.pass(time.Second)
		h.stop(w)
		refused := durable.NewWorker(h.m.View("worker"), registry(t, bindSecond), durable.WorkerConfig{LeftBehind: durable.RefuseLeftBehind})
		says(t, refused.Start(t.Context()), "no worker for flow.Order version 1")
		if got := h.current("flow.Order"); got != "1" {
			t.Errorf("after a worker was refused new instances get version %q, want 1", got)
		}
	})
}

// deaf is a hub whose signals do not come while it is.
type deaf struct {
	*membackend.View
	now *atomic.Bool
}

func (d deaf) Listen(topic string, fn func([]byte)) (stop func(), err error) {
	return d.View.Listen(topic, func(data []byte) {
		if !d.now.Load() {
			fn(data)
		}
	})
}

// TestNewestOfWorkerThatWasCutOff: one that could not answer when an older build began, and did not hear that its version was
// lowered, raises it some minutes later.
func TestNewestOfWorkerThatWasCutOff(t *testing.T) {
	for n := range 4 { // whoever of them gets the first partition
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				_, bindFirst := versionOf("1")
				_, bindSecond := versionOf("2")
				var cut atomic.Bool
				w := durable.NewWorker(deaf{h.m.View("worker"), &cut}, registry(t, bindSecond), durable.WorkerConfig{})
				must(t, w.Start(t.Context()))
				defer h.stop(w)
				h.pass(time.Second)
				cut.Store(true)
				h.work(bindFirst)
				h.pass(5 * time.Second)
				if got := h.current("flow.Order"); got != "1" {
					t.Fatalf("while nobody hears version 2, new instances get version %q, want 1", got)
				}
				cut.Store(false)
				h.pass(6 * time.Minute)
				if got := h.current("flow.Order"); got != "2" {
					t.Errorf("after version 2 came back new instances get version %q, want 2", got)
				}
			})
		})
	}
}
