package shape

import "slices"

// Keep gives the lock of the new code with orchestrators of the old one in the place of those that keep says, by wire name
// and version: what running instances began with, and the activities and events that it decides over, is not forgotten
// before somebody accepts that.
func Keep(old, now *Lock, keep func(name, version string) bool) *Lock {
	out := *now
	m := merger{old: old, out: &out, offset: TypeRef(len(now.Types))}
	out.Types = append(out.Types[:len(out.Types):len(out.Types)], m.shifted()...)
	out.Accepted = slices.Clone(old.Accepted)
	kept := func(o Orchestrator) bool { return keep(o.Name, o.Version) }
	out.Orchestrators = slices.DeleteFunc(slices.Clone(now.Orchestrators), kept)
	used := map[NodeKind]map[string]bool{Activity: {}, Receive: {}, Child: {}}
	for _, o := range old.Orchestrators {
		if !kept(o) {
			continue
		}
		o.Params, o.Result, o.Flow = m.params(o.Params), m.ref(o.Result), m.flow(o.Flow)
		out.Orchestrators = append(out.Orchestrators, o)
		o.Flow.uses(used)
	}
	out.Activities = m.endpoints(old.Activities, now.Activities, used[Activity])
	out.Events = m.endpoints(old.Events, now.Events, used[Receive])
	out.Children = m.endpoints(old.Children, now.Children, used[Child])
	return &out
}

// Uses gives the names of the activities, events and children of a flow, by kind; those of events stand under Receive.
func (f Flow) Uses() map[NodeKind]map[string]bool {
	used := map[NodeKind]map[string]bool{Activity: {}, Receive: {}, Child: {}}
	f.uses(used)
	return used
}

func (f Flow) uses(used map[NodeKind]map[string]bool) {
	for _, n := range f.Nodes {
		kind := n.Kind
		if kind == Send {
			kind = Receive
		}
		if used[kind] != nil {
			used[kind][n.Target] = true
		}
		for _, b := range n.Bodies {
			b.uses(used)
		}
	}
	for _, fn := range f.Functions {
		fn.Flow.uses(used)
	}
	if f.Run != nil {
		f.Run.uses(used)
	}
}

// merger moves entries of the old lock into one whose types begin with the new ones.
type merger struct {
	old, out *Lock
	offset   TypeRef
}

func (m merger) ref(r TypeRef) TypeRef {
	if r == NoType {
		return r
	}
	return r + m.offset
}

func (m merger) shifted() []Type {
	list := slices.Clone(m.old.Types)
	for i := range list {
		t := &list[i]
		t.Key, t.Elem = m.ref(t.Key), m.ref(t.Elem)
		t.Fields = slices.Clone(t.Fields)
		for j := range t.Fields {
			t.Fields[j].Type = m.ref(t.Fields[j].Type)
		}
	}
	return list
}

func (m merger) params(list []Param) []Param {
	list = slices.Clone(list)
	for i := range list {
		list[i].Type = m.ref(list[i].Type)
	}
	return list
}

func (m merger) flow(f Flow) Flow {
	f.Nodes = slices.Clone(f.Nodes)
	for i := range f.Nodes {
		n := &f.Nodes[i]
		n.Type, n.Bodies = m.ref(n.Type), slices.Clone(n.Bodies)
		for j := range n.Bodies {
			n.Bodies[j] = m.flow(n.Bodies[j])
		}
	}
	f.Functions = slices.Clone(f.Functions)
	for i := range f.Functions {
		f.Functions[i].Flow = m.flow(f.Functions[i].Flow)
	}
	if f.Run != nil {
		run := m.flow(*f.Run)
		f.Run = &run
	}
	return f
}

// endpoints gives the new ones, with the old one where a kept orchestrator uses it.
func (m merger) endpoints(old, now []Endpoint, used map[string]bool) []Endpoint {
	var out []Endpoint
	had := map[string]bool{}
	for _, e := range old {
		if e.answers(used) {
			e.Params, e.Result = m.params(e.Params), m.ref(e.Result)
			out, had[e.Name] = append(out, e), true
		}
	}
	for _, e := range now {
		if !had[e.Name] {
			out = append(out, e)
		}
	}
	return out
}
