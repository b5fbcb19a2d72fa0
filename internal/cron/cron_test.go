package cron_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/internal/cron"
)

func location(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// due lists the next n times after a time, as the clocks of the location show them, with their offset.
func due(t testing.TB, expr, after, zone string, n int) []string {
	t.Helper()
	e, err := cron.Parse(expr)
	if err != nil {
		t.Fatal(err)
	}
	loc := location(t, zone)
	at, err := time.ParseInLocation("2006-01-02 15:04:05", after, loc)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for range n {
		next := e.Next(at, loc)
		if next.IsZero() {
			list = append(list, "never")
			break
		}
		if !next.After(at) {
			t.Fatalf("%q after %v is %v", expr, at, next)
		}
		at = next
		list = append(list, at.In(loc).Format("2006-01-02 15:04:05-07"))
	}
	return list
}

func TestNext(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, expr, after, zone string
		want                    []string
	}{
		{"five fields", "30 9 * * *", "2026-01-01 09:30:00", "UTC", []string{"2026-01-02 09:30:00+00", "2026-01-03 09:30:00+00"}},
		{"six fields", "*/20 0 9 * * *", "2026-01-01 09:00:00", "UTC", []string{"2026-01-01 09:00:20+00", "2026-01-01 09:00:40+00", "2026-01-02 09:00:00+00"}},
		{"names, ranges, lists", "0 8,17 * jan-feb mon-fri", "2026-02-27 09:00:00", "UTC", []string{"2026-02-27 17:00:00+00", "2027-01-01 08:00:00+00"}},
		{"a step from a value on", "5/20 * * * *", "2026-01-01 00:00:00", "UTC", []string{"2026-01-01 00:05:00+00", "2026-01-01 00:25:00+00", "2026-01-01 00:45:00+00", "2026-01-01 01:05:00+00"}},
		{"Sunday is 0 and 7", "0 0 * * 7", "2026-01-01 00:00:00", "UTC", []string{"2026-01-04 00:00:00+00", "2026-01-11 00:00:00+00"}},
		{"every second day of the week", "0 0 * * */2", "2026-01-04 00:00:00", "UTC", []string{"2026-01-06 00:00:00+00", "2026-01-08 00:00:00+00", "2026-01-10 00:00:00+00", "2026-01-11 00:00:00+00"}},
		{"either day when both are given", "0 0 13 * fri", "2026-02-01 00:00:00", "UTC", []string{"2026-02-06 00:00:00+00", "2026-02-13 00:00:00+00", "2026-02-20 00:00:00+00", "2026-02-27 00:00:00+00", "2026-03-06 00:00:00+00", "2026-03-13 00:00:00+00"}},
		{"a question mark is a star", "0 0 ? * fri", "2026-02-01 00:00:00", "UTC", []string{"2026-02-06 00:00:00+00", "2026-02-13 00:00:00+00"}},
		{"the 31st", "0 0 31 * *", "2026-01-31 00:00:00", "UTC", []string{"2026-03-31 00:00:00+00", "2026-05-31 00:00:00+00"}},
		{"leap days", "0 0 29 2 *", "2096-02-29 00:00:00", "UTC", []string{"2104-02-29 00:00:00+00"}},
		{"never", "0 0 30 2 *", "2026-01-01 00:00:00", "UTC", []string{"never"}},
		{"@weekly", "@weekly", "2026-01-01 00:00:00", "Europe/Berlin", []string{"2026-01-04 00:00:00+01"}},
		{"@yearly", "@yearly", "2026-01-01 00:00:00", "Europe/Berlin", []string{"2027-01-01 00:00:00+01"}},
		{"@every, from 1970 on", "@every 36h", "2026-01-01 00:00:00", "UTC", []string{"2026-01-02 12:00:00+00", "2026-01-04 00:00:00+00"}},
		{"@every before 1970", "@every 1h", "1969-12-31 22:30:00", "UTC", []string{"1969-12-31 23:00:00+00", "1970-01-01 00:00:00+00"}},

		{"Berlin skips an hour: once, at the change", "30 2 * * *", "2026-03-28 12:00:00", "Europe/Berlin", []string{"2026-03-29 03:00:00+02", "2026-03-30 02:30:00+02"}},
		{"all that is skipped is one", "*/15 2 * * *", "2026-03-28 12:00:00", "Europe/Berlin", []string{"2026-03-29 03:00:00+02", "2026-03-30 02:00:00+02"}},
		{"and one with what is due then", "*/30 2,3 * * *", "2026-03-28 12:00:00", "Europe/Berlin", []string{"2026-03-29 03:00:00+02", "2026-03-29 03:30:00+02", "2026-03-30 02:00:00+02"}},
		{"Berlin has an hour twice: the first", "30 2 * * *", "2026-10-24 12:00:00", "Europe/Berlin", []string{"2026-10-25 02:30:00+02", "2026-10-26 02:30:00+01"}},
		{"Berlin, by the hour, forward", "7 * * * *", "2026-03-29 00:30:00", "Europe/Berlin", []string{"2026-03-29 01:07:00+01", "2026-03-29 03:07:00+02"}},
		{"Berlin, by the hour, back", "*/30 * * * *", "2026-10-25 01:45:00", "Europe/Berlin", []string{"2026-10-25 02:00:00+02", "2026-10-25 02:30:00+02", "2026-10-25 02:00:00+01", "2026-10-25 02:30:00+01", "2026-10-25 03:00:00+01"}},
		{"New York skips an hour: once, at the change", "30 2 * * *", "2026-03-07 12:00:00", "America/New_York", []string{"2026-03-08 03:00:00-04", "2026-03-09 02:30:00-04"}},
		{"New York has an hour twice: the first", "30 1 * * *", "2026-10-31 12:00:00", "America/New_York", []string{"2026-11-01 01:30:00-04", "2026-11-02 01:30:00-05"}},
		{"New York, by the hour, forward", "@hourly", "2026-03-08 00:30:00", "America/New_York", []string{"2026-03-08 01:00:00-05", "2026-03-08 03:00:00-04"}},
		{"New York, by the hour, back", "@hourly", "2026-11-01 00:30:00", "America/New_York", []string{"2026-11-01 01:00:00-04", "2026-11-01 01:00:00-05", "2026-11-01 02:00:00-05"}},
		{"every six hours keeps to the clock", "0 */6 * * *", "2026-03-28 20:00:00", "Europe/Berlin", []string{"2026-03-29 00:00:00+01", "2026-03-29 06:00:00+02"}},
		{"a day without midnight", "@daily", "2018-11-03 12:00:00", "America/Sao_Paulo", []string{"2018-11-04 01:00:00-02", "2018-11-05 00:00:00-02"}},
		{"a clock that moves half an hour", "15 2 * * *", "2026-10-03 12:00:00", "Australia/Lord_Howe", []string{"2026-10-04 02:30:00+11", "2026-10-05 02:15:00+11"}},
		{"far off", "@hourly", "9999-12-31 22:30:00", "Europe/Berlin", []string{"9999-12-31 23:00:00+01", "10000-01-01 00:00:00+01"}},
		{"the end of a leap year without a table", "@hourly", "2040-12-31 01:30:00", "Europe/Berlin", []string{"2040-12-31 02:00:00+01", "2040-12-31 03:00:00+01"}},
		{"the end of a leap year without a table, by the clock", "0 23 * * *", "2040-12-30 12:00:00", "America/New_York", []string{"2040-12-30 23:00:00-05", "2040-12-31 23:00:00-05", "2041-01-01 23:00:00-05"}},
		{"a day that was skipped", "0 9,18 * * *", "2011-12-29 20:00:00", "Pacific/Apia", []string{"2011-12-31 00:00:00+14", "2011-12-31 09:00:00+14"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, due(t, c.expr, c.after, c.zone, len(c.want))); diff != "" {
				t.Errorf("%q in %s after %s (-want +got):\n%s", c.expr, c.zone, c.after, diff)
			}
		})
	}
}

// TestADayIsNeverWithoutItsRun: over years in zones whose clocks change, a time of the day is due exactly once between
// noon and noon, and Next gives the same wherever it is asked from.
func TestADayIsNeverWithoutItsRun(t *testing.T) {
	t.Parallel()
	for _, zone := range []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe"} {
		loc := location(t, zone)
		for _, expr := range []string{"0 0 * * *", "30 1 * * *", "30 2 * * *", "59 59 2 * * *", "0 3 * * *"} {
			e, err := cron.Parse(expr)
			if err != nil {
				t.Fatal(err)
			}
			for day := range 6 * 365 {
				year := 2025
				if day >= 3*365 {
					year = 2036 // from 2038 on there are rules in place of tables
				}
				noon := time.Date(year, 1, 1+day, 12, 0, 0, 0, loc)
				next := time.Date(year, 1, 2+day, 12, 0, 0, 0, loc)
				first := e.Next(noon, loc)
				if !first.Before(next) || e.Next(first, loc).Before(next) {
					t.Fatalf("%q in %s is due at %v and %v", expr, zone, first.In(loc), e.Next(first, loc).In(loc))
				}
				if again := e.Next(first.Add(-time.Nanosecond), loc); !again.Equal(first) {
					t.Fatalf("%q in %s after just before %v is due at %v", expr, zone, first.In(loc), again.In(loc))
				}
			}
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for expr, words := range map[string][]string{
		"":                        {"0 fields", "want 5", "or 6"},
		"* * * *":                 {"4 fields"},
		"* * * * * * *":           {"7 fields"},
		"60 * * * *":              {`minute "60"`, "0 to 59"},
		"* 24 * * *":              {`hour "24"`, "0 to 23"},
		"* * 0 * *":               {`day of month "0"`, "1 to 31"},
		"* * * 13 *":              {`month "13"`},
		"* * * * 8":               {`day of week "8"`, "0 to 7"},
		"x * * * *":               {`minute "x"`, "no value"},
		"+5 * * * *":              {`minute "+5"`},
		"5-1 * * * *":             {"backwards", "two ranges"},
		"*/0 * * * *":             {"step", "positive"},
		"*/90 * * * *":            {"step 90", "every 90"},
		"1,,2 * * * *":            {`minute "1,,2"`},
		"0 0 L * *":               {"not supported", "orchestrator"},
		"0 0 * * 5#2":             {"not supported"},
		"? * * * *":               {`minute "?"`},
		"70 25 * * *":             {"minute", "hour"},
		"@never":                  {"@never", "@daily"},
		"@every":                  {"@every"},
		"@every x":                {"no duration"},
		"@every 500ms":            {"whole seconds"},
		"@every -1h":              {"at least one"},
		strings.Repeat("1", 1000): {"at most 256"},
	} {
		_, err := cron.Parse(expr)
		if err == nil {
			t.Errorf("%q is taken", expr)
			continue
		}
		for _, w := range words {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%q: error %q does not say %q", expr, err, w)
			}
		}
	}
}

// FuzzParse: nothing that is taken makes Next panic, go back or go on for ever.
func FuzzParse(f *testing.F) {
	for _, expr := range []string{"*/15 2 * * *", "0 0 13 * fri", "@every 90m", "1-5/2,7 0 0 29 2 ?", "@daily"} {
		f.Add(expr, int64(1774746000))
	}
	loc := location(f, "Europe/Berlin")
	f.Fuzz(func(t *testing.T, expr string, sec int64) {
		e, err := cron.Parse(expr)
		if err != nil || sec < -1e11 || sec > 1e11 {
			return
		}
		at := time.Unix(sec, 0)
		if next := e.Next(at, loc); !next.IsZero() && !next.After(at) {
			t.Errorf("%q after %v is due at %v", expr, at, next)
		}
	})
}

func BenchmarkNext(b *testing.B) {
	loc := location(b, "Europe/Berlin")
	e, err := cron.Parse("30 2 * * *")
	if err != nil {
		b.Fatal(err)
	}
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, loc)
	for b.Loop() {
		at = e.Next(at, loc)
	}
}
