package membackend

// Floor implements backend.Log.
func (v *View) Floor(done func(floor, next uint64, err error)) {
	type floors struct{ floor, next uint64 }
	ask(v, op{verb: "read the floors"}, Verdict{}, false, func() (floors, error) {
		next := uint64(len(v.m.log.all) + 1)
		f := floors{next, next}
		for _, c := range v.m.consumers() {
			f.floor = min(f.floor, c.lowest(next))
		}
		return f, nil
	}, func(f floors, err error) { done(f.floor, f.next, err) })
}

// lowest is the first message that is not acknowledged, or none.
func (c *consumer) lowest(none uint64) uint64 {
	for n := c.floor; n < len(c.items); n++ {
		if it := &c.items[n]; it.state != acked && !it.gone {
			return it.seq
		}
	}
	return none
}

// Shorten implements backend.Log.
func (v *View) Shorten(before uint64, done func(err error)) {
	ask(v, op{verb: "shorten the log"}, Verdict{}, false, func() (struct{}, error) {
		v.m.log.purge(before)
		return struct{}{}, nil
	}, func(_ struct{}, err error) { done(err) })
}

// Sweep implements backend.Log. Payloads are part of their messages here.
func (v *View) Sweep(done func(err error)) {
	ask(v, op{verb: "sweep"}, Verdict{}, false, func() (struct{}, error) { return struct{}{}, nil }, func(_ struct{}, err error) { done(err) })
}
