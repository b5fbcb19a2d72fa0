package demo

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os/exec"
	"time"
)

// ReadyLine is what a worker process prints on its standard output once it works.
const ReadyLine = "ready"

// Crew keeps one worker process at work, and kills it now and then without a warning.
type Crew struct {
	Command func() *exec.Cmd // a worker that prints ReadyLine, and stops when its standard input ends
	Kills   int              // at most so many
	Seed    uint64           // of the moments
	Least   time.Duration    // a worker lives at least so long after it got ready
	Most    time.Duration    // and at most so long
}

// Run keeps the worker at work until ctx ends, then asks it to stop. It reports how often it killed one. It fails when a
// worker does not start, or ends by itself.
func (c Crew) Run(ctx context.Context) (kills int, err error) {
	moments := rand.New(rand.NewPCG(c.Seed, 0))
	for {
		w, err := hire(c.Command())
		if err != nil {
			return kills, err
		}
		var life <-chan time.Time // for ever
		if kills < c.Kills {
			life = time.After(c.Least + time.Duration(moments.Int64N(int64(c.Most-c.Least))))
		}
		select {
		case <-ctx.Done():
			return kills, w.dismiss()
		case err := <-w.ended:
			return kills, fmt.Errorf("the worker process ended by itself: %w", err)
		case <-life:
			kills++
			w.kill()
		}
	}
}

// hand is a running worker process.
type hand struct {
	cmd   *exec.Cmd
	stdin io.Closer
	ended chan error // gets the end of the process
}

// hire starts a worker and waits until it works.
func hire(cmd *exec.Cmd) (*hand, error) {
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the worker process: %w", err)
	}
	w := &hand{cmd: cmd, stdin: stdin, ended: make(chan error, 1)}
	ready := false
	lines := bufio.NewScanner(stdout)
	for !ready && lines.Scan() {
		ready = lines.Text() == ReadyLine
	}
	if !ready {
		return nil, fmt.Errorf("the worker process ended before it was ready: %w", cmd.Wait())
	}
	go func() {
		_, _ = io.Copy(io.Discard, stdout) // until the process ends
		err := cmd.Wait()
		if err == nil {
			err = errors.New("without an error")
		}
		w.ended <- err
	}()
	return w, nil
}

// kill ends the process as a power cut would: it runs no more of its code.
func (w *hand) kill() {
	_ = w.cmd.Process.Kill() // it may have ended by itself this moment
	<-w.ended
}

// dismiss ends the process in order, or kills it when that takes too long.
func (w *hand) dismiss() error {
	w.stdin.Close()
	select {
	case <-w.ended:
		return nil
	case <-time.After(20 * time.Second):
		w.kill()
		return errors.New("the worker process did not stop within 20 s and was killed")
	}
}
