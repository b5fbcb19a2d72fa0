package membackend

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

// entry is a message of the log, in its encoded form: what callers hold and what is stored share no memory. Only gone
// changes after it is stored.
type entry struct {
	seq     uint64
	time    time.Time
	to      history.Address
	kind    history.Kind
	name    string // of a task, event or control message; of the task that a schedule will make
	subject string // within its instance
	header  []history.Field
	body    []byte
	due     time.Time // of a schedule, whose body is what it will publish
	gone    bool      // removed from the log: only the ghost still holds it
}

// log is the one ordered log of the hub.
type log struct {
	all       []*entry // all ever stored: number n is at n-1
	instances map[history.Address]*instance
	byID      map[string][]*instance // the same in all groups
	more      chan struct{}          // closed when the log has more; nil: nobody waits for that
}

// instance is what the log holds of an address.
type instance struct {
	group   string
	entries []*entry
	last    map[string]*entry // by subject
}

func newLog() log {
	return log{instances: map[history.Address]*instance{}, byID: map[string][]*instance{}}
}

func subjectOf(kind history.Kind, name string, ref history.Ref) string {
	switch kind {
	case history.KindStart:
		return "in.start"
	case history.KindDone:
		return "in.done"
	case history.KindFired:
		return "in.fired"
	case history.KindEvent:
		return "in.event." + name
	case history.KindControl:
		return "in.ctl." + name
	case history.KindTurn:
		return "turn"
	case history.KindTask:
		return "task." + name
	default:
		return "timer." + ref.String()
	}
}

// encode makes the entry of a record, not yet stored. A timer is stored as what it will publish.
func (m *Memory) encode(to history.Address, r history.Record) (*entry, error) {
	e := &entry{to: to, kind: r.Kind()}
	var ref history.Ref
	switch r := r.(type) {
	case *history.Event:
		e.name = r.Name
	case *history.Control:
		e.name = string(r.Verb)
	case *history.Task:
		e.name = r.Name
	case *history.Timer:
		ref, e.due = r.Ref, r.Due
		if r.Task != nil {
			e.name = r.Task.Name
		}
	}
	e.subject = subjectOf(e.kind, e.name, ref)
	var err error
	if e.header, e.body, err = history.Encode(product(r)); err != nil {
		return nil, fmt.Errorf("membackend: encode a %T of %s/%s: %w", r, to.Group, to.ID, err)
	}
	e.body = slices.Clone(e.body) // it shares memory with the record
	most, limit := m.cfg.MaxPayload, "MaxPayload"
	if s, ok := r.(*history.Start); ok && s.Prior != nil {
		most, limit = m.cfg.MaxHistory, "MaxHistory"
	}
	if len(e.body) > most {
		return nil, fmt.Errorf("membackend: a %T of %s/%s has %d bytes, and Config.%s is %d: %w", r, to.Group, to.ID, len(e.body), limit, most, backend.ErrTooLarge)
	}
	return e, nil
}

// product is what a record puts into its message: a timer the record that it will make.
func product(r history.Record) history.Record {
	t, ok := r.(*history.Timer)
	switch {
	case !ok:
		return r
	case t.Task != nil:
		return t.Task
	default:
		return &history.Fired{Ref: t.Ref, Due: t.Due}
	}
}

// record decodes the entry.
func (e *entry) record() (history.Record, error) {
	kind := e.kind
	if kind == history.KindTimer {
		kind = e.produces()
	}
	r, err := history.Decode(kind, history.HeadOf(e.header), slices.Clone(e.body))
	if err != nil {
		return nil, fmt.Errorf("membackend: message %d of %s/%s: %w", e.seq, e.to.Group, e.to.ID, err)
	}
	if e.kind != history.KindTimer {
		return r, nil
	}
	switch r := r.(type) {
	case *history.Task:
		return &history.Timer{Ref: r.Ref, Due: e.due, Task: r}, nil
	case *history.Fired:
		return &history.Timer{Ref: r.Ref, Due: e.due}, nil
	}
	return nil, fmt.Errorf("membackend: message %d of %s/%s: a schedule makes no %T", e.seq, e.to.Group, e.to.ID, r)
}

// produces is the kind of record that a schedule makes.
func (e *entry) produces() history.Kind {
	if e.name != "" {
		return history.KindTask
	}
	return history.KindFired
}

func (e *entry) message() (history.Message, error) {
	r, err := e.record()
	return history.Message{Seq: e.seq, Time: e.time, Record: r}, err
}

// put stores an entry and hands it to its consumer. Lock held.
func (m *Memory) put(e *entry) uint64 {
	l := &m.log
	e.seq, e.time = uint64(len(l.all)+1), m.time(m.now())
	l.all = append(l.all, e)
	l.grew()
	i := l.instances[e.to]
	if i == nil {
		i = &instance{group: e.to.Group, last: map[string]*entry{}}
		l.instances[e.to] = i
		l.byID[e.to.ID] = append(l.byID[e.to.ID], i)
	}
	i.entries = append(i.entries, e)
	i.last[e.subject] = e
	switch {
	case e.kind.Inbox():
		p := m.partition(e.to.Group, history.Partition(e.to.ID, m.cfg.Partitions))
		p.items = append(p.items, item{entry: e})
		p.pump()
	case e.kind == history.KindTask:
		a := m.activity(e.name)
		a.items = append(a.items, item{entry: e})
		a.pump()
	}
	return e.seq
}

// lastSeq is the sequence of the newest message on a subject of an instance that the log holds, or 0.
func (l *log) lastSeq(to history.Address, subject string) uint64 {
	if e := l.instances[to].newest(subject, 0); e != nil {
		return e.seq
	}
	return 0
}

// newest finds the last message on a subject, at most limit if that is not 0.
func (i *instance) newest(subject string, limit uint64) *entry {
	if i == nil || i.last[subject] == nil {
		return nil
	}
	if e := i.last[subject]; !e.gone && (limit == 0 || e.seq <= limit) {
		return e
	}
	for _, e := range slices.Backward(i.entries) {
		if e.subject == subject && !e.gone && (limit == 0 || e.seq <= limit) {
			return e
		}
	}
	return nil
}

// remove takes an entry out of the log.
func (l *log) remove(e *entry) {
	e.gone = true
	i := l.instances[e.to]
	if n, ok := slices.BinarySearchFunc(i.entries, e.seq, func(x *entry, seq uint64) int { return cmp.Compare(x.seq, seq) }); ok {
		i.entries = slices.Delete(i.entries, n, n+1)
	}
	if i.last[e.subject] == e {
		delete(i.last, e.subject)
	}
}

// purge removes everything below a sequence.
func (l *log) purge(before uint64) {
	for _, i := range l.instances {
		i.entries = slices.DeleteFunc(i.entries, func(e *entry) bool {
			if e.seq >= before {
				return false
			}
			e.gone = true
			if i.last[e.subject] == e {
				delete(i.last, e.subject)
			}
			return true
		})
	}
}

// Append implements backend.Log.
func (v *View) Append(a backend.Append, done func(seq uint64, err error)) {
	var verdict Verdict
	if h := v.m.hooked(); h.append != nil {
		verdict = h.append(a)
	}
	e, err := v.m.encode(a.To, a.Record)
	if err != nil {
		v.refuse(func() { done(0, err) })
		return
	}
	o := op{verb: "append to", id: a.To.ID, subject: e.subject}
	if v.m.cfg.Latency > 0 {
		o.lane = a.To.Group + "\x00" + a.To.ID + "\x00" + e.subject
	}
	ask(v, o, verdict, true, func() (uint64, error) { return v.m.append(a, *e) }, done)
}

// refuse answers a call that does not even leave the process.
func (v *View) refuse(answer func()) {
	v.m.mu.Lock()
	defer v.m.mu.Unlock()
	v.m.soon(event{view: v, run: answer})
}

// append stores a copy of e, unless its fence does not hold. Lock held.
func (m *Memory) append(a backend.Append, e entry) (uint64, error) {
	if last := m.log.lastSeq(a.To, e.subject); a.Fenced && last != a.Fence {
		return 0, fmt.Errorf("membackend: append a %T to %s/%s: its last has sequence %d, want %d: %w", a.Record, a.To.Group, a.To.ID, last, a.Fence, backend.ErrConflict)
	}
	if e.kind == history.KindTimer {
		m.unschedule(a.To, a.Record.(*history.Timer).Ref)
	}
	seq := m.put(&e)
	if e.kind == history.KindTimer {
		m.schedule(m.log.all[seq-1], a.Record.(*history.Timer).Ref)
	}
	return seq, nil
}

// Load implements backend.Log.
func (v *View) Load(of history.Address, reach uint64, done func(backend.Loaded, error)) {
	var limit uint64
	if h := v.m.hooked(); h.load != nil {
		limit = h.load(of, reach)
	}
	ask(v, op{verb: "load", id: of.ID, reads: true}, Verdict{}, false, func() (backend.Loaded, error) {
		if v.m.happens(v.m.faults.LagLoads, "lagging load", v.name, of.ID) {
			limit = uint64(max(1, len(v.m.log.all)-int(v.m.upTo(time.Duration(or(v.m.faults.LagBy, 10)), "lag", v.name, of.ID))))
		}
		if reach > 0 && reach < backend.TheEnd && v.m.happens(v.m.faults.Behind, "load by a replica that is behind", v.name, of.ID) {
			if l, err := v.m.log.load(of, reach, v.m.faults.ShowEarly); l.Start != nil || err != nil {
				return l, err
			}
		}
		return v.m.log.load(of, limit, v.m.faults.ShowEarly)
	}, done)
}

// LoadAfter implements backend.Log.
func (v *View) LoadAfter(of history.Address, after, _ uint64, done func(backend.Loaded, error)) {
	ask(v, op{verb: "load", id: of.ID, reads: true}, Verdict{}, false, func() (out backend.Loaded, err error) {
		i := v.m.log.instances[of]
		if out.Start, err = decoded(i.newest("in.start", 0)); err != nil || i == nil {
			return out, err
		}
		if turn := i.newest("turn", 0); turn != nil {
			out.TurnSeq = turn.seq
		}
		out.From = after
		out.Tail, err = i.tail(after, 0)
		return out, err
	}, done)
}

// load reads what the log holds of an instance, at most limit if that is not 0.
func (l *log) load(of history.Address, limit uint64, early bool) (out backend.Loaded, err error) {
	i := l.instances[of]
	if out.Start, err = decoded(i.newest("in.start", limit)); err != nil {
		return out, err
	}
	turn, err := decoded(i.newest("turn", limit))
	if err != nil {
		return out, err
	}
	if turn != nil {
		out.TurnSeq = turn.Seq
	}
	if out.Base, out.Cut, err = l.base(out.Start, turn); err != nil {
		return out, err
	}
	out.Over = out.Cut && turn.Record.(*history.Turn).Ends()
	switch {
	case out.Base != nil:
		out.From = out.Base.Record.(*history.Turn).At
	case out.Start != nil && early:
	case out.Start != nil:
		out.From = out.Start.Seq
	default:
		return out, nil
	}
	out.Tail, err = i.tail(out.From, limit)
	return out, err
}

// base finds the record that began the present execution; nil in execution 0, and (cut) when it has left the log. The
// start may have by then.
func (l *log) base(start, turn *history.Message) (base *history.Message, cut bool, err error) {
	if turn == nil {
		return nil, false, nil
	}
	t := turn.Record.(*history.Turn)
	switch {
	case start != nil && start.Record.(*history.Start).Run > t.Run:
		return nil, false, nil // a run replaced that one
	case t.End != nil && t.End.Status == history.ContinuedAsNew:
		return turn, false, nil
	case t.Execution == 0, t.Base == 0:
		return nil, false, nil
	}
	if t.Base >= 1 && t.Base <= uint64(len(l.all)) && !l.all[t.Base-1].gone {
		base, err := decoded(l.all[t.Base-1])
		if err != nil {
			return nil, false, err
		}
		if r, ok := base.Record.(*history.Turn); ok && r.Run == t.Run && r.End != nil && r.End.Base != nil {
			return base, false, nil
		}
	}
	if start != nil && t.Ends() && start.Seq > turn.Seq {
		return nil, false, nil // the id begins anew, or that is a late copy
	}
	return nil, true, nil
}

// tail is what follows a sequence, schedules left out.
func (i *instance) tail(after, limit uint64) (tail []history.Message, err error) {
	for _, e := range i.entries {
		if e.seq <= after || limit != 0 && e.seq > limit || e.kind == history.KindTimer {
			continue
		}
		msg, err := e.message()
		if err != nil {
			if e.kind.Inbox() {
				continue // it was delivered as an error, so it is not part of the inbox (I1)
			}
			return nil, err
		}
		tail = append(tail, msg)
	}
	return tail, nil
}

func decoded(e *entry) (*history.Message, error) {
	if e == nil {
		return nil, nil
	}
	msg, err := e.message()
	if err != nil {
		return nil, err
	}
	return &msg, nil
}

// Group implements backend.Log: whichever group has the newest start of the instance, or the newest record if the start
// is purged.
func (v *View) Group(id string, done func(group string, err error)) {
	ask(v, op{verb: "find the group of", id: id}, Verdict{}, false, func() (string, error) {
		for _, subject := range []string{"in.start", "turn"} {
			var newest *entry
			for _, i := range v.m.log.byID[id] {
				if e := i.newest(subject, 0); e != nil && (newest == nil || e.seq > newest.seq) {
					newest = e
				}
			}
			if newest != nil {
				return newest.to.Group, nil
			}
		}
		return "", fmt.Errorf("membackend: the group of instance %s: %w", id, backend.ErrNotFound)
	}, done)
}

// ListLog implements backend.Log.
func (v *View) ListLog(ctx context.Context, yield func(of history.Address, run uint32) bool) error {
	type found struct {
		of  history.Address
		run uint32
	}
	all, err := now(ctx, v, op{verb: "list", id: "the log"}, func() (all []found, err error) {
		for _, e := range v.m.log.all {
			if e.gone || e.kind != history.KindStart && e.kind != history.KindTurn {
				continue
			}
			f := found{of: e.to}
			record, _ := e.record() // what cannot be decoded tells no run
			switch r := record.(type) {
			case *history.Start:
				f.run = r.Run
			case *history.Turn:
				f.run = r.Run
			}
			all = append(all, f)
		}
		return all, nil
	})
	if err != nil {
		return err
	}
	for _, f := range all {
		if !yield(f.of, f.run) {
			return nil
		}
	}
	return ctx.Err()
}
