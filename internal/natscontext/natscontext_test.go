package natscontext_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/nats-io/nats.go"

	"github.com/durablegen/durablegen/internal/natscontext"
)

// folder is an empty configuration folder of the nats command with these files.
func folder(t *testing.T, files map[string]string) {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", dir)
	for name, text := range files {
		path := filepath.Join(dir, "nats", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLoad(t *testing.T) {
	folder(t, map[string]string{
		"context/club.json": `{"description": "x", "url": "nats://a:1", "creds": "~/club.creds", "tls_first": true, "color_scheme": "x"}`,
		"context.txt":       "club\n",
	})
	t.Setenv("HOME", "/anna")
	name, err := natscontext.Selected()
	if err != nil || name != "club" {
		t.Fatalf("%q, %v is selected, want club", name, err)
	}
	got, err := natscontext.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	want := natscontext.Settings{URL: "nats://a:1", Creds: "/anna/club.creds", TLSFirst: true}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(want)); diff != "" {
		t.Errorf("the context (-want +got):\n%s", diff)
	}
}

func TestNothingSelected(t *testing.T) {
	folder(t, nil)
	if name, err := natscontext.Selected(); name != "" || err != nil {
		t.Errorf("%q, %v is selected, want nothing", name, err)
	}
}

// TestOver: a login takes the place of another, also of another kind; everything else stands by itself.
func TestOver(t *testing.T) {
	t.Parallel()
	base := natscontext.Settings{URL: "nats://a", User: "u", Password: "p", Token: "t", CA: "ca", Domain: "d"}
	for _, c := range []struct {
		name    string
		s, want natscontext.Settings
	}{
		{name: "nothing", want: base},
		{name: "another place", s: natscontext.Settings{URL: "nats://b", TLSFirst: true}, want: natscontext.Settings{URL: "nats://b", User: "u", Password: "p", Token: "t", CA: "ca", Domain: "d", TLSFirst: true}},
		{name: "another login", s: natscontext.Settings{Creds: "c"}, want: natscontext.Settings{URL: "nats://a", Creds: "c", CA: "ca", Domain: "d"}},
		{name: "another password", s: natscontext.Settings{Password: "q"}, want: natscontext.Settings{URL: "nats://a", User: "u", Password: "q", Token: "t", CA: "ca", Domain: "d"}},
	} {
		if diff := cmp.Diff(c.want, c.s.Over(base), cmpopts.IgnoreUnexported(base)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	opts, err := natscontext.Settings{User: "u", Password: "p", Creds: "never.creds", NKey: "never.nk", InboxPrefix: "_I", TLSFirst: true}.Options()
	if err != nil {
		t.Fatal(err)
	}
	var got nats.Options
	for _, o := range opts {
		if err := o(&got); err != nil {
			t.Fatal(err)
		}
	}
	if got.User != "u" || got.Password != "p" || got.UserJWT != nil || got.InboxPrefix != "_I" || !got.TLSHandshakeFirst {
		t.Errorf("user %q, inbox prefix %q, TLS first %v, credentials %v: want the user, before all other logins", got.User, got.InboxPrefix, got.TLSHandshakeFirst, got.UserJWT != nil)
	}
	for word, s := range map[string]natscontext.Settings{
		"nsc": {NSC: "nsc://o/a/u"}, "socks_proxy": {Proxy: "socks5://x"}, "jetstream_api_prefix": {APIPrefix: "x"},
		"user_seed": {JWT: "x"}, "missing.nk": {NKey: "missing.nk"},
	} {
		if _, err := s.Options(); err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%v, want an error that tells of %s", err, word)
		}
	}
}
