package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/durablegen/durablegen/cmd/durable/internal/choose"
)

const day = 24 * time.Hour

// Set implements pflag.Value.
func (k *keeping) Set(text string) error {
	if text == "forever" {
		*k = -1
		return nil
	}
	d, ok := choose.Span(text)
	if !ok || d <= 0 {
		return errors.New("want one such as 30d, 12h or forever")
	}
	*k = keeping(d)
	return nil
}

// String implements pflag.Value.
func (k keeping) String() string {
	d := time.Duration(k)
	switch {
	case d == 0:
		return ""
	case d < 0:
		return "forever"
	case d%day == 0:
		return fmt.Sprintf("%dd", d/day)
	}
	return d.String()
}

// Type implements pflag.Value.
func (*keeping) Type() string { return "duration" }
