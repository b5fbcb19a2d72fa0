package natsbackend

// table holds the calls that wait for an answer, by token. A token holds the call's place, so finding it takes no hashing,
// and the number of the call, so a late answer finds nobody.
type table struct {
	places []*call
	free   []uint32
	size   int
	owed   [leaders]int // of them, those that a leader has to answer
	count  uint64       // calls so far
}

const placeBits = 16 // of a token; more than window

// add gives c a place and a token.
func (t *table) add(c *call) {
	t.count++
	var place uint32
	if n := len(t.free); n > 0 {
		place, t.free = t.free[n-1], t.free[:n-1]
	} else {
		place = uint32(len(t.places))
		t.places = append(t.places, nil)
	}
	t.places[place] = c
	c.token = t.count<<placeBits | uint64(place)
	t.size++
	if of := c.leader(); of >= 0 {
		t.owed[of]++
	}
}

// get finds a call, nil when it is not there any more.
func (t *table) get(token uint64) *call {
	place := token & (1<<placeBits - 1)
	if place >= uint64(len(t.places)) {
		return nil
	}
	if c := t.places[place]; c != nil && c.token == token {
		return c
	}
	return nil
}

// remove takes a call out; one that is not in does not mind.
func (t *table) remove(c *call) {
	if c.token == 0 || t.get(c.token) != c {
		return
	}
	place := uint32(c.token & (1<<placeBits - 1))
	t.places[place] = nil
	t.free = append(t.free, place)
	t.size--
	if of := c.leader(); of >= 0 {
		t.owed[of]--
	}
}

// all yields every call. The one that was yielded may be removed meanwhile.
func (t *table) all(yield func(*call) bool) {
	for _, c := range t.places {
		if c != nil && !yield(c) {
			return
		}
	}
}
