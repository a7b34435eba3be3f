package keeper_test

import (
	"bytes"
	"strings"
	"testing"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/query"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"poaid/engine"
	"poaid/engine/graphpb"
	"poaid/x/models/types"
)

func TestRegister(t *testing.T) {
	f := fixture(t)
	msg := digits()
	msg.Owner = upper(msg.Owner)
	resp := f.mustRegister(msg)
	p, err := engine.New(classifier(), engine.DefaultLimits())
	require.NoError(t, err)
	hash := p.Hash()
	require.Equal(t, hash[:], resp.ProgramHash)
	units, err := p.Units(params().Cost(), 0, false)
	require.NoError(t, err)
	require.Positive(t, units)
	require.Equal(t, units, resp.UnitsStep)
	require.Zero(t, resp.UnitsForced)

	m, err := f.k.GetModel(f.ctx, "digits")
	require.NoError(t, err)
	require.Equal(t, types.Model{
		Id: "digits", Owner: who(1), Description: msg.Description, Class: types.CLASS_EXACT, ProgramHash: hash[:],
		WeightsRoot: msg.WeightsRoot, WeightsCid: msg.WeightsCid, MetadataHash: msg.MetadataHash, RoyaltyBps: 100,
		Outputs: msg.Outputs, Labels: msg.Labels, Height: 42, MaxSteps: 1, ParamCount: 12, UnitsStep: units,
	}, m)
	face, err := f.k.Interface(f.ctx, "digits")
	require.NoError(t, err)
	require.Nil(t, face.Step)
	require.Equal(t, msg.Program.Inputs, face.Inputs)
	require.Equal(t, msg.Program.Outputs, face.Outputs)
	prog, err := f.k.GetProgram(f.ctx, "digits")
	require.NoError(t, err)
	require.Equal(t, classifier(), prog)
	v, err := f.k.GetVocabulary(f.ctx, "digits")
	require.NoError(t, err)
	require.Empty(t, v.Pieces)
	found, err := f.k.HasModel(f.ctx, "digits")
	require.NoError(t, err)
	require.True(t, found)
	require.Contains(t, eventTypes(f.ctx), "poai.models.v1.EventModelRegistered")

	_, err = f.register(digits())
	require.ErrorIs(t, err, types.ErrModelExists)
}

func eventTypes(ctx sdk.Context) (out []string) {
	for _, e := range ctx.EventManager().Events() {
		out = append(out, e.Type)
	}
	return out
}

func TestAnIDIsNeverFreeAgain(t *testing.T) {
	f := fixture(t)
	f.mustRegister(digits())
	_, err := f.msg.RetireModel(f.ctx, &types.MsgRetireModel{Owner: who(1), Id: "digits"})
	require.NoError(t, err)
	_, err = f.register(digits())
	require.ErrorIs(t, err, types.ErrModelExists)
}

func TestUnknownModels(t *testing.T) {
	f := fixture(t)
	_, err := f.k.GetModel(f.ctx, "x")
	require.ErrorIs(t, err, types.ErrModelNotFound)
	_, err = f.k.Interface(f.ctx, "x")
	require.ErrorIs(t, err, types.ErrModelNotFound)
	_, err = f.k.GetProgram(f.ctx, "x")
	require.ErrorIs(t, err, types.ErrModelNotFound)
	_, err = f.k.GetVocabulary(f.ctx, "x")
	require.ErrorIs(t, err, types.ErrModelNotFound)
	found, err := f.k.HasModel(f.ctx, "x")
	require.NoError(t, err)
	require.False(t, found)
}

// Each error names the field, and the limit where there is one.
func TestRegistrationsRefused(t *testing.T) {
	f := fixture(t)
	cid := digits().WeightsCid
	for _, tc := range []struct {
		text  string
		want  error
		spoil func(m *types.MsgRegisterModel)
	}{
		{"owner", types.ErrInvalidAddress, func(m *types.MsgRegisterModel) { m.Owner = "poai1x" }},
		{"id: 1 bytes, must be 2..32", types.ErrInvalidModel, func(m *types.MsgRegisterModel) { m.Id = "a" }},
		{"id: 33 bytes", types.ErrInvalidModel, func(m *types.MsgRegisterModel) { m.Id = strings.Repeat("a", 33) }},
		{"id: byte 0", types.ErrInvalidModel, func(m *types.MsgRegisterModel) { m.Id = "1a" }},
		{"id: byte 1", types.ErrInvalidModel, func(m *types.MsgRegisterModel) { m.Id = "aB" }},
		{"id: byte 1", types.ErrInvalidModel, func(m *types.MsgRegisterModel) { m.Id = "a/b" }},
		{"description: 1025 bytes, must be 0..1024", types.ErrInvalidModel, func(m *types.MsgRegisterModel) { m.Description = strings.Repeat("a", 1025) }},
		{"description: not UTF-8", types.ErrInvalidModel, func(m *types.MsgRegisterModel) { m.Description = "\xff" }},
		{"description: control character", types.ErrInvalidModel, func(m *types.MsgRegisterModel) { m.Description = "a\x1b[2J" }},
		{"class", types.ErrInvalidModel, func(m *types.MsgRegisterModel) { m.Class = types.CLASS_UNSPECIFIED }},
		{"class", types.ErrInvalidModel, func(m *types.MsgRegisterModel) { m.Class = 7 }},
		{"royalty_bps: 2001, limit 2000", types.ErrInvalidRoyalty, func(m *types.MsgRegisterModel) { m.RoyaltyBps = 2001 }},
		{"weights_root: 31 bytes, want 32", types.ErrInvalidModel, func(m *types.MsgRegisterModel) { m.WeightsRoot = make([]byte, 31) }},
		{"metadata_hash: 33 bytes", types.ErrInvalidModel, func(m *types.MsgRegisterModel) { m.MetadataHash = make([]byte, 33) }},
		{"weights_cid: missing", types.ErrInvalidModel, func(m *types.MsgRegisterModel) { m.WeightsCid = "" }},
		{"weights_cid", types.ErrInvalidModel, func(m *types.MsgRegisterModel) { m.WeightsCid = cid[1:] }},
		{"weights_cid", types.ErrInvalidModel, func(m *types.MsgRegisterModel) { m.WeightsCid = "Qm" + cid[2:] }},
		{"tokenizer_cid", types.ErrInvalidModel, func(m *types.MsgRegisterModel) { m.TokenizerCid = strings.ToUpper(cid) }},
		{"labels: 4097 given, limit 4096", types.ErrInvalidModel, func(m *types.MsgRegisterModel) { m.Labels = make([]string, 4097) }},
		{"labels[1]: labels: 0 bytes, must be 1..64", types.ErrInvalidModel, func(m *types.MsgRegisterModel) { m.Labels[1] = "" }},
		{"labels[2]", types.ErrInvalidModel, func(m *types.MsgRegisterModel) { m.Labels[2] = "\n\x00" }},
		{"vocabulary", types.ErrInvalidModel, func(m *types.MsgRegisterModel) {
			m.Vocabulary = &types.Vocabulary{Pieces: make([][]byte, types.DefaultMaxVocabularyBytes)}
		}},
		{"program: missing", types.ErrInvalidProgram, func(m *types.MsgRegisterModel) { m.Program = nil }},
		{"outputs[0]: name: the program has no output \"x\"", types.ErrInvalidModel, func(m *types.MsgRegisterModel) { m.Outputs[0].Name = "x" }},
		{"outputs[1].name: \"label\" is listed twice", types.ErrInvalidModel, func(m *types.MsgRegisterModel) { m.Outputs = append(m.Outputs, m.Outputs[0]) }},
		{"outputs[0]: rendering: 9", types.ErrInvalidModel, func(m *types.MsgRegisterModel) { m.Outputs[0].Rendering = 9 }},
		{"outputs[0]: rendering: RENDERING_LABEL needs labels", types.ErrInvalidModel, func(m *types.MsgRegisterModel) { m.Labels = nil }},
		{"outputs[0]: rendering: RENDERING_LABEL needs an i32 or i64 output", types.ErrInvalidModel, func(m *types.MsgRegisterModel) { m.Outputs[0].Name = "logits" }},
		{"outputs[0]: count_output: only with RENDERING_TOKENS", types.ErrInvalidModel, func(m *types.MsgRegisterModel) { m.Outputs[0].CountOutput = "label" }},
		{"outputs[0]: count_output: the program has no output \"y\"", types.ErrInvalidModel, func(m *types.MsgRegisterModel) {
			m.Outputs[0].Rendering, m.Outputs[0].CountOutput = types.RENDERING_TOKENS, "y"
		}},
		{"outputs[0]: count_output: \"logits\" must be i64[1]", types.ErrInvalidModel, func(m *types.MsgRegisterModel) {
			m.Outputs[0].Rendering, m.Outputs[0].CountOutput = types.RENDERING_TOKENS, "logits"
		}},
	} {
		t.Run(tc.text, func(t *testing.T) {
			msg := digits()
			tc.spoil(msg)
			_, err := f.register(msg)
			require.ErrorIs(t, err, tc.want)
			require.ErrorContains(t, err, tc.text)
		})
	}
	found, err := f.k.HasModel(f.ctx, "digits")
	require.NoError(t, err)
	require.False(t, found)
}

// Each error names the graph, the node and the field.
func TestMalformedGraphsRefused(t *testing.T) {
	f := fixture(t)
	for _, tc := range []struct {
		text  string
		spoil func(p *graphpb.Program)
	}{
		{"max_steps: 0 must be in 1..1048576", func(p *graphpb.Program) { p.MaxSteps = 0 }},
		{"max_steps: 1048577", func(p *graphpb.Program) { p.MaxSteps = 1<<20 + 1 }},
		{"step: missing", func(p *graphpb.Program) { p.Step = nil }},
		{"outputs: empty", func(p *graphpb.Program) { p.Outputs = nil }},
		{"outputs[1]: \"x\" is no state", func(p *graphpb.Program) { p.Outputs[1] = "x" }},
		{"stop_state: no state \"x\"", func(p *graphpb.Program) { p.StopState = "x" }},
		{"stop_state: \"label\" must be among the outputs", func(p *graphpb.Program) { p.StopState, p.Outputs = "label", []string{"logits"} }},
		{"stop_state: \"logits\" must be i64[1]", func(p *graphpb.Program) { p.StopState = "logits" }},
		{"forced: the graph and forced_input", func(p *graphpb.Program) { p.Forced = p.Step }},
		{"forced_input: no variable-row input \"x\"", func(p *graphpb.Program) { p.ForcedInput = "x" }},
		{"weights[0]: \"w\": dtype", func(p *graphpb.Program) { p.Weights[0].Dtype = 99 }},
		{"inputs[0]: \"x\": shape[1]", func(p *graphpb.Program) { p.Inputs[0].Shape[1] = 0 }},
		{"states[1]: name: \"label\" is empty or used twice", func(p *graphpb.Program) { p.States[1].Name = "label" }},
		{"step.nodes[0] \"logits\" (matmul@9): op: unknown", func(p *graphpb.Program) { p.Step.Nodes[0].Op = "matmul@9" }},
		{"step.nodes[0] \"logits\" (matmul@1): inputs: 1 operands", func(p *graphpb.Program) { p.Step.Nodes[0].Inputs = p.Step.Nodes[0].Inputs[:1] }},
		{"step.nodes[0] \"logits\" (matmul@1): inputs[1]: index", func(p *graphpb.Program) { p.Step.Nodes[0].Inputs[1].Index = 1 }},
		{"step.nodes[0] \"logits\" (matmul@1): inputs[0]: kind", func(p *graphpb.Program) { p.Step.Nodes[0].Inputs[0].Kind = 0 }},
		{"step.nodes[0] \"logits\" (matmul@1): inputs[0]: index: ", func(p *graphpb.Program) {
			p.Step.Nodes[0].Inputs[0] = ref(graphpb.REF_KIND_NODE, 0) // itself
		}},
		{"step.nodes[1] \"best\" (argmax@1): attrs: 2 given", func(p *graphpb.Program) { p.Step.Nodes[1].Attrs = p.Step.Nodes[1].Attrs[:2] }},
		{"step.nodes[1] \"best\" (argmax@1): attr axis", func(p *graphpb.Program) { p.Step.Nodes[1].Attrs[0].Ints = nil }},
		{"step.nodes[1] \"best\" (argmax@1): dtype", func(p *graphpb.Program) { p.Step.Nodes[1].Dtype = graphpb.DTYPE_I32 }},
		{"step.nodes[1] \"best\" (argmax@1): shape", func(p *graphpb.Program) { p.Step.Nodes[1].Shape[0].A = 2 }},
		{"step.nodes[0] \"logits\" (matmul@1): shape: ", func(p *graphpb.Program) { p.Step.Nodes[0].Shape = dims(1<<30, 1<<30) }},
		{"step.nodes[0] \"logits\" (matmul@1): shape[0]: ", func(p *graphpb.Program) { p.Step.Nodes[0].Shape[0] = &graphpb.Dim{A: 1, B: -1} }},
		{"step.updates[0]: state 9 or node 1", func(p *graphpb.Program) { p.Step.Updates[0].State = 9 }},
		{"step.updates[1]: state 0 is out of order", func(p *graphpb.Program) { p.Step.Updates[1].State = 0 }},
		{"step.updates[0]: node 0 is", func(p *graphpb.Program) { p.Step.Updates[0].Node = 0 }},
		{"holds a nil entry", func(p *graphpb.Program) { p.Step.Nodes[1] = nil }},
	} {
		t.Run(tc.text, func(t *testing.T) {
			msg := digits()
			tc.spoil(msg.Program)
			_, err := f.register(msg)
			require.ErrorIs(t, err, types.ErrInvalidProgram)
			require.ErrorContains(t, err, tc.text)
		})
	}
}

func TestProgramLimitsComeFromParams(t *testing.T) {
	f := fixture(t)
	for field, p := range map[string]types.Params{
		"bytes, limit 10":          with(func(p *types.Params) { p.MaxProgramBytes = 10 }),
		"step: 2 nodes, limit 1":   with(func(p *types.Params) { p.MaxNodes = 1 }),
		"has 12 elements, limit 4": with(func(p *types.Params) { p.MaxElements = 4 }),
	} {
		f.setParams(p)
		_, err := f.register(digits())
		require.ErrorIs(t, err, types.ErrInvalidProgram)
		require.ErrorContains(t, err, field)
	}
}

func with(f func(*types.Params)) types.Params {
	p := params()
	f(&p)
	return p
}

func TestOnlyTheOwnerChangesAModel(t *testing.T) {
	f := fixture(t)
	f.mustRegister(digits())
	royalty := func(owner, id string, bps uint32) error {
		_, err := f.msg.SetRoyalty(f.ctx, &types.MsgSetRoyalty{Owner: owner, Id: id, RoyaltyBps: bps})
		return err
	}
	retire := func(owner string) error {
		_, err := f.msg.RetireModel(f.ctx, &types.MsgRetireModel{Owner: owner, Id: "digits"})
		return err
	}
	require.ErrorIs(t, royalty(who(2), "digits", 5), types.ErrNotOwner)
	require.ErrorIs(t, royalty(authority, "digits", 5), types.ErrInvalidAddress)
	require.ErrorIs(t, royalty(who(1), "other", 5), types.ErrModelNotFound)
	require.ErrorIs(t, royalty(who(1), "digits", 2001), types.ErrInvalidRoyalty)
	require.ErrorIs(t, retire(who(2)), types.ErrNotOwner)
	require.NoError(t, royalty(upper(who(1)), "digits", 2000))
	require.NoError(t, retire(who(1)))
	require.ErrorIs(t, retire(who(1)), types.ErrRetired)
	m, err := f.k.GetModel(f.ctx, "digits")
	require.NoError(t, err)
	require.Equal(t, uint32(2000), m.RoyaltyBps)
	require.True(t, m.Retired)
	require.Contains(t, eventTypes(f.ctx), "poai.models.v1.EventModelChanged")
	require.NoError(t, f.k.Invariants(f.ctx))
}

func TestOnlyGovernanceMakesEligible(t *testing.T) {
	f := fixture(t)
	f.mustRegister(digits())
	set := func(by, id string, eligible bool) error {
		_, err := f.msg.SetEligibility(f.ctx, &types.MsgSetEligibility{Authority: by, Id: id, Eligible: eligible})
		return err
	}
	require.ErrorContains(t, set(who(1), "digits", true), "invalid authority")
	require.ErrorIs(t, set(authority, "x", true), types.ErrModelNotFound)
	for _, want := range []bool{true, false} {
		require.NoError(t, set(authority, "digits", want))
		m, err := f.k.GetModel(f.ctx, "digits")
		require.NoError(t, err)
		require.Equal(t, want, m.Eligible)
	}
	_, err := f.msg.UpdateParams(f.ctx, &types.MsgUpdateParams{Authority: who(1), Params: params()})
	require.ErrorContains(t, err, "invalid authority")
	_, err = f.msg.UpdateParams(f.ctx, &types.MsgUpdateParams{Authority: authority})
	require.ErrorIs(t, err, types.ErrInvalidParams)
}

func TestQueries(t *testing.T) {
	f := fixture(t)
	f.mustRegister(digits())
	f.mustRegister(story())
	list, err := f.q.Models(f.ctx, &types.QueryModelsRequest{Pagination: &query.PageRequest{Limit: 1}})
	require.NoError(t, err)
	require.Equal(t, "digits", list.Models[0].Id)
	list, err = f.q.Models(f.ctx, &types.QueryModelsRequest{Pagination: &query.PageRequest{Key: list.Pagination.NextKey}})
	require.NoError(t, err)
	require.Equal(t, "story", list.Models[0].Id)
	prog, err := f.q.Program(f.ctx, &types.QueryProgramRequest{Id: "story"})
	require.NoError(t, err)
	require.Equal(t, story().Program, prog.Program)
	v, err := f.q.Vocabulary(f.ctx, &types.QueryVocabularyRequest{Id: "story"})
	require.NoError(t, err)
	require.Equal(t, [][]byte{[]byte("once"), []byte(" upon")}, v.Vocabulary.Pieces)
	units, err := f.q.Units(f.ctx, &types.QueryUnitsRequest{Id: "story", Steps: 600, PromptRows: 40})
	require.NoError(t, err)
	wantUnits, wantScore := naive(t, story().Program, params().Cost(), 600, 40)
	require.Equal(t, &types.QueryUnitsResponse{Units: wantUnits, ScoreUnits: wantScore}, units)
	_, err = f.q.Units(f.ctx, &types.QueryUnitsRequest{Id: "story", Steps: 601})
	require.Equal(t, codes.InvalidArgument, status.Code(err))
	_, err = f.q.Model(f.ctx, &types.QueryModelRequest{Id: "x"})
	require.Equal(t, codes.NotFound, status.Code(err))
	m, err := f.q.Model(f.ctx, &types.QueryModelRequest{Id: "digits"})
	require.NoError(t, err)
	require.True(t, bytes.Equal(digits().WeightsRoot, m.Model.WeightsRoot))
}

func TestGenesisRoundTrip(t *testing.T) {
	f := fixture(t)
	f.mustRegister(digits())
	p := params()
	p.MacsPerUnit, p.BytesPerUnit = 1, 2
	f.setParams(p)
	f.mustRegister(story())
	_, err := f.msg.SetEligibility(f.ctx, &types.MsgSetEligibility{Authority: authority, Id: "story", Eligible: true})
	require.NoError(t, err)
	// Limits that the models would not pass any more do not keep them from being imported.
	f.setParams(with(func(p *types.Params) { p.MaxNodes, p.MaxSteps, p.MaxEvaluations = 1, 1, 1 }))
	g, err := f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	bz, err := g.Marshal()
	require.NoError(t, err)
	var read types.GenesisState
	require.NoError(t, read.Unmarshal(bz))

	h := emptyFixture(t)
	require.NoError(t, h.k.InitGenesis(h.ctx, read))
	require.NoError(t, h.k.Invariants(h.ctx))
	again, err := h.k.ExportGenesis(h.ctx)
	require.NoError(t, err)
	require.Equal(t, g, again)
	for _, id := range []string{"digits", "story"} {
		want, wantScore, err := f.k.RunUnits(f.ctx, id, 1, 0)
		require.NoError(t, err)
		got, gotScore, err := h.k.RunUnits(h.ctx, id, 1, 0)
		require.NoError(t, err)
		require.Equal(t, [2]uint64{want, wantScore}, [2]uint64{got, gotScore})
	}
}

func TestGenesisRefused(t *testing.T) {
	f := fixture(t)
	f.mustRegister(story())
	for text, spoil := range map[string]func(g *types.GenesisState){
		"listed twice":  func(g *types.GenesisState) { g.Models = append(g.Models, g.Models[0]) },
		"program is":    func(g *types.GenesisState) { g.Models[0].Program = nil },
		"id: ":          func(g *types.GenesisState) { g.Models[0].Model.Id = "" },
		"macs_per_unit": func(g *types.GenesisState) { g.Models[0].MacsPerUnit = 0 },
		"units_forced":  func(g *types.GenesisState) { g.Models[0].Model.UnitsForced++ },
		"units_step":    func(g *types.GenesisState) { g.Models[0].BytesPerUnit = 1 },
		"param_count":   func(g *types.GenesisState) { g.Models[0].Model.ParamCount++ },
		"max_steps":     func(g *types.GenesisState) { g.Models[0].Model.MaxSteps++ },
		"program_hash":  func(g *types.GenesisState) { g.Models[0].Program.MaxSteps++ },
		"owner":         func(g *types.GenesisState) { g.Models[0].Model.Owner = "x" },
		"outputs[0]":    func(g *types.GenesisState) { g.Models[0].Model.Outputs[0].Name = "x" },
		"op: unknown":   func(g *types.GenesisState) { g.Models[0].Program.Step.Nodes[0].Op = "x" },
	} {
		t.Run(text, func(t *testing.T) {
			g, err := f.k.ExportGenesis(f.ctx)
			require.NoError(t, err)
			spoil(g)
			h := emptyFixture(t)
			require.ErrorContains(t, h.k.InitGenesis(h.ctx, *g), text)
		})
	}
}
