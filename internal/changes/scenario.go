package changes

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Scenario is what happens to one instance. In text it begins with a line "== name"; then come, a line each:
//
//	start shop.Order {"id":"o1"}      the orchestrator by its wire name, and its input; "shop.Order@2" for a version
//	fail Charge 2                     the next two attempts of an activity fail; "fail Charge 1 final" is not tried again
//	raise shop.Approval {"ok":true}   ten minutes after the last raise
//	pass 36h                          before the next raise; "pass -9m" makes that one come earlier
type Scenario struct {
	Name         string
	Orchestrator string
	Input        json.RawMessage
	Fails        []Fail
	Raises       []Raise
}

// Fail is an activity that fails.
type Fail struct {
	Activity string
	Times    int
	Final    bool
}

// Raise is an event from outside.
type Raise struct {
	Event   string
	Payload json.RawMessage
	After   time.Duration // since the start
}

const patience = 10 * time.Minute // between one raise and the next

// ParseScenarios reads the text form.
func ParseScenarios(text string) (all []Scenario, err error) {
	at := time.Duration(0)
	for n, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, "== "); ok {
			all, at = append(all, Scenario{Name: name}), 0
			continue
		}
		if line == "" || len(all) == 0 {
			continue
		}
		s := &all[len(all)-1]
		if at, err = s.add(line, at); err != nil {
			return nil, fmt.Errorf("changes: line %d of the scenarios: %w", n+1, err)
		}
	}
	return all, nil
}

func (s *Scenario) add(line string, at time.Duration) (time.Duration, error) {
	word, rest, _ := strings.Cut(line, " ")
	name, arg, _ := strings.Cut(strings.TrimSpace(rest), " ")
	switch word {
	case "start":
		s.Orchestrator, s.Input = name, json.RawMessage(arg)
		return at, valid(arg)
	case "fail":
		times, err := strconv.Atoi(strings.TrimSuffix(arg, " final"))
		s.Fails = append(s.Fails, Fail{name, times, strings.HasSuffix(arg, " final")})
		return at, err
	case "raise":
		at += patience
		s.Raises = append(s.Raises, Raise{name, json.RawMessage(arg), at})
		return at, valid(arg)
	case "pass":
		d, err := time.ParseDuration(name)
		return at + d, err
	}
	return at, fmt.Errorf("%q is none of start, fail, raise, pass", word)
}

func valid(text string) error {
	if text != "" && !json.Valid([]byte(text)) {
		return fmt.Errorf("%s is no JSON", text)
	}
	return nil
}
