package shape

// look notes what coroutines draw: then it matters who comes first. Code that cannot be looked into may draw anything.
func (j *judgement) look(g *graph) {
	for _, body := range g.inner {
		for i := range body.Nodes {
			switch k := body.Nodes[i].Kind; k {
			case UUID, Random:
				j.beside[k] = true
			case Call:
				j.beside[UUID], j.beside[Random] = true, true
			}
		}
		j.look(body)
	}
}

// asked notes which answers of Context.Version anything depends on.
func (j *judgement) asked(g *graph) {
	here := map[string]bool{}
	for i := range g.Nodes {
		if n := &g.Nodes[i]; n.Kind == Marker {
			j.markers[n.Target] = j.markers[n.Target] || g.live[n.Next[0]].has(i)
			here[n.Target] = true
		}
	}
	for id := range here {
		j.askers[id]++
	}
	for _, body := range g.inner {
		j.asked(body)
	}
}

// stays reports whether the new flow has a marker that is there for those who have it recorded, and for nothing else.
func (j *judgement) stays(id string) bool {
	read, there := j.markers[id]
	return there && !read
}

// shared reports whether somebody else may draw of a sequence just now.
func (w *walk) shared(s *state, kind NodeKind) bool {
	return w.strict || w.together(s) && w.j.beside[kind]
}
