package annotations

import (
	"fmt"
	"go/ast"
	"go/token"
	"regexp"
	"strings"
	"time"
)

// Directive is one parsed //durable: line. Absent keys leave their field zero.
type Directive struct {
	Word Word
	Pos  token.Pos // of the slashes
	End  token.Pos
	Node ast.Node // what it marks: *ast.FuncDecl, *ast.TypeSpec, *ast.ValueSpec or *ast.Field; nil for an allow or a detached on a line

	Name    string   // the stored name; "": the default
	Aliases []string // older stored names
	Handle  string   // the identifier of the generated handle; "": the default
	Version string
	Group   string

	Timeout     time.Duration // of one attempt; 0: the runtime's default
	Attempts    int           // the first call counts; 0: one attempt
	First       time.Duration // pause before the second attempt
	Backoff     float64       // factor from one pause to the next
	Max         time.Duration // longest pause
	Jitter      float64       // fraction of a pause that may be taken off at random
	Deadline    time.Duration // of all attempts; 0: none
	Heartbeat   time.Duration // longest silence of an attempt that beats; 0: none
	Concurrency int           // most executions at once in a hub; 0: no limit
	Local       bool          // the owner of the orchestration runs it, without a task

	Rules  []string // what an allow permits
	Reason string   // and why

	at map[Key]token.Pos
}

// At gives the position of an argument, the directive's own when key is absent.
func (d *Directive) At(key Key) token.Pos {
	if pos, ok := d.at[key]; ok {
		return pos
	}
	return d.Pos
}

// Has reports whether key was given.
func (d *Directive) Has(key Key) bool { _, ok := d.at[key]; return ok }

// SyntaxError is a mistake in a directive: where, what is wrong with it and the accepted form.
type SyntaxError struct {
	Pos      token.Position
	Message  string
	At       token.Pos // Pos in the file set
	NoReason bool      // an allow that does not say why
	Fix      *Fix      // nil: nobody can know what was meant
}

// Fix is an edit that mends a mistake.
type Fix struct {
	Message  string    // what it does, as a verb phrase
	Pos, End token.Pos // what it replaces
	New      string
}

// Error gives "file:line:col: message".
func (e *SyntaxError) Error() string { return e.Pos.String() + ": " + e.Message }

// Parse reads one comment. It gives nil and no errors for a comment that is no directive of ours, and the directive (as
// far as it is right) with the errors of one that is. A comment that was meant as a directive but is none for Go, such as
// "// durable:activity", is an error too. Node is left nil: see [File].
func Parse(fset *token.FileSet, c *ast.Comment) (*Directive, []*SyntaxError) {
	p := parser{fset: fset}
	d := p.comment(c)
	return d, p.errs
}

// nearMiss matches what Go does not take as a directive but a reader does: a space, an upper case letter, a block comment.
var nearMiss = regexp.MustCompile(`^(//|/\*)\s*(?i:durable)\s*:\s*([A-Za-z]+)([^\n]*)`)

type parser struct {
	fset *token.FileSet
	errs []*SyntaxError
}

func (p *parser) errorf(pos token.Pos, format string, args ...any) *SyntaxError {
	e := &SyntaxError{Pos: p.fset.Position(pos), At: pos, Message: fmt.Sprintf(format, args...)}
	p.errs = append(p.errs, e)
	return e
}

// replace is the fix that writes text in the place of another.
func replace(pos token.Pos, old, text string) *Fix {
	return &Fix{Message: "Write " + text, Pos: pos, End: pos + token.Pos(len(old)), New: text}
}

func (p *parser) comment(c *ast.Comment) *Directive {
	raw, ok := ast.ParseDirective(c.Slash, c.Text)
	if !ok {
		p.nearMiss(c)
		return nil
	}
	if raw.Tool != "durable" {
		return nil
	}
	rule, ok := ruleOf(Word(raw.Name))
	if !ok {
		p.unknownWord(raw)
		return nil
	}
	d := &Directive{Word: rule.word, Pos: raw.Slash, End: raw.End(), at: map[Key]token.Pos{}}
	if rule.word == Allow {
		p.allow(d, raw)
	} else {
		p.arguments(d, rule, raw)
		p.retries(d)
	}
	return d
}

// nearMiss reports a comment that is a directive but for its spelling. Prose that merely begins with the word is left
// alone: the rest of the line must look like arguments.
func (p *parser) nearMiss(c *ast.Comment) {
	m := nearMiss.FindStringSubmatch(c.Text)
	if m == nil {
		return
	}
	rule, ok := ruleOf(Word(strings.ToLower(m[2])))
	if !ok || rule.word == Detached { // behind code, where people write a space; it is read with one, too
		return
	}
	rest := strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(m[3]), "*/"))
	if !looksLikeArguments(rule, rest) {
		return
	}
	want := strings.TrimSpace("//durable:" + string(rule.word) + " " + rest)
	e := p.errorf(c.Slash, "this comment is not read as a directive, which begins with // and has only lower case and no space up to its arguments; write %s", want)
	if !strings.Contains(c.Text, "\n") {
		e.Fix = replace(c.Slash, c.Text, want)
	}
}

func looksLikeArguments(r rule, rest string) bool {
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return true
	}
	if r.word == Allow {
		return ruleID.MatchString(strings.TrimSuffix(fields[0], ","))
	}
	for _, f := range fields {
		if !isFlag(Key(f)) && !strings.Contains(f, "=") {
			return false
		}
	}
	return true
}

func (p *parser) unknownWord(raw ast.Directive) {
	pos := raw.Slash + token.Pos(len("//durable:"))
	if near := didYouMean(raw.Name, words()); near != "" {
		e := p.errorf(pos, "unknown directive //durable:%s; did you mean //durable:%s?", raw.Name, near)
		e.Fix = replace(pos, raw.Name, near)
		return
	}
	p.errorf(pos, "unknown directive //durable:%s; the words are %s", raw.Name, strings.Join(words(), ", "))
}

// arguments reads the key=value list of every word but allow.
func (p *parser) arguments(d *Directive, r rule, raw ast.Directive) {
	args, err := raw.ParseArgs()
	if err != nil {
		p.errorf(raw.ArgsPos, "%s: arguments are key=value without quotes", err)
		return
	}
	for _, arg := range args {
		p.argument(d, r, arg)
	}
}

func (p *parser) argument(d *Directive, r rule, arg ast.DirectiveArg) {
	text, value, found := strings.Cut(arg.Arg, "=")
	key := Key(text)
	kind, known := kinds[key]
	switch {
	case !known || !r.takes(key):
		p.unknownKey(r, text, arg)
	case kind == kindFlag && found:
		p.errorf(arg.Pos, "%s takes no value; write it alone, or leave it out", key)
	case !found && kind != kindFlag:
		p.errorf(arg.Pos, "%s needs a value: %s", key, examples[kind])
	case strings.ContainsAny(value, "\"`"):
		p.errorf(arg.Pos, "%s=%s: values are written without quotes: %s", key, value, examples[kind])
	case d.Has(key) && key != Alias:
		p.errorf(arg.Pos, "%s is there twice; keep one of them", written(text))
	default:
		if err := d.set(key, value); err != nil {
			p.errorf(arg.Pos, "%s=: %s; it takes %s", key, err, examples[kind])
		}
		if !d.Has(key) {
			d.at[key] = arg.Pos
		}
	}
}

func (p *parser) unknownKey(r rule, key string, arg ast.DirectiveArg) {
	what := fmt.Sprintf("//durable:%s takes no %q", r.word, key)
	if len(r.keys) == 0 {
		p.errorf(arg.Pos, "%s; it takes no arguments", what)
		return
	}
	keys := r.keyList()
	for i, k := range keys {
		keys[i] = written(k)
	}
	list := strings.Join(keys, ", ")
	if _, known := kinds[Key(key)]; known {
		p.errorf(arg.Pos, "%s; its keys are %s", what, list)
		return
	}
	if near := didYouMean(key, r.keyList()); near != "" {
		e := p.errorf(arg.Pos, "%s; did you mean %s?", what, written(near))
		e.Fix = replace(arg.Pos, key, near)
		return
	}
	p.errorf(arg.Pos, "%s; its keys are %s", what, list)
}

// retries refuses retry settings that can have no effect: somebody who writes them believes that there are retries.
func (p *parser) retries(d *Directive) {
	for _, k := range []Key{First, Backoff, Max, Jitter} {
		if d.Has(k) && !(d.Has(Attempts) && d.Attempts != 1) {
			p.errorf(d.At(k), "%s= has no effect without a second attempt; add attempts=3, say, or leave it out", k)
		}
	}
	if d.First > 0 && d.Max > 0 && d.Max < d.First {
		p.errorf(d.At(Max), "max=%s is shorter than first=%s; the longest pause cannot be below the first", d.Max, d.First)
	}
	p.times(d)
	if d.Local && d.Concurrency > 0 {
		p.errorf(d.At(Local), "local and concurrency=%d exclude each other: only a queue keeps a limit of the whole hub; leave one of them out", d.Concurrency)
	}
}

// times refuses times that could never be used up.
func (p *parser) times(d *Directive) {
	if d.Deadline > 0 && d.Timeout > d.Deadline {
		p.errorf(d.At(Timeout), "timeout=%s is longer than deadline=%s; one attempt cannot have more time than all of them", d.Timeout, d.Deadline)
	}
	if d.Heartbeat > 0 && d.Timeout > 0 && d.Heartbeat >= d.Timeout {
		p.errorf(d.At(Heartbeat), "heartbeat=%s is not shorter than timeout=%s; it would never be missed", d.Heartbeat, d.Timeout)
	}
}

var ruleID = regexp.MustCompile(`^[A-Z]{2,8}[0-9]{3}$`)

// allow reads "RULE[, RULE…] -- reason".
func (p *parser) allow(d *Directive, raw ast.Directive) {
	const form = "the form is //durable:allow DET101 -- reason"
	before := len(p.errs)
	rules, reason, _ := strings.Cut(" "+raw.Args+" ", " -- ")
	d.Reason = strings.TrimSpace(reason)
	for _, id := range strings.FieldsFunc(rules, func(r rune) bool { return r == ' ' || r == '\t' || r == ',' }) {
		if !ruleID.MatchString(id) {
			p.errorf(raw.ArgsPos, "%q is no rule id; %s", id, form)
			continue
		}
		d.Rules = append(d.Rules, id)
	}
	if len(d.Rules) == 0 && len(p.errs) == before {
		p.errorf(d.Pos, "//durable:allow names no rule; %s", form)
	}
	if d.Reason == "" && len(p.errs) == before {
		p.errorf(d.Pos, "//durable:allow gives no reason; %s", form).NoReason = true
	}
}
