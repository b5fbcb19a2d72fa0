package rehearsal

import "slices"

// learnNil adds that a value is nil or not. An error that joins others is nil if all of them are.
func (p *program) learnNil(v int, none bool, known facts) {
	known.none[v] = none
	if f := p.outcomeOf(v); f >= 0 && none && p.flow.Values[v].Op == "error" && p.isThere(f, known) {
		known.well[f] = true
	}
	joined := p.joined(v)
	open := slices.DeleteFunc(slices.Clone(joined), func(e int) bool {
		is, sure := p.isA(e, known, 0, "nil")
		return sure && is
	})
	switch {
	case none:
		for _, e := range joined {
			p.learnNil(e, true, known)
		}
	case len(open) == 1:
		p.learnNil(open[0], false, known)
	}
}

// joined gives the errors that a value joins, nil if it does not. A single argument may be a list of errors, which is told by
// nothing but what it is.
func (p *program) joined(v int) []int {
	val := &p.flow.Values[v]
	if val.Op != "call" || val.What != "errors.Join" {
		return nil
	}
	args := val.Args
	for len(args) > 0 && isCode(p.flow.Values[args[len(args)-1]].Op) {
		args = args[:len(args)-1]
	}
	if len(args) == 1 && !p.isError(args[0]) {
		return nil
	}
	return args
}

// isError reports whether a value is certainly a single error, or none.
func (p *program) isError(v int) bool {
	val := &p.flow.Values[v]
	return val.Op == "error" || val.Op == "ctxerr" || val.Op == "call" && (neverNone[val.What] || val.What == "errors.Join")
}

// neverNone are functions that always give an error.
var neverNone = map[string]bool{"fmt.Errorf": true, "errors.New": true}

// joinsNil tells whether an error that joins others is nil, if that is known.
func (p *program) joinsNil(joined []int, known facts, depth int) (yes, sure bool) {
	all := len(joined) > 0
	for _, e := range joined {
		none, sure := p.isA(e, known, depth+1, "nil")
		if sure && !none {
			return false, true
		}
		all = all && sure
	}
	return all, all
}
