package club

import (
	"testing"

	durable "github.com/durablegen/durablegen/runtime"
)

// TestAPhoneIsVerifiedEveryMonth: a schedule of the real orchestrator, over a year.
func TestAPhoneIsVerifiedEveryMonth(t *testing.T) {
	t.Parallel()
	env := phone(t)
	monthly := durable.Schedule{ID: "phones", Cron: []string{"@monthly"}, TimeZone: "Europe/Berlin"}
	must(t, VerifyPhoneOrchestrator.Schedule(t.Context(), env.Client(), monthly, good(), HouseRules(day)))
	env.Advance(365 * day)
	if n := len(env.Calls("SendChallenge")); n != 12 {
		t.Errorf("%d challenges in a year", n)
	}
}
