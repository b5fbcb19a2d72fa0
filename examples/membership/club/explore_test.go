package club

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/runtime/durabletest"
)

// TestExploreJoin: whatever goes wrong on the way, the applicant becomes a member once and pays once.
func TestExploreJoin(t *testing.T) {
	t.Parallel()
	durabletest.Explore(t, func(env *durabletest.Env) error {
		t := env.T()
		w, a := newTown(t, env), good()
		env.Fail("ChargeFee", 1, errors.New("the bank is out of breath"))
		w.answers(t, a, day/24)
		w.rules(t, a, 5*day/2, BoardRuling{Approve: true})
		got, err := w.join(t, a)
		if err != nil {
			return err
		}
		if diff := cmp.Diff(Outcome{Decision: Joined, Member: 1}, got); diff != "" {
			return fmt.Errorf("outcome (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(map[string]int{a.ID + "/1": 45_00}, w.money); diff != "" {
			return fmt.Errorf("the club's money (-want +got):\n%s", diff)
		}
		if n := len(w.printed); n != 1 {
			return fmt.Errorf("%d membership cards", n)
		}
		return nil
	})
}
