package embedded_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/durablegen/durablegen/runtime/natsbackend"
	"github.com/durablegen/durablegen/runtime/natsbackend/embedded"
)

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func TestStartServesAndKeeps(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new", "data")
	for round := range 2 {
		s, err := embedded.Start(within(t), embedded.Config{Dir: dir, Durability: embedded.Strict})
		if err != nil {
			t.Fatal(err)
		}
		if s.URL() != "" {
			t.Errorf("it listens on %s", s.URL())
		}
		b, err := s.Backend(within(t), natsbackend.Config{})
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(b.Info().Durability, "fsync") {
			t.Errorf("durability %q", b.Info().Durability)
		}
		rev := uint64(0)
		if round == 1 {
			var value []byte
			if value, rev, err = b.Meta().Get(within(t), "k"); err != nil || string(value) != "0" {
				t.Errorf("after a restart: %q, %v", value, err)
			}
		}
		if _, err := b.Meta().Put(within(t), "k", []byte{'0' + byte(round)}, rev); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(b.Close(), s.Close(), s.Close()); err != nil {
			t.Error(err)
		}
	}
}

func TestOneServerADirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := embedded.Start(within(t), embedded.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := embedded.Start(within(t), embedded.Config{Dir: dir}); !errors.Is(err, embedded.ErrInUse) || !strings.Contains(err.Error(), dir) {
		t.Errorf("a second server: %v", err)
	}
	s.Close()
	s, err = embedded.Start(within(t), embedded.Config{Dir: dir})
	if err != nil {
		t.Errorf("after the first was closed: %v", err)
	}
	s.Close()
}

func TestStartErrors(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { taken.Close() })
	for _, c := range []struct {
		name string
		cfg  embedded.Config
		want []string
	}{
		{"no directory", embedded.Config{}, []string{"Config.Dir"}},
		{"a file for a directory", embedded.Config{Dir: file}, []string{file}},
		{"below a file", embedded.Config{Dir: filepath.Join(file, "data")}, []string{file}},
		{"no port", embedded.Config{Dir: t.TempDir(), Listen: "localhost"}, []string{"Config.Listen", "localhost"}},
		{"not a port", embedded.Config{Dir: t.TempDir(), Listen: "localhost:nats"}, []string{"Config.Listen", "nats"}},
		{"port in use", embedded.Config{Dir: t.TempDir(), Listen: taken.Addr().String()}, []string{"could not start", "in use"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, err := embedded.Start(within(t), c.cfg)
			if err == nil {
				s.Close()
				t.Fatal("it started")
			}
			for _, w := range c.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%v\ndoes not tell %q", err, w)
				}
			}
		})
	}
}

func TestListen(t *testing.T) {
	t.Parallel()
	s, err := embedded.Start(within(t), embedded.Config{Dir: t.TempDir(), Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	nc, err := nats.Connect(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	nc.Close()
}
