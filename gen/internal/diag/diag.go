// Package diag holds what durablegen tells its user about a mistake in his code: one text at one position.
package diag

import (
	"cmp"
	"fmt"
	"go/token"
	"slices"
)

// Diagnostic is one mistake: where, what, why and the accepted form. A position without a file name concerns the run as
// a whole.
type Diagnostic struct {
	Pos     token.Position
	Message string
}

// String gives "file:line:col: message".
func (d Diagnostic) String() string {
	if d.Pos.Filename == "" {
		return d.Message
	}
	return d.Pos.String() + ": " + d.Message
}

// At makes a diagnostic.
func At(pos token.Position, format string, args ...any) Diagnostic {
	return Diagnostic{pos, fmt.Sprintf(format, args...)}
}

// Sorted gives list by file, line, column and text, without repetitions, so that equal input gives equal output.
func Sorted(list []Diagnostic) []Diagnostic {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b Diagnostic) int {
		return cmp.Or(
			cmp.Compare(a.Pos.Filename, b.Pos.Filename),
			cmp.Compare(a.Pos.Line, b.Pos.Line),
			cmp.Compare(a.Pos.Column, b.Pos.Column),
			cmp.Compare(a.Message, b.Message),
		)
	})
	return slices.CompactFunc(list, func(a, b Diagnostic) bool {
		return a.Message == b.Message && a.Pos.Filename == b.Pos.Filename && a.Pos.Line == b.Pos.Line && a.Pos.Column == b.Pos.Column
	})
}
