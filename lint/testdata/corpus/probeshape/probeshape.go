// Package probeshape has types that cannot be stored.
package probeshape

import (
	"io"
	"net/url"
)

// Hidden has nothing to send.
type Hidden struct{ id, name string }

//durable:activity
func Hide(h Hidden) error { return nil } // want DUR202

// Stream cannot travel.
type Stream struct {
	Name string
	Body io.Reader
	Done chan bool
	Then func()
}

//durable:activity
func Send(s Stream) error { return nil } // want DUR203

// Shape is an interface with implementations.
type Shape interface{ Area() float64 }

// Drawing loses the types of its shapes.
type Drawing struct {
	Shapes []Shape
	Meta   map[string]any
}

//durable:activity
func Draw(d Drawing) error { return nil } // want DUR203

//durable:activity
func Visit(u url.URL) error { return nil } // want DUR202
