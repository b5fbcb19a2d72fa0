package lock_test

import (
	"testing"

	"github.com/durablegen/durablegen/gen/internal/load"
	"github.com/durablegen/durablegen/gen/internal/lock"
	"github.com/durablegen/durablegen/internal/shape"
)

func BenchmarkFlows(b *testing.B) {
	program, list := sources(b, load.Config{Dir: "../../..", Patterns: []string{"./examples/membership/club"}})
	for b.Loop() {
		for _, flow := range lock.Flows(program.Fset, list, nil, nil) {
			shape.Canonical(flow)
		}
	}
}
