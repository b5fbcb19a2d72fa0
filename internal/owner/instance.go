package owner

import (
	"cmp"
	"container/list"
	"errors"
	"slices"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
)

// phase is where an instance is in its life in memory.
type phase uint8

const (
	loading phase = iota // deliveries queue until the log has been read
	live                 // the machine waits for the next message
	ending               // an ending turn is being committed; deliveries queue
	ended                // the final record is stored; its consequences are being stored
	parked               // nobody here can run it; the mark is being stored
)

// instance is an orchestration in memory. All of it is guarded by its partition's mutex.
type instance struct {
	p      *Partition
	addr   history.Address
	place  *list.Element
	phase  phase
	dead   bool // removed: late callbacks change nothing
	again  bool // taken up without owning the partition: no deliveries are expected
	marked bool // taken up because of a mark, which is still there

	machine   *engine.Machine
	start     history.Message // Record is *history.Start
	run       uint32
	execution uint32          // of the run
	began     time.Time       // when the execution did, by the log's clock
	base      uint64          // sequence of the record that the current execution began from
	applied   uint64          // highest inbox sequence applied
	reach     uint64          // what the load was to reach
	news      uint64          // messages from here on had been delivered to nobody before the load; 0: who knows
	absent    bool            // the load has found nothing
	entry     uint64          // sequence of the archive's entry, as far as it is known; 0: there is none
	need      uint64          // the log must keep this run's messages from here on; 0: the projection knows
	settled   uint64          // all that messages up to here caused was known to be stored before the load
	wanted    bool            // a snapshot is asked for
	freezing  bool            // and being made
	frozen    uint64          // position of the last one
	floor     uint64          // when it was asked for, every message below was acknowledged
	firstTask uint64          // oldest task of the slots that were open then; 0: none
	custom    history.Payload // custom status and clock at the end of the machine
	finished  time.Time
	over      time.Time // when the record of the end was stored, as far as is known
	proven    time.Time // when a load or a delivery has last shown that the instance lives

	queue  []backend.Delivery // deliveries that wait for a load or an end
	tail   []history.Message  // what a load has read, while it is replayed
	rest   []history.Message  // loaded messages that wait for the next execution
	causes []*cause           // delivered messages that are not acknowledged, in order
	asked  []Question         // queries that wait, the first of them for its handler

	answering bool                 // a query's handler runs: deliveries queue, it reads what the program would change
	unknown   []unknown            // outputs of replayed turns: stored before, as far as anybody knows; in the order of their messages
	behind    map[string][]*output // those of unknown that were sent for nobody's sake, by chain; nil: to be made

	commits   []*commit // turns to be recorded, in order
	recording bool      // a turn record is under way
	fence     uint64    // sequence of the last turn record
	open      int       // outputs not known to be stored
	tries     int       // answers in a row that left open what is stored
	retries   int       // waiting to be made
	refused   int       // of them after a refusal
	chains    map[string][]*output
	alarms    map[uint32]func() // timers armed in memory, by slot
	locals    map[uint32]*local // activities that run here, by slot

	past past // for the archive

	dirtySince   time.Time // when the projection fell behind; zero: it has not
	projected    uint64    // inbox position that the projection holds; 0: not known
	rev          uint64    // revision of the projection
	projecting   bool
	projectAgain bool          // it fell behind during the write under way
	finalWaits   bool          // the final state waits for a write under way
	final        *history.Turn // the record that ended the run

	traced      bool // traceParent and traceState are known
	traceParent string
	traceState  string
	asking      time.Time // when the load was begun that is under way, if somebody wants to know

	failed  bool                        // how the run has ended
	kept    uint64                      // events up to here that came behind that end are in the archive
	gone    bool                        // the next run has been started
	rewinds map[uint64]*history.Control // rewinds that came after the end, by sequence; nil: seen to

	blind              bool   // loaded to be terminated without its code
	reason             string // why it is parked
	mark               Mark   // as stored
	marking, markAgain bool   // the mark is being stored; its position has grown meanwhile
	unmarking          bool   // it is being removed
}

// cause is a delivered message with what it caused. It is acknowledged when all of that is stored (I4).
type cause struct {
	seq     uint64
	receipt backend.Receipt // nil while the message has been applied by a load but not delivered
	open    int             // outputs not known to be stored
}

// unknown is what a replayed message caused outside the instance's own subjects. The log does not show whether it was
// stored; it is sent again when its message is delivered again, or before the instance ends (H2, H4).
type unknown struct {
	seq     uint64
	outputs []*output
}

// startFresh begins an instance that nobody has seen before.
func (i *instance) startFresh(d backend.Delivery) {
	i.start = d.Message
	i.run, i.need, i.began = 1, d.Message.Seq, d.Message.Time
	i.tellStarted()
	prog, ok := i.program()
	if !ok {
		i.queue = append(i.queue, d)
		i.park(unknownCode(i.start.Record.(*history.Start)))
		return
	}
	i.phase = live
	i.machine = engine.New(i.engineConfig(prog), i.start)
	i.past.add(i.start)
	c := i.hold(d.Message.Seq, d.Receipt)
	began := i.beginTurn()
	turn, err := i.machine.Begin()
	i.endTurn(began)
	i.applied = d.Message.Seq
	i.commit(c, turn, err, nil)
}

func (i *instance) program() (engine.Program, bool) {
	s := i.start.Record.(*history.Start)
	return i.p.cfg.Code.Program(s.Orchestrator, s.Version)
}

func (i *instance) engineConfig(prog engine.Program) engine.Config {
	cfg := i.p.cfg
	return engine.Config{
		Self: i.addr, Program: prog, Fail: cfg.Fail, Resolve: cfg.Code.Resolve, Logger: cfg.Logger, Changed: i.p.changed,
		Stacks: cfg.stacks, Without: cfg.WithoutRules,
	}
}

// deliver takes a message of a partition this worker owns.
func (i *instance) deliver(d backend.Delivery) {
	if i.phase != live || i.answering {
		i.queue = append(i.queue, d)
		if i.phase == parked {
			i.remark()
		}
		return
	}
	if s, ok := d.Message.Record.(*history.Start); ok {
		if s.Run > i.run {
			// A later run can only have been started after this one ended: what is in memory is stale.
			i.giveBack()
			d.Nak()
			return
		}
		i.applied = max(i.applied, d.Message.Seq) // a copy of the start: nothing
	}
	if d.Message.Seq <= i.applied {
		i.answer(d)
		return
	}
	if d.Err != nil { // somebody else may be able to read it; the log keeps it for them
		i.queue = append(i.queue, d)
		i.parkFor(d.Err)
		return
	}
	i.apply(d.Message, i.hold(d.Message.Seq, d.Receipt))
}

// apply gives the machine one message that the log holds no decisions of.
func (i *instance) apply(m history.Message, c *cause) {
	began := i.beginTurn()
	turn, err := i.machine.Apply(m)
	i.endTurn(began)
	i.applied = m.Seq
	i.heed(m)
	i.past.add(m)
	i.commit(c, turn, err, nil)
}

// answer settles a delivered message that a load had applied already, or that was delivered before: it answers for the
// outputs it caused (I4).
func (i *instance) answer(d backend.Delivery) {
	var c *cause
	for _, known := range i.causes {
		if known.seq == d.Message.Seq {
			c = known
		}
	}
	if c == nil {
		c = i.hold(d.Message.Seq, nil)
	}
	c.receipt = d.Receipt
	if i.missed(d.Message) {
		o := &output{cause: c, seq: d.Message.Seq}
		o.do = func(o *output) {
			i.append(o, backend.Append{To: i.addr, Record: d.Message.Record}, func(err error) { i.stored(o, err) })
		}
		i.owe(c, 1)
		i.send(o)
	}
	i.resend(i.takeUnknown(d.Message.Seq), c)
	i.touch()
	i.settle()
}

// takeUnknown gives what is unknown of one message, and forgets it. Messages are delivered again in about the order of the
// log, so it is the first one nearly always.
func (i *instance) takeUnknown(seq uint64) []unknown {
	from, _ := slices.BinarySearchFunc(i.unknown, seq, func(u unknown, seq uint64) int { return cmp.Compare(u.seq, seq) })
	to := from
	for to < len(i.unknown) && i.unknown[to].seq == seq {
		to++
	}
	taken := slices.Clone(i.unknown[from:to])
	if from == 0 {
		i.unknown = i.unknown[to:]
	} else {
		i.unknown = slices.Delete(i.unknown, from, to)
	}
	return taken
}

// resendAll sends all unknown outputs again.
func (i *instance) resendAll() {
	all := i.unknown
	i.unknown = nil
	i.resend(all, nil)
}

// resend sends what was unknown again and counts it on c, which may be nil. All of it is owed before the first is sent:
// one that is settled at once must not let an end go ahead of the rest.
func (i *instance) resend(again []unknown, c *cause) {
	if !i.p.cfg.keeps(ResendOutputs) {
		return
	}
	for _, u := range again {
		for _, o := range u.outputs {
			o.cause, o.ahead = c, true
		}
		i.owe(c, len(u.outputs))
	}
	for _, u := range again {
		i.follow(u.seq, u.outputs)
	}
}

// hold remembers a delivered message until what it caused is stored.
func (i *instance) hold(seq uint64, r backend.Receipt) *cause {
	c := &cause{seq: seq, receipt: r}
	at := len(i.causes)
	for at > 0 && i.causes[at-1].seq > seq {
		at--
	}
	i.causes = append(i.causes, nil)
	copy(i.causes[at+1:], i.causes[at:])
	i.causes[at] = c
	if !i.p.cfg.keeps(AckAfterStore) && r != nil {
		r.Ack()
	}
	return c
}

// settle acknowledges what can be. One held message is enough to answer for the projection, and for what runs here: the
// duty moves to the newest, whose redelivery would project the same state. The oldest that the projection does not tell of is held
// too: so it tells of all that is acknowledged, and what the log must keep can be told by the floors (H18).
func (i *instance) settle() {
	kept := i.causes[:0]
	var oldest, newest uint64
	for _, c := range i.causes {
		if c.receipt != nil {
			newest = c.seq
			if oldest == 0 && c.seq > i.projected {
				oldest = c.seq
			}
		}
	}
	for _, c := range i.causes {
		if c.open > 0 || c.receipt != nil && (c.seq >= newest && (i.projected < c.seq || len(i.locals) > 0) || c.seq == oldest) {
			kept = append(kept, c)
			continue
		}
		if c.receipt != nil {
			c.receipt.Ack()
		}
	}
	clear(i.causes[len(kept):])
	i.causes = kept
	if i.again && !i.marked && i.idle() {
		i.leave()
	}
}

// idle reports whether dropping the instance loses nothing but a later load.
func (i *instance) idle() bool {
	return i.phase == live && !i.busy() && len(i.causes) == 0 && len(i.commits) == 0 && len(i.queue) == 0 &&
		!i.recording && !i.projecting && !i.answering && !i.freezing && !i.wanted && i.projected >= i.applied
}

// giveBack drops the instance and returns every message it holds, so that they are delivered again at once.
func (i *instance) giveBack() {
	if i.dead {
		return
	}
	causes, queue := i.causes, i.queue
	i.p.remove(i)
	if !i.p.cfg.keeps(NakOnFlush) {
		return
	}
	for _, c := range causes {
		if c.receipt != nil {
			c.receipt.Nak()
		}
	}
	for _, d := range queue {
		d.Nak()
	}
}

func (i *instance) closeMachine() {
	i.stopLocals()
	if i.machine != nil && !i.answering { // else answerAsked closes it
		i.machine.Close()
	}
	i.machine = nil
}

// owe counts n outputs of c (nil: of nobody who can be acknowledged) that are not known to be stored.
func (i *instance) owe(c *cause, n int) {
	i.open += n
	if c != nil {
		c.open += n
	}
}

// paid counts one output as stored.
func (i *instance) paid(c *cause) {
	i.open--
	i.tries = 0
	if c != nil {
		c.open--
	}
}

// unfit reports an error that no repetition mends.
func unfit(err error) bool {
	return errors.Is(err, backend.ErrTooLarge) || errors.Is(err, backend.ErrPermission) || errors.Is(err, history.ErrUnstorable)
}
