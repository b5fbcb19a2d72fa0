package lock

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/durablegen/durablegen/internal/shape"
)

// A function in a flow to run may be in itself, by another that it calls or by an interface. So a declared one is told by its
// name while flows are written, and by what it does with all that it calls only when all are there.

// told is a function that takes nothing from around it, read once.
func (m *machine) told(name string, read func(begun func(*machine)) *value) *value {
	name += " in " + m.root().home.Path()
	if body := m.named[name]; body != nil {
		return m.make(value{op: "lambda", body: body, pos: body.nodes[0].pos})
	}
	return read(func(sub *machine) {
		sub.name = name
		m.named[name] = sub
	})
}

// namedValue writes a function that has a name.
func (e *emitter) namedValue(v *value, out *shape.Value) {
	body := v.body
	if e.bodies == nil { // by a hash of what is around it
		out.Sum = e.sourcesOf(body)
		return
	}
	out.Sum = body.name
	if _, done := e.bodies[withheld+body.name]; done {
		return
	}
	if _, done := e.bodies[body.name]; done {
		return
	}
	e.bodies[body.name] = shape.Flow{} // it is being written
	flow, imports := body.emitFrom(0, e.bodies)
	delete(e.bodies, body.name)
	body.lost = body.lost || len(imports) > 0
	e.tell(body.name, body, shape.Canonical(flow))
}

// sourcesOf is a hash of the source of a function that has a name; of one that only passes on a call, of all methods.
func (e *emitter) sourcesOf(body *machine) string {
	if f := body.entry; f != nil && f.fn != nil {
		return e.program.source(f.fn.decl.Body, f.fn.info)
	}
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(e.methods)) {
		for _, fn := range e.methods[name] {
			h.Write([]byte(e.program.source(fn.decl.Body, fn.info)))
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// withheld is in front of the names of functions of which a flow does not have all that they do.
const withheld = "-"

// tell keeps what a function does.
func (e *emitter) tell(sum string, body *machine, flow shape.Flow) {
	switch {
	case e.bodies == nil:
	case !body.lost && complete(flow):
		e.bodies[sum] = flow
	case e.runs:
		e.bodies[withheld+sum] = flow
	}
}

// summed gives a flow the functions in it, told by hashes of what they do.
func summed(flow shape.Flow, bodies map[string]shape.Flow) shape.Flow {
	sums := map[string]string{}
	for name := range bodies {
		name = strings.TrimPrefix(name, withheld)
		sums[name] = sumWith(name, bodies)
	}
	of := func(name string) string {
		if sum := sums[name]; sum != "" {
			return sum
		}
		return name
	}
	functions := map[string]shape.Flow{}
	for name, body := range bodies {
		if !strings.HasPrefix(name, withheld) {
			functions[of(name)] = withSums(body, of)
		}
	}
	flow = withSums(flow, of)
	for _, sum := range slices.Sorted(maps.Keys(functions)) {
		flow.Functions = append(flow.Functions, shape.Function{Sum: sum, Flow: functions[sum]})
	}
	return flow
}

// sumWith is a hash of a function and of all those in it, which have the numbers in the order in which one comes to them.
func sumWith(name string, bodies map[string]shape.Flow) string {
	h, order := sha256.New(), []string{name}
	for i := 0; i < len(order); i++ {
		body, ok := bodies[order[i]]
		if !ok {
			body = bodies[withheld+order[i]]
		}
		text, err := json.Marshal(untyped(withSums(body, func(name string) string {
			if _, there := bodies[name]; !there {
				if _, there = bodies[withheld+name]; !there {
					return name
				}
			}
			n := slices.Index(order, name)
			if n < 0 {
				n, order = len(order), append(order, name)
			}
			return "function " + strconv.Itoa(n)
		})))
		if err != nil {
			return "?" // a flow is plain data
		}
		h.Write(text)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// withSums is a flow in which functions are told otherwise.
func withSums(flow shape.Flow, of func(string) string) shape.Flow {
	flow.Values, flow.Nodes = slices.Clone(flow.Values), slices.Clone(flow.Nodes)
	for i := range flow.Values {
		if v := &flow.Values[i]; v.Op == "func" && v.Sum != "" {
			v.Sum = of(v.Sum)
		}
	}
	for i := range flow.Nodes {
		n := &flow.Nodes[i]
		n.Bodies = slices.Clone(n.Bodies)
		for k := range n.Bodies {
			n.Bodies[k] = withSums(n.Bodies[k], of)
		}
	}
	return flow
}
