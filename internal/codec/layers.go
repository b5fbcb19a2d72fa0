package codec

import (
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

// Codec is durable.Codec.
type Codec interface {
	ID() string
	Encode(plain []byte) (stored []byte, err error)
	Decode(stored []byte) (plain []byte, err error)
}

// layers are the codecs of a hub in the order in which they encode. Each layer of a payload names its codec, so that it
// is decoded whatever the order was when it was written.
type layers struct {
	write []Codec
	byID  map[string]Codec
	most  int // bytes of a clear payload, so that whoever decodes one knows how large it can be
}

// Layers of our own. No codec can have such an id.
const (
	hashLayer  = "#hash"  // the Hash of a Done, in front of its result or failure
	clearLayer = "#clear" // a text that looks like a sealed one
)

const mostLayers = 16

var idForm = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{0,31}$`)

func newLayers(codecs []Codec, most int) (layers, error) {
	l := layers{write: codecs, byID: map[string]Codec{}, most: most}
	if len(codecs) == 0 {
		return l, errors.New("no codec is given")
	}
	for n, c := range codecs {
		if c == nil {
			return l, fmt.Errorf("codec %d is nil", n)
		}
		id := c.ID()
		if !idForm.MatchString(id) {
			return l, fmt.Errorf("the codec id %q: want 1 to 32 lower-case letters, digits, '-' and '.'", id)
		}
		if l.byID[id] != nil {
			return l, fmt.Errorf("two codecs have the id %q: keys of one codec go into one codec", id)
		}
		l.byID[id] = c
	}
	return l, nil
}

// seal encodes a payload unless it is empty, or sealed already.
func (l *layers) seal(p history.Payload) (history.Payload, error) {
	if _, _, sealed := p.Unseal(); len(p) == 0 || sealed {
		return p, nil
	}
	if err := l.fits(p); err != nil {
		return nil, err
	}
	return l.encode(p)
}

func (l *layers) fits(p history.Payload) error {
	if len(p) > l.most {
		return fmt.Errorf("durable: %w: a payload has %d bytes before it is encoded, at most %d can be stored", backend.ErrTooLarge, len(p), l.most)
	}
	return nil
}

func (l *layers) encode(p history.Payload) (history.Payload, error) {
	for _, c := range l.write {
		stored, err := c.Encode(p)
		if err != nil {
			return nil, fmt.Errorf("durable: codec %s: encode a payload of %d bytes: %w", c.ID(), len(p), err)
		}
		if stored != nil {
			p = history.Seal(c.ID(), stored)
		}
	}
	return p, nil
}

// open decodes all layers of a payload but one of our own.
func (l *layers) open(p history.Payload) (history.Payload, error) {
	for range mostLayers {
		id, body, sealed := p.Unseal()
		if !sealed || id == hashLayer {
			return p, nil
		}
		c := l.byID[id]
		if c == nil {
			return nil, fmt.Errorf("%w: codec %q wrote it: give it to durable.WithCodec", backend.ErrCodec, id)
		}
		plain, err := c.Decode(body)
		if err != nil {
			return nil, fmt.Errorf("%w: codec %s: %w", backend.ErrCodec, id, err)
		}
		p = plain
	}
	return nil, fmt.Errorf("%w: it has more than %d layers", backend.ErrCodec, mostLayers)
}

// textMark begins a sealed text: base64 of a sealed payload.
const textMark = "\x00durable64/"

// sealText encodes what people read. A text is always encoded, also one that looks sealed: users write texts.
func (l *layers) sealText(s string) (string, error) {
	if s == "" {
		return "", nil
	}
	p, err := l.encode(history.Payload(s))
	if err != nil {
		return "", err
	}
	if string(p) == s { // no codec wanted it
		if !strings.HasPrefix(s, textMark) {
			return s, nil
		}
		p = history.Seal(clearLayer, p)
	}
	return textMark + base64.RawURLEncoding.EncodeToString(p), nil
}

// openText decodes a text. Instead of one that cannot be decoded people read why.
func (l *layers) openText(s string) string {
	coded, sealed := strings.CutPrefix(s, textMark)
	if !sealed {
		return s
	}
	p, err := base64.RawURLEncoding.DecodeString(coded)
	if err != nil {
		return fmt.Sprintf("(%v: damaged text)", backend.ErrCodec)
	}
	if id, body, ok := history.Payload(p).Unseal(); ok && id == clearLayer {
		return string(body)
	}
	plain, err := l.open(p)
	if err != nil {
		return fmt.Sprintf("(%v)", err)
	}
	return strings.ToValidUTF8(string(plain), "\uFFFD")
}
