package keeper_test

import (
	"math/big"
	"testing"

	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/stretchr/testify/require"

	"poaid/commit"
	"poaid/engine/graphpb"
	"poaid/x/tasks/types"
)

func TestSubmit(t *testing.T) {
	f := fixture(t)
	f.tx = 4
	res, err := deliver(f, f.msgs.SubmitTask, storyMsg(f.who(9), 16, 3, 4, 5))
	require.NoError(t, err)
	require.Equal(t, uint64(1<<24|5<<8), res.Id)
	require.Equal(t, uint64(16_000), res.Units)
	require.Equal(t, coin(16_000), res.Fee)
	require.True(t, res.Scored)
	require.Equal(t, int64(funds-50_000), f.balance(f.who(9)).Int64())

	task, err := f.keeper.Tasks.Get(f.ctx, res.Id)
	require.NoError(t, err)
	require.Equal(t, uint64(3), task.PromptRows)
	require.Equal(t, uint32(500), task.RoyaltyBps)
	require.Equal(t, "1160000", task.Lock.String())
	st := f.status(res.Id)
	require.Equal(t, types.STATE_OPEN, st.State)
	require.Equal(t, int64(3), st.Due)
	f.block(1)
	require.Equal(t, int64(50_000), f.balance(moduleAddress()).Int64())
}

func moduleAddress() string {
	s, err := fakeAccounts{}.AddressCodec().BytesToString(fakeAccounts{}.GetModuleAddress(types.ModuleName))
	if err != nil {
		panic(err)
	}
	return s
}

// TestInputRoot computes the root by hand: all inputs in the order of the program, defaults filled in.
func TestInputRoot(t *testing.T) {
	f := fixture(t)
	tokens := prompt(3, 4)
	msg := storyMsg(f.who(9), 4)
	heat := types.NamedTensor{Name: "temperature", Dtype: graphpb.DTYPE_F32, Shape: []int64{1}, Data: []byte{0, 0, 0, 64}}
	msg.Inputs = []types.NamedTensor{heat, tokens}
	id := f.submit(msg)
	root := func(dtype graphpb.DType, shape []int64, data []byte) commit.Hash {
		h, err := commit.TensorRoot(uint8(dtype), shape, data)
		require.NoError(t, err)
		return h
	}
	want := commit.NamedRoot([]commit.Named{
		{Name: "prompt", Root: root(graphpb.DTYPE_I32, []int64{2}, tokens.Data)},
		{Name: "temperature", Root: root(graphpb.DTYPE_F32, []int64{1}, heat.Data)},
		{Name: "bias", Root: root(graphpb.DTYPE_F32, []int64{2, 2}, make([]byte, 16))},
	})
	task, err := f.keeper.Tasks.Get(f.ctx, id)
	require.NoError(t, err)
	require.Equal(t, want[:], task.InputRoot)
	inputs, err := f.keeper.Inputs.Get(f.ctx, id)
	require.NoError(t, err)
	require.Equal(t, "prompt", inputs.Tensors[0].Name)
	require.Len(t, inputs.Tensors, 2)
	require.Len(t, inputs.Tensors[1].Root, 32)
}

// byCID is a submission whose prompt is elsewhere.
func byCID(t *testing.T, submitter string) *types.MsgSubmitTask {
	t.Helper()
	in := prompt(3, 4)
	root, err := commit.TensorRoot(uint8(in.Dtype), in.Shape, in.Data)
	require.NoError(t, err)
	in.Data, in.Root, in.Cid = nil, root[:], "bafy"
	msg := storyMsg(submitter, 4)
	msg.Inputs = []types.NamedTensor{in}
	return msg
}

// TestWithheldInput: a submitter who names a CID and keeps the bytes costs nobody bond or reliability.
func TestWithheldInput(t *testing.T) {
	f := fixture(t)
	f.audits(true)
	id := f.assigned(byCID(t, f.who(9)))
	first := f.status(id).Worker
	f.until(id, types.STATE_OPEN)
	require.Empty(t, f.slashes(id))
	require.Equal(t, []string{first}, f.status(id).Tried)
	f.until(id, types.STATE_ASSIGNED) // to a worker who knows the submitter
	f.seal(id, f.result(id, 0, 1))
	f.until(id, types.STATE_AUDITED)
	require.True(t, f.poai.state(f.ctx).Committees[id].Committee.Excused)
	inline := f.assigned(storyMsg(f.who(9), 4, 3, 4))
	f.seal(inline, f.result(inline, 0, 1))
	f.until(inline, types.STATE_AUDITED)
	require.False(t, f.poai.state(f.ctx).Committees[inline].Committee.Excused)
}

func TestInputByCID(t *testing.T) {
	f := fixture(t)
	inline := f.submit(storyMsg(f.who(9), 4, 3, 4))
	task, err := f.keeper.Tasks.Get(f.ctx, inline)
	require.NoError(t, err)
	res, err := deliver(f, f.msgs.SubmitTask, byCID(t, f.who(9)))
	require.NoError(t, err)
	require.False(t, res.Scored, "what the chain has not seen earns no score")
	stored, err := f.keeper.Tasks.Get(f.ctx, res.Id)
	require.NoError(t, err)
	require.Equal(t, task.InputRoot, stored.InputRoot)
	require.Equal(t, uint64(2), stored.PromptRows)
}

// change makes a bad submission of a good one.
type change func(*types.MsgSubmitTask)

func TestSubmitRefuses(t *testing.T) {
	input := func(edit func(*types.NamedTensor)) change {
		return func(m *types.MsgSubmitTask) { edit(&m.Inputs[0]) }
	}
	fee := func(c sdk.Coin) change { return func(m *types.MsgSubmitTask) { m.MaxFee = c } }
	most := math.NewIntFromBigInt(new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 128), big.NewInt(1)))
	for name, c := range map[string]struct {
		edit change
		err  error
		text string
	}{
		"unknown model":    {func(m *types.MsgSubmitTask) { m.Model = "nobody" }, types.ErrModel, `"nobody" is unknown`},
		"retired model":    {func(m *types.MsgSubmitTask) { m.Model = "old" }, types.ErrModel, "retired"},
		"no allocation":    {func(m *types.MsgSubmitTask) { m.Allocation = 0 }, types.ErrAllocation, "ALLOCATION_DRAW"},
		"other allocation": {func(m *types.MsgSubmitTask) { m.Allocation = 7 }, types.ErrAllocation, "ALLOCATION_DRAW"},
		"bad submitter":    {func(m *types.MsgSubmitTask) { m.Submitter = "poai1x" }, types.ErrAddress, "submitter"},
		"zero fee":         {fee(coin(0)), types.ErrFee, "positive"},
		"negative fee":     {fee(coin(-5)), types.ErrFee, "positive"},
		"no fee":           {fee(sdk.Coin{Denom: denom}), types.ErrFee, "positive"},
		"wrong denom":      {fee(sdk.NewInt64Coin("uatom", 5000)), types.ErrDenom, `want "upoai"`},
		"fee too low":      {fee(coin(999)), types.ErrFee, "costs 1000upoai"},
		"fee not owned":    {fee(sdk.Coin{Denom: denom, Amount: most}), nil, "insufficient funds"},
		"endless fee":      {fee(sdk.Coin{Denom: denom, Amount: most.AddRaw(1)}), types.ErrFee, "less than 2^128"},
		"no steps":         {func(m *types.MsgSubmitTask) { m.Steps = 0 }, types.ErrSteps, "want 1..1"},
		"too many steps":   {func(m *types.MsgSubmitTask) { m.Steps = 2 }, types.ErrSteps, "want 1..1"},
		"no input":         {func(m *types.MsgSubmitTask) { m.Inputs = nil }, types.ErrInput, `"image": missing`},
		"unknown input":    {func(m *types.MsgSubmitTask) { m.Inputs[0].Name = "picture" }, types.ErrInput, "no such input"},
		"input twice":      {func(m *types.MsgSubmitTask) { m.Inputs = append(m.Inputs, image(2)) }, types.ErrInput, "given twice"},
		"dtype":            {input(func(in *types.NamedTensor) { in.Dtype = graphpb.DTYPE_I32 }), types.ErrInput, "want DTYPE_F32"},
		"rank":             {input(func(in *types.NamedTensor) { in.Shape = []int64{4} }), types.ErrInput, "rank is 1"},
		"shape":            {input(func(in *types.NamedTensor) { in.Shape = []int64{1, 5} }), types.ErrInput, "shape[1] is 5, want 4"},
		"negative shape":   {input(func(in *types.NamedTensor) { in.Shape = []int64{-1, -4} }), types.ErrInput, "shape[0]"},
		"short data":       {input(func(in *types.NamedTensor) { in.Data = in.Data[1:] }), types.ErrInput, "15 bytes, want 16"},
		"no data":          {input(func(in *types.NamedTensor) { in.Data = nil }), types.ErrInput, "0 bytes, want 16"},
		"wrong root":       {input(func(in *types.NamedTensor) { in.Root = make([]byte, 32) }), types.ErrInput, "does not match"},
		"short root":       {input(func(in *types.NamedTensor) { in.Root = []byte{1} }), types.ErrInput, "does not match"},
		"data and cid":     {input(func(in *types.NamedTensor) { in.Cid = "c" }), types.ErrInput, "both given"},
		"cid, no root":     {input(func(in *types.NamedTensor) { in.Cid, in.Data = "c", nil }), types.ErrInput, "want 32 beside a cid"},
		"cid, bad name":    {input(func(in *types.NamedTensor) { in.Cid, in.Data, in.Root = "a b", nil, make([]byte, 32) }), types.ErrInput, "visible"},
		"oversize": {func(m *types.MsgSubmitTask) {
			m.Inputs = append(m.Inputs, types.NamedTensor{Name: "image", Data: make([]byte, 64<<10)})
			m.Inputs = m.Inputs[1:]
		}, types.ErrInputSize, "more than 65536 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			f := fixture(t)
			msg := digitsMsg(f.who(9), 1)
			c.edit(msg)
			_, err := deliver(f, f.msgs.SubmitTask, msg)
			if name == "oversize" {
				msg.Inputs[0].Data = make([]byte, 64<<10+1)
				_, err = deliver(f, f.msgs.SubmitTask, msg)
			}
			require.Error(t, err)
			if c.err != nil {
				require.ErrorIs(t, err, c.err)
			}
			require.ErrorContains(t, err, c.text)
			f.block(1)
			require.Equal(t, int64(funds), f.balance(f.who(9)).Int64())
		})
	}
}

func TestSubmitRefusesPrompts(t *testing.T) {
	f := fixture(t)
	for name, c := range map[string]struct {
		msg  *types.MsgSubmitTask
		err  error
		text string
	}{
		"empty prompt":       {storyMsg(f.who(9), 4), types.ErrInput, "0 rows, want 1..8"},
		"long prompt":        {storyMsg(f.who(9), 12, make([]byte, 9)...), types.ErrInput, "9 rows, want 1..8"},
		"fewer steps":        {storyMsg(f.who(9), 2, 3, 4, 5), types.ErrSteps, "at least the 3 rows"},
		"beyond the program": {storyMsg(f.who(9), 17, 3), types.ErrSteps, "want 1..16"},
	} {
		_, err := deliver(f, f.msgs.SubmitTask, c.msg)
		require.ErrorIs(t, err, c.err, name)
		require.ErrorContains(t, err, c.text, name)
	}
}

func TestSubmitRefusesWhoCannotBeRefunded(t *testing.T) {
	f := fixture(t)
	f.bank.blocked[f.acc(f.who(9)).String()] = true
	_, err := deliver(f, f.msgs.SubmitTask, digitsMsg(f.who(9), 1))
	require.ErrorIs(t, err, types.ErrAddress)
}

func TestSubmitRefusesEndlessRuns(t *testing.T) {
	f := fixture(t)
	story := f.models.models["story"]
	story.UnitsStep = 1 << 58
	f.models.models["story"] = story
	msg := storyMsg(f.who(9), 16, 3)
	_, err := deliver(f, f.msgs.SubmitTask, msg)
	require.ErrorIs(t, err, types.ErrUnits)
}

func TestScoredOnce(t *testing.T) {
	f := fixture(t)
	scored := func(msg *types.MsgSubmitTask) bool {
		res, err := deliver(f, f.msgs.SubmitTask, msg)
		require.NoError(t, err)
		return res.Scored
	}
	require.True(t, scored(digitsMsg(f.who(9), 1)))
	require.False(t, scored(digitsMsg(f.who(8), 1)), "the same input again")
	require.True(t, scored(digitsMsg(f.who(9), 2)))
	plain := digitsMsg(f.who(9), 3)
	plain.Model = "plain"
	require.False(t, scored(plain), "not eligible")
}

// TestIDsInOneMessage: a message that carries many (authz) counts up past the ids that are taken.
func TestIDsInOneMessage(t *testing.T) {
	f := fixture(t)
	ctx := f.ctx.WithTxIndex(3).WithMsgIndex(1)
	for i := range 255 {
		res, err := f.msgs.SubmitTask(ctx, digitsMsg(f.who(9), i))
		require.NoError(t, err)
		require.Equal(t, uint64(1<<24|3<<8|(i+1)), res.Id)
	}
	_, err := f.msgs.SubmitTask(ctx, digitsMsg(f.who(9), 999))
	require.ErrorIs(t, err, types.ErrTooManyTasks)
	_, err = f.msgs.SubmitTask(f.ctx.WithTxIndex(1<<16), digitsMsg(f.who(9), 999))
	require.ErrorIs(t, err, types.ErrTooManyTasks)
	last, err := f.msgs.SubmitTask(f.ctx.WithTxIndex(1<<16-2), digitsMsg(f.who(9), 999))
	require.NoError(t, err)
	require.Less(t, last.Id, uint64(2<<24), "the ids of a height stay below those of the next")
}

func TestCancel(t *testing.T) {
	f := fixture(t)
	id := f.submit(digitsMsg(f.who(9), 1))
	_, err := deliver(f, f.msgs.CancelTask, &types.MsgCancelTask{Submitter: f.who(8), TaskId: id})
	require.ErrorIs(t, err, types.ErrNotSubmitter)
	_, err = deliver(f, f.msgs.CancelTask, &types.MsgCancelTask{Submitter: f.who(9), TaskId: id + 1})
	require.ErrorIs(t, err, types.ErrUnknownTask)
	_, err = deliver(f, f.msgs.CancelTask, &types.MsgCancelTask{Submitter: f.who(9), TaskId: id})
	require.NoError(t, err)
	_, err = deliver(f, f.msgs.CancelTask, &types.MsgCancelTask{Submitter: f.who(9), TaskId: id})
	require.ErrorIs(t, err, types.ErrState, "twice")
	f.block(1)
	require.Equal(t, int64(funds), f.balance(f.who(9)).Int64())
	require.Equal(t, "5000", f.payment(id).Refund.String())
	again, err := deliver(f, f.msgs.SubmitTask, digitsMsg(f.who(9), 1))
	require.NoError(t, err)
	require.True(t, again.Scored, "the input was never run")
	f.block(40)
	require.True(t, f.status(id).Pruned)
}

func TestCancelTooLate(t *testing.T) {
	f := fixture(t)
	id := f.assigned(digitsMsg(f.who(9), 1))
	_, err := deliver(f, f.msgs.CancelTask, &types.MsgCancelTask{Submitter: f.who(9), TaskId: id})
	require.ErrorIs(t, err, types.ErrState)
	f.block(6) // the worker does not seal: OPEN again, but it had been assigned
	require.Equal(t, types.STATE_OPEN, f.state(id))
	_, err = deliver(f, f.msgs.CancelTask, &types.MsgCancelTask{Submitter: f.who(9), TaskId: id})
	require.ErrorIs(t, err, types.ErrState)
}
