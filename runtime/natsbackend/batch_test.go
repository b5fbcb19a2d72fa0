package natsbackend_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/runtime/natsbackend"
	"github.com/durablegen/durablegen/runtime/natsbackend/embedded"
)

// burst appends many records at once, every one to an instance of its own but for those that change names. The first goes at
// once, and all the others wait for it.
func burst(t *testing.T, b *natsbackend.Backend, n int, change func(i int, a *backend.Append)) (seqs []uint64, errs []error) {
	t.Helper()
	seqs, errs = make([]uint64, n), make([]error, n)
	answers, all := make(chan int, n), make(chan struct{})
	for i := range n {
		a := backend.Append{To: history.Address{Group: anna.Group, ID: fmt.Sprint("i", i)}, Record: done(uint32(i))}
		if change != nil {
			change(i, &a)
		}
		b.Append(a, func(seq uint64, err error) {
			if i == 0 {
				<-all
			}
			seqs[i], errs[i] = seq, err
			answers <- i
		})
	}
	close(all)
	for range n {
		receive(t, answers)
	}
	return seqs, errs
}

// batches tells which of the messages were stored in a batch.
func batches(t *testing.T, s *embedded.Server, seqs []uint64) (in int) {
	t.Helper()
	log := stream(t, s, "DURABLE_default")
	for _, seq := range seqs {
		m, err := log.GetMsg(within(t), seq)
		if err != nil {
			t.Fatal(err)
		}
		if m.Header.Get("Nats-Batch-Id") != "" {
			in++
		}
	}
	return in
}

// TestGroupCommit: what waits while a write is under way goes together, in order, and everybody learns their own sequence.
func TestGroupCommit(t *testing.T) {
	t.Parallel()
	s := serve(t, embedded.Config{})
	b := open(t, s, natsbackend.Config{GroupCommit: true})
	put(t, b, anna, &history.Start{Run: 1, Orchestrator: "membership.VerifyPhone"})
	const n = 1500 // more than fit into one batch
	seqs, errs := burst(t, b, n, func(i int, a *backend.Append) {
		if i%3 == 0 {
			a.To = anna // the same subject again and again
		}
	})
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	for i, seq := range seqs {
		if seq != seqs[0]+uint64(i) {
			t.Fatalf("append %d is message %d, and the first one %d", i, seq, seqs[0])
		}
	}
	tail := load(t, b, anna, 0).Tail
	if len(tail) != n/3 {
		t.Errorf("%d messages of the instance, want %d", len(tail), n/3)
	}
	for i, m := range tail {
		if d := m.Record.(*history.Done); d.Slot != uint32(3*i) {
			t.Fatalf("message %d of the instance has slot %d", i, d.Slot)
		}
	}
	sample := []uint64{seqs[n/4], seqs[n/2], seqs[n-2]}
	if in := batches(t, s, sample); in != len(sample) {
		t.Errorf("%d of %d were stored in a batch", in, len(sample))
	}
}

// TestGroupCommitAlone: a few writes are not worth a batch.
func TestGroupCommitAlone(t *testing.T) {
	t.Parallel()
	s := serve(t, embedded.Config{})
	b := open(t, s, natsbackend.Config{GroupCommit: true})
	seqs, errs := burst(t, b, 8, nil) // the first goes at once, seven wait for it
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	if in := batches(t, s, seqs); in != 0 {
		t.Errorf("%d were stored in a batch", in)
	}
}

// TestGroupCommitRefused: a fence that does not hold has the whole batch refused; then only that write is.
func TestGroupCommitRefused(t *testing.T) {
	t.Parallel()
	s := serve(t, embedded.Config{})
	b := open(t, s, natsbackend.Config{GroupCommit: true})
	const n, bad = 60, 30
	seqs, errs := burst(t, b, n, func(i int, a *backend.Append) {
		if i%2 == 1 {
			a.To = anna
		}
		if i == bad {
			a.Record, a.Fenced, a.Fence = &history.Turn{Run: 1, At: 1}, true, 4711
		}
	})
	for i, err := range errs {
		if want := i == bad; errors.Is(err, backend.ErrConflict) != want || err != nil != want {
			t.Errorf("append %d: %v", i, err)
		}
	}
	for i := 3; i < n; i += 2 {
		if seqs[i] <= seqs[i-2] {
			t.Errorf("append %d is message %d, and the one before it %d", i, seqs[i], seqs[i-2])
		}
	}
	if in := batches(t, s, seqs[bad+1:]); in != 0 {
		t.Errorf("%d of the refused batch are in one", in)
	}
}

// TestGroupCommitFences: writes that a server would not take in one batch go in several.
func TestGroupCommitFences(t *testing.T) {
	t.Parallel()
	s := serve(t, embedded.Config{})
	b := open(t, s, natsbackend.Config{GroupCommit: true})
	_, errs := burst(t, b, 100, func(i int, a *backend.Append) {
		ref := history.Ref{Run: 1, Slot: uint32(i % 2)}
		if i%4 == 1 { // a schedule replaces the one before
			a.To, a.Record = anna, &history.Timer{Ref: ref, Due: time.Now().Add(time.Hour)}
		}
		if i%10 == 3 { // fences, one of which holds
			a.To, a.Record, a.Fenced = anna, &history.Turn{Run: 1, At: 1}, true
		}
	})
	refused := 0
	for i, err := range errs {
		switch {
		case errors.Is(err, backend.ErrConflict) && i%10 == 3:
			refused++
		case err != nil:
			t.Errorf("append %d: %v", i, err)
		}
	}
	if refused != 9 {
		t.Errorf("%d of ten records with the same fence were refused", refused)
	}
}
