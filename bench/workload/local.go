package workload

import durable "github.com/durablegen/durablegen/runtime"

// FanOutLocal is FanOut with local activities.
//
//durable:orchestrator
func FanOutLocal(ctx durable.Context, width int) (int, error) {
	squares := make([]durable.Future[int], width)
	for i := range squares {
		squares[i] = SquareActivity.Start(ctx, i+1, durable.Local(true))
	}
	values, err := durable.Collect(ctx, squares)
	sum := 0
	for _, v := range values {
		sum += v
	}
	return sum, err
}

// ChainLocal counts to length with local activities, one after the other.
//
//durable:orchestrator
func ChainLocal(ctx durable.Context, length int) (int, error) {
	n := 0
	for range length { //durable:allow DUR302 -- the length is what is measured
		var err error
		if n, err = NextActivity.Call(ctx, n, durable.Local(true)); err != nil {
			return n, err
		}
	}
	return n, nil
}
