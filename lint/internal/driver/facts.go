package driver

import (
	"cmp"
	"go/token"
	"go/types"
	"reflect"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/types/objectpath"
)

// facts keeps what analyzers say of objects and packages, by name: an object checked from source and the same object from
// export data are not one.
type facts struct {
	paths objectpath.Encoder
	all   map[factKey]analysis.Fact
}

type factKey struct {
	pkg    string
	object objectpath.Path // "": the package's
	kind   reflect.Type
}

func newFacts() *facts { return &facts{all: map[factKey]analysis.Fact{}} }

func (f *facts) key(obj types.Object, fact analysis.Fact) (factKey, bool) {
	if obj == nil || obj.Pkg() == nil {
		return factKey{}, false
	}
	path, err := f.paths.For(obj)
	if err != nil { // nobody else can name it
		return factKey{}, false
	}
	return factKey{obj.Pkg().Path(), path, reflect.TypeOf(fact)}, true
}

func (f *facts) get(k factKey, to analysis.Fact) bool {
	had, ok := f.all[k]
	if ok {
		reflect.ValueOf(to).Elem().Set(reflect.ValueOf(had).Elem())
	}
	return ok
}

func (f *facts) object(obj types.Object, fact analysis.Fact) bool {
	k, ok := f.key(obj, fact)
	return ok && f.get(k, fact)
}

func (f *facts) putObject(obj types.Object, fact analysis.Fact) {
	if k, ok := f.key(obj, fact); ok {
		f.all[k] = fact
	}
}

func (f *facts) pkg(pkg *types.Package, fact analysis.Fact) bool {
	return f.get(factKey{pkg: pkg.Path(), kind: reflect.TypeOf(fact)}, fact)
}

func (f *facts) putPackage(pkg *types.Package, fact analysis.Fact) {
	f.all[factKey{pkg: pkg.Path(), kind: reflect.TypeOf(fact)}] = fact
}

func compare(p, q token.Position) int {
	return cmp.Or(strings.Compare(p.Filename, q.Filename), cmp.Compare(p.Line, q.Line), cmp.Compare(p.Column, q.Column))
}

func compareText(a, b string) int { return strings.Compare(a, b) }
