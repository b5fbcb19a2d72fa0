package annotations

import (
	"fmt"
	"go/token"
	"math"
	"strconv"
	"strings"
	"time"
)

// ValidName reports whether name may be stored: letters, digits, '_', '.' and '-', starting with a letter, at most
// [MaxName] bytes. Names become part of NATS subjects, KV keys and URLs, so they are plain ASCII.
func ValidName(name string) bool {
	return name != "" && isLetter(name[0]) && validVersion(name)
}

func validVersion(v string) bool {
	if v == "" || len(v) > MaxName {
		return false
	}
	for i := range len(v) {
		if c := v[i]; !isLetter(c) && (c < '0' || c > '9') && c != '_' && c != '.' && c != '-' {
			return false
		}
	}
	return true
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

// set checks the value of one argument and stores it. The error is the reason only; the caller adds place and form.
func (d *Directive) set(k Key, v string) error {
	switch kinds[k] {
	case kindName, kindVersion, kindIdent:
		return d.setText(k, v)
	case kindNames:
		return d.addAliases(v)
	case kindDuration:
		return d.setDuration(k, v)
	case kindCount:
		return d.setCount(k, v)
	case kindFraction:
		return d.setFraction(v)
	case kindFlag:
		d.Local = true
		return nil
	default:
		return d.setFactor(v)
	}
}

func (d *Directive) setText(k Key, v string) error {
	ok, field := ValidName(v), &d.Name
	switch k {
	case Handle:
		ok, field = token.IsIdentifier(v) && v != "_", &d.Handle
	case Version:
		ok, field = validVersion(v), &d.Version
	case Group:
		field = &d.Group
	}
	if !ok {
		return fmt.Errorf("%q is not valid", v)
	}
	*field = v
	return nil
}

func (d *Directive) addAliases(v string) error {
	for name := range strings.SplitSeq(v, ",") {
		if !ValidName(name) {
			return fmt.Errorf("%q is not valid", name)
		}
		for _, old := range d.Aliases {
			if old == name {
				return fmt.Errorf("%q is there twice", name)
			}
		}
		d.Aliases = append(d.Aliases, name)
	}
	return nil
}

func (d *Directive) setDuration(k Key, v string) error {
	value, err := time.ParseDuration(v)
	if err != nil || value <= 0 {
		return fmt.Errorf("%q is not valid", v)
	}
	switch k {
	case Timeout:
		d.Timeout = value
	case First:
		d.First = value
	case Deadline:
		d.Deadline = value
	case Heartbeat:
		d.Heartbeat = value
	default:
		d.Max = value
	}
	return nil
}

func (d *Directive) setCount(k Key, v string) error {
	value, err := strconv.Atoi(v)
	if err != nil || value < 1 || value > 1_000_000 {
		return fmt.Errorf("%q is not valid", v)
	}
	if k == Attempts {
		d.Attempts = value
	} else {
		d.Concurrency = value
	}
	return nil
}

func (d *Directive) setFactor(v string) error {
	value, err := strconv.ParseFloat(v, 64)
	if err != nil || math.IsNaN(value) || value < 1 || value > 1000 {
		return fmt.Errorf("%q is not valid", v)
	}
	d.Backoff = value
	return nil
}

func (d *Directive) setFraction(v string) error {
	value, err := strconv.ParseFloat(v, 64)
	if err != nil || !(value > 0 && value <= 1) {
		return fmt.Errorf("%q is not valid", v)
	}
	d.Jitter = value
	return nil
}
