package natsbackend

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
)

// Retention says how long a hub keeps runs that have ended, by status: 30 days unless a field says otherwise, for ever if
// it is negative.
type Retention = backend.Retention

// MinRetention is the shortest time that a hub can keep ended runs. With less than two minutes the clocks of workers,
// clients and server must agree to a quarter of it.
const MinRetention = time.Minute

// metaKeep begins the keys of the log's metadata that hold the retention of the hub.
const metaKeep = "durable.keep."

const forEver = "forever"

// keeps lists the fields of a retention under their keys.
func keeps(r *Retention) map[string]*time.Duration {
	return map[string]*time.Duration{
		metaKeep + "completed": &r.Completed, metaKeep + "failed": &r.Failed,
		metaKeep + "terminated": &r.Terminated, metaKeep + "canceled": &r.Canceled,
	}
}

// metadata is what the log of a new hub says of it.
func (b *Backend) metadata() map[string]string {
	m := map[string]string{metaPartitions: strconv.Itoa(b.cfg.Partitions)}
	maps.Copy(m, retentionData(b.cfg.Retention))
	return m
}

func retentionData(r Retention) map[string]string {
	r = r.WithDefaults()
	m := map[string]string{}
	for key, d := range keeps(&r) {
		m[key] = d.String()
		if *d == backend.Ever {
			m[key] = forEver
		}
	}
	return m
}

// verifyRetention reads what the hub keeps; what Config.Retention says besides must be the same.
func (b *Backend) verifyRetention(metadata map[string]string) (Retention, error) {
	var has Retention
	wants := b.cfg.Retention
	want := keeps(&wants)
	for key, d := range keeps(&has) {
		value := metadata[key]
		switch parsed, err := time.ParseDuration(value); {
		case value == "":
		case value == forEver:
			*d = backend.Ever
		case err != nil || parsed < MinRetention && !b.cfg.hasty:
			return has, mismatch(b.names.log, "metadata "+key, fmt.Sprintf("a duration of at least %v, or %s", MinRetention, forEver), strconv.Quote(value))
		default:
			*d = parsed
		}
		if w := *want[key]; w != 0 && max(w, backend.Ever) != or(*d, Retention{}.WithDefaults().Completed) {
			return has, fmt.Errorf("natsbackend: the hub %s does not fit: Config.Retention wants %s %v, the hub has %q: leave it away, or change the hub with natsbackend.SetRetention", b.cfg.Hub, key, w, value)
		}
	}
	return has.WithDefaults(), nil
}

// SetRetention changes how long the hub of cfg keeps the runs that end from now on; zero fields are 30 days. Those that have
// ended are kept for as long as was said then. Workers and clients read it when they connect: restart all of them after it.
// cfg.Retention does not count.
func SetRetention(ctx context.Context, cfg Config, r Retention) error {
	cfg.Retention = r
	if _, _, err := cfg.resolve(); err != nil {
		return err
	}
	cfg.Retention = Retention{}
	b, err := connect(ctx, cfg)
	if err != nil {
		return err
	}
	defer b.Close()
	err = b.patiently(ctx, func(ctx context.Context) error {
		s, err := b.js.Stream(ctx, b.names.log)
		if err != nil {
			return err
		}
		change := s.CachedInfo().Config
		change.Metadata = maps.Clone(change.Metadata)
		maps.Copy(change.Metadata, retentionData(r))
		_, err = b.js.UpdateStream(ctx, change)
		return err
	}, b.api+"STREAM.")
	if err != nil {
		return fmt.Errorf("natsbackend: change the retention of the hub %s: %w", b.cfg.Hub, asUnavailable(err))
	}
	return nil
}
