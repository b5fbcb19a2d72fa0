package backup_test

import (
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/durablegen/durablegen/runtime/natsbackend"
	"github.com/durablegen/durablegen/runtime/natsbackend/backup"
)

// cluster starts three servers that know each other, and waits until they have a leader.
func cluster(t *testing.T) natsbackend.Config {
	t.Helper()
	var routes []*url.URL
	var ports []int
	for range 3 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
		routes = append(routes, &url.URL{Scheme: "nats", Host: l.Addr().String()})
		l.Close()
	}
	var servers []*server.Server
	for n, port := range ports {
		opts := &server.Options{ServerName: fmt.Sprint("s", n), JetStream: true, StoreDir: t.TempDir(), Routes: routes, Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true}
		opts.Cluster = server.ClusterOpts{Name: "c", Host: "127.0.0.1", Port: port}
		s, err := server.NewServer(opts)
		if err != nil {
			t.Fatal(err)
		}
		s.Start()
		t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
		servers = append(servers, s)
	}
	var urls []string
	for _, s := range servers {
		if !s.ReadyForConnections(time.Minute) {
			t.Fatal("a server did not get ready")
		}
		urls = append(urls, s.ClientURL())
	}
	cfg := natsbackend.Config{URL: strings.Join(urls, ","), Hub: "lobby", Provision: true, Replicas: 3, InlinePayload: 2 << 10}
	for natsbackend.Provision(t.Context(), cfg) != nil && t.Context().Err() == nil {
	}
	cfg.Hub, cfg.Provision = "ward", false
	return cfg
}

// TestIntoAClusterAndBack: a hub of one server becomes one of three replicas, and one of one again.
func TestIntoAClusterAndBack(t *testing.T) {
	t.Parallel()
	first := serve(t)
	cfg := config(first)
	cfg.Provision = true
	a := open(t, first, cfg)
	stop := a.work()
	all := append(kind("timed", input{Timer: 5 * time.Second, Child: true, Size: 3000}), kind("waiting", input{Event: true})...)
	for _, in := range all {
		a.start(in)
	}
	path := filepath.Join(t.TempDir(), "ward.backup")
	if _, err := backup.Write(t.Context(), cfg, path, nil); err != nil {
		t.Fatal(err)
	}
	stop()

	three := cluster(t)
	if _, err := backup.Restore(t.Context(), path, backup.Config{Server: three, Replicas: 3}); err != nil {
		t.Fatal(err)
	}
	b := open(t, nil, three)
	stop = b.work()
	for n, in := range all {
		if in.Event && n%2 == 0 {
			b.raise(in.ID)
			b.ends(in)
		}
	}
	if _, err := backup.Write(t.Context(), three, path+"2", nil); err != nil {
		t.Fatal(err)
	}
	stop()

	last := serve(t)
	if _, err := backup.Restore(t.Context(), path+"2", backup.Config{Server: config(last), Replicas: 1}); err != nil {
		t.Fatal(err)
	}
	c := open(t, last, config(last))
	c.work()
	for n, in := range all {
		if in.Event && n%2 == 1 {
			c.raise(in.ID)
		}
		c.ends(in)
	}
}
