package engine

import "github.com/durablegen/durablegen/internal/history"

// Arguments says what happens in a replay when a decision has other arguments than its record. It is the call's, and
// nothing stores it.
type Arguments uint8

// The policies.
const (
	Strict Arguments = iota // it is another decision
	Warn                    // the recorded ones stand, and Config.Changed is told
	Ignore                  // the recorded ones stand
)

// warn tells of other arguments, once in each replay.
func (m *Machine) warn(r Recorded, s *history.Slot, args Arguments) {
	if args == Warn && m.cfg.Changed != nil && !sameArgs(&r.Slot, s) {
		m.cfg.Changed(m.start.Orchestrator, m.mismatch(r, *s))
	}
}

// hashOf is what the completion of an activity has to name. Where the recorded arguments stand and the program has others,
// only the hash of a completion knows them.
func hashOf(s *history.Slot) uint32 {
	if s.Local && s.Hash != 0 {
		return s.Hash
	}
	return history.ArgsHash(s.Args)
}
