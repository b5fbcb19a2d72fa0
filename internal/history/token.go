package history

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
)

// Token names an attempt of an activity to whoever completes it from outside.
type Token struct {
	Address
	Ref
	Name    string // wire name of the activity, as its task has it
	Hash    uint32 // ArgsHash of the task's arguments
	Attempt int
}

// tokenForm is the first word of a token: a later form begins with another.
const tokenForm = "1"

// mostToken is more than the longest token has.
const mostToken = 16 << 10

// String gives the opaque form: letters, digits, '-' and '_', safe in a URL and in a header.
func (t Token) String() string {
	b := append([]byte(tokenForm), ' ')
	b = append(t.AppendTo(b), ' ')
	b = append(strconv.AppendInt(b, int64(t.Attempt), 10), ' ')
	b = append(strconv.AppendUint(b, uint64(t.Hash), 16), ' ')
	b = append(appendWord(b, t.Group), ' ')
	b = append(appendWord(b, t.ID), ' ')
	return base64.RawURLEncoding.EncodeToString(appendWord(b, t.Name))
}

// ParseToken reads what String wrote, and nothing else: whoever brings a token is not trusted.
func ParseToken(s string) (Token, error) {
	if len(s) > mostToken {
		return Token{}, fmt.Errorf("a token of %d bytes: there is none of more than %d", len(s), mostToken)
	}
	t, err := parseToken(s)
	if err == nil && t.String() != s {
		err = errors.New("it is not spelled as a token is")
	}
	if err != nil {
		return Token{}, fmt.Errorf("token %q: %w", bounded(s), err)
	}
	return t, nil
}

func parseToken(s string) (t Token, err error) {
	text, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil {
		return t, errors.New("it is not base64url: give it as CompleteLater gave it")
	}
	w := words{rest: string(text)}
	if form := w.next(); form != tokenForm {
		return t, fmt.Errorf("it has form %q, this version knows %q", bounded(form), tokenForm)
	}
	t.Ref = w.ref()
	t.Attempt = int(w.uint("attempt", 31))
	hash := w.next()
	n, err := strconv.ParseUint(hash, 16, 32)
	if err != nil {
		err = fmt.Errorf("%q is not hexadecimal", bounded(hash))
	}
	w.fail("hash", err)
	t.Hash = uint32(n)
	t.Group = w.text("group", mostID)
	t.ID = w.text("id", mostID)
	t.Name = w.text("name", mostName)
	if err := w.end(); err != nil {
		return t, err
	}
	return t, CheckID(t.ID)
}
