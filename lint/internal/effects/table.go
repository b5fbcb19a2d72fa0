package effects

import (
	"embed"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
)

//go:embed std/*.txt
var stdFiles embed.FS

//go:embed known.txt
var knownFile string

// std is the table of the standard library. Its files are part of the program: a mistake in them is one of ours.
var std = sync.OnceValue(func() *table {
	files := map[string]string{}
	names, err := fs.Glob(stdFiles, "std/*.txt")
	for _, name := range names {
		text, readErr := stdFiles.ReadFile(name)
		files[name], err = string(text), errors.Join(err, readErr)
	}
	t, parseErr := parse(files)
	known, knownErr := parseKnown(knownFile)
	if err := errors.Join(err, parseErr, knownErr); err != nil {
		panic("effects: " + err.Error())
	}
	t.known = known
	return t
})

// table is what the files say.
type table struct {
	release  string // the release of Go that the defaults were checked with
	sets     map[string]set
	readers  map[string]bool // names of methods that do not change their receiver
	packages map[string]*pkg
	roots    map[string]bool // first elements of the paths
	known    map[string]bool // "path name" of what the release had, where a default or a pattern decides
}

// set is a named set of methods.
type set struct {
	methods []string
	benign  bool
}

// pkg is what the files say of one package.
type pkg struct {
	where    string
	base     *line // nil: every symbol has a line
	reads    bool  // methods with a pointer receiver do not change it
	optional bool
	exact    map[string]*line
	patterns []*line // in the order of the file
}

// line is what the files say of one symbol or pattern, or of the rest of a package.
type line struct {
	where    string // file:line
	symbol   string // "": the package's default
	effect   Effect // Writes without the receiver
	receiver change
	dispatch bool
	benign   bool
}

// change says whether a method changes its receiver.
type change int

const (
	byKind change = iota // if it has a pointer receiver, breaks no rule, and nothing says that it only reads
	changes
	keeps
)

// effect looks a symbol up.
func (t *table) effect(s symbol) (Effect, bool) {
	p := t.packages[s.path]
	if p == nil {
		return Effect{}, false
	}
	if s.silent {
		if l := p.exact[s.name]; l != nil {
			return l.effect, true
		}
		return Effect{}, true
	}
	if e, known := t.explicit(s); known {
		return e, true
	}
	switch l := p.decides(s.name); {
	case s.open && (l == nil || l == p.base && !l.breaks()):
		return Effect{Calls: []Call{itself(s)}}, true
	case l == nil || !l.breaks() && !t.known[s.path+" "+s.name]:
		return Effect{}, false
	default:
		return t.result(p, l, s), true
	}
}

// explicit looks a symbol up among the lines that name it or fit it; a fitting one counts only for what the release had.
func (t *table) explicit(s symbol) (Effect, bool) {
	p := t.packages[s.path]
	if p == nil {
		return Effect{}, false
	}
	l := p.decides(s.name)
	if l == nil || l == p.base {
		return Effect{}, false
	}
	if isPattern(l.symbol) && !l.breaks() && !s.open && !t.known[s.path+" "+s.name] {
		return Effect{}, false
	}
	return t.result(p, l, s), true
}

// decides gives the line that a symbol falls under; nil if there is none.
func (p *pkg) decides(name string) *line {
	if l := p.exact[name]; l != nil {
		return l
	}
	if i := slices.IndexFunc(p.patterns, func(l *line) bool { return l.fits(name) }); i >= 0 {
		return p.patterns[i]
	}
	return p.base
}

func (l *line) fits(name string) bool {
	ok, err := path.Match(l.symbol, name)
	return err == nil && ok
}

func isPattern(symbol string) bool { return strings.Contains(symbol, "*") }

// breaks reports whether the line has a rule and nothing else to say: what is newer may fall under it as well, since
// an unknown symbol is reported too.
func (l *line) breaks() bool { return l.effect.Rule != "" && len(l.effect.Calls) == 0 }

// result is the effect of line l on s.
func (t *table) result(p *pkg, l *line, s symbol) Effect {
	e := l.effect
	if l.dispatch {
		call := itself(s)
		call.Benign = l.benign
		e.Calls = []Call{call}
	}
	if t.writes(p, l, s) {
		e.Writes = append([]int{Receiver}, e.Writes...)
	}
	return e
}

func (t *table) writes(p *pkg, l *line, s symbol) bool {
	if l.receiver != byKind {
		return s.method && l.receiver == changes
	}
	_, method, _ := strings.Cut(s.name, ".")
	return s.pointer && l.effect.Rule == "" && !p.reads && !t.readers[method]
}

// itself is the call that a method of an interface makes: its own, on the receiver.
func itself(s symbol) Call {
	_, method, _ := strings.Cut(s.name, ".")
	return Call{Arg: Receiver, Methods: []string{method}}
}
