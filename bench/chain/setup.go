package main

import (
	"encoding/binary"
	"fmt"
	"os"

	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"

	"poaid/app/params"
	"poaid/testutil"
	poaitypes "poaid/x/poai/types"
	taskstypes "poaid/x/tasks/types"
)

const (
	batchModel = "echo-batch"
	// bond of each participant, in upoai.
	bond = 1_000_000_000_000
	// activeWorkers serve the models whatever is stored, so that a block's transactions are always of as many accounts.
	activeWorkers = 1000
	// others: the validator, the models' owner.
	others = 2
)

// batchWorkers serve batchModel only: as many as there are batches in a block, so that each is drawn for about one full batch.
func batchWorkers(cfg config) int { return cfg.batchTxs }

// abort is how the harness tells that a step failed.
type abort struct{ error }

// tb is the harness's testing.TB.
type tb struct{ dirs []string }

// Helper does nothing.
func (*tb) Helper() {}

// Fatalf ends the run.
func (*tb) Fatalf(format string, args ...any) { panic(abort{fmt.Errorf(format, args...)}) }

// TempDir makes a folder that cleanup removes.
func (t *tb) TempDir() string {
	dir, err := os.MkdirTemp("", "bench-chain-")
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.dirs = append(t.dirs, dir)
	return dir
}

func (t *tb) cleanup() {
	for _, d := range t.dirs {
		if err := os.RemoveAll(d); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
		}
	}
}

// cast names who does what on a chain. Accounts are laid out as: others, senders, batch workers, participants.
type cast struct {
	senders   []*testutil.Account
	byAddress map[string]*testutil.Account
}

func newCast(c *testutil.Chain, cfg config) cast {
	a := c.Accounts[others:]
	k := cast{senders: a[:cfg.txs], byAddress: make(map[string]*testutil.Account, len(c.Accounts))}
	for _, acc := range c.Accounts {
		k.byAddress[acc.String()] = acc
	}
	return k
}

// setUp starts a chain with size tasks, and size participants beside the active ones, stored at genesis.
func setUp(t *tb, cfg config, executor string, size int) (*testutil.Chain, cast) {
	c := testutil.NewApp(t, testutil.Options{
		Accounts: others + cfg.txs + batchWorkers(cfg) + activeWorkers + size, Balance: 1_000_000_000, Executor: executor, CacheSize: 781_250,
		NoInvariants: true, NoCheckTx: true,
		Genesis: func(g *testutil.Genesis) { store(g, cfg, size) },
	})
	c.RegisterEcho(c.Accounts[1])
	c.RegisterEchoAs(c.Accounts[1], batchModel)
	return c, newCast(c, cfg)
}

// store fills the genesis.
func store(g *testutil.Genesis, cfg config, size int) {
	var p poaitypes.GenesisState
	g.Get(poaitypes.ModuleName, &p)
	p.Params.EpochBlocks, p.Params.MaxBatch = 100_000, uint32(max(cfg.batch, 256))
	var slots, batchSlots uint64
	for i, a := range g.Accounts[others+cfg.txs:] {
		p.Participants = append(p.Participants, poaitypes.Participant{
			Address: a.String(), Moniker: a.Name, Concurrency: 60_000, Bond: math.NewInt(bond), Locked: math.ZeroInt(), Unbonding: math.ZeroInt(),
			ReliabilityPpm: 500_000, Models: 1,
		})
		s := poaitypes.Serving{Model: testutil.EchoModel, Participant: a.String(), Slot: slots}
		if i < batchWorkers(cfg) {
			s.Model, s.Slot = batchModel, batchSlots
			batchSlots++
		} else {
			slots++
		}
		p.Servings = append(p.Servings, s)
	}
	g.Set(poaitypes.ModuleName, &p)
	g.Fund(authtypes.NewModuleAddress(poaitypes.ModuleName), sdk.NewCoins(sdk.NewCoin(params.Denom, math.NewInt(bond).MulRaw(int64(len(p.Participants))))))

	var t taskstypes.GenesisState
	g.Get(taskstypes.ModuleName, &t)
	t.Params.AuditMinPpm, t.Params.CommitteeSize = taskstypes.PpmOne, 1
	t.Params.SealBlocks, t.Params.RevealBlocks, t.Params.OpenBlocks = 1000, 1000, 1000
	t.Params.MaxBatch, t.Params.MaxTransitionsPerBlock = uint32(max(cfg.batch, 256)), 1_000_000
	// Nothing locked may run out: thousands of tasks are with each batch worker.
	t.Params.WorkerLockBase, t.Params.WorkerLockPrice = math.NewInt(1000), math.NewInt(1000)
	for i := range size {
		t.Tasks = append(t.Tasks, finished(g.Accounts[others+i%cfg.txs], g.Accounts[others+cfg.txs+batchWorkers(cfg)], uint64(i)))
	}
	g.Set(taskstypes.ModuleName, &t)
}

// finished is a task that was paid long ago and is not pruned yet.
func finished(submitter, worker *testutil.Account, n uint64) taskstypes.GenesisTask {
	root := make([]byte, 32)
	binary.BigEndian.PutUint64(root, n)
	in := testutil.EchoInput(n)
	return taskstypes.GenesisTask{
		Task: taskstypes.Task{
			Id: n + 1, Submitter: submitter.String(), Model: testutil.EchoModel, Steps: 1, Allocation: taskstypes.ALLOCATION_DRAW, InputRoot: root,
			MaxFee: testutil.Coins(1000)[0], Units: 1, Fee: math.NewInt(1000), Lock: math.NewInt(1000), UnitPrice: math.NewInt(1),
			VerifierPayBps: 10_000, BurnBps: 500,
			Tip: math.ZeroInt(), FeeRate: math.NewInt(taskstypes.PriceUnits),
		},
		Status:  taskstypes.Status{State: taskstypes.STATE_FINAL, Attempt: 1, Worker: worker.String(), Epoch: 1, ResultRoot: root, Seal: root, UnitsDone: 1},
		Inputs:  &taskstypes.Inputs{Tensors: []taskstypes.NamedTensor{in}},
		Result:  &taskstypes.Result{StateRoot: root, OutputRoot: root, StepsDone: 1, Outputs: []taskstypes.NamedTensor{in}},
		Payment: paid(submitter.String(), worker.String()),
		Receipt: &taskstypes.Receipt{
			TaskId: n + 1, Model: testutil.EchoModel, ProgramHash: root, WeightsRoot: root, InputRoot: root, OutputRoot: root, ResultRoot: root, Steps: 1,
			Worker: worker.String(), Height: 1,
		},
	}
}

// paid is where the 1,000 of a finished task went.
func paid(submitter, worker string) *taskstypes.Payment {
	pay := taskstypes.NewPayment()
	pay.Book(taskstypes.PURPOSE_WORKER, worker, math.NewInt(800))
	pay.Book(taskstypes.PURPOSE_ROYALTY, submitter, math.NewInt(10))
	pay.Book(taskstypes.PURPOSE_BURN, "", math.NewInt(40))
	pay.Book(taskstypes.PURPOSE_REFUND, submitter, math.NewInt(150))
	return &pay
}
