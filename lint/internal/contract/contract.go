// Package contract finds uses of the runtime that do not do what they seem to: activities called as plain functions,
// contexts in the wrong coroutine, futures and errors that nobody looks at.
package contract

import (
	"reflect"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ssa"

	"github.com/durablegen/durablegen/lint/internal/code"
)

// Analyzer gives the []code.Finding of the rules DUR101 to DUR111, and of DUR401 to DUR403.
var Analyzer = &analysis.Analyzer{
	Name:       "durableuse",
	Doc:        "finds uses of the runtime that do not do what they seem to",
	Requires:   []*analysis.Analyzer{code.Analyzer},
	Run:        run,
	ResultType: reflect.TypeFor[[]code.Finding](),
}

// checker looks at one package.
type checker struct {
	*code.Package
	found    []code.Finding
	detached map[line]bool // lines that say that a future is let go on purpose
}

func run(pass *analysis.Pass) (any, error) {
	c := &checker{Package: pass.ResultOf[code.Analyzer].(*code.Package)}
	c.detached = c.detachedLines()
	for _, f := range c.Funcs {
		if !f.Inside {
			continue
		}
		c.directCalls(f)
		c.contexts(f)
		c.futures(f)
		c.errors(f)
		c.shared(f)
		c.deferred(f)
		c.afterContinue(f)
		c.callbacks(f)
	}
	c.declarations()
	c.patches()
	return c.found, nil
}

func (c *checker) report(f code.Finding) { c.found = append(c.found, f) }

// instrs gives the instructions of a function, block by block.
func instrs(fn *ssa.Function) func(yield func(ssa.Instruction) bool) {
	return func(yield func(ssa.Instruction) bool) {
		for _, b := range fn.Blocks {
			for _, in := range b.Instrs {
				if !yield(in) {
					return
				}
			}
		}
	}
}
