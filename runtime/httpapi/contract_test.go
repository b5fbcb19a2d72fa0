package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/runtime/httpapi"
)

// row is a request and what the contract wants for an answer. A body that begins with ~ need only contain the words behind
// it, between which stands "…".
type row struct {
	name, request string // "POST /instances/x/terminate", below the prefix
	body          string
	header        []string
	code          int
	answer        string
	headers       string // some of the answer, "Name: value; Name: value"
}

const asJSON = "Content-Type: application/json"

var at = regexp.MustCompile(`"(2000-01-01T[0-9:.]+Z)"`)

// check compares an answer; times stand as T.
func (want row) check(t *testing.T, got *httptest.ResponseRecorder) {
	t.Helper()
	body := at.ReplaceAllString(got.Body.String(), `"T"`)
	if got.Code != want.code {
		t.Errorf("code %d, want %d; body %s", got.Code, want.code, body)
	}
	if words, some := strings.CutPrefix(want.answer, "~"); some {
		for word := range strings.SplitSeq(words, "…") {
			if !strings.Contains(body, word) {
				t.Errorf("body %s does not say %q", body, word)
			}
		}
	} else if diff := cmp.Diff(want.answer, body); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
	for line := range strings.SplitSeq(want.headers, "; ") {
		name, value, _ := strings.Cut(line, ": ")
		if has := got.Header().Get(name); name != "" && has != value {
			t.Errorf("header %s is %q, want %q", name, has, value)
		}
	}
	if got.Body.Len() > 0 && got.Header().Get("Content-Type") != "application/json; charset=utf-8" {
		t.Errorf("Content-Type %q", got.Header().Get("Content-Type"))
	}
	if got.Body.Len() > 0 && !json.Valid(got.Body.Bytes()) {
		t.Errorf("the body is no JSON: %s", body)
	}
}

// inEachPrefix runs rows below both prefixes, each on a hub of its own with an instance in each state. In what is wanted
// the prefix stands as PREFIX.
func inEachPrefix(t *testing.T, rows []row) {
	t.Parallel()
	for _, r := range rows {
		for _, prefix := range []string{webhooks, "/durabletask"} {
			r := r
			r.answer, r.headers = strings.ReplaceAll(r.answer, "PREFIX", prefix), strings.ReplaceAll(r.headers, "PREFIX", prefix)
			t.Run(r.name+prefix, func(t *testing.T) {
				inHub(t, httpapi.Config{MaxBody: 1000}, func(t *testing.T, h *hub) {
					h.populate()
					method, path, _ := strings.Cut(r.request, " ")
					r.check(t, h.ask(method, prefix+path, r.body, r.header...))
				})
			})
		}
	}
}

// links is the body of an answer to a start.
func links(id string) string {
	at := "http://club.example:7071PREFIX/instances/" + id
	about := `taskHub=club\u0026connection=Storage"`
	return fmt.Sprintf(`{"id":%q,"statusQueryGetUri":"%[2]s?%[3]s,"sendEventPostUri":"%[2]s/raiseEvent/{eventName}?%[3]s,`+
		`"terminatePostUri":"%[2]s/terminate?reason={text}\u0026%[3]s,"rewindPostUri":"%[2]s/rewind?reason={text}\u0026%[3]s,`+
		`"purgeHistoryDeleteUri":"%[2]s?%[3]s,"restartPostUri":"%[2]s/restart?%[3]s,`+
		`"suspendPostUri":"%[2]s/suspend?reason={text}\u0026%[3]s,"resumePostUri":"%[2]s/resume?reason={text}\u0026%[3]s}`, id, at, about)
}

const webhooks = "/runtime/webhooks/durabletask"

func TestStart(t *testing.T) {
	wrong := `~"Message":"One or more of the arguments submitted is incorrect"…"ExceptionMessage":"`
	inEachPrefix(t, []row{
		{"an id", "POST /orchestrators/flow.Echo/x", `{"a":1}`, nil, 202, links("x"),
			"Location: http://club.example:7071PREFIX/instances/x?taskHub=club&connection=Storage; Retry-After: 10"},
		{"an id that needs encoding", "POST /orchestrators/flow.Echo/x%20y%2F%26", "", nil, 202, `~"id":"x y/\u0026"…http://club.example:7071PREFIX/instances/x%20y%2F%26?`, ""},
		{"no id", "POST /orchestrators/flow.Echo", "", nil, 202, `~"statusQueryGetUri":"http://club.example:7071PREFIX/instances/`, "Retry-After: 10"},
		{"slashes at the end, other case", "POST /Orchestrators/flow.Echo/x/", "", nil, 202, links("x"), ""},
		{"hub and connection in any case", "POST /orchestrators/flow.Echo?TASKHUB=CLUB&Connection=Other", "", nil, 202, `~taskHub=club\u0026connection=Other`, ""},
		{"no JSON", "POST /orchestrators/flow.Echo", `{"a"`, nil, 400, `~"Message":"Invalid JSON content"…unexpected end`, ""},
		{"not UTF-8", "POST /orchestrators/flow.Echo", "\"\xff\"", nil, 400, `~Invalid JSON content…UTF-8`, ""},
		{"unknown function", "POST /orchestrators/flow.None", "", nil, 400, wrong + `…no such orchestrator…flow.None`, ""},
		{"a name that is none", "POST /orchestrators/a%20b", "", nil, 400, wrong, ""},
		{"an id that is none", "POST /orchestrators/flow.Echo/%00", "", nil, 400, wrong + "…control character", ""},
		{"an id that is too long", "POST /orchestrators/flow.Echo/" + strings.Repeat("x", 201), "", nil, 400, wrong + "…201 bytes", ""},
		{"a template", "POST /orchestrators/%7BfunctionName%7D", "", nil, 400, wrong + "…{functionName}", ""},
		{"a template for the id", "POST /orchestrators/flow.Echo/%7BinstanceId%7D", "", nil, 400, wrong + "…{instanceId}", ""},
		{"an id that lives", "POST /orchestrators/flow.Echo/running", "", nil, 409, `~"Message":"The state of the instance does not allow this"…exists already`, ""},
		{"an id that has ended", "POST /orchestrators/flow.Echo/completed", "", nil, 202, links("completed"), ""},
		{"a huge body", "POST /orchestrators/flow.Echo", `"` + strings.Repeat("x", 1000) + `"`, nil, 413, `~"Message":"The body is too large"`, ""},
		{"another hub", "POST /orchestrators/flow.Echo?taskHub=other", "", nil, 400, wrong + `…serves the task hub \"club\"…other`, ""},
		{"bad tags", "POST /orchestrators/flow.Echo?tags=x", "", nil, 400, wrong + "…key=value", ""},
		{"a bad time", "POST /orchestrators/flow.Echo?startAt=soon", "", nil, 400, wrong + "…startAt=soon", ""},
		{"wait: completed", "POST /orchestrators/flow.Echo?timeout=10&pollingInterval=1.5", `{"a":[1]}`, nil, 200, `{"a":[1]}`, "Location: "},
		{"wait: the timeout is enough", "POST /orchestrators/flow.Echo?timeout=10", `"x"`, nil, 200, `"x"`, ""},
		{"wait: null", "POST /orchestrators/flow.Echo?timeout=10", "", nil, 200, `null`, ""},
		{"wait: the empty string", "POST /orchestrators/flow.Echo?timeout=10", `""`, nil, 200, `""`, ""},
		{"wait: failed", "POST /orchestrators/flow.Pay?timeout=10", `5`, nil, 200, `~"runtimeStatus":"Failed"…card declined`, ""},
		{"wait: failed, as an error", "POST /orchestrators/flow.Pay?timeout=10&returnInternalServerErrorOnFailure=true", `5`, nil, 500, `~"runtimeStatus":"Failed"`, ""},
		{"wait: not done", "POST /orchestrators/flow.Wait/x?timeout=10", ``, nil, 202, links("x"), "Retry-After: 10"},
		{"wait: interval longer than timeout", "POST /orchestrators/flow.Echo/x?timeout=1&pollingInterval=2", ``, nil, 400, wrong + "…pollingInterval=2", ""},
		{"wait: a negative timeout", "POST /orchestrators/flow.Echo/x?timeout=-1", ``, nil, 400, wrong + "…timeout=-1", ""},
		{"wait: no number", "POST /orchestrators/flow.Echo/x?timeout=long", ``, nil, 202, links("x"), ""},
	})
}

func TestStatus(t *testing.T) {
	self := "Location: http://club.example:7071PREFIX/instances/"
	one := func(name, id, status, input, custom, output, more string) string {
		return fmt.Sprintf(`{"name":"flow.%s","instanceId":"%s","runtimeStatus":"%s","input":%s,"customStatus":%s,"output":%s,"createdTime":"T","lastUpdatedTime":"T"%s}`,
			name, id, status, input, custom, output, more)
	}
	in, v2 := `"\u003cin\u003e"`, `,"version":"2.0"`
	failure := `"durable: activity bank.Charge, attempt 1: card declined"`
	inEachPrefix(t, []row{
		{"running", "GET /instances/running?showInput=true", "", nil, 202, one("Wait", "running", "Running", in, `"waiting"`, "null", v2), self + "running?showInput=true; Retry-After: 5"},
		{"pending", "GET /instances/pending", "", nil, 202, one("Wait", "pending", "Pending", "null", "null", "null", v2), "Retry-After: 5"},
		{"suspended", "GET /instances/suspended", "", nil, 202, one("Wait", "suspended", "Suspended", in, `"waiting"`, `"audit"`, v2), "Retry-After: 5"},
		{"completed", "GET /instances/completed", "", nil, 200, one("Echo", "completed", "Completed", `{"a":1}`, "null", `{"a":1}`, ""), "Location: ; Retry-After: "},
		{"terminated", "GET /instances/terminated", "", nil, 200, one("Wait", "terminated", "Terminated", in, `"waiting"`, `"enough"`, v2), "Location: "},
		{"failed", "GET /instances/failed", "", nil, 200, one("Pay", "failed", "Failed", "5", "null", failure, ""), "Location: "},
		{"failed, as an error", "GET /instances/failed?returnInternalServerErrorOnFailure=TRUE", "", nil, 500, one("Pay", "failed", "Failed", "5", "null", failure, ""), ""},
		{"failed, no flag", "GET /instances/failed?returnInternalServerErrorOnFailure=1", "", nil, 200, one("Pay", "failed", "Failed", "5", "null", failure, ""), ""},
		{"no input", "GET /instances/completed?showInput=False", "", nil, 200, one("Echo", "completed", "Completed", "null", "null", `{"a":1}`, ""), ""},
		{"an id that needs encoding", "GET /Instances/a%20b%2Fc", "", nil, 202, one("Wait", "a b/c", "Running", in, `"waiting"`, "null", v2), ""},
		{"missing", "GET /instances/none", "", nil, 404, "", ""},
		{"an id that is none", "GET /instances/%00", "", nil, 404, "", ""},
		{"summary", "GET /instances/running?showSummary=true", "", nil, 202, `~"summary":"waiting for event go since 4 s, no deadline"`, ""},
		{"history without outputs", "GET /instances/completed?showHistory=true", "", nil, 200,
			`~"historyEvents":[{"EventType":"ExecutionStarted","Timestamp":"T","FunctionName":"flow.Echo","Input":"{\"a\":1}"},{"EventType":"ExecutionCompleted","Timestamp":"T","OrchestrationStatus":"Completed"}]}`, ""},
		{"history with outputs", "GET /instances/completed?showHistory=true&showHistoryOutput=true", "", nil, 200, `~"Result":{"a":1},"OrchestrationStatus":"Completed"}]}`, ""},
		{"history without inputs", "GET /instances/completed?showHistory=true&showInput=false", "", nil, 200, `~"input":null…"EventType":"ExecutionStarted","Timestamp":"T","FunctionName":"flow.Echo"}`, ""},
		{"history of a failure", "GET /instances/failed?showHistory=true", "", nil, 200,
			`~{"EventType":"TaskFailed","Timestamp":"T","FunctionName":"bank.Charge","ScheduledTime":"T","Reason":"card declined","FailureDetails":{"ErrorType":"","ErrorMessage":"card declined"}}…"OrchestrationStatus":"Failed"`, ""},
		{"history of a suspend", "GET /instances/suspended?showHistory=true", "", nil, 202, `~{"EventType":"ExecutionSuspended","Timestamp":"T","Reason":"audit"}]`, ""},
		{"history of a terminate", "GET /instances/terminated?showHistory=true&showInput=false", "", nil, 200, `~{"EventType":"ExecutionTerminated","Timestamp":"T","Input":"enough"}`, ""},
		{"a pending one has no history", "GET /instances/pending?showHistory=true", "", nil, 202, one("Wait", "pending", "Pending", "null", "null", "null", v2), ""},
	})
}

func TestSteer(t *testing.T) {
	wrong := `~"Message":"One or more of the arguments submitted is incorrect"`
	var rows []row
	for _, verb := range []string{"terminate", "suspend", "resume", "rewind", "raiseEvent/go"} {
		rows = append(rows, row{verb + ": missing", "POST /instances/none/" + verb + "?reason=x", "1", []string{asJSON}, 404, "", ""})
		rows = append(rows, row{verb + ": an id that is none", "POST /instances/%00/" + verb, "1", []string{asJSON}, 404, "", ""})
		if verb == "rewind" {
			continue
		}
		for _, id := range []string{"completed", "failed", "terminated"} {
			rows = append(rows, row{verb + ": " + id, "POST /instances/" + id + "/" + verb, "1", []string{asJSON}, 410, "", ""})
		}
	}
	inEachPrefix(t, append(rows, []row{
		{"raise", "POST /instances/running/raiseEvent/go", `{"x":1}`, []string{asJSON}, 202, "", ""},
		{"raise: charset, case, encoding", "POST /instances/a%20b%2Fc/RAISEEVENT/Go", `1`, []string{asJSON + "; charset=utf-8"}, 202, "", ""},
		{"raise: nothing is null", "POST /instances/running/raiseEvent/go", "", []string{asJSON}, 202, "", ""},
		{"raise: to a pending one", "POST /instances/pending/raiseEvent/go", "1", []string{asJSON}, 202, "", ""},
		{"raise: no type", "POST /instances/running/raiseEvent/go", "1", nil, 400, `~"Message":"Only application/json request content is supported"`, ""},
		{"raise: another type", "POST /instances/running/raiseEvent/go", "1", []string{"Content-Type: text/plain"}, 400, `~Only application/json`, ""},
		{"raise: no JSON", "POST /instances/running/raiseEvent/go", "{", []string{asJSON}, 400, `~"Message":"Invalid JSON content"`, ""},
		{"raise: a huge body", "POST /instances/running/raiseEvent/go", strings.Repeat("1", 1001), []string{asJSON}, 413, `~too large`, ""},
		{"raise: a template", "POST /instances/running/raiseEvent/%7BeventName%7D", "1", []string{asJSON}, 400, wrong, ""},
		{"raise: a name that is none", "POST /instances/running/raiseEvent/a%20b", "1", []string{asJSON}, 400, wrong, ""},
		{"terminate", "POST /instances/running/terminate?reason=a%20b&c=d", "", nil, 202, "", ""},
		{"terminate: pending", "POST /instances/pending/terminate", "", nil, 202, "", ""},
		{"terminate: a template", "POST /instances/running/terminate?reason={text}", "", nil, 400, wrong + "…{text}", ""},
		{"terminate: a long reason", "POST /instances/running/terminate?reason=" + strings.Repeat("x", 4097), "", nil, 400, wrong + "…4097 bytes", ""},
		{"suspend", "POST /instances/running/suspend?reason=x", "", nil, 202, "", ""},
		{"suspend: already", "POST /instances/suspended/suspend", "", nil, 500, `~"Message":"Something went wrong while processing your request"…the instance is Suspended: it can be resumed`, ""},
		{"resume", "POST /instances/suspended/Resume?reason=x", "", nil, 202, "", ""},
		{"resume: it is not", "POST /instances/running/resume", "", nil, 500, `~Something went wrong…the instance is Running: it can be suspended`, ""},
		{"rewind", "POST /instances/failed/rewind?reason=x", "", nil, 202, "", ""},
		{"rewind: running", "POST /instances/running/rewind", "", nil, 412, `~"Message":"Only a failed instance can be rewound"…it is Running`, ""},
		{"rewind: completed", "POST /instances/completed/rewind", "", nil, 412, `~it is Completed`, ""},
		{"rewind: terminated", "POST /instances/terminated/rewind", "", nil, 412, `~it is Terminated`, ""},
		{"restart", "POST /instances/completed/restart", "", nil, 202, `~"id":"…"restartPostUri"`, "Retry-After: 10"},
		{"restart: same id", "POST /instances/completed/restart?restartWithNewInstanceId=false", "", nil, 202, `~"id":"completed"`, ""},
		{"restart: same id, running", "POST /instances/running/restart?restartWithNewInstanceId=false", "", nil, 409, `~it is Running`, ""},
		{"restart: waits", "POST /instances/completed/restart?timeout=5&pollingInterval=1", "", nil, 200, `{"a":1}`, ""},
		{"restart: interval longer than timeout", "POST /instances/completed/restart?timeout=1&pollingInterval=2", "", nil, 400, wrong, ""},
		{"restart: missing", "POST /instances/none/restart", "", nil, 400, wrong, ""},
		{"restart: an id that is none", "POST /instances/%00/restart", "", nil, 400, wrong, ""},
	}...))
}

func TestPurge(t *testing.T) {
	since := "createdTimeFrom=1999-01-01T00:00:00.000Z"
	inEachPrefix(t, []row{
		{"one", "DELETE /instances/completed", "", nil, 200, `{"instancesDeleted":1}`, ""},
		{"missing", "DELETE /instances/none", "", nil, 404, "", ""},
		{"an id that is none", "DELETE /instances/%00", "", nil, 404, "", ""},
		{"running", "DELETE /instances/running", "", nil, 409, `~terminate it first`, ""},
		{"all that ended", "DELETE /instances?" + since, "", nil, 200, `{"instancesDeleted":3}`, ""},
		{"a slash at the end", "DELETE /instances/?" + since, "", nil, 200, `{"instancesDeleted":3}`, ""},
		{"by status", "DELETE /instances?" + since + "&runtimeStatus=Failed,Terminated", "", nil, 200, `{"instancesDeleted":2}`, ""},
		{"only unknown statuses", "DELETE /instances?" + since + "&runtimeStatus=failed", "", nil, 200, `{"instancesDeleted":3}`, ""},
		{"what runs is left alone", "DELETE /instances?" + since + "&runtimeStatus=Running", "", nil, 404, "", ""},
		{"nothing so old", "DELETE /instances?" + since + "&createdTimeTo=1999-12-31", "", nil, 404, "", ""},
		{"nothing so young", "DELETE /instances?createdTimeFrom=2001-01-01", "", nil, 404, "", ""},
		{"no time", "DELETE /instances", "", nil, 400, `"Please provide value for 'createdTimeFrom' parameter."`, ""},
		{"a bad time", "DELETE /instances?createdTimeFrom=soon", "", nil, 400, `~createdTimeFrom`, ""},
		{"bad tags", "DELETE /instances?" + since + "&tags=x", "", nil, 400, `~key=value`, ""},
	})
}

// TestNotFound: wrong methods, unknown routes and what is not served are 404 without a body.
func TestNotFound(t *testing.T) {
	var rows []row
	for _, request := range []string{
		"GET /orchestrators/flow.Echo", "PUT /instances/running", "POST /instances", "POST /instances/running", "GET /instances/running/terminate",
		"DELETE /instances/running/terminate", "POST /instances/running/explode", "GET /", "GET /x", "POST /instances/running/raiseEvent",
		"POST /instances/a//terminate", "GET /instances/..", "GET /entities/counter/x", "POST /entities/counter/x?op=add", "DELETE /entities/counter/x", "GET /entities", "POST /makeprimary",
	} {
		rows = append(rows, row{strings.ReplaceAll(request, "/", "|"), request, "", []string{asJSON}, 404, "", ""})
	}
	inEachPrefix(t, rows)
}
