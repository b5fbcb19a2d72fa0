package names

import (
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

// predeclared reports whether name means something in every Go file.
func predeclared(name string) bool {
	return token.IsKeyword(name) || types.Universe.Lookup(name) != nil
}
