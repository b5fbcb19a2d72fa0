package natsbackend

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/durablegen/durablegen/internal/backend"
)

// Usage implements backend.Survey.
func (b *Backend) Usage(ctx context.Context) (backend.Usage, error) {
	u := backend.Usage{
		Server:     fmt.Sprintf("nats-server %s at %s", b.link.ConnectedServerVersion(), b.link.ConnectedUrlRedacted()),
		MaxMessage: int(b.link.MaxPayload()),
	}
	for _, part := range b.names.streams() {
		info, err := b.streamInfo(ctx, part.stream)
		if err != nil {
			return u, fmt.Errorf("natsbackend: look at the stream %s: %w", part.stream, err)
		}
		u.Stores = append(u.Stores, storeOf(part.holds, info))
		if part.holds == backend.HoldsLog {
			if most := info.Config.MaxConsumers; most > 0 {
				u.Limits = append(u.Limits, backend.Limit{Name: "consumers of " + part.stream, Used: int64(info.State.Consumers), Most: int64(most)})
			}
		}
	}
	var err error
	if u.Skew, err = b.skew(ctx); err != nil {
		return u, err
	}
	account, err := b.account(ctx)
	if err != nil {
		return u, err
	}
	u.Limits = append(u.Limits, limitsOf(account)...)
	u.User, u.Account, u.Roles, err = b.user(ctx)
	return u, err
}

// part is a stream of the hub.
type part struct{ stream, holds string }

func (n *names) streams() []part {
	return []part{
		{n.log, backend.HoldsLog}, {n.archive, backend.HoldsArchive}, {"KV_" + n.instances, backend.HoldsInstances},
		{"KV_" + n.meta, backend.HoldsMeta}, {"OBJ_" + n.payloads, backend.HoldsPayloads},
	}
}

func (b *Backend) streamInfo(ctx context.Context, name string) (info *jetstream.StreamInfo, err error) {
	err = b.patiently(ctx, func(ctx context.Context) error {
		s, err := b.js.Stream(ctx, name)
		if err == nil {
			info = s.CachedInfo()
		}
		return err
	}, "STREAM.INFO."+name)
	return info, asUnavailable(err)
}

func storeOf(holds string, info *jetstream.StreamInfo) backend.Store {
	s := backend.Store{
		Name: info.Config.Name, Holds: holds, Messages: info.State.Msgs, Bytes: info.State.Bytes, Replicas: info.Config.Replicas,
	}
	if s.Messages > 0 {
		s.First, s.Last = info.State.FirstTime, info.State.LastTime
	}
	if info.Cluster == nil {
		return s
	}
	for _, r := range info.Cluster.Replicas {
		if !r.Current || r.Offline {
			s.Behind = append(s.Behind, r.Name)
		}
	}
	return s
}

// skew compares this program's clock with that of the server which leads the log. What the question and the answer took on
// the way counts for nothing: only a difference that this cannot explain is told.
func (b *Backend) skew(ctx context.Context) (time.Duration, error) {
	asked := time.Now()
	info, err := b.streamInfo(ctx, b.names.log)
	if err != nil {
		return 0, fmt.Errorf("natsbackend: ask for the server's time: %w", err)
	}
	told := time.Now()
	switch {
	case asked.After(info.TimeStamp):
		return asked.Sub(info.TimeStamp), nil
	case told.Before(info.TimeStamp):
		return told.Sub(info.TimeStamp), nil
	}
	return 0, nil
}

func (b *Backend) account(ctx context.Context) (account *jetstream.AccountInfo, err error) {
	err = b.patiently(ctx, func(ctx context.Context) (err error) {
		account, err = b.js.AccountInfo(ctx)
		return err
	}, b.api+"INFO")
	if err != nil {
		return nil, fmt.Errorf("natsbackend: ask for the limits of the account: %w", asUnavailable(err))
	}
	return account, nil
}

// limitsOf lists the limits that an account has.
func limitsOf(a *jetstream.AccountInfo) (limits []backend.Limit) {
	tier := func(name string, t jetstream.Tier) {
		for _, l := range [...]backend.Limit{
			{Name: "file storage", Used: int64(t.Store), Most: t.Limits.MaxStore},
			{Name: "streams", Used: int64(t.Streams), Most: int64(t.Limits.MaxStreams)},
			{Name: "consumers", Used: int64(t.Consumers), Most: int64(t.Limits.MaxConsumers)},
		} {
			if l.Most > 0 {
				l.Name += " of the account" + name
				limits = append(limits, l)
			}
		}
	}
	if len(a.Tiers) == 0 {
		tier("", a.Tier)
	}
	for name, t := range a.Tiers {
		tier(" ("+name+")", t)
	}
	slices.SortFunc(limits, func(x, y backend.Limit) int { return strings.Compare(x.Name, y.Name) })
	return limits
}

// userInfo is where a server tells a user of itself, unless its permissions keep it from asking.
const userInfo = "$SYS.REQ.USER.INFO"

// user tells as whom the connection is made, and which roles its permissions are enough for.
func (b *Backend) user(ctx context.Context) (user, account string, roles []string, err error) {
	var answer *nats.Msg
	err = b.patiently(ctx, func(ctx context.Context) (err error) {
		answer, err = b.link.RequestWithContext(ctx, userInfo, nil)
		return err
	}, userInfo)
	switch {
	case errors.Is(err, backend.ErrPermission), errors.Is(err, nats.ErrNoResponders):
		return "", "", nil, nil
	case err != nil:
		return "", "", nil, fmt.Errorf("natsbackend: ask who this user is: %w", asUnavailable(err))
	}
	var told struct {
		Data struct {
			User, Account string
			Permissions   *granted
		}
	}
	if err := json.Unmarshal(answer.Data, &told); err != nil {
		return "", "", nil, fmt.Errorf("natsbackend: what the server tells of this user is not understood: %w", err)
	}
	d := told.Data
	for _, role := range Roles() {
		p, err := PermissionsOf(role, Scope{Hub: b.cfg.Hub, Domain: b.cfg.Domain, Partitions: b.names.partitions, Inbox: b.inboxPrefix()})
		if err == nil && d.Permissions.cover(p) {
			roles = append(roles, string(role))
		}
	}
	return d.User, d.Account, roles, nil
}

// inboxPrefix begins the inboxes of the connections.
func (b *Backend) inboxPrefix() string {
	return or(strings.TrimSuffix(b.link.Opts.InboxPrefix, "."), "_INBOX")
}
