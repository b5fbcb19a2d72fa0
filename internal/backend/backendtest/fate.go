package backendtest

import (
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

// Fate is what becomes of a call or a delivery.
type Fate struct {
	what  fate
	after time.Duration
}

type fate uint8

const (
	pass fate = iota
	drop
	loseAnswer
	hold
	repeat
	crash
	crashAfter
)

// The fates. Calls that are not answered as they should be report ErrUnavailable.
var (
	Pass       = Fate{}
	Drop       = Fate{what: drop}       // it never arrives
	LoseAnswer = Fate{what: loseAnswer} // it arrives, and its sender does not hear of it; of calls only
	Hold       = Fate{what: hold}       // it waits for Release; what comes after it overtakes it
	Repeat     = Fate{what: repeat}     // it arrives twice; a call is answered once
	Crash      = Fate{what: crash}      // Kill, and it never arrives
	CrashAfter = Fate{what: crashAfter} // it arrives, and Kill
)

// Delay is Hold with a Release of its own after d.
func Delay(d time.Duration) Fate { return Fate{hold, d} }

// rules decide fates. A nil one lets everything pass.
type rules struct {
	append   func(backend.Append) Fate
	state    func(backend.State) Fate
	archive  func(backend.Archive) Fate
	load     func(of history.Address, reach uint64) (upTo uint64)
	delivery func(backend.Delivery) Fate
	task     func(backend.TaskDelivery) Fate
}

func decide[T any](rule func(T) Fate, v T) Fate {
	if rule == nil {
		return Pass
	}
	return rule(v)
}

// OnAppend has fn decide about every append from now on; nil ends that. Like all rules it is called in the call, or
// before the delivery, that it decides about, and must not call the backend.
func (f *Faulty) OnAppend(fn func(backend.Append) Fate) { f.rule(func(r *rules) { r.append = fn }) }

// OnPutState has fn decide about every PutState.
func (f *Faulty) OnPutState(fn func(backend.State) Fate) { f.rule(func(r *rules) { r.state = fn }) }

// OnPutArchive has fn decide about every PutArchive.
func (f *Faulty) OnPutArchive(fn func(backend.Archive) Fate) {
	f.rule(func(r *rules) { r.archive = fn })
}

// OnDelivery has fn decide about every delivery of an inbox. One that is dropped leaves a gap in Order, one that is
// repeated counts twice, one that is released later comes with the Order it had.
func (f *Faulty) OnDelivery(fn func(backend.Delivery) Fate) {
	f.rule(func(r *rules) { r.delivery = fn })
}

// OnTask has fn decide about every task delivered.
func (f *Faulty) OnTask(fn func(backend.TaskDelivery) Fate) { f.rule(func(r *rules) { r.task = fn }) }

// OnLoad has fn tell how far the replica has come that answers a Load: nothing above upTo is shown, whatever Load
// promises. 0 means everything. A replica that has not come to the newest base or start shows nothing at all.
func (f *Faulty) OnLoad(fn func(of history.Address, reach uint64) (upTo uint64)) {
	f.rule(func(r *rules) { r.load = fn })
}

func (f *Faulty) rule(set func(*rules)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	set(&f.rules)
}

func (f *Faulty) ruled() rules {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.rules
}

// cut shortens a load to what a replica shows that has come to upTo.
func cut(l backend.Loaded, upTo uint64) backend.Loaded {
	first := l.Start
	if l.Base != nil {
		first = l.Base
	}
	if first == nil || first.Seq > upTo {
		return backend.Loaded{}
	}
	short := backend.Loaded{Start: l.Start, Base: l.Base}
	if l.TurnSeq <= upTo {
		short.TurnSeq = l.TurnSeq
	} else if l.Base != nil {
		short.TurnSeq = l.Base.Seq
	}
	for _, m := range l.Tail {
		if m.Seq <= upTo {
			short.Tail = append(short.Tail, m)
			if m.Kind() == history.KindTurn {
				short.TurnSeq = max(short.TurnSeq, m.Seq)
			}
		}
	}
	return short
}
