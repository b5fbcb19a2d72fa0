package durable

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
)

// reading is a future whose result a check of histories reads when it comes, whether the code asks for it or not.
func reading[R any](ctx Context, f *engine.Future) Future[R] {
	if ctx.co.Reading() {
		ctx.co.Reads(f, fits[R])
	}
	return Future[R]{f}
}

// fits reports whether a stored value can be read as an R, with all that is in it.
func fits[R any](p history.Payload) error {
	v, err := decode[R](p)
	if err != nil || len(p) == 0 {
		return err
	}
	now, err := json.Marshal(v)
	if err != nil {
		return nil // it is only ever read
	}
	var stored, kept any
	if json.Unmarshal(p, &stored) != nil || json.Unmarshal(now, &kept) != nil {
		return nil
	}
	if lost, instead := renamed(stored, kept); lost != "" {
		return fmt.Errorf("%w: type %T has no field %q, which the history has a value of, but has %q, which the history lacks: a renamed field loses its value; keep the stored name with a json tag",
			ErrPayload, v, lost, instead)
	}
	return nil
}

// renamed finds a field of a stored value that is lost while the type has another one that is not in it. A field that is
// only lost is no matter here: code that has none cannot ask for it.
func renamed(stored, kept any) (lost, instead string) {
	switch stored := stored.(type) {
	case map[string]any:
		kept, ok := kept.(map[string]any)
		if !ok {
			return "", ""
		}
		return renamedField(stored, kept)
	case []any:
		kept, ok := kept.([]any)
		for n := 0; ok && n < min(len(stored), len(kept)); n++ {
			if lost, instead = renamed(stored[n], kept[n]); lost != "" {
				return lost, instead
			}
		}
	}
	return "", ""
}

func renamedField(stored, kept map[string]any) (lost, instead string) {
	for _, name := range slices.Sorted(maps.Keys(stored)) {
		if empty(stored[name]) {
			continue
		}
		if now, ok := fold(kept, name); ok {
			if lost, instead = renamed(stored[name], now); lost != "" {
				return lost, instead
			}
			continue
		}
		for _, other := range slices.Sorted(maps.Keys(kept)) {
			if _, had := fold(stored, other); !had {
				return name, other
			}
		}
	}
	return "", ""
}

// fold finds a field as package json does, which takes another case too.
func fold(of map[string]any, name string) (any, bool) {
	if v, ok := of[name]; ok {
		return v, true
	}
	for other, v := range of {
		if strings.EqualFold(other, name) {
			return v, true
		}
	}
	return nil, false
}

func empty(v any) bool {
	text, err := json.Marshal(v)
	return err == nil && slices.ContainsFunc([]string{"null", `""`, "0", "false", "[]", "{}"}, func(zero string) bool { return bytes.Equal(text, []byte(zero)) })
}
