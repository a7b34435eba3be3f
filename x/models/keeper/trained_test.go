package keeper_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/model"
	"poaid/x/models/types"
)

// fakeLineage remembers what it was told, and refuses what it is told to refuse.
type fakeLineage struct {
	told   map[string][]types.Parent
	refuse error
}

func (l *fakeLineage) CheckParents(context.Context, string, []types.Parent) error { return l.refuse }

func (l *fakeLineage) AfterModelRegistered(_ context.Context, m types.Model, parents []types.Parent) error {
	l.told[m.Id] = parents
	return l.refuse
}

func withLineage(t *testing.T) (*fix, *fakeLineage) {
	t.Helper()
	f, l := fixture(t), &fakeLineage{told: map[string][]types.Parent{}}
	f.k.SetLineageHooks(l)
	return f, l
}

func parent(id string) types.Parent {
	return types.Parent{Kind: types.PARENT_KIND_MODEL, Id: id, ShareBps: 100}
}

func trained(base, id string) types.TrainedModel {
	return types.TrainedModel{
		Base: base, ID: id, Owner: who(5), Description: "tuned", WeightsRoot: bytes.Repeat([]byte{9}, 32), WeightsCID: model.CIDOf([]byte("tuned")),
		RoyaltyBps: 300, Parents: []types.Parent{parent("story")},
	}
}

func TestTrainedModelSharesItsProgram(t *testing.T) {
	f, l := withLineage(t)
	f.mustRegister(story())
	base, err := f.k.GetModel(f.ctx, "story")
	require.NoError(t, err)
	m, err := f.k.RegisterTrained(f.ctx, trained("story", "tuned"))
	require.NoError(t, err)
	require.Equal(t, []types.Parent{parent("story")}, l.told["tuned"])
	require.NoError(t, f.k.Invariants(f.ctx))

	stored, err := f.k.GetModel(f.ctx, "tuned")
	require.NoError(t, err)
	require.Equal(t, m, stored)
	require.Equal(t, base.ProgramHash, m.ProgramHash)
	require.Equal(t, []any{"story", who(5), uint32(300), false, false, base.TokenizerCid}, []any{m.ProgramOf, m.Owner, m.RoyaltyBps, m.Retired, m.Eligible, m.TokenizerCid})
	require.NotEqual(t, base.WeightsRoot, m.WeightsRoot)

	// A model trained further shares the program of the model that has it.
	again, err := f.k.RegisterTrained(f.ctx, trained("tuned", "tuned-twice"))
	require.NoError(t, err)
	require.Equal(t, "story", again.ProgramOf)

	for _, id := range []string{"tuned", "tuned-twice"} {
		found, err := f.k.HasModel(f.ctx, id)
		require.NoError(t, err)
		require.True(t, found, "participants may serve it")
		for _, read := range []func(id string) (any, error){
			func(id string) (any, error) { p, err := f.k.Interface(f.ctx, id); return p.String(), err },
			func(id string) (any, error) { p, err := f.k.GetProgram(f.ctx, id); return p.String(), err },
			func(id string) (any, error) { p, err := f.k.LoadProgram(f.ctx, id); return p.Hash(), err },
			func(id string) (any, error) { return f.k.RunCost(f.ctx, id) },
			func(id string) (any, error) { return f.k.GetVocabulary(f.ctx, id) },
			func(id string) (any, error) { u, _, err := f.k.RunUnits(f.ctx, id, 500, 30); return u, err },
		} {
			want, err := read("story")
			require.NoError(t, err)
			got, err := read(id)
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
	}
	require.ErrorIs(t, f.k.RemoveSeeded(f.ctx, "tuned"), types.ErrInvalidModel, "it stays")
}

func TestTrainedRefusals(t *testing.T) {
	f, l := withLineage(t)
	f.mustRegister(story())
	seeded := withBase(t)
	require.NoError(t, seeded.k.RegisterSeeded(seeded.ctx, "sprint", "sprint-7", seedOf(7)))
	for name, c := range map[string]struct {
		change func(*types.TrainedModel)
		want   error
	}{
		"taken":        {func(r *types.TrainedModel) { r.ID = "story" }, types.ErrModelExists},
		"bad id":       {func(r *types.TrainedModel) { r.ID = "X" }, types.ErrInvalidModel},
		"seed's id":    {func(r *types.TrainedModel) { r.ID = "sprint-9" }, types.ErrInvalidModel},
		"unknown base": {func(r *types.TrainedModel) { r.Base = "nothing" }, types.ErrModelNotFound},
		"root":         {func(r *types.TrainedModel) { r.WeightsRoot = r.WeightsRoot[:31] }, types.ErrInvalidModel},
		"cid":          {func(r *types.TrainedModel) { r.WeightsCID = "bafy" }, types.ErrInvalidModel},
		"card":         {func(r *types.TrainedModel) { r.MetadataHash = []byte{1} }, types.ErrInvalidModel},
		"text":         {func(r *types.TrainedModel) { r.Description = "\x00" }, types.ErrInvalidModel},
		"royalty":      {func(r *types.TrainedModel) { r.RoyaltyBps = 2_001 }, types.ErrInvalidRoyalty},
		"owner":        {func(r *types.TrainedModel) { r.Owner = "poai1" }, types.ErrInvalidAddress},
	} {
		req := trained("story", "tuned")
		c.change(&req)
		_, err := f.k.RegisterTrained(f.ctx, req)
		require.ErrorIs(t, err, c.want, name)
	}
	_, err := seeded.k.RegisterTrained(seeded.ctx, trained("sprint-7", "tuned"))
	require.ErrorIs(t, err, types.ErrInvalidModel, "a base that will be removed")
	_, err = seeded.k.RegisterTrained(seeded.ctx, trained("sprint", "tuned"))
	require.ErrorIs(t, err, types.ErrNoLineage, "parents that nobody would keep")

	l.refuse = errors.New("too deep")
	msg := digits()
	msg.Parents = []types.Parent{parent("story")}
	_, err = f.register(msg)
	require.ErrorIs(t, err, l.refuse)
	require.ErrorIs(t, f.k.CheckParents(f.ctx, "digits", msg.Parents), l.refuse)
	require.NoError(t, f.k.CheckParents(f.ctx, "digits", nil))
	l.refuse = nil
	f.mustRegister(msg)
	require.Equal(t, msg.Parents, l.told["digits"])
}

func TestTrainedGenesis(t *testing.T) {
	f, _ := withLineage(t)
	f.mustRegister(story())
	req := trained("story", "a-tuned") // listed before the model whose program it shares
	req.WeightsCID = ""
	_, err := f.k.RegisterTrained(f.ctx, req)
	require.NoError(t, err)
	g, err := f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	require.Equal(t, "a-tuned", g.Models[0].Model.Id)
	f2 := emptyFixture(t)
	require.NoError(t, f2.k.InitGenesis(f2.ctx, *g))
	require.NoError(t, f2.k.Invariants(f2.ctx))
	again, err := f2.k.ExportGenesis(f2.ctx)
	require.NoError(t, err)
	require.Equal(t, g, again)
	for name, spoil := range map[string]func(*types.Model){
		"units": func(m *types.Model) { m.UnitsStep++ },
		"base":  func(m *types.Model) { m.ProgramOf = "nothing" },
		"root":  func(m *types.Model) { m.WeightsRoot = nil },
		"hash":  func(m *types.Model) { m.ProgramHash = seedOf(1) },
		"id":    func(m *types.Model) { m.Id = "sprint-1" },
		"seed":  func(m *types.Model) { m.Seed = seedOf(1) },
	} {
		bad := *g
		bad.Models = append([]types.GenesisModel(nil), g.Models...)
		spoil(&bad.Models[0].Model)
		f3 := emptyFixture(t)
		require.Error(t, f3.k.InitGenesis(f3.ctx, bad), name)
	}
}

func TestSetWeightsCID(t *testing.T) {
	f, _ := withLineage(t)
	f.mustRegister(digits())
	f.mustRegister(story()) // has no weights
	set := func(owner, id, cid string) error {
		_, err := f.msg.SetWeightsCID(f.ctx, &types.MsgSetWeightsCID{Owner: owner, Id: id, WeightsCid: cid})
		return err
	}
	cid := model.CIDOf([]byte("elsewhere"))
	require.NoError(t, set(who(1), "digits", cid))
	m, err := f.k.GetModel(f.ctx, "digits")
	require.NoError(t, err)
	require.Equal(t, cid, m.WeightsCid)
	require.ErrorIs(t, set(who(2), "digits", cid), types.ErrNotOwner)
	require.ErrorIs(t, set(who(1), "digits", ""), types.ErrInvalidWeightsCID)
	require.ErrorIs(t, set(who(2), "story", cid), types.ErrInvalidWeightsCID)
	require.ErrorIs(t, set(who(2), "nothing", cid), types.ErrModelNotFound)
	require.ErrorIs(t, set("", "digits", cid), types.ErrInvalidAddress)
}
