package natsbackend

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/nats-io/nats.go"
)

// cliContext is a context of the nats command, <config>/nats/context/<name>.json, as far as it concerns us.
type cliContext struct {
	path string

	URL         string `json:"url"`
	User        string `json:"user"`
	Password    string `json:"password"`
	Token       string `json:"token"`
	Creds       string `json:"creds"`
	NKey        string `json:"nkey"`
	Cert        string `json:"cert"`
	Key         string `json:"key"`
	CA          string `json:"ca"`
	TLSFirst    bool   `json:"tls_first"`
	InboxPrefix string `json:"inbox_prefix"`
	Domain      string `json:"jetstream_domain"`

	// Not supported: connecting without them would reach another place, or nobody.
	NSC       string `json:"nsc"`
	JWT       string `json:"user_jwt"`
	Proxy     string `json:"socks_proxy"`
	APIPrefix string `json:"jetstream_api_prefix"`
}

func readContext(name string) (cliContext, error) {
	if name != filepath.Base(name) || name == "." || name == ".." {
		return cliContext{}, fmt.Errorf("natsbackend: Config.Context %q is not a name; `nats context ls` lists them", name)
	}
	dir, err := contextDir()
	if err != nil {
		return cliContext{}, err
	}
	c := cliContext{path: filepath.Join(dir, name+".json")}
	text, err := os.ReadFile(c.path)
	if errors.Is(err, fs.ErrNotExist) {
		return c, fmt.Errorf("natsbackend: there is no context %q of the nats command; `nats context ls` lists them: %w", name, err)
	}
	if err != nil {
		return c, fmt.Errorf("natsbackend: read the context %q of the nats command: %w", name, err)
	}
	if err := json.Unmarshal(text, &c); err != nil {
		return c, fmt.Errorf("natsbackend: the context file %s is not understood: %w", c.path, err)
	}
	return c, nil
}

// contextDir is where the nats command keeps its contexts, on every system.
func contextDir() (string, error) {
	if dir := os.Getenv("XDG_CONFIG_HOME"); dir != "" {
		return filepath.Join(dir, "nats", "context"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("natsbackend: find the contexts of the nats command: %w", err)
	}
	return filepath.Join(home, ".config", "nats", "context"), nil
}

// options turns the context into options; creds tells whether its credentials file is wanted.
func (c cliContext) options(creds bool) ([]nats.Option, error) {
	for field, value := range map[string]string{"nsc": c.NSC, "user_jwt": c.JWT, "socks_proxy": c.Proxy, "jetstream_api_prefix": c.APIPrefix} {
		if value != "" {
			return nil, fmt.Errorf("natsbackend: %s sets %s, which is not supported here: use a credentials file (Config.Creds) or Config.Options", c.path, field)
		}
	}
	var opts []nats.Option
	if c.User != "" {
		opts = append(opts, nats.UserInfo(c.User, c.Password))
	}
	if c.Token != "" {
		opts = append(opts, nats.Token(c.Token))
	}
	if c.Creds != "" && creds {
		opts = append(opts, nats.UserCredentials(home(c.Creds)))
	}
	if c.NKey != "" {
		o, err := nats.NkeyOptionFromSeed(home(c.NKey))
		if err != nil {
			return nil, fmt.Errorf("natsbackend: the nkey of %s: %w", c.path, err)
		}
		opts = append(opts, o)
	}
	if c.Cert != "" || c.Key != "" {
		opts = append(opts, nats.ClientCert(home(c.Cert), home(c.Key)))
	}
	if c.CA != "" {
		opts = append(opts, nats.RootCAs(home(c.CA)))
	}
	if c.TLSFirst {
		opts = append(opts, nats.TLSHandshakeFirst())
	}
	if c.InboxPrefix != "" {
		opts = append(opts, nats.CustomInboxPrefix(c.InboxPrefix))
	}
	return opts, nil
}

// home expands a leading ~, as the nats command does.
func home(path string) string {
	if rest, ok := strings.CutPrefix(path, "~"); ok {
		if dir, err := os.UserHomeDir(); err == nil {
			return dir + rest
		}
	}
	return path
}
