package engine_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"time"

	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
)

type (
	co       = engine.Coroutine
	future   = engine.Future
	payloadT = history.Payload
)

func activity(c *co, name string, args string) *future {
	return c.Schedule(history.Slot{Kind: history.SlotActivity, Name: name, Args: payload(args)})
}

func timer(c *co, d time.Duration) *future {
	return c.Schedule(history.Slot{Kind: history.SlotTimer, Due: c.Now().Add(d)})
}

func child(c *co, id string) *future {
	return c.Schedule(history.Slot{Kind: history.SlotChild, Name: "club.Fee", Args: payload("7"), Target: history.Address{Group: "club", ID: id}})
}

func send(c *co, to string) *future {
	return c.Schedule(history.Slot{Kind: history.SlotSend, Name: "Club.Greeting", Args: payload(`"hi"`), Target: history.Address{ID: to}})
}

func version(c *co, name string, v int) int {
	p, _ := c.Schedule(history.Slot{Kind: history.SlotVersion, Name: name, Args: payload(strconv.Itoa(v))}).Result()
	n, _ := strconv.Atoi(string(p)) // none: 0
	return n
}

// get waits for a future and gives its result as an error or text.
func get(c *co, f *future) (string, error) {
	c.Await(f)
	result, failure := f.Result()
	if failure != nil {
		return "", errors.New(failure.Message)
	}
	return string(result), nil
}

// programs are the orchestrators of the scripts. What they say shows up in the reaction.
func programs(say func(format string, args ...any)) map[string]engine.Program {
	text := func(s string) (payloadT, error) { return payload(strconv.Quote(s)), nil }
	return map[string]engine.Program{
		"sequence": func(c *co, in payloadT) (payloadT, error) {
			for _, step := range []string{"club.Check", "club.SendCard"} {
				out, err := get(c, activity(c, step, string(in)))
				if err != nil {
					return nil, fmt.Errorf("%s: %w", step, err)
				}
				in = payload(out)
			}
			return in, nil
		},
		"aliased": func(c *co, in payloadT) (payloadT, error) { // sequence, its second activity under an old name
			for _, step := range []string{"club.Check", "club.Card"} {
				out, err := get(c, activity(c, step, string(in)))
				if err != nil {
					return nil, err
				}
				in = payload(out)
			}
			return in, nil
		},
		"spaced": func(c *co, in payloadT) (payloadT, error) { // sequence, the same arguments spelled otherwise
			a := activity(c, "club.Check", ` { "b" : [1.0,2e0] , "a":null } `)
			_, err := get(c, a)
			return nil, err
		},
		"dense": func(c *co, in payloadT) (payloadT, error) {
			a := activity(c, "club.Check", `{"a":null,"b":[1,2]}`)
			_, err := get(c, a)
			return nil, err
		},
		"longer": func(c *co, in payloadT) (payloadT, error) { // sequence with an activity more on the way
			if _, err := get(c, activity(c, "club.Check", string(in))); err != nil {
				return nil, err
			}
			return nil, errors.Join(second(get(c, activity(c, "club.New", ""))))
		},
		"shorter": func(c *co, in payloadT) (payloadT, error) { // sequence that ends after its first activity
			out, err := get(c, activity(c, "club.Check", string(in)))
			return payload(out), err
		},
		"early": func(c *co, in payloadT) (payloadT, error) { // sequence with both activities at once
			a, b := activity(c, "club.Check", string(in)), activity(c, "club.SendCard", `"checked"`)
			c.Await(a)
			c.Await(b)
			return nil, nil
		},
		"race": func(c *co, in payloadT) (payloadT, error) { // an answer before a deadline
			answer, deadline := c.Receive("Answer"), timer(c, 90*time.Second)
			defer c.Cancel(deadline)
			if c.Await(answer, deadline) == 1 {
				return text("too late at " + since(c.Now()))
			}
			result, _ := answer.Result()
			return result, nil
		},
		"patient": func(c *co, in payloadT) (payloadT, error) { // race with another deadline
			c.Await(c.Receive("Answer"), timer(c, time.Hour))
			return text("too late at " + since(c.Now()))
		},
		"stop": func(c *co, in payloadT) (payloadT, error) { // a timer that is stopped, then stopped again
			deadline := timer(c, time.Minute)
			c.Await(c.Receive("enough"))
			c.Cancel(deadline)
			c.Cancel(deadline)
			say("done %v, stopped %v", deadline.Done(), deadline.Stopped())
			c.Await(c.Receive("end"))
			return nil, nil
		},
		"leftovers": func(c *co, in payloadT) (payloadT, error) { // returns while all kinds of slots are open
			timer(c, time.Minute)
			activity(c, "club.Check", "")
			child(c, "")
			timer(c, time.Hour)
			c.Await(c.Receive("end"))
			send(c, "bob")
			return nil, nil
		},
		"order": func(c *co, in payloadT) (payloadT, error) { // who runs when
			hold := c.Promise()
			for _, name := range []string{"b", "c"} {
				c.Go(func(c *co) {
					say("%s begins", name)
					c.Await(hold)
					say("%s goes on", name)
				})
			}
			say("a goes first")
			c.Await(c.Receive("go"))
			c.Resolve(hold, nil, nil)
			c.Resolve(hold, payload("7"), nil)
			say("a resolved, nobody ran")
			c.Await(c.Receive("end"))
			return nil, nil
		},
		"at-once": func(c *co, in payloadT) (payloadT, error) { // both promises are kept before the one who waits runs
			a, b := c.Promise(), c.Promise()
			c.Go(func(c *co) { say("any of a, b: %d", c.Await(a, b)) })
			c.Await(c.Receive("go"))
			c.Resolve(b, nil, nil)
			c.Resolve(a, nil, nil)
			c.Await(c.Receive("end"))
			return nil, nil
		},
		"receivers": func(c *co, in payloadT) (payloadT, error) { // two coroutines and one name
			old, young := c.Receive("note"), c.Receive("note")
			c.Go(func(c *co) { note, _ := get(c, young); say("young got %s", note) })
			c.Go(func(c *co) {
				c.Await(c.Receive("wake"))
				note, _ := get(c, old)
				say("old got %s", note)
			})
			c.Await(c.Receive("end"))
			return nil, nil
		},
		"both": func(c *co, in payloadT) (payloadT, error) { // two futures of one name in one wait
			old, young := c.Receive("note"), c.Receive("note")
			if string(in) == "true" {
				c.Await(c.Receive("wake"))
			}
			n := c.Await(young, old)
			say("first %d: old %v, young %v", n, old.Done(), young.Done())
			c.Await(young)
			say("then: old %v, young %v", old.Done(), young.Done())
			return nil, nil
		},
		"abandon": func(c *co, in payloadT) (payloadT, error) { // a wait that is over eats nothing
			for n := range 2 {
				deadline := timer(c, time.Minute)
				lost := c.Receive("note")
				say("round %d: %d", n, c.Await(deadline, lost))
				if n == 0 {
					c.Cancel(lost)
				}
			}
			note, _ := get(c, c.Receive("NOTE"))
			return payload(note), nil
		},
		"argument-order": func(c *co, in payloadT) (payloadT, error) { // the first complete one counts, not the first to complete
			a, b := activity(c, "club.A", ""), activity(c, "club.B", "")
			c.Await(c.Receive("wake"))
			say("any of a, b, note: %d", c.Await(a, b, c.Receive("note")))
			say("any of note, a, b: %d", c.Await(c.Receive("note"), a, b))
			return nil, nil
		},
		"counter": func(c *co, in payloadT) (payloadT, error) { // goes on as new with every step
			n, err := strconv.Atoi(string(in))
			if err != nil {
				return nil, err
			}
			c.SetStatus(payload(fmt.Sprintf(`"at %d"`, n)))
			timer(c, time.Hour)
			step, _ := get(c, c.Receive("step"))
			say("step %s at %s", step, since(c.Now()))
			if n == 3 {
				return payload("3"), nil
			}
			return nil, fmt.Errorf("so: %w", &engine.ContinueAsNew{Input: payload(strconv.Itoa(n + 1))})
		},
		"parent": func(c *co, in payloadT) (payloadT, error) {
			made, own := child(c, ""), child(c, "fee-1")
			fee, err := get(c, own)
			say("own: %s %v", fee, err)
			fee, err = get(c, made)
			say("made: %s %v", fee, err)
			return nil, err
		},
		"sender": func(c *co, in payloadT) (payloadT, error) {
			f := send(c, "bob")
			say("done %v", f.Done())
			c.Await(f)
			send(c, "eve")
			c.Await(c.Receive("end"))
			return nil, nil
		},
		"versions": func(c *co, in payloadT) (payloadT, error) {
			say("cards %d", version(c, "cards", 2))
			_, err := get(c, activity(c, "club.Check", ""))
			say("cards %d, letters %d", version(c, "cards", 3), version(c, "letters", 1))
			return nil, err
		},
		"unversioned": func(c *co, in payloadT) (payloadT, error) { // versions before it had any
			_, err := get(c, activity(c, "club.Check", ""))
			return nil, err
		},
		"logger": func(c *co, in payloadT) (payloadT, error) {
			log := c.Logger().With("a", 1).WithGroup("g")
			log.Info("begins", "replaying", c.Replaying())
			_, err := get(c, activity(c, "club.Check", ""))
			log.Info("goes on", "replaying", c.Replaying())
			c.Await(c.Receive("end"))
			return nil, err
		},
		"repeatable": func(c *co, in payloadT) (payloadT, error) {
			u, v := c.UUID(), c.UUID()
			args := fmt.Sprintf(`"%x %x %d"`, u, v, c.Rand().IntN(1000))
			c.Await(activity(c, "club.Check", args))
			again, _ := get(c, c.Receive("again"))
			return nil, &engine.ContinueAsNew{Input: payload(again)}
		},
		"panic": func(c *co, in payloadT) (payloadT, error) {
			c.Await(c.Receive("go"))
			deep(3)
			return nil, nil
		},
		"panic-in-a-coroutine": func(c *co, in payloadT) (payloadT, error) {
			timer(c, time.Minute)
			c.Go(func(c *co) {
				c.Await(c.Receive("go"))
				none, n := []int{}, 1
				say("not reached %d", none[n])
			})
			c.Await(c.Receive("end"))
			return nil, nil
		},
		"goexit": func(c *co, in payloadT) (payloadT, error) {
			c.Await(c.Receive("go"))
			defer func() {
				if string(in) == "true" {
					panic("on the way out")
				}
			}()
			runtime.Goexit()
			return nil, nil
		},
		"wrong-coroutine": func(c *co, in payloadT) (payloadT, error) {
			c.Go(func(*co) { c.Now() })
			c.Await(c.Receive("end"))
			return nil, nil
		},
		"returned-coroutine": func(c *co, in payloadT) (payloadT, error) {
			var kept *co
			c.Go(func(c *co) { kept = c })
			c.Await(c.Receive("go"))
			c.Go(func(*co) {})
			kept.Go(func(*co) {})
			return nil, nil
		},
		"nothing-to-wait-for": func(c *co, in payloadT) (payloadT, error) { c.Await(); return nil, nil },
		"nil-future":          func(c *co, in payloadT) (payloadT, error) { c.Await(nil); return nil, nil },
		"clock": func(c *co, in payloadT) (payloadT, error) {
			for {
				note, _ := get(c, c.Receive("note"))
				say("%s at %s", note, since(c.Now()))
			}
		},
		"stubborn": func(c *co, in payloadT) (payloadT, error) { // tries everything on its way out
			defer say("main ends")
			c.Go(func(c *co) {
				defer say("the other ends")
				defer func() { panic("again") }()
				c.Await(c.Receive("end"))
			})
			deadline := timer(c, time.Minute)
			defer c.Cancel(deadline)
			defer c.Logger().Info("not logged")
			defer func() { say("recovered %v at %s", recover(), since(c.Now())) }()
			defer func() { activity(c, "club.Late", ""); say("not reached") }()
			defer func() { c.Go(func(*co) {}); say("not reached") }()
			defer func() {
				c.SetStatus(payload("1"))
				c.Resolve(c.Promise(), nil, nil)
				c.Await(deadline)
				say("not reached")
			}()
			for {
				func() {
					defer func() { recover() }()
					c.Await(c.Receive("end"))
				}()
			}
		},
		"marshal": func(c *co, in payloadT) (payloadT, error) { // sees what its start says
			return json.Marshal([]any{c.Self(), c.Start().Orchestrator, c.Start().Parent.ID})
		},
		"more-versions": func(c *co, in payloadT) (payloadT, error) { // versions with one more marker before its first
			say("stamps %d, cards %d", version(c, "stamps", 1), version(c, "cards", 2))
			_, err := get(c, activity(c, "club.Check", ""))
			say("cards %d, letters %d", version(c, "cards", 3), version(c, "letters", 1))
			return nil, err
		},
	}
}

func second(_ string, err error) error { return err }

//go:noinline
func deep(n int) {
	if n == 0 {
		panic(fmt.Errorf("the card is %s", "gone"))
	}
	deep(n - 1)
}
