package docs_test

import (
	"testing"

	"github.com/nats-io/nats-server/v2/server"
)

// TestClusterConf: the configuration of one server of a cluster is one that a server takes.
func TestClusterConf(t *testing.T) {
	t.Parallel()
	opts, err := server.ProcessConfigFile("testdata/cluster.conf")
	if err != nil {
		t.Fatal(err)
	}
	if !opts.JetStream || !opts.NoSublistCache || opts.Cluster.Name == "" || len(opts.Routes) != 2 {
		t.Errorf("JetStream %t, no cache of subscriptions %t, cluster %q, %d routes", opts.JetStream, opts.NoSublistCache, opts.Cluster.Name, len(opts.Routes))
	}
}
