package owner_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/membackend"
	"github.com/durablegen/durablegen/internal/owner"
)

type nothing struct{}

func (nothing) Program(string, string) (engine.Program, bool)          { return nil, false }
func (nothing) Resolve(_ history.SlotKind, name string) (known string) { return name }
func (nothing) Orchestrators() []string                                { return []string{"o"} }

// leaderless is a store in which one inbox has no leader: a request about it has no answer.
type leaderless struct {
	backend.Backend
	partition int
}

func (b leaderless) Inbox(group string, p int) backend.Inbox {
	in := b.Backend.Inbox(group, p)
	if p == b.partition {
		return unanswered{in}
	}
	return in
}

type unanswered struct{ backend.Inbox }

func (unanswered) Open(ctx context.Context, _ func(backend.Delivery)) (horizon uint64, err error) {
	<-ctx.Done()
	return 0, backend.ErrUnavailable
}

// TestHandOversDoNotWait: a partition whose inbox does not answer does not keep a worker from taking the others.
func TestHandOversDoNotWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := membackend.New(membackend.Config{Live: true})
		defer m.Close()
		v := m.View("worker")
		g, err := owner.Start(t.Context(), owner.Config{
			Backend: leaderless{v, 0}, Group: "g", Worker: "worker", Code: nothing{},
			Fail: func(err error) *history.Failure { return &history.Failure{Message: err.Error()} },
		})
		if err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Second)
		var others []int
		for p := 1; p < v.Info().Partitions; p++ {
			others = append(others, p)
		}
		if owned := g.Owned(); !slices.Equal(owned, others) {
			t.Errorf("after a second it owns %v, want %v", owned, others)
		}
		if err := g.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
