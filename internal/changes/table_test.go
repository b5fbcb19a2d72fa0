package changes_test

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	table = "../../docs/changes-table.md"
	list  = "../../docs/changes-list.md"
)

const tableHead = `# Changes of code, and what they do to instances that run

Each change is a pair of programs in [testdata/changes](../testdata/changes): old code has been stopped at every point of a run
and new code has gone on from there. *Safe* says that this broke nothing, *unsafe* that it broke an instance at some point: it was
parked, if only for a while, or a payload could not be read. A pair of each verdict stands here by kind of change;
[changes-list.md](changes-list.md) has all of them. Of those in [testdata/limits](../testdata/limits) ` + "`durablegen check`" + ` says something
else. Both pages are written by ` + "`go test ./internal/changes -run TestTable -update`" + `.

`

const listHead = `# All pairs of changes

What a row says is told in [changes-table.md](changes-table.md), which is the short form of this page.
`

// kindsOfChange are in the order of the table, with the pairs that show them best.
var kindsOfChange = []struct {
	kind, says string
	pairs      []string
}{
	{"arguments", "what an activity or child is called with", []string{"bank_fee", "shop_argument_omitempty", "canal_fee_ignored"}},
	{"computation", "what a value is computed from", nil},
	{"decisions", "a call, event or child more or less", []string{"hotel_no_release", "shop_remove_middle"}},
	{"order", "the same calls in another order", []string{"hotel_clean_first", "canal_wave_after_pilot"}},
	{"conditions", "when a branch is taken", []string{"bank_urgent_asks", "canal_lock_checked"}},
	{"branches", "a branch more or less", []string{"club_card_for_all", "loan_default_added", "clinic_else_added"}},
	{"loops", "how often a loop runs", []string{"bank_tries", "club_attempts_more_at_end"}},
	{"waits", "what is waited for, and for how long", []string{"shop_sleep_added", "club_select_case_added", "loan_within_removed"}},
	{"time", "durations, the clock and random numbers", []string{"fleet_now_moved", "club_deadline_longer"}},
	{"random", "what is drawn", nil},
	{"errors", "how failures are handled", []string{"shop_second_charge", "depot_gone_text", "depot_gone_renamed"}},
	{"defer", "what is deferred", nil},
	{"coroutines", "what runs beside each other", []string{"fleet_go_order", "fleet_start_to_go"}},
	{"children", "child orchestrations", nil},
	{"events", "events from outside", []string{"hotel_event_renamed"}},
	{"activities", "the body of an activity", []string{"shop_activity_body", "clinic_activity_result_added"}},
	{"types", "types of payloads", []string{"shop_input_field_type", "shop_event_field_added", "bank_consent_name_dropped"}},
	{"names", "names that are stored", []string{"trip_activity_renamed", "trip_activity_alias", "fleet_group_changed"}},
	{"options", "options of calls and directives", []string{"shop_call_options", "shop_activity_settings"}},
	{"versions", "versions and patches", []string{"clinic_patch_second", "clinic_version_without_old", "bank_patch_else_new"}},
	{"logs and status", "what is logged, shown or answered", []string{"shop_log_line", "shop_status_text"}},
	{"end", "what comes after the last decision", []string{"shop_result_text", "trip_result_struct_field"}},
	{"refactoring", "the same in other words", []string{"club_loop_down", "batch_slice_bounds"}},
}

// TestTable keeps the pages of the docs equal to the corpus.
func TestTable(t *testing.T) {
	t.Parallel()
	pairs := readPairs(t)
	for path, want := range map[string][]byte{table: tableOf(t, pairs), list: listOf(pairs)} {
		if *update {
			writeFile(t, path, want)
			continue
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what the corpus says, run with -update (-want +got):\n%s", path, cmp.Diff(string(want), string(got)))
		}
	}
}

// tableOf has a row for each kind of change and verdict: how many pairs there are, and those that show it best.
func tableOf(t *testing.T, pairs []pair) []byte {
	byName, left := map[string]pair{}, map[string]map[string][]pair{}
	for _, p := range pairs {
		byName[p.name] = p
		if left[p.want.Kind] == nil {
			left[p.want.Kind] = map[string][]pair{}
		}
		left[p.want.Kind][p.want.Verdict] = append(left[p.want.Kind][p.want.Verdict], p)
	}
	text := bytes.NewBufferString(tableHead + "| kind of change | verdict | such as | pairs |\n| --- | --- | --- | --- |\n")
	for _, k := range kindsOfChange {
		show := map[string][]string{}
		for _, name := range k.pairs {
			p, ok := byName[name]
			if !ok || p.want.Kind != k.kind {
				t.Errorf("%s, which shows %s, is no such pair", name, k.kind)
			}
			show[p.want.Verdict] = append(show[p.want.Verdict], p.row())
		}
		for _, verdict := range []string{"safe", "unsafe"} {
			all := left[k.kind][verdict]
			if len(all) == 0 {
				continue
			}
			if len(show[verdict]) == 0 {
				show[verdict] = []string{all[0].row()}
			}
			fmt.Fprintf(text, "| [%s](changes-list.md#%s): %s | %s | %s | %d |\n", k.kind, strings.ReplaceAll(k.kind, " ", "-"), k.says, verdict, strings.Join(show[verdict], "<br>"), len(all))
		}
		delete(left, k.kind)
	}
	for kind := range left {
		t.Errorf("the table of kinds has no %s", kind)
	}
	return text.Bytes()
}

// row is what a table says of a pair.
func (p pair) row() string { return fmt.Sprintf("%s (%s)", p.text(), p.link()) }

func (p pair) text() string {
	return strings.ReplaceAll(strings.Join(strings.Fields(p.comment), " "), "|", `\|`)
}
func (p pair) link() string {
	dir := corpus
	if p.limit {
		dir = limits
	}
	return fmt.Sprintf("[%s](%s/%s.txtar)", p.name, strings.TrimPrefix(dir, "../"), p.name)
}

// listOf lists pairs by the kind of change, safe ones first.
func listOf(pairs []pair) []byte {
	kinds := map[string][]pair{}
	var order []string
	for _, p := range pairs {
		if !slices.Contains(order, p.want.Kind) {
			order = append(order, p.want.Kind)
		}
		kinds[p.want.Kind] = append(kinds[p.want.Kind], p)
	}
	slices.Sort(order)
	text := bytes.NewBufferString(listHead)
	for _, kind := range order {
		fmt.Fprintf(text, "\n## %s%s\n\n| change | verdict | pair |\n| --- | --- | --- |\n", strings.ToUpper(kind[:1]), kind[1:])
		for _, verdict := range []string{"safe", "unsafe"} {
			for _, p := range kinds[kind] {
				if p.want.Verdict == verdict {
					fmt.Fprintf(text, "| %s | %s | %s |\n", p.text(), verdict, p.link())
				}
			}
		}
	}
	return text.Bytes()
}
