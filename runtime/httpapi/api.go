package httpapi

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/time/rate"

	durable "github.com/durablegen/durablegen/runtime"
)

// Config configures the API. The zero value is ready: everybody who reaches it may do everything.
type Config struct {
	// Keys open the API: a request brings one of them as code=KEY in its URL or in the header x-functions-key. Several are
	// for a change of keys. The links of an answer carry the key of the request.
	Keys []string
	// Bearer is asked about the token of a header "Authorization: Bearer TOKEN"; its error refuses the request with 401, or
	// with 403 when it is [ErrForbidden]. Beside Keys either one is enough. nil: tokens open nothing.
	Bearer func(r *http.Request, token string) error
	// BaseURL begins the links of answers, without the path of the API: "https://club.example.org". Give it behind a proxy.
	// Defaults to scheme and host of each request.
	BaseURL string

	MaxBody int64         // bytes of a request's body; a longer one is 413. Defaults to durable.MaxPayload
	MaxWait time.Duration // longest timeout= of a start that waits; a longer one is cut. Defaults to 230 s, as in Azure
	Rate    float64       // authorised requests a second, all together; more are 429. 0: no limit
	Burst   int           // of them at once; defaults to Rate, at least 1

	// Origins are the web origins whose pages may use the API, such as "https://club.example.org"; "*" is none of them.
	// Defaults to none: a browser refuses to show answers to pages of other origins, and what they would change is 403.
	Origins []string
}

func (c Config) withDefaults() Config {
	c.MaxBody = cmp.Or(c.MaxBody, durable.MaxPayload)
	c.MaxWait = cmp.Or(c.MaxWait, 230*time.Second)
	c.Burst = cmp.Or(c.Burst, max(int(c.Rate), 1))
	c.BaseURL = strings.TrimRight(c.BaseURL, "/")
	return c
}

// prefixes are the paths below which everything is served: that of webhooks, and that of the SDKs' local calls.
var prefixes = []string{"/runtime/webhooks/durabletask/", "/durabletask/"}

type api struct {
	client  *durable.Client
	cfg     Config
	mux     *http.ServeMux
	limiter *rate.Limiter // nil: no limit
	origins *http.CrossOriginProtection
}

// New makes the API of the hub of a client. It answers everything below /runtime/webhooks/durabletask/ and /durabletask/,
// and 404 to all else: mount it at "/", or at both of these. It panics when an origin of the Config is none.
func New(client *durable.Client, cfg Config) http.Handler {
	a := &api{client: client, cfg: cfg.withDefaults(), mux: http.NewServeMux(), origins: http.NewCrossOriginProtection()}
	if a.cfg.Rate > 0 {
		a.limiter = rate.NewLimiter(rate.Limit(a.cfg.Rate), a.cfg.Burst)
	}
	for _, origin := range a.cfg.Origins {
		if err := a.origins.AddTrustedOrigin(origin); err != nil {
			panic("durable: httpapi: Config.Origins: " + err.Error())
		}
	}
	for pattern, handle := range map[string]func(*call) error{
		"POST /orchestrators/{function}":          a.start,
		"POST /orchestrators/{function}/{id}":     a.start,
		"GET /instances":                          a.list,
		"DELETE /instances":                       a.purgeAll,
		"GET /instances/{id}":                     a.status,
		"DELETE /instances/{id}":                  a.purge,
		"POST /instances/{id}/raiseevent/{event}": a.raise,
		"POST /instances/{id}/terminate":          a.terminate,
		"POST /instances/{id}/suspend":            a.suspend,
		"POST /instances/{id}/resume":             a.resume,
		"POST /instances/{id}/rewind":             a.rewind,
		"POST /instances/{id}/restart":            a.restart,
	} {
		a.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { a.serve(w, r, handle) })
	}
	// Also what another method is for: the contract knows no 405.
	a.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) })
	return a
}

// ServeHTTP lets a request in, then has it answered.
func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	prefix, path, ok := route(r.URL)
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	if a.cors(w, r) {
		return
	}
	code, refusal := a.admit(r)
	if refusal != nil {
		refusal.write(w)
		return
	}
	inner := r.Clone(r.Context())
	inner.URL = path
	inner = inner.WithContext(withOrigin(inner.Context(), origin{base: a.base(r) + prefix, self: r.URL, code: code}))
	a.mux.ServeHTTP(w, inner)
}

// route finds the prefix of a path, and gives the rest with what is literal in it in lower case: segments but for names
// and ids are case-insensitive, and slashes at the end do not count.
func route(u *url.URL) (prefix string, rest *url.URL, ok bool) {
	escaped := u.EscapedPath()
	for _, p := range prefixes {
		if len(escaped) < len(p) || !strings.EqualFold(escaped[:len(p)], p) {
			continue
		}
		segments := strings.Split(strings.Trim(escaped[len(p):], "/"), "/")
		for n, s := range segments {
			if s == "" || s == "." || s == ".." {
				return "", nil, false
			}
			if n == 0 || n == 2 && segments[0] == "instances" {
				segments[n] = strings.ToLower(s)
			}
		}
		path := "/" + strings.Join(segments, "/")
		plain, err := url.PathUnescape(path)
		if err != nil {
			return "", nil, false
		}
		return strings.TrimSuffix(escaped[:len(p)], "/"), &url.URL{Path: plain, RawPath: path, RawQuery: u.RawQuery}, true
	}
	return "", nil, false
}

// base is scheme and host that links begin with.
func (a *api) base(r *http.Request) string {
	if a.cfg.BaseURL != "" {
		return a.cfg.BaseURL
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + r.Host
}
