package changes

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/durablegen/durablegen/internal/inside"
	durable "github.com/durablegen/durablegen/runtime"
)

// Code is one side of a pair: the RegisterDurable functions of its packages, whose receivers are zero values, and [Errors]
// of those that have durable errors.
type Code []any

// Errors registers the durable errors of a package. A process knows each name once, so that of a pair that has some, only
// the errors of the side whose code was registered last are known.
type Errors func()

// register adds all of the code to r.
func (c Code) register(r *durable.Registry) error {
	if c.hasErrors() {
		inside.Errors(c.registerErrors)
	}
	for _, register := range c {
		if _, ok := register.(Errors); ok {
			continue
		}
		fn := reflect.ValueOf(register)
		args := []reflect.Value{reflect.ValueOf(r)}
		if fn.Type().NumIn() > 1 {
			receivers := reflect.New(fn.Type().In(1)).Elem()
			for n := range receivers.NumField() {
				receivers.Field(n).Set(reflect.New(receivers.Field(n).Type().Elem()))
			}
			args = append(args, receivers)
		}
		if err, _ := fn.Call(args)[0].Interface().(error); err != nil {
			return fmt.Errorf("changes: register: %w", err)
		}
	}
	return nil
}

func (c Code) registerErrors() {
	for _, register := range c {
		if register, ok := register.(Errors); ok {
			register()
		}
	}
}

func (c Code) hasErrors() bool {
	return slices.ContainsFunc(c, func(register any) bool { _, ok := register.(Errors); return ok })
}

// replace makes code all that r holds.
func (c Code) replace(r *durable.Registry) error {
	*r = durable.Registry{}
	return c.register(r)
}
