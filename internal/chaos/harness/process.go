package chaos_test

import (
	"bufio"
	"bytes"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// process is this test binary, run again as something else.
type process struct {
	t     *testing.T
	name  string
	cmd   *exec.Cmd
	stdin io.Closer
	said  chan string // its first line
	log   *lines
	ended sync.Once
}

// launch starts a process and does not wait until it works. The caller has to kill it.
func launch(t *testing.T, name string, env ...string) *process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, name: name, cmd: exec.Command(self), said: make(chan string, 1), log: &lines{}}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stderr = p.log
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		line, _ := bufio.NewReader(out).ReadString('\n') // an end without a line shows as ""
		p.said <- strings.TrimSpace(line)
	}()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%s (process %d) said:\n%s", p.name, p.cmd.Process.Pid, p.log.tail())
		}
	})
	return p
}

// ready waits until the process works and gives what else it said.
func (p *process) ready() string {
	p.t.Helper()
	select {
	case line := <-p.said:
		if rest, ok := strings.CutPrefix(line, ready); ok {
			return strings.TrimSpace(rest)
		}
		p.t.Fatalf("%s ended before it worked: %s", p.name, p.log.tail())
	case <-time.After(patience):
		p.t.Fatalf("%s never worked", p.name)
	}
	return ""
}

// kill ends the process without a chance to do anything.
func (p *process) kill() {
	p.ended.Do(func() {
		p.signal(syscall.SIGKILL)
		_ = p.cmd.Wait() // "signal: killed"
		_ = p.stdin.Close()
	})
}

func (p *process) signal(s syscall.Signal) {
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Errorf("%v to %s: %v", s, p.name, err)
	}
}

// lines keeps the end of what a process says.
type lines struct {
	mu   sync.Mutex
	text []byte
}

const kept = 16 << 10

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, p...)
	if over := len(l.text) - 2*kept; over > 0 {
		l.text = l.text[over+kept:]
	}
	return len(p), nil
}

func (l *lines) tail() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.text[max(0, len(l.text)-kept):])
}

func (l *lines) contains(s string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Contains(l.text, []byte(s))
}

func stderrLog() *slog.Logger { return slog.New(slog.NewTextHandler(os.Stderr, nil)) }

// failureLog gives a logger whose end is shown when the test fails.
func failureLog(t *testing.T, name string) *slog.Logger {
	var l lines
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%s said:\n%s", name, l.tail())
		}
	})
	return slog.New(slog.NewTextHandler(&l, nil))
}
