package keeper_test

import (
	"testing"

	"github.com/cosmos/cosmos-sdk/types/query"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"poaid/engine/graphpb"
	"poaid/x/tasks/keeper"
	"poaid/x/tasks/types"
)

func (f *fix) query() types.QueryServer { return keeper.NewQueryServerImpl(f.keeper) }

func TestQueryTask(t *testing.T) {
	f := fixture(t)
	f.audits(true)
	id, a := f.revealing(digitsMsg(f.who(9), 1))
	res, err := f.query().Task(f.ctx, &types.QueryTaskRequest{Id: id})
	require.NoError(t, err)
	require.Nil(t, res.Result)
	require.Nil(t, res.Payment)
	require.Equal(t, f.members(id), res.Committee)
	f.reveal(id, a)
	f.until(id, types.STATE_FINAL)
	res, err = f.query().Task(f.ctx, &types.QueryTaskRequest{Id: id})
	require.NoError(t, err)
	require.Equal(t, []types.RenderedOutput{{Name: "label", Values: []string{"1"}, Text: "one"}}, res.Outputs)
	require.NotNil(t, res.Payment)
	inputs, err := f.query().Inputs(f.ctx, &types.QueryInputsRequest{Id: id})
	require.NoError(t, err)
	require.Equal(t, image(1).Data, inputs.Inputs.Tensors[0].Data)
	f.block(40)
	_, err = f.query().Inputs(f.ctx, &types.QueryInputsRequest{Id: id})
	require.Equal(t, codes.NotFound, status.Code(err))
	res, err = f.query().Task(f.ctx, &types.QueryTaskRequest{Id: id})
	require.NoError(t, err)
	require.Equal(t, "one", res.Outputs[0].Text, "the receipt stays")
	_, err = f.query().Task(f.ctx, &types.QueryTaskRequest{Id: 5})
	require.Equal(t, codes.NotFound, status.Code(err))
}

func TestRenderTokens(t *testing.T) {
	f := fixture(t)
	f.audits(false)
	id := f.assigned(storyMsg(f.who(9), 16, 3))
	a := f.result(id, 6, 1)
	f.seal(id, a)
	f.until(id, types.STATE_REVEALING)
	f.reveal(id, a)
	result, err := f.keeper.Results.Get(f.ctx, id)
	require.NoError(t, err)
	for i, token := range []byte{1, 3, 4, 5, 6, 5, 3} { // <s> Once upon é and half of one; the last is beyond the count
		result.Outputs[0].Data[4*i] = token
	}
	require.NoError(t, f.keeper.Results.Set(f.ctx, id, result))
	res, err := f.query().Task(f.ctx, &types.QueryTaskRequest{Id: id})
	require.NoError(t, err)
	require.Equal(t, " Once upon\u00e9\ufffd", res.Outputs[0].Text)
	require.Len(t, res.Outputs[0].Values, 16)
	require.Equal(t, types.RenderedOutput{Name: "count", Values: []string{"6"}}, res.Outputs[1])
}

func TestRenderBadValues(t *testing.T) {
	f := fixture(t)
	f.audits(false)
	id, _ := f.revealed(digitsMsg(f.who(9), 1))
	result, err := f.keeper.Results.Get(f.ctx, id)
	require.NoError(t, err)
	for _, c := range []struct {
		out  types.NamedTensor
		text string
		n    int
	}{
		{types.NamedTensor{Name: "label", Dtype: graphpb.DTYPE_I64, Data: []byte{9, 0, 0, 0, 0, 0, 0, 0}}, "", 1},
		{types.NamedTensor{Name: "label", Dtype: graphpb.DTYPE_I8, Data: []byte{0xff, 2, 0}}, "two, zero", 3},
		{types.NamedTensor{Name: "label", Dtype: graphpb.DTYPE_F32, Data: []byte{0, 0, 0xc0, 0x3f}}, "", 1},
		{types.NamedTensor{Name: "label", Dtype: graphpb.DTYPE_U8, Cid: "c"}, "", 0},
		{types.NamedTensor{Name: "label", Data: []byte{1}}, "", 0},
		{types.NamedTensor{Name: "other", Dtype: graphpb.DTYPE_U8, Data: make([]byte, 1000)}, "", 256},
	} {
		result.Outputs = []types.NamedTensor{c.out}
		require.NoError(t, f.keeper.Results.Set(f.ctx, id, result))
		res, err := f.query().Task(f.ctx, &types.QueryTaskRequest{Id: id})
		require.NoError(t, err)
		require.Equal(t, c.text, res.Outputs[0].Text)
		require.Len(t, res.Outputs[0].Values, c.n)
	}
}

func TestQueryPages(t *testing.T) {
	f := fixture(t)
	var mine []uint64
	for i := range 25 {
		id := f.submit(digitsMsg(f.who(6+i%2), i))
		if i%2 == 0 {
			mine = append(mine, id)
		}
	}
	collect := func(submitter string) (ids []uint64) {
		page := &query.PageRequest{Limit: 4}
		for {
			res, err := f.query().Tasks(f.ctx, &types.QueryTasksRequest{Submitter: submitter, Pagination: page})
			require.NoError(t, err)
			require.LessOrEqual(t, len(res.Tasks), 4)
			for _, v := range res.Tasks {
				ids = append(ids, v.Task.Id)
			}
			if page = (&query.PageRequest{Limit: 4, Key: res.Pagination.NextKey}); len(page.Key) == 0 {
				return ids
			}
		}
	}
	require.Equal(t, mine, collect(f.who(6)))
	require.Len(t, collect(""), 25)
	require.Empty(t, collect(f.who(3)))
	newest, err := f.query().Tasks(f.ctx, &types.QueryTasksRequest{Pagination: &query.PageRequest{Reverse: true, Limit: 1}})
	require.NoError(t, err)
	require.Equal(t, mine[len(mine)-1], newest.Tasks[0].Task.Id)
	for name, page := range map[string]*query.PageRequest{
		"limit": {Limit: 1001}, "offset": {Offset: 1001}, "count_total": {CountTotal: true},
	} {
		_, err := f.query().Tasks(f.ctx, &types.QueryTasksRequest{Pagination: page})
		require.Equal(t, codes.InvalidArgument, status.Code(err), name)
		require.ErrorContains(t, err, name)
	}
	_, err = f.query().Tasks(f.ctx, &types.QueryTasksRequest{Submitter: "x"})
	require.Equal(t, codes.InvalidArgument, status.Code(err))
}

func TestQueryAssigned(t *testing.T) {
	f := fixture(t)
	f.audits(false)
	id, _ := f.revealed(digitsMsg(f.who(9), 1))
	worker := f.status(id).Worker
	res, err := f.query().Assigned(f.ctx, &types.QueryAssignedRequest{Worker: worker})
	require.NoError(t, err)
	require.Len(t, res.Tasks, 1)
	require.Equal(t, id, res.Tasks[0].Task.Id)
	f.until(id, types.STATE_FINAL)
	res, err = f.query().Assigned(f.ctx, &types.QueryAssignedRequest{Worker: worker})
	require.NoError(t, err)
	require.Empty(t, res.Tasks)
}

func TestQueryEstimate(t *testing.T) {
	f := fixture(t)
	res, err := f.query().Estimate(f.ctx, &types.QueryEstimateRequest{Model: "story", Steps: 16, PromptRows: 3})
	require.NoError(t, err)
	require.Equal(t, (&types.QueryEstimateResponse{
		Units: 16_000, ScoreUnits: 14_000, Fee: coin(16_000), Lock: coin(1_160_000), AuditPpm: 56_890, Tip: coin(0),
		Floor: coin(1_000_000), WorstFloor: coin(1_132_276), WorstFee: coin(18_117), Blocks: 10,
	}).String(), res.String())
	_, err = f.query().Estimate(f.ctx, &types.QueryEstimateRequest{Model: "nobody", Steps: 16})
	require.Equal(t, codes.NotFound, status.Code(err))
	_, err = f.query().Estimate(f.ctx, &types.QueryEstimateRequest{Model: "story", Steps: 17})
	require.Equal(t, codes.InvalidArgument, status.Code(err))
	params, err := f.query().Params(f.ctx, &types.QueryParamsRequest{})
	require.NoError(t, err)
	require.Equal(t, denom, params.Params.FeeDenom)
}
