package types

import (
	"slices"

	errorsmod "cosmossdk.io/errors"

	"poaid/x/beacon/vrf"
)

// IsSet tells whether there is a key.
func (k Key) IsSet() bool { return len(k.PubKey) > 0 }

// ActingAt tells whether the key may act at a height.
func (k Key) ActingAt(height int64) bool { return k.IsSet() && k.ActiveFrom <= height }

// Acting is the public key that acts at a height; nil if none does.
func (o OperatorKeys) Acting(height int64) []byte {
	switch {
	case o.Next.ActingAt(height):
		return o.Next.PubKey
	case o.Current.ActingAt(height):
		return o.Current.PubKey
	}
	return nil
}

// CheckPossession checks that whoever made the proof has the secret key and means this operator.
func CheckPossession(operator, pubKey, proof []byte) error {
	if len(pubKey) != vrf.PublicKeySize {
		return errorsmod.Wrapf(ErrInvalidKey, "pub_key: %d bytes, must be %d", len(pubKey), vrf.PublicKeySize)
	}
	if len(proof) != vrf.ProofSize {
		return errorsmod.Wrapf(ErrInvalidKey, "proof: %d bytes, must be %d", len(proof), vrf.ProofSize)
	}
	if _, err := vrf.Verify(pubKey, PossessionInput(operator), proof); err != nil {
		return errorsmod.Wrapf(ErrInvalidKey, "proof of possession: %s", err)
	}
	return nil
}

// Required tells whether proposers without a key lose their blocks: where more than two thirds of the power has keys. Blocks need more
// than two thirds online, so that of those with keys more than a third is, and the chain goes on.
func (s Standing) Required() bool { return 3*s.KeyedPower > 2*s.TotalPower }

// SafeDelay is the most validators of a set that hold at most a third of its power together; at least 1. CometBFT's rotation gives a
// coalition no longer run of blocks than it has validators, so after that many blocks and one more somebody else has proposed: see
// docs/beacon.md.
func SafeDelay(powers []int64) uint64 {
	powers = slices.Sorted(slices.Values(powers))
	var total, sum int64 // CometBFT bounds the sum of all powers far below overflow of 3 times it
	for _, p := range powers {
		total += p
	}
	var n uint64
	for _, p := range powers {
		if sum += p; 3*sum > total {
			break
		}
		n++
	}
	return max(n, 1)
}
