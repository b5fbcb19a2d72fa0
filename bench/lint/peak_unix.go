//go:build unix

package main

import (
	"os"
	"runtime"
	"syscall"
)

// peak is the most memory in bytes that an ended process, or one that it waited for, held at once.
func peak(state *os.ProcessState) int64 {
	usage, ok := state.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	if runtime.GOOS == "darwin" {
		return int64(usage.Maxrss)
	}
	return int64(usage.Maxrss) << 10 // Linux and the BSDs count in KiB
}
