// Package deploy_test reads what is for other programs to read, and checks what they would not say until it is too late.
package deploy_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/durablegen/durablegen/internal/history"
)

// documents are those of a YAML file.
func documents(t *testing.T, path string) (all []map[string]any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for d := yaml.NewDecoder(bytes.NewReader(text)); ; {
		var doc map[string]any
		switch err := d.Decode(&doc); {
		case errors.Is(err, io.EOF):
			return all
		case err != nil:
			t.Fatalf("%s: %v", path, err)
		}
		all = append(all, doc)
	}
}

// at follows keys, and indices of lists, into a document.
func at(t *testing.T, doc any, path ...any) any {
	t.Helper()
	for n, step := range path {
		switch step := step.(type) {
		case string:
			doc = doc.(map[string]any)[step]
		case int:
			doc = doc.([]any)[step]
		}
		if doc == nil {
			t.Fatalf("nothing at %v", path[:n+1])
		}
	}
	return doc
}

func TestKubernetes(t *testing.T) {
	t.Parallel()
	worker := documents(t, "kubernetes/worker.yaml")
	scaler := documents(t, "kubernetes/keda.yaml")[0]
	documents(t, "kubernetes/nats-values.yaml")

	spec := at(t, worker[0], "spec", "template", "spec")
	container := at(t, spec, "containers", 0)
	for probe, path := range map[string]string{"livenessProbe": "/livez", "readinessProbe": "/readyz", "startupProbe": "/livez"} {
		if got := at(t, container, probe, "httpGet", "path"); got != path {
			t.Errorf("%s asks %s, want %s", probe, got, path)
		}
	}
	known := environment(t)
	for _, e := range at(t, container, "env").([]any) {
		name, value := at(t, e, "name").(string), at(t, e, "value").(string)
		if !slices.Contains(known, name) && !strings.HasPrefix(name, "GO") {
			t.Errorf("the worker does not read %s", name)
		}
		if name == "DRAIN" {
			outlives(t, value, time.Duration(at(t, spec, "terminationGracePeriodSeconds").(int))*time.Second)
		}
	}
	if got := at(t, scaler, "spec", "scaleTargetRef", "name"); got != at(t, worker[0], "metadata", "name") {
		t.Errorf("KEDA scales %v", got)
	}
	if got, want := at(t, scaler, "spec", "triggers", 0, "metadata", "consumer"), "task_"+history.EncodeID("workload.Greet"); got != want {
		t.Errorf("KEDA reads the consumer %v, the activity's is %s", got, want)
	}
}

// outlives checks that a worker has time to drain before it is killed.
func outlives(t *testing.T, drain string, grace time.Duration) {
	t.Helper()
	d, err := time.ParseDuration(drain)
	if err != nil {
		t.Fatal(err)
	}
	if grace < d+10*time.Second {
		t.Errorf("it drains for %v and is killed after %v", d, grace)
	}
}

// environment gives the names of the settings that the worker reads.
func environment(t *testing.T) (names []string) {
	t.Helper()
	code, err := os.ReadFile("worker/main.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`env\("(\w+)"\)`).FindAllStringSubmatch(string(code), -1) {
		names = append(names, m[1])
	}
	if len(names) < 4 {
		t.Fatalf("the worker reads %v only: this test does not see what it reads", names)
	}
	return names
}

// TestSystemd: every line of the unit is a section or a setting, and it is given the time that it needs.
func TestSystemd(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("systemd/worker.service")
	if err != nil {
		t.Fatal(err)
	}
	settings := map[string]string{}
	section := ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		key, value, ok := strings.Cut(line, "=")
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '[' && slices.Contains([]string{"[Unit]", "[Service]", "[Install]"}, line):
			section = line
		case !ok || section == "" || !regexp.MustCompile(`^[A-Z]\w+$`).MatchString(key):
			t.Errorf("no setting: %q", line)
		default:
			settings[section+key] += " " + value
		}
	}
	known := environment(t)
	for word := range strings.FieldsSeq(settings["[Service]Environment"]) {
		name, value, _ := strings.Cut(word, "=")
		if !slices.Contains(known, name) {
			t.Errorf("the worker does not read %s", name)
		}
		if name == "DRAIN" {
			grace, err := time.ParseDuration(strings.TrimSpace(settings["[Service]TimeoutStopSec"]))
			if err != nil {
				t.Fatal(err)
			}
			outlives(t, value, grace)
		}
	}
	if got := settings["[Service]Restart"]; got != " on-failure" {
		t.Errorf("Restart=%s: a worker that has lost its connection for good exits with 1", got)
	}
}

// TestProductionPage: what the page says of files and commands that cmd/durable's test of it cannot run.
func TestProductionPage(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/production.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	rules := 0
	for _, group := range at(t, documents(t, "prometheus/alerts.yml")[0], "groups").([]any) {
		for _, rule := range at(t, group, "rules").([]any) {
			if at(t, rule, "alert") == "DurableNoWorker" && at(t, rule, "for") != "2m" {
				t.Errorf("DurableNoWorker comes after %v, the page says 2 minutes", at(t, rule, "for"))
			}
			rules++
		}
	}
	if want := fmt.Sprintf("SUCCESS: %d rules found", rules); !strings.Contains(page, want) {
		t.Errorf("the page does not say %q", want)
	}
	for _, m := range regexp.MustCompile(`\]\(\.\./(deploy/[^)#]*)\)|(deploy/[\w./-]+\.\w+)`).FindAllStringSubmatch(page, -1) {
		if _, err := os.Stat("../" + m[1] + m[2]); err != nil {
			t.Errorf("the page names a file that is not there: %v", err)
		}
	}
	name := at(t, documents(t, "kubernetes/worker.yaml")[0], "metadata", "name").(string)
	for _, m := range regexp.MustCompile(`deployment/(\w+)`).FindAllStringSubmatch(page, -1) {
		if m[1] != name {
			t.Errorf("the page names the Deployment %s, it is called %s", m[1], name)
		}
	}
}

// TestDockerfile: it builds the worker that is there.
func TestDockerfile(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^ARG MODULE=deploy/(\S+)$`).FindStringSubmatch(string(text))
	if m == nil {
		t.Fatal("the Dockerfile names no module")
	}
	if _, err := os.Stat(m[1] + "/go.mod"); err != nil {
		t.Error(err)
	}
}
