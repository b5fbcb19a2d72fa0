package embedded

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// disk makes files and folders durable. Tests put their own in its place.
type disk interface {
	// sync returns what the file at path is, when all of it that was written before the call is on the disk.
	sync(path string) (os.FileInfo, error)
}

// realDisk is the disk. The server writes through another descriptor than the one that is synced here: fsync is of the file,
// not of the descriptor.
type realDisk struct{}

func (realDisk) sync(path string) (os.FileInfo, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat() // before: what is written meanwhile may not be on the disk
	if err != nil {
		return nil, err
	}
	if err := f.Sync(); err != nil {
		return nil, fmt.Errorf("%w: %w", errLost, err)
	}
	return info, nil
}

// errLost is a failed fsync. The kernel may have dropped what it could not write, and the next one would succeed.
var errLost = errors.New("what was written may be lost")

// coarse is more than the clock of any file system is coarse: a folder changed twice in this time may show one change.
const coarse = 3 * time.Second

// folder is a directory that is listed again only when it has changed.
type folder struct {
	path   string
	listed time.Time
	as     os.FileInfo // what it was then; nil: never listed
}

// changed reports whether something may have been made, renamed or removed in it since the last time.
func (f *folder) changed() (bool, error) {
	info, err := os.Stat(f.path)
	if err != nil || f.is(info) {
		return false, err
	}
	f.listed, f.as = time.Now(), info
	return true, nil
}

// is reports whether a folder is what it was when it was listed.
func (f *folder) is(info os.FileInfo) bool {
	return f.as != nil && same(info, f.as) && f.listed.Sub(info.ModTime()) > coarse
}

// store knows which files of a JetStream store have changed since they were synced. Its methods are for one goroutine.
type store struct {
	dir     string
	disk    disk
	streams folder
	known   map[string]*stream
}

func newStore(dir string, d disk) *store {
	dir = filepath.Clean(dir)
	return &store{dir: dir, disk: d, streams: folder{path: streamsOf(dir)}, known: map[string]*stream{}}
}

// streamsOf is where a server with the one global account keeps its streams.
func streamsOf(dir string) string { return filepath.Join(dir, "jetstream", "$G", "streams") }

// sync makes everything durable that the server has written of one stream, of all when only is "" or unknown. A stream costs three looks
// at its folders and one at its newest block, and an fsync if that has grown, however many blocks it has. Streams that have
// changed are synced at the same time, so that the file system can do it in one.
func (s *store) sync(only string) error {
	if st := s.known[only]; st != nil { // which others there are is for a round of all
		return st.sync()
	}
	changed, err := s.streams.changed()
	if errors.Is(err, fs.ErrNotExist) {
		return nil // no stream yet
	}
	if err == nil && changed {
		changed, err = s.list()
	}
	if err != nil {
		return err
	}
	var all []*stream
	for _, st := range s.known {
		if !st.calm() {
			all = append(all, st)
		}
	}
	if len(all) == 1 { // the log: its round is what others wait for
		err = all[0].sync()
	} else {
		errs := make(chan error, len(all))
		for _, st := range all {
			go func() { errs <- st.sync() }()
		}
		for range all {
			err = errors.Join(err, <-errs)
		}
	}
	if err != nil || !changed {
		return err
	}
	for dir := s.streams.path; ; dir = filepath.Dir(dir) { // the first stream has made the folders above, too
		if _, err := s.disk.sync(dir); err != nil || dir == s.dir {
			return err
		}
	}
}

// list finds the streams that are there, and tells whether they are others than before.
func (s *store) list() (changed bool, err error) {
	entries, err := os.ReadDir(s.streams.path)
	if err != nil {
		return false, err
	}
	known := map[string]*stream{}
	for _, e := range entries {
		if !e.IsDir() || strings.HasPrefix(e.Name(), ".") { // one that is being deleted
			continue
		}
		if known[e.Name()] = s.known[e.Name()]; known[e.Name()] == nil {
			known[e.Name()] = newStream(filepath.Join(s.streams.path, e.Name()), s.disk)
			changed = true
		}
	}
	changed = changed || len(known) != len(s.known)
	s.known = known
	return changed, nil
}

// stream is the folder of a stream: its configuration, its blocks of messages, and its consumers. What else is there (the
// index, the wheels of times to live and schedules, the positions of consumers) the server makes anew from those, or
// from an older copy.
type stream struct {
	disk      disk
	top       folder
	msgs, obs folder
	configs   map[string]os.FileInfo // as synced, by path
	blocks    map[int]os.FileInfo    // as synced, by number
	newest    int
	consumers map[string]bool
}

func newStream(path string, d disk) *stream {
	return &stream{
		disk: d, top: folder{path: path}, msgs: folder{path: filepath.Join(path, "msgs")}, obs: folder{path: filepath.Join(path, "obs")},
		configs: map[string]os.FileInfo{}, blocks: map[int]os.FileInfo{}, consumers: map[string]bool{},
	}
}

// calm reports that nothing has changed. Whatever it cannot tell is for sync.
func (s *stream) calm() bool {
	for _, f := range [...]*folder{&s.top, &s.msgs, &s.obs} {
		if info, err := os.Stat(f.path); err != nil || !f.is(info) {
			return false
		}
	}
	info, err := os.Stat(s.blockPath(s.newest))
	if errors.Is(err, fs.ErrNotExist) {
		return s.blocks[s.newest] == nil // it has none
	}
	return err == nil && same(info, s.blocks[s.newest])
}

func (s *stream) blockPath(n int) string { return filepath.Join(s.msgs.path, strconv.Itoa(n)+".blk") }

func (s *stream) sync() error {
	for _, step := range []func() error{s.syncConfig, s.syncBlocks, s.syncConsumers} {
		if err := step(); err != nil && !errors.Is(err, fs.ErrNotExist) { // the stream was deleted, or what is not there yet has not been acknowledged
			return err
		}
	}
	return nil
}

func (s *stream) syncConfig() error {
	changed, err := s.top.changed()
	if err != nil || !changed {
		return err
	}
	return s.syncFolder(s.top.path, "meta.inf", "meta.sum", "eky.key")
}

// syncFolder syncs those files of a folder that are there and new, and then the folder if there were some.
func (s *stream) syncFolder(path string, names ...string) error {
	any := false
	for _, name := range names {
		file := filepath.Join(path, name)
		info, err := os.Stat(file)
		if err == nil && !same(info, s.configs[file]) {
			info, err = s.disk.sync(file)
			s.configs[file] = info
			any = true
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if !any {
		return nil
	}
	_, err := s.disk.sync(path)
	return err
}

// syncBlocks syncs the blocks in their order: the end of one must not be lost while the next one is kept. Only the newest is
// ever appended to; another one that is not what it was has been replaced, which changes the folder.
func (s *stream) syncBlocks() error {
	changed, err := s.msgs.changed()
	if err != nil {
		return err
	}
	if !changed {
		return s.syncBlock(s.newest)
	}
	entries, err := os.ReadDir(s.msgs.path)
	if err != nil {
		return err
	}
	there := make([]int, 0, len(entries))
	for _, e := range entries {
		if number, ok := strings.CutSuffix(e.Name(), ".blk"); ok {
			if n, err := strconv.Atoi(number); err == nil {
				there = append(there, n)
			}
		}
	}
	slices.Sort(there)
	others := false // the folder names other files than when it was synced
	for _, n := range there {
		was := s.blocks[n]
		if err := s.syncBlock(n); err != nil {
			return err
		}
		s.newest = n
		others = others || was == nil || s.blocks[n] == nil || !os.SameFile(was, s.blocks[n])
	}
	for n := range s.blocks {
		if _, found := slices.BinarySearch(there, n); !found {
			delete(s.blocks, n)
			others = true
		}
	}
	if !others {
		return nil
	}
	_, err = s.disk.sync(s.msgs.path)
	return err
}

func (s *stream) syncBlock(n int) error {
	path := s.blockPath(n)
	info, err := os.Stat(path)
	if err == nil && !same(info, s.blocks[n]) {
		if info, err = s.disk.sync(path); err == nil {
			s.blocks[n] = info
		}
	}
	if errors.Is(err, fs.ErrNotExist) { // removed: all that was in it is not needed any more
		return nil
	}
	return err
}

// same reports whether a file is what it was. What is appended makes it longer; the time tells files apart whose
// predecessor's inode was used again.
func same(info, was os.FileInfo) bool {
	return was != nil && info.Size() == was.Size() && info.ModTime().Equal(was.ModTime()) && os.SameFile(info, was)
}

// syncConsumers syncs the configuration of consumers that are new. Their positions follow the log: an older one only has
// messages delivered again.
func (s *stream) syncConsumers() error {
	changed, err := s.obs.changed()
	if err != nil || !changed {
		return err
	}
	entries, err := os.ReadDir(s.obs.path)
	if err != nil {
		return err
	}
	consumers, others := map[string]bool{}, len(entries) != len(s.consumers)
	for _, e := range entries {
		consumers[e.Name()] = true
		if s.consumers[e.Name()] || !e.IsDir() {
			continue
		}
		others = true
		if err := s.syncFolder(filepath.Join(s.obs.path, e.Name()), "meta.inf", "meta.sum", "o.dat"); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if s.consumers = consumers; !others {
		return nil
	}
	_, err = s.disk.sync(s.obs.path)
	return err
}

// unclean is the file that says that a server served the folder and has not closed it.
const unclean = "durable.unclean"

// caches are what the server keeps of a stream beside its blocks. They may be ahead of blocks that have lost their end; then
// times to live of lost messages would be applied to others that have got their sequences.
var caches = []string{"index.db", "thw.db", "sched.db", "sources.db"}

// repair makes the store fit to be opened after a power cut: the server has to make its caches anew.
func repair(dir string) (needed bool, err error) {
	if _, err := os.Stat(filepath.Join(dir, unclean)); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	for _, name := range caches {
		found, err := filepath.Glob(filepath.Join(quoted(streamsOf(dir)), "*", "msgs", name))
		if err != nil {
			return true, err
		}
		for _, path := range found {
			if err := os.Remove(path); err != nil {
				return true, fmt.Errorf("remove what may be ahead of the log: %w", err)
			}
		}
	}
	return true, nil
}

// quoted makes a path that a glob takes as it is.
func quoted(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// mark says that the folder is being served; unmark, that everything in it is durable.
func mark(dir string, d disk) error {
	f, err := os.Create(filepath.Join(dir, unclean))
	if err == nil {
		err = errors.Join(f.Close())
	}
	if err == nil {
		_, err = d.sync(dir)
	}
	return err
}

func unmark(dir string, d disk) error {
	if err := os.Remove(filepath.Join(dir, unclean)); err != nil {
		return err
	}
	_, err := d.sync(dir)
	return err
}
