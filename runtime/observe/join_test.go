package observe_test

import (
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/runtime/observe"
)

// TestJoin: every function of both is called with what happened, the first before the second; none is left out.
func TestJoin(t *testing.T) {
	t.Parallel()
	var called []string
	note := func(who string) observe.Hooks {
		var h observe.Hooks
		fields := reflect.ValueOf(&h).Elem()
		for n := range fields.NumField() {
			name, typ := fields.Type().Field(n).Name, fields.Field(n).Type()
			fields.Field(n).Set(reflect.MakeFunc(typ, func([]reflect.Value) []reflect.Value {
				called = append(called, who+" "+name)
				if typ.NumOut() == 0 {
					return nil
				}
				return []reflect.Value{reflect.ValueOf(who)}
			}))
		}
		return h
	}
	joined := reflect.ValueOf(observe.Join(observe.Hooks{}, note("first"), note("second"), observe.Hooks{}))
	var want []string
	for n := range joined.NumField() {
		name := joined.Type().Field(n).Name
		if name != "TraceParent" && name != "TraceState" {
			want = append(want, "first "+name)
		}
		want = append(want, "second "+name)
		joined.Field(n).Call([]reflect.Value{reflect.Zero(joined.Field(n).Type().In(0))})
	}
	if diff := cmp.Diff(want, called); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

// TestJoinOfNothing: what nobody wants to know is not told.
func TestJoinOfNothing(t *testing.T) {
	t.Parallel()
	joined := reflect.ValueOf(observe.Join(observe.Hooks{}, observe.Hooks{}))
	for n := range joined.NumField() {
		if !joined.Field(n).IsNil() {
			t.Errorf("%s is set", joined.Type().Field(n).Name)
		}
	}
}
