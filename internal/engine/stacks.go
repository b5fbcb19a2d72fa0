package engine

import (
	"iter"
	"sync"
)

// Stacks keeps goroutines of coroutines that have returned for others to run on: their stacks have grown to what programs
// need, and growing them is a large part of what a short run costs. It may be used concurrently; nil keeps none.
type Stacks struct {
	most int

	mu     sync.Mutex
	idle   []*stack
	closed bool
}

// NewStacks keeps at most so many.
func NewStacks(most int) *Stacks { return &Stacks{most: most} }

// Close ends those that are idle, and has the others end with their coroutines.
func (s *Stacks) Close() {
	s.mu.Lock()
	idle := s.idle
	s.idle, s.closed = nil, true
	s.mu.Unlock()
	for _, k := range idle {
		k.stop()
	}
}

// stack is a goroutine that runs coroutines, one after the other.
type stack struct {
	c    *Coroutine
	next func() (struct{}, bool)
	stop func()
}

// of gives a stack to a coroutine that is to run on it first.
func (s *Stacks) of(c *Coroutine) *stack {
	k := s.take()
	if k == nil {
		k = &stack{}
		k.next, k.stop = iter.Pull(k.run)
	}
	k.c = c
	return k
}

func (s *Stacks) take() *stack {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.idle) - 1
	if n < 0 {
		return nil
	}
	k := s.idle[n]
	s.idle = s.idle[:n]
	return k
}

// put takes back the stack of a coroutine that has returned.
func (s *Stacks) put(k *stack) {
	if s != nil {
		s.mu.Lock()
		if !s.closed && len(s.idle) < s.most {
			s.idle = append(s.idle, k)
			k = nil
		}
		s.mu.Unlock()
	}
	if k != nil {
		k.stop()
	}
}

// run goes on until a coroutine does not return, which is unwound with the goroutine, or stop is called.
func (k *stack) run(yield func(struct{}) bool) {
	for {
		c := k.c
		k.c = nil
		if c.run(yield); !yield(struct{}{}) {
			return
		}
	}
}
