package cron

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Expr is a cron expression. The zero Expr is never due.
type Expr struct {
	second, minute, hour, dom, month, dow uint64 // bit n: the value n is due

	anyDom, anyDow bool // the field begins with '*': it does not restrict the day
	anyHour        bool // the field begins with '*': hours are those that pass, not those of the clock

	every time.Duration // of @every; the fields are not used then
}

const (
	MostText  = 256         // bytes of an expression
	LeastStep = time.Second // of @every, and its unit
)

// field is one field of an expression and its bounds.
type field struct {
	name       string
	least      int
	most       int
	names      []string // of the values from least on
	unanchored bool     // '?' means '*'
}

var fields = [...]field{
	{name: "second", most: 59},
	{name: "minute", most: 59},
	{name: "hour", most: 23},
	{name: "day of month", least: 1, most: 31, unanchored: true},
	{name: "month", least: 1, most: 12, names: []string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}},
	{name: "day of week", most: 7, names: []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}, unanchored: true},
}

var macros = map[string]string{
	"@hourly":   "0 * * * *",
	"@daily":    "0 0 * * *",
	"@midnight": "0 0 * * *",
	"@weekly":   "0 0 * * 0",
	"@monthly":  "0 0 1 * *",
	"@yearly":   "0 0 1 1 *",
	"@annually": "0 0 1 1 *",
}

// Parse reads an expression: five fields (minute, hour, day of month, month, day of week), six with the second before
// them, one of @hourly, @daily, @weekly, @monthly and @yearly, or @every and a duration. A field is '*', numbers, names
// of months and days, ranges a-b, steps */n, a/n and a-b/n, and lists of these. The error says what is wrong where.
func Parse(text string) (Expr, error) {
	if len(text) > MostText {
		return Expr{}, fmt.Errorf("it has %d bytes, at most %d are allowed", len(text), MostText)
	}
	if d, ok := strings.CutPrefix(strings.TrimSpace(text), "@every "); ok {
		return parseEvery(strings.TrimSpace(d))
	}
	words := strings.Fields(text)
	if len(words) == 1 && strings.HasPrefix(words[0], "@") {
		macro, ok := macros[strings.ToLower(words[0])]
		if !ok {
			return Expr{}, fmt.Errorf("%s is unknown: use @hourly, @daily, @weekly, @monthly, @yearly, or @every with a duration", words[0])
		}
		words = strings.Fields(macro)
	}
	switch len(words) {
	case len(fields):
	case len(fields) - 1:
		words = append([]string{"0"}, words...)
	default:
		return Expr{}, fmt.Errorf("it has %d fields, want 5 (minute, hour, day of month, month, day of week) or 6 (second before them)", len(words))
	}
	var e Expr
	var errs []error
	for n, into := range [...]*uint64{&e.second, &e.minute, &e.hour, &e.dom, &e.month, &e.dow} {
		set, err := fields[n].parse(words[n])
		if err != nil {
			errs = append(errs, fmt.Errorf("%s %q: %w", fields[n].name, words[n], err))
		}
		*into = set
	}
	if len(errs) > 0 {
		return Expr{}, errors.Join(errs...)
	}
	e.dow = (e.dow | e.dow>>7) & 0x7f // 7 is Sunday, too
	e.anyHour, e.anyDom, e.anyDow = star(words[2]), star(words[3]), star(words[5])
	return e, nil
}

// star reports whether a field begins with '*', as Vixie cron asks.
func star(word string) bool { return word[0] == '*' || word == "?" }

func parseEvery(text string) (Expr, error) {
	d, err := time.ParseDuration(text)
	switch {
	case err != nil:
		return Expr{}, fmt.Errorf("@every %s: it is no duration: write one like 90s, 15m or 36h", text)
	case d < LeastStep || d%LeastStep != 0:
		return Expr{}, fmt.Errorf("@every %s: want whole seconds, at least one", text)
	}
	return Expr{every: d}, nil
}

// parse reads a list.
func (f field) parse(word string) (set uint64, err error) {
	if f.unanchored && word == "?" {
		word = "*"
	}
	for part := range strings.SplitSeq(word, ",") {
		bits, err := f.part(part)
		if err != nil {
			return 0, err
		}
		set |= bits
	}
	return set, nil
}

// part reads one of: *, a, a-b, each perhaps with /n.
func (f field) part(text string) (set uint64, err error) {
	span, stepText, stepped := strings.Cut(text, "/")
	step := 1
	if stepped {
		if step, err = strconv.Atoi(stepText); err != nil || step < 1 {
			return 0, fmt.Errorf("its step %q is no positive number", stepText)
		}
		if width := f.most - f.least + 1; step > width {
			return 0, fmt.Errorf("its step %d is larger than the %d values of the field: it would not mean every %d", step, width, step)
		}
	}
	from, to := f.least, f.most
	if span != "*" {
		first, last, isRange := strings.Cut(span, "-")
		if from, err = f.value(first); err != nil {
			return 0, err
		}
		switch {
		case isRange:
			if to, err = f.value(last); err != nil {
				return 0, err
			}
		case !stepped:
			to = from
		}
		if to < from {
			return 0, fmt.Errorf("its range %s goes backwards: write two ranges with a comma", span)
		}
	} else if f.name == "day of week" {
		to = 6
	}
	for v := from; v <= to; v += step {
		set |= 1 << v
	}
	return set, nil
}

func (f field) value(text string) (int, error) {
	for n, name := range f.names {
		if strings.EqualFold(text, name) {
			return f.least + n, nil
		}
	}
	v, err := strconv.Atoi(text)
	if err != nil || strings.ContainsAny(text, "+-") {
		if strings.ContainsAny(text, "LW#") {
			return 0, fmt.Errorf("%q is not supported (L, W and # are not): let the orchestrator look at the date and return", text)
		}
		return 0, fmt.Errorf("%q is no value of it", text)
	}
	if v < f.least || v > f.most {
		return 0, fmt.Errorf("%d is not in %d to %d", v, f.least, f.most)
	}
	return v, nil
}
