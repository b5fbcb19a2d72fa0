package backend_test

import (
	"testing"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

// TestFirst: a run is known as it first began from its base alone, and from the base of a history that was rewound. A base of
// before the first version was kept gives the one that goes on.
func TestFirst(t *testing.T) {
	t.Parallel()
	base := func(first *string) history.Message {
		return history.Message{Seq: 9, Record: &history.Turn{Run: 2, At: 7, End: &history.End{Status: history.ContinuedAsNew, Base: &history.Base{
			Start: history.Start{Run: 2, Orchestrator: "o", Version: "2", Input: history.Payload("8")}, First: history.Payload("7"), Version: first,
		}}}}
	}
	rewound := func(b history.Message) history.Message {
		start := *backend.StartOf(&b).Record.(*history.Start)
		start.Run, start.Prior = 3, &history.Prior{Run: 2, Messages: history.Messages{b}}
		return history.Message{Seq: 20, Record: &start}
	}
	none, one := "", "1"
	for name, c := range map[string]struct {
		first *string
		want  string
	}{"none": {&none, ""}, "one": {&one, "1"}, "not kept": {nil, "2"}} {
		b := base(c.first)
		for from, first := range map[string]history.Message{"base": b, "rewound": rewound(b)} {
			a := backend.Archive{Messages: []history.Message{first}}
			if s := a.First(); s == nil || s.Version != c.want || string(s.Input) != "7" {
				t.Errorf("%s, %s: the run began with %+v, want version %q and input 7", name, from, s, c.want)
			}
		}
		if start := backend.StartOf(&b).Record.(*history.Start); start.Version != "2" {
			t.Errorf("%s: what goes on is version %q, want 2", name, start.Version)
		}
	}
	if s := (&backend.Archive{}).First(); s != nil {
		t.Errorf("of nothing: %+v", s)
	}
	if s := (&backend.Loaded{}).First(); s != nil {
		t.Errorf("of nothing: %+v", s)
	}
}
