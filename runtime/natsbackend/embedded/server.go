package embedded

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/durablegen/durablegen/runtime/natsbackend"
)

// ErrInUse reports a directory that another server of this machine uses.
var ErrInUse = errors.New("embedded: the directory is in use")

// Durability is what an acknowledged write has survived.
type Durability uint8

const (
	// Relaxed acknowledges a write when the operating system has it; the disk has it after two minutes at most. It
	// survives a crash of the process, and may lose the last two minutes in a crash of the machine.
	Relaxed Durability = iota
	// Strict acknowledges a write after the disk has it (fsync).
	Strict
)

// Config says how to start. Only Dir is required.
type Config struct {
	Dir        string       // where the data is; created when it is missing. One server at a time
	Durability Durability   // defaults to Relaxed
	Listen     string       // "host:port" for other processes, port 0 picks one; defaults to "": this process only
	StoreLimit int64        // most bytes on disk; defaults to what nats-server allows (75 % of the free space)
	Name       string       // server name; defaults to "durable"
	Logger     *slog.Logger // defaults to none
}

// Server is a running server. Its methods may be called concurrently.
type Server struct {
	cfg  Config
	nats *server.Server
	lock *os.File

	close sync.Once
}

// readyWithin bounds the start. A store of a million messages recovers in about two seconds.
const readyWithin = 60 * time.Second

// Start opens the directory and returns when the server answers, normally within 100 ms; a big store takes longer to
// recover. It gives [ErrInUse] when the directory is served already. ctx bounds only the start.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	opts, err := cfg.options()
	if err != nil {
		return nil, err
	}
	lock, err := claim(cfg.Dir)
	if err != nil {
		return nil, err
	}
	ns, err := server.NewServer(opts)
	if err != nil {
		lock.Close()
		return nil, fmt.Errorf("embedded: configure the server: %w", err)
	}
	s := &Server{cfg: cfg, nats: ns, lock: lock}
	log := &logger{to: cfg.Logger}
	ns.SetLoggerV2(log, false, false, false)
	ns.Start()
	if err := s.ready(ctx, log.fatal); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// ready waits in small steps, because a server that cannot start (a port in use) only logs it.
func (s *Server) ready(ctx context.Context, fatal func() string) error {
	wait := readyWithin
	if t, ok := ctx.Deadline(); ok {
		wait = min(wait, time.Until(t))
	}
	for end := time.Now().Add(wait); !s.nats.ReadyForConnections(20 * time.Millisecond); {
		if why := fatal(); why != "" {
			return fmt.Errorf("embedded: the server on %s could not start: %s", s.cfg.Dir, why)
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("embedded: start the server on %s: %w", s.cfg.Dir, err)
		}
		if time.Now().After(end) {
			return fmt.Errorf("embedded: the server on %s did not get ready within %v", s.cfg.Dir, wait)
		}
	}
	if !s.nats.JetStreamEnabled() {
		return fmt.Errorf("embedded: JetStream could not open %s: %s", s.cfg.Dir, fatal())
	}
	return ctx.Err()
}

func (cfg Config) options() (*server.Options, error) {
	if cfg.Dir == "" {
		return nil, errors.New("embedded: Config.Dir is empty: say where the data is to be kept")
	}
	opts := &server.Options{
		ServerName:        cfg.Name,
		JetStream:         true,
		StoreDir:          cfg.Dir,
		SyncAlways:        cfg.Durability == Strict,
		JetStreamMaxStore: cfg.StoreLimit,
		DontListen:        cfg.Listen == "",
		NoSigs:            true,
		NoSublistCache:    true,
	}
	if opts.ServerName == "" {
		opts.ServerName = "durable"
	}
	if cfg.Listen == "" {
		return opts, nil
	}
	host, port, err := net.SplitHostPort(cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("embedded: Config.Listen %q is not host:port: %w", cfg.Listen, err)
	}
	n, err := strconv.Atoi(port)
	if err != nil || n < 0 || n > 65535 {
		return nil, fmt.Errorf("embedded: Config.Listen %q: port %q is not a number from 0 to 65535", cfg.Listen, port)
	}
	opts.Host, opts.Port = host, n
	if n == 0 {
		opts.Port = server.RANDOM_PORT
	}
	return opts, nil
}

// claim makes sure that dir can be written and that nobody else serves it: two servers on one store destroy it.
func claim(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("embedded: create the data directory: %w", err)
	}
	path := filepath.Join(dir, "durable.lock")
	f, err := lockFile(path)
	switch {
	case errors.Is(err, errLocked):
		return nil, fmt.Errorf("%w: %s: another process serves it: stop that one, or connect to it by URL instead", ErrInUse, dir)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("embedded: the data directory %s is not writable: %w", dir, err)
	case err != nil:
		return nil, fmt.Errorf("embedded: lock the data directory: %w", err)
	}
	return f, nil
}

// URL is where other processes connect; "" when the server does not listen.
func (s *Server) URL() string {
	if s.cfg.Listen == "" {
		return ""
	}
	return s.nats.ClientURL()
}

// Option connects a NATS client of this process to the server without a network.
func (s *Server) Option() nats.Option { return nats.InProcessServer(s.nats) }

// Backend connects to the server in the process. The hub is created when it is missing.
func (s *Server) Backend(ctx context.Context, cfg natsbackend.Config) (*natsbackend.Backend, error) {
	cfg.Provision, cfg.URL = true, "nats://in-process"
	cfg.Options = append(append([]nats.Option(nil), cfg.Options...), s.Option())
	if cfg.Durability == "" {
		cfg.Durability = s.durability()
	}
	return natsbackend.Connect(ctx, cfg)
}

func (s *Server) durability() string {
	if s.cfg.Durability == Strict {
		return "one copy on this machine, on disk (fsync before every acknowledgement)"
	}
	return "one copy on this machine, in its page cache; on disk within 2 minutes (a crash of the process loses nothing)"
}

// Close stops the server and lets go of the directory. Close backends first. It may be called twice.
func (s *Server) Close() error {
	s.close.Do(func() {
		s.nats.Shutdown()
		s.nats.WaitForShutdown()
		s.lock.Close()
	})
	return nil
}
