// Package vrf is the verifiable random function of x/beacon: ECVRF-EDWARDS25519-SHA512-ELL2 of RFC 9381.
//
// The holder of a secret key makes, for any input, one output and a proof that it is the right one. Nobody else can tell the output from
// random bytes before seeing the proof. A key has one output for each input, whatever proof is given (the RFC's full uniqueness: keys of
// small order are refused); proofs themselves are not unique, so nothing may be drawn from their bytes.
package vrf

import (
	"errors"
	"fmt"

	"github.com/oasisprotocol/curve25519-voi/primitives/ed25519"
	"github.com/oasisprotocol/curve25519-voi/primitives/ed25519/extra/ecvrf"
)

// Suite is the RFC's name of the scheme.
const Suite = "ECVRF-EDWARDS25519-SHA512-ELL2"

// Sizes in bytes.
const (
	PublicKeySize = ed25519.PublicKeySize
	SeedSize      = ed25519.SeedSize
	ProofSize     = ecvrf.ProofSize
	OutputSize    = ecvrf.OutputSize
)

// ErrInvalid is returned for a proof that does not verify.
var ErrInvalid = errors.New("proof does not verify")

// SecretKey makes proofs.
type SecretKey struct{ key ed25519.PrivateKey }

// NewSecretKey takes the RFC's SK: 32 random bytes.
func NewSecretKey(seed []byte) (SecretKey, error) {
	if len(seed) != SeedSize {
		return SecretKey{}, fmt.Errorf("seed: %d bytes, must be %d", len(seed), SeedSize)
	}
	return SecretKey{ed25519.NewKeyFromSeed(seed)}, nil
}

// Public is the public key, PublicKeySize bytes.
func (s SecretKey) Public() []byte { return append([]byte(nil), s.key[SeedSize:]...) }

// Prove returns the proof for an input, ProofSize bytes. It is deterministic.
func (s SecretKey) Prove(alpha []byte) []byte { return ecvrf.Prove(s.key, alpha) }

// Verify checks a proof and returns the output, OutputSize bytes.
func Verify(publicKey, alpha, proof []byte) ([]byte, error) {
	if len(publicKey) != PublicKeySize {
		return nil, fmt.Errorf("public key: %d bytes, must be %d", len(publicKey), PublicKeySize)
	}
	if len(proof) != ProofSize {
		return nil, fmt.Errorf("proof: %d bytes, must be %d", len(proof), ProofSize)
	}
	ok, beta := ecvrf.Verify(publicKey, proof, alpha)
	if !ok {
		return nil, ErrInvalid
	}
	return beta, nil
}
