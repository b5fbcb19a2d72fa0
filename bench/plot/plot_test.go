package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDraw(t *testing.T) {
	for name, tt := range map[string]struct {
		csv  string
		look look
		want []string // texts of the picture
	}{
		"lines":  {"seconds,log (MB),archive (MB),rate\n1,10,1,5000\n2,12,,5100\n", look{title: "soak"}, []string{"soak", "seconds", "log", "archive", "MB", "rate"}},
		"sizes":  {"n,cost (ms)\n100,3\n1000,3.1\n10000,3\n", look{logX: true, logY: true}, []string{"100", "10000", "ms"}},
		"beside": {"variant,rate (1/s),CPU (µs)\nours,4000,350\ntheirs,40,\n", look{logY: true}, []string{"ours", "theirs", "100"}},
		"words":  {"system,relaxed (per s),strict (per s)\nours,5000,3000\ntheirs,1000,\n", look{}, []string{"ours", "theirs", "strict", "per s"}},
		"no gap": {"n,cost\n1,\n2,\n", look{}, []string{"cost"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			in, out := filepath.Join(dir, "in.csv"), filepath.Join(dir, "out.svg")
			if err := os.WriteFile(in, []byte(tt.csv), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := run(in, out, tt.look); err != nil {
				t.Fatal(err)
			}
			svg, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range tt.want {
				if !strings.Contains(string(svg), ">"+want+"<") {
					t.Errorf("no %q in the picture", want)
				}
			}
		})
	}
}

func TestReadRefuses(t *testing.T) {
	for name, csv := range map[string]string{
		"nothing":     "",
		"names only":  "a,b\n",
		"one column":  "a\n1\n",
		"ragged":      "a,b\n1\n",
		"no number":   "a,b\n1,x\n",
		"no csv":      "a,b\n\"1,2\n",
		"only x axis": "a\n1\n2\n",
	} {
		if _, err := read(strings.NewReader(csv)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
