package sprint

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"

	"golang.org/x/crypto/chacha20"

	"poaid/commit"
	"poaid/engine"
)

// SeedSize is the length of a seed in bytes.
const SeedSize = 32

// normSuffix ends the names of the weights that are one.
const normSuffix = ".norm"

const (
	domainWeights = "poai/sprint/weights/1"
	blockElements = 16 << 10 // elements generated at a time: what fits the nearest cache beside its bytes
	matrixRank    = 2
)

// kind is what a weight holds: ones, or 16-bit integers times 2^−shift.
type kind struct {
	ones  bool
	shift uint
}

// kindOf tells what a weight holds from its declaration.
func kindOf(name string, dt engine.DType, shape []int64) (kind, error) {
	if dt != engine.F32 {
		return kind{}, fmt.Errorf("%w: weight %q: is %s, want f32", ErrProgram, name, dt)
	}
	if strings.HasSuffix(name, normSuffix) {
		return kind{ones: true}, nil
	}
	if len(shape) != matrixRank {
		return kind{}, fmt.Errorf("%w: weight %q: rank %d, want 2 (or a name that ends in %s)", ErrProgram, name, len(shape), normSuffix)
	}
	// A uniform int16 times 2^−k has a deviation of 2^(15−k)/√3: with the least k of 4^(k−15) ≥ columns/4 that is 0.58 to 1.15 of 1/√columns.
	k := uint(15)
	for q := int64(4); q < shape[1]; q *= 4 {
		k++
	}
	return kind{shift: k}, nil
}

// stream is the ChaCha20 key stream of a key and a number.
func stream(key [32]byte, n uint64) (*chacha20.Cipher, error) {
	var nonce [chacha20.NonceSize]byte
	binary.LittleEndian.PutUint64(nonce[:], n)
	return chacha20.NewUnauthenticatedCipher(key[:], nonce[:])
}

// generator gives one weight's bytes in row-major order.
type generator struct {
	kind   kind
	cipher *chacha20.Cipher
	buf    [2 * blockElements]byte
}

// fill writes the next len(dst)/4 elements, at most blockElements, as little-endian float32.
func (g *generator) fill(dst []byte) {
	if g.kind.ones {
		for i := 0; i < len(dst); i += 4 {
			binary.LittleEndian.PutUint32(dst[i:], math.Float32bits(1))
		}
		return
	}
	raw := g.buf[:len(dst)/2]
	clear(raw)
	g.cipher.XORKeyStream(raw, raw)
	scale := math.Float32frombits(uint32(127-g.kind.shift) << 23) // #nosec G115 -- 2^−shift, shift below 47
	for len(raw) >= 2 && len(dst) >= 4 {
		v := int16(binary.LittleEndian.Uint16(raw)) // #nosec G115 -- the integer is the 16 bits
		binary.LittleEndian.PutUint32(dst, math.Float32bits(float32(v)*scale))
		raw, dst = raw[2:], dst[4:]
	}
}

// generate calls emit with the bytes of every weight, in order and in pieces of whole elements. A piece is valid during the call.
func generate(prog *engine.Program, seed [SeedSize]byte, emit func(weight int, piece []byte)) error {
	key := sha256.Sum256(append([]byte(domainWeights), seed[:]...))
	var g generator
	piece := make([]byte, 4*blockElements)
	for i, w := range prog.WeightSpecs() {
		var err error
		if g.kind, err = kindOf(w.Name, w.DType, w.Shape); err != nil {
			return err
		}
		if g.cipher, err = stream(key, uint64(i)); err != nil { // #nosec G115 -- an index
			return fmt.Errorf("weight %q: %w", w.Name, err)
		}
		left, err := engine.ByteSize(w.DType, w.Shape)
		if err != nil {
			return fmt.Errorf("weight %q: %w", w.Name, err)
		}
		if left > math.MaxUint32 { // more than a key stream has, and far more than one block can make
			return fmt.Errorf("%w: weight %q: %d bytes, limit %d", ErrProgram, w.Name, left, uint32(math.MaxUint32))
		}
		for left > 0 {
			n := min(left, int64(len(piece)))
			g.fill(piece[:n])
			emit(i, piece[:n])
			left -= n
		}
	}
	return nil
}

// Weights makes a program's weights from a seed. Every element is a 16-bit integer times a power of two, so nothing is rounded.
func Weights(prog *engine.Program, seed [SeedSize]byte) (*engine.Weights, error) {
	specs := prog.WeightSpecs()
	data := make([][]byte, len(specs))
	err := generate(prog, seed, func(i int, piece []byte) {
		data[i] = append(data[i], piece...)
	})
	if err != nil {
		return nil, err
	}
	tensors := make([]*engine.Tensor, len(specs))
	for i, w := range specs {
		if tensors[i], err = engine.TensorFromBytes(w.DType, w.Shape, data[i]); err != nil {
			return nil, fmt.Errorf("weight %q: %w", w.Name, err)
		}
	}
	return engine.NewWeights(prog, tensors)
}

// WeightsRoot is the root of Weights(prog, seed), worked out without holding them.
func WeightsRoot(prog *engine.Program, seed [SeedSize]byte) (commit.Hash, error) {
	specs := prog.WeightSpecs()
	hashers := make([]commit.Hasher, len(specs))
	var failed error
	err := generate(prog, seed, func(i int, piece []byte) {
		if _, err := hashers[i].Write(piece); err != nil {
			failed = errors.Join(failed, err)
		}
	})
	if err = errors.Join(err, failed); err != nil {
		return commit.Hash{}, err
	}
	entries := make([]commit.Named, len(specs))
	for i, w := range specs {
		root, err := commit.TensorRootOf(uint8(w.DType), w.Shape, hashers[i].Root()) // #nosec G115 -- a dtype is 1 to 5
		if err != nil {
			return commit.Hash{}, fmt.Errorf("weight %q: %w", w.Name, err)
		}
		entries[i] = commit.Named{Name: w.Name, Root: root}
	}
	return commit.NamedRoot(entries), nil
}
