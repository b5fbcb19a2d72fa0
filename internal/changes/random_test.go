package changes_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

var (
	seed  = flag.Uint64("seed", 0, "the programs of TestDrawnPrograms; 0: others each time")
	drawn = flag.Int("drawn", 30, "how many programs TestDrawnPrograms draws")
)

// TestDrawnPrograms draws programs and changes of them: what the lock or the replay check calls safe must not break.
func TestDrawnPrograms(t *testing.T) {
	t.Parallel()
	from := *seed
	if from == 0 {
		from = uint64(time.Now().UnixNano())
	}
	t.Logf("-seed %d", from)
	var pairs []pair
	for n := range *drawn {
		pairs = append(pairs, drawPair(n, rand.New(rand.NewPCG(from, uint64(n)))))
	}
	verdicts, outcomes := judge(t, pairs), runPairs(t, pairs)
	broken, strict := 0, 0
	for n, o := range outcomes {
		v, p := verdicts[n], pairs[n]
		switch {
		case o.Error != "":
			t.Errorf("%s: %s", p.name, o.Error)
		case o.Broken != "" && !v.unsafe:
			t.Errorf("%s (%s): the lock says that it is safe, but: %s\n%s\n%s", p.name, p.comment, o.Broken, p.before["drawn/do.go"], p.after["drawn/do.go"])
		case o.Broken != "" && o.Replay == "":
			t.Errorf("%s (%s): the replay check lets it pass, but: %s", p.name, p.comment, o.Broken)
		case o.Broken == "" && v.unsafe:
			strict++
			t.Logf("%s (%s): nothing broke, and the lock says: %s", p.name, p.comment, strings.Join(v.texts, "; "))
		}
		if o.Broken != "" {
			broken++
		}
	}
	t.Logf("%d programs, of which %d break; %d more are called unsafe", len(pairs), broken, strict)
}

// drawPair draws a program and a change of it: of what it does, of how it is spelled, or of both.
func drawPair(n int, r *rand.Rand) pair {
	body := randomBody(r, 2)
	changed, how := clone(body), "spelled otherwise"
	odd := r.IntN(3) == 0
	if !odd || r.IntN(2) == 0 {
		how = edit(r, &changed)
	}
	var scenarios strings.Builder
	for b := range 5 {
		fmt.Fprintf(&scenarios, "== b is %d\nstart drawn.Do {\"a\":1,\"b\":%d}\n", b, b)
		for range 6 {
			fmt.Fprintf(&scenarios, "raise drawn.Hint {\"n\":%d}\n", b)
		}
	}
	return pair{
		name: fmt.Sprintf("drawn%02d", n), comment: how, scenarios: scenarios.String(),
		before: map[string][]byte{"drawn/do.go": source(body, false)},
		after:  map[string][]byte{"drawn/do.go": source(changed, odd)},
	}
}
