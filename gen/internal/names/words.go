package names

import (
	"fmt"
	"go/token"
	"go/types"
	"unicode"
)

// Lower makes the beginning of an unexported identifier of name: "SendCode" → "sendCode", "SMSCode" → "smsCode", "ID" →
// "id", "Go" → "go", which alone would be none.
func Lower(name string) string {
	runes := []rune(name)
	for i, r := range runes {
		if !unicode.IsUpper(r) {
			break
		}
		if i > 0 && i+1 < len(runes) && unicode.IsLower(runes[i+1]) {
			break // the last capital of a run begins the next word
		}
		runes[i] = unicode.ToLower(r)
	}
	return string(runes)
}

// Upper makes an exported identifier of name: "phone" → "Phone". A name that has no upper case gets an X in front.
func Upper(name string) string {
	runes := []rune(name)
	runes[0] = unicode.ToUpper(runes[0])
	if unicode.IsUpper(runes[0]) {
		return string(runes)
	}
	return "X" + name
}

// Fresh gives the first of the candidates that taken does not refuse, then the last one with a number from 2.
func Fresh(taken func(string) bool, candidates ...string) string {
	for _, c := range candidates {
		if !taken(c) {
			return c
		}
	}
	last := candidates[len(candidates)-1]
	for i := 2; ; i++ {
		if c := fmt.Sprintf("%s%d", last, i); !taken(c) {
			return c
		}
	}
}

// predeclared reports whether name means something in every Go file.
func predeclared(name string) bool {
	return token.IsKeyword(name) || types.Universe.Lookup(name) != nil
}
