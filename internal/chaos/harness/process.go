package harness

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
)

// ready is what a started process says when it works.
const ready = "ready"

// Process is this program, run again as something else.
type Process struct {
	Name  string
	cmd   *exec.Cmd
	stdin io.Closer
	said  chan string // its first line
	log   *Lines
	reap  sync.Once
	ended error
}

// Launch starts a process and does not wait until it works. The caller has to Kill or Terminate it.
func Launch(name string, as Role) (*Process, error) {
	role, err := json.Marshal(as)
	if err != nil {
		return nil, fmt.Errorf("harness: start %s: %w", name, err)
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("harness: find this program to run it again: %w", err)
	}
	p := &Process{Name: name, cmd: exec.Command(self), said: make(chan string, 1), log: &Lines{}}
	p.cmd.Env = append(os.Environ(), envRole+"="+string(role))
	p.cmd.Stderr = p.log
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("harness: start %s: %w", name, err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("harness: start %s: %w", name, err)
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("harness: start %s: %w", name, err)
	}
	go func() {
		line, _ := bufio.NewReader(out).ReadString('\n') // an end without a line shows as ""
		p.said <- strings.TrimSpace(line)
	}()
	return p, nil
}

// Ready waits until the process works and gives what else it said.
func (p *Process) Ready(ctx context.Context) (string, error) {
	select {
	case line := <-p.said:
		rest, ok := strings.CutPrefix(line, ready)
		if !ok {
			return "", fmt.Errorf("harness: %s ended before it worked: %s", p.Name, p.log.Tail())
		}
		return strings.TrimSpace(rest), nil
	case <-ctx.Done():
		return "", fmt.Errorf("harness: %s never worked: %w: %s", p.Name, context.Cause(ctx), p.log.Tail())
	}
}

// Kill ends the process without a chance to do anything.
func (p *Process) Kill() {
	_ = p.cmd.Process.Signal(syscall.SIGKILL) // it may have ended
	_ = p.wait()
}

// Terminate asks the process to end, waits until it has, and gives its error.
func (p *Process) Terminate(ctx context.Context) error {
	if err := p.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, p.Kill)
	defer stop()
	if err := p.wait(); err != nil {
		return fmt.Errorf("harness: %s: %w: %s", p.Name, errors.Join(err, context.Cause(ctx)), p.log.Tail())
	}
	return nil
}

// wait waits for the end.
func (p *Process) wait() error {
	p.reap.Do(func() {
		p.ended = p.cmd.Wait()
		_ = p.stdin.Close() // it is closed with the process
	})
	return p.ended
}

// Signal sends s.
func (p *Process) Signal(s syscall.Signal) error {
	if err := p.cmd.Process.Signal(s); err != nil {
		return fmt.Errorf("harness: %v to %s: %w", s, p.Name, err)
	}
	return nil
}

// Said gives the end of what the process has said to its standard error.
func (p *Process) Said() string { return p.log.Tail() }

// Lines keeps the end of what is written to it. Its methods may be called concurrently.
type Lines struct {
	mu   sync.Mutex
	text []byte
}

const kept = 64 << 10

func (l *Lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, p...)
	if over := len(l.text) - 2*kept; over > 0 {
		l.text = l.text[over+kept:]
	}
	return len(p), nil
}

// Tail gives the end of what was written.
func (l *Lines) Tail() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.text[max(0, len(l.text)-kept):])
}

// Contains reports whether s is in what is kept.
func (l *Lines) Contains(s string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Contains(l.text, []byte(s))
}
