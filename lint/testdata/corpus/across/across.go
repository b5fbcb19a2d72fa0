// Package across reaches hazards in other packages, of the same module and of another.
package across

import (
	"sort"
	"strings"
	"time"

	"example.com/third"

	"github.com/durablegen/durablegen/lint/testdata/corpus/helper"
	durable "github.com/durablegen/durablegen/runtime"
)

//durable:orchestrator
func Stamp(ctx durable.Context, in string) (int64, error) { return helper.Stamp(), nil }

//durable:orchestrator
func Region(ctx durable.Context, in string) (string, error) { return helper.Region() + in, nil }

//durable:orchestrator
func Title(ctx durable.Context, in string) (string, error) { return helper.Title(in), nil }

//durable:orchestrator
func KeysUnsorted(ctx durable.Context, in map[string]int) ([]string, error) {
	return helper.Keys(in), nil
}

//durable:orchestrator
func KeysSorted(ctx durable.Context, in map[string]int) ([]string, error) {
	keys := helper.Keys(in)
	sort.Strings(keys)
	return append(keys, helper.Names(in)...), nil
}

//durable:orchestrator
func KeysSummed(ctx durable.Context, in map[string]int) (int, error) {
	total := 0
	for _, k := range helper.Keys(in) {
		total += in[k]
	}
	return total + len(helper.Keys(in)), nil
}

//durable:orchestrator
func Each(ctx durable.Context, in map[string]int) (string, error) {
	s := ""
	for k := range helper.Each(in) {
		s += k
	}
	return s, nil
}

//durable:orchestrator
func EachCounted(ctx durable.Context, in map[string]int) (int, error) {
	n := 0
	for k := range helper.Each(in) {
		n += len(k)
	}
	return n, nil
}

//durable:orchestrator
func NapsInMapOrder(ctx durable.Context, in map[string]int) (int, error) {
	for _, n := range in { // want DET401
		helper.Nap(ctx, n)
	}
	return 0, nil
}

//durable:orchestrator
func NapsInOrder(ctx durable.Context, in map[string]int) (int, error) {
	for _, k := range helper.Names(in) {
		helper.Nap(ctx, in[k])
	}
	return 0, nil
}

//durable:orchestrator
func SystemClock(ctx durable.Context, at time.Time) (string, error) {
	return helper.Age(helper.System{}, at).String(), nil
}

//durable:orchestrator
func FixedClock(ctx durable.Context, at time.Time) (string, error) {
	return helper.Age(helper.Fixed{At: ctx.Now()}, at).String(), nil
}

//durable:orchestrator
func Debug(ctx durable.Context, in string) (string, error) {
	if helper.Debug { // want DET502
		return "", helper.Sentinel
	}
	return in, nil
}

//durable:orchestrator
func Limits(ctx durable.Context, in string) (int, error) {
	if in == "" {
		return 0, helper.Sentinel
	}
	return helper.Limits[in], nil
}

//durable:orchestrator
func Writes(ctx durable.Context, in string) (string, error) {
	helper.Limits[in] = 2 // want DET501
	return in, nil
}

// ---- of another module

//durable:orchestrator
func ThirdStamp(ctx durable.Context, in string) (int64, error) {
	return third.Stamp(), nil // want DET101
}

//durable:orchestrator
func ThirdDeep(ctx durable.Context, in string) (int64, error) {
	return deeper(), nil
}

func deeper() int64 {
	return third.Deep() // want DET101
}

//durable:orchestrator
func ThirdDouble(ctx durable.Context, n int) (int, error) { return third.Double(n), nil }

//durable:orchestrator
func ThirdRead(ctx durable.Context, in string) (string, error) {
	b, err := third.Read(in) // want DET301
	return string(b), err
}

//durable:orchestrator
func ThirdApply(ctx durable.Context, in []string) ([]string, error) {
	return third.Apply(in, strings.ToUpper), nil
}

//durable:orchestrator
func ThirdApplyImpure(ctx durable.Context, in []string) ([]string, error) {
	return third.Apply(in, func(s string) string {
		return s + time.Now().String() // want DET101
	}), nil
}

//durable:orchestrator
func ThirdKeys(ctx durable.Context, in map[string]int) ([]string, error) {
	return third.Keys(in), nil // want DET402
}

//durable:orchestrator
func ThirdSortedKeys(ctx durable.Context, in map[string]int) ([]string, error) {
	return third.SortedKeys(in), nil
}

//durable:orchestrator
func ThirdSetting(ctx durable.Context, in int) (int, error) {
	return min(in, third.MaxRetries), nil // want DET505
}

//durable:orchestrator
func ThirdWritten(ctx durable.Context, in int) (int, error) {
	if third.Verbose { // want DET502
		return 1, nil
	}
	return third.Codes["a"], nil
}

//durable:orchestrator
func ThirdStarted(ctx durable.Context, in int) (string, error) {
	return third.Started.String(), nil // want DET503
}

//durable:orchestrator
func ThirdHook(ctx durable.Context, in string) (string, error) {
	third.Hook(in) // want DET901
	return in, nil
}

//durable:orchestrator
func ThirdMemory(ctx durable.Context, in string) (string, error) {
	return third.Lookup(third.MapStore{"a": "b"}, in), nil
}

//durable:orchestrator
func ThirdHTTP(ctx durable.Context, in string) (string, error) {
	return third.Lookup(&third.HTTPStore{Base: in}, in), nil // want DET302
}

//durable:orchestrator
func ThirdCounter(ctx durable.Context, in string) (int, error) {
	var c third.Counter
	return c.Next(), nil // want DET204
}

//durable:orchestrator
func ThirdStack(ctx durable.Context, in string) (int, error) {
	var s third.Stack
	s.Push(in)
	return s.Len(), nil
}

//durable:orchestrator
func ThirdClock(ctx durable.Context, in string) (string, error) {
	c := third.System() // want DET101
	return c.Now().String(), nil
}
