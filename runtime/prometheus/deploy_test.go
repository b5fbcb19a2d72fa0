package durableprom_test

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/VictoriaMetrics/metricsql"
	"github.com/prometheus/client_golang/prometheus"
	"go.yaml.in/yaml/v3"

	durableprom "github.com/durablegen/durablegen/runtime/prometheus"
)

// described matches what a description prints of itself.
var described = regexp.MustCompile(`fqName: "([^"]+)".*variableLabels: \{([^}]*)\}`)

// metrics gives the labels of each metric, by its name.
func metrics(t *testing.T) map[string][]string {
	t.Helper()
	descs := make(chan *prometheus.Desc, 100)
	durableprom.New(durableprom.Config{}).Describe(descs)
	close(descs)
	known := map[string][]string{}
	for d := range descs {
		m := described.FindStringSubmatch(d.String())
		if m == nil {
			t.Fatalf("a description has another form: %s", d)
		}
		known[m[1]] = strings.Split(m[2], ",")
	}
	return known
}

// asks checks that an expression is one, and gives the metrics that it asks for.
func asks(t *testing.T, where, expr string, known map[string][]string) (asked []string) {
	t.Helper()
	expr = strings.NewReplacer("$__rate_interval", "5m", "$group", ".*").Replace(expr)
	parsed, err := metricsql.Parse(expr)
	if err != nil {
		t.Errorf("%s: %v", where, err)
		return nil
	}
	metricsql.VisitAll(parsed, func(e metricsql.Expr) {
		m, ok := e.(*metricsql.MetricExpr)
		if !ok {
			return
		}
		for _, filters := range m.LabelFilterss {
			name := filters[0].Value
			for _, end := range []string{"_bucket", "_sum", "_count"} {
				name = strings.TrimSuffix(name, end)
			}
			labels, ok := known[name]
			if !ok {
				t.Errorf("%s asks for %s, which there is not", where, name)
			}
			for _, f := range filters[1:] {
				if !strings.Contains(","+strings.Join(labels, ",")+",", ","+f.Label+",") {
					t.Errorf("%s: %s has no label %s", where, name, f.Label)
				}
			}
			asked = append(asked, name)
		}
	})
	return asked
}

// TestDashboard: every query of the dashboard is one, of metrics that exist, and every metric is on it.
func TestDashboard(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../deploy/grafana/durablegen.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &dashboard); err != nil {
		t.Fatal(err)
	}
	known, shown := metrics(t), map[string]bool{"durable_loop_interval_seconds": true, "durable_worker_resigned": true} // alerts have them
	for _, p := range dashboard.Panels {
		for _, target := range p.Targets {
			for _, name := range asks(t, p.Title, target.Expr, known) {
				shown[name] = true
			}
		}
	}
	for name := range known {
		if !shown[name] {
			t.Errorf("%s is on no panel", name)
		}
	}
}

// TestAlerts: every alert asks for metrics that exist, and has its section in the runbooks; every section has its alert.
func TestAlerts(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../deploy/prometheus/alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	var rules struct {
		Groups []struct {
			Rules []struct {
				Alert       string
				Expr        string
				Labels      map[string]string
				Annotations map[string]string
			}
		}
	}
	if err := yaml.Unmarshal(text, &rules); err != nil {
		t.Fatal(err)
	}
	runbooks, err := os.ReadFile("../../docs/runbooks.md")
	if err != nil {
		t.Fatal(err)
	}
	sections := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^## (Durable\w+)$`).FindAllStringSubmatch(string(runbooks), -1) {
		sections[m[1]] = true
	}
	known := metrics(t)
	for _, g := range rules.Groups {
		for _, r := range g.Rules {
			if len(asks(t, r.Alert, r.Expr, known)) == 0 {
				t.Errorf("%s asks for nothing", r.Alert)
			}
			if !strings.HasSuffix(r.Annotations["runbook_url"], "/docs/runbooks.md#"+strings.ToLower(r.Alert)) || !sections[r.Alert] {
				t.Errorf("%s has no runbook: %q", r.Alert, r.Annotations["runbook_url"])
			}
			if r.Annotations["summary"] == "" || r.Labels["severity"] == "" {
				t.Errorf("%s says too little: %+v", r.Alert, r)
			}
			delete(sections, r.Alert)
		}
	}
	for alert := range sections {
		t.Errorf("the runbook of %s has no alert", alert)
	}
}
