package harness

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/nats-io/nats-server/v2/server"
)

// MemberRole is a server of a cluster. Routes are where it reaches the others.
type MemberRole struct {
	Name, Dir       string
	Client, Cluster int // ports
	Routes          []string
	Advertise       string // where the others are told to reach it
}

func (r *MemberRole) play(ctx context.Context) error {
	opts := &server.Options{
		ServerName: r.Name, JetStream: true, StoreDir: r.Dir, NoSigs: true, NoSublistCache: true,
		Host: "127.0.0.1", Port: r.Client, Logtime: true,
		Cluster: server.ClusterOpts{Name: "chaos", Host: "127.0.0.1", Port: r.Cluster, Advertise: r.Advertise, NoAdvertise: true},
	}
	for _, at := range r.Routes {
		opts.Routes = append(opts.Routes, &url.URL{Scheme: "nats", Host: at})
	}
	s, err := server.NewServer(opts)
	if err != nil {
		return fmt.Errorf("harness: server %s: %w", r.Name, err)
	}
	s.ConfigureLogger()
	s.Start()
	const patience = 60e9 // nanoseconds
	if !s.ReadyForConnections(patience) {
		return errors.New("harness: server " + r.Name + " did not get ready")
	}
	fmt.Println(ready, s.ClientURL())
	<-ctx.Done()
	s.Shutdown()
	s.WaitForShutdown()
	return nil
}
