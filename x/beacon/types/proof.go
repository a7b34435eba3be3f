package types

import (
	"bytes"
	"encoding/binary"

	errorsmod "cosmossdk.io/errors"

	"poaid/x/beacon/vrf"
)

// proofPrefix starts the proof that a proposer puts in front of its block's transactions. Field number 0 does not exist in protobuf, so
// what begins with a zero byte is no transaction and never will be. The last byte is the version.
var proofPrefix = []byte("\x00poai/vrf\x01")

// ProofTxSize is the size of an encoded proof in bytes.
var ProofTxSize = len(proofPrefix) + vrf.ProofSize

// EncodeProof makes the first entry of a block out of a proof.
func EncodeProof(proof []byte) []byte {
	return append(bytes.Clone(proofPrefix), proof...)
}

// IsProof tells whether an entry of a block claims to be a proof, of whatever version.
func IsProof(tx []byte) bool {
	return bytes.HasPrefix(tx, proofPrefix[:len(proofPrefix)-1])
}

// SplitProof takes the proof off a block's entries; nil if there is none. ErrInvalidProof where one is malformed, or anywhere but in front.
// The transactions are returned in every case.
func SplitProof(entries [][]byte) (proof []byte, txs [][]byte, err error) {
	txs = entries
	if len(entries) > 0 && IsProof(entries[0]) {
		txs = entries[1:]
		if len(entries[0]) != ProofTxSize || !bytes.HasPrefix(entries[0], proofPrefix) {
			return nil, txs, errorsmod.Wrapf(ErrInvalidProof, "entry of %d bytes: must be %d bytes of version 1", len(entries[0]), ProofTxSize)
		}
		proof = entries[0][len(proofPrefix):]
	}
	for i, tx := range txs {
		if IsProof(tx) {
			return nil, txs, errorsmod.Wrapf(ErrInvalidProof, "transaction %d is a proof: only the first entry of a block may be one", i)
		}
	}
	return proof, txs, nil
}

// ProofInput is what the proposer of a height applies its VRF to: it chooses nothing of it.
func ProofInput(chainID string, previous []byte, height int64) []byte {
	b := appendLengthPrefixed([]byte("poai/beacon/vrf/1"), []byte(chainID))
	b = append(b, previous...)
	return binary.BigEndian.AppendUint64(b, uint64(height))
}

// PossessionInput is what a proof of possession is made for. The operator's address is in it, so that nobody registers another's key.
func PossessionInput(operator []byte) []byte {
	return appendLengthPrefixed([]byte("poai/beacon/possession/1"), operator)
}

func appendLengthPrefixed(b, field []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(field)))
	return append(b, field...)
}
