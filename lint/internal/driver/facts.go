package driver

import (
	"go/types"
	"reflect"
	"sync"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/types/objectpath"
)

// facts keeps what analyzers say of objects and packages, by name: an object checked from source and the same object from
// export data are not one.
type facts struct {
	mu  sync.RWMutex
	all map[factKey]analysis.Fact

	// Of a unit of go vet, which one goroutine looks at:
	files    map[string][]byte // packed, by package
	unpacked map[string]bool
	broken   error
}

type factKey struct {
	pkg    string
	object objectpath.Path // "": the package's
	kind   reflect.Type
}

func keyOf(pkg, object string, fact analysis.Fact) factKey {
	return factKey{pkg, objectpath.Path(object), reflect.TypeOf(fact)}
}

func newFacts() *facts {
	return &facts{all: map[factKey]analysis.Fact{}, files: map[string][]byte{}, unpacked: map[string]bool{}}
}

func (f *facts) get(k factKey, to analysis.Fact) bool {
	if len(f.files) > 0 {
		f.unpack(k.pkg)
	}
	f.mu.RLock()
	had, ok := f.all[k]
	f.mu.RUnlock()
	if ok {
		reflect.ValueOf(to).Elem().Set(reflect.ValueOf(had).Elem())
	}
	return ok
}

func (f *facts) put(k factKey, fact analysis.Fact) {
	f.mu.Lock()
	f.all[k] = fact
	f.mu.Unlock()
}

func (f *facts) pkg(pkg *types.Package, fact analysis.Fact) bool {
	return f.get(factKey{pkg: pkg.Path(), kind: reflect.TypeOf(fact)}, fact)
}

func (f *facts) putPackage(pkg *types.Package, fact analysis.Fact) {
	f.put(factKey{pkg: pkg.Path(), kind: reflect.TypeOf(fact)}, fact)
}

// lookup is how one package sees them: what names objects may not be shared.
type lookup struct {
	*facts
	paths objectpath.Encoder
}

func (l *lookup) key(obj types.Object, fact analysis.Fact) (factKey, bool) {
	if obj == nil || obj.Pkg() == nil {
		return factKey{}, false
	}
	path, err := l.paths.For(obj)
	if err != nil { // nobody else can name it
		return factKey{}, false
	}
	return factKey{obj.Pkg().Path(), path, reflect.TypeOf(fact)}, true
}

func (l *lookup) object(obj types.Object, fact analysis.Fact) bool {
	k, ok := l.key(obj, fact)
	return ok && l.get(k, fact)
}

func (l *lookup) putObject(obj types.Object, fact analysis.Fact) {
	if k, ok := l.key(obj, fact); ok {
		l.put(k, fact)
	}
}
