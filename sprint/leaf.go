package sprint

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"poaid/commit"
	"poaid/engine"
)

// ErrInput is wrapped by errors about leaves, periods and values.
var ErrInput = errors.New("invalid sprint input")

const domainKey = "poai/sprint/key/1"

// Key is a participant's key in one window: where its tokens come from. random is the beacon's value when the window opened.
func Key(chainID string, random []byte, window uint64, participant string) [32]byte {
	b := appendLP([]byte(domainKey), chainID)
	b = appendLP(b, string(random))
	b = binary.LittleEndian.AppendUint64(b, window)
	return sha256.Sum256(appendLP(b, participant))
}

func appendLP(b []byte, s string) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(len(s))) // #nosec G115 -- names and hashes are far below 4 GiB
	return append(b, s...)
}

// Tokens gives the n tokens of a leaf, each in 0..vocab−1; vocab is a power of two.
func Tokens(key [32]byte, leaf uint64, n, vocab int) ([]int32, error) {
	if n < 0 || n > 1<<24 || vocab < 1 || vocab > 1<<16 || vocab&(vocab-1) != 0 {
		return nil, fmt.Errorf("%w: %d tokens of %d, want at most 2^24 of a power of two up to 2^16", ErrInput, n, vocab)
	}
	s, err := stream(key, leaf)
	if err != nil {
		return nil, err
	}
	raw := make([]byte, 4*n)
	s.XORKeyStream(raw, raw)
	out := make([]int32, n)
	for i := range out {
		out[i] = int32(binary.LittleEndian.Uint32(raw[4*i:]) & uint32(vocab-1)) // #nosec G115 -- below vocab
	}
	return out, nil
}

// Inputs gives the inputs of a run over leaves, at most the program's sample of them, of period tokens each.
func Inputs(prog *engine.Program, key [32]byte, leaves []uint64, period uint64) (map[string]*engine.Tensor, error) {
	l, err := LayoutOf(prog)
	if err != nil {
		return nil, err
	}
	if len(leaves) < 1 || len(leaves) > l.Sample {
		return nil, fmt.Errorf("%w: %d leaves, want 1 to %d", ErrInput, len(leaves), l.Sample)
	}
	if period < 1 || period > uint64(l.MaxTokens) { // #nosec G115 -- positive
		return nil, fmt.Errorf("%w: period: %d tokens, want 1 to %d", ErrInput, period, l.MaxTokens)
	}
	all := make([]int32, 0, len(leaves)*int(period)) // #nosec G115 -- at most the program's steps
	for _, leaf := range leaves {
		t, err := Tokens(key, leaf, int(period), l.Vocab) // #nosec G115 -- at most MaxTokens
		if err != nil {
			return nil, err
		}
		all = append(all, t...)
	}
	tokens, err := engine.FromI32(all, int64(len(all)))
	if err != nil {
		return nil, fmt.Errorf("tokens: %w", err)
	}
	p, err := engine.FromI64([]int64{int64(period)}, 1) // #nosec G115 -- at most MaxTokens
	if err != nil {
		return nil, fmt.Errorf("period: %w", err)
	}
	return map[string]*engine.Tensor{inputTokens: tokens, inputPeriod: p}, nil
}

// Values cuts the output of a run over n leaves into their values.
func Values(out *engine.Tensor, n int) ([][]byte, error) {
	if out == nil || out.DType() != engine.F32 || len(out.Shape()) != 2 || out.Shape()[1] != Width || n < 0 || int64(n) > out.Shape()[0] {
		return nil, fmt.Errorf("%w: values: want %d rows of f32 [rows, %d], got %v", ErrInput, n, Width, out)
	}
	values := make([][]byte, n)
	for i := range values {
		values[i] = append([]byte(nil), out.Bytes()[i*ValueSize:(i+1)*ValueSize]...)
	}
	return values, nil
}

// OutputRoot is the output root of a run that gave values, in their order: what an audit's task must have when what was opened is right.
func OutputRoot(prog *engine.Program, values [][]byte) (commit.Hash, error) {
	l, err := LayoutOf(prog)
	if err != nil {
		return commit.Hash{}, err
	}
	if len(values) > l.Sample {
		return commit.Hash{}, fmt.Errorf("%w: %d values, limit %d", ErrInput, len(values), l.Sample)
	}
	data := make([]byte, l.Sample*ValueSize)
	for i, v := range values {
		if len(v) != ValueSize {
			return commit.Hash{}, fmt.Errorf("%w: value %d: %d bytes, want %d", ErrInput, i, len(v), ValueSize)
		}
		copy(data[i*ValueSize:], v)
	}
	root, err := commit.TensorRoot(commit.F32, []int64{int64(l.Sample), Width}, data)
	if err != nil {
		return commit.Hash{}, fmt.Errorf("values: %w", err)
	}
	return commit.NamedRoot([]commit.Named{{Name: outputLeaves, Root: root}}), nil
}
