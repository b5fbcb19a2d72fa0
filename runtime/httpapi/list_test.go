package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/httpapi"
)

// listed is what a list tells of an instance, as far as the tests look.
type listed struct {
	ID     string          `json:"instanceId"`
	Name   string          `json:"name"`
	Input  json.RawMessage `json:"input"`
	Output json.RawMessage `json:"output"`
}

// list gives the ids of a page, and the token of the next.
func (h *hub) list(t *testing.T, query, token string) (ids string, next string) {
	t.Helper()
	got := h.ask("GET", webhooks+"/instances?"+query, "", "x-ms-continuation-token: "+token)
	var all []listed
	if err := json.Unmarshal(got.Body.Bytes(), &all); err != nil || got.Code != 200 {
		t.Fatalf("%s: %d %s: %v", query, got.Code, got.Body, err)
	}
	if _, has := got.Header()[http.CanonicalHeaderKey("x-ms-continuation-token")]; !has {
		t.Errorf("%s: no header x-ms-continuation-token", query)
	}
	var each []string
	for _, i := range all {
		each = append(each, i.ID)
	}
	return strings.Join(each, " "), got.Header().Get("x-ms-continuation-token")
}

func TestList(t *testing.T) {
	inHub(t, httpapi.Config{}, func(t *testing.T, h *hub) {
		h.populate()
		h.start("flow.Echo", "young", "3", durable.Tags{"season": "2026", "kind": "a=b"})
		h.pass()
		all := "young a b/c completed failed pending running suspended terminated"
		for query, want := range map[string]string{
			"":                               all,
			"top=0":                          all,
			"top=x":                          all,
			"runtimeStatus=Running":          "a b/c running",
			"runtimeStatus=Failed,Suspended": "failed suspended",
			"runtimeStatus=Failed&RUNTIMESTATUS=Suspended": "failed suspended",
			"runtimeStatus=3":                           "failed",
			"runtimeStatus=running":                     all,
			"runtimeStatus=running,Failed":              "failed",
			"instanceIdPrefix=s":                        "suspended",
			"instanceIdPrefix=none":                     "",
			"createdTimeFrom=2000-01-01T00:00:03.000Z":  "young",
			"createdTimeFrom=soon":                      all,
			"createdTimeTo=1999-12-31":                  "",
			"createdTimeTo=2000-01-01T00:00:04%2B00:00": all,
			"createdTimeTo=2000-01-01T00:00:04+00:00":   all,
			"name=flow.Pay":                             "failed",
			"name=Pay":                                  "failed",
			"tags=season%3D2026":                        "young",
			"tags=season%3D2026,kind%3Da%3Db":           "young",
			"tags=season%3D2025":                        "",
			"showHistory=true":                          all,
		} {
			ids, next := h.list(t, query, "")
			if diff := cmp.Diff(want, ids); diff != "" || next != "" {
				t.Errorf("%q, next %q (-want +got):\n%s", query, next, diff)
			}
		}
		var pages []string
		for ids, token := h.list(t, "top=3", ""); ; ids, token = h.list(t, "top=3", token) {
			if pages = append(pages, ids); token == "" {
				break
			}
		}
		if diff := cmp.Diff([]string{"young a b/c completed", "failed pending running", "suspended terminated"}, pages); diff != "" {
			t.Errorf("pages (-want +got):\n%s", diff)
		}
		row{code: 400, answer: "~no token of a page"}.check(t, h.ask("GET", webhooks+"/instances", "", "x-ms-continuation-token: !"))
		row{code: 400, answer: "~key=value"}.check(t, h.ask("GET", webhooks+"/instances?tags=x", ""))
		if one := h.ask("GET", webhooks+"/instances?instanceIdPrefix=completed", "").Body.String(); !strings.Contains(one, `"input":{"a":1}`) || !strings.Contains(one, `"output":{"a":1}`) {
			t.Errorf("a list without input and output: %s", one)
		}
		if one := h.ask("GET", webhooks+"/instances?instanceIdPrefix=completed&showInput=false", "").Body.String(); !strings.Contains(one, `"input":null`) {
			t.Errorf("a list with the input that nobody wants: %s", one)
		}
	})
}

// TestPageSize: without top a page has 100 instances, and top is cut at 1000.
func TestPageSize(t *testing.T) {
	inHub(t, httpapi.Config{}, func(t *testing.T, h *hub) {
		for n := range 101 {
			h.start("flow.Echo", fmt.Sprintf("i%03d", n), "1")
		}
		h.pass()
		ids, next := h.list(t, "", "")
		rest, end := h.list(t, "", next)
		if n := len(strings.Fields(ids)); n != 100 || rest != "i100" || end != "" {
			t.Errorf("pages of %d and %q, then %q; want 100 and i100", n, rest, end)
		}
	})
}

// TestAtOnce: what was accepted a moment ago counts, although nothing shows it yet.
func TestAtOnce(t *testing.T) {
	inHub(t, httpapi.Config{}, func(t *testing.T, h *hub) {
		h.populate()
		for _, c := range []struct {
			verb string
			want int
		}{{"suspend", 202}, {"resume", 202}, {"resume", 500}, {"suspend", 202}, {"resume", 202}} {
			if got := h.ask("POST", webhooks+"/instances/running/"+c.verb, "", ""); got.Code != c.want {
				t.Errorf("%s: %d %s, want %d", c.verb, got.Code, got.Body, c.want)
			}
		}
	})
}

// TestEffects: what is asked for happens.
func TestEffects(t *testing.T) {
	output := func(h *hub, id string) string {
		h.pass()
		inst, err := h.client.Get(h.t.Context(), id)
		must(h.t, err)
		return string(inst.Status) + " " + string(inst.Result) + inst.Failure
	}
	for name, test := range map[string]struct {
		requests []string
		id, want string
	}{
		"raise":            {[]string{"POST /instances/running/raiseEvent/GO"}, "running", `Completed {"x":1}`},
		"terminate":        {[]string{"POST /instances/running/terminate?reason=a%20b"}, "running", "Terminated a b"},
		"suspend":          {[]string{"POST /instances/running/suspend", "POST /instances/running/raiseEvent/go"}, "running", "Suspended "},
		"resume":           {[]string{"POST /instances/suspended/raiseEvent/go", "POST /instances/suspended/resume"}, "suspended", `Completed {"x":1}`},
		"rewind":           {[]string{"POST /instances/failed/rewind"}, "failed", "Completed 5"},
		"restart":          {[]string{"POST /instances/failed/restart?restartWithNewInstanceId=false"}, "failed", "Completed 5"},
		"restart beside":   {[]string{"POST /instances/failed/restart"}, "failed", "Failed durable: activity bank.Charge, attempt 1: card declined"},
		"start again":      {[]string{"POST /orchestrators/flow.Echo/failed"}, "failed", `Completed {"x":1}`},
		"start with all":   {[]string{"POST /orchestrators/flow.Wait/x?version=1-trial&tags=a%3Db&startAt=2000-01-01T01:00:00Z"}, "x", "Pending "},
		"children go, too": {[]string{"POST /orchestrators/flow.Parent/p", "POST /instances/p/terminate"}, "child", "Terminated parent p was terminated"},
		"children go on":   {[]string{"POST /orchestrators/flow.Parent/p", "POST /instances/p/terminate?recursive=false"}, "child", "Running "},
		"purge keeps children": {[]string{"POST /orchestrators/flow.Parent/p", "POST /instances/p/terminate", "DELETE /instances/p"}, "child",
			"Terminated parent p was terminated"},
	} {
		t.Run(name, func(t *testing.T) {
			inHub(t, httpapi.Config{}, func(t *testing.T, h *hub) {
				h.populate()
				h.bankOpen.Store(true)
				for _, request := range test.requests {
					method, path, _ := strings.Cut(request, " ")
					if got := h.ask(method, webhooks+path, `{"x":1}`, asJSON); got.Code/100 != 2 {
						t.Fatalf("%s: %d %s", request, got.Code, got.Body)
					}
					h.pass()
				}
				if diff := cmp.Diff(test.want, output(h, test.id)); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				if name != "start with all" {
					return
				}
				inst, err := h.client.Get(t.Context(), "x")
				must(t, err)
				if inst.Version != "1-trial" || inst.Tags["a"] != "b" || !inst.ScheduledFor.Equal(time.Date(2000, 1, 1, 1, 0, 0, 0, time.UTC)) {
					t.Errorf("version, tags and time are %q, %v, %v", inst.Version, inst.Tags, inst.ScheduledFor)
				}
			})
		})
	}
	t.Run("purge takes children", func(t *testing.T) {
		inHub(t, httpapi.Config{}, func(t *testing.T, h *hub) {
			for _, request := range []string{"POST /orchestrators/flow.Parent/p", "POST /instances/p/terminate"} {
				method, path, _ := strings.Cut(request, " ")
				h.ask(method, webhooks+path, "")
				h.pass()
			}
			row{code: 200, answer: `{"instancesDeleted":2}`}.check(t, h.ask("DELETE", webhooks+"/instances/p?recursive=true", ""))
		})
	})
	t.Run("a wait is cut", func(t *testing.T) {
		inHub(t, httpapi.Config{MaxWait: 3 * time.Second}, func(t *testing.T, h *hub) {
			begin := time.Now()
			row{code: 202, answer: "~statusQueryGetUri"}.check(t, h.ask("POST", webhooks+"/orchestrators/flow.Wait/x?timeout=100", ""))
			if took := time.Since(begin); took < 3*time.Second || took > 4*time.Second {
				t.Errorf("it took %v, want 3 s", took)
			}
		})
	})
	// No start without its answer: what a wait needs is checked before.
	t.Run("a bad wait starts nothing", func(t *testing.T) {
		inHub(t, httpapi.Config{}, func(t *testing.T, h *hub) {
			h.ask("POST", webhooks+"/orchestrators/flow.Echo/x?timeout=1&pollingInterval=2", "")
			h.ask("POST", webhooks+"/orchestrators/flow.Echo/x?tags=x", "")
			row{code: 404}.check(t, h.ask("GET", webhooks+"/instances/x", ""))
		})
	})
}
