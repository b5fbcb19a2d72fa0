package owner

// Unload drops every instance that has nothing under way, for tests: as if all of them had fallen out of the cache.
func (g *Group) Unload() {
	for _, p := range g.partitions {
		p.unload()
	}
}

func (p *Partition) unload() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for e := p.recent.Back(); e != nil; {
		i := e.Value.(*instance)
		e = e.Prev()
		if i.idle() {
			p.remove(i)
		}
	}
}
