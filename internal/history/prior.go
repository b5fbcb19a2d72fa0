package history

import (
	"encoding/json"
	"fmt"
	"time"
)

// Prior is the history that a rewound run begins with: that of the failed run without its end and without what is to run
// again, under the run number of the new one. If the failed run had continued as new it begins with the base.
type Prior struct {
	Run      uint32    `json:"run"`            // the first of the runs rewound in a row: UUIDs and random numbers go on with it
	Started  time.Time `json:"started"`        // time of its start
	From     uint64    `json:"from,omitempty"` // sequence of its start, or of what caused its base: history begins there (I7)
	Messages Messages  `json:"messages"`
}

// Base gives the record that the execution began from; nil in execution 0.
func (p *Prior) Base() *Message {
	if p == nil || len(p.Messages) == 0 {
		return nil
	}
	if t, ok := p.Messages[0].Record.(*Turn); ok && t.End != nil && t.End.Base != nil {
		return &p.Messages[0]
	}
	return nil
}

// Execution is the number of the execution.
func (p *Prior) Execution() uint32 {
	if base := p.Base(); base != nil {
		return base.Record.(*Turn).Execution + 1
	}
	return 0
}

// RenewedBy reports whether q is the same slot of the same parent in a later run.
func (p *Parent) RenewedBy(q *Parent) bool {
	return p.sameSlot(q) && p.Run < q.Run
}

// Reaches reports whether q is the same slot of the same parent in this run or an earlier one.
func (p *Parent) Reaches(q *Parent) bool {
	return p.sameSlot(q) && p.Run >= q.Run
}

func (p *Parent) sameSlot(q *Parent) bool {
	return p != nil && q != nil && p.Address == q.Address && p.Execution == q.Execution && p.Slot == q.Slot
}

// rewound is the body of a start with a prior history.
type rewound struct {
	Input Payload `json:"input,omitempty"`
	Prior *Prior  `json:"prior"`
}

func encodeStart(h []Field, s *Start) ([]Field, []byte, error) {
	h, err := startFields(h, s)
	if err != nil || s.Prior == nil {
		return h, s.Input, err
	}
	body, err := json.Marshal(rewound{s.Input, s.Prior})
	return append(h, Field{headPrior, "1"}), body, err
}

func (s *Start) readPrior(body []byte) error {
	var v rewound
	if err := json.Unmarshal(body, &v); err != nil {
		return fmt.Errorf("prior history: %w", err)
	}
	if v.Prior == nil {
		return fmt.Errorf("prior history: there is none")
	}
	s.Input, s.Prior = v.Input, v.Prior
	return nil
}

func encodeControl(h []Field, c *Control) ([]Field, []byte, error) {
	h, err := pair(h, headControl, c.ID, string(c.Verb), mostName)
	if err == nil && (c.Run > 0 || c.Child != "") {
		err = check("name", c.Child, mostName)
		h = append(h, Field{headRewind, string(appendWord(fmt.Appendf(nil, "%d ", c.Run), c.Child))})
	}
	if err == nil && c.Parent != nil {
		var p string
		p, err = c.Parent.text()
		h = append(h, Field{headParent, p})
	}
	if c.Alone {
		h = append(h, Field{headAlone, "1"})
	}
	return h, []byte(c.Reason), err
}

// rewinds reads what a rewind and a terminate have beyond other controls.
func (c *Control) rewinds(h *Head) (err error) {
	c.Alone = h.get(headAlone) != ""
	if v := h.get(headRewind); v != "" {
		w := words{rest: v}
		c.Run, c.Child = uint32(w.uint("run", 32)), w.text("name", mostName)
		if err := w.end(); err != nil {
			return err
		}
	}
	if v := h.get(headParent); v != "" {
		c.Parent, err = parseParent(v)
	}
	return err
}
