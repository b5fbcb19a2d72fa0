// Package lock makes the lock of a package: what its orchestrators decide, and what travels.
package lock

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/durablegen/durablegen/gen/internal/names"
	"github.com/durablegen/durablegen/internal/shape"
)

// Source is one package of the run, checked with its new generated file.
type Source struct {
	Path  string
	Files []*ast.File
	Types *types.Package
	Info  *types.Info
	Plan  *names.Plan // nil: not annotated
}

// Flows is a place holder.
func Flows(fset *token.FileSet, sources []*Source, want func(*Source) bool, typeOf func(types.Type) shape.TypeRef) map[*names.Decl]shape.Flow {
	return nil
}

// Canonical is a place holder.
func Canonical(f shape.Flow) shape.Flow { return f }
