// Package fix has what edits mend.
package fix

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	durable "github.com/durablegen/durablegen/runtime"
)

type out struct{ N int }

//durable:orchestrator
func Clock(ctx durable.Context, at time.Time) (time.Duration, error) {
	now := ctx.Now()
	f := ctx.Now
	if at.Sub(ctx.Now()) > 0 {
		return ctx.Now().Sub(at), nil
	}
	return f().Sub(now), nil
}

//durable:orchestrator
func Sleeps(ctx durable.Context, n int) (out, error) {
	if err := durable.Sleep(ctx, time.Duration(n)*time.Second); err != nil {
		return out{}, err
	}
	pause := func() {
		_ = durable.Sleep(ctx, 1)
	}
	pause()
	return out{n}, nil
}

//durable:orchestrator
func Zone(ctx durable.Context, at time.Time) (string, error) {
	return at.UTC().String(), nil
}

//durable:orchestrator
func Random(ctx durable.Context, n int) (int, error) {
	ctx.Rand().Shuffle(n, func(i, j int) {})
	return ctx.Rand().IntN(n) + ctx.Rand().IntN(n), nil
}

//durable:orchestrator
func Identifiers(ctx durable.Context, in string) (string, error) {
	id := uuid.MustParse(ctx.NewUUID())
	return ctx.NewUUID() + id.String(), nil
}

//durable:orchestrator
func Goes(ctx durable.Context, in string) (string, error) {
	durable.Go(ctx, func(ctx durable.Context) (durable.None, error) {
		if in == "" {
			return durable.None{}, nil
		}
		fmt.Sprint(in)

		return durable.None{}, nil
	})
	return in, nil
}

//durable:orchestrator
func Logs(ctx durable.Context, in string) (string, error) {
	ctx.Logger().Info("started")
	ctx.Logger().Info(fmt.Sprintf("in %s", in))
	ctx.Logger().Info(fmt.Sprint(in))
	ctx.Logger().Info("in", "v", in)
	l := ctx.Logger()
	l.Warn("odd")
	return in, nil
}

//durable:orchestrator
func Loops(ctx durable.Context, in map[string]int) ([]string, error) {
	var keys []string
	for _, k := range slices.Sorted(maps.Keys(in)) {
		v := in[k]
		if v > 1 {
			keys = append(keys, k)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(in)) {
		v := in[key]
		if err := durable.Sleep(ctx, time.Duration(v)); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

//durable:orchestrator
func Iterators(ctx durable.Context, in map[string]int) ([]string, error) {
	s := ""
	for _, k := range slices.Sorted(maps.Keys(in)) {
		s += k
	}
	for _, k := range slices.Sorted(maps.Keys(in)) {
		v := in[k]
		s += fmt.Sprint(k, v)
	}
	return append(slices.Sorted(maps.Keys(in)), s), nil
}

// elsewhere has no context: a person has to think.
func elsewhere() time.Time { return time.Now() }

//durable:orchestrator
func Helped(ctx durable.Context, in string) (string, error) { return elsewhere().String(), nil }
