package keeper_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"cosmossdk.io/collections"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"poaid/engine"
	"poaid/engine/graphpb"
	"poaid/game"
	"poaid/x/models/types"
)

// naive adds up the steps of a run one by one.
func naive(t require.TestingT, pb *graphpb.Program, cost engine.CostParams, steps, rows uint64) (units, score uint64) {
	p, err := engine.New(pb, engine.DefaultLimits())
	require.NoError(t, err)
	for s := range steps {
		forced := p.IsForced(s, rows)
		u, err := p.Units(cost, s, forced)
		require.NoError(t, err)
		units += u
		if !forced {
			score += u
		}
	}
	return units, score
}

func TestRunUnitsIsTheSumOfItsSteps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := fixture(t)
		p := params()
		p.MacsPerUnit = rapid.Uint64Range(1, 50).Draw(t, "macs per unit")
		p.BytesPerUnit = rapid.Uint64Range(1, 50).Draw(t, "bytes per unit")
		f.setParams(p)
		maxSteps := rapid.SampledFrom([]uint64{1, 2, 200, 255, 256, 257, 511, 512, 513, 600}).Draw(t, "max steps")
		maxRows := rapid.Int64Range(1, 700).Draw(t, "max rows")
		msg := story()
		msg.Program = talker(maxSteps, rapid.Int64Range(2, 900).Draw(t, "limit"), maxRows)
		if rapid.Bool().Draw(t, "time independent") {
			for _, g := range []*graphpb.Graph{msg.Program.Step, msg.Program.Forced} {
				g.Nodes[0].Shape[0] = &graphpb.Dim{A: rapid.Int64Range(1, 50).Draw(t, "size")}
			}
		}
		f.mustRegister(msg)
		for range 5 {
			steps := rapid.Uint64Range(1, maxSteps).Draw(t, "steps")
			rows := rapid.Uint64Range(0, uint64(maxRows)).Draw(t, "rows")
			units, score, err := f.k.RunUnits(f.ctx, "story", steps, rows)
			require.NoError(t, err)
			wantUnits, wantScore := naive(t, msg.Program, p.Cost(), steps, rows)
			require.Equal(t, [2]uint64{wantUnits, wantScore}, [2]uint64{units, score}, "steps %d, rows %d", steps, rows)
			compiled, err := engine.New(msg.Program, engine.DefaultLimits())
			require.NoError(t, err)
			total, err := compiled.TotalUnits(p.Cost(), steps, rows)
			require.NoError(t, err)
			require.Equal(t, total, units, "the engine prices the run otherwise")
		}
	})
}

func TestRunsRefused(t *testing.T) {
	f := fixture(t)
	f.mustRegister(digits())
	f.mustRegister(story())
	for _, tc := range []struct {
		id          string
		steps, rows uint64
		want        error
		text        string
	}{
		{"digits", 0, 0, types.ErrInvalidRun, "steps: 0 must be in 1..1"},
		{"digits", 2, 0, types.ErrInvalidRun, "steps: 2 must be in 1..1"},
		{"digits", 1, 1, types.ErrInvalidRun, "prompt_rows: 1, limit 0"},
		{"story", 601, 1, types.ErrInvalidRun, "steps: 601 must be in 1..600"},
		{"story", 1<<64 - 1, 1, types.ErrInvalidRun, "steps"},
		{"story", 600, 41, types.ErrInvalidRun, "prompt_rows: 41, limit 40"},
		{"nobody", 1, 0, types.ErrModelNotFound, "nobody"},
	} {
		_, _, err := f.k.RunUnits(f.ctx, tc.id, tc.steps, tc.rows)
		require.ErrorIs(t, err, tc.want)
		require.ErrorContains(t, err, tc.text)
	}
}

func TestScoreUnitsLeaveOutForcedSteps(t *testing.T) {
	f := fixture(t)
	f.mustRegister(story())
	_, score, err := f.k.RunUnits(f.ctx, "story", 10, 40)
	require.NoError(t, err)
	require.Zero(t, score, "all ten steps only read the prompt")
	units, score, err := f.k.RunUnits(f.ctx, "story", 10, 1)
	require.NoError(t, err)
	require.Equal(t, units, score, "a prompt of one row forces nothing")
}

func TestParamsDoNotRepriceOldModels(t *testing.T) {
	f := fixture(t)
	f.mustRegister(digits())
	f.mustRegister(story())
	before, _, err := f.k.RunUnits(f.ctx, "story", 600, 40)
	require.NoError(t, err)
	p := params()
	p.MacsPerUnit, p.BytesPerUnit = 1, 1
	f.setParams(p)
	after, _, err := f.k.RunUnits(f.ctx, "story", 600, 40)
	require.NoError(t, err)
	require.Equal(t, before, after)

	msg := digits()
	msg.Id = "digits-2"
	f.mustRegister(msg)
	old, _, err := f.k.RunUnits(f.ctx, "digits", 1, 0)
	require.NoError(t, err)
	now, _, err := f.k.RunUnits(f.ctx, "digits-2", 1, 0)
	require.NoError(t, err)
	require.Greater(t, now, old)
}

// Pricing the last step costs no more reads than pricing the first.
func TestRunUnitsCostsTheSameForEveryRun(t *testing.T) {
	f := fixture(t)
	msg := story()
	msg.Program = talker(100_000, 50, 10)
	f.mustRegister(msg)
	short := gasOf(f.ctx, func(ctx context.Context) { _, _, err := f.k.RunUnits(ctx, "story", 255, 9); require.NoError(t, err) })
	long := gasOf(f.ctx, func(ctx context.Context) { _, _, err := f.k.RunUnits(ctx, "story", 99_583, 9); require.NoError(t, err) })
	require.Equal(t, short, long)
}

func TestUnitsOverflowIsRefused(t *testing.T) {
	f := fixture(t)
	p := params()
	p.MaxElements, p.MaxSteps, p.MacsPerUnit, p.BytesPerUnit = 1<<33, 1<<32, 1, 1
	f.setParams(p)
	msg := digits()
	msg.Program.MaxSteps = 1 << 32
	n := int64(1 << 16)
	msg.Program.Weights[0].Shape = []int64{4, n}
	msg.Program.States[1].Shape = []int64{n, n}
	msg.Program.Inputs[0].Shape = []int64{n, 4}
	msg.Program.Step.Nodes[0].Shape = dims(n, n)
	msg.Program.Step.Nodes[1].Shape = dims(n)
	msg.Program.States[0].Shape = []int64{n}
	_, err := f.register(msg)
	require.ErrorIs(t, err, types.ErrUnitsOverflow)
	msg.Program.MaxSteps = 1 << 20
	f.mustRegister(msg)
}

// TestRunsThatNobodyCouldArgueAboutAreRefused: package game takes every step to cost what the dearest one of either graph does, also where
// that graph is never run so late, and counts to 2^56. Whatever is registered is within.
func TestRunsThatNobodyCouldArgueAboutAreRefused(t *testing.T) {
	f := fixture(t)
	p := params()
	p.MaxElements, p.MaxSteps, p.MacsPerUnit, p.BytesPerUnit = 1<<33, 1<<32, 1, 1
	f.setParams(p)
	msg := digits()
	refused := 0
	for shift := 10; shift < 32; shift++ {
		msg.Id = fmt.Sprintf("wide-%d", shift)
		msg.Program = classifier()
		n := int64(1 << 15)
		msg.Program.Weights[0].Shape = []int64{4, n}
		msg.Program.States[1].Shape = []int64{n, n}
		msg.Program.Inputs[0].Shape = []int64{n, 4}
		msg.Program.Step.Nodes[0].Shape = dims(n, n)
		msg.Program.Step.Nodes[1].Shape = dims(n)
		msg.Program.States[0].Shape = []int64{n}
		msg.Program.MaxSteps = 1 << shift
		if _, err := f.register(msg); err != nil {
			require.ErrorIs(t, err, types.ErrUnitsOverflow)
			if strings.Contains(err.Error(), "max_steps") { // those beyond 64 bits are refused before
				refused++
			}
			continue
		}
		require.Zero(t, refused, "shift %d", shift)
		playable(t, f, msg.Id)
	}
	require.Positive(t, refused)

	talk := story()
	talk.Program = talker(700, 400, 9)
	f.mustRegister(talk)
	p.MacsPerUnit, p.BytesPerUnit = 1<<40, 1<<40
	f.setParams(p)
	playable(t, f, talk.Id) // params price new models only
}

// playable says that a game can be opened about the longest run of a model.
func playable(t *testing.T, f *fix, id string) {
	t.Helper()
	prog, err := f.k.LoadProgram(f.ctx, id)
	require.NoError(t, err)
	cost, err := f.k.RunCost(f.ctx, id)
	require.NoError(t, err)
	var rows []int64
	for _, in := range prog.InputSpecs() {
		rows = append(rows, in.Shape[0])
	}
	m, err := game.NewProgramMachine(prog, rows, cost)
	require.NoError(t, err)
	_, err = game.New(game.Setup{
		Machine: m, Steps: prog.MaxSteps(), Rival: [32]byte{1}, Arity: 2, Clocks: game.Clocks{Base: 1, Rate: 1, Reserve: 1},
		Bonds: game.Bonds{BurnBps: 5_000},
	})
	require.NoError(t, err)
}

func TestCostlyProgramsAreRefusedBeforeTheWork(t *testing.T) {
	f := fixture(t)
	msg := story()
	msg.Program = talker(types.DefaultMaxSteps, 50, 1_000_000)
	_, err := f.register(msg)
	require.ErrorIs(t, err, types.ErrTooCostly)
	require.ErrorContains(t, err, "limit 4194304 evaluations")
}

// TestWideNodesCostMoreGas: an evaluation of a node takes time for each of its operands, which may be 64.
func TestWideNodesCostMoreGas(t *testing.T) {
	f := fixture(t)
	wide := func(operands int) uint64 {
		msg := story()
		msg.WeightsCid = digits().WeightsCid
		n := &graphpb.Node{Op: "concat@1", Dtype: graphpb.DTYPE_F32, Shape: dims(int64(operands)), Attrs: []*graphpb.Attr{{Name: "axis", Ints: []int64{0}}}}
		for range operands {
			n.Inputs = append(n.Inputs, &graphpb.Ref{Kind: graphpb.REF_KIND_WEIGHT, Index: uint32(len(msg.Program.Weights))})
		}
		msg.Program.Weights = append(msg.Program.Weights, &graphpb.TensorSpec{Name: "one", Dtype: graphpb.DTYPE_F32, Shape: []int64{1}})
		msg.Program.Step.Nodes = append(msg.Program.Step.Nodes, n)
		ctx, _ := f.ctx.CacheContext()
		return gasOf(ctx, func(ctx context.Context) { _, err := f.msg.RegisterModel(ctx, msg); require.NoError(t, err) })
	}
	steps := story().Program.MaxSteps
	require.Greater(t, wide(64)-wide(1), 63*steps*50)
}

func TestGasIsChargedBeforePricing(t *testing.T) {
	f := fixture(t)
	ctx, _ := f.ctx.CacheContext()
	meter := storetypes.NewGasMeter(60_000)
	require.PanicsWithValue(t, storetypes.ErrorOutOfGas{Descriptor: "price program"}, func() {
		_, _ = f.msg.RegisterModel(ctx.WithGasMeter(meter), story())
	})
	it, err := f.k.UnitSums.Iterate(ctx, nil)
	require.NoError(t, err)
	defer it.Close()
	require.False(t, it.Valid(), "sums were stored before their gas was paid")

	long, short := story(), story()
	long.Program, short.Program = talker(600, 700, 1), talker(300, 700, 1)
	gas := func(msg *types.MsgRegisterModel) uint64 {
		cache, _ := f.ctx.CacheContext()
		return gasOf(cache, func(ctx context.Context) { _, err := f.msg.RegisterModel(ctx, msg); require.NoError(t, err) })
	}
	require.Greater(t, gas(long)-gas(short), uint64(300*3*50), "300 more steps of three nodes")
}

func TestSumsAreStoredInChunks(t *testing.T) {
	f := fixture(t)
	f.mustRegister(digits())
	f.mustRegister(story())
	count := func(id string) (n int) {
		rng := collections.NewPrefixedTripleRange[string, bool, uint64](id)
		require.NoError(t, f.k.UnitSums.Walk(f.ctx, rng, func(_ collections.Triple[string, bool, uint64], bz []byte) (bool, error) {
			require.LessOrEqual(t, len(bz), 8*types.ChunkSums)
			n++
			return false, nil
		}))
		return n
	}
	require.Zero(t, count("digits"), "one number is enough when all steps cost the same")
	require.Equal(t, 4, count("story"), "sums 0..600 of steps and 0..39 of forced steps")
}
