package rehearsal

import (
	"slices"
	"strings"
)

// knobs are the numbers and texts on which a scenario depends, by what they are for: values, lengths, what happens next, and
// how much time passes.
type knobs struct {
	set settings // those that somebody has turned
	all []knob   // in the order in which they were asked for
	at  map[string]int
}

// knob is one of them, as it was in a scenario.
type knob struct {
	name string
	setting
	below int64 // 0: it may be any number
	text  bool
}

// setting is to what a knob is set.
type setting struct {
	n       int64
	written string
}

type settings map[string]setting

func (s *scenario) turned(k knob) setting {
	s.guesses++
	if i, known := s.knobs.at[k.name]; known {
		return s.knobs.all[i].setting
	}
	if set, ok := s.knobs.set[k.name]; ok {
		k.setting = set
	}
	s.knobs.at[k.name] = len(s.knobs.all)
	s.knobs.all = append(s.knobs.all, k)
	return k.setting
}

// knob gives a number: as it was drawn, or as it was set.
func (s *scenario) knob(name string, drawn int64) int64 {
	return s.turned(knob{name: name, setting: setting{n: drawn}}).n
}

// choose gives a number below n.
func (s *scenario) choose(n int, name string) int {
	k := s.turned(knob{name: name, setting: setting{n: int64(s.pick(n, name))}, below: int64(n)})
	return int(uint64(k.n) % uint64(n))
}

// yes gives a decision.
func (s *scenario) yes(name string, drawn bool) bool {
	return s.turned(knob{name: name, setting: setting{n: int64(btoi(drawn))}, below: 2}).n != 0
}

// written gives a text: as it was drawn, or as it was set.
func (s *scenario) written(name, drawn string) string {
	return s.turned(knob{name: "text " + name, setting: setting{written: drawn}, text: true}).written
}

// about gives those that have to do with some fields and steps, and which of them are what is in such a field.
func (k *knobs) about(names map[string]bool) (all, fields []knob) {
	for _, k := range k.all {
		name, _, _ := strings.Cut(k.name[strings.LastIndexByte(k.name, '.')+1:], "[")
		is := names[name]
		if is {
			fields = append(fields, k)
		}
		if is || slices.ContainsFunc(strings.Fields(k.name), func(word string) bool { return names[word] }) {
			all = append(all, k)
		}
	}
	return all, fields
}
