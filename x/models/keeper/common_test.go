package keeper_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/cosmos/cosmos-sdk/codec"
	"github.com/cosmos/cosmos-sdk/codec/address"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	"github.com/cosmos/cosmos-sdk/runtime"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	"github.com/cosmos/cosmos-sdk/testutil"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/stretchr/testify/require"

	"poaid/engine/graphpb"
	"poaid/model"
	"poaid/x/models/keeper"
	"poaid/x/models/types"
)

const authority = "authority"

var addresses = address.NewBech32Codec("poai")

type fix struct {
	t   require.TestingT
	ctx sdk.Context
	k   keeper.Keeper
	msg types.MsgServer
	q   types.QueryServer
}

// fixture builds a keeper with default params but for a fine-grained unit.
func fixture(t require.TestingT) *fix {
	if h, ok := t.(testing.TB); ok {
		h.Helper()
	}
	f := emptyFixture(t)
	g := types.DefaultGenesis()
	g.Params = params()
	require.NoError(t, f.k.InitGenesis(f.ctx, *g))
	return f
}

func params() types.Params {
	p := types.DefaultParams()
	p.MacsPerUnit, p.BytesPerUnit = 3, 7
	return p
}

func emptyFixture(t require.TestingT) *fix {
	key := storetypes.NewKVStoreKey(types.StoreKey)
	ctx := testutil.DefaultContext(key, storetypes.NewTransientStoreKey("transient")).WithBlockHeight(42)
	registry := codectypes.NewInterfaceRegistry()
	types.RegisterInterfaces(registry)
	k := keeper.NewKeeper(codec.NewProtoCodec(registry), runtime.NewKVStoreService(key), addresses, authority)
	return &fix{t: t, ctx: ctx, k: k, msg: keeper.NewMsgServer(k), q: keeper.NewQueryServer(k)}
}

func (f *fix) register(msg *types.MsgRegisterModel) (*types.MsgRegisterModelResponse, error) {
	ctx, write := f.ctx.CacheContext()
	resp, err := f.msg.RegisterModel(ctx, msg)
	if err == nil {
		write()
	}
	return resp, err
}

func (f *fix) mustRegister(msg *types.MsgRegisterModel) *types.MsgRegisterModelResponse {
	resp, err := f.register(msg)
	require.NoError(f.t, err)
	require.NoError(f.t, f.k.Invariants(f.ctx))
	return resp
}

func (f *fix) setParams(p types.Params) {
	_, err := f.msg.UpdateParams(f.ctx, &types.MsgUpdateParams{Authority: authority, Params: p})
	require.NoError(f.t, err)
}

// who names account i.
func who(i int) string {
	s, err := addresses.BytesToString([]byte(fmt.Sprintf("participant-%08d", i)))
	if err != nil {
		panic(err)
	}
	return s
}

func upper(s string) string { return strings.ToUpper(s) }

// attr is an attribute of one integer.
func attr(name string, v int64) *graphpb.Attr { return &graphpb.Attr{Name: name, Ints: []int64{v}} }

func ref(kind graphpb.RefKind, i uint32) *graphpb.Ref { return &graphpb.Ref{Kind: kind, Index: i} }

func dims(n ...int64) []*graphpb.Dim {
	out := make([]*graphpb.Dim, len(n))
	for i, d := range n {
		out[i] = &graphpb.Dim{A: d}
	}
	return out
}

// classifier is one product and an argmax: the label of a vector of four.
func classifier() *graphpb.Program {
	f32, i64 := graphpb.DTYPE_F32, graphpb.DTYPE_I64
	return &graphpb.Program{
		Weights: []*graphpb.TensorSpec{{Name: "w", Dtype: f32, Shape: []int64{4, 3}}},
		Inputs:  []*graphpb.InputSpec{{Name: "x", Dtype: f32, Shape: []int64{1, 4}}},
		States: []*graphpb.StateSpec{
			{Name: "label", Dtype: i64, Shape: []int64{1}},
			{Name: "logits", Dtype: f32, Shape: []int64{1, 3}},
		},
		Step: &graphpb.Graph{
			Nodes: []*graphpb.Node{
				{
					Name: "logits", Op: "matmul@1", Inputs: []*graphpb.Ref{ref(graphpb.REF_KIND_INPUT, 0), ref(graphpb.REF_KIND_WEIGHT, 0)},
					Attrs: []*graphpb.Attr{attr("ta", 0), attr("tb", 0), attr("tri", 0)}, Dtype: f32, Shape: dims(1, 3),
				},
				{
					Name: "best", Op: "argmax@1", Inputs: []*graphpb.Ref{ref(graphpb.REF_KIND_NODE, 0)},
					Attrs: []*graphpb.Attr{attr("axis", 1), attr("keep", 0), attr("tri", 0)}, Dtype: i64, Shape: dims(1),
				},
			},
			Updates: []*graphpb.Update{{State: 0, Node: 1}, {State: 1, Node: 0}},
		},
		Outputs:  []string{"label", "logits"},
		MaxSteps: 1,
	}
}

// talker grows a row with the step, up to a limit, and more slowly while the prompt lasts: its units depend on both.
func talker(maxSteps uint64, limit, promptRows int64) *graphpb.Program {
	i64 := graphpb.DTYPE_I64
	graph := func(slope int64) *graphpb.Graph {
		return &graphpb.Graph{
			Nodes: []*graphpb.Node{
				{Name: "row", Op: "iota@1", Attrs: []*graphpb.Attr{attr("axis", 0)}, Dtype: i64, Shape: []*graphpb.Dim{{A: 1, B: slope, C: limit}}},
				{
					Name: "sum", Op: "reduce_sum@1", Inputs: []*graphpb.Ref{ref(graphpb.REF_KIND_NODE, 0)},
					Attrs: []*graphpb.Attr{attr("axis", 0), attr("keep", 1), attr("tri", 0)}, Dtype: i64, Shape: dims(1),
				},
				{Name: "t", Op: "step@1", Dtype: i64, Shape: dims(1)},
			},
			Updates: []*graphpb.Update{{State: 1, Node: 1}},
		}
	}
	return &graphpb.Program{
		Inputs: []*graphpb.InputSpec{{Name: "prompt", Dtype: i64, Shape: []int64{promptRows}, VariableRows: true}},
		States: []*graphpb.StateSpec{
			{Name: "count", Dtype: i64, Shape: []int64{1}},
			{Name: "tokens", Dtype: i64, Shape: []int64{1}},
		},
		Step: graph(3), Forced: graph(2), ForcedInput: "prompt",
		StopState: "count", Outputs: []string{"tokens", "count"}, MaxSteps: maxSteps,
	}
}

// digits registers classifier.
func digits() *types.MsgRegisterModel {
	return &types.MsgRegisterModel{
		Owner: who(1), Id: "digits", Description: "Handwritten digits", Class: types.CLASS_EXACT, Program: classifier(),
		WeightsRoot: bytes.Repeat([]byte{7}, 32), WeightsCid: model.CIDOf([]byte("weights")), RoyaltyBps: 100,
		MetadataHash: bytes.Repeat([]byte{8}, 32),
		Outputs:      []types.OutputInfo{{Name: "label", Rendering: types.RENDERING_LABEL}},
		Labels:       []string{"zero", "one", "two"},
	}
}

// story registers talker.
func story() *types.MsgRegisterModel {
	return &types.MsgRegisterModel{
		Owner: who(2), Id: "story", Class: types.CLASS_EXACT, Program: talker(600, 700, 40), WeightsRoot: make([]byte, 32),
		TokenizerCid: model.CIDOf([]byte("tokenizer")),
		Outputs:      []types.OutputInfo{{Name: "tokens", Rendering: types.RENDERING_TOKENS, CountOutput: "count"}},
		Vocabulary:   &types.Vocabulary{Pieces: [][]byte{[]byte("once"), []byte(" upon")}},
	}
}

// gasOf returns the gas that do uses.
func gasOf(ctx sdk.Context, do func(ctx context.Context)) uint64 {
	meter := storetypes.NewInfiniteGasMeter()
	do(ctx.WithGasMeter(meter))
	return meter.GasConsumed()
}
