package rehearsal

import "github.com/durablegen/durablegen/internal/shape"

// beyond reports whether a value is the answer of a marker that the old code certainly does not have. No history of the old
// code has it, so it is yes only where that history has ended: what is decided behind a yes was decided by the new code, and
// nothing that the old one has decided comes behind it. For what is replayed the answer is no.
func (p *program) beyond(v int) bool {
	val := &p.flow.Values[v]
	if val.Op != "result" || len(val.Args) > 0 || p.flow.Nodes[val.Node].Kind != shape.Marker {
		return false
	}
	before := p.side.before
	return !before.hides && !before.markers[p.flow.Nodes[val.Node].Target]
}

// hides reports whether a node may ask for versions that its flow does not tell.
func hides(n *shape.Node) bool {
	return n.Kind == shape.Call || n.Kind == shape.Go && len(n.Bodies) == 0
}
