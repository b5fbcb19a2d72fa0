package annotations

// Word says what a directive marks its declaration as.
type Word string

// The words of the grammar.
const (
	Orchestrator Word = "orchestrator"
	Activity     Word = "activity"
	Event        Word = "event"
	Error        Word = "error"
	Allow        Word = "allow"
	Pure         Word = "pure"
	ReadOnly     Word = "readonly"
	Detached     Word = "detached"
)

// Key is the left side of an argument key=value, or a flag, which stands alone.
type Key string

// The keys of the grammar.
const (
	Name        Key = "name"
	Alias       Key = "alias"
	Handle      Key = "handle"
	Version     Key = "version"
	Group       Key = "group"
	Timeout     Key = "timeout"
	Attempts    Key = "attempts"
	First       Key = "first"
	Backoff     Key = "backoff"
	Max         Key = "max"
	Jitter      Key = "jitter"
	Deadline    Key = "deadline"
	Heartbeat   Key = "heartbeat"
	Concurrency Key = "concurrency"
	Local       Key = "local" // a flag
)

// MaxName is the longest stored name in bytes.
const MaxName = 128

// target is a set of the places a directive may stand at.
type target uint8

const (
	onFunc target = 1 << iota
	onMethod
	onType
	onVar
	onField    // an interface method or a struct field
	onAnything // a line or a statement too
)

// kind is what a value must look like.
type kind uint8

const (
	kindName kind = iota // a stored name
	kindNames
	kindIdent
	kindVersion
	kindDuration
	kindCount
	kindFactor
	kindFraction
	kindFlag
)

// rule is one line of the grammar.
type rule struct {
	word Word
	on   target
	form string // the accepted place, as a diagnostic says it
	keys []Key
}

// grammar is the whole of it; docs/directives.md and doc.go say the same in prose.
var grammar = []rule{
	{Orchestrator, onFunc | onMethod, "a function", []Key{Name, Alias, Handle, Version, Group}},
	{Activity, onFunc | onMethod, "a function or method",
		[]Key{Name, Alias, Handle, Timeout, Attempts, First, Backoff, Max, Jitter, Deadline, Heartbeat, Concurrency, Local}},
	{Event, onType, "a type", []Key{Name, Handle}},
	{Error, onVar | onType, "an error variable or error type", []Key{Name}},
	{Allow, onAnything, "a line, statement or function", nil},
	{Pure, onFunc | onMethod | onVar | onField, "a function, method, interface method, field or variable", nil},
	{ReadOnly, onVar, "a package variable", nil},
	{Detached, onAnything, "a line", nil},
}

var kinds = map[Key]kind{
	Name: kindName, Alias: kindNames, Handle: kindIdent, Version: kindVersion, Group: kindName,
	Timeout: kindDuration, Attempts: kindCount, First: kindDuration, Backoff: kindFactor, Max: kindDuration,
	Jitter: kindFraction, Deadline: kindDuration, Heartbeat: kindDuration, Concurrency: kindCount, Local: kindFlag,
}

// examples show the accepted form of each kind in a diagnostic.
var examples = map[kind]string{
	kindName:     "letters, digits, '_', '.' and '-', starting with a letter, at most 128 bytes, such as name=membership.VerifyPhone",
	kindNames:    "names separated by commas, such as alias=membership.Verify,membership.VerifyNumber",
	kindIdent:    "a Go identifier, such as handle=SendTextActivity",
	kindVersion:  "letters, digits, '_', '.' and '-', at most 128 bytes, such as version=2",
	kindDuration: "a Go duration above zero, such as 10s, 90s or 1h30m",
	kindCount:    "a whole number from 1 to 1000000",
	kindFactor:   "a number from 1 to 1000, such as 2 or 1.5",
	kindFraction: "a number above 0 and up to 1, such as 0.2",
}

func ruleOf(w Word) (rule, bool) {
	for _, r := range grammar {
		if r.word == w {
			return r, true
		}
	}
	return rule{}, false
}

func words() []string {
	list := make([]string, len(grammar))
	for i, r := range grammar {
		list[i] = string(r.word)
	}
	return list
}

func (r rule) takes(k Key) bool {
	for _, own := range r.keys {
		if own == k {
			return true
		}
	}
	return false
}

func (r rule) keyList() []string {
	list := make([]string, len(r.keys))
	for i, k := range r.keys {
		list[i] = string(k)
	}
	return list
}

// isFlag reports whether a word stands alone.
func isFlag(k Key) bool {
	kind, known := kinds[k]
	return known && kind == kindFlag
}

// written is a key as it stands in a directive.
func written(k string) string {
	if isFlag(Key(k)) {
		return k
	}
	return k + "="
}
