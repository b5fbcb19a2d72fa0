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

func TestSamePackage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		had, source string
		want        bool
	}{
		{"example.com/shop.Order", "example.com/shop.OrderV2", true},
		{"example.com/shop.Desk.Rent", "example.com/shop.Rent", true},
		{"example.com/shop.Order", "example.com/other.Order", false},
		{"example.com/shop.Order", "example.org/shop.Order", false},
		{"shop", "shop", true},
		{"shop", "other", false},
	} {
		if got := samePackage(c.had, c.source); got != c.want {
			t.Errorf("%s and %s: %v, want %v", c.had, c.source, got, c.want)
		}
	}
}
