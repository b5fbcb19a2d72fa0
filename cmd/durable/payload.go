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
	"github.com/durablegen/durablegen/cmd/durable/internal/output"
	durable "github.com/durablegen/durablegen/runtime"
)

// given reads JSON that the user gives: as it is, as @FILE, or - for stdin. "" is null. what names it in errors.
func (s *session) given(what, text string) (json.RawMessage, error) {
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

// payload is stored data within JSON; a codec of the user's own may have made it something else.
func payload(data []byte) json.RawMessage {
	if len(data) == 0 || json.Valid(data) {
		return data
	}
	quoted, _ := json.Marshal(string(data)) // a string always has a JSON form
	return quoted
}

// mostShown is how many bytes of a payload people see unless they ask for all of it.
const mostShown = 4 << 10

// short is a payload for a cell of a table.
func short(payload json.RawMessage) string {
	const most = 100
	if len(payload) > most {
		return fmt.Sprintf("%s… (%d bytes)", cut(payload, most), len(payload))
	}
	return string(payload)
}

// cut gives at most n bytes, and no half characters.
func cut(payload []byte, n int) string {
	for n > 0 && payload[n]&0xC0 == 0x80 {
		n--
	}
	return string(payload[:n])
}

// shown is a payload for people, cut unless it is to be full.
func shown(payload json.RawMessage, full bool) string {
	if len(payload) > mostShown && !full {
		return output.Clean(cut(payload, mostShown)) + fmt.Sprintf("… (%d bytes: --full shows all)", len(payload))
	}
	return output.Clean(string(payload))
}
