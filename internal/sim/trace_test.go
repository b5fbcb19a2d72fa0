package sim

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/membackend"
)

// line is something that happened.
type line struct {
	at    time.Time
	id    string // instance; "": everybody's business
	by    string // view
	seq   uint64 // of a message that was stored; else 0
	text  string
	small bool // told only if everything is
}

// listen notes what the store does.
func (w *world) listen() {
	w.m.OnAct(func(a membackend.Act) {
		if l, ok := lineOf(a); ok {
			w.lines = append(w.lines, l)
		}
	})
	w.m.OnDelivery(func(view string, d backend.Delivery) bool {
		w.lines = append(w.lines, line{at: w.m.Now(), id: d.To.ID, by: view, small: d.Attempts == 1,
			text: fmt.Sprintf("is delivered %s #%d, order %d, attempt %d", d.To.ID, d.Message.Seq, d.Order, d.Attempts)})
		return false
	})
}

func lineOf(a membackend.Act) (line, bool) {
	l := line{at: a.At, by: a.View, id: a.ID, text: a.Verb + " " + a.ID}
	switch a.Verb {
	case "append to":
		l.seq = a.Seq
		l.text += " " + a.Subject
	case "load", "get the archive entry of":
		l.small = true
	case "ack", "nak":
		l.text += " " + a.Subject
		l.small = a.Verb == "ack"
	case "open":
		l.id = ""
	case "put the state of", "put the archive entry of", "cancel a timer of", "delete the state of":
	case "write key", "delete key":
		l.id = strings.TrimPrefix(a.ID, "parked."+group+".")
	default:
		return line{}, false
	}
	if a.Err != nil {
		text, _, _ := strings.Cut(a.Err.Error(), ": backend")
		l.text = "cannot " + strings.TrimPrefix(text, "membackend: ")
	}
	return l, true
}

// family is an instance that the client has started, with its children and theirs.
func (w *world) family(root string) map[string]bool {
	family := map[string]bool{root: true}
	for _, m := range w.m.Log() {
		if s, ok := m.Message.Record.(*history.Start); ok && s.Parent != nil && family[s.Parent.ID] {
			family[m.To.ID] = true
		}
	}
	return family
}

// rootOf is the instance of the client that an instance belongs to, as far as its id tells.
func rootOf(id string) string {
	root, _, _ := strings.Cut(id, ".")
	root, _, _ = strings.Cut(root, "r")
	if strings.HasPrefix(root, "i") {
		return root
	}
	return ""
}

// trace tells what happened to the instances that the client has started and that are still in the world.
func (w *world) trace(all bool) string {
	lines := slices.Clone(w.lines)
	stored, family := map[uint64]membackend.Stored{}, map[string]bool{}
	for _, m := range w.m.Log() {
		stored[m.Message.Seq] = m
	}
	for id := range w.wanted {
		maps.Copy(family, w.family(id))
	}
	for n := range lines {
		if m, ok := stored[lines[n].seq]; ok && lines[n].seq > 0 {
			lines[n].text = w.message(m)
			delete(stored, lines[n].seq)
		}
	}
	for _, seq := range slices.Sorted(maps.Keys(stored)) { // what the store has made of schedules
		m := stored[seq]
		lines = append(lines, line{at: m.Message.Time, id: m.To.ID, by: "the store", text: w.message(m)})
	}
	for _, m := range w.mishaps {
		lines = append(lines, line{at: m.At, by: "✗", text: m.What + ": " + strings.Join(m.About, " ") + fmt.Sprintf(" [%x]", m.ID)})
	}
	slices.SortStableFunc(lines, func(a, b line) int { return a.at.Compare(b.at) })
	var out strings.Builder
	const longest = 300
	told := 0
	began := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, l := range lines {
		if (l.id == "" || family[l.id]) && (all || !l.small) {
			if told++; told == longest && !all {
				fmt.Fprintf(&out, "... and so on; -all tells everything\n")
			}
			if told >= longest && !all {
				continue
			}
			fmt.Fprintf(&out, "%9.4f  %-9s %s\n", l.at.Sub(began).Seconds(), l.by, l.text)
		}
	}
	for _, u := range w.m.Unacked() {
		fmt.Fprintf(&out, "not acknowledged: #%d of %s, in %s, attempt %d\n", u.Seq, u.To.ID, u.Consumer, u.Attempts)
	}
	return out.String()
}

// message tells of a stored message in a few words.
func (w *world) message(m membackend.Stored) string {
	text := ""
	switch r := w.record(m.Message.Record).(type) {
	case *history.Start:
		text = fmt.Sprintf("start of run %d, %s", r.Run, r.Orchestrator)
		if r.Prior != nil {
			text += ", rewound"
		}
	case *history.Done:
		text = fmt.Sprintf("done %v, %s = %s", r.Ref, r.Name, r.Result)
		if r.Failure != nil {
			text = fmt.Sprintf("done %v, %s: %s", r.Ref, r.Name, r.Failure.Message)
		}
	case *history.Fired:
		text = fmt.Sprintf("fired %v", r.Ref)
	case *history.Event:
		text = fmt.Sprintf("event %s = %s, id %s", r.Name, r.Payload, r.ID)
	case *history.Control:
		text = fmt.Sprintf("control %s, id %s", r.Verb, r.ID)
	case *history.Task:
		text = fmt.Sprintf("task %v, %s(%s)", r.Ref, r.Name, r.Args)
	case *history.Timer:
		text = fmt.Sprintf("schedule %v", r.Ref)
	case *history.Turn:
		text = fmt.Sprintf("turn %d-%d of #%d:%s", r.Run, r.Execution, r.At, slotsOf(r))
	default:
		text = fmt.Sprintf("%T", r)
	}
	return fmt.Sprintf("→ %s #%d %s", m.To.ID, m.Message.Seq, text)
}

func slotsOf(t *history.Turn) string {
	var out strings.Builder
	for _, s := range t.Slots {
		switch s.Kind {
		case history.SlotTimer:
			fmt.Fprintf(&out, " %d=timer", s.N)
		case history.SlotChild:
			fmt.Fprintf(&out, " %d=child %s", s.N, s.Target.ID)
		case history.SlotSend:
			fmt.Fprintf(&out, " %d=event %s to %s", s.N, s.Name, s.Target.ID)
			if s.Confirm {
				out.WriteString(", confirmed")
			}
		default:
			fmt.Fprintf(&out, " %d=%s", s.N, s.Name)
		}
	}
	if t.End != nil {
		fmt.Fprintf(&out, " ends %s %s", t.End.Status, t.End.Result)
	}
	return out.String()
}
