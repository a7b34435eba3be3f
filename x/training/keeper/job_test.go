package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	modelstypes "poaid/x/models/types"
	taskstypes "poaid/x/tasks/types"
	"poaid/x/training/types"
)

// TestJob goes from a budget to a model: three segments, each from where the one before ended, each paid, the rest paid back.
func TestJob(t *testing.T) {
	f := fixture(t)
	id := f.create(msg())
	require.Equal(t, types.STATE_OPENING, f.progress(id).State)
	f.block(1)
	want := [][2]uint64{{0, 4}, {4, 8}, {8, 10}}
	for i, w := range want {
		task := f.end(id, 10, nil)
		require.Equal(t, []uint64{task.StartStep, task.Steps}, w[:])
		if i > 0 {
			require.Equal(t, stateRoot(w[0]), task.StartRoot)
		}
	}
	p := f.progress(id)
	require.Equal(t, types.STATE_TRAINED, p.State)
	require.Equal(t, int64(1_000-30), p.Spent.Int64())
	require.Equal(t, int64(1_000_000-970), f.bank.of(addr(1)).Int64(), "what was not spent is back")
	require.Len(t, f.checkpoints(id), 3)

	finish := &types.MsgFinishJob{Sender: who(6), JobId: id, StateRoots: states(10), BaseRoots: [][]byte{hash(20), hash(21)}, WeightsCid: "cid"}
	res, err := deliver(f, f.msgs.FinishJob, finish)
	require.NoError(t, err)
	require.Equal(t, "mine", res.Model)
	require.Equal(t, named([]string{"w", "c"}, hash(110), hash(21)), res.WeightsRoot, "the trained state, and what the base has elsewhere")
	require.Equal(t, []modelstypes.TrainedModel{{
		Base: "net", ID: "mine", Owner: who(1), Description: "a net", WeightsRoot: res.WeightsRoot, WeightsCID: "cid", RoyaltyBps: 100,
		Parents: []modelstypes.Parent{
			{Kind: modelstypes.PARENT_KIND_MODEL, Id: "net", ShareBps: 1_000}, {Kind: modelstypes.PARENT_KIND_DATASET, Id: "faces", ShareBps: 300},
		},
	}}, f.models.registered)
	require.Equal(t, []string{who(1)}, f.datasets.used, "data are asked for once, before they are used")
	_, err = deliver(f, f.msgs.FinishJob, finish)
	require.ErrorIs(t, err, types.ErrState)
	f.block(3)
	require.Equal(t, types.STATE_FINISHED, f.progress(id).State)
}

func TestCreateRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*types.MsgCreateJob)
		want  error
	}{
		"owner":             {func(m *types.MsgCreateJob) { m.Owner = "x" }, types.ErrAddress},
		"blocked":           {func(m *types.MsgCreateJob) { m.Owner = who(7) }, types.ErrAddress},
		"no steps":          {func(m *types.MsgCreateJob) { m.Steps = 0 }, types.ErrSegments},
		"no segment":        {func(m *types.MsgCreateJob) { m.SegmentSteps = 0 }, types.ErrSegments},
		"long segment":      {func(m *types.MsgCreateJob) { m.SegmentSteps = 11 }, types.ErrSegments},
		"many segments":     {func(m *types.MsgCreateJob) { m.Steps, m.SegmentSteps = 1<<40, 1 }, types.ErrSegments},
		"too many steps":    {func(m *types.MsgCreateJob) { m.Steps = 101 }, taskstypes.ErrSteps},
		"no budget":         {func(m *types.MsgCreateJob) { m.Budget = coin(0) }, types.ErrBudget},
		"small budget":      {func(m *types.MsgCreateJob) { m.Budget = coin(399) }, taskstypes.ErrFee},
		"denom":             {func(m *types.MsgCreateJob) { m.Budget.Denom = "other" }, taskstypes.ErrFee},
		"few roots":         {func(m *types.MsgCreateJob) { m.WeightRoots = m.WeightRoots[:1] }, types.ErrRoots},
		"short root":        {func(m *types.MsgCreateJob) { m.WeightRoots[0] = m.WeightRoots[0][:31] }, types.ErrRoots},
		"hidden data":       {func(m *types.MsgCreateJob) { m.WeightRoots[1] = hash(12) }, types.ErrRoots},
		"unknown base":      {func(m *types.MsgCreateJob) { m.Result.Base = "none" }, types.ErrPlan},
		"small share":       {func(m *types.MsgCreateJob) { m.Result.BaseShareBps = 999 }, types.ErrPlan},
		"no mapping":        {func(m *types.MsgCreateJob) { m.Result.Mappings = nil }, types.ErrPlan},
		"unknown weight":    {func(m *types.MsgCreateJob) { m.Result.Mappings[0].Weight = "x" }, types.ErrPlan},
		"unknown state":     {func(m *types.MsgCreateJob) { m.Result.Mappings[0].State = "x" }, types.ErrPlan},
		"another shape":     {func(m *types.MsgCreateJob) { m.Result.Mappings[0].Weight = "c" }, types.ErrPlan},
		"twice":             {func(m *types.MsgCreateJob) { m.Result.Mappings = append(m.Result.Mappings, m.Result.Mappings[0]) }, types.ErrPlan},
		"id taken":          {func(m *types.MsgCreateJob) { m.Result.Id = "taken" }, modelstypes.ErrModelExists},
		"unknown recipe":    {func(m *types.MsgCreateJob) { m.Recipe = "none" }, types.ErrRecipe},
		"more than is owed": {func(m *types.MsgCreateJob) { m.Budget = coin(2_000_000) }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			f := fixture(t)
			f.bank.blocked[addr(7).String()] = true
			m := msg()
			c.spoil(m)
			_, err := deliver(f, f.msgs.CreateJob, m)
			require.Error(t, err)
			if c.want != nil {
				require.ErrorIs(t, err, c.want)
			}
			f.block(1)
		})
	}
	f := fixture(t)
	f.datasets.closed = true
	_, err := deliver(f, f.msgs.CreateJob, msg())
	require.ErrorIs(t, err, errNoGrant, "nobody trains on data that he may not have")
	f.datasets.closed = false
	own := msg()
	own.Owner, own.Result.BaseShareBps = who(4), 0
	f.models.models["net"] = modelstypes.Model{Id: "net", Owner: who(4), WeightsRoot: f.models.models["net"].WeightsRoot}
	f.create(own)
}

// TestFailures does a segment again from the last agreed step, pauses after too many failures in a row, and goes on when asked.
func TestFailures(t *testing.T) {
	f := fixture(t)
	id := f.create(msg())
	f.block(1)
	f.end(id, 0, nil)
	for i := range 4 {
		task := f.end(id, 0, expired)
		require.Equal(t, uint64(4), task.StartStep)
		require.Equal(t, uint32(i+1), f.progress(id).Failures)
	}
	f.end(id, 0, expired)
	p := f.progress(id)
	require.Equal(t, types.STATE_PAUSED, p.State)
	require.Contains(t, p.Reason, "no worker")
	require.Equal(t, int64(2_000-400), p.Escrow.Int64(), "what failed cost nothing")
	f.block(50)
	require.Equal(t, types.STATE_PAUSED, f.progress(id).State)

	_, err := deliver(f, f.msgs.ResumeJob, &types.MsgResumeJob{Owner: who(2), JobId: id})
	require.ErrorIs(t, err, types.ErrNotOwner)
	_, err = deliver(f, f.msgs.ResumeJob, &types.MsgResumeJob{Owner: who(1), JobId: id, Rewind: true, FromStep: 8})
	require.ErrorIs(t, err, types.ErrCheckpoint)
	_, err = deliver(f, f.msgs.ResumeJob, &types.MsgResumeJob{Owner: who(1), JobId: id, FromStep: 4})
	require.ErrorIs(t, err, types.ErrCheckpoint)
	_, err = deliver(f, f.msgs.ResumeJob, &types.MsgResumeJob{Owner: who(1), JobId: id, Rewind: true})
	require.NoError(t, err)
	require.Zero(t, f.progress(id).Failures, "counted anew")
	f.block(1)
	require.Equal(t, uint64(0), f.end(id, 0, nil).StartStep, "from the start")
	require.Equal(t, uint64(4), f.end(id, 0, nil).StartStep)
	f.end(id, 0, nil)
	require.Equal(t, types.STATE_TRAINED, f.progress(id).State)
}

// TestJobsWait: a block works on max_per_block jobs, the others wait for the next.
func TestJobsWait(t *testing.T) {
	f := fixture(t)
	p := types.DefaultParams()
	p.MaxPerBlock = 2
	require.NoError(t, f.keeper.Params.Set(f.ctx, p))
	for i := range byte(3) {
		m := msg()
		m.Owner, m.Result.Id = who(i+1), string(rune('a'+i))
		f.create(m)
	}
	f.block(1)
	require.Len(t, f.tasks.opened, 2)
	f.block(1)
	require.Len(t, f.tasks.opened, 3)
}

func TestSegmentsAreCounted(t *testing.T) {
	f := fixture(t)
	p := types.DefaultParams()
	p.MaxSegments = 2
	require.NoError(t, f.keeper.Params.Set(f.ctx, p))
	_, err := deliver(f, f.msgs.CreateJob, msg())
	require.ErrorIs(t, err, types.ErrSegments)
	p.MaxSegments = 3
	require.NoError(t, f.keeper.Params.Set(f.ctx, p))
	f.create(msg())
	j := types.Job{Steps: 10, SegmentSteps: 4}
	for step, end := range map[uint64]uint64{0: 4, 3: 4, 4: 8, 5: 8, 8: 10, 9: 10} {
		require.Equal(t, end, j.End(step), "from %d", step)
	}
}

// TestAnEndIsTakenInOnce: a segment that has ended does not end again.
func TestAnEndIsTakenInOnce(t *testing.T) {
	f := fixture(t)
	id := f.create(msg())
	f.block(1)
	task := f.end(id, 0, nil)
	before := f.progress(id)
	require.NoError(t, f.keeper.Hooks().AfterTaskEnded(f.ctx, taskstypes.Ended{
		Task: task, Worker: who(5), State: taskstypes.STATE_FINAL, Refund: task.MaxFee.Amount, Result: &taskstypes.Result{StateRoot: stateRoot(9)},
	}))
	require.Equal(t, before, f.progress(id))
	require.Equal(t, who(6), f.checkpoints(id)[0].Worker)
	f.block(1)
}

// TestLostCheckpoints falls back to the checkpoint before, in the end to the start, and is bounded like any failure.
func TestLostCheckpoints(t *testing.T) {
	f := fixture(t)
	m := msg()
	m.Budget = coin(10_000)
	id := f.create(m)
	f.block(1)
	f.end(id, 0, nil)
	f.end(id, 0, nil)
	require.Equal(t, uint64(8), f.progress(id).Step)
	f.end(id, 0, lost)
	p := f.progress(id)
	require.Equal(t, uint64(4), p.Step)
	require.Equal(t, stateRoot(4), p.StateRoot)
	require.Equal(t, uint32(1), p.Failures)
	require.True(t, f.checkpoints(id)[1].Lost)
	f.end(id, 0, lost)
	require.Equal(t, uint64(0), f.progress(id).Step)
	require.Nil(t, f.progress(id).StateRoot)
	f.end(id, 0, nil)
	f.end(id, 0, nil)
	require.Equal(t, uint32(2), f.progress(id).Failures, "it is not further than it was")
	require.False(t, f.checkpoints(id)[1].Lost, "whoever did it again has it")
	for f.progress(id).State != types.STATE_PAUSED {
		f.end(id, 0, lost)
		if f.progress(id).State != types.STATE_PAUSED {
			f.end(id, 0, nil)
		}
	}
	require.Equal(t, uint32(5), f.progress(id).Failures)
	_, err := deliver(f, f.msgs.ResumeJob, &types.MsgResumeJob{Owner: who(1), JobId: id, Rewind: true, FromStep: 8})
	require.ErrorIs(t, err, types.ErrCheckpoint, "it is lost")
}

// TestBudgetRunsOut pauses, and goes on once somebody has paid.
func TestBudgetRunsOut(t *testing.T) {
	f := fixture(t)
	m := msg()
	m.Budget = coin(700)
	id := f.create(m)
	f.block(1)
	f.end(id, 0, nil)
	p := f.progress(id)
	require.Equal(t, types.STATE_PAUSED, p.State)
	require.Equal(t, int64(300), p.Escrow.Int64())
	for _, c := range []*types.MsgFundJob{
		{Sender: who(2), JobId: 9, Amount: coin(500)}, {Sender: who(2), JobId: id, Amount: coin(0)}, {Sender: "x", JobId: id, Amount: coin(500)},
	} {
		_, err := deliver(f, f.msgs.FundJob, c)
		require.Error(t, err)
	}
	_, err := deliver(f, f.msgs.FundJob, &types.MsgFundJob{Sender: who(2), JobId: id, Amount: coin(500)})
	require.NoError(t, err)
	_, err = deliver(f, f.msgs.ResumeJob, &types.MsgResumeJob{Owner: who(1), JobId: id})
	require.NoError(t, err)
	f.block(1)
	f.end(id, 0, nil)
	f.end(id, 0, nil)
	require.Equal(t, types.STATE_TRAINED, f.progress(id).State)
	require.Equal(t, int64(1_000_000-700+200), f.bank.of(addr(1)).Int64(), "the rest is the owner's")
	_, err = deliver(f, f.msgs.FundJob, &types.MsgFundJob{Sender: who(2), JobId: id, Amount: coin(500)})
	require.ErrorIs(t, err, types.ErrState)
}

// TestCancel gives everything back but what a running segment has, and that once it has ended.
func TestCancel(t *testing.T) {
	f := fixture(t)
	id := f.create(msg())
	_, err := deliver(f, f.msgs.CancelJob, &types.MsgCancelJob{Owner: who(2), JobId: id})
	require.ErrorIs(t, err, types.ErrNotOwner)
	_, err = deliver(f, f.msgs.CancelJob, &types.MsgCancelJob{Owner: who(1), JobId: id})
	require.NoError(t, err)
	f.block(2)
	require.Equal(t, int64(1_000_000), f.bank.of(addr(1)).Int64(), "in the block it was created in")
	require.Empty(t, f.tasks.opened)

	for name, change := range map[string]func(*taskstypes.Ended){"final": nil, "expired": expired} {
		f := fixture(t)
		id = f.create(msg())
		f.block(1)
		_, err = deliver(f, f.msgs.CancelJob, &types.MsgCancelJob{Owner: who(1), JobId: id})
		require.NoError(t, err)
		f.block(1)
		require.Equal(t, int64(1_000_000-400), f.bank.of(addr(1)).Int64(), name)
		f.end(id, 50, change)
		f.block(1)
		want := int64(1_000_000)
		if change == nil {
			want -= 350
		}
		require.Equal(t, want, f.bank.of(addr(1)).Int64(), name)
		require.Len(t, f.tasks.opened, 1)
		_, err = deliver(f, f.msgs.CancelJob, &types.MsgCancelJob{Owner: who(1), JobId: id})
		require.ErrorIs(t, err, types.ErrState)
	}
}

// TestOpeningFails tries again later, and gives up after some time.
func TestOpeningFails(t *testing.T) {
	f := fixture(t)
	id := f.create(msg())
	f.tasks.refuse = taskstypes.ErrTooManyTasks
	f.block(3)
	require.Zero(t, f.progress(id).Failures, "a full block is nobody's fault")
	f.tasks.refuse = taskstypes.ErrModel
	f.block(1)
	require.Equal(t, uint32(1), f.progress(id).Failures)
	f.block(3)
	require.Equal(t, uint32(1), f.progress(id).Failures)
	f.block(80)
	require.Equal(t, types.STATE_PAUSED, f.progress(id).State)
	require.Contains(t, f.progress(id).Reason, "invalid model")
}

// TestDiverged pauses a training whose numbers are none, and earns no score any more.
func TestDiverged(t *testing.T) {
	f := fixture(t)
	f.recipe()
	m := msg()
	m.Recipe = "r"
	id := f.create(m)
	f.block(1)
	require.True(t, f.tasks.reqs[0].Scored)
	f.end(id, 0, func(e *taskstypes.Ended) { e.NotFinite = true })
	p := f.progress(id)
	require.Equal(t, types.STATE_PAUSED, p.State)
	require.Contains(t, p.Reason, "diverged")
	_, err := deliver(f, f.msgs.ResumeJob, &types.MsgResumeJob{Owner: who(1), JobId: id})
	require.NoError(t, err)
	f.block(1)
	require.False(t, f.tasks.reqs[1].Scored, "void of score once the flag is set")
}

func (f *fix) recipe() {
	_, err := deliver(f, f.msgs.RegisterRecipe, &types.MsgRegisterRecipe{Authority: authority, Recipe: types.Recipe{
		Id: "r", Model: "trainer", InputRoot: hash(200), Steps: 10, FiniteOutput: "loss",
	}})
	require.NoError(f.t, err)
}

// TestRecipe pays score for every step once, to one job at a time.
func TestRecipe(t *testing.T) {
	f := fixture(t)
	bad := types.Recipe{Id: "r", Model: "trainer", InputRoot: hash(200), Steps: 10, FiniteOutput: "loss"}
	_, err := deliver(f, f.msgs.RegisterRecipe, &types.MsgRegisterRecipe{Authority: who(1), Recipe: bad})
	require.Error(t, err, "governance only")
	bad.Model = "none"
	_, err = deliver(f, f.msgs.RegisterRecipe, &types.MsgRegisterRecipe{Authority: authority, Recipe: bad})
	require.ErrorIs(t, err, types.ErrPlan)
	f.recipe()
	for name, spoil := range map[string]func(*types.MsgCreateJob){
		"steps":  func(m *types.MsgCreateJob) { m.Steps = 9 },
		"output": func(m *types.MsgCreateJob) { m.FiniteOutput = "w" },
	} {
		m := msg()
		m.Recipe = "r"
		spoil(m)
		_, err := deliver(f, f.msgs.CreateJob, m)
		require.ErrorIs(t, err, types.ErrRecipe, name)
	}
	first, second := msg(), msg()
	first.Recipe, second.Recipe, second.Owner, second.Result.Id = "r", "r", who(2), "other"
	a, b := f.create(first), f.create(second)
	f.block(1)
	require.True(t, f.tasks.reqs[0].Scored)
	require.False(t, f.tasks.reqs[1].Scored, "another job earns it")
	f.end(a, 0, nil)
	require.True(t, f.tasks.reqs[2].Scored)
	_, err = deliver(f, f.msgs.CancelJob, &types.MsgCancelJob{Owner: who(1), JobId: a})
	require.NoError(t, err)
	f.end(b, 0, nil) // steps 0 to 3, which were done
	require.False(t, f.tasks.reqs[3].Scored, "the segment from 4 still runs for the job that is given up")
	f.end(a, 0, nil)
	f.end(b, 0, nil) // steps 4 to 7, done as well
	require.True(t, f.tasks.reqs[4].Scored, "nobody else earns it now, and step 8 was never done")
	r, err := f.keeper.RecipeProgress.Get(f.ctx, "r")
	require.NoError(t, err)
	require.Equal(t, types.RecipeProgress{Job: b, Done: 8}, r)
	f.end(b, 0, nil)
	third := msg()
	third.Recipe, third.Owner, third.Result.Id = "r", who(3), "third"
	c := f.create(third)
	f.block(1)
	require.False(t, f.tasks.reqs[5].Scored, "all of it was done")
	_, err = deliver(f, f.msgs.RemoveRecipe, &types.MsgRemoveRecipe{Authority: who(1), Id: "r"})
	require.Error(t, err, "governance only")
	_, err = deliver(f, f.msgs.RemoveRecipe, &types.MsgRemoveRecipe{Authority: authority, Id: "r"})
	require.NoError(t, err)
	f.end(c, 0, nil)
	require.False(t, f.tasks.reqs[6].Scored)
}

// TestRecipeIsDoneFromItsStart: where a recipe is registered anew a job that is further on has not done the steps before.
func TestRecipeIsDoneFromItsStart(t *testing.T) {
	f := fixture(t)
	f.recipe()
	m := msg()
	m.Recipe = "r"
	id := f.create(m)
	f.block(1)
	f.end(id, 0, nil)
	_, err := deliver(f, f.msgs.RemoveRecipe, &types.MsgRemoveRecipe{Authority: authority, Id: "r"})
	require.NoError(t, err)
	f.recipe()
	f.end(id, 0, nil)
	r, err := f.keeper.RecipeProgress.Get(f.ctx, "r")
	require.NoError(t, err)
	require.Zero(t, r.Done, "steps 4 to 7 do not make 0 to 3 done")
}

// TestRecipeOfAnotherRun: a job follows the recipe that it was created for. Where another takes its name it earns nothing for it, and its steps are none of that one's.
func TestRecipeOfAnotherRun(t *testing.T) {
	for name, change := range map[string]func(*types.Recipe){
		"the same, from the start": func(*types.Recipe) {},
		"shorter":                  func(r *types.Recipe) { r.Steps = 3 },
		"other inputs":             func(r *types.Recipe) { r.InputRoot = hash(201) },
	} {
		t.Run(name, func(t *testing.T) {
			f := fixture(t)
			f.recipe()
			m := msg()
			m.Recipe = "r"
			far, near := f.create(m), uint64(0)
			f.block(1)
			f.end(far, 0, nil)
			m = msg()
			m.Recipe, m.Owner, m.Result.Id = "r", who(2), "other"
			near = f.create(m)
			f.block(1)
			_, err := deliver(f, f.msgs.RemoveRecipe, &types.MsgRemoveRecipe{Authority: authority, Id: "r"})
			require.NoError(t, err)
			recipe := types.Recipe{Id: "r", Model: "trainer", InputRoot: hash(200), Steps: 10, FiniteOutput: "loss"}
			change(&recipe)
			_, err = deliver(f, f.msgs.RegisterRecipe, &types.MsgRegisterRecipe{Authority: authority, Recipe: recipe})
			require.NoError(t, err)
			was := len(f.tasks.reqs)
			f.end(far, 0, nil)
			require.False(t, f.tasks.reqs[was].Scored, "what comes before step 8 was not done under this recipe, and could earn score again")
			f.end(near, 0, nil)
			r, err := f.keeper.RecipeProgress.Get(f.ctx, "r")
			require.NoError(t, err)
			same := name == "the same, from the start"
			require.Equal(t, same, f.tasks.reqs[was+1].Scored)
			require.Equal(t, same, r.Done == 4)
			f.block(1)
		})
	}
}

func TestFinishRefuses(t *testing.T) {
	good := func(id uint64) *types.MsgFinishJob {
		return &types.MsgFinishJob{Sender: who(6), JobId: id, StateRoots: states(10), BaseRoots: [][]byte{hash(20), hash(21)}, WeightsCid: "cid"}
	}
	f := fixture(t)
	id := f.create(msg())
	f.block(1)
	f.end(id, 0, nil)
	_, err := deliver(f, f.msgs.FinishJob, good(id))
	require.ErrorIs(t, err, types.ErrState, "it is not trained")
	f.end(id, 0, nil)
	f.end(id, 0, nil)
	for name, c := range map[string]struct {
		spoil func(*types.MsgFinishJob)
		want  error
	}{
		"unknown job":      {func(m *types.MsgFinishJob) { m.JobId = 7 }, types.ErrUnknownJob},
		"sender":           {func(m *types.MsgFinishJob) { m.Sender = "x" }, types.ErrAddress},
		"other states":     {func(m *types.MsgFinishJob) { m.StateRoots = states(8) }, types.ErrRoots},
		"few states":       {func(m *types.MsgFinishJob) { m.StateRoots = m.StateRoots[:2] }, types.ErrRoots},
		"short state":      {func(m *types.MsgFinishJob) { m.StateRoots[1] = nil }, types.ErrRoots},
		"other constants":  {func(m *types.MsgFinishJob) { m.BaseRoots[1] = hash(1) }, types.ErrRoots},
		"no constants":     {func(m *types.MsgFinishJob) { m.BaseRoots = nil }, types.ErrRoots},
		"a stranger's id":  {func(m *types.MsgFinishJob) { m.Id = "stolen" }, types.ErrNotOwner},
		"a stranger's bps": {func(m *types.MsgFinishJob) { m.RoyaltyBps = 1 }, types.ErrNotOwner},
	} {
		m := good(id)
		c.spoil(m)
		_, err := deliver(f, f.msgs.FinishJob, m)
		require.ErrorIs(t, err, c.want, name)
	}
	f.models.models["mine"] = modelstypes.Model{Id: "mine"}
	_, err = deliver(f, f.msgs.FinishJob, good(id))
	require.ErrorIs(t, err, modelstypes.ErrModelExists, "somebody was faster")
	m := good(id)
	m.Sender, m.Id = who(1), "renamed"
	res, err := deliver(f, f.msgs.FinishJob, m)
	require.NoError(t, err)
	require.Equal(t, "renamed", res.Model)
}

// TestGenesis exports and imports jobs in every state.
func TestGenesis(t *testing.T) {
	f := fixture(t)
	f.recipe()
	var ids []uint64
	for i := range byte(4) {
		m := msg()
		m.Owner, m.Recipe, m.Result.Id = who(i+1), "r", string(rune('a'+i))
		ids = append(ids, f.create(m))
	}
	f.block(1)
	f.end(ids[0], 10, nil)
	f.end(ids[1], 0, nil)
	f.end(ids[1], 0, nil)
	f.end(ids[1], 0, lost)
	_, err := deliver(f, f.msgs.CancelJob, &types.MsgCancelJob{Owner: who(3), JobId: ids[2]})
	require.NoError(t, err)
	f.end(ids[3], 0, func(e *taskstypes.Ended) { e.NotFinite = true })
	g, err := f.keeper.ExportGenesis(f.ctx)
	require.NoError(t, err)
	require.NoError(t, g.Validate())
	n := fixture(t)
	n.bank.balances = f.bank.balances
	require.NoError(t, n.keeper.InitGenesis(n.ctx, *g))
	require.NoError(t, n.keeper.CheckInvariants(n.ctx))
	again, err := n.keeper.ExportGenesis(n.ctx)
	require.NoError(t, err)
	require.Equal(t, g, again)
	n.ctx, n.tasks.opened = f.ctx, f.tasks.opened

	for name, spoil := range map[string]func(*types.GenesisState){
		"order":      func(g *types.GenesisState) { g.Jobs[0], g.Jobs[1] = g.Jobs[1], g.Jobs[0] },
		"escrow":     func(g *types.GenesisState) { g.Jobs[0].Progress.Escrow = g.Jobs[0].Progress.Escrow.Neg() },
		"state":      func(g *types.GenesisState) { g.Jobs[0].Progress.State = 9 },
		"step":       func(g *types.GenesisState) { g.Jobs[0].Progress.Step = 99 },
		"checkpoint": func(g *types.GenesisState) { g.Jobs[0].Checkpoints[0].StateRoot = nil },
		"recipe":     func(g *types.GenesisState) { g.Recipes = append(g.Recipes, g.Recipes[0]) },
		"params":     func(g *types.GenesisState) { g.Params.MaxSegments = 0 },
	} {
		spoilt, err := f.keeper.ExportGenesis(f.ctx)
		require.NoError(t, err)
		spoil(spoilt)
		require.Error(t, spoilt.Validate(), name)
	}
	g.Jobs[1].Checkpoints = g.Jobs[1].Checkpoints[:0]
	lost := fixture(t)
	lost.bank.balances = f.bank.balances
	require.ErrorIs(t, lost.keeper.InitGenesis(lost.ctx, *g), types.ErrInvariant, "a job stands where it has no checkpoint")
	short := fixture(t)
	require.ErrorIs(t, short.keeper.InitGenesis(short.ctx, *g), types.ErrInvariant, "the budgets are not there")
}

func TestQueries(t *testing.T) {
	f := fixture(t)
	id := f.create(msg())
	other := msg()
	other.Owner, other.Result = who(2), nil
	f.create(other)
	f.block(1)
	jobs, err := f.query.Jobs(f.ctx, &types.QueryJobsRequest{})
	require.NoError(t, err)
	require.Len(t, jobs.Jobs, 2)
	jobs, err = f.query.Jobs(f.ctx, &types.QueryJobsRequest{Owner: who(1)})
	require.NoError(t, err)
	require.Equal(t, id, jobs.Jobs[0].Job.Id)
	one, err := f.query.JobOfTask(f.ctx, &types.QueryJobOfTaskRequest{TaskId: f.progress(id).Task})
	require.NoError(t, err)
	require.Equal(t, id, one.Job.Id)
	_, err = f.query.Job(f.ctx, &types.QueryJobRequest{Id: 5})
	require.Error(t, err)
	quote, err := f.query.Estimate(f.ctx, &types.QueryEstimateRequest{Model: "trainer", Steps: 10, SegmentSteps: 4})
	require.NoError(t, err)
	require.Equal(t, int64(1_200), quote.Quote.Budget.Amount.Int64())
	require.Equal(t, uint64(3), quote.Quote.Segments)
	_, err = f.query.Estimate(f.ctx, &types.QueryEstimateRequest{Model: "trainer", Steps: 0, SegmentSteps: 4})
	require.Error(t, err)
}

// TestRandomEnds ends segments in any way and order: coins are conserved, invariants hold, and every job ends somewhere.
func TestRandomEnds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := fixture(t)
		f.recipe()
		var ids []uint64
		for i := range byte(3) {
			m := msg()
			m.Owner, m.Result.Id = who(i+1), string(rune('a'+i))
			m.Budget = coin(rapid.Int64Range(400, 4_000).Draw(t, "budget"))
			if rapid.Bool().Draw(t, "recipe") {
				m.Recipe = "r"
			}
			ids = append(ids, f.create(m))
		}
		f.block(1)
		for range 40 {
			id := ids[rapid.IntRange(0, 2).Draw(t, "job")]
			p := f.progress(id)
			owner := who(byte(id&0xff) + 1)
			switch {
			case p.Task != 0:
				ends := []func(*taskstypes.Ended){nil, nil, expired, func(e *taskstypes.Ended) { e.NotFinite = true }}
				if p.Step > 0 {
					ends = append(ends, lost)
				}
				f.end(id, rapid.Int64Range(0, 200).Draw(t, "refund"), ends[rapid.IntRange(0, len(ends)-1).Draw(t, "end")])
			case p.State == types.STATE_PAUSED && rapid.Bool().Draw(t, "resume"):
				_, err := deliver(f, f.msgs.ResumeJob, &types.MsgResumeJob{Owner: owner, JobId: id})
				require.NoError(t, err)
				f.block(1)
			case !p.State.Ended() && p.State != types.STATE_TRAINED && rapid.IntRange(0, 9).Draw(t, "cancel") == 0:
				_, err := deliver(f, f.msgs.CancelJob, &types.MsgCancelJob{Owner: owner, JobId: id})
				require.NoError(t, err)
				f.block(1)
			default:
				f.block(1)
			}
		}
	})
}
