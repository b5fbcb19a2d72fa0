package changes

import (
	"fmt"
	"reflect"

	durable "github.com/durablegen/durablegen/runtime"
)

// Code is one side of a pair: the RegisterDurable functions of its packages. Receivers are zero values.
type Code []any

// register adds all of the code to r.
func (c Code) register(r *durable.Registry) error {
	for _, register := range c {
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

// replace makes code all that r holds.
func (c Code) replace(r *durable.Registry) error {
	*r = durable.Registry{}
	return c.register(r)
}
