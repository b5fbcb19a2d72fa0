package engine

import (
	"maps"
	"path"
	"runtime"
	"strconv"
	"sync/atomic"
)

// sites remembers what a return address is: the line of user code as file:line without directories, which belong to the
// machine that built the program, or "" for code of ours. A program has so many calls and no more.
var sites atomic.Pointer[map[uintptr]string]

// fewFrames is how far up a call of user code is looked for first: a handle, a generic function and this package are
// between.
const fewFrames = 4

// site finds the call of user code that led here. It lies on the path of every decision. skip is the number of frames
// that are known to be ours, its own included.
func site(skip int) string {
	var pcs [fewFrames]uintptr
	known := sites.Load()
	for _, pc := range pcs[:runtime.Callers(skip+1, pcs[:])] {
		at, ok := "", false
		if known != nil {
			at, ok = (*known)[pc]
		}
		if !ok {
			at = learn(pc)
		}
		if at != "" {
			return at
		}
	}
	return position()
}

// learn adds what a return address is.
func learn(pc uintptr) (at string) {
	frames := runtime.CallersFrames([]uintptr{pc})
	for more := true; more && at == ""; {
		var f runtime.Frame
		if f, more = frames.Next(); users(f) {
			at = lineOf(f)
		}
	}
	for {
		old := sites.Load()
		next := map[uintptr]string{}
		if old != nil {
			next = maps.Clone(*old)
		}
		next[pc] = at
		if sites.CompareAndSwap(old, &next) {
			return at
		}
	}
}

func lineOf(f runtime.Frame) string { return path.Base(f.File) + ":" + strconv.Itoa(f.Line) }

// Site is the line of user code that calls, for decisions that a coroutine of the house makes for it later.
func (c *Coroutine) Site() string { return site(2) }
