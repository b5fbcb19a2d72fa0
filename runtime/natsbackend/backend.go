package natsbackend

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/durablegen/durablegen/internal/backend"
)

// What the protocol needs of the server: 2.14 brought CONSUMER.RESET and the scheduling rules, API level 4.
const (
	needMajor, needMinor = 2, 14
	needAPILevel         = 4
	needPayload          = 256 << 10 // the object store sends 128 KiB at a time
)

// Backend is a connection to a hub. Its methods may be called concurrently.
type Backend struct {
	cfg      Config
	login    []nats.Option
	names    names
	api      string // prefix of the JetStream API, with its dot
	replicas int    // of the log
	info     backend.Info

	link    *link // for everything but deliveries
	calls   *calls
	barrier barrier
	js      jetstream.JetStream
	objects jetstream.ObjectStore
	uploads uploads
	loads   *loader
	states  *bucket
	meta    *bucket
	watched jetstream.KeyValue // the meta bucket again, for watching

	archives source
	payloads source // descriptions of objects

	sweeping sync.Mutex
	swept    uint64 // sequence of the last description looked at; under sweeping

	ctx  context.Context // ends with Close
	stop context.CancelFunc
	wg   sync.WaitGroup // goroutines of the backend

	mu         sync.Mutex
	deliveries map[role]*link
	pullers    map[*puller]struct{}
	again      chan struct{} // closed at the next reconnect
	closed     bool
}

// connect names the steps.
func connect(ctx context.Context, cfg Config) (*Backend, error) {
	cfg, login, err := cfg.resolve()
	if err != nil {
		return nil, err
	}
	b := &Backend{
		cfg: cfg, login: login, names: namesOf(cfg.Hub), api: apiPrefix(cfg.Domain),
		deliveries: map[role]*link{}, pullers: map[*puller]struct{}{}, again: make(chan struct{}),
	}
	b.ctx, b.stop = context.WithCancel(context.Background())
	if b.link, err = dial(ctx, cfg, login, roleWrite, ""); err != nil {
		b.stop()
		return nil, err
	}
	if err := b.open(ctx); err != nil {
		b.Close()
		return nil, err
	}
	cfg.Logger.Info("connected to a task hub", "hub", cfg.Hub, "server", b.link.ConnectedUrlRedacted(),
		"partitions", b.info.Partitions, "durability", b.info.Durability)
	return b, nil
}

func (b *Backend) open(ctx context.Context) (err error) {
	b.barrier.b = b
	if b.calls, err = newCalls(b.link, &b.barrier); err != nil {
		return err
	}
	b.link.onAgain(b.reconnected)
	if b.js, err = jetstream.NewWithDomain(b.link.Conn, b.cfg.Domain); b.cfg.Domain == "" {
		b.js, err = jetstream.New(b.link.Conn)
	}
	if err != nil {
		return fmt.Errorf("natsbackend: Config.Domain %q: %w", b.cfg.Domain, err)
	}
	if err := b.checkServer(ctx); err != nil {
		return err
	}
	if err := b.barrier.learn(ctx); err != nil {
		return err
	}
	hub, err := b.provision(ctx)
	if err == nil {
		err = b.barrier.settled()
	}
	if err != nil {
		return err
	}
	b.names.partitions, b.replicas, b.objects = hub.partitions, hub.replicas, hub.objects
	b.cfg.InlinePayload = min(b.cfg.InlinePayload, int(b.link.MaxPayload())-headerRoom)
	trails := b.barrier.on.Load()
	if trails {
		hub.durability = "one copy, on disk before it is acknowledged (an fsync that many share)"
	}
	b.info = backend.Info{Hub: b.cfg.Hub, Partitions: hub.partitions, Durability: or(b.cfg.Durability, hub.durability), MaxPayload: b.cfg.MaxPayload, Retention: hub.retention}
	b.uploads = uploads{
		inline: b.cfg.InlinePayload,
		queues: map[string][]upload{},
		plain:  func(subject string, u upload) { b.calls.publish(subject, u.header, join(u.head, u.body), u.done) },
	}
	if b.cfg.GroupCommit && !trails {
		b.calls.commits.prefix = b.names.subjects
	}
	b.states = b.bucket(b.names.instances, hub.single[b.names.instances])
	b.meta = b.bucket(b.names.meta, hub.single[b.names.meta])
	b.archives = source{b, b.names.archive, hub.single[b.names.archive]}
	b.payloads = source{b, "OBJ_" + b.names.payloads, hub.single[b.names.payloads]}
	b.watched = hub.meta
	b.loads = newLoader(b)
	b.wg.Go(b.watchPulls)
	return nil
}

// headerRoom is kept free for the header of a message, which counts into the server's limit.
const headerRoom = 64 << 10

func apiPrefix(domain string) string {
	if domain == "" {
		return "$JS.API."
	}
	return "$JS." + domain + ".API."
}

// checkServer refuses servers that would misunderstand the protocol.
func (b *Backend) checkServer(ctx context.Context) error {
	version := b.link.ConnectedServerVersion()
	if !newEnough(version) {
		return fmt.Errorf("natsbackend: the server at %s is NATS %s, and this needs %d.%d or newer", b.cfg.where(), version, needMajor, needMinor)
	}
	if most := b.link.MaxPayload(); most < needPayload {
		return fmt.Errorf("natsbackend: the server at %s has max_payload %d, and this needs %d: raise it (its default is 1 MiB)", b.cfg.where(), most, needPayload)
	}
	var account *jetstream.AccountInfo
	err := b.patiently(ctx, func(ctx context.Context) (err error) {
		account, err = b.js.AccountInfo(ctx)
		return err
	}, b.api+"INFO", b.calls.prefix)
	switch {
	case errors.Is(err, backend.ErrPermission):
		return err
	case errors.Is(err, jetstream.ErrJetStreamNotEnabled), errors.Is(err, nats.ErrNoResponders):
		return fmt.Errorf("natsbackend: the server at %s has no JetStream%s: start it with --jetstream (-js) or a jetstream block in its configuration", b.cfg.where(), b.inDomain())
	case errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount):
		return fmt.Errorf("natsbackend: the account of this login has no JetStream on %s: enable it for the account", b.cfg.where())
	case err != nil:
		return fmt.Errorf("natsbackend: ask %s about JetStream: %w: %w", b.cfg.where(), backend.ErrUnavailable, err)
	}
	if account.API.Level < needAPILevel {
		return fmt.Errorf("natsbackend: JetStream at %s has API level %d, and this needs %d (NATS %d.%d): update all servers", b.cfg.where(), account.API.Level, needAPILevel, needMajor, needMinor)
	}
	return nil
}

// patiently repeats a call of the jetstream package that gets no answer, because a cluster may just be starting.
func (b *Backend) patiently(ctx context.Context, call func(context.Context) error, words ...string) error {
	const attempt = 2 * time.Second
	ctx, cancel := context.WithTimeout(ctx, giveUp)
	defer cancel()
	for {
		try, end := context.WithTimeout(ctx, attempt)
		err := b.link.guarded(try, call, words...)
		end()
		if err == nil || ctx.Err() != nil || !away(err) || errors.Is(err, nats.ErrNoResponders) {
			return err
		}
		select {
		case <-time.After(tick):
		case <-ctx.Done():
			return err
		}
	}
}

func (b *Backend) inDomain() string {
	if b.cfg.Domain == "" {
		return ""
	}
	return " in the domain " + b.cfg.Domain
}

func newEnough(version string) bool {
	major, rest, _ := strings.Cut(version, ".")
	minor, _, _ := strings.Cut(rest, ".")
	x, errX := strconv.Atoi(major)
	y, errY := strconv.Atoi(minor)
	return errX == nil && errY == nil && (x > needMajor || x == needMajor && y >= needMinor)
}

// delivery gives the connection for deliveries of a role, dialled when it is first needed: clients need none.
func (b *Backend) delivery(ctx context.Context, r role) (*link, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, backend.ErrClosed
	}
	if l := b.deliveries[r]; l != nil {
		return l, nil
	}
	l, err := dial(ctx, b.cfg, b.login, r, b.link.ConnectedUrl())
	if err != nil {
		return nil, err
	}
	b.deliveries[r] = l
	l.onAgain(func() { b.eachPuller(l, (*puller).reconnected) })
	l.onRefused(func(err error, subject string) (theirs bool) {
		b.eachPuller(l, func(p *puller) { theirs = p.refused(err, subject) || theirs })
		return theirs
	})
	return l, nil
}

// reconnected sends again what the old connection may have lost, unless that would tell a new server process of what only the
// old one knew, and tells whoever waits on nextReconnect.
func (b *Backend) reconnected() {
	if id, yes := b.calls.elsewhere(); yes {
		b.setBack(id)
	} else {
		b.calls.reconnected()
	}
	if !b.barrier.on.Load() { // perhaps there is a server now that trails
		b.goes(func() {
			if err := b.barrier.learn(b.ctx); err != nil && b.ctx.Err() == nil {
				b.cfg.Logger.Warn("how durable the server is that was reconnected to is not known", "err", err)
			}
		})
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.again)
	b.again = make(chan struct{})
}

func (b *Backend) nextReconnect() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.again
}

// goes runs f on a goroutine that Close waits for, unless the backend is closed.
func (b *Backend) goes(f func()) (ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.closed {
		b.wg.Go(f)
	}
	return !b.closed
}

func (b *Backend) eachPuller(l *link, f func(*puller)) {
	b.mu.Lock()
	var on []*puller
	for p := range b.pullers {
		if l == nil || p.link == l {
			on = append(on, p)
		}
	}
	b.mu.Unlock()
	for _, p := range on {
		f(p)
	}
}

// watchPulls notices pulls that have gone silent.
func (b *Backend) watchPulls() {
	t := time.NewTicker(heartbeat / 2)
	defer t.Stop()
	before := time.Now()
	for {
		select {
		case <-b.ctx.Done():
			return
		case <-t.C:
			now := time.Now()
			b.watchServers(now, now.Sub(before) > silence)
			before = now
		}
	}
}

// watchServers leaves servers through which most pulls are silent. Of one that reaches the others some pulls may be
// silent too, while leaders are being elected. The silence that this process has slept through means nothing.
func (b *Backend) watchServers(now time.Time, slept bool) {
	type server struct {
		pulls, silent int
		served        map[*link]time.Time // when the newest of its silent pulls was served
	}
	servers := map[string]*server{}
	b.eachPuller(nil, func(p *puller) {
		at := p.link.ConnectedUrl()
		if servers[at] == nil {
			servers[at] = &server{served: map[*link]time.Time{}}
		}
		s := servers[at]
		s.pulls++
		if served := p.watch(now, slept); now.Sub(served) > silence {
			s.silent++
			if served.After(s.served[p.link]) {
				s.served[p.link] = served
			}
		}
	})
	for _, s := range servers {
		if 2*s.silent <= s.pulls {
			continue
		}
		for l, served := range s.served {
			l.unheard(served, now)
		}
	}
}

// Info implements backend.Backend.
func (b *Backend) Info() backend.Info {
	info := b.info
	info.Trails = b.barrier.on.Load()
	return info
}

// Close implements backend.Backend. It may be called twice. It must not be called from a callback.
func (b *Backend) Close() error {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return nil
	}
	b.closed = true
	b.mu.Unlock()
	b.stop()
	b.eachPuller(nil, (*puller).abandon)
	for _, l := range b.deliveries {
		l.shut()
	}
	if b.calls != nil {
		b.calls.close()
	}
	if b.loads != nil {
		b.loads.close()
		b.uploads.close()
	}
	b.wg.Wait()
	b.link.shut()
	return nil
}
