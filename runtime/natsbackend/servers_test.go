package natsbackend

import (
	"slices"
	"testing"
)

// TestOrdered: a connection begins with the server of the others, if that is one of its own, and leaves the rest as it is.
func TestOrdered(t *testing.T) {
	t.Parallel()
	list := []string{"nats://a:4222", "b:4222", "tls://me:secret@c:4222/"}
	for _, c := range []struct {
		near string
		want []string
	}{
		{"", list},
		{"nats://elsewhere:4222", list},
		{"nats://a:4222", list},
		{"nats://b:4222", []string{"b:4222", "nats://a:4222", "tls://me:secret@c:4222/"}},
		{"tls://c:4222", []string{"tls://me:secret@c:4222/", "nats://a:4222", "b:4222"}},
	} {
		if got := ordered(list, c.near, false); !slices.Equal(got, c.want) {
			t.Errorf("near %q: %v, want %v", c.near, got, c.want)
		}
	}
	if got := slices.Sorted(slices.Values(ordered(list, "nats://b:4222", true)[1:])); !slices.Equal(got, []string{list[0], list[2]}) {
		t.Errorf("shuffled: behind the first there are %v", got)
	}
}
