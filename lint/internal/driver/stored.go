package driver

import (
	"bytes"
	"cmp"
	"compress/flate"
	"encoding/gob"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"
)

// A file of facts has those of a package and of all below it, since who imports the package may meet any of them. The facts of
// each package are packed by themselves: most are only handed on, and not unpacked on the way.

// packed are the facts of a package as a file has them: a gob of []stored, compressed.
type packed struct {
	Package string
	Facts   []byte
}

// stored is a fact in a file.
type stored struct {
	Object string
	Fact   analysis.Fact
}

// write writes the facts of pkg, and hands on those that were read.
func (f *facts) write(name, pkg string) error {
	own, err := f.pack(pkg)
	if err != nil {
		return err
	}
	list := []packed{{pkg, own}}
	for path, data := range f.files {
		list = append(list, packed{path, data})
	}
	slices.SortFunc(list, func(a, b packed) int { return strings.Compare(a.Package, b.Package) }) // the go command compares files
	var buf bytes.Buffer
	if err := gob.NewEncoder(&buf).Encode(list); err != nil {
		return err
	}
	return os.WriteFile(name, buf.Bytes(), 0o666)
}

func (f *facts) pack(pkg string) ([]byte, error) {
	keys := slices.DeleteFunc(slices.Collect(maps.Keys(f.all)), func(k factKey) bool { return k.pkg != pkg })
	slices.SortFunc(keys, func(a, b factKey) int {
		return cmp.Or(strings.Compare(string(a.object), string(b.object)), strings.Compare(a.kind.String(), b.kind.String()))
	})
	list := make([]stored, len(keys))
	for i, k := range keys {
		list[i] = stored{string(k.object), f.all[k]}
	}
	var buf bytes.Buffer
	small, err := flate.NewWriter(&buf, flate.BestSpeed)
	if err != nil {
		return nil, err
	}
	if err := gob.NewEncoder(small).Encode(list); err != nil {
		return nil, err
	}
	if err := small.Close(); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// read adds the packages of a file to those that are known, and to reach.
func (f *facts) read(name string, reach map[string]bool) error {
	data, err := os.ReadFile(name)
	if err != nil || len(data) == 0 {
		return err
	}
	var list []packed
	if err := gob.NewDecoder(bytes.NewReader(data)).Decode(&list); err != nil {
		return err
	}
	for _, p := range list {
		reach[p.Package] = true
		f.files[p.Package] = p.Facts
	}
	return nil
}

// unpack has the facts of a package at hand.
func (f *facts) unpack(pkg string) {
	data, ok := f.files[pkg]
	if !ok || f.unpacked[pkg] {
		return
	}
	f.unpacked[pkg] = true
	var list []stored
	if err := gob.NewDecoder(flate.NewReader(bytes.NewReader(data))).Decode(&list); err != nil {
		f.broken = fmt.Errorf("facts of %s: %w", pkg, err)
	}
	for _, s := range list {
		f.put(keyOf(pkg, s.Object, s.Fact), s.Fact)
	}
}
