package codec

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"sync"
)

// Gzip compresses what gets smaller by it.
type Gzip struct {
	Min   int // smaller payloads stay as they are, in bytes
	Limit int // most bytes that a payload is decompressed to
}

// writers are large: about 800 KiB each.
var writers = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}

// ID implements Codec.
func (Gzip) ID() string { return "gzip" }

// Encode implements Codec.
func (c Gzip) Encode(plain []byte) ([]byte, error) {
	if len(plain) < c.Min {
		return nil, nil
	}
	var b bytes.Buffer
	w := writers.Get().(*gzip.Writer)
	defer func() {
		w.Reset(nil) // the pool keeps no payload
		writers.Put(w)
	}()
	w.Reset(&b)
	if _, err := w.Write(plain); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	if b.Len() >= len(plain) {
		return nil, nil
	}
	return b.Bytes(), nil
}

// Decode implements Codec.
func (c Gzip) Decode(stored []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(stored))
	if err != nil {
		return nil, err
	}
	plain, err := io.ReadAll(io.LimitReader(r, int64(c.Limit)+1))
	switch {
	case err != nil:
		return nil, err
	case len(plain) > c.Limit:
		return nil, fmt.Errorf("%d bytes decompress to more than %d", len(stored), c.Limit)
	}
	return plain, nil
}
