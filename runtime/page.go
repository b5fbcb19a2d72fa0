package durable

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
)

// ErrPageToken says that a token of [Client.ListPage] is none that it gave.
var ErrPageToken = errors.New("durable: no token of a page")

// ListPage is List a page of f.Limit instances at a time. token is "" for the first page, then what the page before
// gave; next is "" after the last one. What is started meanwhile stands on none of the later pages, and nothing stands on
// two. ErrPageToken.
func (c *Client) ListPage(ctx context.Context, f Filter, token string) (page []Instance, next string, err error) {
	after, err := parsePlace(token)
	if err == nil && f.Limit < 0 {
		err = fmt.Errorf("Filter.Limit is %d, want a positive number, or 0 for 1,000", f.Limit)
	}
	if err != nil {
		return nil, "", fmt.Errorf("durable: list: %w", err)
	}
	f.Limit = cmp.Or(f.Limit, 1000)
	err = c.around(ctx, &Operation{Verb: "list"}, func(ctx context.Context) error {
		return c.be.ListStates(ctx, func(s backend.State) bool {
			if f.fits(s) && (token == "" || placeOf(s).compare(after) > 0) {
				page = append(page, instanceOf(s))
			}
			if len(page) > 2*f.Limit+100 { // no more is held than two pages, however many fit
				page = front(page, f.Limit+1)
			}
			return true
		})
	})
	if err != nil {
		return nil, "", fmt.Errorf("durable: list: %w", err)
	}
	page = front(page, f.Limit+1)
	if len(page) > f.Limit {
		page = page[:f.Limit]
		last := page[f.Limit-1]
		next = place{last.Created, last.ID}.String()
	}
	return page, next, nil
}

// front gives the first n instances in the order of a list.
func front(all []Instance, n int) []Instance {
	slices.SortFunc(all, func(a, b Instance) int { return place{a.Created, a.ID}.compare(place{b.Created, b.ID}) })
	return all[:min(n, len(all))]
}

// place is where an instance stands in a list: the newest first, then by id.
type place struct {
	created time.Time
	id      string
}

func placeOf(s backend.State) place { return place{s.Created, s.ID} }

func (p place) compare(q place) int {
	return cmp.Or(q.created.Compare(p.created), cmp.Compare(p.id, q.id))
}

func (p place) String() string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d %s", p.created.UnixNano(), p.id))
}

func parsePlace(token string) (p place, err error) {
	if token == "" {
		return p, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(token)
	if err == nil {
		nanos, id, ok := strings.Cut(string(text), " ")
		n, bad := strconv.ParseInt(nanos, 10, 64)
		if ok && bad == nil {
			return place{time.Unix(0, n), id}, nil
		}
	}
	return p, fmt.Errorf("%w: begin again without one", ErrPageToken)
}
