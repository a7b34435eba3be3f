package keeper_test

import (
	"testing"

	errorsmod "cosmossdk.io/errors"
	"github.com/stretchr/testify/require"

	"poaid/engine/graphpb"
	"poaid/x/models/types"
)

// FuzzRegisterModel registers whatever bytes decode to: it is refused with an error of this module, or every run that the
// program allows has a price.
func FuzzRegisterModel(f *testing.F) {
	for _, msg := range []*types.MsgRegisterModel{digits(), story()} {
		bz, err := msg.Program.Marshal()
		require.NoError(f, err)
		f.Add(bz, msg.Id, msg.WeightsCid, msg.Outputs[0].Name, msg.Outputs[0].CountOutput, msg.RoyaltyBps)
	}
	x := fixture(f)
	p := params()
	p.MaxEvaluations, p.MaxSteps = 1<<12, 1<<10
	x.setParams(p)
	f.Fuzz(func(t *testing.T, bz []byte, id, cid, output, count string, royalty uint32) {
		program := new(graphpb.Program)
		if program.Unmarshal(bz) != nil {
			return
		}
		ctx, _ := x.ctx.CacheContext()
		_, err := x.msg.RegisterModel(ctx, &types.MsgRegisterModel{
			Owner: who(1), Id: id, Class: types.CLASS_EXACT, Program: program, WeightsRoot: make([]byte, 32), WeightsCid: cid,
			RoyaltyBps: royalty, Outputs: []types.OutputInfo{{Name: output, Rendering: types.RENDERING_TOKENS, CountOutput: count}},
		})
		if err != nil {
			space, _, _ := errorsmod.ABCIInfo(err, false)
			require.Equal(t, types.ModuleName, space, "%s", err)
			return
		}
		require.NoError(t, x.k.Invariants(ctx))
		last, _, err := x.k.RunUnits(ctx, id, 1, 0)
		require.NoError(t, err)
		for steps := uint64(2); steps <= program.MaxSteps; steps++ {
			units, score, err := x.k.RunUnits(ctx, id, steps, 0)
			require.NoError(t, err)
			require.GreaterOrEqual(t, units, last)
			require.Equal(t, units, score)
			last = units
		}
	})
}
