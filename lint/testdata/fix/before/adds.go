package fix

import durable "github.com/durablegen/durablegen/runtime"

//durable:orchestrator
func AddsImports(ctx durable.Context, in map[string]int) ([]string, error) {
	var keys []string
	for k := range in {
		keys = append(keys, k)
	}
	return keys, nil
}
