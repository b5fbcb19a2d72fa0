package effects

import (
	"embed"
	"errors"
	"go/types"
	"io/fs"
	"sync"
)

//go:embed other/*.txt
var otherFiles embed.FS

// other is the table of modules outside the standard library. It is there for names: what their source does is found by
// looking at it, but who calls uuid.New wants to hear of an identifier, not of cryptography below it.
var other = sync.OnceValue(func() *table {
	base, err := stdFiles.ReadFile("std/base.txt") // the sets of methods are there
	files := map[string]string{"std/base.txt": string(base)}
	names, globErr := fs.Glob(otherFiles, "other/*.txt")
	err = errors.Join(err, globErr)
	for _, name := range names {
		text, readErr := otherFiles.ReadFile(name)
		files[name], err = string(text), errors.Join(err, readErr)
	}
	t, parseErr := parse(files)
	if err := errors.Join(err, parseErr); err != nil {
		panic("effects: " + err.Error())
	}
	return t
})

// Other is Of for what is not of the standard library. Known is false for most: the source tells then.
func Other(obj types.Object) (e Effect, known bool) {
	if obj.Pkg() == nil || Std(obj.Pkg().Path()) {
		return Effect{}, false
	}
	s, ok := symbolOf(obj)
	if !ok || s.silent {
		return Effect{}, false
	}
	t := other()
	p := t.packages[s.path]
	if p == nil {
		return Effect{}, false
	}
	l := p.decides(s.name)
	if l == nil {
		return Effect{}, false
	}
	return t.result(p, l, s), true
}
