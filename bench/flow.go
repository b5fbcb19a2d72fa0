package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
)

// flow is what hello costs without an engine: the same messages of the same size through the same streams and consumers, sent
// by nats.go and nothing else. It is the floor of the protocol on a machine, and what the engine adds is measured against it.
// Nothing is kept of an instance: every message says what comes next.
type flow struct {
	local      bool
	partitions int
	client     *port // starts, and hears of ends
	worker     *port // everything that a worker publishes
	links      []*nats.Conn
	pulls      []*pull

	topic   string // where ends are told
	started atomic.Int64
	mu      sync.Mutex
	waits   map[string]chan string // by instance
	err     atomic.Pointer[error]  // the first one

	trailing atomic.Int64 // flows whose last message is not acknowledged
}

const (
	flowGroup  = "workload"
	flowHub    = "default" // as natsbackend.Config has it
	flowTask   = "workload=2EGreet"
	flowResult = `["Hello Tokyo!","Hello Seattle!","Hello London!"]`
)

// What an owner stores of an ended hello.
const (
	flowArchive = `{"g":"workload","i":"nluisnffdb2bgsg2aend","run":1,"status":"Completed","ended":"2026-11-26T05:12:00.123456789Z","messages":[{"start":"1 workload.Hello 1795666980141","notify":"reply-kgtV5kzsDu5bArf6rHjUvt",` +
		`"v":["Tokyo","Seattle","London"],"t":"2026-11-26T04:23:00.141309931Z"},{"task":"0 1 workload.Greet workload.go:27","v":"Tokyo"},{"done":"0","v":"Hello Tokyo!","t":1096356},` +
		`{"task":"1 1 workload.Greet workload.go:27","v":"Seattle"},{"done":"1","v":"Hello Seattle!","t":1798572},{"task":"2 1 workload.Greet workload.go:27","v":"London"},` +
		`{"done":"2","v":"Hello London!","t":669295},{"turn":"Completed","v":["Hello Tokyo!","Hello Seattle!","Hello London!"]}]}`
	flowState = `{"g":"workload","i":"nluisnffdb2bgsg2aend","name":"workload.Hello","status":"Completed","run":1,"at":7,"created":"2026-11-26T04:23:00.141309931Z",` +
		`"updated":"2026-11-26T04:23:00.25341347Z","finished":"2026-11-26T04:23:00.25341347Z"}`
)

const fence = "Nats-Expected-Last-Subject-Sequence"

var flowAck = []byte("+ACK")

// flowMessage makes a message with headers given as keys and values.
func flowMessage(subject, body string, headers ...string) *nats.Msg {
	m := &nats.Msg{Subject: subject, Data: []byte(body)}
	if len(headers) > 0 {
		m.Header = make(nats.Header, len(headers)/2)
	}
	for n := 0; n < len(headers); n += 2 {
		m.Header[headers[n]] = headers[n+1 : n+2]
	}
	return m
}

var (
	flowCities    = [...]string{`"Tokyo"`, `"Seattle"`, `"London"`}
	flowGreetings = [...]string{`"Hello Tokyo!"`, `"Hello Seattle!"`, `"Hello London!"`}
)

// openFlow connects as a client and a worker do. The hub and its consumers are there.
func openFlow(connect func() (*nats.Conn, error), partitions int, local bool) (f *flow, err error) {
	f = &flow{local: local, partitions: partitions, topic: "durable-signal." + flowHub + ".reply-" + rand.Text(), waits: map[string]chan string{}}
	defer func() {
		if err != nil {
			f.close()
		}
	}()
	var nc [4]*nats.Conn // client; worker: writes, inboxes, tasks
	for n := range nc {
		if nc[n], err = connect(); err != nil {
			return nil, fmt.Errorf("bench: connect: %w", err)
		}
		f.links = append(f.links, nc[n])
	}
	if f.client, err = newPort(nc[0], f.fail); err != nil {
		return nil, err
	}
	if f.worker, err = newPort(nc[1], f.fail); err != nil {
		return nil, err
	}
	if _, err = subscribe(nc[0], f.topic, f.ended); err != nil {
		return nil, err
	}
	for p := range partitions {
		if err = f.pull(nc[2], fmt.Sprintf("in_%s_%d", flowGroup, p), "owner", 500, f.inbox); err != nil {
			return nil, err
		}
	}
	if local {
		return f, nil
	}
	return f, f.pull(nc[3], "task_"+flowTask, "", 200, f.task)
}

func (f *flow) pull(nc *nats.Conn, consumer, group string, window int, on func(*nats.Msg)) error {
	p, err := newPull(nc, "$JS.API.CONSUMER.MSG.NEXT.DURABLE_"+flowHub+"."+consumer, group, window, on)
	if err == nil {
		f.pulls = append(f.pulls, p)
	}
	return err
}

// settle waits until the last messages of what has run are acknowledged.
func (f *flow) settle(ctx context.Context) error {
	for f.trailing.Load() > 0 && f.err.Load() == nil {
		if err := pause(ctx, time.Millisecond); err != nil {
			return err
		}
	}
	for _, nc := range f.links {
		if err := nc.Flush(); err != nil {
			return fmt.Errorf("bench: flush: %w", err)
		}
	}
	return nil
}

func (f *flow) fail(err error) { f.err.CompareAndSwap(nil, &err) }

func (f *flow) close() error {
	for _, nc := range f.links {
		nc.Close()
	}
	if err := f.err.Load(); err != nil {
		return *err
	}
	return nil
}

func (f *flow) run(ctx context.Context, n, concurrency int) (tally, error) {
	latencies, err := each(ctx, n, concurrency, func(ctx context.Context, _ int) error { return f.hello(ctx) })
	if failed := f.err.Load(); failed != nil {
		err = errors.Join(err, *failed)
	}
	return tally{latencies: latencies}, err
}

// hello is what a client does: a start, and when that is stored it waits for the end.
func (f *flow) hello(ctx context.Context) error {
	id := strings.ToLower(rand.Text()[:20])
	end, stored := make(chan string, 1), make(chan error, 1)
	f.mu.Lock()
	f.waits[id] = end
	f.mu.Unlock()
	name := "workload.Hello"
	if f.local {
		name = "workload.HelloLocal"
	}
	prefix := "durable." + flowHub + "." + flowGroup + "." + strconv.Itoa(int(f.started.Add(1))%f.partitions) + "." + id + "."
	head := "1 " + name + " " + strconv.FormatInt(time.Now().UnixMilli(), 10) + "\nNotify: " + strings.TrimPrefix(f.topic, "durable-signal."+flowHub+".")
	start := flowMessage(prefix+"in.start", head+"\n\n"+`["Tokyo","Seattle","London"]`, fence, "0")
	f.trailing.Add(1)
	f.client.publish(start, func(err error) { stored <- err })
	select {
	case err := <-stored:
		if err != nil {
			return err
		}
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	select {
	case got := <-end:
		if got != flowResult {
			return wrong(id, got, flowResult)
		}
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// inbox is what an owner does with a message: it stores what comes next, and then acknowledges.
func (f *flow) inbox(m *nats.Msg) {
	prefix, kind, _ := strings.Cut(m.Subject, ".in.")
	ack := func() { f.answer(m) }
	step := 0
	if kind == "done" {
		n, ok := f.slot(m)
		if !ok {
			return
		}
		step = n + 1
	}
	if step < len(flowCities) {
		f.worker.publish(f.step(prefix, step), func(err error) { f.unless(err, ack) })
		return
	}
	id := prefix[strings.LastIndexByte(prefix, '.')+1:]
	at := strings.Split(m.Reply, ".")[5]
	turn := flowMessage(prefix+".turn", "1-0 "+at+" 0 Completed\n\n"+flowResult, fence, "0")
	f.worker.publish(turn, func(err error) {
		f.unless(err, func() { f.end(id, func() { ack(); f.trailing.Add(-1) }) })
	})
}

// step is the task of a slot, or of a local activity its completion.
func (f *flow) step(prefix string, n int) *nats.Msg {
	slot := "1-0-" + strconv.Itoa(n)
	if f.local {
		return flowMessage(prefix+".in.done", slot+" 1 ee63ec53 workload.GreetHere workload.go:47\n\n"+flowGreetings[n])
	}
	return flowMessage(prefix+".task."+flowTask, slot+" 1 workload.Greet workload.go:27\n\n"+flowCities[n])
}

// task is what an activity worker does.
func (f *flow) task(m *nats.Msg) {
	prefix, _, _ := strings.Cut(m.Subject, ".task.")
	n, ok := f.slot(m)
	if !ok {
		return
	}
	done := flowMessage(prefix+".in.done", "1-0-"+strconv.Itoa(n)+" 1 ee63ec53 workload.Greet\n\n"+flowGreetings[n])
	f.worker.publish(done, func(err error) { f.unless(err, func() { f.answer(m) }) })
}

// slot reads which one a message is about.
func (f *flow) slot(m *nats.Msg) (n int, ok bool) {
	ref, _, _ := strings.Cut(string(m.Data), " ")
	n, err := strconv.Atoi(strings.TrimPrefix(ref, "1-0-"))
	if err != nil || n < 0 || n >= len(flowCities) {
		f.fail(fmt.Errorf("bench: %q is no slot", ref))
		return 0, false
	}
	return n, true
}

// end tells the client, archives, projects, and acknowledges.
func (f *flow) end(id string, ack func()) {
	if err := f.worker.nc.Publish(f.topic, []byte(id+" "+flowResult)); err != nil {
		f.fail(err)
	}
	archive := flowMessage("durable-archive."+flowHub+"."+id, flowArchive, fence, "0", "Nats-TTL", "2592000")
	f.worker.publish(archive, func(err error) {
		f.unless(err, func() {
			state := flowMessage("$KV.durable_"+flowHub+"_instances."+id, flowState, fence, "0")
			f.worker.publish(state, func(err error) { f.unless(err, ack) })
		})
	})
}

func (f *flow) unless(err error, then func()) {
	if err != nil {
		f.fail(err)
		return
	}
	then()
}

func (f *flow) answer(m *nats.Msg) {
	if err := m.Respond(flowAck); err != nil {
		f.fail(err)
	}
}

// ended hears of an end.
func (f *flow) ended(m *nats.Msg) {
	id, result, _ := strings.Cut(string(m.Data), " ")
	f.mu.Lock()
	end := f.waits[id]
	delete(f.waits, id)
	f.mu.Unlock()
	if end != nil {
		end <- result
	}
}
