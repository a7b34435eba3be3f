package keeper_test

import (
	"encoding/binary"
	"math"
	"slices"
	"testing"

	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	"github.com/stretchr/testify/require"

	"poaid/commit"
	"poaid/x/tasks/types"
)

// segment asks for steps [from, to) of the model train.
func segment(from, to uint64) types.TaskRequest {
	req := types.TaskRequest{Requester: opener(), Model: "train", Steps: to, StartStep: from, Budget: coin(100_000), FiniteOutput: "losses"}
	if from > 0 {
		req.StartRoot = root(byte(from))
	}
	return req
}

// opened opens a task for the module, out of an account that has funds.
func (f *fix) opened(req types.TaskRequest) types.Task {
	f.tb.Helper()
	task, err := f.keeper.OpenTask(f.ctx, req)
	require.NoError(f.tb, err)
	f.check()
	return task
}

// rich is a fixture whose opening module has coins.
func rich(t *testing.T) *fix {
	t.Helper()
	f := fixture(t)
	f.fund(opener())
	f.audits(false)
	return f
}

// losses puts a number into the record of losses of an answer.
func losses(t *testing.T, task types.Task, a answer, at int, v float64) answer {
	t.Helper()
	entries := make([]commit.Named, len(a.reveal.Outputs))
	for i, o := range a.reveal.Outputs {
		if o.Name == "losses" {
			binary.LittleEndian.PutUint32(o.Data[4*at:], math.Float32bits(float32(v))) //detlint:allow a test's number
		}
		r, err := commit.TensorRoot(uint8(o.Dtype), o.Shape, o.Data)
		require.NoError(t, err)
		entries[i] = commit.Named{Name: o.Name, Root: r}
	}
	a.root = commit.ResultRoot(task.Steps, commit.Hash(a.reveal.StateRoot), commit.NamedRoot(entries))
	return a
}

// TestSegmentIsPricedByItsSteps takes the fee from the module and nothing more, and gives back to it what was not spent.
func TestSegmentIsPricedByItsSteps(t *testing.T) {
	f := rich(t)
	before := f.balance(opener())
	task := f.opened(segment(3, 8))
	require.Equal(t, uint64(5_000), task.Units, "steps 3 to 7")
	require.Equal(t, int64(5_000), task.MaxFee.Amount.Int64(), "the fee, not the budget")
	require.Equal(t, before.Sub(task.MaxFee.Amount), f.balance(opener()))
	require.True(t, task.ByCid, "the states at its start are bytes that others must bring")
	require.False(t, task.Scored)
	whole, err := f.keeper.Quote(f.ctx, segment(0, 8))
	require.NoError(t, err)
	first, err := f.keeper.Quote(f.ctx, segment(0, 3))
	require.NoError(t, err)
	require.Equal(t, whole.Units, first.Units+task.Units, "segments cost together what the run costs")

	f.until(task.Id, types.STATE_ASSIGNED)
	a := f.result(task.Id, 0, 1)
	f.seal(task.Id, a)
	f.until(task.Id, types.STATE_REVEALING)
	f.reveal(task.Id, a)
	require.Equal(t, uint64(5_000), f.status(task.Id).UnitsDone)
	f.until(task.Id, types.STATE_FINAL)
	end, pay := f.ended(), f.payment(task.Id)
	require.Equal(t, types.STATE_FINAL, end.State)
	require.Equal(t, a.reveal.StateRoot, end.Result.StateRoot)
	require.Equal(t, pay.Refund, end.Refund)
	require.True(t, end.Refund.IsZero())
	require.Equal(t, before.Sub(task.MaxFee.Amount).Add(end.Refund), f.balance(opener()))
	for _, c := range f.credits(task.Id) {
		require.Zero(t, c.ScoreUnits)
	}
}

// TestSegmentNobodyFinishes is excused as a task by CID is, expires, and comes back whole.
func TestSegmentNobodyFinishes(t *testing.T) {
	f := rich(t)
	before := f.balance(opener())
	task := f.opened(segment(3, 8))
	f.until(task.Id, types.STATE_EXPIRED)
	require.Empty(t, f.slashes(task.Id), "who could not get the states is not at fault")
	end := f.ended()
	require.Equal(t, types.STATE_EXPIRED, end.State)
	require.Equal(t, task.MaxFee.Amount, end.Refund)
	require.Equal(t, before, f.balance(opener()))
	require.False(t, end.StartLost)

	// From the start there is nothing that a worker could miss.
	f.endings.told = nil
	task = f.opened(segment(0, 3))
	f.until(task.Id, types.STATE_EXPIRED)
	require.Len(t, f.slashes(task.Id), 3)
	require.Equal(t, types.STATE_EXPIRED, f.ended().State)
}

// TestSegmentStartLost ends for everybody without loss.
func TestSegmentStartLost(t *testing.T) {
	f := rich(t)
	before := f.balance(opener())
	task := f.opened(segment(3, 8))
	f.until(task.Id, types.STATE_ASSIGNED)
	require.NoError(t, f.keeper.VoidStart(f.ctx, task.Id))
	f.check()
	end := f.ended()
	require.Equal(t, types.STATE_REFUNDED, end.State)
	require.True(t, end.StartLost)
	require.Equal(t, before, f.balance(opener()))
	require.Empty(t, f.slashes(task.Id))
	require.ErrorIs(t, f.keeper.VoidStart(f.ctx, task.Id), types.ErrState)

	task = f.opened(segment(0, 3))
	f.until(task.Id, types.STATE_ASSIGNED)
	require.ErrorIs(t, f.keeper.VoidStart(f.ctx, task.Id), types.ErrState, "step 0 has no states to lose")
	require.ErrorIs(t, f.keeper.VoidStart(f.ctx, 7), types.ErrUnknownTask)
}

// TestSegmentScore is earned where the module says so, and never for numbers that are none.
func TestSegmentScore(t *testing.T) {
	for name, c := range map[string]struct {
		scored bool
		loss   float64
		byCid  bool
		score  bool
	}{
		"scored":   {scored: true, loss: 0.5, score: true},
		"not":      {loss: 0.5},
		"NaN":      {scored: true, loss: math.NaN()},
		"infinite": {scored: true, loss: math.Inf(-1)},
		"large":    {scored: true, loss: math.MaxFloat32, score: true},
	} {
		t.Run(name, func(t *testing.T) {
			f := rich(t)
			req := segment(3, 8)
			req.Scored = c.scored
			task := f.opened(req)
			require.Equal(t, c.scored, task.Scored)
			f.until(task.Id, types.STATE_ASSIGNED)
			a := losses(t, task, f.result(task.Id, 0, 1), 4, c.loss)
			f.seal(task.Id, a)
			f.until(task.Id, types.STATE_REVEALING)
			f.reveal(task.Id, a)
			f.until(task.Id, types.STATE_FINAL)
			credits := f.credits(task.Id)
			require.Len(t, credits, 1)
			require.Equal(t, c.score, credits[0].ScoreUnits > 0)
			require.Equal(t, uint64(5_000), credits[0].Units, "it is paid as any work")
			require.Equal(t, math.IsNaN(c.loss) || math.IsInf(c.loss, 0), f.ended().NotFinite)
		})
	}
}

// hidden gives an output by content id.
func hidden(t *testing.T, a answer, name string) answer {
	t.Helper()
	a.reveal.Outputs = slices.Clone(a.reveal.Outputs)
	for i, o := range a.reveal.Outputs {
		if o.Name != name {
			continue
		}
		r, err := commit.TensorRoot(uint8(o.Dtype), o.Shape, o.Data)
		require.NoError(t, err)
		o.Data, o.Root, o.Cid = nil, r[:], "cid"
		a.reveal.Outputs[i] = o
	}
	return a
}

// TestFiniteOutputIsShown: a worker that gave it by content id would end the score of everything that follows and be paid all the same.
func TestFiniteOutputIsShown(t *testing.T) {
	f := rich(t)
	f.params(func(p *types.Params) { p.MaxInlineOutputBytes = 36 }) // 32 of losses and 8 of a count are more
	task := f.opened(segment(3, 8))
	f.until(task.Id, types.STATE_ASSIGNED)
	a := f.result(task.Id, 0, 1)
	f.seal(task.Id, a)
	f.until(task.Id, types.STATE_REVEALING)
	require.Contains(t, f.tryReveal(task.Id, hidden(t, a, "losses")), "losses")
	f.reveal(task.Id, hidden(t, a, "count"))
	f.until(task.Id, types.STATE_FINAL)
	require.False(t, f.ended().NotFinite)
}

// TestInlineLimitIsTheTasks: what a worker wrote down before the limit changed can be revealed after, whichever way it changed.
func TestInlineLimitIsTheTasks(t *testing.T) {
	for limit, cid := range map[uint64]string{8: "", 1_000: "count"} {
		f := rich(t)
		f.params(func(p *types.Params) { p.MaxInlineOutputBytes = 40 })
		if cid != "" {
			f.params(func(p *types.Params) { p.MaxInlineOutputBytes = 36 })
		}
		task := f.opened(segment(3, 8))
		f.until(task.Id, types.STATE_ASSIGNED)
		a := f.result(task.Id, 0, 1)
		f.seal(task.Id, a)
		f.until(task.Id, types.STATE_REVEALING)
		f.params(func(p *types.Params) { p.MaxInlineOutputBytes = limit })
		f.reveal(task.Id, hidden(t, a, cid))
		f.until(task.Id, types.STATE_FINAL)
		require.False(t, f.ended().NotFinite)
	}
}

func TestOpenTaskRefuses(t *testing.T) {
	f := rich(t)
	for name, c := range map[string]struct {
		spoil func(*types.TaskRequest)
		want  error
	}{
		"requester":     {func(r *types.TaskRequest) { r.Requester = f.who(9) }, types.ErrNoHooks},
		"address":       {func(r *types.TaskRequest) { r.Requester = "x" }, types.ErrAddress},
		"budget":        {func(r *types.TaskRequest) { r.Budget = coin(4_999) }, types.ErrFee},
		"denom":         {func(r *types.TaskRequest) { r.Budget.Denom = "other" }, types.ErrDenom},
		"no budget":     {func(r *types.TaskRequest) { r.Budget = coin(0) }, types.ErrFee},
		"steps":         {func(r *types.TaskRequest) { r.Steps = 9 }, types.ErrSteps},
		"empty":         {func(r *types.TaskRequest) { r.StartStep = 8 }, types.ErrSegment},
		"behind":        {func(r *types.TaskRequest) { r.StartStep = 9 }, types.ErrSegment},
		"no root":       {func(r *types.TaskRequest) { r.StartRoot = nil }, types.ErrSegment},
		"short root":    {func(r *types.TaskRequest) { r.StartRoot = r.StartRoot[1:] }, types.ErrSegment},
		"root at 0":     {func(r *types.TaskRequest) { r.StartStep = 0 }, types.ErrSegment},
		"model":         {func(r *types.TaskRequest) { r.Model = "none" }, types.ErrModel},
		"retired":       {func(r *types.TaskRequest) { r.Model = "old" }, types.ErrModel},
		"input":         {func(r *types.TaskRequest) { r.Inputs = []types.NamedTensor{image(1)} }, types.ErrInput},
		"output":        {func(r *types.TaskRequest) { r.FiniteOutput = "none" }, types.ErrOutput},
		"whole numbers": {func(r *types.TaskRequest) { r.FiniteOutput = "count" }, types.ErrOutput},
		"no output":     {func(r *types.TaskRequest) { r.FiniteOutput = "w" }, types.ErrOutput},
		"stops": {func(r *types.TaskRequest) {
			r.Model, r.Inputs, r.FiniteOutput = "story", []types.NamedTensor{prompt(1, 2)}, ""
		}, types.ErrSegment},
	} {
		req := segment(3, 8)
		c.spoil(&req)
		_, err := deliver(f, f.keeper.OpenTask, req)
		require.ErrorIs(t, err, c.want, name)
	}
	f.params(func(p *types.Params) { p.MaxInlineOutputBytes = 8 })
	_, err := deliver(f, f.keeper.OpenTask, segment(3, 8))
	require.ErrorContains(t, err, "max_inline_output_bytes allows 8", "what cannot be revealed inline could not be looked at")
	f.params(func(p *types.Params) { p.MaxInlineOutputBytes = 39 })
	f.models.programs["train"].StopState = "count"
	_, err = deliver(f, f.keeper.OpenTask, segment(0, 8))
	require.ErrorContains(t, err, "max_inline_output_bytes allows 39", "nor beside a stop state, which must be inline too")
	f.models.programs["train"].StopState = ""
	*f.disputes.quarantined = "train"
	_, err = deliver(f, f.keeper.OpenTask, segment(3, 8))
	require.Error(t, err, "a model with an op in quarantine")
}

// TestOpenersApart tells each module of its own tasks only.
func TestOpenersApart(t *testing.T) {
	f := rich(t)
	other := &endings{}
	f.keeper.SetTaskHooks("training", other)
	address, err := fakeAccounts{}.AddressCodec().BytesToString(authtypes.NewModuleAddress("training"))
	require.NoError(t, err)
	f.fund(address)
	req := segment(0, 3)
	req.Requester = address
	theirs := f.opened(req)
	mine := f.opened(segment(0, 3))
	owed := f.audit(0, 1)
	ordinary := f.submit(digitsMsg(f.who(9), 1))
	for _, id := range []uint64{theirs.Id, mine.Id, owed} {
		f.until(id, types.STATE_EXPIRED)
	}
	f.block(30)
	require.NotEqual(t, types.STATE_OPEN, f.state(ordinary))
	require.Len(t, other.told, 1)
	require.Equal(t, theirs.Id, other.told[0].Task.Id)
	require.Len(t, f.endings.told, 2)
}

// TestOpenedGenesis exports and imports a segment that runs.
func TestOpenedGenesis(t *testing.T) {
	f := rich(t)
	task := f.opened(segment(3, 8))
	g, err := f.keeper.ExportGenesis(f.ctx)
	require.NoError(t, err)
	require.NoError(t, g.Validate())
	require.Equal(t, task, g.Tasks[0].Task)
	for name, spoil := range map[string]func(*types.Task){
		"no root":    func(t *types.Task) { t.StartRoot = nil },
		"no start":   func(t *types.Task) { t.StartStep = 0 },
		"short root": func(t *types.Task) { t.StartRoot = t.StartRoot[1:] },
		"behind":     func(t *types.Task) { t.StartStep = t.Steps },
	} {
		spoilt := *g
		spoilt.Tasks = append([]types.GenesisTask(nil), g.Tasks...)
		spoil(&spoilt.Tasks[0].Task)
		require.ErrorIs(t, spoilt.Validate(), types.ErrGenesis, name)
	}
}

// TestHookPutsOffExpiry: while the module cannot take the end in, nothing of it happens.
func TestHookPutsOffExpiry(t *testing.T) {
	f := rich(t)
	task := f.opened(segment(3, 8))
	f.endings.fail = true
	f.block(80)
	require.False(t, f.state(task.Id).Ended())
	f.endings.fail = false
	f.until(task.Id, types.STATE_EXPIRED)
	require.Len(t, f.endings.told, 1)
}
