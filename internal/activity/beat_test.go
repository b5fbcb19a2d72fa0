package activity_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/durablegen/durablegen/internal/activity"
	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/membackend"
)

// TestZombieDoesNotOverwriteDetails: a worker that was taken for dead comes back, while another one has its task.
func TestZombieDoesNotOverwriteDetails(t *testing.T) {
	inRig(t, membackend.Config{}, func(t *testing.T, r *rig) {
		beat := func(ctx context.Context, details string) {
			_ = activity.AttemptOf(ctx).Beat(history.Payload(details))
			<-time.After(2 * time.Second) // it is stored, if it can be
		}
		dies := r.m.View("dies")
		policy := &history.Policy{Attempts: 2, Timeout: time.Hour}
		r.serve(dies, func(ctx context.Context, c activity.Call) (history.Payload, *activity.Failure) {
			beat(ctx, `"old"`)
			dies.Disconnect()
			<-time.After(10 * time.Second)
			dies.Reconnect()
			beat(ctx, `"older than it knows"`)
			<-time.After(70 * time.Second)
			return ok(ctx, c)
		}, func(c *activity.Config) { c.Slots = 1 })
		r.schedule(0, policy)
		r.pass(time.Second)
		var read []string
		r.serve(r.m.View("lives"), func(ctx context.Context, c activity.Call) (history.Payload, *activity.Failure) {
			details, _ := activity.AttemptOf(ctx).Details(ctx)
			read = append(read, string(details))
			if len(read) == 1 {
				beat(ctx, `"new"`)
				<-time.After(20 * time.Second) // the zombie beats meanwhile
				return failing(ctx, c)
			}
			return ok(ctx, c)
		})
		r.pass(2 * time.Minute)
		if got := strings.Join(read, " "); got != `"old" "new"` {
			t.Errorf("attempts read %s", got)
		}
	})
}

// counting counts what is written to the hub's small store.
type counting struct {
	backend.Backend
	puts, gets int
}

func (b *counting) Meta() backend.Meta { return countingMeta{b.Backend.Meta(), b} }

type countingMeta struct {
	backend.Meta
	b *counting
}

func (m countingMeta) Put(ctx context.Context, key string, value []byte, rev uint64) (uint64, error) {
	m.b.puts++
	return m.Meta.Put(ctx, key, value, rev)
}

func (m countingMeta) Get(ctx context.Context, key string) ([]byte, uint64, error) {
	m.b.gets++
	return m.Meta.Get(ctx, key)
}

// TestDetailsAreStoredOnceASecond: however often an activity beats; one that does not asks for nothing.
func TestDetailsAreStoredOnceASecond(t *testing.T) {
	inRig(t, membackend.Config{}, func(t *testing.T, r *rig) {
		b := &counting{Backend: r.m.View("worker")}
		r.serve(b, func(ctx context.Context, c activity.Call) (history.Payload, *activity.Failure) {
			for range 1000 {
				if c.Slot == 0 {
					_ = activity.AttemptOf(ctx).Beat(history.Payload(`1`))
				}
				<-time.After(10 * time.Millisecond)
			}
			activity.AttemptOf(ctx).Details(ctx)
			return ok(ctx, c)
		})
		r.schedule(1, nil)
		r.pass(time.Minute)
		if b.puts != 0 || b.gets != 0 {
			t.Errorf("without a heartbeat the store is asked %d and %d times", b.puts, b.gets)
		}
		r.schedule(0, nil)
		r.pass(time.Minute)
		if b.puts < 9 || b.puts > 11 {
			t.Errorf("a thousand heartbeats in ten seconds are %d writes", b.puts)
		}
	})
}
