package lint

import "testing"

// TestDirective: what is taken for a directive, so that its package is read.
func TestDirective(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]bool{
		"//durable:orchestrator":                  true,
		"\t//durable:allow DET101 -- reason":      true,
		"x := a / b //durable:allow DET101 -- it": true,
		"// durable:activity timeout=1s":          true,
		"/* Durable:Pure */":                      true,
		"//durable:purre":                         true,
		"// see //durable:allow":                  false,
		`fmt.Println("//durable:pure")`:           false,
		"const form = `//durable:allow`":          false,
		"package durable":                         false,
		"// Package durable is what users see.":   false,
	} {
		if got := directive.MatchString(line); got != want {
			t.Errorf("%s: %t, want %t", line, got, want)
		}
	}
}
