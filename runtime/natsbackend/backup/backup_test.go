package backup_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/natsbackend"
	"github.com/durablegen/durablegen/runtime/natsbackend/backup"
)

// beforeLog is how many streams are copied before the log.
const beforeLog = 3

// several is how many instances of each kind there are.
const several = 20

// TestCopyOfAHubInUse copies a hub while its worker runs all kinds of instances, and has another one go on with them
// elsewhere: each comes to its end, with what it had at the time, and nothing that was done is done again.
func TestCopyOfAHubInUse(t *testing.T) {
	t.Parallel()
	there := serve(t)
	cfg := config(there)
	cfg.Provision = true
	a := open(t, there, cfg)
	a.stuck = make(chan string, 10)
	a.work()

	ended, waiting, timed, stuck := kind("ended", input{Child: true, Size: 3000}), kind("waiting", input{Event: true, Child: true}),
		kind("timed", input{Timer: 3 * time.Second, Size: 3000}), kind(stuckID, input{})[:3]
	for _, in := range stuck { // the floor of the queue stays before all that follows
		a.start(in)
		<-a.stuck
	}
	for _, all := range [][]input{timed, waiting, ended} {
		for _, in := range all {
			a.start(in)
		}
	}
	for _, in := range ended {
		a.ends(in)
	}
	if _, err := a.client.Purge(t.Context(), ended[0].ID, durable.PurgeChildren()); err != nil {
		t.Fatal(err)
	}
	round, during := 0, []input{}
	path := filepath.Join(t.TempDir(), "ward.backup")
	_, err := backup.Write(t.Context(), cfg, path, func(p backup.Progress) { // between any two streams the hub goes on
		in := input{ID: fmt.Sprint("during-", round), Event: round%2 == 0, Size: 3000}
		a.start(in)
		if in.Event {
			a.raise(in.ID)
		}
		a.ends(in)
		a.raise(waiting[round].ID)
		a.ends(waiting[round])
		during = append(during, in)
		round++
	})
	if err != nil {
		t.Fatal(err)
	}

	here := serve(t)
	if _, err := backup.Restore(t.Context(), path, backup.Config{Server: config(here)}); err != nil {
		t.Fatal(err)
	}
	b := open(t, here, config(here))
	b.work()
	if _, err := b.client.Get(t.Context(), ended[0].ID); !errors.Is(err, durable.ErrNotFound) {
		t.Errorf("what had been purged: %v", err)
	}
	for _, in := range append(waiting[:beforeLog:beforeLog], during[:beforeLog]...) {
		b.shows(in.ID) // nobody has told the hub of it again
	}
	for n, in := range ended[1:] {
		b.ends(in)
		if b.count(in.ID, 0)+b.count(in.ID, 2) > 0 {
			t.Errorf("activities of ended instance %d ran again", n+1)
		}
	}
	for _, in := range waiting {
		_ = b.client.Raise(t.Context(), in.ID, "go", 1) // some have had it
		b.ends(in)
		if b.count(in.ID, 0) > 0 {
			t.Errorf("the first activity of %s ran again", in.ID)
		}
	}
	for _, in := range append(timed, stuck...) {
		b.ends(in)
	}
	for _, in := range stuck {
		if b.count(in.ID, 0) != 1 {
			t.Errorf("the activity of %s that was under way ran %d times", in.ID, b.count(in.ID, 0))
		}
	}
	for _, in := range during {
		_, err := durable.StartInstance[string](t.Context(), b.client, whole, in, durable.InstanceID(in.ID))
		if err != nil && !errors.Is(err, durable.ErrAlreadyExists) { // which it is if it is in the copy
			t.Fatal(err)
		}
		if in.Event {
			_ = b.client.Raise(t.Context(), in.ID, "go", 1)
		}
		b.ends(in)
	}
}

func kind(name string, like input) (all []input) {
	for n := range several {
		in := like
		in.ID = fmt.Sprintf("%s-%d", name, n)
		all = append(all, in)
	}
	return all
}

// small makes a hub with one waiting instance, and a copy of it.
func small(t *testing.T) (s *site, path string) {
	t.Helper()
	server := serve(t)
	cfg := config(server)
	cfg.Provision = true
	s = open(t, server, cfg)
	stop := s.work()
	s.start(input{ID: "one"})
	s.ends(input{ID: "one"})
	stop()
	path = filepath.Join(t.TempDir(), "small.backup")
	if _, err := backup.Write(t.Context(), cfg, path, nil); err != nil {
		t.Fatal(err)
	}
	return s, path
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	a, path := small(t)
	if _, err := backup.Write(t.Context(), config(a.server), path, nil); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over a file that is there: %v", err)
	}
	none := config(a.server)
	none.Hub = "none"
	if _, err := backup.Write(t.Context(), none, path+"2", nil); !errors.Is(err, backend.ErrNotFound) {
		t.Errorf("of a hub that is not there: %v", err)
	}
	if _, err := backup.Restore(t.Context(), path, backup.Config{Server: config(a.server)}); !errors.Is(err, backup.ErrNotEmpty) {
		t.Errorf("over a hub that is not empty: %v", err)
	}
	if _, err := backup.Restore(t.Context(), path, backup.Config{Server: none}); !errors.Is(err, backup.ErrName) {
		t.Errorf("under another name: %v", err)
	}
	stop := a.work()
	if _, err := backup.Restore(t.Context(), path, backup.Config{Server: config(a.server), Replace: true}); !errors.Is(err, backup.ErrInUse) {
		t.Errorf("over a hub that is in use: %v", err)
	}
	stop()
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 1 {
		t.Errorf("files that are left: %v, %v", left, err)
	}
	if _, err := backup.Restore(t.Context(), path, backup.Config{Server: config(a.server), Replace: true}); err != nil {
		t.Errorf("in its place: %v", err)
	}
	open(t, a.server, config(a.server)).ends(input{ID: "one"})
}

func TestDamagedFiles(t *testing.T) {
	t.Parallel()
	_, path := small(t)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	here := serve(t)
	restore := func(name string, text []byte) error {
		t.Helper()
		bad := filepath.Join(t.TempDir(), "bad")
		if err := os.WriteFile(bad, text, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := backup.Restore(t.Context(), bad, backup.Config{Server: config(here)})
		if err == nil {
			t.Errorf("%s: it was restored", name)
		}
		return err
	}
	for n := 0; n < len(whole)-1024; n += 1500 { // the last blocks of a tar file are empty
		if err := restore(fmt.Sprint("cut at ", n), whole[:n]); !errors.Is(err, backup.ErrDamaged) {
			t.Errorf("cut at %d of %d: %v", n, len(whole), err)
		}
	}
	for name, at := range contents(t, path) {
		bad := slices.Clone(whole)
		bad[at] ^= 0x20
		if err := restore(name, bad); !errors.Is(err, backup.ErrDamaged) {
			t.Errorf("%s is not what was written: %v", name, err)
		}
	}
	newer := slices.Clone(whole)
	at := int(contents(t, path)["durable-backup.json"])
	newer[at+bytes.IndexByte(whole[at:], '1')] = '7'
	if err := restore("newer", newer); errors.Is(err, backup.ErrDamaged) {
		t.Errorf("a newer format: %v", err)
	}
	if _, err := natsbackend.Connect(t.Context(), config(here)); !errors.Is(err, backend.ErrNotFound) {
		t.Errorf("a file that was refused has left something: %v", err)
	}
}

// contents gives where in a file the content of each entry begins.
func contents(t *testing.T, path string) map[string]int64 {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	at := map[string]int64{}
	for entries := tar.NewReader(f); ; {
		entry, err := entries.Next()
		if errors.Is(err, io.EOF) {
			return at
		}
		if err != nil {
			t.Fatal(err)
		}
		if at[entry.Name], err = f.Seek(0, io.SeekCurrent); err != nil {
			t.Fatal(err)
		}
	}
}
