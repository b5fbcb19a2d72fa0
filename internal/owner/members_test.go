package owner

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
)

type noCode struct{}

func (noCode) Program(string, string) (engine.Program, bool)          { return nil, false }
func (noCode) Resolve(_ history.SlotKind, name string) (known string) { return name }
func (noCode) Orchestrators() []string                                { return nil }

// TestFence: a worker that has been silent for longer than the dead time fences itself, once, when there are others who
// may have judged it. A worker alone goes on: nobody has taken its partitions.
func TestFence(t *testing.T) {
	const dead = time.Second
	begin := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name      string
		other     bool
		silence   time.Duration
		connected bool
		fence     bool
	}{
		{"among others", true, 2 * dead, true, true},
		{"among others, not connected", true, 2 * dead, false, true},
		{"in time", true, dead / 2, true, false},
		{"alone", false, 2 * dead, true, false},
		{"alone, not connected", false, 2 * dead, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newMembers(&Config{Worker: "me", Code: noCode{}, Heartbeat: dead / 4, Dead: dead})
			m.beaten(begin, true)
			m.hear(beatOf(t, "me"), begin)
			if c.other {
				m.hear(beatOf(t, "other"), begin)
			}
			now := begin.Add(c.silence)
			if fence := m.beaten(now, c.connected); fence != c.fence {
				t.Errorf("fence: %t, want %t", fence, c.fence)
			}
			if m.beaten(now, c.connected) {
				t.Error("it fences itself again")
			}
		})
	}
}

// TestJoiner: a worker that has just joined takes part at once: it takes what one that leaves has released. A deploy starts the
// new workers first.
func TestJoiner(t *testing.T) {
	const dead = 2 * time.Second
	now := time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)
	m := newMembers(&Config{Worker: "me", Group: "g", Code: noCode{}, Heartbeat: dead / 4, Dead: dead})
	m.beaten(now, true)
	m.hear(beatOf(t, "me"), now)
	m.hear(beatOf(t, "other"), now)
	for _, c := range []struct {
		left string
		want int
	}{{"", 4}, {"other", 8}} {
		now = now.Add(dead / 20)
		if c.left != "" {
			m.hear(newMembers(&Config{Worker: c.left, Code: noCode{}}).beat(true), now)
		}
		owners, ok := m.owners(now, 8)
		if mine := len(slices.DeleteFunc(owners, func(w string) bool { return w != "me" })); !ok || mine != c.want {
			t.Errorf("%q has left: it owns %d of 8 partitions (judged: %t), want %d", c.left, mine, ok, c.want)
		}
	}
}

// TestSleeper: a worker that has slept for longer than the dead time does not take the others for dead because it has not
// heard them: it judges nobody until it has beaten, and so fenced itself, and listened for the dead time.
func TestSleeper(t *testing.T) {
	const dead = 2 * time.Second
	now := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	m := newMembers(&Config{Worker: "me", Group: "g", Code: noCode{}, Heartbeat: dead / 4, Dead: dead})
	owned := func() (mine int, ok bool) {
		owners, ok := m.owners(now, 8)
		for _, w := range owners {
			if w == "me" {
				mine++
			}
		}
		return mine, ok
	}
	m.beaten(now, true)
	m.hear(beatOf(t, "me"), now)
	m.hear(beatOf(t, "other"), now)
	now = now.Add(dead / 4)
	if mine, ok := owned(); !ok || mine != 4 {
		t.Fatalf("it owns %d of 8 partitions (judged: %t), want 4", mine, ok)
	}
	now = now.Add(2 * dead) // it sleeps
	if mine, ok := owned(); ok {
		t.Errorf("it wakes up and believes to own %d partitions", mine)
	}
	if !m.beaten(now, true) {
		t.Error("it does not fence itself")
	}
	now = now.Add(dead / 2)
	m.hear(beatOf(t, "other"), now)
	m.beaten(now, true)
	if mine, ok := owned(); ok {
		t.Errorf("it has not listened for long and believes to own %d partitions", mine)
	}
	now = now.Add(dead / 2)
	if mine, ok := owned(); !ok || mine != 4 {
		t.Errorf("afterwards it owns %d of 8 partitions (judged: %t), want 4", mine, ok)
	}
}

func beatOf(t *testing.T, worker string) []byte {
	t.Helper()
	data, err := json.Marshal(heartbeat{Worker: worker})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestResigned: a worker that resigned owns nothing, until it takes that back.
func TestResigned(t *testing.T) {
	now := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	m := newMembers(&Config{Worker: "me", Code: noCode{}, Heartbeat: time.Second, Dead: 4 * time.Second})
	m.beaten(now, true)
	now = now.Add(5 * time.Second)
	m.beaten(now, true)
	now = now.Add(4 * time.Second)
	for _, away := range []bool{false, true, false} {
		if m.resign(away); m.resigned() != away {
			t.Errorf("resign(%t) is not remembered", away)
		}
		owners, ok := m.owners(now, 1)
		if want := map[bool]string{true: "", false: "me"}[away]; !ok || owners[0] != want {
			t.Errorf("resigned %t: the owner is %q (judged: %t), want %q", away, owners[0], ok, want)
		}
	}
}
