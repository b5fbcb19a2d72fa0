package effects

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// parse reads the files of a table, by name. It reports every mistake with its place; std/base.txt has the notation.
func parse(files map[string]string) (*table, error) {
	p := &parser{table: &table{
		sets:     map[string]set{},
		readers:  map[string]bool{},
		packages: map[string]*pkg{},
		roots:    map[string]bool{"internal": true, "vendor": true},
	}}
	for _, step := range []func(words []string, indented bool){p.header, p.body} {
		p.pkg = nil
		for _, name := range slices.Sorted(maps.Keys(files)) {
			p.file(name, files[name], step)
		}
	}
	if p.table.release == "" {
		p.errs = append(p.errs, errors.New(`no file has a line "go 1.26": say which release the table was checked with`))
	}
	return p.table, errors.Join(p.errs...)
}

// parser holds the place that is being read.
type parser struct {
	table *table
	pkg   *pkg   // of the lines that follow; nil: none yet in this file
	where string // file:line
	errs  []error
}

func (p *parser) failf(format string, args ...any) {
	p.errs = append(p.errs, fmt.Errorf("%s: "+format, append([]any{p.where}, args...)...))
}

// file gives the words of every line to step.
func (p *parser) file(name, text string, step func(words []string, indented bool)) {
	p.pkg = nil
	number := 0
	for l := range strings.Lines(text) {
		number++
		p.where = fmt.Sprintf("%s:%d", name, number)
		code, _, _ := strings.Cut(l, "#")
		if words := strings.Fields(code); len(words) > 0 {
			step(words, strings.HasPrefix(l, " ") || strings.HasPrefix(l, "\t"))
		}
	}
}

// header reads what other lines may need: the release, the sets and the readers.
func (p *parser) header(words []string, indented bool) {
	switch {
	case indented || words[0] == "package":
	case words[0] == "go" && len(words) == 2:
		if p.table.release != "" {
			p.failf("a second release: %s was said before", p.table.release)
		}
		p.table.release = words[1]
	case words[0] == "methods":
		p.methods(words[1:])
	case words[0] == "readers" && len(words) > 1:
		for _, name := range words[1:] {
			p.table.readers[name] = true
		}
	default:
		p.failf("%q begins no line: expected go, methods, readers, package, or an indented symbol", words[0])
	}
}

func (p *parser) methods(words []string) {
	at := slices.Index(words, "=")
	if at < 1 || at > 2 || at == 2 && words[1] != "benign" || at == len(words)-1 {
		p.failf("a set of methods is written: methods NAME [benign] = Method ...")
		return
	}
	if _, twice := p.table.sets[words[0]]; twice {
		p.failf("a second set named %s", words[0])
	}
	p.table.sets[words[0]] = set{methods: words[at+1:], benign: at == 2}
}

// body reads the packages and their symbols.
func (p *parser) body(words []string, indented bool) {
	switch {
	case indented && p.pkg == nil:
		p.failf("%s stands in no package", words[0])
	case indented:
		p.symbols(words)
	case words[0] == "package":
		p.packageLine(words[1:])
	}
}

var rule = regexp.MustCompile(`^(DET|DUR)\d{3}$`)

func (p *parser) packageLine(words []string) {
	p.pkg = &pkg{where: p.where, exact: map[string]*line{}}
	if len(words) < 2 {
		p.failf("a package is written: package PATH DEFAULT [reads] [optional]")
		return
	}
	path, base := words[0], words[1]
	if _, twice := p.table.packages[path]; twice {
		p.failf("package %s has a place already", path)
	}
	switch {
	case base == "mixed":
	case base == "pure":
		p.pkg.base = &line{where: p.where}
	case rule.MatchString(base):
		p.pkg.base = &line{where: p.where, effect: Effect{Rule: base}}
	default:
		p.failf("%s is no default: expected pure, mixed or the id of a rule", base)
	}
	for _, word := range words[2:] {
		switch word {
		case "reads":
			p.pkg.reads = true
		case "optional":
			p.pkg.optional = true
		default:
			p.failf("%s says nothing about a package: expected reads or optional", word)
		}
	}
	p.table.packages[path] = p.pkg
	first, _, _ := strings.Cut(path, "/")
	p.table.roots[first] = true
}

var symbolForm = regexp.MustCompile(`^[\w*]+(\.[\w*]+)?$`)

// symbols reads a line "SYMBOL SYMBOL = WORD WORD".
func (p *parser) symbols(words []string) {
	at := slices.Index(words, "=")
	if at < 1 || at == len(words)-1 {
		p.failf("symbols are written: SYMBOL ... = WORD ...")
		return
	}
	says := p.words(words[at+1:])
	for _, name := range words[:at] {
		l := says
		l.symbol = name
		switch {
		case !symbolForm.MatchString(name):
			p.failf("%s is no symbol: expected Func, Var or Type.Method", name)
		case p.pkg.exact[name] != nil:
			p.failf("%s stands in %s already", name, p.pkg.exact[name].where)
		case isPattern(name) && slices.ContainsFunc(p.pkg.patterns, func(o *line) bool { return o.symbol == name }):
			p.failf("the pattern %s has a line already", name)
		case isPattern(name):
			p.pkg.patterns = append(p.pkg.patterns, &l)
		default:
			p.pkg.exact[name] = &l
		}
	}
}

// words reads what is said of symbols.
func (p *parser) words(words []string) line {
	l := line{where: p.where}
	pure := false
	for _, word := range words {
		switch {
		case word == "pure":
			pure = true
		case word == "order":
			l.effect.Order = true
		case word == "localtime":
			l.effect.Local = true
		case word == "zoned":
			l.effect.Zoned = true
		case word == "dispatch":
			l.dispatch = true
		case word == "benign":
			l.benign = true
		case word == "recv!":
			l.receiver = changes
		case word == "recv-":
			l.receiver = keeps
		case rule.MatchString(word):
			if l.effect.Rule != "" {
				p.failf("two rules, %s and %s: the graver one is enough", l.effect.Rule, word)
			}
			l.effect.Rule = word
		default:
			p.call(word, &l.effect)
		}
	}
	if l.benign {
		for i := range l.effect.Calls {
			l.effect.Calls[i].Benign = true
		}
	}
	if pure && len(words) > 1 {
		p.failf("pure stands alone")
	}
	if l.dispatch && (l.effect.Rule != "" || len(l.effect.Calls) > 0) {
		p.failf("dispatch says all: no rule or call beside it")
	}
	if l.benign && !l.dispatch && len(l.effect.Calls) == 0 {
		p.failf("benign needs dispatch or a call beside it")
	}
	return l
}

// callForm: which argument, its elements, deep; then a call, methods, or a change.
var callForm = regexp.MustCompile(`^(\d|recv)(\[\])?(\*)?(?:(\(\))|\.([\w@*,]+)|(!))$`)

// call reads a word about an argument or the receiver into e.
func (p *parser) call(word string, e *Effect) {
	m := callForm.FindStringSubmatch(word)
	if m == nil {
		p.failf("%s is no word of the notation", word)
		return
	}
	c := Call{Arg: Receiver, Elem: m[2] != "", Deep: m[3] != ""}
	if m[1] != "recv" {
		c.Arg = int(m[1][0] - '0')
	}
	switch {
	case m[6] != "" && (c.Elem || c.Deep):
		p.failf("%s: what is changed is the argument, written %s!", word, m[1])
	case m[6] != "":
		e.Writes = append(e.Writes, c.Arg)
	case m[4] != "" && c.Deep:
		p.failf("%s: a func has nothing behind it", word)
	case m[4] != "":
		e.Calls = append(e.Calls, c)
	default:
		e.Calls = append(e.Calls, p.onMethods(c, strings.Split(m[5], ",")))
	}
}

// onMethods fills in the methods of a call; the sets among them are benign all or none.
func (p *parser) onMethods(c Call, names []string) Call {
	c.Benign = true
	for _, name := range names {
		setName, isSet := strings.CutPrefix(name, "@")
		s, ok := p.table.sets[setName]
		switch {
		case isSet && !ok:
			p.failf("no set is named %s", setName)
		case isSet:
			c.Methods = append(c.Methods, s.methods...)
			c.Benign = c.Benign && s.benign
		case name == "":
			p.failf("an empty name among the methods")
		default:
			c.Methods = append(c.Methods, name)
			c.Benign = false
		}
	}
	return c
}

// parseKnown reads known.txt: on each line a package, or a package and a type, and the names in it.
func parseKnown(text string) (map[string]bool, error) {
	known := map[string]bool{}
	for l := range strings.Lines(text) {
		l = strings.TrimSpace(l)
		if l == "" || strings.HasPrefix(l, "#") {
			continue
		}
		scope, names, ok := strings.Cut(l, ": ")
		if !ok {
			return nil, fmt.Errorf("known.txt: %q has no colon after its package", l)
		}
		path, typ, _ := strings.Cut(scope, " ")
		for name := range strings.FieldsSeq(names) {
			if typ != "" {
				name = typ + "." + name
			}
			known[path+" "+name] = true
		}
	}
	return known, nil
}
