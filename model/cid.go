package model

import (
	"bytes"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
)

// ErrCID is wrapped by every error about a content id.
var ErrCID = errors.New("content id")

// cidPrefix is CIDv1, codec raw (0x55), multihash sha2-256 (0x12) of 32 bytes (0x20).
var cidPrefix = [4]byte{0x01, 0x55, 0x12, 0x20}

// cidLen is the length of the text form: 'b' and 36 bytes in base32 without padding.
const cidLen = 1 + 58

var cidEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// CIDOf gives the content id of an artifact: CIDv1, codec raw, sha2-256, base32 ("bafkrei…"), as `ipfs add --cid-version=1` gives for
// a file that fits one block.
func CIDOf(data []byte) string { return CIDFromSHA256(sha256.Sum256(data)) }

// CIDFromSHA256 gives the content id of an artifact whose SHA-256 is known.
func CIDFromSHA256(sum [32]byte) string {
	return "b" + cidEncoding.EncodeToString(append(cidPrefix[:], sum[:]...))
}

// ParseCID gives the SHA-256 that a content id stands for. Other versions, codecs, hashes and bases are refused.
func ParseCID(cid string) ([32]byte, error) {
	if len(cid) != cidLen || cid[0] != 'b' {
		return [32]byte{}, fmt.Errorf("%w: %.80q: want %d characters beginning with b (CIDv1, base32)", ErrCID, cid, cidLen)
	}
	raw, err := cidEncoding.DecodeString(cid[1:])
	if err != nil {
		return [32]byte{}, fmt.Errorf("%w: %q: %w", ErrCID, cid, err)
	}
	if !bytes.HasPrefix(raw, cidPrefix[:]) {
		return [32]byte{}, fmt.Errorf("%w: %q: want CIDv1, codec raw, hash sha2-256", ErrCID, cid)
	}
	sum := [32]byte(raw[len(cidPrefix):])
	if CIDFromSHA256(sum) != cid {
		return [32]byte{}, fmt.Errorf("%w: %q: unused bits are set", ErrCID, cid)
	}
	return sum, nil
}

// VerifyCID checks that data is what a content id stands for.
func VerifyCID(cid string, data []byte) error {
	want, err := ParseCID(cid)
	if err != nil {
		return err
	}
	if got := sha256.Sum256(data); got != want {
		return fmt.Errorf("%w: data is %s, want %s", ErrCID, CIDFromSHA256(got), cid)
	}
	return nil
}
