package rehearsal

import "cmp"

// info is what an instance can ask of itself. It may have been started by a client, by an instance that a client started, or
// by one further down.
func (r *run) info(what string) any {
	id := cmp.Or(r.s.drawnText("info Context.InstanceID"), "i")
	parent, root := "", id
	switch r.s.pick(3, "family") {
	case 1:
		parent, root = "parent", "parent"
	case 2:
		parent, root = "parent", "root"
	}
	switch what {
	case "Context.InstanceID":
		return id
	case "Context.ParentID":
		return parent
	case "Context.RootID":
		return root
	case "Context.Name": // that of the time when the instance was started
		before := r.p.side.before.of
		if n := r.s.pick(len(before.Aliases)+1, "alias"); n > 0 {
			return before.Aliases[n-1]
		}
		return before.Name
	}
	return r.s.unknown("info", what)
}
