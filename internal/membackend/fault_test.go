package membackend_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/membackend"
)

// outcome is what became of an append.
type outcome struct {
	Stored, Answers int
	Unavailable     bool
}

func TestFaultsOfAppends(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		faults  membackend.Faults
		verdict membackend.Verdict
		want    outcome
	}{
		{"none", membackend.Faults{}, membackend.Verdict{}, outcome{Stored: 1, Answers: 1}},
		{"request lost", membackend.Faults{RequestLost: 1}, membackend.Verdict{}, outcome{Answers: 1, Unavailable: true}},
		{"answer lost", membackend.Faults{AnswerLost: 1}, membackend.Verdict{}, outcome{Stored: 1, Answers: 1, Unavailable: true}},
		{"delayed", membackend.Faults{RequestDelayed: 1}, membackend.Verdict{}, outcome{Stored: 1, Answers: 1}},
		{"doubled", membackend.Faults{RecordDoubled: 1}, membackend.Verdict{}, outcome{Stored: 2, Answers: 1}},
		{"request lost, by verdict", membackend.Faults{}, membackend.Verdict{LoseRequest: true}, outcome{Answers: 1, Unavailable: true}},
		{"answer lost, by verdict", membackend.Faults{}, membackend.Verdict{LoseAnswer: true}, outcome{Stored: 1, Answers: 1, Unavailable: true}},
		{"doubled, by verdict", membackend.Faults{}, membackend.Verdict{Double: true}, outcome{Stored: 2, Answers: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, membackend.Config{Seed: 1})
			b.SetFaults(c.faults)
			b.OnAppend(func(backend.Append) membackend.Verdict { return c.verdict })
			var got outcome
			b.v.Append(backend.Append{To: to, Record: event("1")}, func(_ uint64, err error) {
				got.Answers++
				got.Unavailable = is(err, backend.ErrUnavailable)
			})
			b.RunFor(time.Minute)
			got.Stored = len(b.Log())
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("outcome (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDelayedRequestIsOvertakenAndOutlivesItsSender(t *testing.T) {
	t.Parallel()
	b := newBench(t, membackend.Config{})
	b.OnAppend(func(a backend.Append) membackend.Verdict {
		if a.Record.(*history.Event).ID == "late" {
			return membackend.Verdict{Delay: 10 * time.Second}
		}
		return membackend.Verdict{}
	})
	answered := 0
	for _, id := range []string{"late", "soon"} {
		b.v.Append(backend.Append{To: to, Record: event(id)}, func(uint64, error) { answered++ })
	}
	b.RunFor(time.Second)
	b.v.Kill()
	b.RunFor(time.Minute)
	var ids []string
	for _, s := range b.Log() {
		ids = append(ids, s.Message.Record.(*history.Event).ID)
	}
	if diff := cmp.Diff([]string{"soon", "late"}, ids); diff != "" || answered != 1 {
		t.Errorf("%d answers, want 1; stored (-want +got):\n%s", answered, diff)
	}
}

// Fences are checked when a request arrives, so a doubled or delayed one is refused by what came before it.
func TestDoubledFencedRecordIsStoredOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t, membackend.Config{Faults: membackend.Faults{RecordDoubled: 1}})
	b.v.Append(backend.Append{To: to, Record: &history.Turn{Run: 1, At: 1}, Fenced: true}, func(_ uint64, err error) {
		if err != nil {
			t.Errorf("append: %v", err)
		}
	})
	b.RunFor(time.Minute)
	if n := len(b.Log()); n != 1 {
		t.Errorf("stored %d times", n)
	}
}

func TestLostDeliveryLeavesAGap(t *testing.T) {
	t.Parallel()
	b := newBench(t, membackend.Config{})
	w := b.worker("w")
	b.SetFaults(membackend.Faults{DeliveryLost: 1})
	b.put(event("1"))
	b.RunFor(time.Second)
	b.SetFaults(membackend.Faults{})
	b.put(event("2"))
	b.RunFor(time.Second)
	w.took(t, heard{2, 2, 1})
	b.RunFor(time.Minute)
	w.took(t, heard{1, 3, 2})
}

func TestDeliveryLostByHook(t *testing.T) {
	t.Parallel()
	b := newBench(t, membackend.Config{})
	w := b.worker("w")
	b.OnDelivery(func(view string, d backend.Delivery) bool { return view == "w" && d.Attempts == 1 })
	b.put(event("1"))
	b.RunFor(time.Minute)
	w.took(t, heard{1, 2, 2})
}

func TestRepeatedDelivery(t *testing.T) {
	t.Parallel()
	b := newBench(t, membackend.Config{Latency: -1})
	w := b.worker("w")
	w.ack = false
	b.OnDelivery(func(string, backend.Delivery) bool {
		b.SetFaults(membackend.Faults{})
		return false
	})
	b.SetFaults(membackend.Faults{DeliveryRepeated: 1})
	b.v.Append(backend.Append{To: to, Record: event("1")}, func(uint64, error) {})
	b.SetFaults(membackend.Faults{})
	b.put(event("2"))
	b.RunFor(time.Second)
	if len(w.got) < 3 || w.got[0].Seq != 1 || w.got[1] != (heard{1, 2, 2}) {
		t.Errorf("deliveries %+v, want message 1 twice before message 2", w.got)
	}
}

func TestShuffledRedelivery(t *testing.T) {
	t.Parallel()
	b := newBench(t, membackend.Config{Seed: 1})
	for n := range 20 {
		b.put(event(fmt.Sprint(n)))
	}
	w := b.worker("w") // gets all of them at one time
	w.ack = false
	b.RunFor(time.Second)
	w.got = nil
	w.ack = true
	b.SetFaults(membackend.Faults{Shuffled: 1})
	b.RunFor(time.Minute)
	inOrder := true
	seen := map[uint64]bool{}
	for n, h := range w.got {
		inOrder = inOrder && (n == 0 || h.Seq > w.got[n-1].Seq)
		seen[h.Seq] = true
	}
	if inOrder || len(seen) != 20 {
		t.Errorf("%d of 20 messages came again, in order: %v", len(seen), inOrder)
	}
}

func TestLostAck(t *testing.T) {
	t.Parallel()
	b := newBench(t, membackend.Config{})
	w := b.worker("w")
	b.SetFaults(membackend.Faults{AckLost: 1})
	b.put(event("1"))
	b.RunFor(time.Second)
	b.SetFaults(membackend.Faults{})
	b.RunFor(time.Minute)
	w.took(t, heard{1, 1, 1}, heard{1, 2, 2})
}

func TestLostTaskIsGrantedAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t, membackend.Config{Faults: membackend.Faults{}})
	b.SetFaults(membackend.Faults{DeliveryLost: 1})
	var got []int
	q, err := b.v.Tasks("a", func(d backend.TaskDelivery) { got = append(got, d.Attempts); d.Ack() })
	if err != nil {
		t.Fatal(err)
	}
	q.Grant(1)
	b.put(&history.Task{Name: "a", Attempt: 1})
	b.RunFor(time.Second)
	b.SetFaults(membackend.Faults{})
	b.RunFor(time.Minute)
	if diff := cmp.Diff([]int{2}, got); diff != "" {
		t.Errorf("attempts of the deliveries (-want +got):\n%s", diff)
	}
}

func TestLostSignal(t *testing.T) {
	t.Parallel()
	b := newBench(t, membackend.Config{})
	var got []string
	if _, err := b.v.Listen("t", func(data []byte) { got = append(got, string(data)) }); err != nil {
		t.Fatal(err)
	}
	b.SetFaults(membackend.Faults{SignalLost: 1})
	b.v.Signal("t", []byte("lost"))
	b.SetFaults(membackend.Faults{})
	b.v.Signal("t", []byte("heard"))
	b.RunFor(time.Second)
	if diff := cmp.Diff([]string{"heard"}, got); diff != "" {
		t.Errorf("signals (-want +got):\n%s", diff)
	}
}

func TestLaggingReads(t *testing.T) {
	t.Parallel()
	b := newBench(t, membackend.Config{Seed: 2})
	b.put(&history.Start{Run: 1, Orchestrator: "o"})
	for n := range 5 {
		b.put(event(fmt.Sprint(n)))
	}
	load := func() (tail int) {
		tail = -1
		b.v.Load(to, 6, func(l backend.Loaded, err error) { tail = len(l.Tail) })
		b.RunFor(time.Second)
		return tail
	}
	if got := load(); got != 5 {
		t.Errorf("a load has %d messages, want 5", got)
	}
	b.OnLoad(func(_ history.Address, reach uint64) uint64 { return reach - 2 })
	if got := load(); got != 3 {
		t.Errorf("a load of a replica that is 2 behind has %d messages, want 3", got)
	}
	b.OnLoad(func(history.Address, uint64) uint64 { return 1 })
	if got := load(); got != 0 {
		t.Errorf("a load up to the start has %d messages", got)
	}
	b.OnLoad(nil)
	b.SetFaults(membackend.Faults{LagLoads: 1, LagBy: 4})
	short := 0
	for range 20 {
		if load() < 5 {
			short++
		}
	}
	if short == 0 {
		t.Error("no load of a lagging replica was short")
	}
	b.SetFaults(membackend.Faults{})

	put := func(run uint32, rev uint64) uint64 {
		b.v.PutState(backend.State{Address: to, Run: run}, rev, func(r uint64, err error) { rev = r })
		b.v.PutArchive(backend.Archive{Address: to, Run: run}, uint64(run-1), func(uint64, error) {})
		b.RunFor(time.Second)
		return rev
	}
	put(2, put(1, 0))
	b.SetFaults(membackend.Faults{LagStates: 1, LagArchives: 1})
	var state, archive, listed uint32
	b.v.GetState(to.ID, func(s backend.State, _ uint64, _ error) { state = s.Run })
	b.v.GetArchive(to, func(a backend.Archive, _ uint64, _ error) { archive = a.Run })
	b.RunFor(time.Second)
	if err := b.v.ListStates(context.Background(), func(s backend.State) bool { listed = s.Run; return true }); err != nil {
		t.Error(err)
	}
	if state != 1 || archive != 1 || listed != 1 {
		t.Errorf("lagging state %d, archive %d, listed state %d, want the value before the newest", state, archive, listed)
	}
}
