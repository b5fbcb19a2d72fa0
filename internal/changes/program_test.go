package changes_test

import (
	"fmt"
	"go/format"
	"math/rand/v2"
	"slices"
	"strings"
)

// node is a statement of a generated orchestrator.
type node struct {
	kind string // call, start, sleep, receive, if, loop, both, log
	n    int    // of the activity, condition, count or text
	body []*node
	rest []*node // of an if: the other way
}

// kinds are what is drawn from; calls are the most frequent.
var kinds = []string{"call", "call", "call", "start", "sleep", "receive", "if", "if", "loop", "both", "log"}

func randomBody(r *rand.Rand, depth int) (body []*node) {
	for range 1 + r.IntN(3) {
		body = append(body, randomNode(r, depth))
	}
	return body
}

func randomNode(r *rand.Rand, depth int) *node {
	n := &node{kind: kinds[r.IntN(len(kinds))], n: r.IntN(4)}
	if depth == 0 && (n.kind == "if" || n.kind == "loop") {
		n.kind = "call"
	}
	switch n.kind {
	case "if":
		n.body = randomBody(r, depth-1)
		if r.IntN(2) == 0 {
			n.rest = randomBody(r, depth-1)
		}
	case "loop":
		n.body = randomBody(r, depth-1)
	}
	return n
}

func clone(body []*node) (all []*node) {
	for _, n := range body {
		c := *n
		c.body, c.rest = clone(n.body), clone(n.rest)
		all = append(all, &c)
	}
	return all
}

// edit makes one change somewhere in a body and says which.
func edit(r *rand.Rand, body *[]*node) string {
	at := r.IntN(len(*body))
	n := (*body)[at]
	if len(n.body) > 0 && r.IntN(3) > 0 {
		inner := &n.body
		if len(n.rest) > 0 && r.IntN(2) == 0 {
			inner = &n.rest
		}
		return edit(r, inner)
	}
	switch r.IntN(6) {
	case 0:
		*body = slices.Insert(*body, at, randomNode(r, 0))
		return "insert before a " + n.kind
	case 1:
		*body = append(*body, randomNode(r, 0))
		return "append"
	case 2:
		if len(*body) > 1 {
			*body = slices.Delete(*body, at, at+1)
			return "delete a " + n.kind
		}
	case 3:
		if at > 0 {
			(*body)[at], (*body)[at-1] = (*body)[at-1], n
			return "exchange a " + n.kind
		}
	case 4:
		*body = slices.Insert(*body, at, &node{kind: "log", n: 9})
		return "insert a log"
	}
	n.n = (n.n + 1) % 4
	return "another number in a " + n.kind
}

// printer writes a program; odd spelling is another form of the same behaviour.
type printer struct {
	b    strings.Builder
	odd  bool
	vars int
}

func (p *printer) line(format string, args ...any) { fmt.Fprintf(&p.b, format+"\n", args...) }

func (p *printer) name() string {
	p.vars++
	return fmt.Sprintf("v%d", p.vars)
}

func (p *printer) statements(body []*node) {
	for _, n := range body {
		p.statement(n)
	}
}

func (p *printer) statement(n *node) {
	switch n.kind {
	case "call":
		v := p.name()
		p.line("%s, err := Work%dActivity.Call(ctx, in.A+sum)\nif err != nil {\nreturn sum, err\n}", v, n.n)
		p.line("sum += %s", v)
	case "start":
		p.line("Work%dActivity.Start(ctx, in.B)", n.n)
	case "sleep":
		p.line("if err := durable.Sleep(ctx, %d*time.Minute); err != nil {\nreturn sum, err\n}", n.n+1)
	case "receive":
		v := p.name()
		p.line("%s, err := HintEvent.Receive(ctx).Get(ctx)\nif err != nil {\nreturn sum, err\n}", v)
		p.line("sum += %s.N", v)
	case "log":
		p.line("ctx.Logger().Info(%q, \"sum\", sum)", fmt.Sprint("at ", n.n))
	case "both":
		v, w := p.name(), p.name()
		p.line("%s := Work%dActivity.Start(ctx, in.A)\n%s := Work%dActivity.Start(ctx, in.B)", v, n.n, w, (n.n+1)%4)
		p.line("if err := durable.All(ctx, %s, %s); err != nil {\nreturn sum, err\n}", v, w)
	case "loop":
		v := p.name()
		if p.odd {
			p.line("for %s := 0; %s < %d; %s++ {", v, v, n.n, v)
		} else {
			p.line("for range %d {", n.n)
		}
		p.statements(n.body)
		p.line("}")
	case "if":
		p.branch(n)
	}
}

func (p *printer) branch(n *node) {
	if p.odd && len(n.rest) > 0 {
		p.line("switch {\ncase in.B > %d:", n.n)
		p.statements(n.body)
		p.line("default:")
		p.statements(n.rest)
		p.line("}")
		return
	}
	p.line("if in.B > %d {", n.n)
	p.statements(n.body)
	if len(n.rest) > 0 {
		p.line("} else {")
		p.statements(n.rest)
	}
	p.line("}")
}

// source is the program of a body.
func source(body []*node, odd bool) []byte {
	p := printer{odd: odd}
	p.line("package drawn\n\nimport (\n\"time\"\n\ndurable \"github.com/durablegen/durablegen/runtime\"\n)\n")
	p.line("type In struct {\nA int `json:\"a\"`\nB int `json:\"b\"`\n}\n")
	p.line("// Hint is raised.\n//\n//durable:event\ntype Hint struct {\nN int `json:\"n\"`\n}\n")
	for n := range 4 {
		p.line("//durable:activity\nfunc Work%d(n int) (int, error) { return n%%3 + %d, nil }\n", n, n)
	}
	p.line("const minute = time.Minute\n")
	p.line("//durable:orchestrator\nfunc Do(ctx durable.Context, in In) (int, error) {\nsum := 0")
	p.statements(body)
	p.line("return sum, nil\n}")
	text, err := format.Source([]byte(p.b.String()))
	if err != nil {
		panic(err)
	}
	return text
}
