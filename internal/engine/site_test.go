package engine_test

import (
	"testing"
)

// BenchmarkSite is what the site of a decision costs, without the frames that a handle and a generic function add.
func BenchmarkSite(b *testing.B) {
	begin(b, func(c *co, _ payloadT) (payloadT, error) {
		b.ReportAllocs()
		for b.Loop() {
			c.Site()
		}
		return nil, nil
	}).Close()
}

// TestSitesAreRemembered: they lie on the path of every decision.
func TestSitesAreRemembered(t *testing.T) {
	machineOf(t, func(c *co, _ payloadT) (payloadT, error) {
		if n := testing.AllocsPerRun(100, func() { c.Site() }); n > 0 {
			t.Errorf("a site that is known allocates %v times", n)
		}
		return nil, nil
	}).Begin()
}
