package rehearsal

import (
	"slices"
	"strings"

	"github.com/durablegen/durablegen/internal/shape"
)

// spanOfPayload is the span of a number that comes from outside, which may be any, if nothing is known of it. Others may be no
// number, and then neither less than another nor not less.
func (p *program) spanOfPayload(v int, s span, known bool) (span, bool) {
	if !known && p.isPayload(v) {
		return span{lowest, highest, true}, true
	}
	return s, known
}

// isPayload reports whether a value was read from what is stored, or is as good as that.
func (p *program) isPayload(v int) bool {
	switch val := &p.flow.Values[v]; val.Op {
	case "param":
		return true
	case "field", "index":
		return p.isPayload(val.Args[0])
	case "result":
		return len(val.Args) == 1 && p.wholeResult(val.Args[0])
	}
	return false
}

// wholeResult reports whether a future gives what is always equal to itself: a coroutine may have divided nothing by nothing.
func (p *program) wholeResult(future int) bool {
	val := &p.flow.Values[future]
	if val.Op != "future" {
		return false
	}
	node := &p.flow.Nodes[val.Node]
	return node.Kind == shape.Activity || node.Kind == shape.Child || node.Kind == shape.Go && !slices.ContainsFunc(node.Bodies, hasFractions)
}

// hasFractions reports whether a body may compute numbers that have fractions, or calls what may do so.
func hasFractions(f shape.Flow) bool {
	return len(f.Functions) > 0 ||
		slices.ContainsFunc(f.Nodes, func(n shape.Node) bool { return n.Kind == shape.Call || slices.ContainsFunc(n.Bodies, hasFractions) }) ||
		slices.ContainsFunc(f.Values, func(v shape.Value) bool {
			return strings.Contains(v.What, "float") || strings.HasPrefix(v.What, "math.") || v.Op == "apply" || v.Op == "func" || v.Op == "unknown"
		})
}
