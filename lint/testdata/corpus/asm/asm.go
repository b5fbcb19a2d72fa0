// Package asm declares functions whose bodies are elsewhere.
package asm

import (
	_ "unsafe"

	durable "github.com/durablegen/durablegen/runtime"
)

func add(a, b int) int

// double only computes.
//
//durable:pure
func double(n int) int

//go:linkname nanotime runtime.nanotime
func nanotime() int64

//durable:orchestrator
func Adds(ctx durable.Context, n int) (int, error) {
	return add(n, 1), nil // want DET307
}

//durable:orchestrator
func Doubles(ctx durable.Context, n int) (int, error) { return double(n), nil }

//durable:orchestrator
func Linked(ctx durable.Context, n int) (int64, error) {
	return nanotime(), nil // want DET903
}
