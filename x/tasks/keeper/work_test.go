package keeper_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/x/tasks/types"
)

func TestDrawWaitsForItsRandomness(t *testing.T) {
	f := fixture(t)
	id := f.submit(digitsMsg(f.who(9), 1)) // height 1, draw_delay 2
	f.block(2)
	require.Equal(t, types.STATE_OPEN, f.state(id))
	f.block(1)
	st := f.status(id)
	require.Equal(t, types.STATE_ASSIGNED, st.State)
	require.Equal(t, int64(3), st.AssignedHeight)
	require.Equal(t, int64(8), st.Deadline)
	require.Equal(t, uint32(1), st.Attempt)
}

func TestSealTimeout(t *testing.T) {
	f := fixture(t)
	id := f.assigned(digitsMsg(f.who(9), 1))
	first := f.status(id).Worker
	f.block(f.status(id).Deadline - f.ctx.BlockHeight())
	require.Equal(t, types.STATE_ASSIGNED, f.state(id), "the deadline itself is in time")
	f.block(1)
	st := f.status(id)
	require.Equal(t, types.STATE_OPEN, st.State)
	require.Equal(t, []string{first}, st.Tried)
	require.Equal(t, []string{first + "/1/100/false"}, f.slashes(id))
	f.until(id, types.STATE_ASSIGNED)
	require.NotEqual(t, first, f.status(id).Worker)
	f.until(id, types.STATE_EXPIRED) // max_attempts 3
	require.Len(t, f.slashes(id), 3)
	require.Equal(t, "5000", f.payment(id).Refund.String())
	require.Equal(t, int64(funds), f.balance(f.who(9)).Int64())
}

// TestFailedWorkerIsNotDrawnAgain: with nobody else about, the task rather expires.
func TestFailedWorkerIsNotDrawnAgain(t *testing.T) {
	f := fixture(t)
	id := f.assigned(digitsMsg(f.who(9), 1))
	s := f.poai.state(f.ctx)
	for i := range s.Participants {
		if s.Participants[i].Address != f.status(id).Worker {
			s.Participants[i].Places = 0
		}
	}
	f.poai.save(f.ctx, "poai", s)
	f.until(id, types.STATE_OPEN)
	f.until(id, types.STATE_EXPIRED)
	require.Equal(t, uint32(1), f.status(id).Attempt)
}

func TestNobodyToDraw(t *testing.T) {
	f := fixture(t)
	f.params(func(p *types.Params) { p.WorkerLockBase = p.WorkerLockBase.MulRaw(1_000_000) })
	id := f.submit(digitsMsg(f.who(9), 1))
	f.until(id, types.STATE_EXPIRED)
	require.Equal(t, int64(23), f.ctx.BlockHeight(), "one block after open_blocks 20 from height 1, and the block that ended")
	again, err := deliver(f, f.msgs.SubmitTask, digitsMsg(f.who(9), 1))
	require.NoError(t, err)
	require.True(t, again.Scored, "the input of an expired task may be submitted again")
}

func TestSealRefuses(t *testing.T) {
	f := fixture(t)
	id := f.assigned(digitsMsg(f.who(9), 1))
	other := f.submit(digitsMsg(f.who(9), 2))
	worker := f.status(id).Worker
	good := f.sealItem(id, worker, f.result(id, 0, 1))
	stranger := f.who(7)
	for name, c := range map[string]struct {
		worker string
		items  []types.ResultSeal
		errs   []string
	}{
		"stranger":       {stranger, []types.ResultSeal{good}, []string{"not the worker"}},
		"unknown task":   {worker, []types.ResultSeal{{TaskId: 99, Seal: good.Seal}}, []string{"unknown task"}},
		"not assigned":   {worker, []types.ResultSeal{{TaskId: other, Seal: good.Seal}}, []string{"not the worker"}},
		"short seal":     {worker, []types.ResultSeal{{TaskId: id, Seal: good.Seal[1:]}}, []string{"31 bytes, want 32"}},
		"twice, good":    {worker, []types.ResultSeal{good, good}, []string{"", "in the batch twice"}},
		"bad among good": {worker, []types.ResultSeal{{TaskId: 99}, good}, []string{"unknown task", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, _ := f.ctx.CacheContext()
			res, err := f.msgs.SealResults(ctx, &types.MsgSealResults{Worker: c.worker, Items: c.items})
			require.NoError(t, err)
			for i, want := range c.errs {
				require.Equal(t, want == "", res.Results[i].Accepted)
				require.Contains(t, res.Results[i].Error, want)
				require.Equal(t, c.items[i].TaskId, res.Results[i].TaskId)
			}
		})
	}
	for name, c := range map[string]struct {
		msg *types.MsgSealResults
		err error
	}{
		"empty":     {&types.MsgSealResults{Worker: worker}, types.ErrBatch},
		"too large": {&types.MsgSealResults{Worker: worker, Items: make([]types.ResultSeal, 257)}, types.ErrBatch},
		"address":   {&types.MsgSealResults{Worker: "x", Items: []types.ResultSeal{good}}, types.ErrAddress},
	} {
		_, err := f.msgs.SealResults(f.ctx, c.msg)
		require.ErrorIs(t, err, c.err, name)
	}
	f.seal(id, f.result(id, 0, 1))
	res, err := f.msgs.SealResults(f.ctx, &types.MsgSealResults{Worker: worker, Items: []types.ResultSeal{good}})
	require.NoError(t, err)
	require.Contains(t, res.Results[0].Error, "STATE_SEALED, want STATE_ASSIGNED", "sealing again")
}

// TestSealPastDeadline holds even while the queue has not got to the task.
func TestSealPastDeadline(t *testing.T) {
	f := fixture(t)
	id := f.assigned(digitsMsg(f.who(9), 1))
	st := f.status(id)
	item := f.sealItem(id, st.Worker, f.result(id, 0, 1))
	msg := &types.MsgSealResults{Worker: st.Worker, Items: []types.ResultSeal{item}}
	ctx, _ := f.ctx.CacheContext()
	res, err := f.msgs.SealResults(ctx.WithBlockHeight(st.Deadline), msg)
	require.NoError(t, err)
	require.True(t, res.Results[0].Accepted)
	res, err = f.msgs.SealResults(f.ctx.WithBlockHeight(st.Deadline+1), msg)
	require.NoError(t, err)
	require.Contains(t, res.Results[0].Error, "past the deadline")
}

// TestReplayedSeal: a seal binds its task and its author, so a copy cannot be opened.
func TestReplayedSeal(t *testing.T) {
	f := fixture(t)
	f.audits(false)
	a, b := f.submit(digitsMsg(f.who(9), 1)), f.submit(digitsMsg(f.who(9), 2))
	f.until(b, types.STATE_ASSIGNED)
	result := f.result(a, 0, 1)
	f.seal(a, result)
	copied := types.ResultSeal{TaskId: b, Seal: f.status(a).Seal}
	res, err := f.msgs.SealResults(f.ctx, &types.MsgSealResults{Worker: f.status(b).Worker, Items: []types.ResultSeal{copied}})
	require.NoError(t, err)
	require.True(t, res.Results[0].Accepted, "nobody can tell yet")
	f.until(b, types.STATE_REVEALING)
	replay := result
	replay.reveal.TaskId = b
	require.Contains(t, f.tryReveal(b, replay), "does not match the seal")
	f.reveal(a, result)
}

func TestRevealRefuses(t *testing.T) {
	f := fixture(t)
	f.audits(false)
	id := f.assigned(storyMsg(f.who(9), 16, 3, 4))
	good := f.result(id, 10, 1)
	require.Contains(t, f.tryReveal(id, good), "want STATE_REVEALING")
	f.seal(id, good)
	f.until(id, types.STATE_REVEALING)
	edit := func(change func(*types.ResultReveal)) answer {
		a := f.result(id, 10, 1)
		change(&a.reveal)
		return a
	}
	for name, c := range map[string]struct {
		a    answer
		text string
	}{
		"salt":         {edit(func(r *types.ResultReveal) { r.Salt[0]++ }), "does not match the seal"},
		"short salt":   {edit(func(r *types.ResultReveal) { r.Salt = r.Salt[1:] }), "salt: 31 bytes"},
		"state":        {edit(func(r *types.ResultReveal) { r.StateRoot[0]++ }), "does not match the seal"},
		"no state":     {edit(func(r *types.ResultReveal) { r.StateRoot = nil }), "state_root: 0 bytes"},
		"output":       {edit(func(r *types.ResultReveal) { r.Outputs[0].Data[0]++ }), "does not match the seal"},
		"stop":         {edit(func(r *types.ResultReveal) { r.Outputs[1].Data[0]++ }), "does not match the seal"},
		"no outputs":   {edit(func(r *types.ResultReveal) { r.Outputs = nil }), "0, want 2"},
		"order":        {edit(func(r *types.ResultReveal) { r.Outputs[0], r.Outputs[1] = r.Outputs[1], r.Outputs[0] }), `want "tokens" here`},
		"dtype":        {edit(func(r *types.ResultReveal) { r.Outputs[0].Dtype = 1 }), "want DTYPE_I32"},
		"rank":         {edit(func(r *types.ResultReveal) { r.Outputs[0].Shape = []int64{1, 16} }), "rank is 2"},
		"shape":        {edit(func(r *types.ResultReveal) { r.Outputs[0].Shape = []int64{15} }), "want 16"},
		"length":       {edit(func(r *types.ResultReveal) { r.Outputs[0].Data = r.Outputs[0].Data[4:] }), "60 bytes, want 64"},
		"cid, small":   {edit(func(r *types.ResultReveal) { r.Outputs[0].Cid, r.Outputs[0].Data = "c", nil }), "must be inline"},
		"declared":     {edit(func(r *types.ResultReveal) { r.Outputs[0].Root = make([]byte, 32) }), "does not match the data"},
		"unknown task": {edit(func(r *types.ResultReveal) { r.TaskId = 5 }), "unknown task"},
	} {
		require.Contains(t, f.tryReveal(id, c.a), c.text, name)
	}
	res, err := f.msgs.RevealResults(f.ctx, &types.MsgRevealResults{Worker: f.who(7), Items: []types.ResultReveal{good.reveal}})
	require.NoError(t, err)
	require.Contains(t, res.Results[0].Error, "not the worker")
	_, err = f.msgs.RevealResults(f.ctx, &types.MsgRevealResults{Worker: f.who(7)})
	require.ErrorIs(t, err, types.ErrBatch)
	late, err := f.msgs.RevealResults(f.ctx.WithBlockHeight(f.status(id).Deadline+1), &types.MsgRevealResults{
		Worker: f.status(id).Worker, Items: []types.ResultReveal{good.reveal},
	})
	require.NoError(t, err)
	require.Contains(t, late.Results[0].Error, "past the deadline")
	require.Equal(t, types.STATE_REVEALING, f.state(id), "nothing of the refused ones stays")

	f.reveal(id, good)
	st := f.status(id)
	require.Equal(t, types.STATE_REVEALED, st.State)
	require.Equal(t, good.root[:], st.ResultRoot)
	require.Equal(t, uint64(10_000), st.UnitsDone)
	require.Equal(t, uint64(9_000), st.ScoreUnits, "the forced step earns no score")
	require.Contains(t, f.tryReveal(id, good), "want STATE_REVEALING", "twice")
}

func TestRevealWhileTheCommitteeIsSilent(t *testing.T) {
	f := fixture(t)
	f.audits(true)
	id, a := f.revealing(digitsMsg(f.who(9), 1))
	f.reveal(id, a)
	require.Equal(t, types.STATE_REVEALING, f.state(id))
	require.Contains(t, f.tryReveal(id, a), "is revealed already")
	f.until(id, types.STATE_REVEALED)
}

func TestStopState(t *testing.T) {
	for stop, want := range map[int64]uint64{0: 16, 1: 1, 16: 16, 5: 5, -1: 1, 17: 1} {
		f := fixture(t)
		f.audits(false)
		id := f.assigned(storyMsg(f.who(9), 16, 3))
		a := f.result(id, stop, 1)
		f.seal(id, a)
		f.until(id, types.STATE_REVEALING)
		f.reveal(id, a)
		result, err := f.keeper.Results.Get(f.ctx, id)
		require.NoError(t, err)
		require.Equal(t, want, result.StepsDone, "stop state %d", stop)
		require.Equal(t, want*1000, f.status(id).UnitsDone)
	}
}

func TestLargeOutputs(t *testing.T) {
	f := fixture(t)
	f.audits(false)
	id := f.assigned(&types.MsgSubmitTask{Submitter: f.who(9), Model: "big", Steps: 4, Allocation: types.ALLOCATION_DRAW, MaxFee: coin(5_000)})
	a := f.result(id, 2, 1)
	f.seal(id, a)
	f.until(id, types.STATE_REVEALING)

	inline := f.result(id, 2, 1)
	inline.reveal.Outputs[0].Data, inline.reveal.Outputs[0].Cid = bytes.Repeat([]byte{1}, 8*4096), ""
	require.Contains(t, f.tryReveal(id, inline), "32776 inline bytes, limit 16384")
	rootless := f.result(id, 2, 1)
	rootless.reveal.Outputs[0].Root = nil
	require.Contains(t, f.tryReveal(id, rootless), "want 32 beside a cid")
	hidden := f.result(id, 2, 1)
	hidden.reveal.Outputs[1].Data, hidden.reveal.Outputs[1].Cid, hidden.reveal.Outputs[1].Root = nil, "cid", make([]byte, 32)
	require.Contains(t, f.tryReveal(id, hidden), `output "stop": by cid, but it must be inline`)
	f.reveal(id, a)
	result, err := f.keeper.Results.Get(f.ctx, id)
	require.NoError(t, err)
	require.Equal(t, uint64(2), result.StepsDone)
	require.Equal(t, "cid", result.Outputs[0].Cid)
}

func TestSilentWorker(t *testing.T) {
	for _, audit := range []bool{false, true} {
		f := fixture(t)
		f.audits(audit)
		id := f.assigned(digitsMsg(f.who(9), 1))
		worker := f.status(id).Worker
		a := f.result(id, 0, 1)
		f.seal(id, a)
		want := []string{worker + "/1/10000/true"}
		if audit {
			f.until(id, types.STATE_AUDITED)
			f.sealSeats(id)
			members := f.members(id)
			require.NoError(t, f.poai.revealSeat(f.ctx, id, members[0], a.root[:]))
			// the other two stay silent as well: they lied like the worker
			want = append(want, members[1]+"/2/10000/true", members[2]+"/2/10000/true")
			f.until(id, types.STATE_OPEN)
			for _, s := range f.poai.state(f.ctx).Slashes {
				require.Equal(t, members[:1], s.Beneficiaries)
			}
		}
		f.until(id, types.STATE_OPEN)
		require.Equal(t, want, f.slashes(id))
		st := f.status(id)
		require.Equal(t, types.Status{
			State: types.STATE_OPEN, Attempt: 1, Due: st.Due, OpenedHeight: st.OpenedHeight, Tried: []string{worker},
		}, st)
		f.until(id, types.STATE_ASSIGNED)
		require.NotEqual(t, worker, f.status(id).Worker)
		again := f.result(id, 0, 1)
		f.seal(id, again)
		if audit {
			f.until(id, types.STATE_AUDITED)
			f.sealSeats(id)
			for _, m := range f.members(id) {
				require.NoError(t, f.poai.revealSeat(f.ctx, id, m, again.root[:]))
			}
		}
		f.until(id, types.STATE_REVEALING)
		f.reveal(id, again)
		f.until(id, types.STATE_FINAL)
	}
}
