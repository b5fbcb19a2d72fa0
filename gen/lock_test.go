package gen_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/gen"
)

const shop = `package shop

import durable "github.com/durablegen/durablegen/runtime"

//durable:activity
func Pack(name string, count int) error { return nil }

// Order packs something.
//
//durable:orchestrator
func Order(ctx durable.Context, name string) error {
	count := 2
	if name == "" {
		return nil
	}
	return PackActivity.Call(ctx, name, count)
}
`

// rewritten does the same in other words.
const rewritten = `package shop

import durable "github.com/durablegen/durablegen/runtime"

const two = 2

// Order packs something, if it has a name.
//
//durable:orchestrator
func Order(ctx durable.Context, what string) error {
	if what != "" {
		return pack(ctx, what)
	}
	return nil
}

func pack(
	ctx durable.Context,
	s string,
) error {
	return PackActivity.Call(ctx, s, two)
}

//durable:activity
func Pack(name string, count int) error {
	return nil
}
`

// TestLockIsStable: whoever writes the same in other words gets the same file, and a finding points to what was edited.
func TestLockIsStable(t *testing.T) {
	t.Parallel()
	dir := newModule(t)
	path := filepath.Join(dir, "shop", "shop.go")
	lock := filepath.Join(dir, "shop", gen.LockName)
	generate := func(source string) (text []byte, findings []gen.Finding) {
		t.Helper()
		writeFile(t, path, []byte(source))
		result, err := gen.Generate(context.Background(), gen.Config{Dir: dir, Patterns: []string{"./shop"}})
		if err != nil || len(result.Diagnostics) > 0 {
			t.Fatal(err, result.Diagnostics)
		}
		for _, f := range result.Files {
			writeFile(t, f.Path, f.New)
			if f.Path == lock {
				text = f.New
			}
		}
		return text, result.Findings
	}
	first, _ := generate(shop)
	second, findings := generate(rewritten)
	if diff := cmp.Diff(string(first), string(second)); diff != "" {
		t.Errorf("the lock is another one (-first +second):\n%s", diff)
	}
	if len(findings) > 0 {
		t.Errorf("findings of code that does the same: %+v", findings)
	}
	const line = 12 // count := 3
	_, findings = generate(strings.Replace(shop, "count := 2", "count := 3", 1))
	if len(findings) != 1 || findings[0].Safe || findings[0].Pos.Line != line {
		t.Errorf("findings %+v, want an unsafe one in line %d", findings, line)
	}
}
