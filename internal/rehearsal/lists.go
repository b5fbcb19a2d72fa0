package rehearsal

import (
	"cmp"
	"slices"
	"strings"
)

// listed does what packages slices, maps and sort do without changing their arguments.
func (r *run) listed(name string, args []any) (any, bool) {
	if len(args) == 0 {
		return nil, false
	}
	if p, ok := args[0].(pointer); ok {
		args = slices.Clone(args)
		args[0] = p.to
	}
	switch m := args[0].(type) {
	case table:
		if x, ok := ofMap(name, m, args); ok {
			return x, true
		}
	case sequence:
		if x, ok := r.ofSequence(name, m, args); ok {
			return x, true
		}
	}
	l, ok := r.asList(args[0])
	if name == "slices.Concat" {
		return r.concatenated(args)
	}
	if !ok {
		return nil, false
	}
	if args[0] == nil || args[0] == (zero{}) {
		if x, ok := ofMap(name, table{}, args); ok {
			return x, true
		}
	}
	return r.ofList(name, l, args)
}

func (r *run) concatenated(args []any) (any, bool) {
	var out list
	for _, a := range args {
		l, ok := r.asList(a)
		if !ok {
			return nil, false
		}
		out = append(out, l...)
	}
	if out == nil {
		return nil, true
	}
	return out, true
}

func ofMap(name string, m table, args []any) (any, bool) {
	switch {
	case len(args) != 1:
	case name == "maps.Keys" || name == "maps.All":
		return sequence(m), true
	case name == "maps.Values":
		out := make(sequence, len(m))
		for i, e := range m {
			out[i] = entry{e.value, nil}
		}
		return out, true
	case name == "maps.Clone":
		if m == nil {
			return nil, true
		}
		return m, true
	}
	return nil, false
}

func (r *run) ofSequence(name string, s sequence, args []any) (any, bool) {
	keys := make(list, len(s))
	for i, e := range s {
		keys[i] = e.key
	}
	var out any = keys
	if len(keys) == 0 {
		out = nil
	}
	switch {
	case name == "slices.Collect" && len(args) == 1:
		return out, true
	case name == "maps.Collect" && len(args) == 1:
		all := table{}
		for _, e := range s {
			all = all.put(e.key, e.value)
		}
		return all, true
	case name == "slices.Sorted" && len(args) == 1:
		slices.SortStableFunc(keys, r.compare)
		return out, true
	case (name == "slices.SortedFunc" || name == "slices.SortedStableFunc") && len(args) == 2:
		r.sortBy(args[1], keys)
		return out, true
	}
	return nil, false
}

func (r *run) ofList(name string, l list, args []any) (any, bool) {
	if is, ok := strings.CutPrefix(name, "slices."); ok && len(args) == 2 && is != "Insert" {
		return r.searched(is, l, args)
	}
	switch {
	case name == "slices.Insert" && len(args) >= 2:
		at := r.integer(args[1])
		if at < 0 || at > int64(len(l)) {
			return broken{}, true
		}
		return slices.Insert(slices.Clone(l), int(at), args[2:]...), true
	case name == "slices.Delete" && len(args) == 3:
		i, j := r.integer(args[1]), r.integer(args[2])
		if i < 0 || j < i || j > int64(len(l)) {
			return broken{}, true
		}
		return slices.Delete(slices.Clone(l), int(i), int(j)), true
	case len(args) != 1:
	case name == "slices.Values" || name == "slices.All" || name == "slices.Backward":
		out := make(sequence, len(l))
		for i, v := range l {
			switch name {
			case "slices.Values":
				out[i] = entry{v, nil}
			case "slices.All":
				out[i] = entry{int64(i), v}
			default:
				out[len(l)-1-i] = entry{int64(i), v}
			}
		}
		return out, true
	case name == "slices.Max" || name == "slices.Min":
		switch {
		case len(l) == 0:
			return broken{}, true
		case name == "slices.Max":
			return slices.MaxFunc(l, r.compare), true
		}
		return slices.MinFunc(l, r.compare), true
	case name == "slices.Compact":
		return slices.CompactFunc(slices.Clone(l), r.equal), true
	case name == "slices.IsSorted":
		return slices.IsSortedFunc(l, r.compare), true
	case name == "slices.Clone" || name == "slices.Clip":
		return args[0], true
	}
	return nil, false
}

// searched is a function of package slices with a value or a function as its second argument.
func (r *run) searched(name string, l list, args []any) (any, bool) {
	by := func(v any) bool { return r.truth(r.call(args[1], []any{v})) }
	is := func(v any) bool { return r.equal(v, args[1]) }
	order := func(a, b any) int { return int(r.integer(r.call(args[1], []any{a, b}))) }
	switch name {
	case "Contains":
		return slices.ContainsFunc(l, is), true
	case "ContainsFunc":
		return slices.ContainsFunc(l, by), true
	case "Index":
		return int64(slices.IndexFunc(l, is)), true
	case "IndexFunc":
		return int64(slices.IndexFunc(l, by)), true
	case "DeleteFunc":
		return slices.DeleteFunc(slices.Clone(l), by), true
	case "MaxFunc", "MinFunc":
		switch {
		case len(l) == 0:
			return broken{}, true
		case name == "MaxFunc":
			return slices.MaxFunc(l, order), true
		}
		return slices.MinFunc(l, order), true
	case "IsSortedFunc":
		return slices.IsSortedFunc(l, order), true
	case "Grow":
		return args[0], r.integer(args[1]) >= 0
	case "Chunk":
		n := r.integer(args[1])
		if n < 1 {
			return broken{}, true
		}
		var out sequence
		for part := range slices.Chunk(l, int(n)) {
			out = append(out, entry{list(part), nil})
		}
		return out, true
	case "Equal":
		m, ok := r.asList(args[1])
		return slices.EqualFunc(l, m, r.equal), ok
	case "Repeat":
		n := r.integer(args[1])
		if n < 0 || n > 100 {
			return broken{}, true
		}
		return slices.Repeat(l, int(n)), true
	case "BinarySearch":
		i, found := slices.BinarySearchFunc(l, args[1], r.compare)
		return tuple{int64(i), found}, true
	case "CompactFunc":
		return slices.CompactFunc(slices.Clone(l), func(a, b any) bool { return r.truth(r.call(args[1], []any{a, b})) }), true
	}
	return nil, false
}

// mutated is what a function leaves of its first argument.
func (r *run) mutated(name string, args []any) (any, bool) {
	if len(args) == 0 || slices.ContainsFunc(args, isBroken) {
		return broken{}, len(args) > 0
	}
	if name == "sort.Sort" || name == "sort.Stable" {
		return r.sorted(args)
	}
	if m, is := args[0].(table); is {
		return r.mutatedMap(name, m, args)
	}
	l, ok := r.asList(args[0])
	if !ok {
		return nil, false
	}
	out := slices.Clone(l)
	switch {
	case (name == "slices.Sort" || name == "sort.Strings" || name == "sort.Ints" || name == "sort.Float64s") && len(args) == 1:
		slices.SortStableFunc(out, r.compare)
	case name == "slices.DeleteFunc" || name == "slices.Delete" || name == "slices.Compact" || name == "slices.CompactFunc":
		kept, ok := r.ofList(name, out, args)
		rest, is := kept.(list)
		if !ok || !is {
			return kept, ok
		}
		for len(rest) < len(out) { // what is behind is cleared
			rest = append(rest, zero{})
		}
		out = rest
	case name == "slices.Reverse" && len(args) == 1:
		slices.Reverse(out)
	case (name == "slices.SortFunc" || name == "slices.SortStableFunc") && len(args) == 2:
		r.sortBy(args[1], out)
	case (name == "sort.Slice" || name == "sort.SliceStable") && len(args) >= 2:
		// The function compares by places in the list as it was. Methods of the elements, which may stand behind it, are not
		// called.
		places := make([]int64, len(l))
		for i := range places {
			places[i] = int64(i)
		}
		slices.SortStableFunc(places, func(a, b int64) int {
			if r.truth(r.call(args[1], []any{a, b})) {
				return -1
			}
			return cmp.Compare(btoi(r.truth(r.call(args[1], []any{b, a}))), 0)
		})
		for i, p := range places {
			out[i] = l[p]
		}
	default:
		return nil, false
	}
	switch args[0].(type) {
	case nil, zero: // a nil slice stays one
		return args[0], true
	}
	return out, true
}

// mutatedMap is what a function leaves of a map.
func (r *run) mutatedMap(name string, m table, args []any) (any, bool) {
	if len(args) != 2 {
		return nil, false
	}
	args = r.yielded(name, args)
	switch name {
	case "maps.Insert":
		s, ok := args[1].(sequence)
		for _, e := range s {
			m = m.put(e.key, e.value)
		}
		return m, ok
	case "maps.Copy":
		switch from := args[1].(type) {
		case table:
			for _, e := range from {
				m = m.put(e.key, e.value)
			}
			return m, true
		case nil, zero:
			return m, true
		}
	case "maps.DeleteFunc":
		return slices.DeleteFunc(slices.Clone(m), func(e entry) bool { return r.truth(r.call(args[1], []any{e.key, e.value})) }), true
	}
	return nil, false
}
