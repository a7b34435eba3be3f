package types

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
)

// ForcedInput is what a drawn worker applies its VRF to, to learn whether its error is forced: random is the randomness that drew it.
// H("poai/tasks/forced/1" ‖ chain id with its length ‖ task ‖ attempt ‖ random).
func ForcedInput(chainID string, task uint64, attempt uint32, random []byte) [32]byte {
	b := []byte("poai/tasks/forced/1")
	b = binary.LittleEndian.AppendUint32(b, uint32(len(chainID)))
	b = append(b, chainID...)
	b = binary.LittleEndian.AppendUint64(b, task)
	b = binary.LittleEndian.AppendUint32(b, attempt)
	return sha256.Sum256(append(b, random...))
}

// IsForced tells whether a VRF output forces an error, at a rate in millionths.
func IsForced(output []byte, ppm uint32) bool { return Hit(output, ppm) }

// Hit tells whether a random draw of at least 8 bytes falls within a probability in millionths.
func Hit(random []byte, ppm uint32) bool {
	hi, _ := bits.Mul64(binary.LittleEndian.Uint64(random), PpmOne)
	return hi < uint64(ppm)
}
