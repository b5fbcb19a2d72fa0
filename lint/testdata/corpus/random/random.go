// Package random draws numbers and makes identifiers.
package random

import (
	crand "crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"hash/fnv"
	"hash/maphash"
	"math/big"
	"math/rand"
	randv2 "math/rand/v2"
	"os"
	"time"

	"github.com/google/uuid"

	durable "github.com/durablegen/durablegen/runtime"
)

//durable:orchestrator
func Dice(ctx durable.Context, n int) (int, error) {
	return rand.Intn(n), nil // want DET111
}

//durable:orchestrator
func DiceV2(ctx durable.Context, n int) (int, error) {
	return randv2.N(n), nil // want DET111
}

//durable:orchestrator
func Shuffled(ctx durable.Context, in []int) ([]int, error) {
	shuffle(in)
	return in, nil
}

func shuffle(in []int) {
	randv2.Shuffle(len(in), func(i, j int) { in[i], in[j] = in[j], in[i] }) // want DET111
}

//durable:orchestrator
func HashSeed(ctx durable.Context, in string) (uint64, error) {
	return maphash.String(maphash.MakeSeed(), in), nil // want DET111
}

//durable:orchestrator
func Token(ctx durable.Context, n int) (string, error) {
	b := make([]byte, n)
	if _, err := crand.Read(b); err != nil { // want DET112
		return "", err
	}
	return hex.EncodeToString(b), nil
}

//durable:orchestrator
func BigRandom(ctx durable.Context, n int64) (string, error) {
	v, err := crand.Int(crand.Reader, big.NewInt(n)) // want DET112
	if err != nil {
		return "", err
	}
	return v.String(), nil
}

//durable:orchestrator
func Identifier(ctx durable.Context, in string) (string, error) {
	return uuid.NewString(), nil // want DET113
}

//durable:orchestrator
func IdentifierByHelper(ctx durable.Context, in string) (string, error) { return label(in), nil }

func label(in string) string {
	id := uuid.New() // want DET113
	return in + id.String()
}

//durable:orchestrator
func IdentifierAsValue(ctx durable.Context, in string) (string, error) {
	gen := uuid.NewString // want DET113
	return gen(), nil
}

//durable:orchestrator
func SeededByClock(ctx durable.Context, n int) (int, error) {
	r := rand.New(rand.NewSource(time.Now().UnixNano())) // want DET101 DET114
	return r.Intn(n), nil
}

//durable:orchestrator
func SeededByProcess(ctx durable.Context, n int) (int, error) {
	seed := uint64(os.Getpid())                // want DET304
	r := randv2.New(randv2.NewPCG(seed, seed)) // want DET114
	return r.IntN(n), nil
}

//durable:orchestrator
func SeededByHelper(ctx durable.Context, n int) (int, error) {
	r := randv2.New(randv2.NewPCG(seed(), 1)) // want DET114
	return r.IntN(n), nil
}

func seed() uint64 {
	return uint64(time.Now().Unix()) // want DET101
}

//durable:orchestrator
func SeededByInput(ctx durable.Context, n int64) (int, error) {
	r := rand.New(rand.NewSource(n))
	r2 := randv2.New(randv2.NewPCG(uint64(n), 7))
	z := rand.NewZipf(r, 1.1, 1, 100)
	r2.Shuffle(3, func(i, j int) {})
	return r.Intn(6) + r2.IntN(6) + int(z.Uint64()), nil
}

//durable:orchestrator
func SeededByHash(ctx durable.Context, in string) (int, error) {
	h := fnv.New64a()
	h.Write([]byte(in))
	r := rand.New(rand.NewSource(int64(h.Sum64())))
	return r.Perm(4)[0], nil
}

//durable:orchestrator
func Given(ctx durable.Context, n int) (string, error) {
	r := ctx.Rand()
	return ctx.NewUUID() + string(rune('a'+r.IntN(n))), nil
}

//durable:orchestrator
func Derived(ctx durable.Context, in string) (string, error) {
	sum := sha256.Sum256([]byte(in))
	id := uuid.NewSHA1(uuid.Nil, sum[:])
	return id.String(), nil
}

type roller struct{ r *rand.Rand }

func (r roller) roll() int { return r.r.Intn(6) }

//durable:orchestrator
func OwnRoller(ctx durable.Context, n int64) (int, error) {
	return roller{rand.New(rand.NewSource(n))}.roll(), nil
}

// pick is only for activities.
func pick(in []string) string { return in[rand.Intn(len(in))] }

var _ = pick
