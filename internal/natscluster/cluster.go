// Package natscluster starts NATS servers that form a cluster, for tests. What happened to the servers is told when the test
// fails, and only then.
package natscluster

import (
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// Size is the number of servers of a cluster.
const Size = 3

// patience bounds every wait. Reaching it is a failure, never a measure.
const patience = time.Minute

// Cluster is three servers with JetStream that know each other. It is for the goroutine of its test only.
type Cluster struct {
	t       testing.TB
	options [Size]*server.Options
	routes  [Size]*door
	clients [Size]*door
	log     *log

	mu      sync.Mutex
	servers [Size]*server.Server // nil: stopped
}

// Start starts a cluster, and waits until all its servers are ready for replicas. They stop with the test.
func Start(t testing.TB) *Cluster {
	t.Helper()
	c := &Cluster{t: t, log: newLog()}
	var dirs [Size]string
	for n := range dirs {
		dirs[n] = t.TempDir() // before end, which goes first then
	}
	t.Cleanup(c.end)
	t.Cleanup(c.tellBefore(t))
	var routes []*url.URL
	for n := range Size {
		c.routes[n], c.clients[n] = c.door(), c.door()
		routes = append(routes, &url.URL{Scheme: "nats", Host: c.routes[n].Addr().String()})
	}
	for n := range Size {
		c.options[n] = &server.Options{
			ServerName: fmt.Sprint("s", n), JetStream: true, StoreDir: dirs[n], Routes: routes, NoSigs: true, NoLog: true,
			Host: "127.0.0.1", Port: server.RANDOM_PORT, ClientAdvertise: c.clients[n].Addr().String(),
			Cluster: server.ClusterOpts{Name: "c", Host: "127.0.0.1", Port: server.RANDOM_PORT, Advertise: routes[n].Host},
		}
		c.start(n)
	}
	c.Until(c.unready)
	c.Note("the cluster is ready")
	return c
}

func (c *Cluster) door() *door {
	c.t.Helper()
	d, err := newDoor()
	if err != nil {
		c.t.Fatal(err)
	}
	return d
}

// end stops everything, and tells first what there was, if the test has failed.
func (c *Cluster) end() {
	if c.t.Failed() {
		c.t.Logf("the cluster:\n%s%s", c, c.log)
	}
	for n := range Size {
		c.Stop(n)
	}
	for _, d := range append(c.routes[:], c.clients[:]...) {
		if d != nil {
			d.shut()
		}
	}
}

// tellBefore tells what there is when the tests are about to be ended because they take too long, which nobody hears of otherwise.
func (c *Cluster) tellBefore(t testing.TB) (stop func()) {
	d, ok := t.(interface{ Deadline() (time.Time, bool) })
	if !ok {
		return func() {}
	}
	end, ok := d.Deadline()
	if !ok {
		return func() {}
	}
	timer := time.AfterFunc(time.Until(end)-3*time.Second, func() { fmt.Fprintf(os.Stderr, "%s takes too long; the cluster:\n%s%s", t.Name(), c, c.log) })
	return func() { timer.Stop() }
}

func (c *Cluster) set(n int, s *server.Server) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.servers[n] = s
}

// running gives the servers; those that are stopped are nil.
func (c *Cluster) running() [Size]*server.Server {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.servers
}

func (c *Cluster) start(n int) {
	c.t.Helper()
	s, err := server.NewServer(c.options[n].Clone())
	if err != nil {
		c.t.Fatal(err)
	}
	c.set(n, s)
	s.SetLogger(&logger{c.log, s.Name()}, false, false)
	s.Start()
	if !s.ReadyForConnections(patience) {
		c.t.Fatalf("server %d did not get ready", n)
	}
	c.routes[n].lead(s.ClusterAddr().String())
	c.clients[n].lead(s.Addr().String())
}

// allRoutes are those of a server to all others: a pool, and one for the system account.
const allRoutes = (Size - 1) * (server.DEFAULT_ROUTE_POOL_SIZE + 1)

// unready says why the cluster cannot make replicas on all servers yet; "": it can. As long as routes come, a server that was
// known may be unknown to the leader for a moment.
func (c *Cluster) unready() string {
	peers := -1
	for n, s := range c.running() {
		if got := s.NumRoutes(); got != allRoutes {
			return fmt.Sprintf("server %d has %d routes, want %d", n, got, allRoutes)
		}
		if s.JetStreamIsLeader() {
			peers = len(s.JetStreamClusterPeers())
		}
	}
	switch peers {
	case -1:
		return "the cluster has no leader"
	case Size:
		return ""
	}
	return fmt.Sprintf("the leader of the cluster sees %d servers", peers)
}

// URLs are those of all servers, for a client.
func (c *Cluster) URLs() string {
	var all []string
	for n := range Size {
		all = append(all, c.URL(n))
	}
	return strings.Join(all, ",")
}

// URL is that of a server, for a client. It stays the same when the server is stopped and started again.
func (c *Cluster) URL(n int) string { return "nats://" + c.clients[n].Addr().String() }

// Stop stops a server, if it runs, and waits until it has.
func (c *Cluster) Stop(n int) {
	if s := c.running()[n]; s != nil {
		c.Note("s%d stops", n)
		c.set(n, nil)
		c.routes[n].lead("")
		c.clients[n].lead("")
		s.Shutdown()
		s.WaitForShutdown()
	}
}

// Restart starts a server that was stopped, with what it had stored.
func (c *Cluster) Restart(n int) {
	c.t.Helper()
	c.start(n)
}

// Leader waits until a server leads a stream.
func (c *Cluster) Leader(stream string) (leader int) {
	c.t.Helper()
	c.Until(func() string {
		for n, s := range c.running() {
			if s != nil && s.JetStreamIsStreamLeader(server.DEFAULT_GLOBAL_ACCOUNT, stream) {
				leader = n
				return ""
			}
		}
		return "nobody leads " + stream
	})
	return leader
}

// Leaderless waits until no server leads a stream.
func (c *Cluster) Leaderless(stream string) {
	c.t.Helper()
	c.Until(func() string {
		for n, s := range c.running() {
			if s != nil && s.JetStreamIsStreamLeader(server.DEFAULT_GLOBAL_ACCOUNT, stream) {
				return fmt.Sprintf("server %d still leads %s", n, stream)
			}
		}
		return ""
	})
}

// Current waits until every server that runs has all of a stream.
func (c *Cluster) Current(stream string) {
	c.t.Helper()
	c.Until(func() string {
		for n, s := range c.running() {
			if s != nil && !s.JetStreamIsStreamCurrent(server.DEFAULT_GLOBAL_ACCOUNT, stream) {
				return fmt.Sprintf("server %d does not have all of %s", n, stream)
			}
		}
		return ""
	})
}

// Until waits until nothing is missing.
func (c *Cluster) Until(missing func() string) {
	c.t.Helper()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	end := time.After(patience)
	for {
		what := missing()
		if what == "" {
			return
		}
		select {
		case <-look.C:
		case <-end:
			c.t.Fatal(what)
		}
	}
}
