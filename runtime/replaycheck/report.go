package replaycheck

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	durable "github.com/durablegen/durablegen/runtime"
)

// Verdict is what has become of a replay.
type Verdict string

// The verdicts.
const (
	OK          Verdict = "ok"           // the code does again all that is recorded
	Mismatch    Verdict = "mismatch"     // it does something else, or panics
	Undecodable Verdict = "undecodable"  // it cannot read a payload of the history
	WithoutCode Verdict = "without code" // there is no orchestrator of that name, version and group

	gone Verdict = ""
)

// Finding is what the replay of an instance has come to: one that does not fit, or, with the verdict OK, one that this code
// ends as Failed where it stands.
type Finding struct {
	Verdict      Verdict        `json:"verdict"`
	Instance     string         `json:"instance"`
	Group        string         `json:"group"`
	Orchestrator string         `json:"orchestrator"`
	Version      string         `json:"version,omitempty"`
	Status       durable.Status `json:"status"`

	// Of a mismatch of decisions: run-execution-slot, and both sides in words and as file:line, "" when it is not known.
	Slot       string `json:"slot,omitempty"`
	Expected   string `json:"expected,omitempty"`
	Actual     string `json:"actual,omitempty"`
	ExpectedAt string `json:"expectedAt,omitempty"`
	ActualAt   string `json:"actualAt,omitempty"`

	Reason string `json:"reason"`
}

// Report is what a check has come to.
type Report struct {
	Hub         string    `json:"hub"`
	Histories   int       `json:"histories"` // that were replayed
	Live        int       `json:"live"`      // of them, of instances that have not ended
	OK          int       `json:"ok"`
	Mismatch    int       `json:"mismatch"`
	Undecodable int       `json:"undecodable"`
	WithoutCode int       `json:"withoutCode"`
	Gone        int       `json:"gone"` // were purged meanwhile, or their history is not kept any more
	Findings    []Finding `json:"-"`
}

// Fits reports whether every history fits.
func (r *Report) Fits() bool { return r.Mismatch+r.Undecodable+r.WithoutCode == 0 }

func (r *Report) add(f Finding) {
	switch f.Verdict {
	case gone:
		r.Gone++
		return
	case OK:
		r.OK++
	case Mismatch:
		r.Mismatch++
	case Undecodable:
		r.Undecodable++
	case WithoutCode:
		r.WithoutCode++
	}
	r.Histories++
	if !f.Status.Final() {
		r.Live++
	}
	if f.Verdict != OK || f.Reason != "" {
		r.Findings = append(r.Findings, f)
	}
}

func (r *Report) sort() {
	slices.SortFunc(r.Findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), cmp.Compare(a.Orchestrator, b.Orchestrator), cmp.Compare(a.Version, b.Version),
			cmp.Compare(a.alike(), b.alike()), cmp.Compare(a.Instance, b.Instance))
	})
}

func (f *Finding) rank() int {
	return slices.Index([]Verdict{Mismatch, Undecodable, WithoutCode, OK}, f.Verdict)
}

// alike is the same for findings that one change in the code has probably caused.
func (f *Finding) alike() string {
	return strings.Join([]string{string(f.Verdict), f.Orchestrator, f.Version, f.ExpectedAt, f.ActualAt}, "\x00")
}

// Write prints the report. JSON is an object a line: each finding, then the report without them.
func (r *Report) Write(w io.Writer, format string) error {
	switch format {
	case "json":
		return r.writeJSON(w)
	case "markdown":
		return r.write(w, markdown)
	case "text":
		return r.write(w, plain)
	}
	return fmt.Errorf("the format %q is none of text, json and markdown", format)
}

func (r *Report) writeJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	for _, f := range r.Findings {
		if err := e.Encode(f); err != nil {
			return err
		}
	}
	return e.Encode(r)
}

// style is how the report is marked up.
type style struct{ head, item, detail, more string }

var (
	plain    = style{head: "%s\n", item: "%s %s (%s, %s)\n", detail: "    %s\n", more: "    and %d more like it\n"}
	markdown = style{head: "### Replay against reality\n\n%s\n", item: "\n- **%s** `%s` (%s, %s)\n", detail: "  - %s\n", more: "  - and %d more like it\n"}
)

// mostAlike is how many findings are shown that one change has caused.
const mostAlike = 3

func (r *Report) write(w io.Writer, s style) error {
	var b strings.Builder
	fmt.Fprintf(&b, s.head, r.summary())
	for n := 0; n < len(r.Findings); {
		alike := n
		for alike < len(r.Findings) && r.Findings[alike].alike() == r.Findings[n].alike() {
			if alike < n+mostAlike {
				r.Findings[alike].write(&b, s)
			}
			alike++
		}
		if more := alike - n - mostAlike; more > 0 {
			fmt.Fprintf(&b, s.more, more)
		}
		n = alike
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *Report) summary() string {
	text := fmt.Sprintf("hub %s: %d histories replayed, %d of live instances: %d ok, %d mismatch, %d undecodable, %d without code",
		r.Hub, r.Histories, r.Live, r.OK, r.Mismatch, r.Undecodable, r.WithoutCode)
	if r.Gone > 0 {
		text += fmt.Sprintf("; %d are not kept any more", r.Gone)
	}
	return text
}

func (f *Finding) write(b *strings.Builder, s style) {
	name := f.Orchestrator
	if f.Version != "" {
		name += " version " + f.Version
	}
	verdict := string(f.Verdict)
	if f.Verdict == OK {
		verdict = "note"
	}
	fmt.Fprintf(b, s.item, verdict, f.Instance, name, f.Status)
	if f.Slot == "" {
		fmt.Fprintf(b, s.detail, strings.ReplaceAll(f.Reason, "\n", " "))
		return
	}
	fmt.Fprintf(b, s.detail, "slot "+f.Slot)
	fmt.Fprintf(b, s.detail, "recorded: "+at(f.Expected, f.ExpectedAt))
	fmt.Fprintf(b, s.detail, "now:      "+at(f.Actual, f.ActualAt))
}

func at(what, where string) string {
	if where == "" {
		return what
	}
	return what + " at " + where
}
