package harness

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// LogStream is the log of the hub "default".
const LogStream = "DURABLE_default"

// Servers is a cluster of server processes. It is used by one goroutine.
type Servers struct {
	dir     string
	roles   []MemberRole
	procs   []*Process
	away    []bool // stopped, frozen or cut off: not to be asked
	network *network
	admins  []*nats.Conn // one to each server
}

// clusterSize is enough for a majority without one of them.
const clusterSize = 3

// StartServers starts a cluster whose files are below dir.
func StartServers(ctx context.Context, dir string) (s *Servers, err error) {
	ports, err := freePorts(2 * clusterSize)
	if err != nil {
		return nil, err
	}
	s = &Servers{dir: dir, procs: make([]*Process, clusterSize), away: make([]bool, clusterSize)}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	client, route := ports[:clusterSize], ports[clusterSize:]
	if s.network, err = newNetwork(route); err != nil {
		return s, err
	}
	for n := range clusterSize {
		s.roles = append(s.roles, MemberRole{
			Name: fmt.Sprint("s", n), Dir: filepath.Join(dir, fmt.Sprint("s", n)),
			Client: client[n], Cluster: route[n], Routes: s.network.routes(n),
			Advertise: "127.0.0.1:1", // nobody: every server is told how to reach the others, through the network
		})
	}
	if err := s.startAll(ctx); err != nil {
		return s, err
	}
	for n := range clusterSize {
		nc, err := nats.Connect(s.URL(n), nats.MaxReconnects(-1), nats.ReconnectWait(look), nats.IgnoreDiscoveredServers())
		if err != nil {
			return s, fmt.Errorf("harness: connect to server %d: %w", n, err)
		}
		s.admins = append(s.admins, nc)
	}
	return s, nil
}

// freePorts asks for ports and gives them back. Somebody else could take one; then the server says so.
func freePorts(n int) (ports []int, err error) {
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("harness: find a free port: %w", err)
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}

// URL is where clients reach server n.
func (s *Servers) URL(n int) string { return fmt.Sprintf("nats://127.0.0.1:%d", s.roles[n].Client) }

// URLs lists all servers, n first.
func (s *Servers) URLs(n int) string {
	var all []string
	for i := range clusterSize {
		all = append(all, s.URL((n+i)%clusterSize))
	}
	return strings.Join(all, ",")
}

// Start starts server n, and waits until it serves.
func (s *Servers) Start(ctx context.Context, n int) error {
	p, err := Launch(s.roles[n].Name, Role{Member: &s.roles[n]})
	if err != nil {
		return err
	}
	s.procs[n] = p
	if _, err := p.Ready(ctx); err != nil {
		return err
	}
	s.away[n] = false
	return nil
}

// startAll starts all servers: none gets ready without another one.
func (s *Servers) startAll(ctx context.Context) error {
	for n := range s.roles {
		p, err := Launch(s.roles[n].Name, Role{Member: &s.roles[n]})
		if err != nil {
			return err
		}
		s.procs[n] = p
	}
	for n, p := range s.procs {
		if _, err := p.Ready(ctx); err != nil {
			return err
		}
		s.away[n] = false
	}
	return nil
}

// Stop ends server n as an administrator would.
func (s *Servers) Stop(ctx context.Context, n int) error {
	s.away[n] = true
	return s.procs[n].Terminate(ctx)
}

// Kill ends server n at once.
func (s *Servers) Kill(n int) {
	s.away[n] = true
	s.procs[n].Kill()
}

// Freeze stops the process of server n in its tracks, until Thaw.
func (s *Servers) Freeze(n int) error {
	s.away[n] = true
	return s.procs[n].Signal(syscall.SIGSTOP)
}

// Thaw lets a frozen server go on.
func (s *Servers) Thaw(n int) error {
	s.away[n] = false
	return s.procs[n].Signal(syscall.SIGCONT)
}

// Cut changes the network between server n and the others.
func (s *Servers) Cut(n int, to Cut) {
	s.away[n] = to != Whole
	s.network.set(n, to)
}

// Close kills all servers and removes their files.
func (s *Servers) Close() error {
	for _, nc := range s.admins {
		nc.Close()
	}
	for _, p := range s.procs {
		if p != nil {
			p.Kill()
		}
	}
	var err error
	if s.network != nil {
		err = s.network.close()
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}

// look is how often a condition is looked at.
const look = 20 * time.Millisecond

// until waits until cond says "", and fails with what it says else when ctx ends.
func until(ctx context.Context, cond func(ctx context.Context) string) error {
	next := time.NewTicker(look)
	defer next.Stop()
	for {
		missing := cond(ctx)
		if missing == "" {
			return nil
		}
		select {
		case <-next.C:
		case <-ctx.Done():
			return fmt.Errorf("harness: %s: %w", missing, context.Cause(ctx))
		}
	}
}

// js gives a way to ask a server that is there.
func (s *Servers) js() (jetstream.JetStream, error) {
	for n, away := range s.away {
		if !away && s.admins[n].IsConnected() {
			return jetstream.New(s.admins[n])
		}
	}
	return nil, errors.New("no server answers")
}

// ask waits until question has an answer from a server that is there.
func (s *Servers) ask(ctx context.Context, question func(context.Context, jetstream.JetStream) string) error {
	return until(ctx, func(ctx context.Context) string {
		js, err := s.js()
		if err != nil {
			return err.Error()
		}
		try, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		return question(try, js)
	})
}

// Leader waits until a server that is there leads the log, and gives it.
func (s *Servers) Leader(ctx context.Context) (leader int, err error) {
	err = s.ask(ctx, func(ctx context.Context, js jetstream.JetStream) string {
		stream, err := js.Stream(ctx, LogStream)
		if err != nil {
			return "ask for the leader of the log: " + err.Error()
		}
		var ok bool
		leader, ok = s.led(stream.CachedInfo().Cluster)
		if !ok {
			return "the log has no leader"
		}
		return ""
	})
	return leader, err
}

// ConsumerLeader gives the server that leads the inbox of a partition, but not the log. If the same server leads all of
// them, the inbox of the first partition is led by another one afterwards.
func (s *Servers) ConsumerLeader(ctx context.Context, partitions int) (leader int, err error) {
	log, err := s.Leader(ctx)
	if err != nil {
		return 0, err
	}
	err = s.ask(ctx, func(ctx context.Context, js jetstream.JetStream) string {
		for p := range partitions {
			c, err := js.Consumer(ctx, LogStream, inboxOf(p))
			if err != nil {
				return "ask for the leader of an inbox: " + err.Error()
			}
			if n, ok := s.led(c.CachedInfo().Cluster); ok && n != log {
				leader = n
				return ""
			}
		}
		nc := js.Conn()
		if _, err := nc.RequestWithContext(ctx, "$JS.API.CONSUMER.LEADER.STEPDOWN."+LogStream+"."+inboxOf(0), nil); err != nil {
			return "move the leader of an inbox: " + err.Error()
		}
		return "one server leads everything"
	})
	return leader, err
}

func inboxOf(partition int) string { return fmt.Sprintf("in_%s_%d", Group, partition) }

// led gives the server that leads.
func (s *Servers) led(c *jetstream.ClusterInfo) (leader int, ok bool) {
	if c == nil {
		return 0, false
	}
	for n := range s.roles {
		if s.roles[n].Name == c.Leader && !s.away[n] {
			return n, true
		}
	}
	return 0, false
}

// Current waits until every server that is there has everything again, so that the next one may go.
func (s *Servers) Current(ctx context.Context) error {
	return s.ask(ctx, func(ctx context.Context, js jetstream.JetStream) string {
		streams := js.ListStreams(ctx)
		n := 0
		for info := range streams.Info() {
			if n++; info.Config.Replicas > 1 {
				if why := current(info.Cluster); why != "" {
					return "stream " + info.Config.Name + " " + why
				}
			}
		}
		if err := streams.Err(); err != nil || n == 0 {
			return fmt.Sprintf("%d streams: %v", n, err)
		}
		log, err := js.Stream(ctx, LogStream)
		if err != nil {
			return err.Error()
		}
		consumers := log.ListConsumers(ctx)
		for info := range consumers.Info() {
			if info.Cluster != nil && len(info.Cluster.Replicas) > 0 {
				if why := current(info.Cluster); why != "" {
					return "consumer " + info.Name + " " + why
				}
			}
		}
		if err := consumers.Err(); err != nil {
			return err.Error()
		}
		return ""
	})
}

func current(c *jetstream.ClusterInfo) string {
	if c == nil || c.Leader == "" {
		return "has no leader"
	}
	if len(c.Replicas) != clusterSize-1 {
		return fmt.Sprintf("has %d replicas beside its leader", len(c.Replicas))
	}
	for _, r := range c.Replicas {
		if !r.Current || r.Offline {
			return "is behind on " + r.Name
		}
	}
	return ""
}
