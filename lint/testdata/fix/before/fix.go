// Package fix has what edits mend.
package fix

import (
	"fmt"
	"log"
	"log/slog"
	"maps"
	"math/rand"
	randv2 "math/rand/v2"
	"slices"
	"time"

	"github.com/google/uuid"

	durable "github.com/durablegen/durablegen/runtime"
)

type out struct{ N int }

//durable:orchestrator
func Clock(ctx durable.Context, at time.Time) (time.Duration, error) {
	now := time.Now()
	f := time.Now
	if time.Until(at) > 0 {
		return time.Since(at), nil
	}
	return f().Sub(now), nil
}

//durable:orchestrator
func Sleeps(ctx durable.Context, n int) (out, error) {
	time.Sleep(time.Duration(n) * time.Second)
	pause := func() {
		time.Sleep(1)
	}
	pause()
	return out{n}, nil
}

//durable:orchestrator
func Zone(ctx durable.Context, at time.Time) (string, error) {
	return at.Local().String(), nil
}

//durable:orchestrator
func Random(ctx durable.Context, n int) (int, error) {
	rand.Shuffle(n, func(i, j int) {})
	return rand.Intn(n) + randv2.IntN(n), nil
}

//durable:orchestrator
func Identifiers(ctx durable.Context, in string) (string, error) {
	id := uuid.New()
	return uuid.NewString() + id.String(), nil
}

//durable:orchestrator
func Goes(ctx durable.Context, in string) (string, error) {
	go func() {
		if in == "" {
			return
		}
		fmt.Sprint(in)
	}()
	return in, nil
}

//durable:orchestrator
func Logs(ctx durable.Context, in string) (string, error) {
	log.Println("started")
	log.Printf("in %s", in)
	log.Print(in)
	slog.Info("in", "v", in)
	l := slog.Default()
	l.Warn("odd")
	return in, nil
}

//durable:orchestrator
func Loops(ctx durable.Context, in map[string]int) ([]string, error) {
	var keys []string
	for k, v := range in {
		if v > 1 {
			keys = append(keys, k)
		}
	}
	for _, v := range in {
		if err := durable.Sleep(ctx, time.Duration(v)); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

//durable:orchestrator
func Iterators(ctx durable.Context, in map[string]int) ([]string, error) {
	s := ""
	for k := range maps.Keys(in) {
		s += k
	}
	for k, v := range maps.All(in) {
		s += fmt.Sprint(k, v)
	}
	return append(slices.Collect(maps.Keys(in)), s), nil
}

// elsewhere has no context: a person has to think.
func elsewhere() time.Time { return time.Now() }

//durable:orchestrator
func Helped(ctx durable.Context, in string) (string, error) { return elsewhere().String(), nil }
