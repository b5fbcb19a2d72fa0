// Package workload holds the orchestrations that the benchmark runs. They are ordinary annotated code: what is measured
// is what a user would write.
package workload

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	durable "github.com/durablegen/durablegen/runtime"
)

//go:generate go tool durablegen .

// Greet greets a city.
//
//durable:activity
func Greet(city string) (string, error) { return "Hello " + city + "!", nil }

// Hello greets three cities, one after the other.
//
//durable:orchestrator
func Hello(ctx durable.Context, cities [3]string) ([3]string, error) {
	var greetings [3]string
	for i, city := range cities {
		greeting, err := GreetActivity.Call(ctx, city)
		if err != nil {
			return greetings, err
		}
		greetings[i] = greeting
	}
	return greetings, nil
}

// GreetHere greets a city in the process of the orchestration's owner.
//
//durable:activity local
func GreetHere(city string) (string, error) { return Greet(city) }

// HelloLocal is Hello with local activities.
//
//durable:orchestrator
func HelloLocal(ctx durable.Context, cities [3]string) ([3]string, error) {
	var greetings [3]string
	for i, city := range cities {
		greeting, err := GreetHereActivity.Call(ctx, city)
		if err != nil {
			return greetings, err
		}
		greetings[i] = greeting
	}
	return greetings, nil
}

// Square squares n.
//
//durable:activity
func Square(n int) (int, error) { return n * n, nil }

// FanOut squares 1 to width in parallel and adds the squares up.
//
//durable:orchestrator
func FanOut(ctx durable.Context, width int) (int, error) {
	squares := make([]durable.Future[int], width)
	for i := range squares {
		squares[i] = SquareActivity.Start(ctx, i+1)
	}
	values, err := durable.Collect(ctx, squares)
	sum := 0
	for _, v := range values {
		sum += v
	}
	return sum, err
}

// Next gives the number after n.
//
//durable:activity
func Next(n int) (int, error) { return n + 1, nil }

// ChainPart is how many activities at either end of a chain are timed.
const ChainPart = 100

// ChainResult is what a chain came to, and the times by the log's clock that its ends took.
type ChainResult struct {
	Value int           `json:"value"`
	First time.Duration `json:"first"` // of the first ChainPart activities
	Last  time.Duration `json:"last"`  // of the last ones
}

// Chain counts to length, one activity after the other. A length below ChainPart is not timed.
//
//durable:orchestrator
func Chain(ctx durable.Context, length int) (ChainResult, error) {
	var r ChainResult
	begin, last := ctx.Now(), ctx.Now()
	for i := range length { //durable:allow DUR302 -- the length is what is measured
		if i == length-ChainPart {
			last = ctx.Now()
		}
		value, err := NextActivity.Call(ctx, r.Value)
		if err != nil {
			return r, err
		}
		r.Value = value
		if i == ChainPart-1 {
			r.First = ctx.Now().Sub(begin)
		}
	}
	r.Last = ctx.Now().Sub(last)
	return r, nil
}

// Wake lets an idle instance go on.
//
//durable:event
type Wake struct {
	Number int `json:"number"`
}

// Gate counts the instances that have begun to wait. It may be used by several goroutines.
type Gate struct{ arrived atomic.Int64 }

// Arrived gives the count.
func (g *Gate) Arrived() int { return int(g.arrived.Load()) }

// Arrive counts the caller.
//
//durable:activity
func (g *Gate) Arrive(context.Context) error {
	g.arrived.Add(1)
	return nil
}

// Idle arrives at the gate and waits for a Wake.
//
//durable:orchestrator
func Idle(ctx durable.Context) (string, error) {
	wake := WakeEvent.Receive(ctx)
	if err := ArriveActivity.Call(ctx); err != nil {
		return "", err
	}
	w, err := wake.Get(ctx)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("woken by %d", w.Number), nil
}

// Rounds receives n Wakes, one after the other, and arrives at the gate after each.
//
//durable:orchestrator
func Rounds(ctx durable.Context, n int) (int, error) {
	for range n { //durable:allow DUR302 -- the length is what is measured
		if _, err := WakeEvent.Receive(ctx).Get(ctx); err != nil {
			return 0, err
		}
		if err := ArriveActivity.Call(ctx); err != nil {
			return 0, err
		}
	}
	return n, nil
}

// Received is a query of Count: how many Wakes it has received.
const Received = "received"

// Count receives n Wakes, and adds their numbers up.
//
//durable:orchestrator
func Count(ctx durable.Context, n int) (int, error) {
	sum, received := 0, 0
	durable.SetQueryHandler(ctx, Received, func(durable.None) (int, error) { return received, nil })
	for range n { //durable:allow DUR302 -- the length is what is measured
		w, err := WakeEvent.Receive(ctx).Get(ctx)
		if err != nil {
			return 0, err
		}
		received++
		sum += w.Number
	}
	return sum, nil
}

// Reverse turns a text round.
//
//durable:activity
func Reverse(text string) (string, error) {
	bytes := []byte(text)
	slices.Reverse(bytes)
	return string(bytes), nil
}

// Carry has a text turned round.
//
//durable:orchestrator
func Carry(ctx durable.Context, text string) (string, error) { return ReverseActivity.Call(ctx, text) }
