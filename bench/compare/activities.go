package main

import (
	"context"
	"errors"
)

// The activities are the same for every system.

func greet(_ context.Context, city string) (string, error) { return "Hello " + city + "!", nil }

func square(_ context.Context, n int) (int, error) { return n * n, nil }

func next(_ context.Context, n int) (int, error) { return n + 1, nil }

// unwind calls what was put down to be undone, last first, once.
func unwind(undo *[]func() error) error {
	var errs []error
	for len(*undo) > 0 {
		last := len(*undo) - 1
		fn := (*undo)[last]
		*undo = (*undo)[:last]
		errs = append(errs, fn())
	}
	return errors.Join(errs...)
}
