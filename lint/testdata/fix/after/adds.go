package fix

import (
	"maps"
	"slices"

	durable "github.com/durablegen/durablegen/runtime"
)

//durable:orchestrator
func AddsImports(ctx durable.Context, in map[string]int) ([]string, error) {
	var keys []string
	for _, k := range slices.Sorted(maps.Keys(in)) {
		keys = append(keys, k)
	}
	return keys, nil
}
