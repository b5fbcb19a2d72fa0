package backendtest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

var follows = []promise{
	{"from a place on, what is stored before and later", followFrom},
	{"from now on", followNow},
}

// followFrom: what there is comes first, then what is stored while somebody waits for it; what is nothing to people does
// not come.
func followFrom(t *testing.T, h Hub) {
	c, other := connect(t, h), connect(t, h)
	first := c.put(anna, start(1))
	c.put(anna, event("1"))
	c.put(anna, &history.Turn{Run: 1, At: first})
	var got []backend.Happening
	stored := false
	last, err := c.FollowLog(within(t), first, func(h backend.Happening) bool {
		if got = append(got, h); !stored {
			stored = true
			other.put(anna, &history.Turn{Run: 1, At: first, End: &history.End{Status: history.Failed, Failure: &history.Failure{Message: "no"}}})
		}
		return len(got) < 2
	})
	if err != nil {
		t.Fatal(err)
	}
	for n := range got {
		if got[n].Time.IsZero() {
			t.Errorf("%+v has no time", got[n])
		}
		if n == 1 && last != got[n].Seq {
			t.Errorf("it ends at %d, want the last one's %d", last, got[n].Seq)
		}
		got[n].Seq, got[n].Time = 0, time.Time{}
	}
	differs(t, "happenings", []backend.Happening{
		{Address: anna, Kind: history.KindEvent, Name: got[0].Name},
		{Address: anna, Kind: history.KindTurn, Status: history.Failed, Failure: &history.Failure{Message: "no"}},
	}, got)
}

// followNow: what was stored before the call does not come.
func followNow(t *testing.T, h Hub) {
	c, other := connect(t, h), connect(t, h)
	c.put(anna, start(1))
	ctx, stop := context.WithCancel(within(t))
	var got []backend.Happening
	done := make(chan error, 1)
	go func() {
		_, err := c.FollowLog(ctx, backend.TheEnd, func(h backend.Happening) bool {
			got = append(got, h)
			stop()
			return true
		})
		done <- err
	}()
	for ctx.Err() == nil { // nobody tells when it has begun
		other.put(odd, start(1))
	}
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("it ends with %v, want the error of its context", err)
	}
	for _, h := range got {
		if h.Address == anna || h.Name == "" {
			t.Errorf("it tells %+v", h)
		}
	}
}
