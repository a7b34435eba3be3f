package keeper_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/sprint"
	"poaid/x/models/types"
)

func seedOf(b byte) []byte { return bytes.Repeat([]byte{b}, 32) }

// withBase registers the tiny transformer as the base model.
func withBase(t *testing.T) *fix {
	t.Helper()
	f := fixture(t)
	prog, err := sprint.Program(sprint.Tiny())
	require.NoError(t, err)
	require.NoError(t, f.k.RegisterBase(f.ctx, "sprint", "base", prog.Proto(), seedOf(0)))
	return f
}

func TestSeededModelSharesItsBase(t *testing.T) {
	f := withBase(t)
	require.NoError(t, f.k.RegisterSeeded(f.ctx, "sprint", "sprint-7", seedOf(7)))
	require.NoError(t, f.k.RegisterSeeded(f.ctx, "sprint", "sprint-8", seedOf(8)))
	require.NoError(t, f.k.Invariants(f.ctx))

	m, err := f.k.GetModel(f.ctx, "sprint-7")
	require.NoError(t, err)
	base, err := f.k.GetModel(f.ctx, "sprint")
	require.NoError(t, err)
	require.True(t, m.Retired, "nobody submits tasks to it")
	require.Equal(t, base.ProgramHash, m.ProgramHash)
	require.Equal(t, "sprint", m.ProgramOf)

	prog, err := f.k.LoadProgram(f.ctx, "sprint-7")
	require.NoError(t, err)
	weights, err := sprint.Weights(prog, [32]byte(m.Seed))
	require.NoError(t, err)
	root, err := weights.Root(1)
	require.NoError(t, err)
	require.Equal(t, root[:], m.WeightsRoot, "the root is that of the weights that everybody makes")
	other, err := f.k.GetModel(f.ctx, "sprint-8")
	require.NoError(t, err)
	require.NotEqual(t, m.WeightsRoot, other.WeightsRoot)

	for _, read := range []func(id string) (any, error){
		func(id string) (any, error) { p, err := f.k.Interface(f.ctx, id); return p.String(), err },
		func(id string) (any, error) { p, err := f.k.GetProgram(f.ctx, id); return p.String(), err },
		func(id string) (any, error) { return f.k.RunCost(f.ctx, id) },
		func(id string) (any, error) { u, _, err := f.k.RunUnits(f.ctx, id, 5, 0); return u, err },
	} {
		want, err := read("sprint")
		require.NoError(t, err)
		got, err := read("sprint-7")
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	_, _, err = f.k.RunUnits(f.ctx, "sprint-9", 5, 0)
	require.ErrorIs(t, err, types.ErrModelNotFound)
	_, err = f.k.Interface(f.ctx, "sprint-9")
	require.ErrorIs(t, err, types.ErrModelNotFound)

	found, err := f.k.HasModel(f.ctx, "sprint-7")
	require.NoError(t, err)
	require.False(t, found, "participants serve the base")
	found, err = f.k.HasModel(f.ctx, "sprint")
	require.NoError(t, err)
	require.True(t, found)
}

func TestSeededRefusals(t *testing.T) {
	f := withBase(t)
	require.NoError(t, f.k.RegisterSeeded(f.ctx, "sprint", "sprint-7", seedOf(7)))
	msg := digits()
	msg.Id = "plain"
	f.mustRegister(msg)
	for _, c := range []struct {
		name, base, id string
		seed           []byte
		want           error
		text           string
	}{
		{"taken", "sprint", "sprint-7", seedOf(7), types.ErrModelExists, "sprint-7"},
		{"short seed", "sprint", "sprint-8", seedOf(7)[:31], types.ErrInvalidModel, "seed: 31 bytes"},
		{"no prefix", "sprint", "season-8", seedOf(7), types.ErrInvalidModel, "prefix"},
		{"unknown base", "nothing", "sprint-8", seedOf(7), types.ErrModelNotFound, "nothing"},
		{"base is seeded", "sprint-7", "sprint-8", seedOf(7), types.ErrInvalidModel, "no program of its own"},
	} {
		err := f.k.RegisterSeeded(f.ctx, c.base, c.id, c.seed)
		require.ErrorIs(t, err, c.want, c.name)
		require.ErrorContains(t, err, c.text, c.name)
	}
	msg.Id = "sprint-9"
	_, err := f.register(msg)
	require.ErrorIs(t, err, types.ErrInvalidModel, "nobody takes the id of a season to come")
	require.ErrorContains(t, err, "prefix")
	require.ErrorIs(t, f.k.RemoveSeeded(f.ctx, "sprint"), types.ErrInvalidModel)
	require.ErrorIs(t, f.k.RemoveSeeded(f.ctx, "plain"), types.ErrInvalidModel)
	require.ErrorIs(t, f.k.RemoveSeeded(f.ctx, "sprint-1"), types.ErrModelNotFound)
	require.NoError(t, f.k.RemoveSeeded(f.ctx, "sprint-7"))
	_, err = f.k.GetModel(f.ctx, "sprint-7")
	require.ErrorIs(t, err, types.ErrModelNotFound)
	require.NoError(t, f.k.Invariants(f.ctx))
}

func TestSeededGenesis(t *testing.T) {
	f := withBase(t)
	require.NoError(t, f.k.RegisterSeeded(f.ctx, "sprint", "sprint-7", seedOf(7)))
	g, err := f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	for i := range g.Models {
		g.Models[i].Model.Owner = who(1) // the fixture's authority is no address
	}
	// A base may come after the models that share its program.
	g.Models[0], g.Models[1] = g.Models[1], g.Models[0]
	f2 := emptyFixture(t)
	require.NoError(t, f2.k.InitGenesis(f2.ctx, *g))
	require.NoError(t, f2.k.Invariants(f2.ctx))
	again, err := f2.k.ExportGenesis(f2.ctx)
	require.NoError(t, err)
	g.Models[0], g.Models[1] = g.Models[1], g.Models[0]
	require.Equal(t, g, again)

	for name, spoil := range map[string]func(*types.GenesisModel){
		"seed":       func(m *types.GenesisModel) { m.Model.Seed = seedOf(8) },
		"root":       func(m *types.GenesisModel) { m.Model.WeightsRoot = seedOf(8) },
		"units":      func(m *types.GenesisModel) { m.Model.UnitsStep++ },
		"base":       func(m *types.GenesisModel) { m.Model.ProgramOf = "nothing" },
		"no program": func(m *types.GenesisModel) { m.Model.ProgramOf = "" },
		"id":         func(m *types.GenesisModel) { m.Model.Id = "mine" },
	} {
		bad := *g
		bad.Models = append([]types.GenesisModel(nil), g.Models...)
		spoil(&bad.Models[1])
		f3 := emptyFixture(t)
		require.Error(t, f3.k.InitGenesis(f3.ctx, bad), name)
	}
	bad := *g
	bad.Models = append([]types.GenesisModel(nil), g.Models...)
	bad.Models[0].Model.Seed = seedOf(9)
	f4 := emptyFixture(t)
	require.Error(t, f4.k.InitGenesis(f4.ctx, bad), "the base's own weights")
}
