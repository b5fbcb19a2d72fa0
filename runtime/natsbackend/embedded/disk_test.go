package embedded

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A power cut is a copy of the folder in which every file ends where it ended when it was last synced, or somewhere behind
// that, and every folder is what it was when it was last synced, or what it had become.

// faultyDisk remembers what was synced; it syncs nothing.
type faultyDisk struct {
	mu    sync.Mutex
	dead  bool
	files []synced
	dirs  map[string][]entry // as synced, by path
	rng   *rand.Rand
}

// synced is a file as it was when it was synced. It can be read for as long as it is held open, whatever its name is.
type synced struct {
	file *os.File
	info os.FileInfo
}

type entry struct {
	name string
	info os.FileInfo
	file *os.File // nil for a folder
}

func newFaultyDisk(t *testing.T, seed uint64) *faultyDisk {
	d := &faultyDisk{dirs: map[string][]entry{}, rng: rand.New(rand.NewPCG(seed, 0))}
	t.Cleanup(func() {
		for _, s := range d.files {
			s.file.Close()
		}
		for _, list := range d.dirs {
			closeAll(list)
		}
	})
	return d
}

var errDark = fmt.Errorf("%w: the power is gone", errLost)

func (d *faultyDisk) sync(path string) (os.FileInfo, error) {
	for range 300 { // a disk takes its time: whoever does not wait for it gets far
		runtime.Gosched()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.dead {
		return nil, errDark
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		f.Close()
		closeAll(d.dirs[path])
		d.dirs[path] = list(path)
		return info, nil
	}
	if n := d.find(info); n >= 0 {
		f.Close()
		d.files[n].info = info
	} else {
		d.files = append(d.files, synced{f, info})
	}
	return info, nil
}

func (d *faultyDisk) find(info os.FileInfo) int {
	return slices.IndexFunc(d.files, func(s synced) bool { return os.SameFile(s.info, info) })
}

// list is what is in a folder now. What the server removes meanwhile is not there.
func list(path string) (all []entry) {
	names, err := os.ReadDir(path)
	if err != nil {
		return nil
	}
	for _, e := range names {
		full := filepath.Join(path, e.Name())
		info, err := os.Lstat(full)
		if err != nil {
			continue
		}
		one := entry{name: e.Name(), info: info}
		if !info.IsDir() {
			if one.file, err = os.Open(full); err != nil {
				continue
			}
			if one.info, err = one.file.Stat(); err != nil {
				continue
			}
		}
		all = append(all, one)
	}
	return all
}

func closeAll(list []entry) {
	for _, e := range list {
		if e.file != nil {
			e.file.Close()
		}
	}
}

// cut is the power cut: nothing is synced after it, and to has what is left of from.
func (d *faultyDisk) cut(t *testing.T, from, to string) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.dead = true
	if err := d.copyDir(from, to); err != nil {
		t.Fatal(err)
	}
}

func (d *faultyDisk) copyDir(from, to string) error {
	if err := os.MkdirAll(to, 0o700); err != nil {
		return err
	}
	left := d.dirs[from]
	if d.rng.IntN(2) == 0 { // the file system was quicker than we asked it to be
		now := list(from)
		defer closeAll(now)
		left = now
	}
	for _, e := range left {
		var err error
		switch {
		case e.info.IsDir():
			err = d.copyDir(filepath.Join(from, e.name), filepath.Join(to, e.name))
		case e.name == "durable.lock":
		default:
			err = d.copyFile(e, filepath.Join(to, e.name))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// copyFile keeps what was synced of a file, and as much behind it as the dice say, whole or not. Files that were never synced
// came by a rename, which on the file systems that Strict is for takes their contents along.
func (d *faultyDisk) copyFile(e entry, to string) error {
	data, err := io.ReadAll(io.NewSectionReader(e.file, 0, 1<<40))
	if err != nil {
		return err
	}
	if n := d.find(e.info); strings.HasSuffix(e.name, ".blk") {
		sure := 0
		if n >= 0 {
			sure = int(d.files[n].info.Size())
		}
		tail := data[sure:]
		kept := d.rng.IntN(len(tail) + 1)
		switch d.rng.IntN(4) {
		case 0:
			kept = 0
		case 1:
			for at := d.rng.IntN(len(tail) + 1); at < len(tail); at++ {
				tail[at] = 0
			}
		}
		data = data[:sure+kept]
	}
	return os.WriteFile(to, data, 0o600)
}
