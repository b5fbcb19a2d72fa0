package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/durablegen/durablegen/cmd/durable/internal/exit"
	durable "github.com/durablegen/durablegen/runtime"
)

// payload reads JSON that the user gives: as it is, as @FILE, or - for stdin. "" is null. what names it in errors.
func (s *session) payload(what, text string) (json.RawMessage, error) {
	data := []byte(text)
	var err error
	switch name, file := strings.CutPrefix(text, "@"); {
	case text == "":
		return json.RawMessage("null"), nil
	case text == "-":
		data, err = limited(s.stdin)
	case file:
		data, err = limitedFile(name)
	}
	if err != nil {
		return nil, exit.With(exit.Usage, fmt.Errorf("%s: %w", what, err))
	}
	var v json.RawMessage
	if err := json.Unmarshal(data, &v); err != nil {
		hint := ""
		if bad := new(json.SyntaxError); errors.As(err, &bad) {
			hint = fmt.Sprintf(" (at byte %d)", bad.Offset)
		}
		return nil, exit.Usagef("%s is not JSON%s: %w; a text needs quotes: '\"text\"'", what, hint, err)
	}
	return bytes.TrimSpace(v), nil
}

func limitedFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return limited(f)
}

// limited reads no more than can be stored.
func limited(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, durable.MaxPayload+1))
	if err == nil && len(data) > durable.MaxPayload {
		err = fmt.Errorf("it has more than %d bytes, which is what a hub stores", durable.MaxPayload)
	}
	return data, err
}
