// Package connect opens the hub that the command is told of: with the flags, environment and contexts of the nats command.
package connect

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/spf13/pflag"

	"github.com/durablegen/durablegen/cmd/durable/internal/exit"
	"github.com/durablegen/durablegen/internal/natscontext"
	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/natsbackend"
)

// Settings say where the hub is. A flag wins over its environment variable, that over the context: the one that is named,
// or else the one that is selected in the configuration folder of the nats command.
type Settings struct {
	Hub     string
	Timeout time.Duration // of connecting, and of an answer

	server    natscontext.Settings
	context   string
	noContext bool
	name      string
	timeout   string
	apiPrefix string
}

const defaultTimeout = 5 * time.Second // as the nats command

// setting is a flag with an environment variable behind it. Values from there are no defaults of the flag: help would print
// them, and some are secrets.
type setting struct {
	to                     *string
	name, short, env, what string
	fallback               string
}

func (s *Settings) settings() []setting {
	return []setting{
		{to: &s.server.URL, name: "server", short: "s", env: "NATS_URL", what: "`URLs` of NATS servers, comma-separated (default nats://127.0.0.1:4222)"},
		{to: &s.Hub, name: "hub", env: "DURABLE_HUB", what: "`name` of the task hub (default \"default\")", fallback: "default"},
		{to: &s.server.User, name: "user", env: "NATS_USER", what: "`user`, or a token when there is no password"},
		{to: &s.server.Password, name: "password", env: "NATS_PASSWORD", what: "`password`"},
		{to: &s.server.Creds, name: "creds", env: "NATS_CREDS", what: "credentials `file`"},
		{to: &s.server.NKey, name: "nkey", env: "NATS_NKEY", what: "`file` with the seed of an nkey"},
		{to: &s.server.Cert, name: "tlscert", env: "NATS_CERT", what: "`file` with the public certificate of this client"},
		{to: &s.server.Key, name: "tlskey", env: "NATS_KEY", what: "`file` with its private key"},
		{to: &s.server.CA, name: "tlsca", env: "NATS_CA", what: "`file` with the certificates of authorities"},
		{to: &s.context, name: "context", env: "NATS_CONTEXT", what: "`name` of a context of the nats command, or its file"},
		{to: &s.timeout, name: "timeout", env: "NATS_TIMEOUT", what: "`duration` to wait for connecting and for an answer (default 5s)", fallback: defaultTimeout.String()},
		{to: &s.name, name: "connection-name", what: "`name` of the connection, for the server's monitoring (default durable)", fallback: "durable"},
		{to: &s.server.InboxPrefix, name: "inbox-prefix", what: "`prefix` of the inboxes of this client"},
		{to: &s.server.Domain, name: "js-domain", what: "JetStream `domain`"},
		{to: &s.apiPrefix, name: "js-api-prefix", what: "`prefix` of the JetStream API; only that of a domain, $JS.DOMAIN.API"},
	}
}

// AddFlags adds the flags that say where the hub is.
func (s *Settings) AddFlags(flags *pflag.FlagSet) {
	for _, one := range s.settings() {
		flags.StringVarP(one.to, one.name, one.short, "", environment(one))
	}
	flags.BoolVar(&s.server.TLSFirst, "tlsfirst", false, "begin with TLS, before the server has said anything")
	flags.BoolVar(&s.noContext, "no-context", false, "leave the selected context of the nats command alone")
}

func environment(one setting) string {
	if one.env == "" {
		return one.what
	}
	return one.what + " [$" + one.env + "]"
}

// Resolve fills what no flag has said from the environment, and checks it. It is called once, after the flags are parsed.
func (s *Settings) Resolve(getenv func(string) string) error {
	for _, one := range s.settings() {
		if *one.to == "" && one.env != "" {
			*one.to = getenv(one.env)
		}
		*one.to = cmp.Or(*one.to, one.fallback)
	}
	var err error
	if s.Timeout, err = time.ParseDuration(s.timeout); err != nil || s.Timeout <= 0 {
		return exit.Usagef("--timeout %s is no time: want one such as 5s", s.timeout)
	}
	if err := natsbackend.CheckHub(s.Hub); err != nil {
		return exit.Usagef("--hub %q: a hub name has 1 to 64 letters, digits, '-' and '_', and does not end with _ARCHIVE", s.Hub)
	}
	if s.server.User != "" && s.server.Password == "" { // as the nats command
		s.server.User, s.server.Token = "", s.server.User
	}
	return s.setDomain(s.apiPrefix)
}

// setDomain takes the domain from a prefix of its API: prefixes of imported APIs reach streams, but not the log's subjects.
func (s *Settings) setDomain(prefix string) error {
	if prefix == "" {
		return nil
	}
	words := strings.Split(strings.TrimSuffix(prefix, "."), ".")
	switch {
	case len(words) == 2 && words[0] == "$JS" && words[1] == "API":
		return nil
	case len(words) == 3 && words[0] == "$JS" && words[2] == "API":
		s.server.Domain = words[1]
		return nil
	}
	return exit.Usagef("--js-api-prefix %s is not that of a domain, $JS.DOMAIN.API: connect to the account of the hub", prefix)
}

// Config says how to connect, for [natsbackend.Connect] or, with URL and Options, for a plain connection.
func (s *Settings) Config() (natsbackend.Config, error) {
	loaded, err := s.load()
	if err != nil {
		return natsbackend.Config{}, exit.With(exit.Usage, err)
	}
	server := s.server.Over(loaded)
	opts, err := server.Options()
	if err != nil {
		return natsbackend.Config{}, exit.With(exit.Usage, err)
	}
	opts = append(opts, nats.Timeout(s.Timeout))
	return natsbackend.Config{URL: cmp.Or(server.URL, nats.DefaultURL), Hub: s.Hub, Name: s.name, Domain: server.Domain, Options: opts}, nil
}

// load reads the context that counts, if there is one.
func (s *Settings) load() (natscontext.Settings, error) {
	name := s.context
	if strings.HasSuffix(name, ".json") {
		if _, err := os.Stat(name); !errors.Is(err, fs.ErrNotExist) {
			return natscontext.LoadFile(name)
		}
	}
	if name == "" && !s.noContext {
		var err error
		if name, err = natscontext.Selected(); err != nil {
			return natscontext.Settings{}, err
		}
	}
	if name == "" {
		return natscontext.Settings{}, nil
	}
	return natscontext.Load(name)
}

// Open connects to the hub.
func (s *Settings) Open(ctx context.Context) (*natsbackend.Backend, error) {
	cfg, err := s.Config()
	if err != nil {
		return nil, err
	}
	return Open(ctx, cfg, s.Timeout)
}

// Open connects to a hub; an error tells what to do on the command line. It comes to [exit.NotFound] when there is no such
// hub, else to [exit.Refused].
func Open(ctx context.Context, cfg natsbackend.Config, timeout time.Duration) (*natsbackend.Backend, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	b, err := natsbackend.Connect(ctx, cfg)
	switch {
	case err == nil:
		return b, nil
	case errors.Is(err, natsbackend.ErrNoHub):
		return nil, exit.With(exit.NotFound, fmt.Errorf("there is no hub %s, or not all of it, on %s: `durable init --hub %s` creates it, --hub chooses another", cfg.Hub, where(cfg.URL), cfg.Hub))
	case errors.Is(err, nats.ErrAuthorization), errors.Is(err, nats.ErrAuthExpired), errors.Is(err, nats.ErrAuthRevoked):
		err = fmt.Errorf("%w: %s refuses the login: check --user, --password, --creds, --nkey or the context", durable.ErrPermission, where(cfg.URL))
	}
	if what, _, advises := strings.Cut(err.Error(), "; check Config."); advises { // which is for programs
		err = fmt.Errorf("%s: check --server, --timeout and the login", what)
	}
	return nil, exit.With(exit.Refused, err)
}

// where is a list of URLs without passwords.
func where(urls string) string {
	var all []string
	for text := range strings.SplitSeq(urls, ",") {
		if u, err := url.Parse(text); err == nil {
			u.User = nil
			all = append(all, u.String())
		}
	}
	return strings.Join(all, ",")
}
