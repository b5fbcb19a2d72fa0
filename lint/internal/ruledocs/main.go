// Ruledocs writes docs/lint from the rules: go generate ./lint runs it.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/durablegen/durablegen/lint"
)

func main() {
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "ruledocs:", err)
		os.Exit(1)
	}
}

// write leaves exactly one file a rule in dir, and the list of them.
func write(dir string) error {
	old, err := filepath.Glob(filepath.Join(dir, "*.md"))
	if err != nil {
		return err
	}
	for _, path := range old {
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	for name, text := range lint.Documents() {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}
