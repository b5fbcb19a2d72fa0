package backendtest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/internal/backend"
)

var metas = []promise{
	{"values are compared and set", compareMeta},
	{"delete", deleteMeta},
	{"list", listMeta},
	{"watch", watchMeta},
	{"watch ends", endWatch},
}

func compareMeta(t *testing.T, h Hub) {
	a, b := connect(t, h).Meta(), connect(t, h).Meta()
	ctx := within(t)
	comparedAndSet(t, func(n int, rev uint64) (uint64, error) {
		return a.Put(ctx, "names.a-b_c=2E.Z9", fmt.Append(nil, n), rev)
	}, func() (n int, rev uint64, err error) {
		value, rev, err := b.Get(ctx, "names.a-b_c=2E.Z9")
		if err == nil {
			_, err = fmt.Sscan(string(value), &n)
		}
		return n, rev, err
	})
}

func deleteMeta(t *testing.T, h Hub) {
	m, ctx := connect(t, h).Meta(), within(t)
	put := func(value string, rev uint64) uint64 {
		t.Helper()
		next, err := m.Put(ctx, "key", []byte(value), rev)
		if err != nil {
			t.Fatalf("put %q at revision %d: %v", value, rev, err)
		}
		return next
	}
	rev := put("one", put("zero", 0))
	if err := m.Delete(ctx, "key", rev-1); !errors.Is(err, backend.ErrConflict) {
		t.Errorf("delete an older revision: %v, want ErrConflict", err)
	}
	if err := m.Delete(ctx, "key", rev); err != nil {
		t.Fatal(err)
	}
	if value, _, err := m.Get(ctx, "key"); !errors.Is(err, backend.ErrNotFound) {
		t.Errorf("deleted, and it is %q, error %v, want ErrNotFound", value, err)
	}
	if _, err := m.Put(ctx, "key", nil, rev); !errors.Is(err, backend.ErrConflict) {
		t.Errorf("update what is deleted: %v, want ErrConflict", err)
	}
	if again := put("", 0); again <= rev {
		t.Errorf("made again with revision %d after %d", again, rev)
	}
	if value, _, err := m.Get(ctx, "key"); err != nil || len(value) != 0 {
		t.Errorf("an empty value is %q, error %v", value, err)
	}
}

func listMeta(t *testing.T, h Hub) {
	m, ctx := connect(t, h).Meta(), within(t)
	for _, key := range []string{"a", "a.b", "a.b.c", "ab.c", "b.a", "gone.a"} {
		rev, err := m.Put(ctx, key, []byte("value of "+key), 0)
		if err != nil {
			t.Fatal(err)
		}
		if key == "gone.a" {
			if err := m.Delete(ctx, key, rev); err != nil {
				t.Fatal(err)
			}
		}
	}
	for prefix, keys := range map[string][]string{
		"":     {"a", "a.b", "a.b.c", "ab.c", "b.a"},
		"a":    {"a.b", "a.b.c"},
		"a.b":  {"a.b.c"},
		"ab":   {"ab.c"},
		"gone": nil, "nothing": nil,
	} {
		want := map[string][]byte{}
		for _, key := range keys {
			want[key] = []byte("value of " + key)
		}
		got, err := m.List(ctx, prefix)
		if err != nil {
			t.Fatal(err)
		}
		if len(want) > 0 || len(got) > 0 {
			differs(t, fmt.Sprintf("keys below %q", prefix), want, got)
		}
	}
}

// seen is a call of a watch's function.
type seen struct {
	key, value string
	deleted    bool
	rev        uint64
}

// watch starts a watch, which may block or not.
func watch(t *testing.T, ctx context.Context, m backend.Meta, prefix string) (got chan seen, ended chan error) {
	got, ended = make(chan seen, roomy), make(chan error, 1)
	go func() {
		ended <- m.Watch(ctx, prefix, func(key string, value []byte, rev uint64) {
			got <- seen{key, string(value), value == nil, rev}
		})
	}()
	return got, ended
}

func watchMeta(t *testing.T, h Hub) {
	a, b := connect(t, h).Meta(), connect(t, h).Meta()
	ctx := within(t)
	put := func(key, value string, rev uint64) uint64 {
		t.Helper()
		next, err := a.Put(ctx, key, []byte(value), rev)
		if err != nil {
			t.Fatalf("put %s: %v", key, err)
		}
		return next
	}
	old, same := put("p.old", "1", 0), put("p.q.same", "2", 0)
	put("other.old", "3", 0)
	put("p", "not below itself", 0)
	got, _ := watch(t, ctx, b, "p")
	present := map[string]seen{}
	for range 2 {
		s := receive(t, got, "a key that is there")
		present[s.key] = s
	}
	differs(t, "keys that were there", map[string]seen{
		"p.old": {"p.old", "1", false, old}, "p.q.same": {"p.q.same", "2", false, same},
	}, present, cmp.AllowUnexported(seen{}))
	want := func(w seen) {
		t.Helper()
		differs(t, "change", w, receive(t, got, "a change"), cmp.AllowUnexported(seen{}))
	}
	put("other.new", "4", 0)
	made := put("p.new", "", 0)
	want(seen{"p.new", "", false, made})
	changed := put("p.old", "5", old)
	want(seen{"p.old", "5", false, changed})
	if err := a.Delete(ctx, "p.old", changed); err != nil {
		t.Fatal(err)
	}
	if s := receive(t, got, "a deletion"); s.key != "p.old" || !s.deleted {
		t.Errorf("%+v, want the deletion of p.old", s)
	}
	again := put("p.old", "6", 0)
	want(seen{"p.old", "6", false, again})
}

func endWatch(t *testing.T, h Hub) {
	m := connect(t, h).Meta()
	ctx, cancel := context.WithCancel(within(t))
	got, ended := watch(t, ctx, m, "p")
	if _, err := m.Put(within(t), "p.a", []byte("1"), 0); err != nil {
		t.Fatal(err)
	}
	receive(t, got, "a key")
	cancel()
	receive(t, ended, "the end of the watch")
	other, _ := watch(t, within(t), m, "p")
	receive(t, other, "the key that is there")
	if _, err := m.Put(within(t), "p.b", []byte("2"), 0); err != nil {
		t.Fatal(err)
	}
	receive(t, other, "the new key")
	select {
	case s := <-got:
		t.Errorf("a watch that ended saw %+v", s)
	default:
	}
}
