package backup_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/durablegen/durablegen/internal/natscluster"
	"github.com/durablegen/durablegen/runtime/natsbackend"
	"github.com/durablegen/durablegen/runtime/natsbackend/backup"
)

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

	c := natscluster.Start(t)
	three := natsbackend.Config{URL: c.URLs(), Hub: "ward", Replicas: natscluster.Size, InlinePayload: 2 << 10, Logger: c.Logger("ward")}
	if _, err := backup.Restore(t.Context(), path, backup.Config{Server: three, Replicas: 3}); err != nil {
		t.Fatal(err)
	}
	c.Note("restored")
	b := open(t, nil, three)
	stop = b.work()
	for n, in := range all {
		if in.Event && n%2 == 0 {
			b.raise(in.ID)
			b.ends(in)
		}
	}
	c.Note("the half that waits has ended")
	if _, err := backup.Write(t.Context(), three, path+"2", nil); err != nil {
		t.Fatal(err)
	}
	c.Note("copied")
	stop()
	c.Note("stopped")

	last := serve(t)
	if _, err := backup.Restore(t.Context(), path+"2", backup.Config{Server: config(last), Replicas: 1}); err != nil {
		t.Fatal(err)
	}
	end := open(t, last, config(last))
	end.work()
	for n, in := range all {
		if in.Event && n%2 == 1 {
			end.raise(in.ID)
		}
		end.ends(in)
	}
}
