// Package durpayload has types that survive the way through JSON, and others.
package durpayload

import (
	"encoding/json"
	"strconv"
	"sync"
	"time"

	durable "github.com/durablegen/durablegen/runtime"
)

// Order loses what it has paid.
type Order struct {
	ID    string
	paid  bool // want DUR202
	Price int  `json:"-"` // want DUR202
	Notes any  // want DUR203
	Lines []Line
	mu    sync.Mutex
	hook  func()
	Log   func() `json:"-"`
}

// Line is a part of an order.
type Line struct {
	Article string
	Order   *Order // want DUR204
}

//durable:activity
func Charge(o *Order) (int, error) { return o.Price, nil }

// Text keeps what it can compute again, and says of a field that it stays here.
type Text struct {
	Words   []string
	length  int
	Comment string `json:"-"`
}

// Len is the number of letters.
func (t *Text) Len() int {
	if t.length == 0 {
		for _, w := range t.Words {
			t.length += len(w)
		}
	}
	return t.length
}

//durable:activity
func Print(t *Text) (int, error) { return t.Len(), nil }

// Node has a way back.
type Node struct {
	Name     string
	Children []*Node
	Parent   *Node // want DUR204
}

//durable:activity
func Walk(n Node) (int, error) { return 0, nil }

// Tree has none.
type Tree struct {
	Left, Right *Tree
	Value       int
}

//durable:activity
func Grow(t *Tree, at time.Time, raw json.RawMessage, wait time.Duration) (map[string][]Tree, error) {
	return nil, nil
}

//durable:activity
func Anything(what any) error { return nil } // want DUR203

//durable:activity
func AnythingBack(what string) (map[string]any, error) { return nil, nil } // want DUR203

// Plain is as it should be.
type Plain struct {
	ID   string `json:"id"`
	Tags []string
	Sub  struct{ N int }
	When *time.Time
}

//durable:activity
func Simple(p Plain) (Plain, error) { return p, nil }

// Stamp is another every time it is written.
type Stamp struct{ at time.Time }

func (s Stamp) MarshalJSON() ([]byte, error) {
	return json.Marshal(time.Now()) // want DUR205
}

func (s *Stamp) UnmarshalJSON(b []byte) error { return json.Unmarshal(b, &s.at) }

//durable:event
type Stamped struct{ Stamp Stamp }

// Money is written as its cents.
type Money struct{ cents int }

func (m Money) MarshalText() ([]byte, error) { return strconv.AppendInt(nil, int64(m.cents), 10), nil }

func (m *Money) UnmarshalText(b []byte) (err error) {
	m.cents, err = strconv.Atoi(string(b))
	return err
}

//durable:event
type Paid struct{ Sum Money }

// Unused is stored nowhere.
type Unused struct {
	name string
	Any  any
}

type lookup struct {
	Due  time.Time
	Tags []string `json:",omitempty"`
	All  []string
}

//durable:orchestrator
func Times(ctx durable.Context, in lookup) (bool, error) {
	if in.Due == ctx.Now() { // want DUR204
		return true, nil
	}
	return in.Due.Equal(ctx.Now()) && in.Due != (time.Time{}), nil
}

//durable:orchestrator
func Nil(ctx durable.Context, in lookup) (bool, error) {
	if in.Tags == nil { // want DUR204
		return true, nil
	}
	return in.All == nil || len(in.Tags) == 0, nil
}

//durable:orchestrator
func Status(ctx durable.Context, in string) (string, error) {
	ctx.SetStatus(map[string]int{"step": 1})
	ctx.SetStatus(make(chan int)) // want DUR201 DET202
	return in, nil
}

//durable:activity
func Free(what map[string]any) error { return nil } // want DUR203

//durable:orchestrator
func LongNumber(ctx durable.Context, in string, n int64) error {
	return FreeActivity.Call(ctx, map[string]any{"id": n}) // want DUR204
}

//durable:orchestrator
func ShortNumber(ctx durable.Context, in string, n int32) error {
	return FreeActivity.Call(ctx, map[string]any{"id": n, "name": in})
}

//durable:orchestrator
func Asserted(ctx durable.Context, in string) (int, error) {
	answer, err := AnythingBackActivity.Call(ctx, in)
	if err != nil {
		return 0, err
	}
	n, _ := answer["n"].(int) // want DUR204
	return n, nil
}

//durable:orchestrator
func AssertedFloat(ctx durable.Context, in string) (int, error) {
	answer, err := AnythingBackActivity.Call(ctx, in)
	if err != nil {
		return 0, err
	}
	n, _ := answer["n"].(float64)
	var mine any = 4
	m, _ := mine.(int)
	return int(n) + m, nil
}

// Raw calls the runtime without a handle: the binding says what the number is decoded to.
//
//durable:orchestrator
func Raw(ctx durable.Context, n int64) (int64, error) {
	return durable.StartActivity[int64](ctx, &durable.Activity{Name: "durpayload.raw"}, n).Get(ctx)
}
