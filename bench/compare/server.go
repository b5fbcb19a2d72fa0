package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
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

// freePort gives a TCP port that nobody listens on.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	return port, l.Close()
}
