package natsbackend

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/durablegen/durablegen/internal/backend"
)

// link is one connection. Links reconnect for ever; what has to happen then hangs on again.
type link struct {
	*nats.Conn
	log *slog.Logger
	wg  sync.WaitGroup // callbacks of subscriptions, until their last one has returned

	mu      sync.Mutex
	again   []func()                   // after every reconnect
	refused []func(error, string) bool // after every permission refusal, with the subject; true: it was theirs
	guards  map[*guard]struct{}        // calls of the jetstream package in flight
	arrived time.Time                  // at the present server
	stay    time.Duration              // there, before it is left for not reaching JetStream
	closed  bool
}

// role tells what a connection is for.
type role string

const (
	roleWrite      role = "write"      // publishes, reads, API requests, signals
	rolePartitions role = "partitions" // deliveries of inboxes
	roleActivities role = "activities" // deliveries of tasks
)

// dial connects. Publishes of the write connection are kept in its call table while it is down, not in the client's
// buffer: that way they are sent again in order. The connection begins with the server near, if that is one of its own:
// what breaks there breaks all connections of a worker, and the others see at once that it is gone.
func dial(ctx context.Context, cfg Config, login []nats.Option, r role, near string) (*link, error) {
	l := &link{log: cfg.Logger, guards: map[*guard]struct{}{}, arrived: time.Now(), stay: moveAfter}
	o := nats.GetDefaultOptions()
	o.Servers = splitURLs(cfg.URL)
	o.Name = cfg.Name + " " + string(r)
	o.AllowReconnect, o.MaxReconnect = true, -1
	o.ReconnectWait, o.ReconnectJitter, o.ReconnectJitterTLS = 50*time.Millisecond, 10*time.Millisecond, 50*time.Millisecond
	o.ReconnectBufSize = 64 << 20
	if r == roleWrite {
		o.ReconnectBufSize = -1
	}
	o.PingInterval, o.MaxPingsOut = 5*time.Second, 2
	o.FlusherTimeout = moveAfter // of a write to a server that has stopped to read
	o.IgnoreAuthErrorAbort = true
	if t, ok := ctx.Deadline(); ok {
		o.Timeout = min(o.Timeout, max(time.Until(t), time.Millisecond))
	}
	for _, opt := range append(login, cfg.Options...) {
		if err := opt(&o); err != nil {
			return nil, fmt.Errorf("natsbackend: an option of the connection: %w", err)
		}
	}
	o.Servers, o.NoRandomize = ordered(o.Servers, near, !o.NoRandomize), true
	l.listen(&o, r)
	nc, err := o.Connect()
	if err != nil {
		return nil, connectError(cfg, err)
	}
	l.Conn = nc
	return l, nil
}

// ordered puts near first, and the others behind it, in random order if they are to be shuffled.
func ordered(servers []string, near string, shuffle bool) []string {
	servers = slices.Clone(servers)
	if shuffle {
		rand.Shuffle(len(servers), func(i, j int) { servers[i], servers[j] = servers[j], servers[i] })
	}
	if n := slices.IndexFunc(servers, func(s string) bool { return hostOf(s) == hostOf(near) }); n > 0 {
		at := servers[n]
		copy(servers[1:], servers[:n])
		servers[0] = at
	}
	return servers
}

// hostOf gives host and port of a server's URL.
func hostOf(server string) string {
	if _, rest, ok := strings.Cut(server, "://"); ok {
		server = rest
	}
	return strings.TrimSuffix(server[strings.LastIndexByte(server, '@')+1:], "/")
}

func splitURLs(list string) []string {
	var urls []string
	for u := range strings.SplitSeq(list, ",") {
		urls = append(urls, strings.TrimSpace(u))
	}
	return urls
}

// listen takes over the connection's callbacks and passes them on to the user's own.
func (l *link) listen(o *nats.Options, r role) {
	onError, onAgain, onGone := o.AsyncErrorCB, o.ReconnectedCB, o.DisconnectedErrCB
	o.AsyncErrorCB = func(nc *nats.Conn, s *nats.Subscription, err error) {
		l.failed(err)
		if onError != nil {
			onError(nc, s, err)
		}
	}
	o.ReconnectedCB = func(nc *nats.Conn) {
		l.log.Info("connected to NATS again", "connection", string(r), "server", nc.ConnectedUrlRedacted())
		l.mu.Lock()
		again := l.again
		l.arrived = time.Now()
		l.mu.Unlock()
		for _, f := range again {
			f()
		}
		if onAgain != nil {
			onAgain(nc)
		}
	}
	o.DisconnectedErrCB = func(nc *nats.Conn, err error) {
		if !nc.IsClosed() {
			l.log.Warn("lost the connection to NATS", "connection", string(r), "err", err)
		}
		if onGone != nil {
			onGone(nc, err)
		}
	}
}

func connectError(cfg Config, err error) error {
	what := "is a NATS server (2.14 or newer) running there?"
	switch {
	case errors.Is(err, nats.ErrAuthorization), errors.Is(err, nats.ErrAuthExpired), errors.Is(err, nats.ErrAuthRevoked):
		return fmt.Errorf("natsbackend: %s refused the login: check %s: %w: %w", cfg.where(), cfg.loginSource(), backend.ErrPermission, err)
	case errors.Is(err, nats.ErrNoServers), errors.Is(err, nats.ErrTimeout):
	default:
		what = "check Config.URL and " + cfg.loginSource()
	}
	return fmt.Errorf("natsbackend: connect to %s: %w; %s", cfg.where(), err, what)
}

func (cfg Config) loginSource() string {
	switch {
	case cfg.Creds != "":
		return "the credentials file " + cfg.Creds
	case cfg.Context != "":
		return "the context " + cfg.Context + " of the nats command"
	}
	return "the user and password of the URL, Config.Creds or Config.Context"
}

// failed hears of everything that the server reports without being asked.
func (l *link) failed(err error) {
	verb, subject, ok := refusal(err)
	if !ok {
		l.log.Warn("NATS reports an error", "err", err)
		return
	}
	perm := fmt.Errorf("natsbackend: %w: %s %q: give the user of this connection that permission", backend.ErrPermission, verb, subject)
	l.mu.Lock()
	refused := l.refused
	told := false
	for g := range l.guards {
		if g.covers(subject) {
			g.cancel(perm)
			told = true
		}
	}
	l.mu.Unlock()
	for _, f := range refused {
		told = f(perm, subject) || told
	}
	if !told { // acknowledgements and signals: nobody waits for an answer
		l.log.Error("not permitted", "err", perm)
	}
}

// refusal reads `permissions violation … for publish to "subject"`.
func refusal(err error) (verb, subject string, ok bool) {
	if !errors.Is(err, nats.ErrPermissionViolation) {
		return "", "", false
	}
	text := err.Error()
	_, subject, ok = strings.Cut(text, `"`)
	if !ok {
		return "", "", false
	}
	subject, _, ok = strings.Cut(subject, `"`)
	verb = "publish to"
	if strings.Contains(strings.ToLower(text), "subscription to") {
		verb = "subscribe to"
	}
	return verb, subject, ok
}

// onAgain and onRefused register before the link is used by others.
func (l *link) onAgain(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.again = append(l.again[:len(l.again):len(l.again)], f)
}

func (l *link) onRefused(f func(err error, subject string) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refused = append(l.refused[:len(l.refused):len(l.refused)], f)
}

// guard ends a call of the jetstream package when the server refuses one of its subjects: the package itself would
// wait for its time-out.
type guard struct {
	words  []string // a subject that contains one of them belongs to the call
	cancel context.CancelCauseFunc
}

func (g *guard) covers(subject string) bool {
	for _, w := range g.words {
		if strings.Contains(subject, w) {
			return true
		}
	}
	return false
}

// guarded runs call; words are the streams and subjects that it uses.
func (l *link) guarded(ctx context.Context, call func(context.Context) error, words ...string) error {
	ctx, end := l.guard(ctx, words...)
	return end(call(ctx))
}

// guard gives a context that ends when a subject with one of the words is refused. end ends it in any case, and turns
// an error into the refusal if there was one.
func (l *link) guard(ctx context.Context, words ...string) (guarded context.Context, end func(error) error) {
	ctx, cancel := context.WithCancelCause(ctx)
	g := &guard{words: words, cancel: cancel}
	l.mu.Lock()
	l.guards[g] = struct{}{}
	l.mu.Unlock()
	return ctx, func(err error) error {
		l.mu.Lock()
		delete(l.guards, g)
		l.mu.Unlock()
		defer cancel(nil)
		if cause := context.Cause(ctx); err != nil && errors.Is(cause, backend.ErrPermission) {
			return cause
		}
		return err
	}
}

// subscribe delivers to fn on a goroutine of its own. Its queue is not limited by the client: whoever asks for
// messages limits them.
func (l *link) subscribe(subject string, fn func(*nats.Msg)) (*nats.Subscription, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, backend.ErrClosed
	}
	s, err := l.Subscribe(subject, fn)
	if err != nil {
		return nil, fmt.Errorf("natsbackend: subscribe to %s: %w", subject, err)
	}
	l.wg.Add(1)
	s.SetClosedHandler(func(string) { l.wg.Done() })
	if err := s.SetPendingLimits(-1, -1); err != nil {
		return nil, fmt.Errorf("natsbackend: subscribe to %s: %w", subject, err)
	}
	return s, nil
}

// moveAfter is how long JetStream may be out of reach of a server before a connection tries another: a server that is
// cut off from the others keeps its clients and can do nothing for them. It is longer than most elections.
const (
	moveAfter = 5 * time.Second
	mostStay  = time.Minute // it doubles up to this while no server helps
)

// unheard is told that JetStream has not answered since then, although it owes something. A server that does not reach
// it is left for another. It must not be called from a callback of the connection, nor with a lock that such a callback takes.
func (l *link) unheard(since, now time.Time) {
	l.mu.Lock()
	if since.After(l.arrived) { // this one did reach it
		l.stay = moveAfter
	} else {
		since = l.arrived
	}
	move := !l.closed && now.Sub(since) >= l.stay && l.IsConnected() && len(l.Servers()) > 1
	if move {
		l.arrived, l.stay = now, min(2*l.stay, mostStay)
	}
	l.mu.Unlock()
	if !move {
		return
	}
	l.log.Warn("JetStream is out of reach of this server, trying another", "connection", l.Opts.Name, "server", l.ConnectedUrlRedacted(), "silent", now.Sub(since))
	if err := l.ForceReconnect(); err != nil {
		l.log.Debug("could not leave the server", "err", err)
	}
}

// shut closes the connection and waits for its callbacks.
func (l *link) shut() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.Close()
	l.wg.Wait()
}
