package httpapi_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/durablegen/durablegen/internal/natscluster"
	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/httpapi"
	"github.com/durablegen/durablegen/runtime/natsbackend"
)

// callers use the API all the time, and note answers that they ought not to get.
type callers struct {
	t    *testing.T
	base string

	mu      sync.Mutex
	answers map[int]int
	wrong   []string
}

// ask makes a request, and says whether it was answered. Nothing but an answer of the contract, or 503 with when to ask again,
// is right.
func (c *callers) ask(method, path, body string) (code int, text string) {
	r, err := http.NewRequestWithContext(c.t.Context(), method, c.base+path, strings.NewReader(body))
	if err != nil {
		return 0, err.Error()
	}
	r.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		c.note(0, fmt.Sprintf("%s %s: %v", method, path, err))
		return 0, err.Error()
	}
	defer res.Body.Close()
	all, err := io.ReadAll(res.Body)
	wrong := ""
	switch again := res.Header.Get("Retry-After"); {
	case err != nil:
		wrong = err.Error()
	case res.StatusCode < 500, res.StatusCode == 503 && again != "":
	default:
		wrong = fmt.Sprintf("%d, Retry-After %q: %s", res.StatusCode, again, all)
	}
	if wrong != "" {
		wrong = method + " " + path + ": " + wrong
	}
	c.note(res.StatusCode, wrong)
	return res.StatusCode, string(all)
}

func (c *callers) note(code int, wrong string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answers[code]++
	if wrong != "" && len(c.wrong) < 20 {
		c.wrong = append(c.wrong, wrong)
	}
}

func (c *callers) check(when string) {
	c.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t.Logf("%s: answers by status: %v", when, c.answers)
	for _, w := range c.wrong {
		c.t.Errorf("%s: %s", when, w)
	}
	c.answers, c.wrong = map[int]int{}, nil
}

// life is one of every call that does not depend on what another one came to.
func (c *callers) life(id string) {
	const json = `{"x":1}`
	c.ask("POST", "/orchestrators/flow.Wait/"+id, json)
	c.ask("GET", "/instances/"+id+"?showHistory=true", "")
	c.ask("GET", "/instances?runtimeStatus=Running&top=5", "")
	c.ask("POST", "/orchestrators/flow.Echo?timeout=2&pollingInterval=1", json)
	c.ask("POST", "/instances/"+id+"/raiseEvent/go", json)
	c.ask("POST", "/instances/"+id+"/rewind", "")
	c.ask("POST", "/instances/"+id+"/terminate?reason=x", "")
	c.ask("POST", "/instances/"+id+"/restart?restartWithNewInstanceId=true", "")
	c.ask("DELETE", "/instances/"+id, "")
}

// TestLostLeader: while the servers that lead go and come back, and while so many are away that nobody can lead, the API answers
// as ever, or with 503 and when to ask again; and as ever again when they are back.
func TestLostLeader(t *testing.T) {
	t.Parallel()
	cluster := natscluster.Start(t)
	hub, err := natsbackend.Connect(t.Context(), natsbackend.Config{URL: cluster.URLs(), Hub: "club", Provision: true, Replicas: natscluster.Size, Logger: cluster.Logger("hub")})
	must(t, err)
	t.Cleanup(func() { must(t, hub.Close()) })
	client := durable.NewClient(hub, durable.ClientConfig{})
	t.Cleanup(func() { must(t, client.Close()) })
	var r durable.Registry
	must(t, r.Add(bindings(new(atomic.Bool))...))
	w := durable.NewWorker(hub, &r, durable.WorkerConfig{})
	must(t, w.Start(t.Context()))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := w.Stop(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
	server := httptest.NewServer(httpapi.New(client, httpapi.Config{}))
	defer server.Close()
	c := &callers{t: t, base: server.URL + webhooks, answers: map[int]int{}}

	stop := make(chan struct{})
	var g sync.WaitGroup
	for n := range 4 {
		g.Go(func() {
			for round := 0; ; round++ {
				select {
				case <-stop:
					return
				default:
					c.life(fmt.Sprintf("order-%d-%d", n, round))
				}
			}
		})
	}
	for _, stream := range []string{"DURABLE_club", "KV_durable_club_instances", "DURABLE_club_ARCHIVE"} {
		gone := cluster.Leader(stream)
		cluster.Stop(gone)
		cluster.Leader(stream) // another one
		cluster.Restart(gone)
	}
	cluster.Note("leaders have come and gone")
	close(stop)
	g.Wait()
	c.check("leaders come and go")

	// No majority: whatever changes something cannot be answered.
	cluster.Stop(0)
	cluster.Stop(1)
	for n := range 6 {
		g.Go(func() {
			if code, text := c.ask("POST", fmt.Sprint("/orchestrators/flow.Wait/none-", n), "1"); code != 503 {
				t.Errorf("a start without a majority: %d %s", code, text)
			}
		})
	}
	for _, path := range []string{"GET /instances/order-0-0", "GET /instances", "DELETE /instances/order-0-0", "POST /instances/order-1-0/terminate", "POST /instances/order-1-1/raiseEvent/go"} {
		method, path, _ := strings.Cut(path, " ")
		g.Go(func() { c.ask(method, path, "1") })
	}
	g.Wait()
	c.check("no majority")

	cluster.Note("as ever")
	cluster.Restart(0)
	cluster.Restart(1)
	for end := time.Now().Add(time.Minute); ; { // as ever
		code, text := c.ask("POST", "/orchestrators/flow.Echo?timeout=20&pollingInterval=1", `{"back":true}`)
		if code == 200 && strings.Contains(text, `"back":true`) {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("the cluster is back, and a start gives %d %s", code, text)
		}
	}
	c.check("all are back")
}
