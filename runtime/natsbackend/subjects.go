package natsbackend

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/durablegen/durablegen/internal/history"
)

// names holds the names of everything a hub consists of.
type names struct {
	hub        string
	partitions int    // known after the hub was verified
	log        string // stream
	archive    string // stream
	instances  string // KV bucket
	meta       string // KV bucket
	payloads   string // object store

	subjects        string // prefix of the log's subjects, with its dot
	archiveSubjects string
	signals         string
	cancel          string // subject of the messages that remove schedules
}

func namesOf(hub string) names {
	return names{
		hub:             hub,
		log:             "DURABLE_" + hub,
		archive:         "DURABLE_" + hub + "_ARCHIVE",
		instances:       "durable_" + hub + "_instances",
		meta:            "durable_" + hub + "_meta",
		payloads:        "durable_" + hub + "_payloads",
		subjects:        "durable." + hub + ".",
		archiveSubjects: "durable-archive." + hub + ".",
		signals:         "durable-signal." + hub + ".",
		cancel:          "durable." + hub + ".cancel",
	}
}

// instance is the prefix of the subjects of an instance, with its dot.
func (n *names) instance(a history.Address) string {
	var buf [subjectRoom]byte
	return string(n.appendInstance(buf[:0], a))
}

// subjectRoom is more than most subjects need.
const subjectRoom = 256

func (n *names) appendInstance(b []byte, a history.Address) []byte {
	b = history.AppendID(append(b, n.subjects...), a.Group)
	b = strconv.AppendInt(append(b, '.'), int64(history.Partition(a.ID, n.partitions)), 10)
	return append(history.AppendID(append(b, '.'), a.ID), '.')
}

// subject is where a record of an instance is stored.
func (n *names) subject(a history.Address, r history.Record) (string, error) {
	var buf [subjectRoom]byte
	b := n.appendInstance(buf[:0], a)
	switch r := r.(type) {
	case *history.Start:
		b = append(b, "in.start"...)
	case *history.Done:
		b = append(b, "in.done"...)
	case *history.Fired:
		b = append(b, "in.fired"...)
	case *history.Event:
		b = history.AppendID(append(b, "in.event."...), r.Name)
	case *history.Control:
		b = history.AppendID(append(b, "in.ctl."...), string(r.Verb))
	case *history.Turn:
		b = append(b, "turn"...)
	case *history.Task:
		b = history.AppendID(append(b, "task."...), r.Name)
	case *history.Timer:
		b = append(b, timerSuffix(r.Ref)...)
	default:
		return "", fmt.Errorf("natsbackend: a record of kind %T has no subject", r)
	}
	return string(b), nil
}

func timerSuffix(ref history.Ref) string { return "timer." + ref.String() }

// target is where the schedule of a timer publishes, below its instance.
func target(t *history.Timer) string {
	if t.Task != nil {
		return "task." + history.EncodeID(t.Task.Name)
	}
	return "in.fired"
}

// parsed is what a subject of the log says.
type parsed struct {
	history.Address
	kind history.Kind
	name string // last token of a task, event, control or timer subject, encoded
}

// parse reads a subject of the log. Subjects that nobody but us should write are still foreign input.
func (n *names) parse(subject string) (parsed, error) {
	rest, ok := strings.CutPrefix(subject, n.subjects)
	if !ok {
		return parsed{}, fmt.Errorf("natsbackend: subject %q is not below %s", subject, n.subjects)
	}
	group, rest, _ := strings.Cut(rest, ".")
	_, rest, _ = strings.Cut(rest, ".")
	id, rest, ok := strings.Cut(rest, ".")
	if !ok {
		return parsed{}, fmt.Errorf("natsbackend: subject %q has too few words", subject)
	}
	var pl parsed
	var err error
	if pl.Group, err = history.DecodeID(group); err != nil {
		return pl, fmt.Errorf("natsbackend: subject %q: %w", subject, err)
	}
	if pl.ID, err = history.DecodeID(id); err != nil {
		return pl, fmt.Errorf("natsbackend: subject %q: %w", subject, err)
	}
	pl.kind, pl.name = kindOf(rest)
	if pl.kind == 0 {
		return pl, fmt.Errorf("natsbackend: subject %q: no record is kept under %q", subject, rest)
	}
	return pl, nil
}

func kindOf(rest string) (history.Kind, string) {
	switch rest {
	case "in.start":
		return history.KindStart, ""
	case "in.done":
		return history.KindDone, ""
	case "in.fired":
		return history.KindFired, ""
	case "turn":
		return history.KindTurn, ""
	}
	for _, k := range [...]struct {
		prefix string
		kind   history.Kind
	}{
		{"in.event.", history.KindEvent}, {"in.ctl.", history.KindControl},
		{"task.", history.KindTask}, {"timer.", history.KindTimer},
	} {
		if name, ok := strings.CutPrefix(rest, k.prefix); ok {
			return k.kind, name
		}
	}
	return 0, ""
}

const (
	inboxPrefix = "in_"
	taskPrefix  = "task_"
)

// inboxConsumer and taskConsumer name consumers. They must fit into a subject token and a file name.
func inboxConsumer(group string, p int) string {
	return short(inboxPrefix+history.EncodeID(group)) + "_" + strconv.Itoa(p)
}

func taskConsumer(activity string) string { return short(taskPrefix + history.EncodeID(activity)) }

// short bounds a name: file names end at 255 bytes.
func short(name string) string {
	const most, keep = 120, 80
	if len(name) <= most {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return name[:keep] + "_" + hex.EncodeToString(sum[:16])
}
