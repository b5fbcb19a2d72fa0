package durable

import "testing"

func TestCompareVersions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		older, newer string
	}{
		{"1", "2"}, {"", "2"}, {"9", "10"}, {"1.9", "1.10"}, {"2024-1", "2024-2"}, {"2024-9", "2024-10"}, {"3", "3-trial"}, {"a9", "a10"}, {"2", "beta"}, {"1", "01"},
	} {
		if CompareVersions(c.older, c.newer) >= 0 || CompareVersions(c.newer, c.older) <= 0 {
			t.Errorf("%q is not older than %q", c.older, c.newer)
		}
	}
	if CompareVersions("", "1") != 0 || CompareVersions("7", "7") != 0 {
		t.Error("equal versions differ")
	}
}
