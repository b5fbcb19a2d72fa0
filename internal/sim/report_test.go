package sim

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var (
	lacking = flag.String("without", "", "the rule that TestRepeat switches off and TestEveryRuleIsNeeded looks at, by the beginning of its name")
	dropped = flag.String("drop", "", "what TestRepeat leaves out of the programs: i0,i2.1")
	kept    = flag.String("keep", "all", "the mishaps that TestRepeat lets happen, in hexadecimal")
	tiny    = flag.Bool("tiny", false, "TestRepeat: workers keep one instance a partition in memory")
	keyed   = flag.Bool("keys", false, "TestRepeat: workers have different keys")
	all     = flag.Bool("all", false, "tell also of deliveries, loads and acknowledgements")
)

// Error tells how the world ends, what is in it and what happens there, and how to run it again.
func (x *shrunk) Error() string {
	s := x.setup
	s.tell = true
	w, f := simulate(s)
	if f == nil {
		return fmt.Sprintf("seed %d ended badly once, and well when it was run again: the run depends on something else than its seed: %v", x.seed, x.failure)
	}
	var out strings.Builder
	fmt.Fprintf(&out, "seed %d", x.seed)
	if x.name != "" {
		fmt.Fprintf(&out, ", without %s", x.name)
	}
	fmt.Fprintf(&out, ": %v\n", f)
	fmt.Fprintf(&out, "%d of %d mishaps are left, and %d of %d instances (%d runs):\n", len(w.mishaps), x.mishaps, len(w.wanted), instances, x.runs)
	for _, id := range slices.Sorted(maps.Keys(w.wanted)) {
		fmt.Fprintf(&out, "  %s: %s\n", id, describe(w.wanted[id].program))
	}
	out.WriteString(w.trace(*all))
	fmt.Fprintf(&out, "again: %s\n", x.command())
	return out.String()
}

// command repeats a world.
func (x *shrunk) command() string {
	var c strings.Builder
	fmt.Fprintf(&c, "go test ./internal/sim -run TestRepeat -v -seed %d", x.seed)
	if x.name != "" {
		fmt.Fprintf(&c, " -without %q", x.name)
	}
	if x.keys {
		c.WriteString(" -keys")
	}
	if x.tiny {
		c.WriteString(" -tiny")
	}
	if len(x.drop) > 0 {
		fmt.Fprintf(&c, " -drop %s", strings.Join(slices.Sorted(maps.Keys(x.drop)), ","))
	}
	if x.keep != nil {
		var ids []string
		for _, id := range slices.Sorted(maps.Keys(x.keep)) {
			ids = append(ids, strconv.FormatUint(uint64(id), 16))
		}
		fmt.Fprintf(&c, " -keep %s", strings.Join(ids, ","))
	}
	return c.String()
}

// TestRepeat runs one world again, as the command below a trace says. Without -keep it shrinks the world.
func TestRepeat(t *testing.T) {
	if *kept == "all" && *lacking == "" && *dropped == "" {
		return // nobody asks
	}
	x := &shrunk{setup: setup{seed: *first, keys: *keyed, tiny: *tiny, drop: map[string]bool{}}}
	if *lacking != "" {
		r := ruleOf(*lacking)
		if r == nil {
			t.Fatalf("there is no rule %q", *lacking)
		}
		x.name, x.off = r.name, r.off
	}
	for _, part := range strings.FieldsFunc(*dropped, func(r rune) bool { return r == ',' }) {
		x.drop[part] = true
	}
	if *kept != "all" {
		x.keep = map[uint32]bool{}
		for _, word := range strings.FieldsFunc(*kept, func(r rune) bool { return r == ',' }) {
			id, err := strconv.ParseUint(word, 16, 32)
			if err != nil {
				t.Fatal(err)
			}
			x.keep[uint32(id)] = true
		}
	}
	if _, f := simulate(x.setup); f != nil {
		if *kept == "all" {
			least := shrink(x.setup, f, *runs)
			least.name = x.name
			t.Fatal(least)
		}
		x.failure, x.mishaps = f, len(x.keep)
		t.Fatal(x.Error())
	}
	t.Log("it ends well")
}
