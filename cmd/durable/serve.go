package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/durablegen/durablegen/cmd/durable/internal/exit"
	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/httpapi"
)

// serving are the flags of an HTTP server.
type serving struct {
	listen, cert, key, keys, tokens, baseURL string
	origins                                  []string
	rate                                     float64
	burst                                    int
	open, page                               bool
}

const (
	graceful   = 30 * time.Second // for requests under way, when the server stops
	headerTime = 10 * time.Second
	idleLimit  = 2 * time.Minute
	mostSecret = 1 << 20 // bytes of a file of keys
)

func serveCommand(s *session) *cobra.Command {
	var srv serving
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve the management API of the hub over HTTP",
		Long: `Serve the management API of the hub over HTTP, below /runtime/webhooks/durabletask/, as clients of Durable Functions use it.
/livez tells that the process is alive, /readyz that it reaches the hub. ^C and SIGTERM let requests end.
Who may use it is said by keys (code=KEY, or the header x-functions-key) and tokens (Authorization: Bearer TOKEN), one a
line in files; without any it listens on this machine only, unless --open is said.`,
		Example: `  durable serve
  durable serve --listen :8443 --cert api.crt --key api.key --keys keys.txt --rate 100`,
		Args: between(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := srv.config()
			if err != nil {
				return err
			}
			return s.with(cmd.Context(), func(h *hub) error { return s.serve(cmd.Context(), h, &srv, cfg) })
		},
	}
	srv.addFlags(cmd.Flags())
	flags := cmd.Flags()
	flags.StringVar(&srv.cert, "cert", "", "`file` with the certificate, for HTTPS")
	flags.StringVar(&srv.key, "key", "", "`file` with its private key")
	flags.StringVar(&srv.baseURL, "base-url", "", "`URL` that links in answers begin with, behind a proxy")
	flags.StringSliceVar(&srv.origins, "origin", nil, "web `origin` whose pages may use the API; may be repeated")
	flags.Float64Var(&srv.rate, "rate", 0, "most requests a second; 0: no limit")
	flags.IntVar(&srv.burst, "burst", 0, "most of them at once; 0: as --rate")
	flags.BoolVar(&srv.open, "open", false, "let everybody in who reaches the address")
	return cmd
}

func (srv *serving) addFlags(flags *pflag.FlagSet) {
	flags.StringVar(&srv.listen, "listen", "127.0.0.1:8080", "`host:port`; port 0 picks one")
	flags.StringVar(&srv.keys, "keys", "", "`file` of keys")
	flags.StringVar(&srv.tokens, "tokens", "", "`file` of bearer tokens")
}

// serve answers until ctx ends.
func (s *session) serve(ctx context.Context, h *hub, srv *serving, cfg httpapi.Config) error {
	secure, err := srv.tls()
	if err != nil {
		return err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", srv.listen)
	if err != nil {
		return fmt.Errorf("serve: %w: say another address with --listen", err)
	}
	scheme := "http"
	if secure != nil {
		scheme, l = "https", tls.NewListener(l, secure)
	}
	fmt.Fprintf(s.stderr, "serving the hub %s on %s://%s\n", h.Hub(), scheme, l.Addr())
	serve := handler(h, cfg)
	if srv.page {
		serve = withPage(serve)
	}
	return answer(ctx, l, serve)
}

// handler is the API with the probes.
func handler(h *hub, cfg httpapi.Config) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !h.backend.Connected() {
			http.Error(w, "no connection to NATS", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok")
	})
	mux.Handle("/", httpapi.New(h.Client, cfg))
	return mux
}

// answer serves until ctx ends, and then lets what is under way end.
func answer(ctx context.Context, l net.Listener, h http.Handler) error {
	server := &http.Server{Handler: h, ReadHeaderTimeout: headerTime, IdleTimeout: idleLimit}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), graceful)
	defer cancel()
	err := server.Shutdown(limit)
	if err != nil {
		err = fmt.Errorf("serve: requests were under way after %v: %w", graceful, errors.Join(err, server.Close()))
	}
	<-ended
	return err
}

// config checks who may use the API.
func (srv *serving) config() (cfg httpapi.Config, err error) {
	cfg = httpapi.Config{BaseURL: srv.baseURL, Rate: srv.rate, Burst: srv.burst, Origins: srv.origins}
	host, _, err := net.SplitHostPort(srv.listen)
	ip := net.ParseIP(host)
	local := host == "localhost" || ip != nil && ip.IsLoopback()
	switch {
	case err != nil:
		return cfg, exit.Usagef("--listen %q is not host:port", srv.listen)
	case srv.rate < 0 || srv.burst < 0:
		return cfg, exit.Usagef("--rate and --burst are not negative")
	case srv.keys == "" && srv.tokens == "" && !local && !srv.open:
		return cfg, exit.Usagef("everybody who reaches %s could do everything: give --keys or --tokens, or say --open", srv.listen)
	case srv.open && (srv.keys != "" || srv.tokens != ""):
		return cfg, exit.Usagef("--open lets everybody in: leave it away, or --keys and --tokens")
	}
	for _, origin := range srv.origins {
		if err := http.NewCrossOriginProtection().AddTrustedOrigin(origin); err != nil {
			return cfg, exit.Usagef("--origin %q: %v", origin, err)
		}
	}
	if cfg.Keys, err = secrets("--keys", srv.keys); err != nil {
		return cfg, err
	}
	tokens, err := secrets("--tokens", srv.tokens)
	if err == nil {
		_, err = srv.tls()
	}
	if len(tokens) > 0 {
		cfg.Bearer = func(_ *http.Request, token string) error { return among(tokens, token) }
	}
	return cfg, err
}

// among compares a token with all there are, in a time that tells nothing of them.
func among(tokens []string, token string) error {
	given, found := sha256.Sum256([]byte(token)), 0
	for _, t := range tokens {
		one := sha256.Sum256([]byte(t))
		found |= subtle.ConstantTimeCompare(given[:], one[:])
	}
	if found == 0 {
		return fmt.Errorf("%w: no such token", durable.ErrPermission)
	}
	return nil
}

// secrets reads a file of secrets, one a line; empty lines and lines that begin with # do not count.
func secrets(flag, path string) (all []string, err error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, exit.Usagef("%s: %w", flag, err)
	}
	if len(text) > mostSecret {
		return nil, exit.Usagef("%s: %s has more than %d bytes", flag, path, mostSecret)
	}
	for line := range bytes.Lines(text) {
		if one := strings.TrimSpace(string(line)); one != "" && !strings.HasPrefix(one, "#") {
			all = append(all, one)
		}
	}
	if len(all) == 0 {
		return nil, exit.Usagef("%s: %s has none", flag, path)
	}
	return slices.Compact(all), nil
}

// tls loads the certificate; nil without one.
func (srv *serving) tls() (*tls.Config, error) {
	switch {
	case srv.cert == "" && srv.key == "":
		return nil, nil
	case srv.cert == "" || srv.key == "":
		return nil, exit.Usagef("--cert and --key go together")
	}
	pair, err := tls.LoadX509KeyPair(srv.cert, srv.key)
	if err != nil {
		return nil, exit.Usagef("--cert and --key: %w", err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}, nil
}
