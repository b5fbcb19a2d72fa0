package engine

import (
	"fmt"
	"path"
	"reflect"
	"runtime"
	"strings"
	"unicode/utf8"

	"github.com/durablegen/durablegen/internal/history"
)

// generated is the file of the handles, which is not where a user looks.
const generated = "durable_gen.go"

// housePackages are this package and the one that users write against.
var housePackages = func() [2]string {
	engine := reflect.TypeFor[Machine]().PkgPath()
	return [2]string{engine + ".", strings.TrimSuffix(engine, "/internal/engine") + "/runtime."}
}()

// users reports whether a frame is of user code.
func users(f runtime.Frame) bool {
	for _, own := range [...]string{housePackages[0], housePackages[1], "runtime.", "iter.", "reflect."} {
		if strings.HasPrefix(f.Function, own) {
			return false
		}
	}
	return f.Function != "" && path.Base(f.File) != generated
}

const mostFrames = 256

// position finds the call of user code that led here, as file:line, however far up it is; "" when there is none.
func position() string {
	for f := range callers() {
		if users(f) {
			return lineOf(f)
		}
	}
	return ""
}

func callers() func(yield func(runtime.Frame) bool) {
	var pcs [mostFrames]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	return func(yield func(runtime.Frame) bool) {
		for {
			f, more := frames.Next()
			if !yield(f) || !more {
				return
			}
		}
	}
}

const (
	mostStack   = 32      // frames of a panic that are kept
	mostMessage = 4 << 10 // bytes of what it said
)

// panicFailure tells of a panic while it unwinds: what it said, and the frames of user code.
func panicFailure(r any) *history.Failure {
	message := fmt.Sprintf("panic: %v", r)
	if len(message) > mostMessage {
		message = strings.ToValidUTF8(message[:mostMessage], "") + "…"
	}
	if !utf8.ValidString(message) {
		message = strings.ToValidUTF8(message, "\uFFFD")
	}
	var stack strings.Builder
	n := 0
	for f := range callers() {
		if !users(f) {
			continue
		}
		if n++; n > mostStack {
			stack.WriteString("…\n")
			break
		}
		fmt.Fprintf(&stack, "%s\n\t%s:%d\n", f.Function, f.File, f.Line)
	}
	return &history.Failure{Kind: history.FailPanic, Message: message, Stack: stack.String()}
}
