package durable

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ForEach runs fn for every item, in the order of items, at most parallel of them at once; it returns when all have
// ended. It is made for large inputs: what is under way, and the work of a step, depend on parallel alone.
//
// An fn that fails ends nothing but itself: the others go on, and all their errors come back as one [ItemErrors]. To stop
// at the first error, give ForEach a context from [WithCancel] and cancel it in fn. When ctx is cancelled no item begins any
// more; ForEach still waits for those under way, and joins the error of [Context.Err] if some did not begin.
//
// The instance's history grows with every item, and a load replays all of it: see docs/limits.md before there are more
// than some 10,000. It panics when parallel is not positive.
func ForEach[T any](ctx Context, items []T, parallel int, fn func(ctx Context, item T) error) error {
	_, err := Map(ctx, items, parallel, func(ctx Context, item T) (struct{}, error) { return struct{}{}, fn(ctx, item) })
	return err
}

// Map is [ForEach] with results, in the order of items. The places of items that failed hold zero values.
func Map[T, R any](ctx Context, items []T, parallel int, fn func(ctx Context, item T) (R, error)) ([]R, error) {
	if parallel < 1 {
		panic(fmt.Sprintf("durable: ForEach or Map with %d items in parallel would never come to an end: want 1 or more", parallel))
	}
	results := make([]R, len(items))
	var failed ItemErrors
	next := 0
	line := func(ctx Context) (None, error) {
		for next < len(items) && ctx.Err() == nil {
			n := next
			next++
			r, err := fn(ctx, items[n])
			if err != nil {
				failed = append(failed, &ItemError{Index: n, Err: err})
				continue
			}
			results[n] = r
		}
		return None{}, nil
	}
	lines := make([]Awaitable, min(parallel, len(items)))
	for n := range lines {
		lines[n] = Go(ctx, line)
	}
	// The lines see a cancellation for themselves; what they end with must not be lost.
	if err := All(WithoutCancel(ctx), lines...); err != nil {
		return results, err
	}
	return results, failed.join(ctx, len(items)-next)
}

// join gives what is to be told of items that failed, and of those that did not begin.
func (es ItemErrors) join(ctx Context, left int) error {
	slices.SortFunc(es, func(a, b *ItemError) int { return cmp.Compare(a.Index, b.Index) })
	var err error
	if len(es) > 0 {
		err = es
	}
	if left > 0 {
		err = errors.Join(err, fmt.Errorf("durable: %d items were not begun: %w", left, ctx.Err()))
	}
	return err
}

// ItemError is the error of one item of [ForEach] or [Map].
type ItemError struct {
	Index int // of the item, from 0
	Err   error
}

func (e *ItemError) Error() string { return fmt.Sprintf("item %d: %v", e.Index, e.Err) }

// Unwrap gives Err.
func (e *ItemError) Unwrap() error { return e.Err }

// ItemErrors are all errors of [ForEach] or [Map] by index: errors.As finds it, errors.Is looks into all of them. Its text
// tells the first ten.
type ItemErrors []*ItemError

func (es ItemErrors) Error() string {
	const most = 10
	var b strings.Builder
	for n, e := range es {
		if n == most {
			fmt.Fprintf(&b, "\nand %d more", len(es)-most)
			break
		}
		if n > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(e.Error())
	}
	return b.String()
}

// Unwrap gives the errors.
func (es ItemErrors) Unwrap() []error {
	errs := make([]error, len(es))
	for n, e := range es {
		errs[n] = e
	}
	return errs
}
