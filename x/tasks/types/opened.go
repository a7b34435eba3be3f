package types

import (
	"encoding/binary"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/engine/graphpb"
)

// TaskRequest asks for a run of a model, or a segment of one, that a module pays.
type TaskRequest struct {
	// Requester stands as the submitter: the address of the module that asks. Its account pays, and gets back what is not spent.
	Requester string
	Model     string
	// Steps is T: the run, or segment, ends after step Steps−1.
	Steps uint64
	// StartStep and StartRoot: see Task. 0 and none for a run from the start.
	StartStep uint64
	StartRoot []byte
	Inputs    []NamedTensor
	// Budget is the most that it may cost. Only the fee is taken.
	Budget sdk.Coin
	// Scored: the module answers for it that this work may earn score, and earns it once. Inputs must be inline.
	Scored bool
	// FiniteOutput: see Task.
	FiniteOutput string
}

// exponent is the mask of an f32's exponent: all ones for NaN and infinities, and for nothing else.
const exponent = 0x7f800000

// Finite tells whether an f32 output was revealed inline and has neither NaN nor infinities.
func Finite(outputs []NamedTensor, name string) bool {
	for _, o := range outputs {
		if o.Name != name {
			continue
		}
		if o.Dtype != graphpb.DTYPE_F32 || len(o.Data) == 0 || len(o.Data)%4 != 0 {
			return false
		}
		for i := 0; i < len(o.Data); i += 4 {
			if binary.LittleEndian.Uint32(o.Data[i:])&exponent == exponent {
				return false
			}
		}
		return true
	}
	return false
}
