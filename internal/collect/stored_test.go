package collect

import "testing"

func TestFresh(t *testing.T) {
	t.Parallel()
	taken := func(names ...string) func(string) bool {
		return func(s string) bool {
			for _, n := range names {
				if n == s {
					return true
				}
			}
			return false
		}
	}
	for _, test := range []struct {
		name       string
		taken      []string
		candidates []string
		want       string
	}{
		{"the first", nil, []string{"a", "b"}, "a"},
		{"the next", []string{"a"}, []string{"a", "b"}, "b"},
		{"a number", []string{"a", "b"}, []string{"a", "b"}, "b2"},
		{"a higher number", []string{"a", "a2", "a3"}, []string{"a"}, "a4"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := Fresh(taken(test.taken...), test.candidates...); got != test.want {
				t.Errorf("Fresh(%q) with %q taken = %q, want %q", test.candidates, test.taken, got, test.want)
			}
		})
	}
}
