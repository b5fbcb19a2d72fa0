package changes_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/durablegen/durablegen/gen"
)

// example is the module of the pairs for the static judgement: the same for both sides.
const example = "example.com"

// What the lock has to come to: of a hundred pairs it agrees on so many, and of a hundred findings in unsafe pairs so many
// point to a line that was changed.
const (
	leastAgreed = 95
	leastPlaced = 90
)

// judged is what the lock says of a pair.
type judged struct {
	unsafe bool
	at     []string // file:line of its unsafe findings
	texts  []string
}

// TestStatic asks the lock about every pair: it must say what TestPairs has shown to be so, of each of the corpus and of none of the
// limits. So what it learns is seen, as well as what it forgets.
func TestStatic(t *testing.T) {
	t.Parallel()
	debug.SetGCPercent(200) // it lives on garbage
	pairs := chosen(readPairs(t))
	verdicts := judge(t, pairs)
	agreed, passed, findings, hits := 0, 0, 0, 0
	for n, p := range pairs {
		v := verdicts[n]
		says := map[bool]string{true: "unsafe", false: "safe"}[v.unsafe]
		if p.limit == (says == p.want.Verdict) {
			t.Errorf("%s is %s, and the lock calls it %s; is it in %s: %t: %s", p.name, p.want.Verdict, says, limits, p.limit, strings.Join(v.texts, "; "))
		}
		if said := slices.Sorted(slices.Values(v.texts)); p.want.Says != nil && !slices.Equal(said, p.want.Says) {
			t.Errorf("%s: the lock says %q, want %q", p.name, said, p.want.Says)
		}
		agreed += btoi(says == p.want.Verdict)
		passed += btoi(says == "safe" && p.want.Verdict == "unsafe")
		if p.want.Verdict != "unsafe" || !v.unsafe {
			continue
		}
		for n, at := range v.at {
			findings++
			if p.changed(at) {
				hits++
			} else {
				t.Logf("%s: the lock points to %s: %s; changed are %v", p.name, at, v.texts[n], p.want.At)
			}
		}
	}
	t.Logf("%d pairs: the lock agrees on %d (%.1f %%), %d unsafe ones pass; of %d findings in unsafe pairs %d point to a changed line (%.1f %%)",
		len(pairs), agreed, percent(agreed, len(pairs)), passed, findings, hits, percent(hits, findings))
	if *only == "" && percent(agreed, len(pairs)) < leastAgreed {
		t.Errorf("the lock agrees on fewer than %d %% of the pairs", leastAgreed)
	}
	if *only == "" && percent(hits, findings) < leastPlaced {
		t.Errorf("fewer than %d %% of the findings point to a changed line", leastPlaced)
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func percent(n, of int) float64 { return 100 * float64(n) / float64(max(of, 1)) }

// changed reports whether a place, as file:line, is one that the pair has changed. What has no such line at all may be
// told anywhere.
func (p pair) changed(place string) bool {
	if len(p.want.At) == 0 {
		return true
	}
	for file, lines := range p.want.At {
		if slices.ContainsFunc(lines, func(line int) bool { return place == fmt.Sprintf("%s:%d", file, line) }) {
			return true
		}
	}
	return false
}

// judge writes the locks of the old sides, and compares the new ones with them, in the order of the pairs.
func judge(t *testing.T, pairs []pair) []judged {
	t.Helper()
	dir := newModule(t, example)
	for _, p := range pairs {
		writeSide(t, p.before, example, dir, p.name)
	}
	generate(t, dir)
	for _, p := range pairs {
		for name := range p.before {
			if err := os.Remove(filepath.Join(dir, p.name, name)); err != nil {
				t.Fatal(err)
			}
		}
		writeSide(t, p.after, example, dir, p.name)
	}
	result, err := gen.Generate(context.Background(), gen.Config{Dir: dir, Patterns: []string{"./..."}})
	if err != nil || len(result.Diagnostics) > 0 {
		t.Fatalf("generate the new sides: %v, %v", err, result.Diagnostics)
	}
	verdicts := make([]judged, len(pairs))
	for _, f := range result.Findings {
		rel, err := filepath.Rel(dir, f.Pos.Filename)
		if err != nil {
			t.Fatal(err)
		}
		name, file, _ := strings.Cut(filepath.ToSlash(rel), "/")
		n := slices.IndexFunc(pairs, func(p pair) bool { return p.name == name })
		if n < 0 {
			t.Fatalf("a finding is of no pair: %+v", f)
		}
		if !f.Safe {
			v := &verdicts[n]
			v.unsafe = true
			v.at = append(v.at, fmt.Sprintf("%s:%d", file, f.Pos.Line))
			v.texts = append(v.texts, f.Change)
		}
	}
	return verdicts
}
