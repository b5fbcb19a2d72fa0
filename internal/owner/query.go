package owner

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/runtime/observe"
)

// Question asks a live instance for what it has in memory. It is a signal: it may get lost, or come twice.
type Question struct {
	ID    string          `json:"id"`
	Name  string          `json:"name"`
	Args  history.Payload `json:"args,omitempty"`
	Reply string          `json:"reply"` // topic
}

// Answer is the owner's answer to a Question.
type Answer struct {
	Result  history.Payload `json:"result,omitempty"`
	Error   string          `json:"error,omitempty"`
	Unknown bool            `json:"unknown,omitempty"` // the orchestrator answers no query of this name
}

// QueryLimit is the largest argument or answer of a query in bytes: it travels as one signal.
const QueryLimit = 256 << 10

// QueryTopic is where the owner of a partition hears queries.
func QueryTopic(group string, partition int) string {
	return "query." + history.EncodeID(group) + "." + strconv.Itoa(partition)
}

// hearRequests begins or ends to hear what the owner of a partition is asked: queries, to shorten its part of the log,
// and to project.
func (g *Group) hearRequests(p *Partition, mine bool) {
	for _, stop := range g.requests[p.number] {
		stop()
	}
	g.requests[p.number] = nil
	if !mine {
		return
	}
	for topic, answer := range map[string]func([]byte){
		QueryTopic(g.cfg.Group, p.number):  p.ask,
		FreezeTopic(g.cfg.Group, p.number): p.freeze,
		ShowTopic(g.cfg.Group, p.number):   p.show,
	} {
		stop, err := g.cfg.Backend.Listen(topic, answer)
		if err != nil {
			g.cfg.Logger.Warn("durable: the owner of a partition does not hear what it is asked", observe.KeyPartition, p.number, "topic", topic, observe.KeyError, err)
			continue
		}
		g.requests[p.number] = append(g.requests[p.number], stop)
	}
}

// ask answers a query, or has its instance loaded first. Who gets no answer asks again: an instance that cannot be
// loaded, that ends, or that another worker has taken over is of no concern here.
func (p *Partition) ask(data []byte) {
	var q Question
	if json.Unmarshal(data, &q) != nil || history.CheckID(q.ID) != nil || history.Partition(q.ID, p.be.Info().Partitions) != p.number {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.owned {
		return
	}
	i := p.instances[q.ID]
	if i == nil {
		i = p.add(history.Address{Group: p.cfg.Group, ID: q.ID})
		i.load()
		p.evict()
	}
	known := slices.ContainsFunc(i.asked, func(o Question) bool { return o.Reply == q.Reply })
	if len(i.asked) < mostAsked && !known { // else it asks again, or has done so
		i.asked = append(i.asked, q)
	}
	i.answerAsked()
}

const (
	mostAsked = 100             // queries of one instance that wait for a load or for those before
	queryTime = 2 * time.Second // that the handler of a query may take
)

// answerAsked answers the first query that waits. Between two messages the program is blocked, and what it has in memory
// is what every owner of this inbox would have (I1). The handler runs without the partition's mutex, so others need not
// wait for it; deliveries of its own instance do. When it takes too long, the instance is dropped and loaded anew, with
// variables that the handler does not see.
func (i *instance) answerAsked() {
	if i.phase != live || i.dead || i.answering || len(i.asked) == 0 {
		return
	}
	q, machine, clock := i.asked[0], i.machine, i.p.be.Clock()
	i.answering = true
	over := false // an answer has been sent
	stop := clock.After(queryTime, func() {
		i.p.mu.Lock()
		defer i.p.mu.Unlock()
		if over {
			return
		}
		over = true
		i.p.cfg.Logger.Warn("durable: a query handler takes too long: its instance is loaded anew", observe.KeyInstance, i.addr.ID, "query", q.Name, "limit", queryTime)
		i.p.be.Signal(q.Reply, Answer{Error: fmt.Sprintf("its handler has not returned within %v", queryTime)}.encode())
		if !i.dead {
			i.lose()
		}
	})
	clock.After(0, func() {
		a := answerTo(machine, q)
		stop()
		i.p.mu.Lock()
		defer i.p.mu.Unlock()
		i.answering = false
		if !over {
			over = true
			i.tellAsker(q, a)
		}
		if i.machine != machine { // dropped meanwhile
			machine.Close()
			return
		}
		i.asked = i.asked[1:]
		i.drain()
	})
}

func answerTo(machine *engine.Machine, q Question) Answer {
	result, err := machine.Ask(q.Name, q.Args)
	if err == nil && len(result) > QueryLimit {
		err = fmt.Errorf("the answer has %d bytes, at most %d can be sent", len(result), QueryLimit)
	}
	if err == nil {
		return Answer{Result: result}
	}
	const most = 4 << 10
	text := err.Error()
	if len(text) > most {
		text = text[:most] + "…"
	}
	_, unknown := errors.AsType[*engine.UnknownQueryError](err)
	return Answer{Error: text, Unknown: unknown}
}

func (a Answer) encode() []byte {
	data, err := json.Marshal(a)
	if err != nil {
		panic(err) // strings and payloads always marshal
	}
	return data
}

// tellAsker sends an answer, which shows no message that a power cut could still take back.
func (i *instance) tellAsker(q Question, a Answer) {
	be := i.p.be
	if !be.Info().Trails {
		be.Signal(q.Reply, a.encode())
		return
	}
	be.Settle(func(err error) {
		if err == nil { // else the asker asks again
			be.Signal(q.Reply, a.encode())
		}
	})
}
