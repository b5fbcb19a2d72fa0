package changes_test

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const table = "../../docs/changes-table.md"

const heading = `# Changes of code, and what they do to instances that run

Each row is a pair of programs in [testdata/changes](../testdata/changes): old code has been stopped at every point of a run and
new code has gone on from there. *Safe* says that this broke nothing, *unsafe* that it broke an instance at some point.
This page is written by ` + "`go test ./internal/changes -run TestTable -update`" + `.
`

// TestTable keeps the table of the docs equal to the corpus.
func TestTable(t *testing.T) {
	t.Parallel()
	want := tableOf(readPairs(t))
	if *update {
		writeFile(t, table, want)
		return
	}
	got, err := os.ReadFile(table)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what the corpus says, run with -update (-want +got):\n%s", table, cmp.Diff(string(want), string(got)))
	}
}

// tableOf lists pairs by the kind of change, safe ones first.
func tableOf(pairs []pair) []byte {
	kinds := map[string][]pair{}
	var order []string
	for _, p := range pairs {
		if !slices.Contains(order, p.want.Kind) {
			order = append(order, p.want.Kind)
		}
		kinds[p.want.Kind] = append(kinds[p.want.Kind], p)
	}
	slices.Sort(order)
	text := bytes.NewBufferString(heading)
	for _, kind := range order {
		fmt.Fprintf(text, "\n## %s%s\n\n| change | verdict | pair |\n| --- | --- | --- |\n", strings.ToUpper(kind[:1]), kind[1:])
		for _, verdict := range []string{"safe", "unsafe"} {
			for _, p := range kinds[kind] {
				if p.want.Verdict == verdict {
					fmt.Fprintf(text, "| %s | %s | [%s](../testdata/changes/%s.txtar) |\n", strings.ReplaceAll(strings.Join(strings.Fields(p.comment), " "), "|", `\|`), verdict, p.name, p.name)
				}
			}
		}
	}
	return text.Bytes()
}
