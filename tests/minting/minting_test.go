// Package minting_test holds known ways to mint without work, each as a test of what it earns here: fees at most.
package minting_test

import (
	"testing"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/stretchr/testify/require"

	"poaid/app/params"
	"poaid/commit"
	"poaid/engine"
	"poaid/engine/graphpb"
	"poaid/model"
	"poaid/testutil"
	"poaid/testutil/adversary"
	modelstypes "poaid/x/models/types"
	poaitypes "poaid/x/poai/types"
	rewardstypes "poaid/x/rewards/types"
	taskstypes "poaid/x/tasks/types"
)

// setting is what a test changes of the chain.
type setting struct {
	poai    func(*poaitypes.GenesisState)
	rewards func(*rewardstypes.Params)
	// audits: every task is audited.
	audits bool
}

func (s setting) apply(g *testutil.Genesis) {
	var p poaitypes.GenesisState
	g.Get(poaitypes.ModuleName, &p)
	p.Params.EpochBlocks, p.Params.EpochCloseDelayBlocks = 60, 60
	if s.poai != nil {
		s.poai(&p)
	}
	g.Set(poaitypes.ModuleName, &p)
	var r rewardstypes.GenesisState
	g.Get(rewardstypes.ModuleName, &r)
	if s.rewards != nil {
		s.rewards(&r.Params)
	}
	g.Set(rewardstypes.ModuleName, &r)
	var t taskstypes.GenesisState
	g.Get(taskstypes.ModuleName, &t)
	t.Params.AuditAllBelowPpm, t.Params.AuditMinPpm = 0, 0
	t.Params.PromptBlocks = t.Params.SealBlocks // who seals late is audited
	if s.audits {
		t.Params.AuditMinPpm = taskstypes.PpmOne
	} else {
		t.Params.ReferenceCost = math.ZeroInt()
	}
	g.Set(taskstypes.ModuleName, &t)
}

// network is a chain whose first account owns and asks the echo model, and n others serve it.
func network(t *testing.T, n int, s setting) (*testutil.Chain, *testutil.Crew) {
	t.Helper()
	c := testutil.NewApp(t, testutil.Options{Accounts: n + 2, Genesis: s.apply})
	c.RegisterEcho(c.Accounts[0])
	return c, c.NewCrew(c.Accounts[1 : n+1]...)
}

// submit sends tasks, one message a transaction, and returns their ids.
func submit(t *testing.T, c *testutil.Chain, msgs ...sdk.Msg) []uint64 {
	t.Helper()
	before := len(testutil.TaskIDs(c, c.Accounts[0]))
	for _, m := range msgs {
		c.Deliver(c.Accounts[0], m)
	}
	return testutil.TaskIDs(c, c.Accounts[0])[before:]
}

func status(t *testing.T, c *testutil.Chain, id uint64) taskstypes.Status {
	t.Helper()
	st, err := c.App.Tasks.Statuses.Get(c.Ctx(), id)
	require.NoError(t, err)
	return st
}

// final works until the tasks are, and says that their workers were paid.
func final(t *testing.T, c *testutil.Chain, crew *testutil.Crew, ids ...uint64) {
	t.Helper()
	for range 120 {
		open := 0
		for _, id := range ids {
			if status(t, c, id).State != taskstypes.STATE_FINAL {
				open++
			}
		}
		if open == 0 {
			for _, id := range ids {
				pay, err := c.App.Tasks.Payments.Get(c.Ctx(), id)
				require.NoError(t, err)
				require.True(t, pay.Worker.IsPositive(), "task %d earns its fee", id)
			}
			return
		}
		crew.Work()
	}
	t.Fatalf("tasks are not final after 120 blocks")
}

// scores are all scores of all epochs, by participant, in millionths of a unit.
func scores(t *testing.T, c *testutil.Chain) map[string]int64 {
	t.Helper()
	out := map[string]int64{}
	require.NoError(t, c.App.Poai.Scores.Walk(c.Ctx(), nil, func(key collections.Pair[uint64, string], s poaitypes.Score) (bool, error) {
		out[key.K2()] += s.Score.Int64()
		return false, nil
	}))
	return out
}

// units that were credited in an epoch, in millionths.
func units(t *testing.T, c *testutil.Chain, epoch uint64, participant string) int64 {
	t.Helper()
	s, err := c.App.Poai.Scores.Get(c.Ctx(), collections.Join(epoch, participant))
	if err != nil {
		require.ErrorIs(t, err, collections.ErrNotFound)
		return 0
	}
	return s.Units.Int64()
}

// guarded has the guards of a network that anybody may join.
func guarded(g *poaitypes.GenesisState) { g.Params.Minting = poaitypes.DefaultMintingParams() }

// TestCaptiveModel has a model served by its owner alone, by too few, and by enough.
func TestCaptiveModel(t *testing.T) {
	for n := 1; n <= 5; n++ {
		c, crew := network(t, n, setting{poai: guarded, audits: n > 1})
		id := submit(t, c, testutil.SubmitEcho(c.Accounts[0], 1))[0]
		task, err := c.App.Tasks.Tasks.Get(c.Ctx(), id)
		require.NoError(t, err)
		require.True(t, task.Scored, "as far as the submission can tell")
		final(t, c, crew, id)
		require.Equal(t, n < 4, status(t, c, id).Captive)
		require.Equal(t, n < 4, len(scores(t, c)) == 0, "%d operators: neither worker nor members", n)
		seen, err := c.App.Tasks.Seen.Has(c.Ctx(), collections.Join(task.Model, task.InputRoot))
		require.NoError(t, err)
		require.Equal(t, n >= 4, seen, "an input that earned nothing may earn later")
	}
}

// TestLargeOperatorOfAModel has one of six with most of the weight: what it computes earns no score, what the others compute does.
func TestLargeOperatorOfAModel(t *testing.T) {
	c, crew := network(t, 6, setting{poai: guarded})
	whale := crew.Members[0]
	c.Deliver(whale.Account, &poaitypes.MsgAddBond{Participant: whale.String(), Amount: sdk.NewInt64Coin(params.Denom, 40_000_000_000)})
	var msgs []sdk.Msg
	for n := range uint64(24) {
		msgs = append(msgs, testutil.SubmitEcho(c.Accounts[0], n+1))
	}
	ids := submit(t, c, msgs...)
	final(t, c, crew, ids...)
	worked := map[string]int{}
	for _, id := range ids {
		st := status(t, c, id)
		worked[st.Worker]++
		require.Equal(t, st.Worker == whale.String(), st.Captive)
	}
	require.Positive(t, worked[whale.String()])
	got := scores(t, c)
	require.Zero(t, got[whale.String()])
	for who := range worked {
		if who != whale.String() {
			require.Positive(t, got[who])
		}
	}
}

// TestOperatorsInJailDoNotCount: a model whose other servers are jailed is captive.
func TestOperatorsInJailDoNotCount(t *testing.T) {
	c, crew := network(t, 4, setting{audits: true, poai: func(g *poaitypes.GenesisState) {
		guarded(g)
		g.Params.Fault.JailBlocks, g.Params.Fault.MaxJailBlocks = 1_000, 1_000
	}})
	crew.Members[0].Behaviour = testutil.Mute
	for n := uint64(1); ; n++ {
		require.Less(t, n, uint64(30), "nobody drew the mute one")
		id := submit(t, c, testutil.SubmitEcho(c.Accounts[0], n))[0]
		for st := status(t, c, id); st.State != taskstypes.STATE_FINAL; st = status(t, c, id) {
			crew.Work()
		}
		p, err := c.App.Poai.GetParticipant(c.Ctx(), crew.Members[0].String())
		require.NoError(t, err)
		if p.Jailed() {
			break
		}
	}
	id := submit(t, c, testutil.SubmitEcho(c.Accounts[0], 1_000))[0]
	before := scores(t, c)
	final(t, c, crew, id)
	require.True(t, status(t, c, id).Captive)
	require.Equal(t, before, scores(t, c))
}

// TestRepeatedInputs asks the same again: the first earns score.
func TestRepeatedInputs(t *testing.T) {
	c, crew := network(t, 1, setting{})
	ids := submit(t, c, testutil.SubmitEcho(c.Accounts[0], 7), testutil.SubmitEcho(c.Accounts[0], 7))
	final(t, c, crew, ids...)
	once := scores(t, c)[crew.Members[0].String()]
	require.Positive(t, once)
	final(t, c, crew, submit(t, c, testutil.SubmitEcho(c.Accounts[0], 7))...)
	require.Equal(t, once, scores(t, c)[crew.Members[0].String()], "nor once the first is final")
}

// TestInputsByCID gives the input by content id: nobody else can tell whether it was new.
func TestInputsByCID(t *testing.T) {
	c, crew := network(t, 1, setting{})
	in := testutil.EchoInput(9)
	root, err := commit.TensorRoot(uint8(in.Dtype), in.Shape, in.Data)
	require.NoError(t, err)
	crew.Members[0].Result = func(uint64) (testutil.Result, error) {
		return testutil.RunEcho([]taskstypes.NamedTensor{in}, 1, false)
	}
	msg := testutil.SubmitEcho(c.Accounts[0], 9)
	msg.Inputs[0].Cid, msg.Inputs[0].Root, msg.Inputs[0].Data = model.CIDOf(in.Data), root[:], nil
	final(t, c, crew, submit(t, c, msg)...)
	require.Empty(t, scores(t, c))
}

// TestOwnChoiceOfWorker: only the chain's draw can earn score; where one chooses one's worker, one chooses oneself.
func TestOwnChoiceOfWorker(t *testing.T) {
	c, _ := network(t, 1, setting{})
	offered := 0
	for number, name := range taskstypes.Allocation_name {
		if taskstypes.Allocation(number) == taskstypes.ALLOCATION_DRAW {
			continue
		}
		msg := testutil.SubmitEcho(c.Accounts[0], uint64(number)+50)
		msg.Allocation = taskstypes.Allocation(number)
		before := len(testutil.TaskIDs(c, c.Accounts[0]))
		if res := c.Try(c.Accounts[0], msg); res.Code != 0 {
			t.Logf("%s is refused: %s", name, res.Log)
			continue
		}
		offered++
		id := testutil.TaskIDs(c, c.Accounts[0])[before]
		task, err := c.App.Tasks.Tasks.Get(c.Ctx(), id)
		require.NoError(t, err)
		require.False(t, task.Scored, name)
	}
	t.Logf("%d allocations beside the draw", offered)
	id := submit(t, c, testutil.SubmitEcho(c.Accounts[0], 99))[0]
	task, err := c.App.Tasks.Tasks.Get(c.Ctx(), id)
	require.NoError(t, err)
	require.True(t, task.Scored)
}

// TestModelThatIsNotEligible is TestRepeatedInputs' first task on a model that governance has not admitted.
func TestModelThatIsNotEligible(t *testing.T) {
	c, crew := network(t, 1, setting{})
	c.Govern(&modelstypes.MsgSetEligibility{Authority: c.App.Gov.GetAuthority(), Id: testutil.EchoModel, Eligible: false})
	final(t, c, crew, submit(t, c, testutil.SubmitEcho(c.Accounts[0], 7))...)
	require.Empty(t, scores(t, c))
}

// TestScoreWaitsForAnIdleEpoch delivers late, so that the score would fall into an epoch in which nobody else works: it goes to the epoch of assignment.
func TestScoreWaitsForAnIdleEpoch(t *testing.T) {
	c, crew := network(t, 1, setting{poai: func(g *poaitypes.GenesisState) { g.Params.EpochBlocks = 12 }})
	worker := crew.Members[0]
	for left := int64(99); left != 4; {
		c.Block()
		running, err := c.App.Poai.CurrentEpoch(c.Ctx())
		require.NoError(t, err)
		e, err := c.App.Poai.GetEpoch(c.Ctx(), running)
		require.NoError(t, err)
		left = e.StartHeight + 12 - 1 - c.Height()
	}
	id := submit(t, c, testutil.SubmitEcho(c.Accounts[0], 7))[0]
	final(t, c, crew, id)
	st := status(t, c, id)
	running, err := c.App.Poai.CurrentEpoch(c.Ctx())
	require.NoError(t, err)
	require.Greater(t, running, st.Epoch, "final in another epoch")
	require.Positive(t, units(t, c, st.Epoch, worker.String()))
	for e := st.Epoch + 1; e <= running; e++ {
		require.Zero(t, units(t, c, e, worker.String()))
	}
}

// TestOneUnitInAnIdleEpoch: a lone unit does not get the epoch's pool. What it cannot mint is not minted later either.
func TestOneUnitInAnIdleEpoch(t *testing.T) {
	c, crew := network(t, 1, setting{
		rewards: func(p *rewardstypes.Params) { p.MaxEmissionPerUnit = math.NewInt(rewardstypes.MicroPerCoin) },
	})
	id := submit(t, c, testutil.SubmitEcho(c.Accounts[0], 7))[0]
	final(t, c, crew, id)
	e := status(t, c, id).Epoch
	for range 200 {
		epoch, err := c.App.Poai.GetEpoch(c.Ctx(), e)
		require.NoError(t, err)
		if epoch.Closed {
			require.EqualValues(t, 1, epoch.TotalUnits.Int64())
			break
		}
		c.Block()
	}
	supply, err := c.App.Rewards.Supply.Get(c.Ctx())
	require.NoError(t, err)
	require.True(t, supply.Minted.LTE(math.OneInt()), "%s: one unit mints one upoai, not the epoch's %d", supply.Minted, 60*rewardstypes.DefaultBlockEmission)
}

// TestMoreThanCapacity works more than what is proven or believed allows: the excess earns its fee.
func TestMoreThanCapacity(t *testing.T) {
	const believed, epoch = 2, 60
	c, crew := network(t, 1, setting{poai: func(g *poaitypes.GenesisState) {
		g.CapacityFrom = 1
		g.Params.Capacity.BondPerUnit, g.Params.Capacity.NewcomerBond = math.NewInt(100), math.NewInt(100*believed)
		g.Params.Capacity.CreditSlackPpm = poaitypes.PPM
		g.Params.EpochBlocks = epoch
	}})
	worker := crew.Members[0].String()
	running, err := c.App.Poai.CurrentEpoch(c.Ctx())
	require.NoError(t, err)
	for { // the beginning of an epoch
		now, err := c.App.Poai.CurrentEpoch(c.Ctx())
		require.NoError(t, err)
		if now > running {
			break
		}
		c.Block()
	}
	const n = 200
	var txs [][]byte
	for at := uint64(0); at < n; at += 50 {
		var msgs []sdk.Msg
		for i := range uint64(50) {
			msgs = append(msgs, testutil.SubmitEcho(c.Accounts[0], at+i+1))
		}
		txs = append(txs, c.TxWith(c.Accounts[0], testutil.TxOptions{Gas: 100_000_000}, msgs...))
	}
	before := len(testutil.TaskIDs(c, c.Accounts[0]))
	for _, res := range c.Block(txs...).TxResults {
		require.Zero(t, res.Code, res.Log)
	}
	ids := testutil.TaskIDs(c, c.Accounts[0])[before:]
	final(t, c, crew, ids...)
	assigned := map[uint64]int64{}
	for _, id := range ids {
		assigned[status(t, c, id).Epoch]++
	}
	require.Len(t, assigned, 1, "all in one epoch")
	for e, count := range assigned {
		require.Greater(t, count, int64(believed*epoch))
		require.EqualValues(t, believed*epoch*poaitypes.PPM, units(t, c, e, worker))
	}
}

// sayer reads a prompt row by row and then counts on; a run's steps up to the prompt's last row are forced.
func sayer() *graphpb.Program {
	i64 := graphpb.DTYPE_I64
	graph := &graphpb.Graph{
		Nodes: []*graphpb.Node{
			{Name: "row", Op: "iota@1", Attrs: []*graphpb.Attr{{Name: "axis", Ints: []int64{0}}}, Dtype: i64, Shape: []*graphpb.Dim{{A: 64}}},
			{Name: "t", Op: "step@1", Dtype: i64, Shape: []*graphpb.Dim{{A: 1}}},
		},
		Updates: []*graphpb.Update{{State: 0, Node: 1}},
	}
	return &graphpb.Program{
		Inputs: []*graphpb.InputSpec{{Name: "prompt", Dtype: i64, Shape: []int64{12}, VariableRows: true}},
		States: []*graphpb.StateSpec{{Name: "tokens", Dtype: i64, Shape: []int64{1}}},
		Step:   graph, Forced: graph, ForcedInput: "prompt", Outputs: []string{"tokens"}, MaxSteps: 16,
	}
}

// TestSharedPrefixes asks with long prompts, whose steps a cache makes nearly free: they earn fees, and score for what follows them.
func TestSharedPrefixes(t *testing.T) {
	prog, err := engine.New(sayer(), engine.DefaultLimits())
	require.NoError(t, err)
	c, crew := network(t, 1, setting{})
	owner, worker := c.Accounts[0], crew.Members[0]
	weights := commit.NamedRoot(nil)
	c.Deliver(owner, &modelstypes.MsgRegisterModel{
		Owner: owner.String(), Id: "sayer", Class: modelstypes.CLASS_EXACT, Program: sayer(), WeightsRoot: weights[:],
	})
	c.Govern(&modelstypes.MsgSetEligibility{Authority: c.App.Gov.GetAuthority(), Id: "sayer", Eligible: true})
	c.Deliver(worker.Account, &poaitypes.MsgServe{Participant: worker.String(), Models: []string{"sayer"}})
	var x *engine.Tensor
	cost := engine.CostParams{MacsPerUnit: modelstypes.DefaultParams().MacsPerUnit, BytesPerUnit: modelstypes.DefaultParams().BytesPerUnit}
	none, err := engine.WeightsByName(prog, nil)
	require.NoError(t, err)
	worker.Result = func(id uint64) (testutil.Result, error) {
		task, err := c.App.Tasks.Tasks.Get(c.Ctx(), id)
		if err != nil {
			return testutil.Result{}, err
		}
		run, err := adversary.NewRun(prog, cost, none, map[string]*engine.Tensor{"prompt": x}, task.Steps)
		if err != nil {
			return testutil.Result{}, err
		}
		answer, err := adversary.Honest(run)
		if err != nil {
			return testutil.Result{}, err
		}
		return testutil.ResultOf(prog, answer), nil
	}
	ask := func(steps uint64, last int64) (all, scored int64) {
		x, err = engine.FromI64([]int64{5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, last}, 12)
		require.NoError(t, err)
		id := submit(t, c, &taskstypes.MsgSubmitTask{
			Submitter: owner.String(), Model: "sayer", Steps: steps, Allocation: taskstypes.ALLOCATION_DRAW, MaxFee: testutil.Poai(1)[0],
			Inputs: []taskstypes.NamedTensor{{Name: "prompt", Dtype: graphpb.DTYPE_I64, Shape: []int64{12}, Data: x.Bytes()}},
		})[0]
		before := scores(t, c)[worker.String()]
		final(t, c, crew, id)
		st := status(t, c, id)
		require.Equal(t, st.ScoreUnits > 0, scores(t, c)[worker.String()] > before)
		return int64(st.UnitsDone), int64(st.ScoreUnits)
	}
	all, scored := ask(12, 1)
	require.Positive(t, scored, "the step that reads the last of the prompt says the first word")
	require.Equal(t, 12*scored, all, "the eleven before it earn fees only")
	more, next := ask(15, 2)
	require.Equal(t, all+3*scored, more)
	require.Equal(t, 4*scored, next)
}
