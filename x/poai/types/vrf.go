package types

import (
	"encoding/binary"

	errorsmod "cosmossdk.io/errors"

	"poaid/x/beacon/vrf"
)

// Limits of vrf_activation_blocks.
const (
	// MinVRFActivationBlocks is the least: longer than any run of one proposer's blocks that matters.
	MinVRFActivationBlocks = 10
	maxVRFActivationBlocks = 1_000_000
)

// ActingVRFKey is the participant's VRF public key at a height; nil if none acts.
func (p Participant) ActingVRFKey(height int64) []byte {
	switch {
	case len(p.NextVrfKey) > 0 && p.VrfKeyHeight <= height:
		return p.NextVrfKey
	case len(p.VrfKey) > 0:
		return p.VrfKey
	}
	return nil
}

// LatestVRFKey is the key set last, whether it acts or not; nil if none was set.
func (p Participant) LatestVRFKey() []byte {
	if len(p.NextVrfKey) > 0 {
		return p.NextVrfKey
	}
	return nil
}

// VRFPossessionInput is what a proof of possession is made for: no other chain and no other participant can use it.
func VRFPossessionInput(chainID string, participant []byte) []byte {
	b := []byte("poai/participant/possession/1")
	for _, field := range [][]byte{[]byte(chainID), participant} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(field)))
		b = append(b, field...)
	}
	return b
}

// CheckVRFPossession checks that whoever made the proof has the secret key and means this participant.
func CheckVRFPossession(chainID string, participant, pubKey, proof []byte) error {
	if len(pubKey) != vrf.PublicKeySize {
		return errorsmod.Wrapf(ErrInvalidVRFKey, "vrf_pub_key: %d bytes, must be %d", len(pubKey), vrf.PublicKeySize)
	}
	if len(proof) != vrf.ProofSize {
		return errorsmod.Wrapf(ErrInvalidVRFKey, "proof: %d bytes, must be %d", len(proof), vrf.ProofSize)
	}
	if _, err := vrf.Verify(pubKey, VRFPossessionInput(chainID, participant), proof); err != nil {
		return errorsmod.Wrapf(ErrInvalidVRFKey, "proof of possession: %s", err)
	}
	return nil
}

// checkVRFKeys checks what a genesis says of a participant's keys.
func (p Participant) checkVRFKeys() error {
	for _, k := range [][]byte{p.VrfKey, p.NextVrfKey} {
		if len(k) != 0 && len(k) != vrf.PublicKeySize {
			return errorsmod.Wrapf(ErrInvalidGenesis, "participant %s: VRF key of %d bytes, must be %d", p.Address, len(k), vrf.PublicKeySize)
		}
	}
	if p.VrfKeyHeight < 0 || len(p.NextVrfKey) == 0 && (len(p.VrfKey) > 0 || p.VrfKeyHeight > 0) {
		return errorsmod.Wrapf(ErrInvalidGenesis, "participant %s: VRF key from height %d", p.Address, p.VrfKeyHeight)
	}
	return nil
}
