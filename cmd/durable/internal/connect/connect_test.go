package connect_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/spf13/pflag"

	"github.com/durablegen/durablegen/cmd/durable/internal/connect"
	"github.com/durablegen/durablegen/cmd/durable/internal/exit"
)

// told is what a command line comes to.
type told struct {
	hub, url, domain, user, password, token string
	timeout                                 time.Duration
}

func tell(t *testing.T, env map[string]string, args ...string) (told, error) {
	t.Helper()
	var s connect.Settings
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	s.AddFlags(flags)
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	if err := s.Resolve(func(name string) string { return env[name] }); err != nil {
		return told{}, err
	}
	cfg, err := s.Config()
	var o nats.Options
	for _, opt := range cfg.Options {
		if err := opt(&o); err != nil {
			t.Fatal(err)
		}
	}
	return told{s.Hub, cfg.URL, cfg.Domain, o.User, o.Password, o.Token, o.Timeout}, err
}

// TestSettings: a flag wins over the environment, that over the context; a user without a password is a token; all as
// with the nats command.
func TestSettings(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", dir)
	for name, text := range map[string]string{
		"context.txt": "club", "context/club.json": `{"url": "nats://club:1", "user": "anna", "password": "pw", "jetstream_domain": "leaf"}`,
		"context/other.json": `{"url": "nats://other:1", "token": "tok"}`,
	} {
		path := filepath.Join(dir, "nats", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	other := filepath.Join(dir, "nats", "context", "other.json")
	for _, c := range []struct {
		name string
		env  map[string]string
		args []string
		want told
	}{
		{name: "nothing", args: []string{"--no-context"}, want: told{url: nats.DefaultURL}},
		{name: "the selected context", want: told{url: "nats://club:1", user: "anna", password: "pw", domain: "leaf"}},
		{name: "the environment", env: map[string]string{"NATS_URL": "nats://env:1", "NATS_TIMEOUT": "9s", "DURABLE_HUB": "h"}, want: told{url: "nats://env:1", user: "anna", password: "pw", domain: "leaf", timeout: 9 * time.Second, hub: "h"}},
		{name: "flags over the environment", env: map[string]string{"NATS_URL": "nats://env:1", "DURABLE_HUB": "h"}, args: []string{"-s", "nats://flag:1", "--hub", "g", "--js-domain", "d"}, want: told{url: "nats://flag:1", user: "anna", password: "pw", domain: "d", hub: "g"}},
		{name: "a token takes the place of a user", args: []string{"--user", "t"}, want: told{url: "nats://club:1", token: "t", domain: "leaf"}},
		{name: "another context", env: map[string]string{"NATS_CONTEXT": "other"}, want: told{url: "nats://other:1", token: "tok"}},
		{name: "the file of a context", env: map[string]string{"NATS_CONTEXT": "club"}, args: []string{"--context", other}, want: told{url: "nats://other:1", token: "tok"}},
		{name: "the API prefix of a domain", args: []string{"--no-context", "--js-api-prefix", "$JS.hub.API"}, want: told{url: nats.DefaultURL, domain: "hub"}},
	} {
		if c.want.hub == "" {
			c.want.hub = "default"
		}
		if c.want.timeout == 0 {
			c.want.timeout = 5 * time.Second
		}
		if got, err := tell(t, c.env, c.args...); err != nil || got != c.want {
			t.Errorf("%s: %+v, %v\nwant %+v", c.name, got, err, c.want)
		}
	}
	for _, args := range [][]string{{"--hub", "a.b"}, {"--timeout", "0s"}, {"--js-api-prefix", "x.y"}, {"--context", "nobody"}, {"--context", "../x"}} {
		if _, err := tell(t, nil, args...); exit.Of(err) != exit.Usage {
			t.Errorf("%v: %v, want an error of usage", args, err)
		}
	}
}
