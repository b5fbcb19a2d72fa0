package httpapi_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/httpapi"
	"github.com/durablegen/durablegen/runtime/natsbackend"
	"github.com/durablegen/durablegen/runtime/natsbackend/embedded"
)

// realHub gives a client of a hub on a server in the process, with a worker.
func realHub(t *testing.T, bindings []durable.Binding) *durable.Client {
	t.Helper()
	server, err := embedded.Start(t.Context(), embedded.Config{Dir: t.TempDir()})
	must(t, err)
	t.Cleanup(func() { must(t, server.Close()) })
	hub, err := server.Backend(t.Context(), natsbackend.Config{Hub: "club", Provision: true})
	must(t, err)
	t.Cleanup(func() { must(t, hub.Close()) })
	client := durable.NewClient(hub, durable.ClientConfig{})
	t.Cleanup(func() { must(t, client.Close()) })
	var r durable.Registry
	must(t, r.Add(bindings...))
	w := durable.NewWorker(hub, &r, durable.WorkerConfig{})
	must(t, w.Start(t.Context()))
	t.Cleanup(func() { must(t, w.Stop(context.Background())) })
	return client
}

// TestOnNATS follows the links of a start from beginning to end, over HTTP and on a real server.
func TestOnNATS(t *testing.T) {
	t.Parallel()
	var bankOpen atomic.Bool
	server := httptest.NewServer(httpapi.New(realHub(t, bindings(&bankOpen)), httpapi.Config{Keys: []string{"k"}}))
	defer server.Close()
	ask := func(method, url, body string, want int) map[string]any {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
		must(t, err)
		r.Header.Set("Content-Type", "application/json")
		res, err := http.DefaultClient.Do(r)
		must(t, err)
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		must(t, err)
		if res.StatusCode != want {
			t.Fatalf("%s %s: %d %s, want %d", method, url, res.StatusCode, text, want)
		}
		answer := map[string]any{}
		_ = json.Unmarshal(text, &answer) // an empty one is none
		return answer
	}
	links := ask("POST", server.URL+webhooks+"/orchestrators/flow.Wait/a%20b?code=k&timeout=0.1", `"in"`, 202)
	link := func(name string, replace ...string) string {
		return strings.NewReplacer(replace...).Replace(links[name].(string))
	}
	ask("POST", link("suspendPostUri", "{text}", "audit"), "", 202)
	waitFor(t, link("statusQueryGetUri"), "Suspended")
	ask("POST", link("resumePostUri", "{text}", "done"), "", 202)
	ask("POST", link("sendEventPostUri", "{eventName}", "Go"), `{"x":1}`, 202)
	waitFor(t, link("statusQueryGetUri"), "Completed")
	done := ask("GET", link("statusQueryGetUri")+"&showHistory=true", "", 200)
	if out, _ := json.Marshal(done["output"]); string(out) != `{"x":1}` || len(done["historyEvents"].([]any)) != 5 {
		t.Errorf("it ended as %v", done)
	}
	ask("POST", link("terminatePostUri", "{text}", "x"), "", 410)
	again := ask("POST", link("restartPostUri")+"&restartWithNewInstanceId=false", "", 202)
	if again["id"] != "a b" {
		t.Errorf("restarted as %v", again["id"])
	}
	ask("POST", link("terminatePostUri", "{text}", "enough"), "", 202)
	waitFor(t, link("statusQueryGetUri"), "Terminated")
	ask("DELETE", link("purgeHistoryDeleteUri"), "", 200)
	ask("GET", link("statusQueryGetUri"), "", 404)
	if s := ask("POST", server.URL+webhooks+"/orchestrators/flow.Pay?code=k&timeout=30", "5", 200); s["runtimeStatus"] != "Failed" {
		t.Errorf("a start that waits gives %v", s)
	}
}

// waitFor asks until an instance has a status. The deadline of the test bounds it.
func waitFor(t *testing.T, url, status string) {
	t.Helper()
	for {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		must(t, err)
		res, err := http.DefaultClient.Do(r)
		must(t, err)
		var s struct{ RuntimeStatus string }
		err = json.NewDecoder(res.Body).Decode(&s)
		res.Body.Close()
		must(t, err)
		if s.RuntimeStatus == status {
			return
		}
	}
}
