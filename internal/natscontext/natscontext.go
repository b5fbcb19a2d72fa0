// Package natscontext reads the contexts of the nats command: named sets of connection settings in its configuration
// folder.
package natscontext

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

// Settings say where a server is and who asks. Zero fields are not set. The names are those of a context file.
type Settings struct {
	URL         string `json:"url"`
	User        string `json:"user"`
	Password    string `json:"password"`
	Token       string `json:"token"`
	Creds       string `json:"creds"` // file of credentials
	NKey        string `json:"nkey"`  // file of a seed
	JWT         string `json:"user_jwt"`
	Seed        string `json:"user_seed"`
	Cert        string `json:"cert"`
	Key         string `json:"key"`
	CA          string `json:"ca"`
	TLSFirst    bool   `json:"tls_first"`
	InboxPrefix string `json:"inbox_prefix"`
	Domain      string `json:"jetstream_domain"`

	// Not supported: connecting without them would reach another place, or nobody.
	NSC       string `json:"nsc"`
	Proxy     string `json:"socks_proxy"`
	APIPrefix string `json:"jetstream_api_prefix"`

	path string // of the file
}

// Load reads the context of a name, <config>/nats/context/<name>.json.
func Load(name string) (Settings, error) {
	if name != filepath.Base(name) || name == "." || name == ".." {
		return Settings{}, fmt.Errorf("the context %q of the nats command is not a name; `nats context ls` lists them", name)
	}
	dir, err := folder()
	if err != nil {
		return Settings{}, err
	}
	s, err := LoadFile(filepath.Join(dir, "context", name+".json"))
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("there is no context %q of the nats command; `nats context ls` lists them", name)
	}
	return s, err
}

// LoadFile reads a context from its file.
func LoadFile(path string) (Settings, error) {
	s := Settings{path: path}
	text, err := os.ReadFile(path)
	if err != nil {
		return s, fmt.Errorf("read a context of the nats command: %w", err)
	}
	if err := json.Unmarshal(text, &s); err != nil {
		return s, fmt.Errorf("the context file %s is not understood: %w", path, err)
	}
	for _, file := range []*string{&s.Creds, &s.NKey, &s.Cert, &s.Key, &s.CA} {
		*file = home(*file)
	}
	return s, nil
}

// Selected is the name of the context that the nats command uses by itself; "" when none is selected.
func Selected() (string, error) {
	dir, err := folder()
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(filepath.Join(dir, "context.txt"))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("find the selected context of the nats command: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

// folder is where the nats command keeps its contexts, on every system.
func folder() (string, error) {
	if dir := os.Getenv("XDG_CONFIG_HOME"); dir != "" {
		return filepath.Join(dir, "nats"), nil
	}
	dir, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("find the contexts of the nats command: %w", err)
	}
	return filepath.Join(dir, ".config", "nats"), nil
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

// Over gives what s sets, and base where it sets nothing. A login of s takes the place of any login of base, whatever
// their kinds.
func (s Settings) Over(base Settings) Settings {
	merged := base
	if s.logs() {
		merged.User, merged.Password, merged.Token, merged.Creds, merged.NKey, merged.JWT, merged.Seed = "", "", "", "", "", "", ""
	}
	for to, from := range map[*string]string{
		&merged.URL: s.URL, &merged.User: s.User, &merged.Password: s.Password, &merged.Token: s.Token, &merged.Creds: s.Creds,
		&merged.NKey: s.NKey, &merged.JWT: s.JWT, &merged.Seed: s.Seed, &merged.Cert: s.Cert, &merged.Key: s.Key, &merged.CA: s.CA,
		&merged.InboxPrefix: s.InboxPrefix, &merged.Domain: s.Domain, &merged.NSC: s.NSC, &merged.Proxy: s.Proxy, &merged.APIPrefix: s.APIPrefix,
	} {
		if from != "" {
			*to = from
		}
	}
	merged.TLSFirst = s.TLSFirst || base.TLSFirst
	return merged
}

// logs reports whether the settings have a login. A password alone goes with the user of whatever they stand over.
func (s Settings) logs() bool {
	return s.User != "" || s.Token != "" || s.Creds != "" || s.NKey != "" || s.JWT != ""
}

// Options turns the settings, but for URL and Domain, into options of a connection. Of several logins the first counts, as
// with the nats command: user, credentials, nkey, JWT; a token goes along with any.
func (s Settings) Options() ([]nats.Option, error) {
	for field, value := range map[string]string{"nsc": s.NSC, "socks_proxy": s.Proxy, "jetstream_api_prefix": s.APIPrefix} {
		if value != "" {
			return nil, fmt.Errorf("%s sets %s, which is not supported here: use a context without it", s.source(), field)
		}
	}
	opts, err := s.login()
	if err != nil {
		return nil, err
	}
	if s.Token != "" {
		opts = append(opts, nats.Token(s.Token))
	}
	if s.Cert != "" || s.Key != "" {
		opts = append(opts, nats.ClientCert(s.Cert, s.Key))
	}
	if s.CA != "" {
		opts = append(opts, nats.RootCAs(s.CA))
	}
	if s.TLSFirst {
		opts = append(opts, nats.TLSHandshakeFirst())
	}
	if s.InboxPrefix != "" {
		opts = append(opts, nats.CustomInboxPrefix(s.InboxPrefix))
	}
	return opts, nil
}

func (s Settings) login() ([]nats.Option, error) {
	switch {
	case s.User != "":
		return []nats.Option{nats.UserInfo(s.User, s.Password)}, nil
	case s.Creds != "":
		return []nats.Option{nats.UserCredentials(s.Creds)}, nil
	case s.NKey != "":
		o, err := nats.NkeyOptionFromSeed(s.NKey)
		if err != nil {
			return nil, fmt.Errorf("the nkey of %s: %w", s.source(), err)
		}
		return []nats.Option{o}, nil
	case s.JWT != "" && s.Seed != "":
		return []nats.Option{nats.UserJWTAndSeed(s.JWT, s.Seed)}, nil
	case s.JWT != "":
		return nil, fmt.Errorf("%s sets user_jwt without user_seed, which is not supported here: use a credentials file", s.source())
	}
	return nil, nil
}

func (s Settings) source() string {
	if s.path == "" {
		return "the command line"
	}
	return s.path
}
