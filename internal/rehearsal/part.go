package rehearsal

import (
	"slices"
	"strings"
	"unicode"
)

// enterFields adds what is known of the fields of a variable that gets a value. before: what is known where it gets that.
func (p *program) enterFields(phi, from int, before, known facts) {
	for _, v := range p.fields[phi] {
		if yes, sure := p.answerOfField(from, p.flow.Values[v].What, before); sure {
			known.is[v] = yes
		}
	}
}

// answerOfField tells whether a field of a value is true, if that is known. One that a struct does not name is not set.
func (p *program) answerOfField(of int, name string, known facts) (yes, sure bool) {
	val := &p.flow.Values[of]
	if names := strings.Fields(val.What); val.Op == "struct" && len(names) == len(val.Args) {
		if i := slices.Index(names, name); i >= 0 {
			return p.answer(val.Args[i], known, 0)
		}
		embeds := func(name string) bool { return unicode.IsUpper(rune(name[0])) } // then it may be a field of that
		return false, !slices.ContainsFunc(names, embeds)
	}
	for v, is := range known.is {
		if f := &p.flow.Values[v]; f.Op == "field" && f.What == name && f.Args[0] == of {
			return is, true
		}
	}
	return false, false
}
