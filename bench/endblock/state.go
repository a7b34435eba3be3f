package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"time"

	"cosmossdk.io/collections"
	"cosmossdk.io/log/v2"
	"cosmossdk.io/math"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/testutil"
	beacontypes "poaid/x/beacon/types"
	poaitypes "poaid/x/poai/types"
	taskstypes "poaid/x/tasks/types"
)

const (
	// work is how many tasks are drawn for, and how many are settled, in the busy block.
	work = 100
	// crowd is the model that the many participants serve.
	crowd = "crowd"
	// chunk is how much is written before it is committed.
	chunk = 50_000
)

// sizes of a state.
type sizes struct{ tasks, participants, models int }

// state is a chain of which the next block is busy.
type state struct {
	chain *testutil.Chain
	// busy is the height at which tasks are drawn for and settled.
	busy int64
}

// tb is the harness's testing.TB.
type tb struct{ dirs []string }

// abort ends a run early.
type abort struct{ err error }

// Helper does nothing.
func (*tb) Helper() {}

// Fatalf ends the run.
func (*tb) Fatalf(format string, args ...any) { panic(abort{fmt.Errorf(format, args...)}) }

// TempDir makes a folder that is left to be removed.
func (t *tb) TempDir() string {
	dir, err := os.MkdirTemp("", "bench-endblock-")
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.dirs = append(t.dirs, dir)
	return dir
}

// newState makes a chain with a crew that has tasks to be settled, fills it, and submits tasks to be drawn for.
func newState(n sizes) (st *state, err error) {
	t := &tb{}
	defer func() {
		for _, dir := range t.dirs {
			if e := os.RemoveAll(dir); err == nil {
				err = e
			}
		}
		if r := recover(); r != nil {
			f, ok := r.(abort)
			if !ok {
				panic(r)
			}
			err = f.err
		}
	}()
	c := testutil.NewApp(t, testutil.Options{Accounts: 6, NoInvariants: true, NoCheckTx: true, Genesis: patient})
	c.RegisterEcho(c.Accounts[1])
	c.RegisterEchoAs(c.Accounts[1], crowd)
	crew := c.NewCrew(c.Accounts[2:5]...)
	if err := fill(c, n); err != nil {
		return nil, err
	}
	user := c.Accounts[5]
	for i := range work {
		crew.Work(c.Tx(user, testutil.SubmitEcho(user, uint64(i))))
	}
	// All are revealed long before the first is final, and all become final in one block.
	for range 30 {
		crew.Work()
	}
	st = &state{chain: c, busy: c.Height() + 4}
	if err := st.together(); err != nil {
		return nil, err
	}
	c.Block()
	txs := make([][]byte, work)
	for i := range txs {
		msg := testutil.SubmitEcho(user, uint64(work+i))
		msg.Model = crowd
		txs[i] = c.Tx(user, msg)
	}
	for i, r := range c.Block(txs...).TxResults { // due draw_delay = 2 later
		if r.Code != 0 {
			return nil, fmt.Errorf("submit %d: %s", i, r.Log)
		}
	}
	c.Block()
	if c.Height() != st.busy-1 {
		return nil, fmt.Errorf("at height %d, want %d", c.Height(), st.busy-1)
	}
	return st, nil
}

// patient leaves results open to challenges for long.
func patient(g *testutil.Genesis) {
	var t taskstypes.GenesisState
	g.Get(taskstypes.ModuleName, &t)
	t.Params.ChallengeBlocks, t.Params.RetentionBlocks = 1_000_000, 100_000_000
	g.Set(taskstypes.ModuleName, &t)
	var p poaitypes.GenesisState
	g.Get(poaitypes.ModuleName, &p)
	p.Params.EpochBlocks = 100_000_000
	g.Set(poaitypes.ModuleName, &p)
}

// direct writes into the working state, which the next block commits.
func direct(c *testutil.Chain) sdk.Context {
	return sdk.NewContext(c.App.CommitMultiStore(), cmtproto.Header{ChainID: c.ChainID, Height: c.Height(), Time: c.Time}, false, log.NewNopLogger())
}

// fill writes finished tasks, participants that serve crowd, and models.
func fill(c *testutil.Chain, n sizes) error {
	for _, f := range []struct {
		n     int
		write func(ctx sdk.Context, c *testutil.Chain, i int) error
	}{{n.tasks, finished}, {n.participants, participant}, {n.models, model}} {
		for i := range f.n {
			if err := f.write(direct(c), c, i); err != nil {
				return err
			}
			if i%chunk == chunk-1 {
				c.Block()
			}
		}
		c.Block()
	}
	return nil
}

// finished is a task that ended long ago: its inputs are pruned, its receipt stays.
func finished(ctx sdk.Context, c *testutil.Chain, i int) error {
	k, id, root := c.App.Tasks, uint64(i+1), make([]byte, 32)
	binary.BigEndian.PutUint64(root, id)
	one := math.NewInt(1_000)
	task := taskstypes.Task{
		Id: id, Submitter: c.Accounts[0].String(), Model: testutil.EchoModel, Steps: 1, Allocation: taskstypes.ALLOCATION_DRAW, InputRoot: root,
		MaxFee: testutil.Poai(1)[0], Units: 1, Height: 1, UnitPrice: one, Fee: one, Lock: one, VerifierPayBps: 10_000, BurnBps: 500, Scored: true,
	}
	if err := k.Tasks.Set(ctx, id, task); err != nil {
		return err
	}
	st := taskstypes.Status{
		State: taskstypes.STATE_FINAL, Attempt: 1, Worker: c.Accounts[2].String(), Epoch: 1, ResultRoot: root, AssignedHeight: 1, FinalHeight: 1, UnitsDone: 1, Pruned: true,
	}
	if err := k.Statuses.Set(ctx, id, st); err != nil {
		return err
	}
	zero := math.ZeroInt()
	pay := taskstypes.Payment{Worker: one, Verifiers: zero, Royalty: zero, Burnt: zero, Refund: one, Jackpot: zero, WorkerPrize: zero, MemberPrizes: zero}
	if err := k.Payments.Set(ctx, id, pay); err != nil {
		return err
	}
	if err := k.Seen.Set(ctx, collections.Join(task.Model, root), id); err != nil {
		return err
	}
	return k.BySubmitter.Set(ctx, collections.Join(c.Accounts[0].Addr, id))
}

// participant serves crowd.
func participant(ctx sdk.Context, c *testutil.Chain, i int) error {
	var addr [20]byte
	binary.BigEndian.PutUint64(addr[12:], uint64(i+1))
	p := poaitypes.Participant{
		Address: sdk.AccAddress(addr[:]).String(), Concurrency: 100, Bond: math.NewInt(int64(1_000_000_000 * (1 + i%1_000))), Locked: math.ZeroInt(),
		Unbonding: math.ZeroInt(), ReliabilityPpm: 900_000, WeighedReliabilityPpm: 900_000, Models: 1,
	}
	if err := c.App.Poai.Participants.Set(ctx, p.Address, p); err != nil {
		return err
	}
	_, err := c.App.Poai.Trees.Add(ctx, crowd, p.Address, p.Bond.Uint64())
	return err
}

// model is one more registration of the echo model's program.
func model(ctx sdk.Context, c *testutil.Chain, i int) error {
	k := c.App.Models
	m, err := k.Models.Get(ctx, testutil.EchoModel)
	if err != nil {
		return err
	}
	units, err := k.Units.Get(ctx, m.Id)
	if err != nil {
		return err
	}
	program, err := k.Programs.Get(ctx, m.Id)
	if err != nil {
		return err
	}
	iface, err := k.Interfaces.Get(ctx, m.Id)
	if err != nil {
		return err
	}
	m.Id = fmt.Sprintf("model-%d", i)
	if err := k.Models.Set(ctx, m.Id, m); err != nil {
		return err
	}
	if err := k.Programs.Set(ctx, m.Id, program); err != nil {
		return err
	}
	if err := k.Interfaces.Set(ctx, m.Id, iface); err != nil {
		return err
	}
	return k.Units.Set(ctx, m.Id, units)
}

// together makes all revealed tasks final in one block.
func (st *state) together() error {
	ctx, k := direct(st.chain), st.chain.App.Tasks
	var ids []uint64
	for _, id := range testutil.TaskIDs(st.chain, st.chain.Accounts[5]) {
		s, err := k.Statuses.Get(ctx, id)
		if err != nil {
			return err
		}
		if s.State == taskstypes.STATE_REVEALED {
			s.Due = st.busy
			ids = append(ids, id)
			if err := k.Statuses.Set(ctx, id, s); err != nil {
				return err
			}
			if err := k.Due.Set(ctx, collections.Join(st.busy, id)); err != nil {
				return err
			}
		}
	}
	if len(ids) != work {
		return fmt.Errorf("%d tasks are revealed, want %d", len(ids), work)
	}
	return nil
}

// operation is an end of a block.
type operation struct {
	name string
	// after is how many blocks after the one that is stored.
	after int64
	// ends: an epoch ends in it.
	ends bool
	// final tasks that it must leave beside those that were there, and assigned ones.
	done int
}

func operations() []operation {
	return []operation{
		{name: "nothing due"},
		{name: "100 draws, 100 settlements", after: 1, done: work},
		{name: "an epoch ends", ends: true},
	}
}

// time runs the ends of a block of all our modules on a branch of the state, in the application's order.
func (st *state) time(op operation) (time.Duration, error) {
	a := st.chain.App
	ctx := st.chain.Ctx().WithBlockHeight(st.chain.Height() + op.after)
	// The proposer's proof comes before everything else of a block.
	if err := a.Beacon.History.Set(ctx, ctx.BlockHeight(), beacontypes.Randomness{Value: make([]byte, 32), Proven: true}); err != nil {
		return 0, err
	}
	if op.ends {
		number, err := a.Poai.RunningEpoch.Get(ctx)
		if err != nil {
			return 0, err
		}
		e, err := a.Poai.Epochs.Get(ctx, number)
		if err != nil {
			return 0, err
		}
		e.StartHeight = ctx.BlockHeight() - 100_000_000 + 1
		if err := a.Poai.Epochs.Set(ctx, number, e); err != nil {
			return 0, err
		}
	}
	began := time.Now()
	if err := end(st, ctx); err != nil {
		return 0, err
	}
	took := time.Since(began)
	return took, st.check(ctx, op)
}

// check that the work was done, and not put off.
func (st *state) check(ctx sdk.Context, op operation) error {
	states := make(map[taskstypes.State]int)
	ids := testutil.TaskIDs(st.chain, st.chain.Accounts[5])
	for _, id := range ids[max(0, len(ids)-2*work):] {
		s, err := st.chain.App.Tasks.Statuses.Get(ctx, id)
		if err != nil {
			return err
		}
		states[s.State]++
	}
	if f, a := states[taskstypes.STATE_FINAL], states[taskstypes.STATE_ASSIGNED]; f != op.done || a != op.done {
		return fmt.Errorf("%d tasks became final and %d were assigned, want %d each", f, a, op.done)
	}
	return nil
}

// end runs the modules in the order of the application.
func end(st *state, ctx sdk.Context) error {
	a := st.chain.App
	for _, f := range []func(context.Context) error{a.Disputes.EndBlock, a.Tasks.EndBlock, a.Sprints.EndBlock, a.Poai.EndBlock} {
		if err := f(ctx); err != nil {
			return err
		}
	}
	return nil
}
