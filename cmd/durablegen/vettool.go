package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis/unitchecker"

	"github.com/durablegen/durablegen/lint"
)

// isVet reports whether the go command calls, for go vet -vettool: it asks for the version, for the flags, or has one
// package looked at that a .cfg file describes.
func isVet(args []string) bool {
	return slices.Contains(args, "-V=full") || slices.Equal(args, []string{"-flags"}) ||
		len(args) > 0 && strings.HasSuffix(args[len(args)-1], ".cfg")
}

// vet answers the go command.
func vet(args []string) {
	switch {
	case slices.Contains(args, "-V=full"):
		id, err := vetID()
		if err != nil {
			fmt.Fprintf(os.Stderr, "durablegen: %s\n", err)
			os.Exit(exitFailure)
		}
		fmt.Printf("durablegen version devel buildID=%x\n", id)
	case known(args[len(args)-1]):
	default:
		unitchecker.Main(lint.Analyzers()...)
	}
}

// vetID stands for all that findings depend on beside the code: this program and durablelint.yaml. The go command asks for
// it in the user's folder, and keeps results under it.
func vetID() ([]byte, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, err
	}
	program, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer program.Close()
	h := sha256.New()
	if _, err := io.Copy(h, program); err != nil {
		return nil, err
	}
	wd, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	if text, err := os.ReadFile(lint.PolicyFile(wd)); err == nil {
		h.Write(text)
	}
	return h.Sum(nil), nil
}

// known deals with the packages that nothing has to be known of, above all the standard library: reading them takes most of
// the time of a first run.
func known(config string) bool {
	text, err := os.ReadFile(config)
	if err != nil {
		return false
	}
	var cfg unitchecker.Config
	if json.Unmarshal(text, &cfg) != nil || !cfg.VetxOnly || !lint.Known(cfg.ImportPath) {
		return false
	}
	if err := os.WriteFile(cfg.VetxOutput, nil, 0o666); err != nil {
		fmt.Fprintf(os.Stderr, "durablegen: %s: %s\n", filepath.Base(config), err)
		os.Exit(exitFailure)
	}
	return true
}
