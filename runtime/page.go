package durable

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
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
	after, err := parseToken(token)
	if err == nil && f.Limit < 0 {
		err = fmt.Errorf("Filter.Limit is %d, want a positive number, or 0 for 1,000", f.Limit)
	}
	if err != nil {
		return nil, "", fmt.Errorf("durable: list: %w", err)
	}
	q := f.query()
	q.After = after
	var found []backend.State
	more := false
	err = c.around(ctx, &Operation{Verb: "list"}, func(ctx context.Context) (err error) {
		found, more, err = c.be.FindStates(ctx, q)
		return err
	})
	if err != nil {
		return nil, "", fmt.Errorf("durable: list: %w", err)
	}
	for _, s := range found {
		page = append(page, instanceOf(s))
	}
	if more {
		next = tokenOf(found[len(found)-1].Place())
	}
	return page, next, nil
}

func tokenOf(p backend.Place) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d %s", p.Created.UnixNano(), p.ID))
}

func parseToken(token string) (*backend.Place, error) {
	if token == "" {
		return nil, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(token)
	if err == nil {
		nanos, id, ok := strings.Cut(string(text), " ")
		n, bad := strconv.ParseInt(nanos, 10, 64)
		if ok && bad == nil {
			return &backend.Place{Created: time.Unix(0, n), ID: id}, nil
		}
	}
	return nil, fmt.Errorf("%w: begin again without one", ErrPageToken)
}
