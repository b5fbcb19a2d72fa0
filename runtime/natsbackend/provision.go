package natsbackend

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/durablegen/durablegen/internal/backend"
)

// metaPartitions is the key of the log's metadata that holds the number of partitions. It never changes: it decides
// which partition an instance belongs to.
const metaPartitions = "durable.partitions"

// MetaRestoring is a key of the log's metadata while the hub is being restored from a copy: nobody may use it yet.
const MetaRestoring = "durable.restoring"

// hub is what provisioning learned.
type hub struct {
	partitions int
	replicas   int
	durability string
	retention  Retention
	single     map[string]bool // stream or bucket: has one replica
	meta       jetstream.KeyValue
	objects    jetstream.ObjectStore
}

// provision creates what is missing (if Config.Provision) and verifies the rest. Several may do it at once: creating a
// stream that exists with the same configuration is no error, and another configuration is verified, not overwritten.
func (b *Backend) provision(ctx context.Context) (*hub, error) {
	log, err := b.stream(ctx, b.logConfig())
	if err != nil {
		return nil, err
	}
	h := &hub{replicas: log.Config.Replicas, durability: durability(log.Config), single: map[string]bool{}}
	if err := b.verifyLog(log.Config, h); err != nil {
		return nil, err
	}
	archive, err := b.stream(ctx, b.archiveConfig())
	if err != nil {
		return nil, err
	}
	if err := b.verifyArchive(archive.Config); err != nil {
		return nil, err
	}
	h.single[b.names.archive] = archive.Config.Replicas == 1
	states, err := b.stream(ctx, b.statesConfig())
	if err != nil {
		return nil, err
	}
	if err := b.verifyStates(states.Config); err != nil {
		return nil, err
	}
	h.single[b.names.instances] = states.Config.Replicas == 1
	if h.meta, h.single[b.names.meta], err = b.keyValue(ctx, b.names.meta); err != nil {
		return nil, err
	}
	h.objects, err = b.objectStore(ctx)
	return h, err
}

func (b *Backend) logConfig() jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:               b.names.log,
		Description:        "durable orchestrations: log of the task hub " + b.cfg.Hub,
		Subjects:           []string{b.names.subjects + ">"},
		Retention:          jetstream.LimitsPolicy,
		Storage:            jetstream.FileStorage,
		Replicas:           b.cfg.Replicas,
		Placement:          b.cfg.Placement,
		Duplicates:         100 * time.Millisecond,
		AllowDirect:        true,
		AllowMsgTTL:        true,
		AllowMsgSchedules:  true,
		AllowAtomicPublish: true,
		AllowRollup:        true, // schedules imply it
		Metadata:           b.metadata(),
	}
}

// archiveConfig has the server compress what is no longer written to: entries are many, alike, kept for long and read rarely.
func (b *Backend) archiveConfig() jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:              b.names.archive,
		Description:       "durable orchestrations: ended runs of the task hub " + b.cfg.Hub,
		Subjects:          []string{b.names.archiveSubjects + ">"},
		Retention:         jetstream.LimitsPolicy,
		Storage:           jetstream.FileStorage,
		Replicas:          b.cfg.Replicas,
		Placement:         b.cfg.Placement,
		MaxMsgsPerSubject: 1,
		Compression:       jetstream.S2Compression,
		Duplicates:        100 * time.Millisecond,
		AllowDirect:       true,
		AllowMsgTTL:       true,
	}
}

// statesConfig is that of a key-value bucket, whose keys may expire, compressed as the archive is.
func (b *Backend) statesConfig() jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:              "KV_" + b.names.instances,
		Description:       "durable orchestrations: task hub " + b.cfg.Hub,
		Subjects:          []string{"$KV." + b.names.instances + ".>"},
		Retention:         jetstream.LimitsPolicy,
		Storage:           jetstream.FileStorage,
		Replicas:          b.cfg.Replicas,
		Placement:         b.cfg.Placement,
		MaxMsgsPerSubject: 1,
		Compression:       jetstream.S2Compression,
		Discard:           jetstream.DiscardNew,
		Duplicates:        100 * time.Millisecond,
		DenyDelete:        true,
		AllowRollup:       true,
		AllowDirect:       true,
		AllowMsgTTL:       true,
	}
}

func (b *Backend) verifyStates(have jetstream.StreamConfig) error {
	want := b.statesConfig()
	switch {
	case !slices.Equal(have.Subjects, want.Subjects):
		return mismatch(want.Name, "subjects", want.Subjects, have.Subjects)
	case have.MaxMsgsPerSubject != 1 || have.MaxAge != 0:
		return mismatch(want.Name, "history and TTL", "1 and none", fmt.Sprintf("%d and %v", have.MaxMsgsPerSubject, have.MaxAge))
	case !have.AllowDirect || !have.AllowMsgTTL:
		return mismatch(want.Name, "direct get, message TTL", "both allowed", fmt.Sprint(have.AllowDirect, have.AllowMsgTTL))
	case have.SubjectDeleteMarkerTTL != 0:
		return mismatch(want.Name, "subject delete marker TTL", "none", have.SubjectDeleteMarkerTTL)
	}
	return nil
}

// stream finds a stream, or creates it.
func (b *Backend) stream(ctx context.Context, want jetstream.StreamConfig) (info *jetstream.StreamInfo, err error) {
	err = b.patiently(ctx, func(ctx context.Context) error {
		s, err := b.js.Stream(ctx, want.Name)
		if errors.Is(err, jetstream.ErrStreamNotFound) && b.cfg.Provision {
			s, err = b.js.CreateStream(ctx, want)
			if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // somebody else was quicker
				s, err = b.js.Stream(ctx, want.Name)
			}
		}
		if err == nil {
			info = s.CachedInfo()
		}
		return err
	}, b.api+"STREAM.")
	return info, b.missing(err, "the stream "+want.Name)
}

// missing words the error of looking for a part of the hub.
func (b *Backend) missing(err error, what string) error {
	switch {
	case err == nil || errors.Is(err, backend.ErrPermission):
		return err
	case errors.Is(err, jetstream.ErrStreamNotFound), errors.Is(err, jetstream.ErrBucketNotFound):
		return fmt.Errorf("natsbackend: the hub %s does not exist, or not whole, on %s%s: %s is missing: create it with `durable init` or Config.Provision: %w",
			b.cfg.Hub, b.cfg.where(), b.inDomain(), what, ErrNoHub)
	case away(err):
		return fmt.Errorf("natsbackend: open %s: %w: %w", what, backend.ErrUnavailable, err)
	}
	return fmt.Errorf("natsbackend: open %s: %w", what, err)
}

func (b *Backend) keyValue(ctx context.Context, name string) (kv jetstream.KeyValue, single bool, err error) {
	err = b.patiently(ctx, func(ctx context.Context) error {
		kv, err = b.js.KeyValue(ctx, name)
		if errors.Is(err, jetstream.ErrBucketNotFound) && b.cfg.Provision {
			kv, err = b.js.CreateKeyValue(ctx, jetstream.KeyValueConfig{
				Bucket: name, Description: "durable orchestrations: task hub " + b.cfg.Hub,
				History: 1, Storage: jetstream.FileStorage, Replicas: b.cfg.Replicas, Placement: b.cfg.Placement,
			})
			if errors.Is(err, jetstream.ErrBucketExists) {
				kv, err = b.js.KeyValue(ctx, name)
			}
		}
		if err != nil {
			return err
		}
		status, err := kv.Status(ctx)
		if err != nil {
			return err
		}
		if status.History() != 1 || status.TTL() != 0 {
			return mismatch("KV_"+name, "history and TTL", "1 and none", fmt.Sprintf("%d and %v", status.History(), status.TTL()))
		}
		single = status.Config().Replicas == 1
		return nil
	}, b.api+"STREAM.")
	return kv, single, b.missing(err, "the bucket "+name)
}

func (b *Backend) objectStore(ctx context.Context) (objects jetstream.ObjectStore, err error) {
	err = b.patiently(ctx, func(ctx context.Context) (err error) {
		objects, err = b.js.ObjectStore(ctx, b.names.payloads)
		if errors.Is(err, jetstream.ErrBucketNotFound) && b.cfg.Provision {
			objects, err = b.js.CreateObjectStore(ctx, jetstream.ObjectStoreConfig{
				Bucket: b.names.payloads, Description: "durable orchestrations: payloads of the task hub " + b.cfg.Hub,
				Storage: jetstream.FileStorage, Replicas: b.cfg.Replicas, Placement: b.cfg.Placement,
			})
			if errors.Is(err, jetstream.ErrBucketExists) {
				objects, err = b.js.ObjectStore(ctx, b.names.payloads)
			}
		}
		return err
	}, b.api+"STREAM.")
	return objects, b.missing(err, "the object store "+b.names.payloads)
}

// verifyLog refuses a stream that would lose or misorder history. It must have no limits: a stream with schedules can
// only meet them by forgetting its oldest messages.
func (b *Backend) verifyLog(have jetstream.StreamConfig, h *hub) error {
	want := b.logConfig()
	n, err := strconv.Atoi(have.Metadata[metaPartitions])
	h.partitions = n
	switch {
	case have.Metadata[MetaRestoring] != "":
		return fmt.Errorf("natsbackend: the hub %s is being restored from a copy: wait until it is whole; if that was interrupted, restore it again with `durable restore --replace`", b.cfg.Hub)
	case !slices.Equal(have.Subjects, want.Subjects):
		return mismatch(want.Name, "subjects", want.Subjects, have.Subjects)
	case have.Retention != want.Retention:
		return mismatch(want.Name, "retention", want.Retention, have.Retention)
	case have.MaxAge != 0:
		return mismatch(want.Name, "max age", "none", have.MaxAge)
	case have.MaxMsgsPerSubject > 0 || have.MaxBytes > 0 || have.MaxMsgs > 0:
		return mismatch(want.Name, "max messages per subject, bytes, messages", "unlimited", fmt.Sprint(have.MaxMsgsPerSubject, have.MaxBytes, have.MaxMsgs))
	case !have.AllowDirect || !have.AllowMsgTTL || !have.AllowMsgSchedules || !have.AllowAtomicPublish:
		return mismatch(want.Name, "direct get, message TTL, schedules, atomic publish", "all allowed",
			fmt.Sprint(have.AllowDirect, have.AllowMsgTTL, have.AllowMsgSchedules, have.AllowAtomicPublish))
	case have.DenyPurge || have.Sealed || have.NoAck:
		return mismatch(want.Name, "deny purge, sealed, no ack", "none of them", fmt.Sprint(have.DenyPurge, have.Sealed, have.NoAck))
	case err != nil || n < 1 || n > maxPartitions:
		return mismatch(want.Name, "metadata "+metaPartitions, fmt.Sprintf("1 to %d", maxPartitions), strconv.Quote(have.Metadata[metaPartitions]))
	}
	h.retention, err = b.verifyRetention(have.Metadata)
	return err
}

func (b *Backend) verifyArchive(have jetstream.StreamConfig) error {
	want := b.archiveConfig()
	switch {
	case !slices.Equal(have.Subjects, want.Subjects):
		return mismatch(want.Name, "subjects", want.Subjects, have.Subjects)
	case have.MaxMsgsPerSubject != 1:
		return mismatch(want.Name, "max messages per subject", 1, have.MaxMsgsPerSubject)
	case !have.AllowDirect || !have.AllowMsgTTL:
		return mismatch(want.Name, "direct get, message TTL", "both allowed", fmt.Sprint(have.AllowDirect, have.AllowMsgTTL))
	case have.Retention != want.Retention:
		return mismatch(want.Name, "retention", want.Retention, have.Retention)
	}
	return nil
}

func mismatch(stream, field string, want, have any) error {
	return fmt.Errorf("natsbackend: the stream %s does not fit: %s: want %v, have %v: change it with `nats stream edit %s`, or use another hub", stream, field, want, have, stream)
}

// durability says in words what an acknowledged write has survived, as far as the stream's configuration tells.
func durability(c jetstream.StreamConfig) string {
	var words []string
	switch {
	case c.Storage == jetstream.MemoryStorage && c.Replicas > 1:
		words = append(words, fmt.Sprintf("in the memory of a majority of %d servers", c.Replicas))
	case c.Storage == jetstream.MemoryStorage:
		words = append(words, "in the memory of one server: a restart loses it")
	case c.Replicas > 1:
		words = append(words, fmt.Sprintf("written by a majority of %d servers", c.Replicas))
	default:
		words = append(words, "written by one server")
	}
	if c.Storage == jetstream.FileStorage {
		if c.PersistMode == jetstream.AsyncPersistMode {
			words = append(words, "its disk writes trail (persist mode async)")
		}
		words = append(words, "on disk after the server's sync_interval (2 minutes unless it is configured)")
	}
	return strings.Join(words, ", ")
}
