package harness

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/natsbackend"
)

// Config says how big a world is.
type Config struct {
	Seed    uint64        // decides who is chosen and when; 0: 1
	Workers int           // processes; 0: 3
	AtOnce  int           // errands; 0: 24
	Calm    int           // errands that end before a fault, and after it; 0: 60
	Within  time.Duration // for one fault, all in all: more is a failure; 0: 5 minutes
	Keep    string        // folder for what all processes have said; "": nowhere
	Log     func(format string, args ...any)

	Replicas   int // of the hub; 0: 3
	Partitions int // of the hub; 0: what a hub has by itself

	role WorkerRole // of the workers
}

func (c Config) withDefaults() Config {
	if c.Seed == 0 {
		c.Seed = 1
	}
	if c.Workers == 0 {
		c.Workers = 3
	}
	if c.AtOnce == 0 {
		c.AtOnce = 24
	}
	if c.Calm == 0 {
		c.Calm = 60
	}
	if c.Within == 0 {
		c.Within = 5 * time.Minute
	}
	if c.Replicas == 0 {
		c.Replicas = clusterSize
	}
	if c.Log == nil {
		c.Log = func(string, ...any) {}
	}
	return c
}

// World is a cluster, its workers, and a client at each server, under load.
type World struct {
	cfg     Config
	rng     *rand.Rand
	servers *Servers
	team    *Team
	ledger  *Ledger
	load    *Load
	clients *Lines // what they say

	struck   time.Time
	isolated bool // a server was, for a while
	server   int  // that one
	notes    []string
}

// open starts everything.
func open(ctx context.Context, cfg Config) (w *World, err error) {
	w = &World{cfg: cfg, rng: rand.New(rand.NewPCG(cfg.Seed, 7)), clients: &Lines{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	dir, err := os.MkdirTemp("", "durable-chaos-")
	if err != nil {
		return w, fmt.Errorf("harness: a folder for the servers: %w", err)
	}
	if w.servers, err = StartServers(ctx, dir); err != nil {
		return w, err
	}
	if w.ledger, err = OpenLedger(); err != nil {
		return w, err
	}
	w.ledger.Allow(Everything)
	var clients []Client
	for n := range clusterSize {
		c, err := w.client(ctx, n)
		if err != nil {
			return w, err
		}
		clients = append(clients, c)
	}
	w.load = NewLoad(w.ledger, clients...)
	w.load.Named = true
	cfg.role.Ledger = w.ledger.URL
	w.team = Hire(cfg.role, func(n int) string { return w.servers.URLs(n % clusterSize) }, cfg.Log)
	if err := w.team.JoinAll(ctx, cfg.Workers); err != nil {
		return w, err
	}
	return w, w.servers.Current(ctx)
}

// client connects a client to server n; it knows the others too. The first one creates the hub, as soon as the cluster
// has a leader.
func (w *World) client(ctx context.Context, n int) (c Client, err error) {
	log := slog.New(slog.NewTextHandler(w.clients, nil)).With("client", n)
	err = until(ctx, func(ctx context.Context) string {
		c.Backend, err = natsbackend.Connect(ctx, natsbackend.Config{
			URL: w.servers.URLs(n), Provision: true, Replicas: w.cfg.Replicas, Partitions: w.cfg.Partitions, Logger: log, Options: InOrder(),
		})
		if err != nil {
			return "connect a client: " + err.Error()
		}
		return ""
	})
	if err == nil {
		c.Durable = durable.NewClient(c.Backend, durable.ClientConfig{Logger: log})
	}
	return c, err
}

// close ends everything.
func (w *World) close() error {
	var errs []error
	if w.load != nil {
		for _, c := range w.load.Clients {
			errs = append(errs, c.Durable.Close(), c.Backend.Close())
		}
	}
	if w.team != nil {
		w.team.Close()
	}
	if w.ledger != nil {
		w.ledger.Close()
	}
	if w.cfg.Keep != "" {
		errs = append(errs, w.keep())
	}
	if w.servers != nil {
		errs = append(errs, w.servers.Close())
	}
	return errors.Join(errs...)
}

// keep writes down what everybody has said.
func (w *World) keep() error {
	said := map[string]string{"clients": w.clients.Tail()}
	if w.servers != nil {
		for _, p := range w.servers.procs {
			if p != nil {
				said[p.Name] = p.Said()
			}
		}
	}
	if w.team != nil {
		for _, p := range w.team.Workers {
			said[p.Name] = p.Said()
		}
	}
	if err := os.MkdirAll(w.cfg.Keep, 0o755); err != nil {
		return fmt.Errorf("harness: keep the logs: %w", err)
	}
	for name, text := range said {
		if err := os.WriteFile(filepath.Join(w.cfg.Keep, name+".log"), []byte(text), 0o644); err != nil {
			return fmt.Errorf("harness: keep the logs: %w", err)
		}
	}
	return nil
}

// strike notes that something happens now.
func (w *World) strike(format string, args ...any) {
	if w.struck.IsZero() {
		w.struck = time.Now()
	}
	w.cfg.Log(format, args...)
}

// remark adds to what the report says.
func (w *World) remark(format string, args ...any) {
	w.notes = append(w.notes, fmt.Sprintf(format, args...))
	w.cfg.Log(format, args...)
}
