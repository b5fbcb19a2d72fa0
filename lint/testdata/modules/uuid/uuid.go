// Package uuid stands for a module of identifiers.
package uuid

import (
	"crypto/rand"
	"crypto/sha1"
	"encoding/hex"
)

type UUID [16]byte

// Nil is the empty one.
var Nil UUID

func New() UUID {
	var u UUID
	_, _ = rand.Read(u[:])
	return u
}

func NewString() string { return New().String() }

func NewSHA1(space UUID, data []byte) UUID {
	var u UUID
	sum := sha1.Sum(append(space[:], data...))
	copy(u[:], sum[:])
	return u
}

func (u UUID) String() string { return hex.EncodeToString(u[:]) }

func Parse(s string) (UUID, error) {
	var u UUID
	_, err := hex.Decode(u[:], []byte(s))
	return u, err
}

func MustParse(s string) UUID {
	u, err := Parse(s)
	if err != nil {
		panic(err)
	}
	return u
}
