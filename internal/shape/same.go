package shape

import (
	"bytes"
	"slices"
)

// Unchanged gives the orchestrators, by wire name and version, of which nothing in the lock has changed: neither what they
// decide nor the types, activities and events that they decide over. Both locks have canonical flows.
func Unchanged(old, now *Lock) map[[2]string]bool {
	same := map[[2]string]bool{}
	for _, o := range old.Orchestrators {
		i := slices.IndexFunc(now.Orchestrators, func(n Orchestrator) bool { return n.Name == o.Name && n.Version == o.Version })
		if i >= 0 && bytes.Equal(old.around(&o).Text(), now.around(&now.Orchestrators[i]).Text()) {
			same[[2]string{o.Name, o.Version}] = true
		}
	}
	return same
}

// around gives the part of a lock that one orchestrator needs.
func (l *Lock) around(o *Orchestrator) *Lock {
	used, own := o.Flow.Uses(), *o
	own.Flow.Run = nil // it is another way to say the same
	return &Lock{
		Format: l.Format, Types: l.Types, Orchestrators: []Orchestrator{own},
		Activities: answering(l.Activities, used[Activity]), Events: answering(l.Events, used[Receive]), Children: answering(l.started(), used[Child]),
	}
}

// started are the orchestrators that a flow may start, those of the package included.
func (l *Lock) started() []Endpoint {
	all := slices.Clone(l.Children)
	for _, o := range l.Orchestrators {
		all = append(all, Endpoint{Name: o.Name, Aliases: o.Aliases, Params: o.Params, Result: o.Result})
	}
	return all
}

func answering(list []Endpoint, used map[string]bool) []Endpoint {
	var out []Endpoint
	for _, e := range list {
		if e.answers(used) {
			out = append(out, e)
		}
	}
	return out
}

// answers reports whether an endpoint is meant by one of the names.
func (e *Endpoint) answers(names map[string]bool) bool {
	return names[e.Name] || slices.ContainsFunc(e.Aliases, func(alias string) bool { return names[alias] })
}
