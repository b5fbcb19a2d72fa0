package httpapi

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	durable "github.com/durablegen/durablegen/runtime"
)

// query is the query of a URL; the case of its keys does not count. What cannot be read is absent, as in the reference
// server, but for what that does not know.
type query map[string][]string

func queryOf(raw string) query {
	q := query{}
	values, _ := url.ParseQuery(raw) // pairs that are malformed are left out
	for key, all := range values {
		key = strings.ToLower(key)
		q[key] = append(q[key], all...)
	}
	return q
}

func (q query) text(key string) string { return q.textOr(key, "") }

func (q query) textOr(key, otherwise string) string {
	if all := q[strings.ToLower(key)]; len(all) > 0 && all[0] != "" {
		return all[0]
	}
	return otherwise
}

func (q query) flag(key string, otherwise bool) bool {
	switch strings.ToLower(q.text(key)) {
	case "true":
		return true
	case "false":
		return false
	}
	return otherwise
}

func (q query) number(key string) (n int) {
	n, err := strconv.Atoi(strings.TrimSpace(q.text(key)))
	if err != nil {
		return 0
	}
	return n
}

// seconds reads a time span in seconds, with decimals; ok is false when it is absent.
func (q query) seconds(key string) (d time.Duration, ok bool, err error) {
	f, err := strconv.ParseFloat(q.text(key), 64)
	if err != nil {
		return 0, false, nil
	}
	if !(f >= 0 && f <= 1e6) {
		return 0, false, incorrect(fmt.Sprintf("%s=%s is not a time span: want seconds from 0 to 1000000", key, q.text(key)))
	}
	return time.Duration(f * float64(time.Second)), true, nil
}

// layouts are the ways to write a time that are understood; without a zone it is UTC.
var layouts = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05.999999999",
	"2006-01-02 15:04", time.DateOnly, "01/02/2006 15:04:05", "01/02/2006", time.RFC1123, time.RFC1123Z,
}

func (q query) time(key string) (t time.Time) {
	text := strings.TrimSpace(q.text(key))
	for _, text := range []string{text, strings.ReplaceAll(text, " ", "+")} { // a + that was not encoded
		for _, layout := range layouts {
			if t, err := time.Parse(layout, text); err == nil {
				return t.UTC()
			}
		}
	}
	return t
}

// statuses reads runtimeStatus. Names that are unknown are skipped.
func (q query) statuses() (all []durable.Status) {
	byNumber := []durable.Status{durable.Running, durable.Completed, "ContinuedAsNew", durable.Failed, durable.Canceled, durable.Terminated, durable.Pending, durable.Suspended}
	for _, text := range q["runtimestatus"] {
		for name := range strings.SplitSeq(text, ",") {
			name = strings.TrimSpace(name)
			if n, err := strconv.Atoi(name); err == nil && n >= 0 && n < len(byNumber) {
				name = string(byNumber[n])
			}
			if slices.Contains(byNumber, durable.Status(name)) {
				all = append(all, durable.Status(name))
			}
		}
	}
	return all
}

// filter reads what chooses instances. createdTimeTo includes its moment.
func (q query) filter() (durable.Filter, error) {
	f := durable.Filter{Name: q.text("name"), IDPrefix: q.text("instanceIdPrefix"), CreatedFrom: q.time("createdTimeFrom")}
	if to := q.time("createdTimeTo"); !to.IsZero() {
		f.CreatedBefore = to.Add(1)
	}
	f.Statuses = q.statuses()
	var err error
	f.Tags, err = q.tags()
	return f, err
}

// tags reads tags=key=value, separated by commas or repeated.
func (q query) tags() (durable.Tags, error) {
	var tags durable.Tags
	for _, text := range q["tags"] {
		for pair := range strings.SplitSeq(text, ",") {
			key, value, ok := strings.Cut(pair, "=")
			if !ok || key == "" {
				return nil, incorrect(fmt.Sprintf("tags=%s has %q, want key=value, the = between them as %%3D", text, pair))
			}
			if tags == nil {
				tags = durable.Tags{}
			}
			tags[key] = value
		}
	}
	return tags, nil
}

// startOptions reads what a start may have beyond the contract.
func (q query) startOptions() (opts []durable.StartOption, err error) {
	if v := q.text("version"); v != "" {
		opts = append(opts, durable.Version(v))
	}
	tags, err := q.tags()
	if err != nil {
		return nil, err
	}
	if tags != nil {
		opts = append(opts, tags)
	}
	if text := q.text("startAt"); text != "" {
		at := q.time("startAt")
		if at.IsZero() {
			return nil, incorrect(fmt.Sprintf("startAt=%s is not a time: want one such as 2026-05-04T12:00:00Z", text))
		}
		opts = append(opts, durable.StartAt(at))
	}
	return opts, nil
}
