package engine_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
)

// TestReplayDecidesTheSame is I1 on random programs and random inboxes: applied message by message, an inbox leads to the
// same turns as a replay from the beginning that is cut off anywhere, checked against the records, and gone on with.
func TestReplayDecidesTheSame(t *testing.T) {
	t.Parallel()
	ends := map[history.Status]int{}
	for seed := range uint64(400) {
		draw := rand.New(rand.NewPCG(seed, 1))
		checkReplays(t, seed, func(n int) int { return draw.IntN(n) }, ends)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	for _, s := range []history.Status{history.Completed, history.Failed, history.Terminated, history.ContinuedAsNew, ""} {
		if ends[s] < 5 {
			t.Errorf("only %d executions ended as %q: the programs and inboxes are too tame to show anything (%v)", ends[s], s, ends)
		}
	}
}

// FuzzInbox gives programs whatever inbox: no panic, no hang, and a replay that decides the same.
func FuzzInbox(f *testing.F) {
	f.Add(uint64(1), []byte("a seed of some length, to have several messages"))
	f.Add(uint64(7), []byte{0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5})
	f.Fuzz(func(t *testing.T, seed uint64, data []byte) {
		draw := func(n int) int {
			if len(data) == 0 {
				return 0
			}
			b := int(data[0])
			data = data[1:]
			return b % n
		}
		checkReplays(t, seed, draw, map[history.Status]int{})
	})
}

// execution is the log of one execution.
type execution struct {
	begin history.Message // start or base
	inbox []history.Message
	turns []engine.Turn // the first is Begin's
}

func (e *execution) machine(seed uint64) *engine.Machine {
	cfg := engine.Config{Self: self, Program: randomProgram(seed)}
	if e.begin.Kind() == history.KindStart {
		return engine.New(cfg, e.begin)
	}
	return engine.Resume(cfg, e.begin)
}

func checkReplays(t *testing.T, seed uint64, draw func(int) int, ends map[history.Status]int) {
	executions := live(t, seed, draw)
	for n, e := range executions {
		status := history.Status("")
		if end := e.turns[len(e.turns)-1].End; end != nil {
			status = end.Status
		}
		ends[status]++
		for _, cut := range []int{0, len(e.inbox) / 2, len(e.inbox)} {
			replayOne(t, seed, e, cut)
			if t.Failed() {
				t.Fatalf("execution %d of %d, cut after %d of %d messages", n, len(executions), cut, len(e.inbox))
			}
		}
	}
}

// live runs a program on a random inbox, message by message.
func live(t *testing.T, seed uint64, draw func(int) int) []*execution {
	seq, now := uint64(1), began
	e := &execution{begin: startOf(1, payload(fmt.Sprint(seed)))}
	all := []*execution{e}
	m := e.machine(seed)
	defer func() { m.Close() }()
	first, err := m.Begin()
	for n := 0; ; n++ {
		if err != nil {
			t.Fatal(err)
		}
		e.turns = append(e.turns, first)
		seq += uint64(len(first.Slots))
		if end := first.End; end != nil {
			if end.Base == nil || len(all) == 4 {
				break
			}
			run, number := m.Ref()
			seq++
			e = &execution{begin: stored(t, history.Message{Seq: seq, Time: now, Record: &history.Turn{Run: run, Execution: number, At: first.Cause, End: end}})}
			all = append(all, e)
			m.Close()
			m = e.machine(seed)
			first, err = m.Begin()
			continue
		}
		if n >= 60 {
			break
		}
		now = now.Add(time.Duration(draw(4000)-500) * time.Millisecond)
		seq++
		msg := stored(t, history.Message{Seq: seq, Time: now, Record: randomRecord(draw, e, m)})
		e.inbox = append(e.inbox, msg)
		first, err = m.Apply(msg)
	}
	return all
}

// randomRecord makes a message that is mostly for something the execution has decided, and mostly right.
func randomRecord(draw func(int) int, e *execution, m *engine.Machine) history.Record {
	run, number := m.Ref()
	var slots []history.Slot
	for _, t := range e.turns {
		slots = append(slots, t.Slots...)
	}
	of := history.Slot{Kind: history.SlotActivity, N: uint32(draw(5)), Name: "nobody"}
	if len(slots) > 0 {
		of = slots[draw(len(slots))]
	}
	ref := history.Ref{Run: run, Execution: number, Slot: of.N}
	if draw(20) == 0 {
		ref.Execution++
	}
	if draw(20) == 0 {
		ref.Run++
	}
	switch n := draw(40); {
	case n == 0:
		return &history.Start{Run: run + uint32(draw(2)), Orchestrator: "hello"}
	case n == 1:
		return &history.Control{Verb: history.Suspend, ID: fmt.Sprint("c", draw(9))}
	case n <= 4:
		return &history.Control{Verb: history.Resume, ID: fmt.Sprint("c", draw(9))}
	case n == 5 && draw(3) == 0:
		return &history.Control{Verb: history.Terminate, ID: "t"}
	case n <= 18:
		return &history.Event{Name: fmt.Sprint("E", draw(3)), ID: fmt.Sprint("e", draw(60)), Payload: payload(fmt.Sprint(draw(100)))}
	case of.Kind == history.SlotTimer:
		return &history.Fired{Ref: ref, Due: of.Due}
	default:
		d := &history.Done{Ref: ref, Name: of.Name, Attempt: 1, Result: payload(fmt.Sprint(draw(100)))}
		if of.Kind == history.SlotActivity || of.Kind == history.SlotSend {
			d.Hash = history.ArgsHash(of.Args)
		}
		if draw(10) == 0 {
			d.Hash++
		}
		if draw(4) == 0 {
			d.Failure = &history.Failure{Message: "it went wrong", Attempt: 1}
		}
		return d
	}
}

// replayOne runs an execution again: as a load does up to a cut, then live.
func replayOne(t *testing.T, seed uint64, e *execution, cut int) {
	m := e.machine(seed)
	defer m.Close()
	var records []engine.Recorded
	for n, turn := range e.turns[:cut+1] {
		for _, s := range turn.Slots {
			records = append(records, engine.Recorded{Slot: s, Seq: e.turns[n].Cause + 1})
		}
	}
	m.Expect(records)
	turn, err := m.Begin()
	for n := 0; ; n++ {
		if err == nil && n == cut {
			err = m.Replayed()
		}
		if err != nil {
			t.Errorf("after message %d: %v", n, err)
			return
		}
		if diff := cmp.Diff(e.turns[n], turn); diff != "" {
			t.Errorf("turn %d (-live +replay):\n%s", n, diff)
			return
		}
		if n == len(e.inbox) {
			return
		}
		turn, err = m.Apply(e.inbox[n])
	}
}

// randomProgram makes a program that does what the seed says, and tells all it has seen in what it decides.
func randomProgram(seed uint64) engine.Program {
	return func(c *co, input payloadT) (payloadT, error) {
		p := &randomCode{draw: rand.New(rand.NewPCG(seed, uint64(len(input)))), seen: string(input)}
		defer func() { p.seen += "end" }()
		p.steps(c, 14, 2)
		switch p.draw.IntN(8) {
		case 0:
			return nil, errors.New(p.seen)
		case 1:
			panic(p.seen)
		case 2, 3:
			c.SetStatus(payload(`"again"`))
			return nil, &engine.ContinueAsNew{Input: payload(fmt.Sprintf(`"%.20s"`, p.seen))}
		}
		return payload(fmt.Sprintf("%q", p.seen)), nil
	}
}

type randomCode struct {
	draw *rand.Rand
	fs   []*future
	seen string
}

func (p *randomCode) note(c *co, format string, args ...any) {
	p.seen += fmt.Sprintf(format, args...) + c.Now().Sub(began).String() + ";"
	if len(p.seen) > 200 {
		p.seen = p.seen[len(p.seen)-200:]
	}
}

func (p *randomCode) one() *future { return p.fs[p.draw.IntN(len(p.fs))] }

func (p *randomCode) steps(c *co, n, depth int) {
	for range 1 + p.draw.IntN(n) {
		what := p.draw.IntN(12)
		if len(p.fs) == 0 && what > 7 {
			what = 0
		}
		switch what {
		case 0, 1:
			p.fs = append(p.fs, activity(c, fmt.Sprint("a", p.draw.IntN(2)), fmt.Sprintf("%q", p.seen)))
		case 2:
			p.fs = append(p.fs, timer(c, time.Duration(p.draw.IntN(5000))*time.Millisecond))
		case 3, 4:
			p.fs = append(p.fs, c.Receive(fmt.Sprint("e", p.draw.IntN(3))))
		case 5:
			p.fs = append(p.fs, child(c, ""))
		case 6:
			p.fs = append(p.fs, deliver(c, nil, "bob"))
			send(c, fmt.Sprintf("%x", c.UUID()))
			p.note(c, "version %d", version(c, fmt.Sprint("v", p.draw.IntN(3)), p.draw.IntN(9)))
		case 7:
			if depth > 0 {
				f := c.Promise()
				p.fs = append(p.fs, f)
				c.Go(func(c *co) {
					p.steps(c, 6, depth-1)
					c.Resolve(f, payload(fmt.Sprintf("%q", p.seen)), nil)
				})
			}
		case 8:
			c.Cancel(p.one())
		case 9, 10:
			some := []*future{p.one(), p.one(), p.one()}
			n := c.Await(some...)
			result, failure := some[n].Result()
			p.note(c, "any %d %.9s %v", n, result, failure != nil)
		case 11:
			result, err := get(c, p.one())
			p.note(c, "got %.9s %v %d", result, err, c.Rand().IntN(10))
		}
	}
}
