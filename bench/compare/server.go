package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os/exec"
	"strconv"
	"syscall"
	"time"
)

// startServer starts a process that stopServer ends.
func startServer(server *exec.Cmd) error {
	if server.SysProcAttr == nil {
		server.SysProcAttr = childAttributes()
	}
	return server.Start()
}

// stopServer asks the process to end and waits for it.
func stopServer(server *exec.Cmd, how syscall.Signal) error {
	if err := server.Process.Signal(how); err != nil {
		return fmt.Errorf("stop %s: %w", server.Path, err)
	}
	var exit *exec.ExitError
	if err := server.Wait(); err != nil && !errors.As(err, &exit) {
		return fmt.Errorf("stop %s: %w", server.Path, err)
	}
	return nil
}

// answers waits, for half a minute at most, until ask gives no error.
func answers(ctx context.Context, ask func() error) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		err := ask()
		if err == nil {
			return nil
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), err)
		}
	}
}

// freePort gives a TCP port that nobody listens on, below those that the system gives to connections: these may be taken
// before it is used, and Temporal's PostgreSQL schema cannot hold them (int2).
func freePort() (int, error) {
	const low, high = 16384, 32768
	var errs []error
	for range 20 {
		port := low + rand.IntN(high-low)
		l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port))
		if err == nil {
			return port, l.Close()
		}
		errs = append(errs, err)
	}
	return 0, fmt.Errorf("find a free port: %w", errors.Join(errs...))
}
