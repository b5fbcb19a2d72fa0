package codec_test

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"fmt"
	"strings"
	"testing"

	"github.com/durablegen/durablegen/internal/codec"
	"github.com/durablegen/durablegen/internal/history"
)

// TestAESGCMHidesAndProves: equal payloads differ, and nothing of a payload can be changed unseen.
func TestAESGCMHidesAndProves(t *testing.T) {
	t.Parallel()
	c := aesgcm(t, "k1", "k0")
	a, err1 := c.Encode([]byte(secret))
	b, err2 := c.Encode([]byte(secret))
	if err1 != nil || err2 != nil || bytes.Equal(a, b) || bytes.Contains(a, []byte(secret)) {
		t.Fatalf("%q and %q, errors %v and %v", a, b, err1, err2)
	}
	if plain, err := c.Decode(a); err != nil || string(plain) != secret {
		t.Fatalf("decoded as %q, error %v", plain, err)
	}
	for n := range a {
		changed := bytes.Clone(a)
		changed[n] ^= 1
		if plain, err := c.Decode(changed); err == nil {
			t.Errorf("byte %d changed: decoded as %q", n, plain)
		}
		if plain, err := c.Decode(a[:n]); err == nil {
			t.Errorf("cut to %d bytes: decoded as %q", n, plain)
		}
	}
}

// TestAESGCMReadsAnything: whoever may write to the log must not be able to kill who reads it.
func TestAESGCMReadsAnything(t *testing.T) {
	t.Parallel()
	c := aesgcm(t, "k1")
	for first := range 256 {
		for _, size := range []int{1, 2, 256, 300} {
			stored := make([]byte, size)
			stored[0] = byte(first)
			if plain, err := c.Decode(stored); err == nil {
				t.Errorf("%d bytes that begin with %d: decoded as %q", size, first, plain)
			}
		}
	}
}

// TestAESGCMNamesKeysNotSecrets: an error says which key is missing or wrong, and tells nothing of secrets.
func TestAESGCMNamesKeysNotSecrets(t *testing.T) {
	t.Parallel()
	stored, err := aesgcm(t, "k2").Encode([]byte("1"))
	if err != nil {
		t.Fatal(err)
	}
	other := codec.NewAESGCM()
	if err := other.Add("k2", bytes.Repeat([]byte("hush"), 4)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		codec *codec.AESGCM
		says  string
	}{
		{"no such key", aesgcm(t, "k1"), `key "k2" wrote it, and this program has only ["k1"]`},
		{"another secret", other, `key "k2" does not open it`},
	} {
		_, err := c.codec.Decode(stored)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v, want one that says %q", c.name, err, c.says)
		}
	}
	for _, c := range []struct {
		id, secret, says string
	}{
		{"k3", "hush", `key "k3" has 4 bytes`}, {"", strings.Repeat("hush", 4), `key id ""`},
		{"k\n", strings.Repeat("hush", 4), `key id "k\n"`}, {"k2", strings.Repeat("hush", 4), `two keys have the id "k2"`},
	} {
		err := other.Add(c.id, []byte(c.secret))
		if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "hush") {
			t.Errorf("key %q: error %v, want one that says %q and not the secret", c.id, err, c.says)
		}
	}
}

func TestGzipLeavesWhatGetsNoSmaller(t *testing.T) {
	t.Parallel()
	c := codec.Gzip{Min: 100, Limit: 1 << 20}
	noise := make([]byte, 1000)
	if _, err := rand.Read(noise); err != nil {
		t.Fatal(err)
	}
	for _, plain := range [][]byte{make([]byte, 99), noise} {
		if stored, err := c.Encode(plain); stored != nil || err != nil {
			t.Errorf("%d bytes become %d, error %v, want them left alone", len(plain), len(stored), err)
		}
	}
	for range 3 { // writers are used again
		plain := []byte(strings.Repeat(secret, 100))
		stored, err := c.Encode(plain)
		if err != nil || len(stored) >= len(plain)/2 {
			t.Fatalf("%d bytes become %d, error %v", len(plain), len(stored), err)
		}
		if got, err := c.Decode(stored); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("decoded as %q, error %v", got, err)
		}
	}
}

// TestGzipIsBounded: a few bytes that decompress to very many are an error before they are that many.
func TestGzipIsBounded(t *testing.T) {
	t.Parallel()
	var bomb bytes.Buffer
	w := gzip.NewWriter(&bomb)
	for range 64 {
		if _, err := w.Write(make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	c := codec.Gzip{Limit: 1 << 20}
	if plain, err := c.Decode(bomb.Bytes()); err == nil || len(plain) > 0 {
		t.Errorf("%d bytes became %d, error %v", bomb.Len(), len(plain), err)
	}
	allocated := testing.Benchmark(func(b *testing.B) {
		for b.Loop() {
			if _, err := c.Decode(bomb.Bytes()); err == nil {
				b.Fatal("no error")
			}
		}
	}).AllocedBytesPerOp()
	if allocated > 8<<20 {
		t.Errorf("%d bytes are allocated for a limit of 1 MiB", allocated)
	}
}

// TestLayersAreBounded: a payload that decodes to itself ends.
func TestLayersAreBounded(t *testing.T) {
	t.Parallel()
	b, _ := wrap(t, again{})
	if _, err := b.Open(&history.Event{Payload: history.Seal("again", nil)}); err == nil || !strings.Contains(err.Error(), "layers") {
		t.Errorf("error %v, want one about its layers", err)
	}
}

type again struct{}

func (again) ID() string                    { return "again" }
func (again) Encode([]byte) ([]byte, error) { return nil, nil }
func (again) Decode([]byte) ([]byte, error) { return history.Seal("again", nil), nil }

type named string

func (n named) ID() string                  { return string(n) }
func (named) Encode([]byte) ([]byte, error) { return nil, nil }
func (named) Decode([]byte) ([]byte, error) { return nil, nil }

func TestCodecsThatDoNotFit(t *testing.T) {
	t.Parallel()
	good, store := wrap(t, named("a"))
	for _, c := range []struct {
		says   string
		codecs []codec.Codec
	}{
		{"no codec", nil}, {"codec 0 is nil", []codec.Codec{nil}}, {`two codecs have the id "a"`, []codec.Codec{named("a"), named("a")}},
		{`id ""`, []codec.Codec{named("")}}, {`id "#hash"`, []codec.Codec{named("#hash")}}, {`id "A"`, []codec.Codec{named("A")}},
	} {
		if _, err := codec.New(store, c.codecs...); err == nil || !strings.Contains(fmt.Sprint(err), c.says) {
			t.Errorf("error %v, want one that says %q", err, c.says)
		}
	}
	if _, err := codec.New(good, named("b")); err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("codecs on codecs: error %v", err)
	}
}
