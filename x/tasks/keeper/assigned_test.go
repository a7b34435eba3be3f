package keeper_test

import (
	"context"
	"errors"
	"testing"

	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	"github.com/stretchr/testify/require"

	"poaid/x/tasks/types"
)

// endings remembers what was told about tasks that a module opened; it refuses while fail is set.
type endings struct {
	told []types.Ended
	fail bool
}

func (e *endings) AfterTaskEnded(_ context.Context, end types.Ended) error {
	if e.fail {
		return errors.New("not now")
	}
	e.told = append(e.told, end)
	return nil
}

// audit opens an owed run of digits, whose committee serves another model.
func (f *fix) audit(worker, n int) uint64 {
	f.tb.Helper()
	id, err := f.keeper.OpenAudit(f.ctx, f.auditRequest(worker, n))
	require.NoError(f.tb, err)
	f.check()
	return id
}

func (f *fix) auditRequest(worker, n int) types.AuditRequest {
	return types.AuditRequest{
		Requester: opener(), Worker: f.who(worker), Model: "old", Pool: "digits", Steps: 1, Inputs: []types.NamedTensor{image(n)},
	}
}

// opener is the account of the module that opens tasks.
func opener() string {
	s, err := fakeAccounts{}.AddressCodec().BytesToString(authtypes.NewModuleAddress(opening))
	if err != nil {
		panic(err)
	}
	return s
}

func (f *fix) ended() types.Ended {
	f.tb.Helper()
	require.Len(f.tb, f.endings.told, 1, "told once")
	return f.endings.told[0]
}

func TestAuditTask(t *testing.T) {
	f := fixture(t)
	f.audits(false)
	id := f.audit(0, 1)
	require.Equal(t, uint64(1)<<24|0xffff<<8, id, "ids of the end of a block follow all of its transactions'")
	require.Equal(t, id+1, f.audit(1, 2))
	task, st, err := f.keeper.GetTask(f.ctx, id)
	require.NoError(t, err)
	require.Equal(t, types.STATE_ASSIGNED, st.State)
	require.Equal(t, f.who(0), st.Worker)
	require.True(t, task.MaxFee.IsZero())
	require.True(t, task.Lock.IsPositive(), "members and claimants risk what they would for any task")
	require.False(t, task.Scored)

	a := f.result(id, 0, 1)
	f.seal(id, a)
	f.until(id, types.STATE_AUDITED)
	require.Equal(t, "digits", f.poai.state(f.ctx).Committees[id].Committee.Model, "the pool's servers check")
	members := f.members(id)
	require.NotContains(t, members, f.who(0))
	f.sealSeats(id)
	f.reveal(id, a)
	for _, m := range members {
		require.NoError(t, f.poai.revealSeat(f.ctx, id, m, a.root[:]))
	}
	f.until(id, types.STATE_FINAL)
	var end types.Ended
	for _, e := range f.endings.told {
		if e.Task.Id == id {
			end = e
		}
	}
	require.Equal(t, types.STATE_FINAL, end.State)
	require.NotNil(t, end.Result)
	require.Equal(t, f.who(0), end.Worker)
	for _, c := range f.credits(id) {
		if c.Participant == f.who(0) {
			require.Zero(t, c.ScoreUnits, "who owes a run is not paid for it")
			continue
		}
		require.Equal(t, uint64(1), c.ScoreUnits, "checking it is work like any other")
	}
	require.Len(t, f.credits(id), 1+len(members))
	require.Empty(t, f.slashes(id))
	pay := f.payment(id)
	require.True(t, pay.Worker.Add(pay.Verifiers).Add(pay.Royalty).Add(pay.Burnt).Add(pay.Refund).IsZero())
	f.until(id+1, types.STATE_EXPIRED)
}

// TestAuditTaskIsAlwaysAudited: no reliability and no coin spares a worker that owes a run.
func TestAuditTaskIsAlwaysAudited(t *testing.T) {
	f := fixture(t)
	f.audits(false)
	for i := range 3 {
		id := f.audit(i, i+1)
		f.seal(id, f.result(id, 0, 1))
		f.until(id, types.STATE_AUDITED)
	}
}

func TestAuditTaskBeyondConcurrency(t *testing.T) {
	f := fixture(t)
	for i := range 6 { // four places
		f.audit(0, i+1)
	}
}

func TestAuditTaskSilent(t *testing.T) {
	f := fixture(t)
	id := f.audit(0, 1)
	f.until(id, types.STATE_EXPIRED)
	end := f.ended()
	require.Equal(t, types.STATE_EXPIRED, end.State)
	require.Nil(t, end.Result)
	require.Empty(t, f.slashes(id), "what is at risk is the module's to take, once")
	require.NotEmpty(t, end.Evidence.Reference)
	f.block(60)
	require.Len(t, f.endings.told, 1, "nobody else is drawn")
	require.True(t, f.status(id).Pruned)
}

func TestAuditTaskSealedAndSilent(t *testing.T) {
	f := fixture(t)
	id := f.audit(0, 1)
	f.seal(id, f.result(id, 0, 1))
	f.until(id, types.STATE_AUDITED)
	f.sealSeats(id)
	f.until(id, types.STATE_EXPIRED)
	require.Equal(t, types.STATE_EXPIRED, f.ended().State)
	require.NotContains(t, f.slashes(id), f.who(0)+"/1/10000/true", "what is at risk is the module's to take, once")
	require.Len(t, f.ended().Evidence.Seal, 32)
}

func TestAuditTaskDispute(t *testing.T) {
	for _, c := range []struct {
		name  string
		valid func(a answer) []byte
		want  types.State
		heirs []string
	}{
		{"upheld", func(a answer) []byte { return a.root[:] }, types.STATE_FINAL, nil},
		{"overturned", func(answer) []byte { return root(9) }, types.STATE_EXPIRED, []string{address(11)}},
		{"nobody's fault", func(answer) []byte { return nil }, types.STATE_REFUNDED, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := fixture(t)
			id := f.audit(0, 1)
			a := f.result(id, 0, 1)
			f.seal(id, a)
			f.until(id, types.STATE_AUDITED)
			f.sealSeats(id)
			f.reveal(id, a)
			for _, m := range f.members(id) {
				require.NoError(t, f.poai.revealSeat(f.ctx, id, m, a.root[:]))
			}
			require.Equal(t, types.STATE_REVEALED, f.state(id))
			_, err := f.contest(id)
			require.NoError(t, err)
			f.block(3)
			require.Empty(t, f.endings.told)
			require.NoError(t, f.resolve(id, c.valid(a), f.who(11)))
			f.check()
			end := f.ended()
			require.Equal(t, c.want, end.State)
			require.Equal(t, c.heirs, end.Heirs)
			require.Equal(t, c.want, f.state(id))
			f.block(60)
			require.Len(t, f.endings.told, 1)
		})
	}
}

// TestAuditTaskHookPutsOff: while the module cannot take the end in, nothing of it happens.
func TestAuditTaskHookPutsOff(t *testing.T) {
	f := fixture(t)
	id := f.audit(0, 1)
	f.endings.fail = true
	f.block(20)
	require.Equal(t, types.STATE_ASSIGNED, f.state(id))
	require.Empty(t, f.slashes(id))
	f.endings.fail = false
	f.until(id, types.STATE_EXPIRED)
	require.Len(t, f.endings.told, 1)
}

func TestOpenAuditRefuses(t *testing.T) {
	f := fixture(t)
	for name, c := range map[string]struct {
		spoil func(*types.AuditRequest)
		want  error
	}{
		"requester": {func(r *types.AuditRequest) { r.Requester = "x" }, types.ErrAddress},
		"steps":     {func(r *types.AuditRequest) { r.Steps = 2 }, types.ErrSteps},
		"no steps":  {func(r *types.AuditRequest) { r.Steps = 0 }, types.ErrSteps},
		"input":     {func(r *types.AuditRequest) { r.Inputs = nil }, types.ErrInput},
		"by cid": {func(r *types.AuditRequest) {
			r.Inputs[0].Data, r.Inputs[0].Cid, r.Inputs[0].Root = nil, "cid", root(1)
		}, types.ErrInput},
		"worker": {func(r *types.AuditRequest) { r.Worker = f.who(10) }, nil},
		"model":  {func(r *types.AuditRequest) { r.Model = "none" }, nil},
	} {
		req := f.auditRequest(0, 1)
		c.spoil(&req)
		_, err := deliver(f, f.keeper.OpenAudit, req)
		require.Error(t, err, name)
		if c.want != nil {
			require.ErrorIs(t, err, c.want, name)
		}
	}
	f.keeper.SetTaskHooks(opening, nil)
	_, err := f.keeper.OpenAudit(f.ctx, f.auditRequest(0, 1))
	require.ErrorIs(t, err, types.ErrNoHooks)
	f.keeper.SetTaskHooks(opening, f.endings)
	for n := range 256 {
		_, err = f.keeper.OpenAudit(f.ctx, f.auditRequest(0, n+1))
		require.NoError(t, err)
	}
	_, err = f.keeper.OpenAudit(f.ctx, f.auditRequest(0, 1))
	require.ErrorIs(t, err, types.ErrTooManyTasks)
	// A transaction cannot have the index that the end of a block stands for.
	_, err = f.msgs.SubmitTask(f.ctx.WithTxIndex(0xffff), digitsMsg(f.who(9), 1))
	require.ErrorIs(t, err, types.ErrTooManyTasks)
}

func TestNobodySubmitsAssigned(t *testing.T) {
	f := fixture(t)
	msg := digitsMsg(f.who(9), 1)
	msg.Allocation = types.ALLOCATION_ASSIGNED
	_, err := deliver(f, f.msgs.SubmitTask, msg)
	require.ErrorIs(t, err, types.ErrAllocation)
}

func TestAuditTaskGenesis(t *testing.T) {
	f := fixture(t)
	id := f.audit(0, 1)
	g, err := f.keeper.ExportGenesis(f.ctx)
	require.NoError(t, err)
	require.NoError(t, g.Validate())
	g.Tasks[0].Task.MaxFee = coin(1)
	require.ErrorIs(t, g.Validate(), types.ErrGenesis, "an owed run has no escrow")
	g.Tasks[0].Task.MaxFee, g.Tasks[0].Task.Allocation = coin(0), types.ALLOCATION_DRAW
	require.ErrorIs(t, g.Validate(), types.ErrGenesis, "any other has one")
	_ = id
}
