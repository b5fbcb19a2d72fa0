package chaos_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/durablegen/durablegen/internal/chaos/harness"
	"github.com/durablegen/durablegen/runtime/natsbackend"
)

// cluster is three servers that know each other.
type cluster struct {
	t       *testing.T
	options []*server.Options
	servers []*server.Server
}

func startCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{t: t, servers: make([]*server.Server, 3)}
	ports := freePorts(t, 2*len(c.servers))
	var routes []*url.URL
	for n := range c.servers {
		routes = append(routes, &url.URL{Scheme: "nats", Host: fmt.Sprintf("127.0.0.1:%d", ports[n])})
	}
	for n := range c.servers {
		c.options = append(c.options, &server.Options{
			ServerName: fmt.Sprint("s", n), JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true,
			Host: "127.0.0.1", Port: ports[len(c.servers)+n], Routes: routes,
			Cluster: server.ClusterOpts{Name: "c", Host: "127.0.0.1", Port: ports[n]},
		})
		c.start(n)
	}
	t.Cleanup(func() {
		for n := range c.servers {
			c.stop(n)
		}
	})
	for _, s := range c.servers {
		if !s.ReadyForConnections(patience) {
			t.Fatal("a server did not get ready")
		}
	}
	return c
}

// freePorts asks for ports and gives them back. Somebody else could take one; then the server says so.
func freePorts(t *testing.T, n int) (ports []int) {
	t.Helper()
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports
}

func (c *cluster) start(n int) {
	c.t.Helper()
	s, err := server.NewServer(c.options[n].Clone())
	if err != nil {
		c.t.Fatal(err)
	}
	c.servers[n] = s
	s.Start()
}

func (c *cluster) stop(n int) {
	c.servers[n].Shutdown()
	c.servers[n].WaitForShutdown()
}

func (c *cluster) urls() string {
	var all []string
	for _, s := range c.servers {
		all = append(all, s.ClientURL())
	}
	return strings.Join(all, ",")
}

// leader is the server that leads the log.
func (c *cluster) leader(t *testing.T) (leader int) {
	t.Helper()
	until(t, func(context.Context) string {
		for n, s := range c.servers {
			if s.JetStreamIsStreamLeader("$G", harness.LogStream) {
				leader = n
				return ""
			}
		}
		return "the log has no leader"
	})
	return leader
}

// current waits until every server has the whole log again, so that the next one may go.
func (c *cluster) current(t *testing.T) {
	t.Helper()
	until(t, func(context.Context) string {
		for n, s := range c.servers {
			if !s.JetStreamIsStreamCurrent("$G", harness.LogStream) {
				return fmt.Sprintf("server %d is not up to date", n)
			}
		}
		return ""
	})
}

// TestClusterUnderLoad stops the leader of the log in a cluster of three and starts it again, twice, while everything is
// stored three times.
func TestClusterUnderLoad(t *testing.T) {
	rng := rand.New(rand.NewPCG(*seed, 5))
	c := startCluster(t)
	ledger := openLedger(t)
	load := newLoad(t, natsbackend.Config{URL: c.urls(), Replicas: 3}, ledger)
	work(t, connect(t, natsbackend.Config{URL: c.urls()}), ledger)
	const few = errands / 2
	load.begin(few, atOnce)
	const all = few * harness.EffectsOfErrand
	for round := range 2 {
		at := all*(round+1)/4 + rng.IntN(all/8)
		ledger.allow(at + 100)
		ledger.reach(t, at)
		n := c.leader(t)
		c.stop(n)
		t.Logf("server %d is down", n)
		ledger.allow(at + all/8)
		ledger.reach(t, at+all/8) // two of three go on
		c.start(n)
		c.current(t)
	}
	load.finish()
}
