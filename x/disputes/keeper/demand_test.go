package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/commit"
	"poaid/engine"
	"poaid/engine/graphpb"
	"poaid/game"
	"poaid/x/disputes/types"
	taskstypes "poaid/x/tasks/types"
)

// byCid makes a task's input one that is not on the chain.
func (f *fix) byCid(id uint64) {
	x := must(f.tasks.get(f.ctx, id))
	x.Inputs.Tensors[0].Data, x.Inputs.Tensors[0].Cid = nil, "cid"
	f.tasks.put(f.ctx, x)
}

func (f *fix) demand(person int, id uint64, source types.Source, name string, first uint64, count uint32) (uint32, error) {
	res, err := deliver(f, f.msgs.DemandBytes, &types.MsgDemandBytes{
		Participant: who(person), TaskId: id, Source: source, Name: name, First: first, Count: count,
	})
	if err != nil {
		return 0, err
	}
	return res.Demand, nil
}

// answer is what an honest producer sends.
func (f *fix) answer(id uint64, demand uint32, source types.Source, index int, first, count uint64) *types.MsgProduceBytes {
	f.tb.Helper()
	kind, tree := graphpb.REF_KIND_WEIGHT, game.TreeWeights
	if source == types.SOURCE_INPUT {
		kind, tree = graphpb.REF_KIND_INPUT, game.TreeInputs
	}
	tr := f.world.trace(0)
	x := must(tr.Tensor(0, engine.OperandRef{Kind: kind, Index: index}))
	r := game.RangeProof{First: first, Data: x.Data[first*commit.ChunkSize : min((first+count)*commit.ChunkSize, uint64(len(x.Data)))], Siblings: must(x.Tree.Prove(first, count))}
	msg := &types.MsgProduceBytes{Producer: who(9), TaskId: id, Demand: demand, TensorRoot: x.Root[:], Range: types.EncodeRange(r)}
	for _, h := range must(must(tr.Tree(tree, 0)).Prove(uint64(index), 1)) {
		msg.Member = append(msg.Member, h[:])
	}
	return msg
}

func TestDemandRefused(t *testing.T) {
	f := fixture(t)
	id := f.task(0, 0)
	weight, input := types.SOURCE_WEIGHT, types.SOURCE_INPUT
	for name, c := range map[string]struct {
		person int
		task   uint64
		source types.Source
		tensor string
		first  uint64
		count  uint32
		want   error
	}{
		"unknown task":     {0, 9, weight, "w", 0, 1, types.ErrUnknownTask},
		"no party":         {5, id, weight, "w", 0, 1, types.ErrNotParty},
		"no source":        {0, id, 0, "w", 0, 1, types.ErrDemand},
		"unknown weight":   {0, id, weight, "v", 0, 1, types.ErrDemand},
		"unknown input":    {0, id, input, "v", 0, 1, types.ErrDemand},
		"inline input":     {0, id, input, "x", 0, 1, types.ErrDemand},
		"nothing":          {0, id, weight, "w", 0, 0, types.ErrDemand},
		"too much":         {0, id, weight, "w", 0, 33, types.ErrDemand},
		"behind the end":   {0, id, weight, "w", 8, 1, types.ErrDemand},
		"over the end":     {0, id, weight, "w", 7, 2, types.ErrDemand},
		"far, overflowing": {0, id, weight, "w", 1<<64 - 1, 2, types.ErrDemand},
	} {
		_, err := f.demand(c.person, c.task, c.source, c.tensor, c.first, c.count)
		require.ErrorIs(t, err, c.want, name)
	}
	for range 3 {
		_, err := f.demand(1, id, weight, "w", 0, 8)
		require.NoError(t, err)
	}
	_, err := f.demand(0, id, weight, "w", 0, 1)
	require.ErrorIs(t, err, types.ErrTooManyDemands)
	f.check()
}

// Bytes that are produced are paid for, and only those that were demanded.
func TestProduce(t *testing.T) {
	for _, c := range []struct {
		source types.Source
		name   string
		first  uint64
		count  uint32
	}{{types.SOURCE_WEIGHT, "w", 2, 3}, {types.SOURCE_INPUT, "x", 1, 1}, {types.SOURCE_WEIGHT, "w", 7, 1}} {
		f := fixture(t)
		id := f.task(0)
		f.byCid(id)
		d, err := f.demand(0, id, c.source, c.name, c.first, c.count)
		require.NoError(t, err)
		good := func() *types.MsgProduceBytes { return f.answer(id, d, c.source, 0, c.first, uint64(c.count)) }
		for name, x := range map[string]struct {
			change func(*types.MsgProduceBytes)
			want   error
		}{
			"no address":    {func(m *types.MsgProduceBytes) { m.Producer = "" }, types.ErrAddress},
			"no demand":     {func(m *types.MsgProduceBytes) { m.Demand = 7 }, types.ErrUnknownDemand},
			"a flipped bit": {func(m *types.MsgProduceBytes) { m.Range.Data[3] ^= 1 }, types.ErrProof},
			"other chunks":  {func(m *types.MsgProduceBytes) { m.Range.First ^= 1 }, types.ErrProof},
			"no bytes":      {func(m *types.MsgProduceBytes) { m.Range.Data = nil }, types.ErrProof},
			"another root":  {func(m *types.MsgProduceBytes) { m.TensorRoot[0] ^= 1 }, types.ErrProof},
			"short root":    {func(m *types.MsgProduceBytes) { m.TensorRoot = m.TensorRoot[1:] }, types.ErrLength},
			"short member":  {func(m *types.MsgProduceBytes) { m.Member = append(m.Member, nil) }, types.ErrLength},
			"long member":   {func(m *types.MsgProduceBytes) { m.Member = append(m.Member, make([]byte, 32)) }, types.ErrProof},
			"short sibling": {func(m *types.MsgProduceBytes) { m.Range.Siblings = append(m.Range.Siblings, nil) }, types.ErrLength},
		} {
			msg := good()
			msg.Range.Data = append([]byte(nil), msg.Range.Data...)
			msg.TensorRoot = append([]byte(nil), msg.TensorRoot...)
			x.change(msg)
			_, err := deliver(f, f.msgs.ProduceBytes, msg)
			require.ErrorIs(t, err, x.want, name)
		}
		before := f.balance(who(9))
		require.NoError(t, f.keeper.CheckProduce(f.ctx, good()))
		_, err = deliver(f, f.msgs.ProduceBytes, good())
		require.NoError(t, err)
		require.Equal(t, before+77, f.balance(who(9)))
		_, err = deliver(f, f.msgs.ProduceBytes, good())
		require.ErrorIs(t, err, types.ErrUnknownDemand, "once")
		f.blocks(8)
		require.Equal(t, taskstypes.STATE_REVEALED, must(f.tasks.get(f.ctx, id)).Status.State)
	}
}

// Bytes that nobody produces void the task: everybody is released, games end, and the fee goes back.
func TestExpiredDemandVoidsACase(t *testing.T) {
	for _, source := range []types.Source{types.SOURCE_INPUT, types.SOURCE_WEIGHT} {
		f, id, _ := disputed(t)
		f.byCid(id)
		for i := range 4 {
			_, err := f.claim(6+i, id, 2)
			require.NoError(t, err)
		}
		attack, err := f.attack(6, id, 5)
		require.NoError(t, err)
		before := f.balance(who(6))
		_, err = f.demand(6, id, source, map[types.Source]string{types.SOURCE_INPUT: "x", types.SOURCE_WEIGHT: "w"}[source], 0, 1)
		require.NoError(t, err, "a claimant may")
		require.Equal(t, before-77, f.balance(who(6)))
		f.full = true // games go on
		f.blocks(7)
		c := f.one(id)
		require.Equal(t, types.CASE_STATE_SETTLING, c.State)
		require.Equal(t, types.OUTCOME_VOID, c.Outcome)
		f.blocks(2)
		require.Equal(t, types.CASE_STATE_CLOSED, f.one(id).State)
		x := must(f.tasks.get(f.ctx, id))
		require.Equal(t, source == types.SOURCE_INPUT, *x.VoidInput)
		require.Nil(t, x.Resolution)
		require.Equal(t, types.GAME_RESULT_MOOT, f.game(id, attack).Result)
		s := f.poai.state(f.ctx)
		require.Empty(t, s.Locks)
		require.Empty(t, s.Lies)
		require.Equal(t, int64(funds), f.balance(who(6)), "stake and fee are back")
	}
}

// A verdict waits for bytes that were demanded in time; later nobody can put it off.
func TestVerdictWaitsForBytes(t *testing.T) {
	f, id, index := disputed(t)
	f.params(func(p *types.Params) { p.DemandBlocks = 30 })
	d, err := f.demand(5, id, types.SOURCE_WEIGHT, "w", 0, 1)
	require.NoError(t, err)
	require.Equal(t, who(5), f.through(id, index).Winner)
	c := f.one(id)
	f.blocks(c.ClaimUntil + 1 - f.ctx.BlockHeight())
	_, err = f.demand(5, id, types.SOURCE_WEIGHT, "w", 0, 1)
	require.ErrorIs(t, err, types.ErrDeadline)
	f.blocks(c.SupportUntil + 5 - f.ctx.BlockHeight())
	require.Equal(t, types.CASE_STATE_OPEN, f.one(id).State)
	_, err = deliver(f, f.msgs.ProduceBytes, f.answer(id, d, types.SOURCE_WEIGHT, 0, 0, 1))
	require.NoError(t, err)
	f.blocks(2)
	require.Equal(t, types.CASE_STATE_CLOSED, f.one(id).State)
}

// Without a case a worker may ask too; a task that has ended meanwhile stays as it is.
func TestExpiredDemandWithoutCase(t *testing.T) {
	f := fixture(t)
	id, ended := f.task(0), f.task(0)
	for _, task := range []uint64{id, ended} {
		_, err := f.demand(0, task, types.SOURCE_WEIGHT, "w", 0, 1)
		require.NoError(t, err)
	}
	x := must(f.tasks.get(f.ctx, ended))
	x.Status.State = taskstypes.STATE_FINAL
	f.tasks.put(f.ctx, x)
	f.blocks(7)
	require.NotNil(t, must(f.tasks.get(f.ctx, id)).VoidInput)
	require.Nil(t, must(f.tasks.get(f.ctx, ended)).VoidInput)
	require.Equal(t, int64(funds), f.balance(who(0)))
	_, err := f.demand(0, ended, types.SOURCE_WEIGHT, "w", 0, 1)
	require.ErrorIs(t, err, types.ErrState)
}

// suspected is a case in which the worker and three members have the same wrong root, and the worker was refuted.
func suspected(t *testing.T) (*fix, uint64) {
	t.Helper()
	f := fixture(t)
	id := f.task(1, 1, 1, 1)
	index, err := f.claim(5, id, 0)
	require.NoError(t, err)
	require.Equal(t, types.GAME_RESULT_REFUTED, f.through(id, index).Result)
	require.Equal(t, "matmul@1", f.one(id).Suspect)
	require.Empty(t, must(f.queries.Quarantines(f.ctx, nil)).Quarantines, "nothing is decided yet")
	for f.one(id).State == types.CASE_STATE_OPEN {
		f.blocks(1)
		for _, g := range f.running(id) {
			f.through(id, g.Index)
		}
	}
	c := f.one(id)
	require.Equal(t, types.CASE_STATE_HELD, c.State)
	require.Equal(t, types.OUTCOME_OVERTURNED, c.Outcome)
	require.ErrorIs(t, f.keeper.Hooks().BeforeTaskSubmitted(f.ctx, "toy"), types.ErrQuarantined)
	return f, id
}

func (f *fix) settleSuspect(id uint64, acquit bool) {
	f.tb.Helper()
	_, err := deliver(f, f.msgs.SettleSuspect, &types.MsgSettleSuspect{Authority: who(5), TaskId: id, Acquit: acquit})
	require.Error(f.tb, err, "governance only")
	_, err = deliver(f, f.msgs.SettleSuspect, &types.MsgSettleSuspect{Authority: authority, TaskId: id, Acquit: acquit})
	require.NoError(f.tb, err)
}

func TestSuspectAcquitted(t *testing.T) {
	f, id := suspected(t)
	f.settleSuspect(id, true)
	require.Equal(t, types.OUTCOME_ACQUITTED, f.settle(id).Outcome)
	s := f.poai.state(f.ctx)
	require.Empty(t, s.Lies)
	require.Empty(t, s.Locks)
	require.Empty(t, must(f.tasks.get(f.ctx, id)).Resolution.ValidRoot)
	f.blocks(20)
	require.ErrorIs(t, f.keeper.Hooks().BeforeTaskSubmitted(f.ctx, "toy"), types.ErrQuarantined, "until it is lifted")
	_, err := deliver(f, f.msgs.LiftQuarantine, &types.MsgLiftQuarantine{Authority: who(5), Op: "matmul@1"})
	require.Error(t, err)
	_, err = deliver(f, f.msgs.LiftQuarantine, &types.MsgLiftQuarantine{Authority: authority, Op: "matmul@1"})
	require.NoError(t, err)
	require.NoError(t, f.keeper.Hooks().BeforeTaskSubmitted(f.ctx, "toy"))
	_, err = deliver(f, f.msgs.LiftQuarantine, &types.MsgLiftQuarantine{Authority: authority, Op: "matmul@1"})
	require.ErrorIs(t, err, types.ErrUnknownQuarantine)
}

func TestSuspectCondemned(t *testing.T) {
	f, id := suspected(t)
	f.settleSuspect(id, false)
	require.NoError(t, f.keeper.Hooks().BeforeTaskSubmitted(f.ctx, "toy"))
	require.Equal(t, types.OUTCOME_OVERTURNED, f.settle(id).Outcome)
	require.Len(t, f.poai.state(f.ctx).Lies, 4)
	_, err := deliver(f, f.msgs.SettleSuspect, &types.MsgSettleSuspect{Authority: authority, TaskId: id})
	require.ErrorIs(t, err, types.ErrState)
}

// Without a decision a bought committee pays after appeal_blocks as any other.
func TestSuspectUndecided(t *testing.T) {
	f, id := suspected(t)
	until := f.one(id).HeldUntil
	require.Equal(t, types.OUTCOME_OVERTURNED, f.settle(id).Outcome)
	require.Greater(t, f.ctx.BlockHeight(), until)
	require.Len(t, f.poai.state(f.ctx).Lies, 4)
	require.NoError(t, f.keeper.Hooks().BeforeTaskSubmitted(f.ctx, "toy"))
	require.Empty(t, must(f.queries.Quarantines(f.ctx, nil)).Quarantines)
}

// Silence, a dissenting member, a supporter refuted on purpose, too few seats: none of them raises a suspicion.
func TestNoSuspicion(t *testing.T) {
	f := fixture(t)
	id := f.task(1, 1, 1)
	_, err := f.claim(5, id, 0)
	require.NoError(t, err)
	f.blocks(8)
	require.Equal(t, types.GAME_RESULT_SILENCE, f.game(id, 1).Result)
	require.Empty(t, f.one(id).Suspect)

	few := f.task(1, 1)
	index, err := f.claim(5, few, 0)
	require.NoError(t, err)
	require.Equal(t, types.GAME_RESULT_REFUTED, f.through(few, index).Result)
	require.Empty(t, f.one(few).Suspect)

	dissent := f.task(1, 1, 1, 0)
	require.Equal(t, types.GAME_RESULT_REFUTED, f.through(dissent, 1).Result)
	require.Empty(t, f.one(dissent).Suspect)
}

// Somebody supports the right root, plays a lie for it against a friend and is refuted: the op is not suspected for that.
func TestSupporterRefutedOnPurpose(t *testing.T) {
	f := fixture(t)
	id := f.task(0, 0, 0)
	_, err := f.claim(5, id, 1)
	require.NoError(t, err)
	_, err = f.claim(6, id, 0)
	require.NoError(t, err)
	index, err := f.attack(5, id, 6)
	require.NoError(t, err)
	f.play(id, index, 0) // the defender opens the truth
	f.play(id, index, 1) // and the friend does not accept the states
	for f.game(id, index).Result == types.GAME_RESULT_UNSPECIFIED {
		f.play(id, index, map[string]int{who(6): 2, who(5): 0}[mover(f.game(id, index))])
	}
	require.Equal(t, types.GAME_RESULT_REFUTED, f.game(id, index).Result)
	require.Empty(t, f.one(id).Suspect)
	f.through(id, 1)
	c := f.settle(id)
	require.Equal(t, types.OUTCOME_UPHELD, c.Outcome)
	require.Equal(t, map[string]int{who(5): 1}, f.poai.state(f.ctx).Lies, "the bad player keeps its lock: its root was right")
}
