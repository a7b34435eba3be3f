package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"cosmossdk.io/collections"
	"cosmossdk.io/log/v2"
	"cosmossdk.io/math"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	dbm "github.com/cosmos/cosmos-db"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"

	"poaid/testutil"
	auctionstypes "poaid/x/auctions/types"
	beacontypes "poaid/x/beacon/types"
	delegationtypes "poaid/x/delegation/types"
	poaitypes "poaid/x/poai/types"
	taskstypes "poaid/x/tasks/types"
)

const (
	// work is how many tasks are drawn for, and how many are settled, in the busy block.
	work = 100
	// crowd is the model that the many participants serve.
	crowd = "crowd"
	// epoch is its length, in blocks.
	epoch = 100_000_000
	// chunk is how much is written before it is committed.
	chunk = 50_000
)

// sizes of a state: how many of each are stored. Half of the tasks have ended, the others wait for a height far off; bids are all on one auction, delegations
// all in one pool.
type sizes struct{ tasks, participants, models, bids, delegations int }

// state is a chain of which the next block is busy.
type state struct {
	chain *testutil.Chain
	// busy is the height at which tasks are drawn for and settled, and the auction closes.
	busy int64
	// auctioned is the task with all the bids.
	auctioned uint64
	t         *tb
	db        *dbm.GoLevelDB // nil: in memory
}

// close drops the state's database and folders.
func (st *state) close() {
	if st.db != nil {
		st.db.Close() // #nosec G104 -- the folder goes next
	}
	for _, dir := range st.t.dirs {
		os.RemoveAll(dir) // #nosec G104 -- a folder of the system's for temporary files
	}
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

// rescue turns an end of the harness into an error.
func rescue(err *error) {
	if r := recover(); r != nil {
		f, ok := r.(abort)
		if !ok {
			panic(r)
		}
		*err = f.err
	}
}

// newState makes a chain with a crew that has tasks to be settled, fills it, and submits tasks to be drawn for and one that is auctioned. Its database is on
// disk, as a node's, or in memory.
func newState(n sizes, disk bool) (st *state, err error) {
	st = &state{t: &tb{}}
	defer func() {
		if err != nil {
			st.close()
		}
	}()
	defer rescue(&err)
	opts := testutil.Options{Accounts: 6, NoInvariants: true, NoCheckTx: true, Genesis: patient}
	if disk {
		if st.db, err = dbm.NewGoLevelDB("application", st.t.TempDir(), nil); err != nil {
			return nil, err
		}
		opts.DB = st.db
	}
	c := testutil.NewApp(st.t, opts)
	st.chain = c
	c.RegisterEcho(c.Accounts[1])
	c.RegisterEchoAs(c.Accounts[1], crowd)
	crew := c.NewCrew(c.Accounts[2:5]...)
	if err := st.market(crew); err != nil {
		return nil, err
	}
	if err := st.fill(n); err != nil {
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
	st.busy = c.Height() + 4
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
	return st, st.settle()
}

// settle merges what was written, which the database would otherwise do while others are measured.
func (st *state) settle() error {
	if st.db == nil {
		return nil
	}
	return st.db.ForceCompact(nil, nil)
}

// patient leaves results open to challenges for long.
func patient(g *testutil.Genesis) {
	var t taskstypes.GenesisState
	g.Get(taskstypes.ModuleName, &t)
	t.Params.ChallengeBlocks, t.Params.RetentionBlocks = 1_000_000, 100_000_000
	g.Set(taskstypes.ModuleName, &t)
	var p poaitypes.GenesisState
	g.Get(poaitypes.ModuleName, &p)
	p.Params.EpochBlocks = epoch
	g.Set(poaitypes.ModuleName, &p)
}

// direct writes into the working state, which the next block commits.
func direct(c *testutil.Chain) sdk.Context {
	return sdk.NewContext(c.App.CommitMultiStore(), cmtproto.Header{ChainID: c.ChainID, Height: c.Height(), Time: c.Time}, false, log.NewNopLogger())
}

// market opens an auction on which the crew bids, and a pool of delegations.
func (st *state) market(crew *testutil.Crew) error {
	c := st.chain
	owner, backed := c.Accounts[1], crew.Members[0].Account
	msg := testutil.SubmitEcho(owner, 1<<20)
	msg.Allocation, msg.Auction = taskstypes.ALLOCATION_AUCTION, &taskstypes.AuctionOptions{BidBlocks: 1_000}
	c.Deliver(owner, msg)
	st.auctioned = testutil.TaskIDs(c, owner)[0]
	for i, m := range crew.Members {
		c.Deliver(m.Account, &auctionstypes.MsgBid{Bidder: m.String(), TaskId: st.auctioned, Price: math.NewInt(int64(500_000 + i))})
	}
	c.Deliver(backed, &delegationtypes.MsgSetTerms{Participant: backed.String(), CommissionBps: 1_000, MaxChangeBps: 100, Open: true})
	c.Deliver(owner, &delegationtypes.MsgDelegate{Holder: owner.String(), Participant: backed.String(), Amount: testutil.Poai(5_000)[0]})
	return nil
}

// fill writes tasks, participants that serve crowd, models, bids and delegations.
func (st *state) fill(n sizes) error {
	c := st.chain
	for _, f := range []struct {
		n     int
		write func(ctx sdk.Context, c *testutil.Chain, i int) error
	}{{n.tasks, task}, {n.participants, participant}, {n.models, model}, {n.bids, st.bid}, {n.delegations, delegation}} {
		ctx := direct(c) // once for many: a height costs a hash of all stores' roots
		for i := range f.n {
			if err := f.write(ctx, c, i); err != nil {
				return err
			}
			if i%chunk == chunk-1 {
				c.Block()
				ctx = direct(c)
			}
		}
		c.Block()
	}
	ctx := direct(c)
	s, err := c.App.Auctions.Standings.Get(ctx, st.auctioned)
	if err != nil {
		return err
	}
	more := uint64(n.bids) // #nosec G115 -- not negative
	s.Bids, s.Revealed, s.Held, s.Stored = s.Bids+more, s.Revealed+more, s.Held+more, s.Stored+more
	if err := c.App.Auctions.Standings.Set(ctx, st.auctioned, s); err != nil {
		return err
	}
	pool, err := c.App.Delegation.Pools.Get(ctx, c.Accounts[2].String())
	if err != nil {
		return err
	}
	pool.Active = pool.Active.AddRaw(int64(n.delegations))
	return c.App.Delegation.Pools.Set(ctx, pool.Participant, pool)
}

// someone is an address that has no account.
func someone(i int) sdk.AccAddress {
	addr := make([]byte, 20)
	binary.BigEndian.PutUint64(addr[12:], uint64(i+1)) // #nosec G115 -- not negative
	return addr
}

// bid has lost.
func (st *state) bid(ctx sdk.Context, c *testutil.Chain, i int) error {
	k, addr, price := c.App.Auctions, someone(i), math.NewInt(600_000)
	b := auctionstypes.Bid{Task: st.auctioned, Bidder: addr.String(), Price: &price, Order: 1 << 40}
	if err := k.Bids.Set(ctx, collections.Join(b.Task, addr), b); err != nil {
		return err
	}
	return k.ByBidder.Set(ctx, collections.Join(addr, b.Task))
}

// delegation is one share in the pool of a member of the crew.
func delegation(ctx sdk.Context, c *testutil.Chain, i int) error {
	k, zero := c.App.Delegation, math.ZeroInt()
	d := delegationtypes.Delegation{
		Participant: c.Accounts[2].String(), Holder: someone(i).String(), Active: math.OneInt(), Index: zero, Pending: zero, Owed: zero,
	}
	if err := k.Delegations.Set(ctx, collections.Join(d.Participant, d.Holder), d); err != nil {
		return err
	}
	return k.ByHolder.Set(ctx, collections.Join(d.Holder, d.Participant))
}

// task ended long ago: its inputs are pruned, its receipt stays; or, every other one, can be challenged for long.
func task(ctx sdk.Context, c *testutil.Chain, i int) error {
	k, id, root := c.App.Tasks, uint64(i+1), make([]byte, 32) // #nosec G115 -- not negative
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
	if i%2 == 1 {
		st.State, st.FinalHeight, st.Pruned, st.Due = taskstypes.STATE_REVEALED, 0, false, int64(1_000_000+i)
		if err := k.Due.Set(ctx, collections.Join(st.Due, id)); err != nil {
			return err
		}
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
	p := poaitypes.Participant{
		Address: someone(i).String(), Concurrency: 100, Bond: math.NewInt(int64(1_000_000_000 * (1 + i%1_000))), Locked: math.ZeroInt(),
		Unbonding: math.ZeroInt(), ReliabilityPpm: 900_000, WeighedReliabilityPpm: 900_000, Models: 1,
	}
	if err := c.App.Poai.Participants.Set(ctx, p.Address, p); err != nil {
		return err
	}
	// The next slot: to look for a free one would sort all that is not committed yet, each time.
	next, err := c.App.Poai.Trees.Heads.Get(ctx, crowd)
	if err != nil && !errors.Is(err, collections.ErrNotFound) {
		return err
	}
	return c.App.Poai.Trees.AddAt(ctx, crowd, p.Address, next, p.Bond.Uint64())
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

// together makes all revealed tasks final, and closes the auction, in one block.
func (st *state) together() error {
	ctx, k := direct(st.chain), st.chain.App.Tasks
	due := func(id uint64, s taskstypes.Status) error {
		s.Due = st.busy
		if err := k.Statuses.Set(ctx, id, s); err != nil {
			return err
		}
		return k.Due.Set(ctx, collections.Join(st.busy, id))
	}
	revealed := 0
	for _, id := range testutil.TaskIDs(st.chain, st.chain.Accounts[5]) {
		s, err := k.Statuses.Get(ctx, id)
		if err != nil {
			return err
		}
		if s.State != taskstypes.STATE_REVEALED {
			continue
		}
		revealed++
		if err := due(id, s); err != nil {
			return err
		}
	}
	if revealed != work {
		return fmt.Errorf("%d tasks are revealed, want %d", revealed, work)
	}
	s, err := k.Statuses.Get(ctx, st.auctioned)
	if err != nil {
		return err
	}
	return due(st.auctioned, s)
}

// operation is an end of a block.
type operation struct {
	name string
	// after is how many blocks after the one that is stored.
	after int64
	// ends: an epoch ends in it.
	ends bool
	// done is how many tasks become final, and how many are assigned.
	done int
}

func operations() []operation {
	return []operation{
		{name: "nothing due"},
		{name: "100 drawn, 100 settled, auction closed", after: 1, done: work},
		{name: "epoch ends", ends: true},
	}
}

// processor time of this process so far. Others that use the machine do not count in it.
func processor() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // the call is right, and so is its argument
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// meter counts the reads of stores: of keys, and of what iterators pass.
type meter struct {
	storetypes.GasMeter
	reads int
}

// ConsumeGas counts.
func (m *meter) ConsumeGas(amount storetypes.Gas, descriptor string) {
	switch descriptor {
	case storetypes.GasReadCostFlatDesc, storetypes.GasHasDesc, storetypes.GasIterNextCostFlatDesc:
		m.reads++
	}
	m.GasMeter.ConsumeGas(amount, descriptor)
}

// run runs the ends of a block of all our modules on a branch of the state, in the application's order. It tells how long they took and how often they
// read.
func (st *state) run(op operation) (took time.Duration, reads int, err error) {
	a := st.chain.App
	m := &meter{GasMeter: storetypes.NewInfiniteGasMeter()}
	ctx := st.chain.Ctx().WithBlockHeight(st.chain.Height() + op.after).WithGasMeter(m)
	// The proposer's proof comes before everything else of a block.
	if err := a.Beacon.History.Set(ctx, ctx.BlockHeight(), beacontypes.Randomness{Value: make([]byte, 32), Proven: true}); err != nil {
		return 0, 0, err
	}
	if op.ends {
		number, err := a.Poai.RunningEpoch.Get(ctx)
		if err != nil {
			return 0, 0, err
		}
		e, err := a.Poai.Epochs.Get(ctx, number)
		if err != nil {
			return 0, 0, err
		}
		e.StartHeight = ctx.BlockHeight() - epoch + 1
		if err := a.Poai.Epochs.Set(ctx, number, e); err != nil {
			return 0, 0, err
		}
	}
	m.reads = 0
	began := processor()
	for _, f := range []func(context.Context) error{
		a.Disputes.EndBlock, a.Tasks.EndBlock, a.Training.EndBlock, a.Sprints.EndBlock, a.Grades.EndBlock, a.Poai.EndBlock,
	} {
		if err := f(ctx); err != nil {
			return 0, 0, err
		}
	}
	took, reads = processor()-began, m.reads
	return took, reads, st.check(ctx, op)
}

// check that the work was done, and not put off.
func (st *state) check(ctx sdk.Context, op operation) error {
	states := make(map[taskstypes.State]int)
	ids := testutil.TaskIDs(st.chain, st.chain.Accounts[5])
	for _, id := range append(ids[max(0, len(ids)-2*work):], st.auctioned) {
		s, err := st.chain.App.Tasks.Statuses.Get(ctx, id)
		if err != nil {
			return err
		}
		states[s.State]++
	}
	assigned := op.done
	if op.done > 0 {
		assigned++ // the best bidder's
	}
	if f, a := states[taskstypes.STATE_FINAL], states[taskstypes.STATE_ASSIGNED]; f != op.done || a != assigned {
		return fmt.Errorf("%d tasks became final and %d were assigned, want %d and %d", f, a, op.done, assigned)
	}
	if !op.ends {
		return nil
	}
	running, err := st.chain.App.Poai.RunningEpoch.Get(ctx)
	if err != nil {
		return err
	}
	e, err := st.chain.App.Poai.Epochs.Get(ctx, running)
	if err == nil && e.StartHeight != ctx.BlockHeight()+1 {
		err = fmt.Errorf("epoch %d began at %d, want %d", running, e.StartHeight, ctx.BlockHeight()+1)
	}
	return err
}

// block makes a whole block with one transfer in it, its proof and proposal included, and tells how long that took.
func (st *state) block() (took time.Duration, err error) {
	defer rescue(&err)
	c := st.chain
	from := c.Accounts[0]
	tx := c.Tx(from, &banktypes.MsgSend{FromAddress: from.String(), ToAddress: c.Accounts[1].String(), Amount: testutil.Poai(1)})
	began := processor()
	res := c.Block(tx)
	took = processor() - began
	if r := res.TxResults[0]; r.Code != 0 {
		return took, fmt.Errorf("transfer: %s", r.Log)
	}
	return took, nil
}
