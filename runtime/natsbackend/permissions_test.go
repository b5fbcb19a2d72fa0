package natsbackend_test

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/doctor"
	"github.com/durablegen/durablegen/runtime/natsbackend"
)

func TestRoleStarter(t *testing.T) {
	h := openHouse(t)
	h.works(nil)
	ctx, c, root := within(t), h.client("starter"), h.client("root")
	big := strings.Repeat("x", 300<<10)
	handle, err := durable.StartInstance[string](ctx, c, errand, big)
	if err != nil {
		t.Fatal(err)
	}
	id := handle.ID()
	allowed(t,
		act{"get", func() error { _, err := c.Get(ctx, id); return err }},
		act{"query", func() error {
			n, err := durable.Query[int](ctx, c, id, "what", nil)
			if err == nil && n != len(big) {
				err = fmt.Errorf("it answers %d", n)
			}
			return err
		}},
		act{"list", func() error { _, err := c.List(ctx, durable.Filter{}); return err }},
		act{"orchestrators", func() error { _, err := c.Orchestrators(ctx); return err }},
		act{"start by name", func() error { _, err := c.StartByName(ctx, "desk.Errand", []byte(`"small"`)); return err }},
		act{"raise", func() error { return c.Raise(ctx, id, "go", big) }},
		act{"wait", func() error {
			got, err := handle.Wait(ctx)
			if err == nil && got != big+"!"+big {
				err = fmt.Errorf("the result has %d bytes", len(got))
			}
			return err
		}},
		act{"history", func() error { _, err := c.History(ctx, id); return err }},
		act{"choose an id", func() error {
			_, err := durable.StartInstance[string](ctx, h.client("chooser"), errand, "small", durable.InstanceID("chosen"))
			return err
		}},
	)
	live, err := durable.StartInstance[string](ctx, c, errand, "waits")
	if err != nil {
		t.Fatal(err)
	}
	vault, err := durable.StartInstance[int](ctx, root, other, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := vault.Wait(ctx); err != nil {
		t.Fatal(err)
	}
	refused(t,
		act{"choose an id", func() error {
			_, err := durable.StartInstance[string](ctx, c, errand, "small", durable.InstanceID("mine"))
			return err
		}},
		act{"store a large payload", func() error {
			_, err := durable.StartInstance[string](ctx, h.client("chooser"), errand, big+"another")
			return err
		}},
		act{"read a large payload", func() error { _, err := h.client("chooser").Get(ctx, id); return err }},
		act{"start in another group", func() error { _, err := durable.StartInstance[int](ctx, c, other, nil); return err }},
		act{"terminate", func() error { return c.Terminate(ctx, live.ID(), "no") }},
		act{"suspend", func() error { return c.Suspend(ctx, live.ID(), "no") }},
		act{"purge", func() error { _, err := c.Purge(ctx, id); return err }},
		h.mayNotWork("starter"), h.mayNotReach("starter", "other"), h.mayNotReach("starter", "third"),
	)
	h.refusedRequests("starter", "durable.club.desk.0.x.turn", "durable.club.desk.0.x.in.done", "durable-signal.club.beat=2Edesk", "$JS.API.STREAM.DELETE.DURABLE_club",
		"$JS.API.CONSUMER.CREATE.DURABLE_club.in_desk_0.durable.>", "$JS.API.STREAM.PURGE.DURABLE_club")
}

// first gives the error of the first of several.
func first[T any](all iter.Seq2[T, error]) error {
	for _, err := range all {
		return err
	}
	return errors.New("nothing came")
}

func TestRoleViewer(t *testing.T) {
	h := openHouse(t)
	h.works(nil)
	ctx, b, root := within(t), h.as("viewer", natsbackend.Config{}), h.client("root")
	c := clientOf(t, b)
	live, err := durable.StartInstance[string](ctx, root, errand, "waits")
	if err != nil {
		t.Fatal(err)
	}
	done, err := durable.StartInstance[string](ctx, root, errand, "small")
	if err != nil {
		t.Fatal(err)
	}
	allowed(t,
		act{"wait", func() error { _, err := c.Wait(ctx, done.ID()); return err }},
		act{"list", func() error { _, err := c.List(ctx, durable.Filter{}); return err }},
		act{"get", func() error { _, err := c.Get(ctx, live.ID()); return err }},
		act{"history", func() error { _, err := c.History(ctx, live.ID()); return err }},
		act{"history of an ended one", func() error { _, err := c.History(ctx, done.ID()); return err }},
		act{"query", func() error { _, err := durable.Query[int](ctx, c, live.ID(), "what", nil); return err }},
		act{"orchestrators", func() error { _, err := c.Orchestrators(ctx); return err }},
		act{"schedules", func() error { _, err := c.ListSchedules(ctx); return err }},
		act{"timers", func() error { _, err := c.Timers(ctx, "", 0); return err }},
		act{"queues", func() error { _, err := c.Queues(ctx); return err }},
		act{"stats", func() error { _, err := c.Stats(ctx); return err }},
		act{"workers", func() error {
			all, err := c.Workers(ctx)
			if err == nil && len(all) != 1 {
				err = fmt.Errorf("%d answer", len(all))
			}
			return err
		}},
		act{"watch", func() error {
			return first(c.Watch(ctx, live.ID()))
		}},
		act{"doctor", func() error { _, err := doctor.Examine(ctx, b, doctor.Config{}); return err }},
		act{"follow", func() error { return first(h.client("follower").Follow(ctx, 1)) }},
	)
	state := backend.State{Address: history.Address{Group: "desk", ID: "ghost"}, Name: "desk.Ghost", Status: history.Running, Run: 1}
	if _, err := await(t, func(done func(uint64, error)) { h.as("root", natsbackend.Config{}).PutState(state, 0, done) }); err != nil {
		t.Fatal(err)
	}
	refused(t,
		act{"start", func() error { _, err := durable.StartInstance[string](ctx, c, errand, "small"); return err }},
		act{"follow", func() error { return first(c.Follow(ctx, 1)) }},
		act{"raise", func() error { return c.Raise(ctx, live.ID(), "go", "now") }},
		act{"terminate", func() error { return c.Terminate(ctx, live.ID(), "no") }},
		act{"resume", func() error { return c.Resume(ctx, live.ID(), "no") }},
		act{"purge", func() error { _, err := c.Purge(ctx, done.ID()); return err }},
		act{"mend", func() error {
			r, err := doctor.Examine(ctx, b, doctor.Config{Fix: true})
			for _, f := range r.Findings {
				err = errors.Join(err, f.Err)
			}
			return err
		}},
		h.mayNotWork("viewer"), h.mayNotReach("viewer", "other"), h.mayNotReach("viewer", "third"),
	)
	h.refusedRequests("viewer", "durable.club.desk.0.x.in.event.go", "durable-signal.club.beat=2Edesk", "durable-archive.club.x", "$KV.durable_club_meta.x",
		"$O.durable_club_payloads.M.x", "$JS.API.CONSUMER.CREATE.DURABLE_club.in_desk_0.durable.>", "$JS.API.CONSUMER.CREATE.KV_durable_club_instances.x.y", "$JS.API.CONSUMER.DELETE.DURABLE_club.in_desk_0", "$JS.ACK.DURABLE_club.in_desk_0.1.1.1.1.1")
}

// TestAnswersAreNoRecords: a server does not check whether an asker may publish to the subject that he names for the answer.
func TestAnswersAreNoRecords(t *testing.T) {
	h := openHouse(t)
	h.works(nil)
	ctx, root := within(t), h.client("root")
	live, err := durable.StartInstance[string](ctx, root, errand, "waits")
	if err != nil {
		t.Fatal(err)
	}
	nc, err := nats.Connect(h.url, h.config("starter", natsbackend.Config{}).Options...)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	fields, body, err := history.Encode(&history.Control{Verb: history.Terminate, ID: "1", Reason: "smuggled"})
	if err != nil {
		t.Fatal(err)
	}
	inbox := fmt.Sprintf("durable.club.desk.%d.%s.in.", history.Partition(live.ID(), 8), live.ID())
	smuggled := append(history.Frame(fields, len(body)), body...)
	if _, err := nc.RequestWithContext(ctx, inbox+"event.x", smuggled); err != nil { // stored
		t.Fatal(err)
	}
	read := "$JS.API.DIRECT.GET.DURABLE_club." + inbox + "event.x"
	if err := nc.PublishRequest(read, inbox+"ctl.terminate", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := nc.RequestWithContext(ctx, read, nil); err != nil { // the one before has been answered
		t.Fatal(err)
	}
	if err := root.Raise(ctx, live.ID(), "go", "!"); err != nil {
		t.Fatal(err)
	}
	if got, err := live.Wait(ctx); err != nil || got != "waits!!" {
		t.Errorf("it ends with %q, %v, want it to go on as if nothing had been smuggled", got, err)
	}
}

func TestRoleOperator(t *testing.T) {
	h := openHouse(t)
	var mended atomic.Bool
	h.works(&mended)
	ctx, c, root := within(t), h.client("operator"), h.client("root")
	live, err := durable.StartInstance[string](ctx, root, errand, "waits")
	if err != nil {
		t.Fatal(err)
	}
	failing, err := durable.StartInstance[int](ctx, root, try, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := durable.CreateSchedule(ctx, root, errand, durable.Schedule{ID: "daily", Cron: []string{"0 3 * * *"}}, "small"); err != nil {
		t.Fatal(err)
	}
	ended := func(id string, want durable.Status) error {
		inst, err := c.Wait(ctx, id)
		if err == nil && inst.Status != want {
			err = fmt.Errorf("it is %s, want %s", inst.Status, want)
		}
		return err
	}
	allowed(t,
		act{"suspend", func() error { return c.Suspend(ctx, live.ID(), "for a while") }},
		act{"resume", func() error { return c.Resume(ctx, live.ID(), "go on") }},
		act{"terminate", func() error { return c.Terminate(ctx, live.ID(), "enough") }},
		act{"see it end", func() error { return ended(live.ID(), durable.Terminated) }},
		act{"see one fail", func() error { return ended(failing.ID(), durable.Failed) }},
		act{"rewind", func() error { mended.Store(true); return c.Rewind(ctx, failing.ID(), "mended") }},
		act{"see it succeed", func() error { return ended(failing.ID(), durable.Completed) }},
		act{"restart", func() error { _, err := c.Restart(ctx, failing.ID()); return err }},
		act{"see it end again", func() error { return ended(failing.ID(), durable.Completed) }},
		act{"restart anew", func() error { _, err := c.Restart(ctx, failing.ID(), durable.FreshID()); return err }},
		act{"purge", func() error { _, err := c.Purge(ctx, live.ID()); return err }},
		act{"purge many", func() error {
			_, err := c.PurgeAll(ctx, durable.Filter{Name: "desk.Try", Statuses: []durable.Status{durable.Completed}})
			return err
		}},
		act{"pause a schedule", func() error { return c.PauseSchedule(ctx, "daily", "") }},
		act{"trigger it", func() error { return c.TriggerSchedule(ctx, "daily") }},
		act{"resume it", func() error { return c.ResumeSchedule(ctx, "daily", "") }},
		act{"delete it", func() error { return c.DeleteSchedule(ctx, "daily") }},
	)
	again, err := durable.StartInstance[string](ctx, root, errand, "waits")
	if err != nil {
		t.Fatal(err)
	}
	refused(t,
		act{"raise", func() error { return c.Raise(ctx, again.ID(), "go", "now") }},
		h.mayNotWork("operator"), h.mayNotReach("operator", "other"), h.mayNotReach("operator", "third"),
	)
	h.refusedRequests("operator", "durable.club.desk.0.x.turn", "durable.club.desk.0.x.in.done", "durable.club.desk.0.x.task.y", "durable-signal.club.beat=2Edesk",
		"$KV.durable_club_meta.x", "$JS.API.STREAM.PURGE.DURABLE_club", "$JS.API.STREAM.DELETE.DURABLE_club_ARCHIVE", "$JS.API.CONSUMER.UNPIN.DURABLE_club.in_desk_0")
}

func TestRoleWorker(t *testing.T) {
	h := openHouse(t)
	first := h.works(nil)
	ctx, root := within(t), h.client("root")
	run := func() error {
		big := strings.Repeat("x", 300<<10)
		handle, err := durable.StartInstance[string](ctx, root, errand, big)
		if err != nil {
			return err
		}
		if err := root.Raise(ctx, handle.ID(), "go", big); err != nil {
			return err
		}
		if got, err := handle.Wait(ctx); err != nil || got != big+"!"+big {
			return fmt.Errorf("the result has %d bytes: %w", len(got), err)
		}
		return nil
	}
	b := h.as("worker", natsbackend.Config{})
	c := clientOf(t, b)
	small, err := durable.StartInstance[string](ctx, c, errand, "small", durable.InstanceID("small"))
	if err != nil {
		t.Fatal(err)
	}
	allowed(t,
		act{"run", run},
		act{"join", func() error { h.works(nil); return nil }},
		act{"hand over", func() error { return first.Stop(ctx) }},
		act{"go on", run},
		act{"say who is there", func() error {
			all, err := c.Workers(ctx)
			if err == nil && (len(all) != 1 || len(all[0].Partitions["desk"]) != 8) {
				err = fmt.Errorf("%+v answer", all)
			}
			return err
		}},
		act{"look for what lives", func() error {
			n := 0
			_, err := b.LiveStates(ctx, 0, func(history.Address, uint64, bool) { n++ })
			if err == nil && n == 0 {
				err = errors.New("there is nothing")
			}
			return err
		}},
		act{"shorten the log", func() error {
			floor, err := await(t, func(done func(uint64, error)) { b.Floor(func(floor, _ uint64, err error) { done(floor, err) }) })
			if err != nil {
				return err
			}
			_, err = await(t, func(done func(struct{}, error)) { b.Shorten(floor/2, func(err error) { done(struct{}{}, err) }) })
			return err
		}},
		act{"sweep", func() error {
			_, err := await(t, func(done func(struct{}, error)) { b.Sweep(func(err error) { done(struct{}{}, err) }) })
			return err
		}},
		act{"remove payloads", func() error { return b.SweepNow(-time.Hour) }},
		act{"wait", func() error { _, err := small.Wait(ctx); return err }},
		act{"purge", func() error { _, err := c.Purge(ctx, "small"); return err }},
	)
	refused(t,
		h.mayNotReach("worker", "other"), h.mayNotReach("worker", "third"),
		act{"set the retention", func() error {
			return natsbackend.SetRetention(ctx, h.config("worker", natsbackend.Config{}), natsbackend.Retention{Completed: time.Hour})
		}},
	)
	h.refusedRequests("worker", "$JS.API.STREAM.DELETE.DURABLE_club", "$JS.API.STREAM.UPDATE.DURABLE_club", "$JS.API.STREAM.CREATE.x", "$JS.API.STREAM.PURGE.DURABLE_club_ARCHIVE",
		"$JS.API.STREAM.MSG.DELETE.DURABLE_club", "$JS.API.CONSUMER.DELETE.DURABLE_club.in_desk_0", "durable.other.desk.0.x.in.start", "$JS.API.CONSUMER.CREATE.DURABLE_other.x")
}

func TestRoleAdmin(t *testing.T) {
	h := openHouse(t)
	ctx := within(t)
	b := h.as("admin", natsbackend.Config{Provision: true})
	state := backend.State{Address: history.Address{Group: "desk", ID: "ghost"}, Name: "desk.Ghost", Status: history.Running, Run: 1}
	if _, err := await(t, func(done func(uint64, error)) { h.as("root", natsbackend.Config{}).PutState(state, 0, done) }); err != nil {
		t.Fatal(err)
	}
	nc, err := nats.Connect(h.url, h.config("admin", natsbackend.Config{}).Options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	ask := func(subject, body string) act {
		return act{subject, func() error {
			m, err := nc.RequestWithContext(ctx, subject, []byte(body))
			if err == nil && strings.Contains(string(m.Data), `"error"`) {
				err = errors.New(string(m.Data))
			}
			return err
		}}
	}
	allowed(t,
		act{"mend", func() error {
			r, err := doctor.Examine(ctx, b, doctor.Config{Fix: true})
			if err == nil && (len(r.Findings) != 1 || r.Left() > 0) {
				err = fmt.Errorf("%+v", r.Findings)
			}
			return err
		}},
		act{"set the retention", func() error {
			return natsbackend.SetRetention(ctx, h.config("admin", natsbackend.Config{}), natsbackend.Retention{Completed: time.Hour})
		}},
	)
	for _, s := range []string{"DURABLE_club", "DURABLE_club_ARCHIVE", "KV_durable_club_instances", "KV_durable_club_meta", "OBJ_durable_club_payloads"} {
		allowed(t, ask("$JS.API.STREAM.SNAPSHOT."+s, fmt.Sprintf(`{"deliver_subject":%q}`, nc.NewInbox())), ask("$JS.API.STREAM.DELETE."+s, ""))
	}
	allowed(t, act{"create it again", func() error {
		return natsbackend.Provision(ctx, h.config("admin", natsbackend.Config{}))
	}})
	refused(t, h.mayNotReach("admin", "other"), h.mayNotReach("admin", "third"))
	h.refusedRequests("admin", "$JS.API.STREAM.DELETE.DURABLE_other", "$JS.API.STREAM.CREATE.x", "$JS.API.STREAM.RESTORE.DURABLE_other", "durable.other.desk.0.x.in.start",
		"$KV.durable_other_meta.x", "$JS.API.CONSUMER.CREATE.DURABLE_other.DURABLE_club.x", "$JS.API.STREAM.MSG.DELETE.DURABLE_other")
}

// TestUsersLearnTheirRoles: what the server tells of their permissions is enough for.
func TestUsersLearnTheirRoles(t *testing.T) {
	h := openHouse(t)
	got := map[string][]string{}
	for _, name := range []string{"root", "viewer", "operator", "worker", "admin"} {
		b := h.as(name, natsbackend.Config{})
		u, err := b.Usage(within(t))
		if err != nil {
			t.Fatal(err)
		}
		if u.User != name || u.Account != "CLUB" {
			t.Errorf("%s is told to be %q of account %q", name, u.User, u.Account)
		}
		got[name] = u.Roles
	}
	all := []string{"starter", "viewer", "operator", "worker", "admin"}
	want := map[string][]string{"root": all, "viewer": {"viewer"}, "operator": {"viewer", "operator"}, "worker": all[:4], "admin": all}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("roles (-want +got):\n%s", diff)
	}
}

func TestPermissionsOfNothing(t *testing.T) {
	t.Parallel()
	for says, ask := range map[string]func() (natsbackend.Permissions, error){
		`no role "king"`: func() (natsbackend.Permissions, error) { return natsbackend.PermissionsOf("king", natsbackend.Scope{}) },
		"a hub name": func() (natsbackend.Permissions, error) {
			return natsbackend.PermissionsOf("viewer", natsbackend.Scope{Hub: "a.>"})
		},
		"Scope.Inbox": func() (natsbackend.Permissions, error) {
			return natsbackend.PermissionsOf("viewer", natsbackend.Scope{Inbox: "a.>"})
		},
		"want 1 to": func() (natsbackend.Permissions, error) {
			return natsbackend.PermissionsOf("viewer", natsbackend.Scope{Partitions: 999})
		},
	} {
		p, err := ask()
		if err == nil || !strings.Contains(err.Error(), says) || len(p.Publish) > 0 {
			t.Errorf("%v, %v, want nothing and an error that says %q", p, err, says)
		}
	}
}

// TestPermissionsInADomain: requests of the API, and what is put into buckets, carry its name.
func TestPermissionsInADomain(t *testing.T) {
	t.Parallel()
	p, err := natsbackend.PermissionsOf(natsbackend.RoleWorker, natsbackend.Scope{Hub: "club", Domain: "hub"})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"$JS.hub.API.INFO", "$JS.hub.API.STREAM.INFO.DURABLE_club", "$JS.hub.API.$KV.durable_club_instances.>", "durable.club.>"} {
		if !slices.Contains(p.Publish, want) {
			t.Errorf("it may not publish to %s: %q", want, p.Publish)
		}
	}
	if i := slices.IndexFunc(p.Publish, func(s string) bool { return strings.HasPrefix(s, "$JS.API.") || strings.HasPrefix(s, "$KV.") }); i >= 0 {
		t.Errorf("it may publish to %s, outside of the domain", p.Publish[i])
	}
}
