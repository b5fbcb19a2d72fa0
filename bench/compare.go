package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// compareFlag is, as the first argument, the way to the comparison with other systems.
const compareFlag = "-compare"

// compare runs bench/compare, a module of its own, with args.
func compare(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := runCompare(ctx, args, stdout, stderr); err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) && exit.Exited() { // it has said what was wrong
			return exit.ExitCode()
		}
		fmt.Fprintln(stderr, err)
		return 1
	}
	return 0
}

// runCompare builds the command and runs it, in this folder: its files are named from here.
func runCompare(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	dir, err := compareDir(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(stderr, "bench: building %s, a module of its own: the first time it downloads other systems, hundreds of MB, and compiles them for some minutes\n", dir)
	tmp, err := os.MkdirTemp("", "bench-compare-")
	if err != nil {
		return fmt.Errorf("bench: %s: %w", compareFlag, err)
	}
	defer os.RemoveAll(tmp)
	program := filepath.Join(tmp, "compare")
	for _, command := range [][]string{{"go", "-C", dir, "build", "-o", program, "."}, slices.Concat([]string{program}, args)} {
		run := exec.CommandContext(ctx, command[0], command[1:]...)
		run.Stdout, run.Stderr = stdout, stderr
		run.Cancel = func() error { return run.Process.Signal(os.Interrupt) } // it has children to stop
		if err := run.Run(); err != nil {
			return fmt.Errorf("bench: %s: %w", compareFlag, err)
		}
	}
	return nil
}

// compareDir gives the folder of the module, seen from any folder of this one.
func compareDir(ctx context.Context) (string, error) {
	mod, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	root := filepath.Dir(string(bytes.TrimSpace(mod)))
	if err == nil {
		_, err = os.Stat(filepath.Join(root, "bench", "compare", "go.mod"))
	}
	if err != nil {
		return "", fmt.Errorf("bench: %s works in a checkout of this repository, which has bench/compare: %w", compareFlag, err)
	}
	return filepath.Join(root, "bench", "compare"), nil
}

// compares says whether the command line asks for the comparison, and gives its arguments. It must be the first
// argument, because the others belong to another command.
func compares(args []string) ([]string, bool) {
	if len(args) == 0 || strings.Replace(args[0], "--", "-", 1) != compareFlag {
		return nil, false
	}
	return args[1:], true
}
