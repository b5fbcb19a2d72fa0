package names

import (
	"go/types"
	"path"
	"regexp"
	"strings"

	"github.com/durablegen/durablegen/gen/internal/load"
	"github.com/durablegen/durablegen/internal/collect"
)

// Imports gives the names by which the generated file imports: chosen once, before anything is emitted, so that they
// cannot meet a declaration of the package or each other.
type Imports struct {
	names map[string]string // by import path
	used  map[string]bool
	taken func(string) bool
}

func newImports(taken func(string) bool) *Imports {
	i := &Imports{names: map[string]string{}, used: map[string]bool{}, taken: taken}
	i.Name(load.RuntimePath, "durable", "durablert")
	i.Name("context", "context", "stdcontext")
	i.Name("time", "time", "stdtime")
	return i
}

// Name gives the name for path, choosing among the candidates the first time.
func (i *Imports) Name(path string, candidates ...string) string {
	if name := i.names[path]; name != "" {
		return name
	}
	name := collect.Fresh(func(s string) bool { return i.used[s] || i.taken(s) || predeclared(s) || s == "err" }, candidates...)
	i.names[path], i.used[name] = name, true
	return name
}

// addType reserves names for every package that t mentions.
func (i *Imports) addType(t types.Type, local *types.Package) {
	types.TypeString(t, func(p *types.Package) string {
		if p != local {
			i.Name(p.Path(), p.Name(), p.Name()+"pkg")
		}
		return ""
	})
}

// All gives every chosen name by import path.
func (i *Imports) All() map[string]string { return i.names }

var majorVersion = regexp.MustCompile(`^v[0-9]+$`)

// Implied reports whether a reader, and goimports, can tell the package name from the path, so that the import needs no
// name in front.
func Implied(importPath, name string) bool {
	base := path.Base(importPath)
	if majorVersion.MatchString(base) && strings.Contains(importPath, "/") {
		base = path.Base(path.Dir(importPath))
	}
	base, _, _ = strings.Cut(base, ".") // gopkg.in/yaml.v3
	return base == name
}
