package load

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

// choose decides which packages are checked from source, and gives them with dependencies first:
//
//   - the targets;
//   - annotated packages of the user's own modules below them, whose generated files may be missing or stale as well:
//     they are generated in memory, so that packages may be generated one after the other in any order;
//   - packages of his own modules that do not build, as far as exports says so;
//   - the other packages of his own modules below the targets, because a lock looks into what an orchestrator calls;
//   - everything between those and the targets, because its types refer to the ones we check.
func choose(graph []*packages.Package, exports map[string]*packages.Package) []*Package {
	c := chooser{exports: exports, targets: map[string]bool{}, source: map[string]bool{}}
	for _, pkg := range graph {
		c.targets[pkg.PkgPath] = true
	}
	for _, pkg := range graph {
		c.visit(pkg)
	}
	if rt := exports[RuntimePath]; rt != nil && ownModule(rt) {
		c.visit(rt) // generated code imports it, whether its package does already or not
	}
	return c.chosen
}

type chooser struct {
	exports map[string]*packages.Package
	targets map[string]bool
	source  map[string]bool // by import path, for what has been visited
	chosen  []*Package
}

func (c *chooser) visit(pkg *packages.Package) (source bool) {
	if source, visited := c.source[pkg.PkgPath]; visited {
		return source
	}
	c.source[pkg.PkgPath] = false
	target := c.targets[pkg.PkgPath]
	source = target || ownModule(pkg) && (unbuildable(c.exports[pkg.PkgPath]) || !ours(pkg.PkgPath) || annotated(pkg))
	for _, path := range slices.Sorted(maps.Keys(pkg.Imports)) {
		source = c.visit(pkg.Imports[path]) || source
	}
	if source {
		c.source[pkg.PkgPath] = true
		c.chosen = append(c.chosen, &Package{
			Path: pkg.PkgPath, Name: pkg.Name, Dir: pkg.Dir, Target: target,
			GenPath: filepath.Join(pkg.Dir, FileName), listed: pkg,
		})
	}
	return source
}

// unbuildable reports whether export data was asked for and there is none.
func unbuildable(pkg *packages.Package) bool { return pkg != nil && pkg.ExportFile == "" }

func ownModule(pkg *packages.Package) bool { return pkg.Module != nil && pkg.Module.Main }

// ours reports whether a package is the engine and what is below it, which is known by name and not looked into.
func ours(path string) bool {
	module := strings.TrimSuffix(RuntimePath, "runtime")
	rest, in := strings.CutPrefix(path, module)
	return in && (rest == "runtime" || strings.HasPrefix(rest, "runtime/") || strings.HasPrefix(rest, "internal/"))
}

// annotated reports whether a file of pkg may have a directive.
func annotated(pkg *packages.Package) bool {
	for _, name := range pkg.GoFiles {
		if filepath.Base(name) == FileName {
			continue
		}
		if src, err := os.ReadFile(name); err == nil && bytes.Contains(src, []byte("//durable:")) {
			return true
		}
	}
	return false
}

// imports gives the paths that packages, and the code generated for them, import from outside of the list.
func imports(list []*Package) []string {
	paths := map[string]bool{"context": true, "time": true, RuntimePath: true}
	for _, pkg := range list {
		for _, dep := range pkg.listed.Imports {
			paths[dep.PkgPath] = true
		}
	}
	for _, pkg := range list {
		delete(paths, pkg.Path)
	}
	delete(paths, "C")
	delete(paths, "unsafe")
	return slices.Sorted(maps.Keys(paths))
}
