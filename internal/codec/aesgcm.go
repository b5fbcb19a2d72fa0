package codec

import (
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
)

// AESGCM encrypts. What it stores is the length of the key's id in one byte, the id, a random nonce of 96 bits, and the
// ciphertext with its tag. The id is authenticated too.
type AESGCM struct {
	current string
	keys    map[string]cipher.AEAD
}

// NewAESGCM makes a codec that has no key yet.
func NewAESGCM() *AESGCM { return &AESGCM{keys: map[string]cipher.AEAD{}} }

// Add adds a key of 16, 24 or 32 bytes, of which no reference is kept. The first one encrypts. No error tells more of a
// key than its id and length.
func (c *AESGCM) Add(id string, secret []byte) error {
	if id == "" || len(id) > 64 || strings.ContainsFunc(id, func(r rune) bool { return r > unicode.MaxASCII || !unicode.IsGraphic(r) }) {
		return fmt.Errorf("the key id %.80q: want 1 to 64 printable ASCII characters", id)
	}
	if c.keys[id] != nil {
		return fmt.Errorf("two keys have the id %q", id)
	}
	block, err := aes.NewCipher(secret)
	if err != nil {
		return fmt.Errorf("key %q has %d bytes: AES needs 16, 24 or 32", id, len(secret))
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return fmt.Errorf("key %q: %w", id, err)
	}
	if c.current == "" {
		c.current = id
	}
	c.keys[id] = aead
	return nil
}

// ID implements Codec.
func (c *AESGCM) ID() string { return "aesgcm" }

// Encode implements Codec.
func (c *AESGCM) Encode(plain []byte) ([]byte, error) {
	aead := c.keys[c.current]
	b := make([]byte, 0, 1+len(c.current)+len(plain)+aead.Overhead())
	b = append(append(b, byte(len(c.current))), c.current...)
	return aead.Seal(b, nil, plain, bound(c.current)), nil
}

// Decode implements Codec.
func (c *AESGCM) Decode(stored []byte) ([]byte, error) {
	if len(stored) == 0 || len(stored) < 1+int(stored[0]) {
		return nil, errors.New("it is cut off")
	}
	body := 1 + int(stored[0])
	id, sealed := string(stored[1:body]), stored[body:]
	aead := c.keys[id]
	if aead == nil {
		return nil, fmt.Errorf("key %.80q wrote it, and this program has only %q", id, slices.Sorted(maps.Keys(c.keys)))
	}
	plain, err := aead.Open(nil, nil, sealed, bound(id))
	if err != nil {
		return nil, fmt.Errorf("key %q does not open it: this program has another secret under that id, or the payload is damaged", id)
	}
	return plain, nil
}

// bound is the additional data of a ciphertext. A payload is bound to no instance and no hub: it moves from parent to
// child, from run to archive, and with a restored backup into another hub.
func bound(key string) []byte { return []byte("durable aesgcm " + key) }
