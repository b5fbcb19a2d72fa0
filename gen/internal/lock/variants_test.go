package lock_test

import (
	"embed"
	"fmt"
	"path"
	"strings"
	"testing"

	"github.com/durablegen/durablegen/internal/shape"
)

//go:embed testdata/variants/*.txt
var variantFiles embed.FS

// variant is a program in two forms that do different things.
type variant struct{ name, a, b string }

// variants reads testdata/variants. A file holds programs, each after a line "# name"; where the two forms differ stands
// «one|other».
func variants(t *testing.T) []variant {
	t.Helper()
	files, err := variantFiles.ReadDir("testdata/variants")
	if err != nil {
		t.Fatal(err)
	}
	var all []variant
	for _, f := range files {
		text, err := variantFiles.ReadFile(path.Join("testdata/variants", f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range strings.Split("\n"+string(text), "\n# ")[1:] {
			name, body, _ := strings.Cut(c, "\n")
			v := variant{name: name}
			for rest := body; rest != ""; {
				common, marked, found := strings.Cut(rest, "«")
				v.a, v.b = v.a+common, v.b+common
				if !found {
					break
				}
				both, after, closed := strings.Cut(marked, "»")
				one, other, parted := strings.Cut(both, "|")
				if !closed || !parted {
					t.Fatalf("%s: %s: a mark without an end", f.Name(), name)
				}
				v.a, v.b, rest = v.a+one, v.b+other, after
			}
			if v.a == v.b {
				t.Fatalf("%s: %s: the two forms are the same", f.Name(), name)
			}
			all = append(all, v)
		}
	}
	return all
}

// TestVariantsAreSeen reads the two forms of every program. What they do differs, so their flows must, and instances of one
// of them break under the other.
func TestVariantsAreSeen(t *testing.T) {
	t.Parallel()
	programs := map[string]string{}
	list := variants(t)
	for i, v := range list {
		programs[fmt.Sprintf("v%03da", i)], programs[fmt.Sprintf("v%03db", i)] = v.a, v.b
	}
	all := flows(t, programs)
	for i, v := range list {
		a, b := all[fmt.Sprintf("v%03da", i)], all[fmt.Sprintf("v%03db", i)]
		sound(t, v.name, a)
		sound(t, v.name, b)
		one := strings.ReplaceAll(encoded(t, bare(a)), fmt.Sprintf("v%03da", i), "v")
		other := strings.ReplaceAll(encoded(t, bare(b)), fmt.Sprintf("v%03db", i), "v")
		if one == other { // names of packages aside
			t.Errorf("%s: both are\n%s", v.name, text(a))
		}
		old, now := reread(t, a, fmt.Sprintf("v%03da", i)), reread(t, b, fmt.Sprintf("v%03db", i))
		if !shape.Unsafe(shape.Compare(old, now, nil)) && !shape.Unsafe(shape.Compare(now, old, nil)) {
			t.Errorf("%s: the one is as safe as the other\n%s", v.name, text(a))
		}
	}
}
