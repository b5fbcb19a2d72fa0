package world

import (
	"context"
	"fmt"
	"unicode/utf8"

	"go.etcd.io/bbolt"

	"github.com/durablegen/durablegen/examples/membership/club"
)

// CardWidth is how many characters of a name fit on a card; the press jams on longer ones.
const CardWidth = 26

// Print implements club.Press.
func (w *World) Print(_ context.Context, key string, m club.Member) error {
	if width := utf8.RuneCountInString(m.Applicant.Name); width > CardWidth {
		return fmt.Errorf("press: jammed on a name of %d characters", width)
	}
	return w.db.Batch(func(tx *bbolt.Tx) error {
		if marked(tx, printed, key) {
			return nil
		}
		if err := mark(tx, printed, key); err != nil {
			return err
		}
		_, err := add(tx, cards, nil, m.Applicant.ID)
		return err
	})
}
