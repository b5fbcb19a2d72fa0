package httpapi

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"
	"slices"
	"strings"
)

// ErrForbidden is what Config.Bearer returns for a token that is good, but not for this request.
var ErrForbidden = errors.New("durable: httpapi: this token does not allow the request")

// admit says why a request is refused, nil when it is not. code is the key that it brings.
func (a *api) admit(r *http.Request) (code string, refusal *problem) {
	code = r.Header.Get("x-functions-key")
	if code == "" {
		code = queryOf(r.URL.RawQuery).text("code")
	}
	if refusal := a.authorise(r, code); refusal != nil {
		return "", refusal
	}
	if err := a.origins.Check(r); err != nil {
		return "", &problem{status: http.StatusForbidden, message: "A page of another origin may not do this", detail: err.Error()}
	}
	if a.limiter != nil && !a.limiter.Allow() {
		return "", &problem{status: http.StatusTooManyRequests, message: "Too many requests", detail: "ask again in a second", retry: "1"}
	}
	return code, nil
}

func (a *api) authorise(r *http.Request, code string) *problem {
	if len(a.cfg.Keys) == 0 && a.cfg.Bearer == nil {
		return nil
	}
	if code != "" && a.opens(code) {
		return nil
	}
	refusal := &problem{status: http.StatusUnauthorized, message: "Not authorised"}
	if len(a.cfg.Keys) > 0 {
		refusal.detail = "the request has no valid key: send one as code= or in the header x-functions-key"
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if a.cfg.Bearer == nil {
		return refusal
	}
	refusal.challenge = "Bearer"
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		if refusal.detail == "" {
			refusal.detail = "the request has no token: send the header Authorization: Bearer TOKEN"
		}
		return refusal
	}
	err := a.cfg.Bearer(r, strings.TrimSpace(token))
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrForbidden):
		return &problem{status: http.StatusForbidden, message: "Forbidden", detail: err.Error()}
	}
	refusal.detail = err.Error()
	return refusal
}

// opens compares with every key, in a time that tells nothing of them.
func (a *api) opens(code string) bool {
	found := 0
	given := sha256.Sum256([]byte(code))
	for _, key := range a.cfg.Keys {
		want := sha256.Sum256([]byte(key))
		found |= subtle.ConstantTimeCompare(given[:], want[:])
	}
	return found == 1 && code != ""
}

// cors tells a browser what pages of the origins may do. It reports whether the request was only that question.
func (a *api) cors(w http.ResponseWriter, r *http.Request) (answered bool) {
	origin := r.Header.Get("Origin")
	if len(a.cfg.Origins) == 0 || origin == "" {
		return false
	}
	w.Header().Add("Vary", "Origin")
	if !slices.Contains(a.cfg.Origins, origin) {
		return false
	}
	w.Header().Set("Access-Control-Allow-Origin", origin)
	w.Header().Set("Access-Control-Expose-Headers", "Location, Retry-After, "+tokenHeader)
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	w.Header().Set("Access-Control-Allow-Methods", "GET, POST, DELETE")
	w.Header().Set("Access-Control-Allow-Headers", "Authorization, Content-Type, x-functions-key, "+tokenHeader)
	w.Header().Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
	return true
}
