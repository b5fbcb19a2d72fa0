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
	"runtime"
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
	// Strict acknowledges a write after the disk has it: one fsync serves all writes that wait for it. Connections by the
	// runtime's backend keep to it, in this process and in others; other NATS clients are acknowledged as if it was Relaxed.
	// It is for file systems that write a file before the rename that puts it in another one's place: ext4 as it comes, btrfs,
	// ZFS. On Windows it is StrictAlways.
	Strict
	// StrictAlways has the server fsync every single write before it acknowledges it (sync_interval: always), and connections
	// from this process write in batches under load. It is slower than Strict, and holds for every NATS client.
	StrictAlways
)

// Config says how to start. Only Dir is required.
type Config struct {
	Dir        string       // where the data is; created when it is missing. One server at a time
	Durability Durability   // defaults to Relaxed; docs/operations.md compares them
	Listen     string       // "host:port" for other processes, port 0 picks one; defaults to "": this process only
	StoreLimit int64        // most bytes on disk; defaults to what nats-server allows (75 % of the free space)
	Name       string       // server name; defaults to "durable"
	Logger     *slog.Logger // defaults to none
}

// Server is a running server. Its methods may be called concurrently.
type Server struct {
	cfg    Config
	disk   disk
	nats   *server.Server
	lock   *os.File
	syncer *syncer // nil unless Strict
	lost   error   // a failed fsync; the syncer's

	close sync.Once
}

// readyWithin bounds the start. A store of a million messages recovers in about two seconds.
const readyWithin = 60 * time.Second

// Start opens the directory and returns when the server answers, normally within 100 ms; a big store takes longer to
// recover. It gives [ErrInUse] when the directory is served already. ctx bounds only the start.
func Start(ctx context.Context, cfg Config) (*Server, error) { return start(ctx, cfg, realDisk{}) }

func start(ctx context.Context, cfg Config, d disk) (*Server, error) {
	if cfg.Durability == Strict && runtime.GOOS == "windows" {
		cfg.Durability = StrictAlways // folders cannot be synced there
	}
	opts, err := cfg.options()
	if err != nil {
		return nil, err
	}
	lock, err := claim(cfg.Dir)
	if err != nil {
		return nil, err
	}
	if err := prepare(cfg, d); err != nil {
		lock.Close()
		return nil, err
	}
	ns, err := server.NewServer(opts)
	if err != nil {
		lock.Close()
		return nil, fmt.Errorf("embedded: configure the server: %w", err)
	}
	s := &Server{cfg: cfg, disk: d, nats: ns, lock: lock}
	log := &logger{to: cfg.Logger}
	ns.SetLoggerV2(log, false, false, false)
	ns.Start()
	err = s.ready(ctx, log.fatal)
	if err == nil && cfg.Durability == Strict {
		if s.syncer, err = startSyncer(s, d); err == nil && cfg.Listen != "" {
			err = s.listen(log.fatal)
		}
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// prepare makes the folder fit for the server after a power cut, and notes that it is served by one that is Strict.
func prepare(cfg Config, d disk) error {
	again, err := repair(cfg.Dir)
	switch {
	case err != nil:
	case again && cfg.Logger != nil:
		cfg.Logger.Warn("the server was not closed: it will look through the whole store", "dir", cfg.Dir)
	}
	switch {
	case err == nil && cfg.Durability == Strict:
		err = mark(cfg.Dir, d)
	case err == nil && again:
		err = unmark(cfg.Dir, d)
	}
	if err != nil {
		return fmt.Errorf("embedded: prepare the store in %s: %w", cfg.Dir, err)
	}
	return nil
}

// listen opens the port of a server that is Strict: not before SyncSubject is served, lest somebody take it for another.
func (s *Server) listen(fatal func() string) error {
	ready := make(chan struct{})
	s.nats.AcceptLoop(ready)
	<-ready
	if why := fatal(); why != "" {
		return fmt.Errorf("embedded: the server on %s could not start: %s", s.cfg.Dir, why)
	}
	return nil
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
		SyncAlways:        cfg.Durability == StrictAlways,
		JetStreamMaxStore: cfg.StoreLimit,
		DontListen:        cfg.Listen == "" || cfg.Durability == Strict,
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
	if s.cfg.Durability == Strict {
		cfg.Sync = s.syncer.wait
	}
	cfg.GroupCommit = cfg.GroupCommit || s.cfg.Durability == StrictAlways
	return natsbackend.Connect(ctx, cfg)
}

func (s *Server) durability() string {
	switch s.cfg.Durability {
	case Strict:
		return "one copy on this machine, on disk (an fsync before every acknowledgement, which many share)"
	case StrictAlways:
		return "one copy on this machine, on disk (fsync before every acknowledgement)"
	}
	return "one copy on this machine, in its page cache; on disk within 2 minutes (a crash of the process loses nothing)"
}

// Close stops the server and lets go of the directory. Close backends first. It may be called twice. It gives an error when the
// last fsync of a Strict server fails: what was acknowledged is on the disk, but the next start takes longer.
func (s *Server) Close() (err error) {
	s.close.Do(func() {
		if s.syncer != nil {
			s.syncer.close()
		}
		s.nats.Shutdown()
		s.nats.WaitForShutdown()
		if s.syncer != nil && s.lost == nil {
			if err = s.syncer.last(); err != nil {
				err = fmt.Errorf("embedded: close the store in %s: %w", s.cfg.Dir, err)
			}
		}
		s.lock.Close()
	})
	return err
}
