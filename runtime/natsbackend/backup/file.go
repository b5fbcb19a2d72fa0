package backup

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

const (
	headerName   = "durable-backup.json"
	manifestName = "manifest.json"

	mostHeader   = 64 << 10
	mostManifest = 256 << 20 // positions of consumers are in it
)

// writer makes a file, under another name until it is whole.
type writer struct {
	path string
	file *os.File
	tar  *tar.Writer
	now  time.Time
}

// partial is what a file is called that is not whole yet.
func partial(path string) string { return path + ".partial" }

func create(path string, h Header) (*writer, error) {
	if _, err := os.Lstat(path); err == nil {
		return nil, fmt.Errorf("backup: %q: %w: give another name", path, os.ErrExist)
	}
	f, err := os.OpenFile(partial(path), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	w := &writer{path: path, file: f, tar: tar.NewWriter(f), now: h.Begun}
	if err := w.json(headerName, h); err != nil {
		w.abandon()
		return nil, err
	}
	return w, nil
}

func (w *writer) json(name string, v any) error {
	text, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return fmt.Errorf("backup: %s: %w", name, err)
	}
	return w.entry(name, append(text, '\n'))
}

func (w *writer) entry(name string, content []byte) error {
	err := w.tar.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(content)), ModTime: w.now, Format: tar.FormatPAX})
	if err == nil {
		_, err = w.tar.Write(content)
	}
	if err != nil {
		return fmt.Errorf("backup: write %s: %w", partial(w.path), err)
	}
	return nil
}

// piece writes a part of a stream.
func (w *writer) piece(name string, content []byte) (Piece, error) {
	sum := sha256.Sum256(content)
	return Piece{Name: name, Size: int64(len(content)), SHA256: hex.EncodeToString(sum[:])}, w.entry(name, content)
}

// finish gives the file its name when all of it is on the disk.
func (w *writer) finish(m *Manifest) error {
	err := w.json(manifestName, m)
	if err == nil {
		err = w.tar.Close()
	}
	if err == nil {
		err = w.file.Sync()
	}
	if err = errors.Join(err, w.file.Close()); err == nil {
		err = os.Rename(partial(w.path), w.path)
	}
	if err != nil {
		return fmt.Errorf("backup: write %s: %w", w.path, errors.Join(err, os.Remove(partial(w.path))))
	}
	return nil
}

// abandon leaves nothing.
func (w *writer) abandon() {
	_ = w.file.Close() // what it holds is not needed
	_ = os.Remove(partial(w.path))
}

// Verify reads a whole file and checks that it is what was written. ErrDamaged is in the tree of its errors when it is not.
func Verify(path string) (Manifest, error) {
	f, err := os.Open(path)
	if err != nil {
		return Manifest{}, fmt.Errorf("backup: %w", err)
	}
	defer f.Close()
	m, err := verify(f)
	if err != nil {
		return m, fmt.Errorf("%w: %q", err, path)
	}
	return m, nil
}

func verify(r io.Reader) (m Manifest, err error) {
	t := tar.NewReader(r)
	text, err := small(t, headerName, mostHeader)
	if err != nil {
		return m, err
	}
	h, err := readHeader(text)
	if err != nil {
		return m, err
	}
	var pieces []Piece
	for {
		entry, err := t.Next()
		if err != nil {
			return m, fmt.Errorf("%w: it ends before %s: %w", ErrDamaged, manifestName, unexpected(err))
		}
		if entry.Name == manifestName {
			break
		}
		sum := sha256.New()
		if _, err := io.Copy(sum, t); err != nil {
			return m, fmt.Errorf("%w: it ends in %s: %w", ErrDamaged, entry.Name, unexpected(err))
		}
		pieces = append(pieces, Piece{Name: entry.Name, Size: entry.Size, SHA256: hex.EncodeToString(sum.Sum(nil))})
	}
	text, err = io.ReadAll(io.LimitReader(t, mostManifest))
	if err == nil {
		err = json.Unmarshal(text, &m)
	}
	if err != nil {
		return m, fmt.Errorf("%w: %s: %w", ErrDamaged, manifestName, err)
	}
	return m, m.check(h, pieces)
}

// small reads the first entry of a file, which has to have that name.
func small(t *tar.Reader, name string, most int64) ([]byte, error) {
	entry, err := t.Next()
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrDamaged, unexpected(err))
	case entry.Name != name || entry.Size > most:
		return nil, fmt.Errorf("%w: it does not begin with %s", ErrDamaged, name)
	}
	text, err := io.ReadAll(t)
	if err != nil {
		return nil, fmt.Errorf("%w: it ends in %s: %w", ErrDamaged, name, unexpected(err))
	}
	return bytes.TrimSpace(text), nil
}

// unexpected says what the end of a file means in the middle of it.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
