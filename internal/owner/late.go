package owner

import (
	"errors"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/runtime/observe"
)

// keepLate puts events that came behind the end of a failed run into its archive entry, before they are acknowledged: a
// rewind hands them to the next run, and by then the log may have been shortened. It goes on with acknowledgeAll; false:
// there is nothing to keep.
func (i *instance) keepLate() bool {
	if !i.failed || i.gone || i.dead || i.phase == parked || !i.p.cfg.keeps(KeepLate) {
		return false
	}
	var late []history.Message
	for _, d := range i.queue {
		if d.Err == nil && d.Message.Kind() == history.KindEvent && d.Message.Seq > i.kept {
			late = append(late, d.Message)
		}
	}
	if len(late) == 0 {
		return false
	}
	i.p.begin()
	i.p.be.GetArchive(i.addr, func(a backend.Archive, entry uint64, err error) {
		i.locked(func() {
			switch {
			case err != nil && !errors.Is(err, backend.ErrNotFound):
				i.retry(err, i.acknowledgeAll)
			case err != nil || a.Run != i.run || a.Status != history.Failed || a.Purged || a.Unreadable() != nil:
				i.keptUpTo(late) // it is a failed run no more, or nobody here can rewind it
			default:
				i.putLate(a, entry, late)
			}
		})
	})
	return true
}

func (i *instance) putLate(a backend.Archive, entry uint64, late []history.Message) {
	at := a.Messages[len(a.Messages)-1].Record.(*history.Turn).At
	for _, m := range late {
		if m.Seq > at && !holds(a.Messages, m) && !holds(a.Late, m) {
			a.Late = append(a.Late, m)
		}
	}
	i.p.begin()
	i.p.be.PutArchive(a, entry, func(_ uint64, err error) {
		i.locked(func() {
			switch {
			case err == nil:
				i.keptUpTo(late)
			case unfit(err):
				i.p.cfg.Logger.Warn("durable: a failed instance has no room for late events: a rewind will not know them", observe.KeyInstance, i.addr.ID, observe.KeyError, err)
				i.keptUpTo(late)
			default:
				i.retry(err, i.acknowledgeAll) // a conflict too: what is there is read again
			}
		})
	})
}

func (i *instance) keptUpTo(late []history.Message) {
	for _, m := range late {
		i.kept = max(i.kept, m.Seq)
	}
	i.acknowledgeAll()
}
