package rehearsal

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// The errors of a Map or ForEach by their items, as errors.As finds them: all of them, or one.
const (
	itemErrors = "*github.com/durablegen/durablegen/runtime.ItemErrors"
	itemError  = "**github.com/durablegen/durablegen/runtime.ItemError"
)

// failed is an item whose body has returned an error.
type failed struct {
	item int
	err  any
}

// failure is what Map gives for items that failed, in their order.
func failure(all []failed) any {
	if len(all) == 0 {
		return nil
	}
	slices.SortFunc(all, func(a, b failed) int { return cmp.Compare(a.item, b.item) })
	f := fault{id: "items"}
	var lines []string
	for _, e := range all {
		item := fault{id: "item " + strconv.Itoa(e.item), cause: []any{e.err}}
		item.says = item.id + ": " + said(e.err, "")
		f.cause, lines = append(f.cause, item), append(lines, item.says)
	}
	f.says = strings.Join(lines, "\n")
	return f
}

// ofItem gives a field of the error of an item.
func (f fault) ofItem(name string) (any, bool) {
	n, is := strings.CutPrefix(f.id, "item ")
	item, err := strconv.ParseInt(n, 10, 64)
	switch {
	case !is || err != nil || len(f.cause) != 1:
	case name == "Index":
		return item, true
	case name == "Err":
		return f.cause[0], true
	}
	return nil, false
}

// itemsIn finds the errors of items in an error, or the first of them. known: it can be told whether there are any.
func itemsIn(err any, want string) (found any, known bool) {
	f, ok := err.(fault)
	switch {
	case isZero(err):
		return nil, true
	case !ok:
		return nil, false
	case f.id == "items" && want == itemErrors:
		return list(f.cause), true
	}
	if _, one := f.ofItem("Index"); one && want == itemError {
		return f, true
	}
	for _, c := range f.cause {
		if found, known := itemsIn(c, want); found != nil || !known {
			return found, known
		}
	}
	return nil, true
}
