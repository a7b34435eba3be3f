package vrf_test

import (
	"bytes"
	"encoding/binary"
	"math/big"
	"testing"

	"github.com/oasisprotocol/curve25519-voi/curve"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"poaid/x/beacon/vrf"
)

// Parts of a proof: gamma, a point; c, the challenge; s, a scalar.
const (
	endOfGamma     = 32
	endOfChallenge = 48
)

// p is the field's prime, 2^255 - 19.
var p = new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))

// alterations of a proof by somebody who does not have the key. other is the proof of another key or input.
var alterations = []struct {
	name  string
	alter func(t *rapid.T, proof, other []byte)
}{
	{"bits", func(t *rapid.T, proof, _ []byte) {
		for range rapid.IntRange(1, 8).Draw(t, "bits") {
			i := rapid.IntRange(0, 8*len(proof)-1).Draw(t, "bit")
			proof[i/8] ^= 1 << (i % 8)
		}
	}},
	{"bytes", func(t *rapid.T, proof, _ []byte) {
		at := rapid.IntRange(0, len(proof)-1).Draw(t, "at")
		copy(proof[at:], rapid.SliceOfN(rapid.Byte(), 1, len(proof)-at).Draw(t, "bytes"))
	}},
	{"gamma plus a point of small order", func(t *rapid.T, proof, _ []byte) {
		gamma := decode(t, proof[:endOfGamma])
		gamma.Add(gamma, curve.EIGHT_TORSION[rapid.IntRange(1, 7).Draw(t, "torsion")])
		encode(proof, gamma)
	}},
	{"gamma negated", func(t *rapid.T, proof, _ []byte) {
		gamma := decode(t, proof[:endOfGamma])
		encode(proof, gamma.Neg(gamma))
	}},
	{"gamma doubled", func(t *rapid.T, proof, _ []byte) {
		gamma := decode(t, proof[:endOfGamma])
		encode(proof, gamma.Add(gamma, gamma))
	}},
	{"gamma of small order", func(t *rapid.T, proof, _ []byte) {
		encode(proof, curve.EIGHT_TORSION[rapid.IntRange(0, 7).Draw(t, "torsion")])
	}},
	{"gamma not canonical", func(t *rapid.T, proof, _ []byte) {
		y := new(big.Int).Add(p, big.NewInt(rapid.Int64Range(0, 18).Draw(t, "y")))
		copy(proof, toLittle(y))
		proof[31] |= rapid.SampledFrom([]byte{0, 128}).Draw(t, "sign")
	}},
	{"s plus a multiple of the order", func(t *rapid.T, proof, _ []byte) {
		s := fromLittle(proof[endOfChallenge:])
		s.Add(s, new(big.Int).Mul(order, big.NewInt(rapid.Int64Range(1, 14).Draw(t, "times"))))
		copy(proof[endOfChallenge:], toLittle(s))
	}},
	{"s negated", func(_ *rapid.T, proof, _ []byte) {
		copy(proof[endOfChallenge:], toLittle(new(big.Int).Sub(order, fromLittle(proof[endOfChallenge:]))))
	}},
	{"s and c shifted", func(t *rapid.T, proof, _ []byte) {
		by := rapid.Uint64Range(1, 1<<62).Draw(t, "by")
		c := binary.LittleEndian.Uint64(proof[endOfGamma:])
		binary.LittleEndian.PutUint64(proof[endOfGamma:], c+by)
		s := new(big.Int).Add(fromLittle(proof[endOfChallenge:]), new(big.Int).SetUint64(by))
		copy(proof[endOfChallenge:], toLittle(s.Mod(s, order)))
	}},
	{"gamma of another", func(_ *rapid.T, proof, other []byte) { copy(proof[:endOfGamma], other) }},
	{"challenge of another", func(_ *rapid.T, proof, other []byte) {
		copy(proof[endOfGamma:endOfChallenge], other[endOfGamma:])
	}},
	{"s of another", func(_ *rapid.T, proof, other []byte) { copy(proof[endOfChallenge:], other[endOfChallenge:]) }},
	{"another", func(_ *rapid.T, proof, other []byte) { copy(proof, other) }},
}

func decode(t *rapid.T, b []byte) *curve.EdwardsPoint {
	var c curve.CompressedEdwardsY
	_, err := c.SetBytes(b)
	require.NoError(t, err)
	var point curve.EdwardsPoint
	_, err = point.SetCompressedY(&c)
	require.NoError(t, err)
	return &point
}

func encode(to []byte, point *curve.EdwardsPoint) {
	var c curve.CompressedEdwardsY
	copy(to, c.SetEdwardsPoint(point)[:])
}

// TestNoProofCanBeAltered: whoever sees a proof can make no other one out of it. With the one that an honest signer makes there is
// exactly one for a key and an input, so there is nothing to grind in a block's proof.
func TestNoProofCanBeAltered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bytes32 := rapid.SliceOfN(rapid.Byte(), 32, 32)
		sk, err := vrf.NewSecretKey(bytes32.Draw(t, "seed"))
		require.NoError(t, err)
		stranger, err := vrf.NewSecretKey(bytes32.Draw(t, "stranger"))
		require.NoError(t, err)
		alpha := rapid.SliceOfN(rapid.Byte(), 0, 80).Draw(t, "alpha")
		other := stranger.Prove(alpha)
		if rapid.Bool().Draw(t, "own key, other input") {
			other = sk.Prove(append(bytes.Clone(alpha), 1))
		}
		proof := sk.Prove(alpha)
		for _, a := range alterations {
			altered := bytes.Clone(proof)
			a.alter(t, altered, other)
			beta, err := vrf.Verify(sk.Public(), alpha, altered)
			if bytes.Equal(altered, proof) {
				continue
			}
			require.ErrorIs(t, err, vrf.ErrInvalid, a.name)
			require.Nil(t, beta, a.name)
		}
	})
}

// TestKeysAreCanonical: a key written another way would be another input of the hash, and so another value for the same secret.
func TestKeysAreCanonical(t *testing.T) {
	_, _, alpha, proof := example(t)
	for y := range int64(19) {
		for _, sign := range []byte{0, 128} {
			key := toLittle(new(big.Int).Add(p, big.NewInt(y)))
			key[31] |= sign
			_, err := vrf.Verify(key, alpha, proof)
			require.ErrorIs(t, err, vrf.ErrInvalid, "p + %d", y)
		}
	}
}

// FuzzAltered changes a valid proof by a mask; only no change at all verifies.
func FuzzAltered(f *testing.F) {
	_, pk, alpha, proof := example(f)
	f.Add([]byte{1})
	f.Add(append(make([]byte, 79), 0x10))
	f.Add(append(make([]byte, 31), 0x80))
	f.Fuzz(func(t *testing.T, mask []byte) {
		altered := bytes.Clone(proof)
		for i := range min(len(mask), len(altered)) {
			altered[i] ^= mask[i]
		}
		_, err := vrf.Verify(pk, alpha, altered)
		if same := bytes.Equal(altered, proof); same != (err == nil) {
			t.Fatalf("mask %X: %v", mask, err)
		}
	})
}
