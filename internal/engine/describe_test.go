package engine_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
)

// since tells a time as what has passed since the first message.
func since(t time.Time) string { return "+" + t.Sub(began).String() }

// describe writes a turn, one line a decision.
func describe(turn engine.Turn) string {
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	for _, s := range turn.Slots {
		say("%s", slotText(s))
	}
	for _, ref := range turn.Cancel {
		say("cancel %s", ref)
	}
	for _, a := range turn.Abort {
		say("abort %s %s", a.Ref, a.Name)
	}
	for _, c := range turn.CancelChild {
		say("cancel child %s/%s of slot %s", c.Group, c.ID, c.Ref)
	}
	for _, a := range turn.Terminate {
		say("terminate %s/%s", a.Group, a.ID)
	}
	if turn.End != nil {
		describeEnd(turn.End, say)
	}
	if turn.Empty() {
		say("nothing")
	}
	return b.String()
}

func slotText(s history.Slot) string {
	args := ""
	if s.Args != nil {
		args = " " + string(s.Args)
	}
	switch s.Kind {
	case history.SlotActivity:
		return fmt.Sprintf("activity %d %s%s", s.N, s.Name, args)
	case history.SlotTimer:
		return fmt.Sprintf("timer %d until %s", s.N, since(s.Due))
	case history.SlotChild:
		return fmt.Sprintf("child %d %s%s as %s/%s", s.N, s.Name, args, s.Target.Group, s.Target.ID)
	case history.SlotSend:
		if s.Confirm {
			return fmt.Sprintf("deliver %d %s%s to %s", s.N, s.Name, args, s.Target.ID)
		}
		return fmt.Sprintf("send %d %s%s to %s", s.N, s.Name, args, s.Target.ID)
	case history.SlotVersion:
		return fmt.Sprintf("version %d %s%s", s.N, s.Name, args)
	}
	return fmt.Sprintf("slot %d of kind %d", s.N, s.Kind)
}

func describeEnd(end *history.End, say func(string, ...any)) {
	switch {
	case end.Failure != nil:
		f := end.Failure
		say("end %s of %s: %s", end.Status, f.Name, f.Message)
		if f.Kind != "" {
			say("  kind %s", f.Kind)
		}
		for line := range strings.Lines(f.Stack) {
			say("  %s", withoutFolder(strings.TrimRight(line, "\n")))
		}
	case end.Base != nil:
		b := end.Base
		say("end %s: %s %s, run %d, parent %s, tags %v, notify %s", end.Status, b.Start.Orchestrator, b.Start.Input, b.Start.Run, b.Start.Parent.ID, b.Start.Tags, b.Start.Notify)
		say("  began %s, clock %s", since(b.Started), since(b.Clock))
		for _, e := range b.Buffered {
			say("  buffered %s %s %s", e.Name, e.ID, e.Payload)
		}
		for _, s := range b.Seen {
			say("  seen %s %s", s.ID, since(s.At))
		}
		for _, h := range b.Held {
			say("  held %s of %s", h.Kind(), since(h.Time))
		}
		if b.Status != nil {
			say("  status %s", b.Status)
		}
	default:
		say("end %s %s", end.Status, end.Result)
	}
}

var folder = regexp.MustCompile(`(?:[^\s"]*/)?\b([a-z_]+\.go:)\d+`)

// withoutFolder makes a position the same on every machine and after every edit.
func withoutFolder(s string) string { return folder.ReplaceAllString(s, "${1}N") }

func where(err error) string { return withoutFolder(filepath.ToSlash(err.Error())) }

func textLogger(to *bytes.Buffer) *slog.Logger {
	return slog.New(slog.NewTextHandler(to, &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey && len(groups) == 0 {
			return slog.Attr{}
		}
		return a
	}}))
}
