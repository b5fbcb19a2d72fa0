package engine_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
)

var update = flag.Bool("update", false, "rewrite the reactions in testdata/*.txt")

// TestScripts runs testdata/*.txt. A line that begins with "> " is a command, a line with "#" a comment; the indented
// lines after a command are the reaction it must have. The commands are in (*script).do, the programs in programs().
func TestScripts(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			t.Parallel()
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got := play(t, string(want))
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o666); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
				t.Errorf("%s (-want +got):\n%s", path, diff)
			}
		})
	}
}

// play runs the commands of a script and gives the script with the reactions they had.
func play(t *testing.T, text string) string {
	s := &script{t: t}
	defer s.close()
	var out strings.Builder
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "    ") {
			continue
		}
		out.WriteString(line)
		if command, ok := strings.CutPrefix(strings.TrimSpace(line), "> "); ok {
			s.out.Reset()
			s.do(command)
			for reaction := range strings.Lines(s.out.String()) {
				out.WriteString("    " + reaction)
			}
		}
	}
	return out.String()
}

// script is an instance and the log it has.
type script struct {
	t       *testing.T
	out     strings.Builder
	m       *engine.Machine
	program string
	start   history.Message
	base    *history.Message
	inbox   []history.Message // of this execution
	records []engine.Recorded // and what it decided
	slots   map[uint32]history.Slot
	seq     uint64
	now     time.Time
	logged  bytes.Buffer
}

func (s *script) close() {
	if s.m != nil {
		s.m.Close()
	}
}

func (s *script) say(format string, args ...any) { fmt.Fprintf(&s.out, format+"\n", args...) }

// do runs one command: a word, then arguments; those with '=' are options and may stand anywhere.
func (s *script) do(command string) {
	var args []string
	options := map[string]string{}
	for _, word := range strings.Fields(command) {
		if k, v, ok := strings.Cut(word, "="); ok && k != "" && !strings.HasPrefix(word, `"`) {
			options[k] = v
			continue
		}
		args = append(args, word)
	}
	verb, args := args[0], args[1:]
	arg := func(n int) string {
		if n < len(args) {
			return args[n]
		}
		return ""
	}
	switch verb {
	case "start": // <program> [input]
		s.begin(arg(0), payload(arg(1)))
	case "next": // the next execution, from the base of the last
		s.resume()
	case "again": // a copy of the start, or with run= one of another run
		start := *s.start.Record.(*history.Start)
		start.Run = uint32(number(s.t, options["run"], 1))
		s.apply(&start, 0)
	case "done": // <slot> [result] [fail=text] [name=] [args=] [run=] [execution=]
		s.apply(s.done(arg(0), payload(arg(1)), options), 0)
	case "fire": // <slot> [at=offset from its due time]
		ref := s.ref(arg(0), options)
		due := s.slots[ref.Slot].Due
		at := due.Add(duration(s.t, options["at"]))
		s.apply(&history.Fired{Ref: ref, Due: due}, at.Sub(s.now))
	case "event": // <name> <id> [payload]
		s.apply(&history.Event{Name: arg(0), ID: arg(1), Payload: payload(arg(2))}, 0)
	case "suspend", "resume", "terminate", "cancel": // <id> [reason]
		s.apply(&history.Control{Verb: history.Verb(verb), ID: arg(0), Reason: strings.Join(args[min(1, len(args)):], " ")}, 0)
	case "wait": // <duration>: the log's clock goes on, or back
		s.now = s.now.Add(duration(s.t, arg(0)))
	case "replay": // [program] [code=alias]: everything again, on another worker
		s.replay(arg(0), options)
	case "state":
		s.state()
	case "log":
		s.out.Write(s.logged.Bytes())
		s.logged.Reset()
	case "close":
		s.m.Close()
	default:
		s.t.Fatalf("there is no command %q", verb)
	}
}

func (s *script) config(program string, say func(string, ...any), log *bytes.Buffer) engine.Config {
	p, ok := programs(say)[program]
	for _, more := range []func(func(string, ...any)) map[string]engine.Program{scopePrograms, deliverPrograms} {
		if !ok {
			p, ok = more(say)[program]
		}
	}
	if !ok {
		s.t.Fatalf("there is no program %q", program)
	}
	return engine.Config{Self: self, Program: p, Resolve: present, Fail: encode, Logger: textLogger(log)}
}

// present resolves the one alias of these tests.
func present(_ history.SlotKind, name string) string {
	if name == "club.Card" {
		return "club.SendCard"
	}
	return name
}

func (s *script) begin(program string, input history.Payload) {
	s.close()
	s.program, s.now, s.seq = program, began, 1
	s.start = history.Message{Seq: 1, Time: began, Record: &history.Start{
		Run: 1, Orchestrator: "club." + program, Input: input, Tags: map[string]string{"region": "eu"}, Notify: "hint",
		Parent: &history.Parent{Address: history.Address{Group: "club", ID: "board"}, Ref: history.Ref{Run: 1, Slot: 7}},
	}}
	s.base, s.inbox, s.records, s.slots = nil, nil, nil, map[uint32]history.Slot{}
	s.m = engine.New(s.config(program, s.say, &s.logged), s.start)
	s.react(s.m.Begin())
}

// resume begins the next execution from the record of the last, as a load would read it.
func (s *script) resume() {
	run, execution := s.m.Ref()
	turn := &history.Turn{Run: run, Execution: execution, At: s.seq, End: s.m.Ended()}
	s.seq++
	base := stored(s.t, history.Message{Seq: s.seq, Time: s.now, Record: turn})
	s.close()
	s.base, s.inbox, s.records, s.slots = &base, nil, nil, map[uint32]history.Slot{}
	s.m = engine.Resume(s.config(s.program, s.say, &s.logged), base)
	s.react(s.m.Begin())
}

// stored gives a message back as the log does.
func stored(t *testing.T, m history.Message) history.Message {
	fields, body, err := history.Encode(m.Record)
	if err != nil {
		t.Fatal(err)
	}
	r, err := history.Decode(m.Kind(), history.HeadOf(fields), body)
	if err != nil {
		t.Fatal(err)
	}
	m.Record = r
	return m
}

func (s *script) ref(slot string, options map[string]string) history.Ref {
	run, execution := s.m.Ref()
	return history.Ref{
		Run: uint32(number(s.t, options["run"], int(run))), Execution: uint32(number(s.t, options["execution"], int(execution))),
		Slot: uint32(number(s.t, slot, 0)),
	}
}

func (s *script) done(slot string, result history.Payload, options map[string]string) *history.Done {
	ref := s.ref(slot, options)
	of := s.slots[ref.Slot]
	d := &history.Done{Ref: ref, Name: of.Name, Result: result}
	switch of.Kind {
	case history.SlotActivity:
		d.Hash, d.Attempt = history.ArgsHash(of.Args), 1
	case history.SlotSend:
		d.Hash = history.ArgsHash(of.Args)
	}
	if name := options["name"]; name != "" {
		d.Name = name
	}
	if args, ok := options["args"]; ok {
		d.Hash = history.ArgsHash(payload(args))
	}
	if text := options["fail"]; text != "" {
		d.Failure = &history.Failure{Message: text, Name: d.Name, Attempt: d.Attempt}
	}
	return d
}

// apply stores a message one second after the last, or after the given time, and applies it.
func (s *script) apply(r history.Record, after time.Duration) {
	if after == 0 {
		after = time.Second
	}
	s.now = s.now.Add(after)
	s.seq++
	msg := stored(s.t, history.Message{Seq: s.seq, Time: s.now, Record: r})
	s.inbox = append(s.inbox, msg)
	s.react(s.m.Apply(msg))
}

func (s *script) react(turn engine.Turn, err error) {
	if err != nil {
		s.say("error: %s", where(err))
		return
	}
	for _, slot := range turn.Slots {
		s.seq++
		s.slots[slot.N] = slot
		s.records = append(s.records, engine.Recorded{Slot: slot, Seq: s.seq})
	}
	s.out.WriteString(describe(turn))
}

// replay feeds another machine what the log holds. It says only what differs.
func (s *script) replay(program string, options map[string]string) {
	if program == "" {
		program = s.program
	}
	records := s.records
	if n := options["records"]; n != "" {
		records = records[:number(s.t, n, 0)]
	}
	var log bytes.Buffer
	m := s.again(s.config(program, func(string, ...any) {}, &log))
	defer m.Close()
	m.Expect(records)
	turn, err := m.Begin()
	decided := turn.Slots
	for _, msg := range s.inbox {
		if err == nil {
			turn, err = m.Apply(msg)
			decided = append(decided, turn.Slots...)
		}
	}
	if err == nil {
		err = m.Replayed()
	}
	if err != nil {
		s.say("error: %s", where(err))
		return
	}
	var want []history.Slot
	for _, r := range s.records {
		want = append(want, r.Slot)
	}
	if diff := cmp.Diff(want, decided); diff != "" {
		s.say("decides otherwise")
	} else {
		s.say("decides the same")
	}
	s.out.Write(log.Bytes())
}

func (s *script) again(cfg engine.Config) *engine.Machine {
	if s.base != nil {
		return engine.Resume(cfg, *s.base)
	}
	return engine.New(cfg, s.start)
}

func (s *script) state() {
	run, execution := s.m.Ref()
	s.say("run %d, execution %d, clock %s", run, execution, since(s.m.Clock()))
	if s.m.Suspended() {
		s.say("suspended")
	}
	if p := s.m.CustomStatus(); p != nil {
		s.say("status %s", p)
	}
	if w := s.m.Waiting(); w != "" {
		s.say("waits for %s", w)
	}
	if end := s.m.Ended(); end != nil {
		s.say("ended as %s", end.Status)
	}
}

// payload reads an argument of a command: JSON without spaces.
func payload(arg string) history.Payload {
	if arg == "" {
		return nil
	}
	return history.Payload(arg)
}

func number(t *testing.T, text string, otherwise int) int {
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("a script has %q for a number", text)
	}
	return n
}

func duration(t *testing.T, text string) time.Duration {
	if text == "" {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatalf("a script has %q for a duration", text)
	}
	return d
}
