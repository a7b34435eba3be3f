package types

import (
	"encoding/binary"
	"math/bits"

	errorsmod "cosmossdk.io/errors"
)

// ChunkSums is the number of prefix sums stored under one key: a run's units take at most three reads of 2 KiB, and
// registration writes one key for 256 steps.
const ChunkSums = 256

// ForcedSteps is the number of forced steps of a run: those with t + 1 < prompt_rows.
func (u Units) ForcedSteps(steps, promptRows uint64) uint64 {
	if promptRows < 2 {
		return 0
	}
	return min(steps, promptRows-1)
}

// CheckRun refuses runs that the program does not allow.
func (u Units) CheckRun(steps, promptRows uint64) error {
	if steps < 1 || steps > u.MaxSteps {
		return errorsmod.Wrapf(ErrInvalidRun, "steps: %d must be in 1..%d", steps, u.MaxSteps)
	}
	if promptRows > u.MaxPromptRows {
		return errorsmod.Wrapf(ErrInvalidRun, "prompt_rows: %d, limit %d (0: the program has no forced input)", promptRows, u.MaxPromptRows)
	}
	return nil
}

// MaxForced is the largest number of forced steps that any run may have.
func (u Units) MaxForced() uint64 { return u.ForcedSteps(u.MaxSteps, u.MaxPromptRows) }

// CheckedMul returns a·b, false when it does not fit.
func CheckedMul(a, b uint64) (uint64, bool) {
	hi, lo := bits.Mul64(a, b)
	return lo, hi == 0
}

// CheckedAdd returns a+b, false when it does not fit.
func CheckedAdd(a, b uint64) (uint64, bool) {
	sum, carry := bits.Add64(a, b, 0)
	return sum, carry == 0
}

// EncodeSums packs the prefix sums of one chunk.
func EncodeSums(sums []uint64) []byte {
	bz := make([]byte, 0, 8*len(sums))
	for _, s := range sums {
		bz = binary.BigEndian.AppendUint64(bz, s)
	}
	return bz
}

// SumAt reads entry i of a packed chunk, false when it is not there.
func SumAt(bz []byte, i uint64) (uint64, bool) {
	if i >= uint64(len(bz)/8) {
		return 0, false
	}
	return binary.BigEndian.Uint64(bz[8*i:]), true
}
