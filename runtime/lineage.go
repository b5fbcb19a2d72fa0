package durable

import (
	"cmp"
	"slices"
	"strings"

	"github.com/durablegen/durablegen/internal/history"
)

// lineage is the versions of one orchestrator that a registry has, the newest first. It is never empty.
type lineage []Binding

// newest is what new instances get that are started by name.
func (l lineage) newest() *Orchestrator { return l[0].orchestrator }

// find gives the function of a version.
func (l lineage) find(version string) (Binding, bool) {
	i := slices.IndexFunc(l, func(b Binding) bool { return sameVersion(b.orchestrator.Version, version) })
	if i < 0 {
		return Binding{}, false
	}
	return l[i], true
}

// versions lists them as they are registered, the newest first.
func (l lineage) versions() []string {
	all := make([]string, 0, len(l))
	for _, b := range l {
		all = append(all, b.orchestrator.Version)
	}
	return all
}

// with gives the lineage with another version, or with another function of a version that it has.
func (l lineage) with(b Binding) lineage {
	all := slices.DeleteFunc(slices.Clone(l), func(had Binding) bool {
		return sameVersion(had.orchestrator.Version, b.orchestrator.Version)
	})
	all = append(all, b)
	slices.SortFunc(all, func(a, b Binding) int {
		return CompareVersions(b.orchestrator.Version, a.orchestrator.Version)
	})
	return all
}

// names lists the wire name and the aliases of all versions.
func (l lineage) names() []string {
	var names []string
	for _, b := range l {
		names = append(names, b.names()...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// firstVersion is the version of an orchestrator that says none.
const firstVersion = history.FirstVersion

// sameVersion reports whether two versions are one: none is the first.
func sameVersion(a, b string) bool { return cmp.Or(a, firstVersion) == cmp.Or(b, firstVersion) }

// CompareVersions tells which of two versions of an orchestrator is newer: it is negative when a is older than b. Numbers in them count as numbers: 9 is older than 10, and 1.9 older
// than 1.10; none is 1.
func CompareVersions(a, b string) int {
	a, b = cmp.Or(a, firstVersion), cmp.Or(b, firstVersion)
	for a != "" && b != "" {
		var wordA, wordB string
		wordA, a = versionWord(a)
		wordB, b = versionWord(b)
		if c := compareWords(wordA, wordB); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(a), len(b))
}

// versionWord cuts off what is all digits, or has none, at the beginning of a version.
func versionWord(v string) (word, rest string) {
	end := 1
	for end < len(v) && digit(v[end]) == digit(v[0]) {
		end++
	}
	return v[:end], v[end:]
}

func compareWords(a, b string) int {
	if digit(a[0]) && digit(b[0]) {
		x, y := strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
		return cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y), cmp.Compare(len(a), len(b)))
	}
	return cmp.Compare(a, b)
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

// codeName is how a worker of a group names a version that it runs to the others.
func codeName(name, version string) string {
	if sameVersion(version, firstVersion) {
		return name
	}
	return name + "@" + version
}
