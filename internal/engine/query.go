package engine

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/durablegen/durablegen/internal/history"
)

// Query answers a question from what a program has in memory. It may read, nothing else.
type Query func(args history.Payload) (history.Payload, error)

// Answer makes fn answer the queries of this name, in place of who did before, until the execution ends. It decides
// nothing and is not recorded: a replay does it again.
func (c *Coroutine) Answer(name string, fn Query) {
	m := c.decide()
	if m.queries == nil {
		m.queries = map[string]Query{}
	}
	m.queries[name] = fn
}

// UnknownQueryError tells that a program does not answer this query.
type UnknownQueryError struct{ Known []string }

func (e *UnknownQueryError) Error() string {
	if len(e.Known) == 0 {
		return "the orchestrator answers no queries: it sets none with SetQueryHandler before it waits"
	}
	return "the orchestrator answers only " + strings.Join(e.Known, ", ")
}

// Ask answers a query while the program is blocked: an [*UnknownQueryError], or what its function says. A panic in it is
// its error. Nothing of the machine changes.
func (m *Machine) Ask(name string, args history.Payload) (result history.Payload, err error) {
	fn := m.queries[name]
	if fn == nil {
		return nil, &UnknownQueryError{Known: slices.Sorted(maps.Keys(m.queries))}
	}
	m.asking = true
	defer func() {
		m.asking = false
		if r := recover(); r != nil {
			result, err = nil, fmt.Errorf("panic: %v", r)
		}
	}()
	return fn(args)
}
