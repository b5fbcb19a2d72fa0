package durable_test

import (
	"testing"
	"time"

	durable "github.com/durablegen/durablegen/runtime"
)

// TestSlowQuery: only its own instance waits for the handler of a query, and for 2 s at most. Then the query fails, and
// the instance goes on from its history.
func TestSlowQuery(t *testing.T) {
	for _, c := range []struct {
		name  string
		takes time.Duration
		fails string
	}{
		{"quick enough", 1500 * time.Millisecond, ""},
		{"too slow", 5 * time.Second, "has not returned within 2s"},
		{"never", 20 * time.Minute, "has not returned within 2s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				ran := 0
				h.work(durable.BindOrchestrator(flow("Collect"), collector), durable.BindOrchestrator(flow("Slow"), func(ctx durable.Context, _ durable.None) (int, error) {
					sum := 0
					durable.SetQueryHandler(ctx, "sum", func(wait time.Duration) (int, error) {
						if before := sum; wait > 0 {
							ran++
							<-time.After(wait)
							if sum != before {
								t.Errorf("the program went on beside the handler: %d, then %d", before, sum)
							}
						}
						return sum, nil
					})
					for range 3 {
						n, err := durable.ReceiveEvent[int](ctx, "Number").Get(ctx)
						if err != nil {
							return 0, err
						}
						sum += n
					}
					return sum, nil
				}))
				slow := start[int](h, flow("Slow"), nil)
				var others []string
				for range 8 { // some share its partition
					others = append(others, start[[]int](h, flow("Collect"), nil).ID())
				}
				h.raise(slow.ID(), 1)
				h.pass(time.Second)

				answered := make(chan struct{})
				go func() {
					defer close(answered)
					got, err := durable.Query[int](t.Context(), h.client, slow.ID(), "sum", c.takes)
					if c.fails != "" {
						says(t, err, c.fails)
					} else if err != nil || got != 1 {
						t.Errorf("it answers %d, %v; want 1", got, err)
					}
				}()
				h.pass(time.Second)
				h.raise(slow.ID(), 2)
				begin := time.Now()
				for _, id := range others {
					asks(h, id, "from", 0, []int(nil))
				}
				if d := taken(begin); d > 200*time.Millisecond {
					t.Errorf("other instances answer after %v", d)
				}
				<-answered
				h.pass(time.Second)
				begin = time.Now()
				asks(h, slow.ID(), "sum", time.Duration(0), 3)
				if d := taken(begin); d > 200*time.Millisecond {
					t.Errorf("the instance goes on after %v", d)
				}
				h.raise(slow.ID(), 3)
				if got, err := slow.Wait(t.Context()); err != nil || got != 6 {
					t.Errorf("it ends with %d, %v; want 6", got, err)
				}
				if ran != 1 {
					t.Errorf("the handler ran %d times for one question", ran)
				}
				h.pass(c.takes) // the handler returns
			})
		})
	}
}
