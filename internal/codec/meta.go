package codec

import (
	"context"
	"strings"

	"github.com/durablegen/durablegen/internal/backend"
)

// Meta implements backend.Backend.
func (b *Backend) Meta() backend.Meta { return meta{b.Backend.Meta(), b} }

// meta encodes the values that hold a user's data. Whoever lists or watches them gets them as they are stored.
type meta struct {
	backend.Meta
	b *Backend
}

// Put implements backend.Meta.
func (m meta) Put(ctx context.Context, key string, value []byte, rev uint64) (uint64, error) {
	if strings.HasPrefix(key, backend.DetailsKey) {
		sealed, err := m.b.layers.seal(value)
		if err != nil {
			return 0, err
		}
		value = sealed
	}
	return m.Meta.Put(ctx, key, value, rev)
}

// Get implements backend.Meta.
func (m meta) Get(ctx context.Context, key string) (value []byte, rev uint64, err error) {
	value, rev, err = m.Meta.Get(ctx, key)
	if err != nil || !strings.HasPrefix(key, backend.DetailsKey) {
		return value, rev, err
	}
	clear, err := m.b.layers.open(value)
	if err != nil {
		return value, rev, err
	}
	return clear, rev, nil
}
