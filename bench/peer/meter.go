package peer

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// The figures of processes come from /proc: those of a server are not among the resource usage that its parent can ask
// for while it runs.

const tick = 10 * time.Millisecond // of the times in /proc/PID/stat, USER_HZ, the same on every Linux that Go runs on

// process is what /proc/PID/stat says of one process.
type process struct {
	id, parent int
	cpu        time.Duration // user and system, its ended and awaited children included
}

// processTree gives this process and all below it.
func processTree() ([]process, error) {
	names, err := filepath.Glob("/proc/[0-9]*/stat")
	if err == nil && len(names) == 0 {
		err = errors.New("there is no /proc")
	}
	if err != nil {
		return nil, fmt.Errorf("peer: times of processes: %w: the comparison needs Linux", err)
	}
	children := map[int][]process{}
	var tree []process
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil { // it has ended
			continue
		}
		p, err := parseStat(string(text))
		if err != nil {
			return nil, fmt.Errorf("peer: %s: %w", name, err)
		}
		children[p.parent] = append(children[p.parent], p)
		if p.id == os.Getpid() {
			tree = append(tree, p)
		}
	}
	for i := 0; i < len(tree); i++ {
		tree = append(tree, children[tree[i].id]...)
	}
	return tree, nil
}

func parseStat(text string) (p process, err error) {
	id, rest, found := strings.Cut(text, " (")
	end := strings.LastIndex(rest, ") ") // a name may hold both
	if !found || end < 0 {
		return p, fmt.Errorf("no name in parentheses in %q", text)
	}
	fields := strings.Fields(rest[end+2:]) // from the third on
	if len(fields) < 15 {
		return p, fmt.Errorf("only %d fields after the name in %q", len(fields), text)
	}
	number := func(s string) int {
		n, e := strconv.Atoi(s)
		err = errors.Join(err, e)
		return n
	}
	p.id, p.parent = number(id), number(fields[1])
	for _, field := range fields[11:15] { // utime, stime, cutime, cstime
		p.cpu += time.Duration(number(field)) * tick
	}
	return p, err
}

// cpuTime gives the user and system time of this process and of all below it, ended ones included.
func cpuTime() (time.Duration, error) {
	tree, err := processTree()
	var sum time.Duration
	for _, p := range tree {
		sum += p.cpu
	}
	return sum, err
}

// memory gives, in MB (10^6 bytes), the most memory that this process ever had and what the processes below it have now,
// pages that they share counted once.
func memory() (float64, error) {
	tree, err := processTree()
	if err != nil {
		return 0, err
	}
	sum, err := kilobytes("/proc/self/status", "VmHWM:")
	if err != nil {
		return 0, err
	}
	for _, p := range tree[1:] {
		n, err := kilobytes(fmt.Sprintf("/proc/%d/smaps_rollup", p.id), "Pss:")
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH) { // it has ended
			continue
		}
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return float64(sum) * 1024 / 1e6, nil
}

func kilobytes(file, field string) (int, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, fmt.Errorf("peer: memory of a process: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, field); ok {
			return strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(rest), " kB"))
		}
	}
	return 0, fmt.Errorf("peer: memory of a process: %s has no %s", file, field)
}

// loadAverage gives the load of the machine's last minute; 0 where it is unknown.
func loadAverage() float64 {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(text), " ")
	load, err := strconv.ParseFloat(first, 64)
	if err != nil {
		return 0
	}
	return load
}
