// Package backendtest holds what every backend must do, as one list of tests that run on each of them, and a decorator
// that breaks what a real network breaks, over any of them.
package backendtest
