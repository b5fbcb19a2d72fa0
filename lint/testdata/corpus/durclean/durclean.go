// Package durclean is code as people write it, with nothing to report.
package durclean

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	durable "github.com/durablegen/durablegen/runtime"
)

// Claim is what an insured person sends in.
type Claim struct {
	ID     string
	Amount int
	Parts  []Part
	Sent   time.Time
}

// Part is one damage.
type Part struct {
	Name string
	Cost int
}

// Verdict is how a claim ends.
type Verdict struct {
	Paid   int
	Reason string `json:",omitempty"`
}

// ErrFraud ends a claim.
//
//durable:error
var ErrFraud = errors.New("durclean: fraud")

// Word is what a clerk says.
//
//durable:event
type Word struct {
	Pay bool
	By  string
}

// Withdrawn takes a claim back.
//
//durable:event
type Withdrawn struct{}

type desk struct{ limit int }

//durable:activity attempts=3
func (d *desk) Assess(ctx context.Context, part Part) (int, error) {
	return min(part.Cost, d.limit), nil
}

//durable:activity
func (d *desk) Pay(ctx context.Context, claim string, amount int) error { return nil }

//durable:activity
func (d *desk) Refund(ctx context.Context, claim string, amount int) error { return nil }

//durable:activity
func (d *desk) Ask(ctx context.Context, who string, c Claim) error { return nil }

//durable:activity
func (d *desk) Audit(ctx context.Context, claim string) (bool, error) { return true, nil }

// FanOut assesses all parts at once, and adds up in order.
//
//durable:orchestrator
func FanOut(ctx durable.Context, c Claim) (Verdict, error) {
	futures := make([]durable.Future[int], 0, len(c.Parts))
	for _, p := range c.Parts {
		futures = append(futures, AssessActivity.Start(ctx, p))
	}
	sum := 0
	var errs []error
	for i, f := range futures {
		cost, err := f.Get(ctx)
		if err != nil {
			errs = append(errs, fmt.Errorf("part %s: %w", c.Parts[i].Name, err))
			continue
		}
		sum += cost
	}
	return Verdict{Paid: sum}, errors.Join(errs...)
}

// Windowed has at most three under way, by hand.
//
//durable:orchestrator
func Windowed(ctx durable.Context, c Claim) (Verdict, error) {
	var running []durable.Future[int]
	var v Verdict
	take := func() error {
		cost, err := running[0].Get(ctx)
		running = running[1:]
		v.Paid += cost
		return err
	}
	for _, p := range c.Parts {
		if len(running) == 3 {
			if err := take(); err != nil {
				return v, err
			}
		}
		running = append(running, AssessActivity.Start(ctx, p))
	}
	for len(running) > 0 {
		if err := take(); err != nil {
			return v, err
		}
	}
	return v, nil
}

// Indexed gathers the results of coroutines by index.
//
//durable:orchestrator
func Indexed(ctx durable.Context, c Claim) ([]int, error) {
	costs := make([]int, len(c.Parts))
	waits := make([]durable.Awaitable, len(c.Parts))
	for i, p := range c.Parts {
		waits[i] = durable.Go(ctx, func(ctx durable.Context) (durable.None, error) {
			cost, err := AssessActivity.Call(ctx, p)
			costs[i] = cost
			return durable.None{}, err
		})
	}
	if err := durable.All(ctx, waits...); err != nil {
		return nil, err
	}
	return costs, nil
}

// FirstOf races two ways, and ends the other.
//
//durable:orchestrator
func FirstOf(ctx durable.Context, c Claim) (string, error) {
	scoped, cancel := durable.WithCancel(ctx)
	defer cancel()
	fast, slow := AuditActivity.Start(scoped, c.ID), AuditActivity.Start(scoped, c.ID+"-slow")
	if durable.Any(ctx, fast, slow) == fast {
		ok, err := fast.Get(ctx)
		return fmt.Sprint("fast ", ok), err
	}
	ok, err := slow.Get(ctx)
	return fmt.Sprint("slow ", ok), err
}

// process is a claim under way.
type process struct {
	claim Claim
	saga  durable.Saga
	paid  int
}

func (p *process) pay(ctx durable.Context, amount int) error {
	p.saga.Compensate(func(ctx durable.Context) error { return RefundActivity.Call(ctx, p.claim.ID, amount) })
	if err := PayActivity.Call(ctx, p.claim.ID, amount); err != nil {
		return fmt.Errorf("pay %s: %w", p.claim.ID, err)
	}
	p.paid += amount
	return nil
}

func (p *process) undo(ctx durable.Context, why error) (Verdict, error) {
	return Verdict{Reason: why.Error()}, errors.Join(why, p.saga.Rollback(ctx))
}

// InSteps keeps its state in a struct with methods.
//
//durable:orchestrator
func InSteps(ctx durable.Context, c Claim) (Verdict, error) {
	p := &process{claim: c}
	for _, part := range c.Parts {
		if err := p.pay(ctx, part.Cost); errors.Is(err, ErrFraud) {
			return p.undo(ctx, err)
		} else if err != nil {
			return Verdict{}, err
		}
	}
	return Verdict{Paid: p.paid}, nil
}

// Escalation asks one after the other, each for a while.
//
//durable:orchestrator
func Escalation(ctx durable.Context, c Claim) (Verdict, error) {
	word, back := WordEvent.Receive(ctx), WithdrawnEvent.Receive(ctx)
	for _, who := range []string{"clerk", "head", "board"} {
		if err := AskActivity.Call(ctx, who, c); err != nil {
			return Verdict{}, err
		}
		patience := durable.NewTimer(ctx, 48*time.Hour)
		switch durable.Any(ctx, word, back, patience) {
		case word:
			patience.Stop()
			w, err := word.Get(ctx)
			if err != nil || !w.Pay {
				return Verdict{Reason: "refused by " + w.By}, err
			}
			return Verdict{Paid: c.Amount}, PayActivity.Call(ctx, c.ID, c.Amount)
		case back:
			return Verdict{Reason: "withdrawn"}, nil
		}
	}
	return Verdict{Reason: "nobody decided"}, nil
}

// Retried tries by hand, with growing pauses.
//
//durable:orchestrator
func Retried(ctx durable.Context, c Claim) (err error) {
	pause := time.Second
	for attempt := 1; attempt <= 5; attempt++ {
		if err = PayActivity.Call(ctx, c.ID, c.Amount); err == nil || errors.Is(err, ErrFraud) {
			return err
		}
		if err := durable.Sleep(ctx, pause); err != nil {
			return err
		}
		pause *= 2
	}
	return err
}

// Monitor looks every day, and begins anew each month.
//
//durable:orchestrator
func Monitor(ctx durable.Context, claim string, found int) error {
	for range 30 {
		ok, err := AuditActivity.Call(ctx, claim)
		if err != nil {
			ctx.SetStatus("audit failed: " + err.Error())
		}
		if !ok {
			found++
		}
		if err := durable.Sleep(ctx, 24*time.Hour); err != nil {
			return err
		}
	}
	return MonitorOrchestrator.ContinueAsNew(ctx, claim, found)
}

// Aggregator collects words until it has enough, or the day is over.
//
//durable:orchestrator
func Aggregator(ctx durable.Context, enough int) ([]string, error) {
	var names []string
	over := durable.NewTimer(ctx, 24*time.Hour)
	defer over.Stop()
	for len(names) < min(enough, 50) {
		word := WordEvent.Receive(ctx)
		if durable.Any(ctx, word, over) == over {
			break
		}
		w, err := word.Get(ctx)
		if err != nil {
			return names, err
		}
		if !slices.Contains(names, w.By) {
			names = append(names, w.By)
		}
	}
	return names, nil
}

// Family starts children, waits for those that matter and lets one go.
//
//durable:orchestrator
func Family(ctx durable.Context, c Claim) (Verdict, error) {
	_ = MonitorOrchestrator.StartChild(ctx, c.ID, 0, durable.InstanceID("monitor-"+c.ID)) //durable:detached
	steps := InStepsOrchestrator.StartChild(ctx, c)
	audit := AuditActivity.Start(ctx, c.ID)
	if ok, err := audit.Get(ctx); err != nil || !ok {
		return Verdict{}, errors.Join(err, ErrFraud)
	}
	return steps.Get(ctx)
}

// Optional starts what it needs only.
//
//durable:orchestrator
func Optional(ctx durable.Context, c Claim) (int, error) {
	var audit *durable.Future[bool]
	if c.Amount > 1000 {
		f := AuditActivity.Start(ctx, c.ID)
		audit = &f
	}
	cost, err := AssessActivity.Call(ctx, Part{Name: c.ID, Cost: c.Amount})
	if err != nil {
		return 0, err
	}
	if audit != nil {
		if ok, err := audit.Get(ctx); err != nil || !ok {
			return 0, errors.Join(err, ErrFraud)
		}
	}
	return cost, nil
}

// Timed bounds a part of its work.
//
//durable:orchestrator
func Timed(ctx durable.Context, c Claim) (string, error) {
	scoped, done := durable.WithTimeout(ctx, time.Hour)
	defer done()
	f := AuditActivity.Start(scoped, c.ID)
	ok, err := f.Get(scoped)
	if errors.Is(err, durable.ErrTimeout) {
		return "too late", nil
	}
	return fmt.Sprint(ok), err
}

// Cleanup undoes in a defer what was done.
//
//durable:orchestrator
func Cleanup(ctx durable.Context, c Claim) (v Verdict, err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, RefundActivity.Call(durable.WithoutCancel(ctx), c.ID, c.Amount))
		}
	}()
	if err := PayActivity.Call(ctx, c.ID, c.Amount); err != nil {
		return Verdict{}, err
	}
	return Verdict{Paid: c.Amount}, nil
}

// Table runs steps by their names.
//
//durable:orchestrator
func Table(ctx durable.Context, c Claim) error {
	steps := []struct {
		name string
		run  func(ctx durable.Context) error
	}{
		{"pay", func(ctx durable.Context) error { return PayActivity.Call(ctx, c.ID, c.Amount) }},
		{"ask", func(ctx durable.Context) error { return AskActivity.Call(ctx, "clerk", c) }},
	}
	for _, s := range steps {
		ctx.SetStatus(s.name)
		if err := s.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

// Counted asks how far it is.
//
//durable:orchestrator
func Counted(ctx durable.Context, c Claim) (int, error) {
	done := 0
	durable.SetQueryHandler(ctx, "done", func(durable.None) (int, error) { return done, nil })
	err := durable.ForEach(ctx, c.Parts, 4, func(ctx durable.Context, p Part) error {
		_, err := AssessActivity.Call(ctx, p)
		done++
		return err
	})
	return done, err
}

// Merged waits for either of two futures, whichever was begun.
//
//durable:orchestrator
func Merged(ctx durable.Context, c Claim) (bool, error) {
	f := AuditActivity.Start(ctx, c.ID)
	for attempt := 0; attempt < 3; attempt++ {
		ok, err := f.Get(ctx)
		if err == nil {
			return ok, nil
		}
		f = AuditActivity.Start(ctx, fmt.Sprint(c.ID, attempt))
	}
	return f.Get(ctx)
}

// Switched leaves what lost a race to the end of the orchestration, which cancels it.
//
//durable:orchestrator
func Switched(ctx durable.Context, c Claim) (string, error) {
	var said string
	for said == "" {
		word, tick := WordEvent.Receive(ctx), durable.NewTimer(ctx, time.Hour)
		durable.Select(ctx,
			durable.On(word, func(_ durable.Context, w Word, _ error) { said = w.By }),
			durable.OnTimer(tick, func(durable.Context) { said = "nobody" }),
		)
	}
	return said, nil
}

// Begun remembers whether it has begun.
//
//durable:orchestrator
func Begun(ctx durable.Context, c Claim) (int, error) {
	var audit durable.Future[bool]
	begun := false
	if c.Amount > 1000 {
		audit, begun = AuditActivity.Start(ctx, c.ID), true
	}
	cost, err := AssessActivity.Call(ctx, Part{Name: c.ID, Cost: c.Amount})
	if err != nil {
		return 0, err
	}
	if begun {
		if ok, err := audit.Get(ctx); err != nil || !ok {
			return 0, errors.Join(err, ErrFraud)
		}
	}
	return cost, nil
}
