package harness

import (
	"context"
	"fmt"
	"syscall"
	"time"
)

// Faults lists what can happen.
var Faults = []Fault{
	{"restart-servers", "every server stopped and started, one after the other", restartServers},
	{"restart-workers", "every worker stopped (SIGTERM) and replaced, one after the other", restartWorkers},
	{"kill-leader", "`kill -9` of the server that leads the log", killLeader},
	{"kill-consumer-leader", "`kill -9` of a server that leads an inbox", killConsumerLeader},
	{"kill-worker", "`kill -9` of the busiest worker", killWorker},
	{"freeze-leader", "the server that leads the log frozen (SIGSTOP)", freezeServer(theLeader)},
	{"freeze-follower", "another server frozen", freezeServer(aFollower)},
	{"freeze-worker", "the busiest worker frozen", freezeWorker},
	{"cut-leader", "the leader of the log cut off, connections refused", cutServer(theLeader, Refused)},
	{"cut-leader-silently", "the same, nothing arrives and nobody is told", cutServer(theLeader, Silent)},
	{"cut-follower", "another server cut off, connections refused", cutServer(aFollower, Refused)},
	{"cut-follower-silently", "the same, nothing arrives and nobody is told", cutServer(aFollower, Silent)},
	{"cut-worker", "a worker that knows only the server that is cut off", cutWorker},
	{"restart-cluster", "all servers stopped at once, and started", restartCluster},
	{"kill-cluster", "`kill -9` of all servers at once, and started", killCluster},
}

// some is how many errands have to end while a fault lasts: everybody has noticed by then.
func (w *World) some() int { return w.cfg.Calm / 2 }

func restartServers(ctx context.Context, w *World) error {
	for n := range clusterSize {
		w.strike("stop server %d", n)
		if err := w.servers.Stop(ctx, n); err != nil {
			return err
		}
		if err := w.servers.Start(ctx, n); err != nil {
			return err
		}
		if err := w.servers.Current(ctx); err != nil {
			return err
		}
		if err := w.load.More(ctx, -1, w.some()); err != nil {
			return err
		}
	}
	return nil
}

func restartWorkers(ctx context.Context, w *World) error {
	for range len(w.team.Workers) {
		p := w.team.Workers[0]
		w.strike("stop %s", p.Name)
		if err := p.Terminate(ctx); err != nil {
			return err
		}
		w.team.Workers = w.team.Workers[1:]
		if err := w.team.JoinAll(ctx, 1); err != nil {
			return err
		}
		if err := w.load.More(ctx, -1, w.some()); err != nil {
			return err
		}
	}
	return nil
}

func theLeader(ctx context.Context, w *World) (int, error) { return w.servers.Leader(ctx) }

func aFollower(ctx context.Context, w *World) (int, error) {
	n, err := w.servers.Leader(ctx)
	return (n + 1 + w.rng.IntN(clusterSize-1)) % clusterSize, err
}

func killLeader(ctx context.Context, w *World) error { return w.killServer(ctx, theLeader) }

func killConsumerLeader(ctx context.Context, w *World) error {
	return w.killServer(ctx, func(ctx context.Context, w *World) (int, error) {
		return w.servers.ConsumerLeader(ctx, w.load.Clients[0].Backend.Info().Partitions)
	})
}

func (w *World) killServer(ctx context.Context, which func(context.Context, *World) (int, error)) error {
	n, err := which(ctx, w)
	if err != nil {
		return err
	}
	w.strike("kill server %d", n)
	w.servers.Kill(n)
	if err := w.load.More(ctx, -1, w.some()); err != nil {
		return err
	}
	return w.servers.Start(ctx, n)
}

func killWorker(ctx context.Context, w *World) error {
	n, err := w.team.named(w.ledger.Busiest())
	if err != nil {
		return err
	}
	w.strike("kill %s", w.team.Workers[n].Name)
	w.team.Workers[n].Kill()
	w.team.Workers = append(w.team.Workers[:n], w.team.Workers[n+1:]...)
	if err := w.load.More(ctx, -1, w.some()); err != nil {
		return err
	}
	return w.team.JoinAll(ctx, 1)
}

func freezeServer(which func(context.Context, *World) (int, error)) func(context.Context, *World) error {
	return func(ctx context.Context, w *World) error {
		n, err := which(ctx, w)
		if err != nil {
			return err
		}
		return w.during(ctx, n, "frozen", func() error { return w.servers.Freeze(n) }, func() error { return w.servers.Thaw(n) })
	}
}

func cutServer(which func(context.Context, *World) (int, error), how Cut) func(context.Context, *World) error {
	return func(ctx context.Context, w *World) error {
		n, err := which(ctx, w)
		if err != nil {
			return err
		}
		return w.during(ctx, n, "cut off", func() error { w.servers.Cut(n, how); return nil }, func() error { w.servers.Cut(n, Whole); return nil })
	}
}

// during has a server away until its own client, too, has had some errands done: elsewhere, because it knows the others.
func (w *World) during(ctx context.Context, n int, what string, begin, end func() error) error {
	w.strike("server %d is %s", n, what)
	w.isolated, w.server = true, n
	if err := begin(); err != nil {
		return err
	}
	for client := range clusterSize {
		if client != n {
			if err := w.load.More(ctx, client, w.some()/2); err != nil {
				return err
			}
		}
	}
	if err := w.load.More(ctx, n, 2); err != nil {
		return fmt.Errorf("the client of server %d, which is %s: %w", n, what, err)
	}
	w.remark("%s for %.1f s", what, time.Since(w.struck).Seconds())
	return end()
}

func freezeWorker(ctx context.Context, w *World) error {
	n, err := w.team.named(w.ledger.Busiest())
	if err != nil {
		return err
	}
	p := w.team.Workers[n]
	w.strike("freeze %s", p.Name)
	if err := p.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	if err := w.load.More(ctx, -1, 2*w.some()); err != nil {
		return err
	}
	w.remark("frozen for %.1f s", time.Since(w.struck).Seconds())
	return p.Signal(syscall.SIGCONT)
}

// cutWorker has one more worker, which knows one server only, and cuts that off.
func cutWorker(ctx context.Context, w *World) error {
	n, err := aFollower(ctx, w)
	if err != nil {
		return err
	}
	url := w.team.url
	w.team.url = func(int) string { return w.servers.URL(n) }
	err = w.team.JoinAll(ctx, 1)
	w.team.url = url
	if err != nil {
		return err
	}
	if err := w.load.More(ctx, -1, w.some()); err != nil {
		return err
	}
	return w.during(ctx, n, "cut off", func() error { w.servers.Cut(n, Silent); return nil }, func() error { w.servers.Cut(n, Whole); return nil })
}

func restartCluster(ctx context.Context, w *World) error {
	w.strike("stop all servers")
	for n := range clusterSize {
		if err := w.servers.Stop(ctx, n); err != nil {
			return err
		}
	}
	return w.servers.startAll(ctx)
}

func killCluster(ctx context.Context, w *World) error {
	w.strike("kill all servers")
	for n := range clusterSize {
		w.servers.Kill(n)
	}
	return w.servers.startAll(ctx)
}
