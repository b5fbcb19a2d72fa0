package effects

import (
	"go/token"
	"go/types"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestOther(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		path, recv, name string
		want             Effect
		known            bool
	}{
		{path: "github.com/google/uuid", name: "NewString", want: Effect{Rule: "DET113"}, known: true},
		{path: "github.com/google/uuid", name: "NewSHA1", known: true},
		{path: "github.com/google/uuid", name: "Later", known: false},
		{path: "golang.org/x/sync/errgroup", recv: "Group", name: "Go", want: Effect{Rule: "DET201", Calls: []Call{{Arg: 0}}}, known: true},
		{path: "golang.org/x/exp/maps", name: "Keys", want: Effect{Order: true}, known: true},
		{path: "go.uber.org/atomic", recv: "Int64", name: "Add", want: Effect{Rule: "DET205"}, known: true},
		{path: "github.com/redis/go-redis/v9", recv: "Client", name: "Get", want: Effect{Rule: "DET302"}, known: true},
		{path: "example.com/unheard", name: "Of", known: false},
		{path: "strings", name: "Map", known: false},
	} {
		pkg := types.NewPackage(c.path, c.path[strings.LastIndex(c.path, "/")+1:])
		var recv *types.Var
		if c.recv != "" {
			named := types.NewNamed(types.NewTypeName(token.NoPos, pkg, c.recv, nil), types.NewStruct(nil, nil), nil)
			recv = types.NewVar(token.NoPos, pkg, "r", named)
		}
		fn := types.NewFunc(token.NoPos, pkg, c.name, types.NewSignatureType(recv, nil, nil, nil, nil, false))
		got, known := Other(fn)
		if diff := cmp.Diff(c.want, got); diff != "" || known != c.known {
			t.Errorf("%s.%s%s: known %t, want %t (-want +got):\n%s", c.path, c.recv, c.name, known, c.known, diff)
		}
	}
}
