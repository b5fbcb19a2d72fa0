package history

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// Saved is the history of one execution in a file: what the archive holds of an instance, with its name.
type Saved struct {
	Group        string   `json:"group"`
	ID           string   `json:"id"`
	Orchestrator string   `json:"orchestrator"`       // wire name
	Redacted     string   `json:"redacted,omitempty"` // not "": payloads were left out, and what that means
	Messages     Messages `json:"messages"`
}

// NewSaved names a history, which is not empty.
func NewSaved(of Address, messages []Message) (Saved, error) {
	s := Saved{Group: of.Group, ID: of.ID, Messages: messages}
	start := s.Start()
	if start == nil {
		return s, errNoBeginning
	}
	s.Orchestrator = start.Orchestrator
	return s, nil
}

var errNoBeginning = errors.New("it does not begin with a start, or with the end of an execution that continued as new")

// ReadSaved reads a file that anybody may have written.
func ReadSaved(text []byte) (s Saved, err error) {
	if err := json.Unmarshal(text, &s); err != nil {
		return s, fmt.Errorf("it cannot be read: %w", err)
	}
	start := s.Start()
	switch {
	case start == nil:
		return s, errNoBeginning
	case start.Orchestrator != s.Orchestrator:
		return s, fmt.Errorf("it is of orchestrator %s, and its first message is of %s", s.Orchestrator, start.Orchestrator)
	}
	if err := CheckID(s.ID); err != nil {
		return s, fmt.Errorf("the id of its instance: %w", err)
	}
	return s, nil
}

// Start is the start that the history begins with, possibly within a base; nil if there is none.
func (s *Saved) Start() *Start {
	if len(s.Messages) == 0 {
		return nil
	}
	switch r := s.Messages[0].Record.(type) {
	case *Start:
		return r
	case *Turn:
		if r.End != nil && r.End.Base != nil {
			return &r.End.Base.Start
		}
	}
	return nil
}

// End is how the history says that the execution ended, nil if it goes on.
func (s *Saved) End() *End {
	if turn := s.last(); turn != nil {
		return turn.End
	}
	return nil
}

func (s *Saved) last() *Turn {
	if len(s.Messages) < 2 {
		return nil
	}
	turn, _ := s.Messages[len(s.Messages)-1].Record.(*Turn)
	return turn
}

// Run is the number of the run that the history tells of.
func (s *Saved) Run() uint32 {
	if turn := s.last(); turn != nil {
		return turn.Run
	}
	return s.Start().Run
}

// Text writes a message a line, so that a change shows in a diff.
func (s *Saved) Text() ([]byte, error) {
	data, err := json.Marshal(s.Messages)
	if err != nil {
		return nil, err
	}
	var messages []json.RawMessage
	if err := json.Unmarshal(data, &messages); err != nil {
		return nil, err
	}
	head, err := json.Marshal(Saved{Group: s.Group, ID: s.ID, Orchestrator: s.Orchestrator, Redacted: s.Redacted})
	if err != nil {
		return nil, err
	}
	head, _ = bytes.CutSuffix(head, []byte("null}"))
	lines := make([][]byte, len(messages))
	for n, m := range messages {
		lines[n] = m
	}
	return fmt.Appendf(head, "[\n%s\n]}\n", bytes.Join(lines, []byte(",\n"))), nil
}
