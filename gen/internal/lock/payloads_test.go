package lock_test

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// Types of payloads, before and after a change.
type (
	Base   struct{ A int }
	Tagged struct {
		A int `json:"a"`
	}
	TaggedB struct {
		A int `json:"b"`
	}
	Upper struct {
		A int `json:"A"`
	}
	Wider     struct{ A, B int }
	WiderOmit struct {
		A int
		B int `json:",omitempty"`
	}
	WiderZero struct {
		A int
		B Base `json:",omitzero"`
	}
	WiderStruct struct { // omitempty does nothing for a struct
		A int
		B Base `json:",omitempty"`
	}
	WiderPointer struct {
		A int
		B *string `json:",omitempty"`
	}
	WiderHidden struct {
		A int
		//lint:ignore U1000 it is there to be left out
		b int
		C int `json:"-"`
	}
	Dash struct {
		//lint:ignore SA5008 a name that is a dash is meant
		A int `json:"-,"`
	}
	Omit struct {
		A int `json:",omitempty"`
	}
	Quoted struct {
		A int `json:",string"`
	}
	TextField struct{ A string }
	TextQuote struct {
		A string `json:",string"`
	}
	Small       struct{ A int8 }
	Unsigned    struct{ A uint }
	Byte        struct{ A uint8 }
	Float       struct{ A float64 }
	Float32     struct{ A float32 }
	Short       struct{ A int16 }
	Bool        struct{ A bool }
	Any         struct{ A any }
	Raw         struct{ A json.RawMessage }
	Time        struct{ A time.Time }
	Duration    struct{ A time.Duration }
	Pointer     struct{ A *int }
	PointerOmit struct {
		A *int `json:",omitempty"`
	}
	Bytes     struct{ A []byte }
	Ints      struct{ A []int }
	Three     struct{ A [3]int }
	Four      struct{ A [4]int }
	ThreeByte struct{ A [3]byte }
	Map       struct{ A map[string]int }
	IntMap    struct{ A map[int]int }
	SmallMap  struct{ A map[int8]int }
	Own       struct{ A OwnJSON }
	Text      struct{ A AsText }
	Embeds    struct{ Base }
	EmbedsPtr struct{ *Base }
	EmbedsTag struct {
		Base `json:"base"`
	}
	EmbedsTwo struct { // A of both annihilate each other
		Base
		Small
	}
	EmbedsShadow struct { // the nearer wins
		Base
		A string
	}
	hidden       struct{ A int }
	EmbedsHidden struct{ hidden }
	List         struct {
		V    int
		Next *List
	}
	ListCopy struct {
		V    int
		Next *ListCopy
	}
	ListMore struct {
		V    int
		Next *ListMore
		More string
	}
	Tree     []Tree
	TreeCopy []TreeCopy
	Nested   struct{ In []map[string]Base }
	NestedTo struct{ In []map[string]Tagged }
	NestedUp struct{ In []map[string]Wider }
	NestedNo struct{ In []map[string]TextField }
	Renamed  struct{ Total int }
	Reorder  struct {
		B int
		A int
	}
	EmbedsHides struct {
		Base
		A int
	}
	EmbedsBoth struct {
		Base
		Own int
	}
	EmbedsTwoTagged struct {
		Base
		TagA
	}
	TagA struct {
		Z int `json:"A"`
	}
	LeftEmpty struct {
		A []int `json:",omitempty"`
	}
	LeftZero struct {
		A []int `json:",omitzero"`
	}
	LeftBoth struct {
		A []int `json:",omitempty,omitzero"`
	}
	LeftEmptyMap struct {
		A map[string]int `json:",omitempty"`
	}
	LeftZeroMap struct {
		A map[string]int `json:",omitzero"`
	}
	ZeroNumber struct {
		A int `json:",omitzero"`
	}
	TimeEmpty struct {
		A time.Time `json:",omitempty"`
	}
	TimeZero struct {
		A time.Time `json:",omitzero"`
	}
	LeftOwn struct {
		A Few `json:",omitempty"`
	}
	LeftOwnZero struct {
		A Few `json:",omitzero"`
	}
	LeftAlikeZero struct {
		A FewAlike `json:",omitzero"`
	}
	LeftOtherZero struct {
		A FewOther `json:",omitzero"`
	}
	Generic[T any] struct{ A T }
	MyInt          int
	MyText         string
)

// OwnJSON writes itself.
type OwnJSON struct{ v string }

func (o OwnJSON) MarshalJSON() ([]byte, error) { return json.Marshal("own:" + o.v) }

func (o *OwnJSON) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil || len(s) < 4 || s[:4] != "own:" {
		return errors.New("not of ours")
	}
	o.v = s[4:]
	return nil
}

// AsText writes itself as text.
type AsText struct{ v string }

func (a AsText) MarshalText() ([]byte, error) { return []byte("text:" + a.v), nil }

func (a *AsText) UnmarshalText(b []byte) error {
	if len(b) < 5 || string(b[:5]) != "text:" {
		return errors.New("not of ours")
	}
	a.v = string(b[5:])
	return nil
}

// OtherText is for who does not know AsText.
type OtherText struct{ AsText }

// Few is left out by a method of its own. FewAlike has the same code.
type (
	Few      int
	FewAlike int
	FewOther int
)

func (f Few) IsZero() bool { return f < 2 }

func (few FewAlike) IsZero() bool { return few < 2 /* the same */ }

func (f FewOther) IsZero() bool { return f < 101 }

// Cents write and read themselves.
type (
	Cents        struct{ n int16 }
	CentsAlike   struct{ n int16 }
	CentsComma   struct{ n int16 }
	CentsDoubled struct{ n int16 }
	CentsHelper  struct{ n int16 }
)

func (c Cents) MarshalJSON() ([]byte, error)        { return json.Marshal(inEuros(c.n)) }
func (c CentsComma) MarshalJSON() ([]byte, error)   { return json.Marshal("+" + inEuros(c.n)) }
func (c CentsDoubled) MarshalJSON() ([]byte, error) { return json.Marshal(inEuros(c.n)) }
func (c CentsHelper) MarshalJSON() ([]byte, error)  { return json.Marshal(inCents(c.n)) }
func (cents CentsAlike) MarshalJSON() ([]byte, error) {
	return json.Marshal(inEuros(cents.n))
}

func (c *Cents) UnmarshalJSON(b []byte) error          { return read(b, &c.n) }
func (cents *CentsAlike) UnmarshalJSON(b []byte) error { return read(b, &cents.n) }
func (c *CentsComma) UnmarshalJSON(b []byte) error     { return read(b, &c.n) }
func (c *CentsHelper) UnmarshalJSON(b []byte) error    { return read(b, &c.n) }
func (c *CentsDoubled) UnmarshalJSON(b []byte) error   { err := read(b, &c.n); c.n *= 2; return err }

func (c *Cents) draw(r *rand.Rand) { c.n = int16(r.IntN(5000)) }

func inEuros(n int16) string { return strconv.Itoa(int(n)) + euros }
func inCents(n int16) string { return strconv.Itoa(int(n)) + cents }

const (
	euros = " e"
	cents = " c"
)

func read(b []byte, n *int16) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	v, err := strconv.Atoi(strings.Trim(s, "+ec "))
	*n = int16(v)
	return err
}

// Boxed writes another struct.
type (
	Boxed      struct{ n int16 }
	BoxedOther struct{ n int16 }
	box        struct {
		N int16 `json:"n"`
	}
	otherBox struct {
		N int16 `json:"m"`
	}
)

func (b Boxed) MarshalJSON() ([]byte, error)          { return json.Marshal(box{b.n}) }
func (b BoxedOther) MarshalJSON() ([]byte, error)     { return json.Marshal(otherBox{b.n}) }
func (b *Boxed) UnmarshalJSON(text []byte) error      { return json.Unmarshal(text, &[]any{nil}[0]) }
func (b *BoxedOther) UnmarshalJSON(text []byte) error { return json.Unmarshal(text, &[]any{nil}[0]) }

// Word is a text as the key of a map.
type (
	Word      struct{ s string }
	WordAlike struct{ s string }
	WordOther struct{ s string }
	WordReads struct{ s string }
)

func (w Word) MarshalText() ([]byte, error)      { return []byte("w" + w.s), nil }
func (w WordAlike) MarshalText() ([]byte, error) { return []byte("w" + w.s), nil }
func (w WordOther) MarshalText() ([]byte, error) { return []byte("v" + w.s), nil }
func (w WordReads) MarshalText() ([]byte, error) { return []byte("w" + w.s), nil }

func (w *Word) UnmarshalText(b []byte) error      { w.s = string(b[1:]); return nil }
func (w *WordAlike) UnmarshalText(b []byte) error { w.s = string(b[1:]); return nil }
func (w *WordOther) UnmarshalText(b []byte) error { w.s = string(b[1:]); return nil }
func (w *WordReads) UnmarshalText(b []byte) error { w.s = string(b); return nil }

func (w *Word) draw(r *rand.Rand) { w.s = []string{"a", "bc", "d"}[r.IntN(3)] }

var pairs = []struct {
	name        string
	old, now    any
	loses, same bool
}{
	{"the same", Base{}, Base{}, false, true},
	{"another Go name", Base{}, Generic[int]{}, false, true},
	{"another defined type", Base{}, Generic[MyInt]{}, false, true},
	{"tag in other case", Base{}, Tagged{}, false, false},
	{"tag that says the default", Base{}, Upper{}, false, true},
	{"renamed by a tag", Tagged{}, TaggedB{}, true, false},
	{"renamed", Base{}, Renamed{}, true, false},
	{"added", Base{}, Wider{}, false, false},
	{"added, omitempty", Base{}, WiderOmit{}, false, false},
	{"added, omitzero", Base{}, WiderZero{}, false, false},
	{"added struct, omitempty", Base{}, WiderStruct{}, false, false},
	{"added pointer, omitempty", Base{}, WiderPointer{}, false, false},
	{"added, not written", Base{}, WiderHidden{}, false, true},
	{"removed", Wider{}, Base{}, true, false},
	{"removed, omitempty", WiderOmit{}, Base{}, true, false},
	{"reordered", Wider{}, Reorder{}, false, true},
	{"a name that is a dash", Base{}, Dash{}, true, false},
	{"omitempty added", Base{}, Omit{}, false, false},
	{"omitempty removed", Omit{}, Base{}, false, false},
	{"string option added", Base{}, Quoted{}, true, false},
	{"string option removed", Quoted{}, Base{}, true, false},
	{"quoted number as text", Quoted{}, TextField{}, true, false},
	{"string option on text added", TextField{}, TextQuote{}, true, false},
	{"string option on text removed", TextQuote{}, TextField{}, true, false},
	{"int to string", Base{}, TextField{}, true, false},
	{"string to int", TextField{}, Base{}, true, false},
	{"int narrower", Base{}, Small{}, false, false},
	{"int wider", Small{}, Base{}, false, false},
	{"int to uint", Base{}, Unsigned{}, true, false},
	{"uint to int", Unsigned{}, Base{}, true, false},
	{"byte to int", Byte{}, Base{}, false, false},
	{"int to float", Base{}, Float{}, false, false},
	{"int16 to float", Short{}, Float{}, false, false},
	{"int16 to float32", Short{}, Float32{}, false, false},
	{"float to int", Float{}, Base{}, true, false},
	{"float narrower", Float{}, Float32{}, true, false},
	{"float wider", Float32{}, Float{}, false, false},
	{"int to duration", Base{}, Duration{}, false, true},
	{"bool to int", Bool{}, Base{}, true, false},
	{"int to any", Base{}, Any{}, false, false},
	{"int16 to any", Short{}, Any{}, false, false},
	{"string to any", TextField{}, Any{}, false, false},
	{"any to string", Any{}, TextField{}, true, false},
	{"anything to raw", Nested{}, struct{ In json.RawMessage }{}, false, false},
	{"raw to int", Raw{}, Base{}, true, false},
	{"time to string", Time{}, TextField{}, true, false},
	{"string to time", TextField{}, Time{}, true, false},
	{"value to pointer", Base{}, Pointer{}, false, false},
	{"pointer to value", Pointer{}, Base{}, true, false},
	{"left out value to pointer", Omit{}, PointerOmit{}, true, false},
	{"pointer, omitempty added", Pointer{}, PointerOmit{}, false, false},
	{"bytes to string", Bytes{}, TextField{}, true, false},
	{"string to bytes", TextField{}, Bytes{}, true, false},
	{"ints to bytes", Ints{}, Bytes{}, true, false},
	{"byte array to bytes", ThreeByte{}, Bytes{}, false, false},
	{"slice to array", Ints{}, Three{}, true, false},
	{"array to slice", Three{}, Ints{}, false, false},
	{"array longer", Three{}, Four{}, false, false},
	{"array shorter", Four{}, Three{}, true, false},
	{"map to object", Map{}, struct{ A Base }{}, true, false},
	{"object to map", struct{ A Base }{}, Map{}, false, false},
	{"map to object of another type", Map{}, struct{ A TextField }{}, true, false},
	{"map keys to int", Map{}, IntMap{}, true, false},
	{"map keys to string", IntMap{}, Map{}, false, false},
	{"map keys wider", SmallMap{}, IntMap{}, false, false},
	{"opaque: own to string", Own{}, TextField{}, true, false},
	{"text by what is embedded", Text{}, Generic[OtherText]{}, false, true},
	{"string to own", TextField{}, Own{}, true, false},
	{"own as before", Own{}, Generic[OwnJSON]{}, false, true},
	{"text to string", Text{}, TextField{}, true, false},
	{"string to text", TextField{}, Text{}, true, false},
	{"embedded", Base{}, Embeds{}, false, true},
	{"embedded pointer", Wider{}, struct {
		*Base
		B int
	}{}, false, true},
	{"embedded, with a name", Base{}, EmbedsTag{}, true, false},
	{"embedded twice", Base{}, EmbedsTwo{}, true, false},
	{"embedded, hidden by a nearer", Base{}, EmbedsShadow{}, true, false},
	{"embedded type without export", Base{}, EmbedsHidden{}, false, true},
	{"recursive", List{}, ListCopy{}, false, true},
	{"recursive, more", List{}, ListMore{}, false, false},
	{"recursive list", Tree{}, TreeCopy{}, false, true},
	{"recursive list to any", Tree{}, []any{}, false, false},
	{"nested, other case", Nested{}, NestedTo{}, false, false},
	{"nested, added", Nested{}, NestedUp{}, false, false},
	{"nested, of another type", Nested{}, NestedNo{}, true, false},
	{"text by another name", TextField{}, Generic[MyText]{}, false, true},
	{"number to a list", Base{}, Ints{}, true, false},
	{"list to a number", Ints{}, Base{}, true, false},
	{"embedded, then hidden by a field", Embeds{}, EmbedsHides{}, false, false},
	{"embedded and hidden from the beginning", Base{}, EmbedsHides{}, false, true},
	{"hidden, then by a name of its own", EmbedsHides{}, EmbedsBoth{}, false, false},
	{"embedded twice, one with a tag", Embeds{}, EmbedsTwoTagged{}, false, false},
	{"list left out when empty, then when nil", LeftEmpty{}, LeftZero{}, false, false},
	{"list left out when nil, then when empty", LeftZero{}, LeftEmpty{}, false, false},
	{"list left out when empty or nil", LeftEmpty{}, LeftBoth{}, false, true},
	{"map left out when empty, then when nil", LeftEmptyMap{}, LeftZeroMap{}, false, false},
	{"number left out when empty, then when zero", Omit{}, ZeroNumber{}, false, true},
	{"time that omitempty does not leave out, then omitzero", TimeEmpty{}, TimeZero{}, false, false},
	{"zero by a method of its own", LeftOwn{}, LeftOwnZero{}, false, false},
	{"zero by another method", LeftOwnZero{}, LeftOtherZero{}, false, false},
	{"zero by a method alike", LeftOwnZero{}, LeftAlikeZero{}, false, true},
	{"code that writes, alike", Generic[Cents]{}, Generic[CentsAlike]{}, false, true},
	{"code that writes, changed", Generic[Cents]{}, Generic[CentsComma]{}, false, false},
	{"read otherwise: code that reads", Generic[Cents]{}, Generic[CentsDoubled]{}, true, false},
	{"code that is reached, changed", Generic[Cents]{}, Generic[CentsHelper]{}, false, false},
	{"tag of what the code writes, changed", Generic[Boxed]{}, Generic[BoxedOther]{}, false, false},
	{"text of keys, alike", map[Word]int{}, map[WordAlike]int{}, false, true},
	{"text of keys, changed", map[Word]int{}, map[WordOther]int{}, false, false},
	{"read otherwise: text of keys", map[Word]int{}, map[WordReads]int{}, true, false},
	{"string option removed, and text", Quoted{}, TextField{}, true, false},
	{"scalar to struct", 0, Base{}, true, false},
	{"struct to list of it", Base{}, []Base{}, true, false},
}
