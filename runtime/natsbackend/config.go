package natsbackend

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/natscontext"
	"github.com/durablegen/durablegen/runtime/observe"
)

// Config says where the hub is. The zero value is the hub "default" on nats://127.0.0.1:4222.
type Config struct {
	URL     string // one URL or several, comma-separated; defaults to the context's, then nats://127.0.0.1:4222
	Context string // name of a context of the nats command: its URL and credentials; what Config says itself wins
	Creds   string // credentials file
	Name    string // name of the connections, for the server's monitoring; defaults to "durable"

	Hub        string // task hub: letters, digits, '-' and '_', at most 64; defaults to "default"
	Domain     string // JetStream domain; defaults to the context's, then to none
	Provision  bool   // create what is missing; else Connect only verifies and says what to run
	Partitions int    // of every group, used when the hub is created; defaults to 8
	Replicas   int    // of streams, used when the hub is created; defaults to 1

	// Placement says which servers of a cluster the streams are on, used when the hub is created; defaults to the servers' choice.
	Placement *jetstream.Placement

	// Retention says how long ended runs are kept, used when the hub is created; zero fields are 30 days. Of a hub that
	// exists, fields that are not zero must be what it has: [SetRetention] changes that.
	Retention Retention

	MaxPayload    int // largest payload in bytes, larger ones are refused; defaults to 16 MiB
	MaxHistory    int // largest history in bytes, of an archived run, a snapshot, or what a rewind begins with; defaults to 256 MiB, at least MaxPayload
	InlinePayload int // larger payloads go to the object store; defaults to 256 KiB, at most what the server's limit allows

	// Durability tells, in words, what an acknowledged write has survived; defaults to what the stream's
	// configuration tells, which cannot see the server's sync interval.
	Durability string

	// GroupCommit has the writes to the log that wait while others are under way go out together, as atomic batches: for
	// servers that fsync every write before they acknowledge it (sync_interval: always), where a batch costs one fsync.
	// On others it only costs. Connections with and without it may share a hub.
	GroupCommit bool

	// Sync makes durable what the server has acknowledged, stored or delivered of a stream before the call, of all streams when
	// it is "". It takes the place of a request to [SyncSubject] when the server is in this process; package embedded sets it.
	// nil: the server is asked.
	Sync func(stream string) error

	hasty bool // tests keep ended runs for less than MinRetention

	indexRows int // tests make segments of the index small

	readFor time.Duration // tests give up reads sooner that no leader answers; zero: giveUp

	Options []nats.Option // further options of the connections, applied last
	Logger  *slog.Logger  // defaults to none
}

const (
	defaultURL           = nats.DefaultURL
	defaultPartitions    = 8
	maxPartitions        = 256
	defaultMaxPayload    = 16 << 20
	defaultMaxHistory    = 256 << 20
	defaultInlinePayload = 256 << 10
)

var hubName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// resolve applies the context of the nats command and the defaults, and checks the rest.
func (cfg Config) resolve() (Config, []nats.Option, error) {
	login := natscontext.Settings{URL: cfg.URL, Creds: cfg.Creds, Domain: cfg.Domain}
	if cfg.Context != "" {
		c, err := natscontext.Load(cfg.Context)
		if err != nil {
			return cfg, nil, fmt.Errorf("natsbackend: Config.Context: %w", err)
		}
		login = login.Over(c)
		cfg.URL, cfg.Domain = login.URL, login.Domain
	}
	options, err := login.Options()
	if err != nil {
		return cfg, nil, fmt.Errorf("natsbackend: %w", err)
	}
	cfg.URL = or(cfg.URL, defaultURL)
	cfg.Hub = or(cfg.Hub, "default")
	cfg.Name = or(cfg.Name, "durable")
	cfg.Partitions = or(cfg.Partitions, defaultPartitions)
	cfg.Replicas = or(cfg.Replicas, 1)
	cfg.MaxPayload = or(cfg.MaxPayload, defaultMaxPayload)
	cfg.MaxHistory = max(or(cfg.MaxHistory, defaultMaxHistory), cfg.MaxPayload)
	cfg.InlinePayload = or(cfg.InlinePayload, defaultInlinePayload)
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	cfg.Logger = cfg.Logger.With(observe.KeyHub, cfg.Hub)
	return cfg, options, cfg.validate()
}

// where is the URL for messages: without what it may hold of a login.
func (cfg Config) where() string {
	urls := splitURLs(cfg.URL)
	for n, u := range urls {
		if scheme, _, ok := strings.Cut(u, "://"); ok {
			urls[n] = scheme + "://" + hostOf(u)
			continue
		}
		urls[n] = hostOf(u)
	}
	return strings.Join(urls, ",")
}

// CheckHub says what is wrong with the name of a hub.
func CheckHub(name string) error {
	switch {
	case !hubName.MatchString(name):
		return fmt.Errorf("natsbackend: Config.Hub %q: a hub name has 1 to 64 letters, digits, '-' and '_'", name)
	case strings.HasSuffix(name, "_ARCHIVE"):
		return fmt.Errorf("natsbackend: Config.Hub %q: the ending _ARCHIVE is taken by the archive of a hub", name)
	}
	return nil
}

func (cfg Config) validate() error {
	if err := CheckHub(cfg.Hub); err != nil {
		return err
	}
	switch {
	case cfg.Partitions < 1 || cfg.Partitions > maxPartitions:
		return fmt.Errorf("natsbackend: Config.Partitions is %d, want 1 to %d", cfg.Partitions, maxPartitions)
	case cfg.Replicas < 1 || cfg.Replicas > 5:
		return fmt.Errorf("natsbackend: Config.Replicas is %d, want 1 to 5", cfg.Replicas)
	case cfg.Retention.WithDefaults().Shortest() < MinRetention && !cfg.hasty:
		return fmt.Errorf("natsbackend: Config.Retention is %v at its shortest, want at least %v, or -1 for ever: a run is to be known for as long as its last messages may be under way", cfg.Retention.WithDefaults().Shortest(), MinRetention)
	case cfg.InlinePayload < 0 || cfg.MaxPayload < 0 || cfg.MaxHistory < 0:
		return fmt.Errorf("natsbackend: Config.InlinePayload is %d, MaxPayload %d and MaxHistory %d: sizes are not negative", cfg.InlinePayload, cfg.MaxPayload, cfg.MaxHistory)
	}
	return nil
}

func or[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

// ErrNoHub is in the tree of an error of [Connect] when the hub has not been created, or is not whole.
var ErrNoHub = fmt.Errorf("natsbackend: no such hub: %w", backend.ErrNotFound)

// Connect opens the hub for workers and clients. It checks that the server is new enough and has JetStream, and that
// the hub is there and fits. The error tells which address, login, permission, stream or field is wrong and what to do;
// [backend.ErrPermission] is in its tree when the server refused a subject. ctx bounds only the connecting: from then
// on connections that break are made again for ever.
func Connect(ctx context.Context, cfg Config) (*Backend, error) {
	return connect(ctx, cfg)
}

// Provision creates the streams and buckets of a hub, or verifies the ones that exist. Several may run at once.
func Provision(ctx context.Context, cfg Config) error {
	cfg.Provision = true
	b, err := connect(ctx, cfg)
	if err != nil {
		return err
	}
	return b.Close()
}

var _ backend.Backend = (*Backend)(nil)
