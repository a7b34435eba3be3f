package main

import (
	"errors"
	"math"
	"math/rand/v2"

	"cosmossdk.io/collections"
	sdkmath "cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"

	"poaid/commit"
	"poaid/testutil"
	"poaid/x/beacon/vrf"
	poaitypes "poaid/x/poai/types"
	rewardstypes "poaid/x/rewards/types"
	taskstypes "poaid/x/tasks/types"
)

const (
	// smallest is the capacity of a participant of size 1, in units a block.
	smallest = 100_000
	// epochBlocks of the simulated chain.
	epochBlocks = 25
	// perBlock tasks come from clients in a block, txTasks in one transaction.
	perBlock, txTasks = 10, 5
	// minSteps and maxTaskSteps bound the units of clients' tasks, drawn evenly in their logarithm.
	minSteps, maxTaskSteps = 10_000, 100_000
	// maxBlocks a run may take after the last submission.
	maxBlocks = 300
)

// setting is one run.
type setting struct {
	// sizes of the participants, smallest first.
	sizes []uint64
	// tasks that clients submit.
	tasks int
	// stake: weight is by bond alone, as it is before anybody has proven capacity.
	stake bool
	market
	// play is what the last group participants do; nil: all are honest.
	play  *strategy
	group int
	seed  uint64
}

// sizes are 1, 2, 5, 10 ... 1000, each for as many participants.
func sizes(each int) []uint64 {
	var out []uint64
	for _, s := range []uint64{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000} {
		for range each {
			out = append(out, s)
		}
	}
	return out
}

// world is a chain with its participants and clients.
type world struct {
	setting
	tb       testutil.TB
	c        *testutil.Chain
	crew     *testutil.Crew
	client   *testutil.Account
	machines []*machine
	index    map[string]int // of a participant's address
	rng      *rand.Rand
	sent     int            // tasks submitted by clients
	inputs   uint64         // inputs used so far
	blocks   int            // since clients began
	shared   map[uint64]int // who of the group computed a task for all of it
	// gas that each participant paid, in upoai.
	gas []int64
}

// newWorld starts a chain whose participants are in its genesis as after a long time: bonds, proven capacity and full reliability, VRF keys.
// Capacity is written as x/sprints writes it (SetCapacity); no sprints run.
func newWorld(tb testutil.TB, s setting) *world {
	w := &world{
		setting: s, tb: tb, rng: rand.New(rand.NewPCG(s.seed, 1)), gas: make([]int64, len(s.sizes)), index: map[string]int{},
		shared: map[uint64]int{},
	}
	var secrets []*vrf.SecretKey
	w.c = testutil.NewApp(tb, testutil.Options{
		Accounts: len(s.sizes) + 3, NoInvariants: true, NoCheckTx: true, Genesis: func(g *testutil.Genesis) { secrets = w.genesis(g) },
	})
	w.client = w.c.Accounts[1]
	w.register(w.c.Accounts[2], workModel, royaltyBps, false)
	w.register(w.c.Accounts[2], promptModel, royaltyBps, true)
	w.crew = w.c.NewCrew()
	w.crew.Gas = w.gasOf
	for i, a := range w.c.Accounts[3:] {
		w.machines = append(w.machines, newMachine(s.sizes[i]*smallest))
		w.index[a.String()] = i
		m := &testutil.Participant{Account: a, VRF: secrets[i], Ready: func(task uint64) bool { return w.ready(i, task) }}
		w.crew.Members = append(w.crew.Members, m)
		if s.play != nil && s.play.copies && w.plays(i) {
			m.Result = func(task uint64) (testutil.Result, error) { return w.copied(m, task) }
		}
	}
	w.serve()
	return w
}

// plays tells whether a participant belongs to the group.
func (w *world) plays(i int) bool { return i >= len(w.sizes)-w.group }

// first of the group submits for it.
func (w *world) first() *testutil.Participant { return w.crew.Members[len(w.sizes)-w.group] }

// serve has everybody serve the models of clients, and the group its own.
func (w *world) serve() {
	captive := w.play != nil && w.play.captive
	if captive {
		w.register(w.first().Account, captiveModel, royaltyBps, false)
	}
	var txs [][]byte
	for i, m := range w.crew.Members {
		models := []string{workModel, promptModel}
		if captive && w.plays(i) {
			models = append(models, captiveModel)
		}
		txs = append(txs, w.c.Tx(m.Account, &poaitypes.MsgServe{Participant: m.String(), Models: models}))
	}
	for i, r := range w.c.Block(txs...).TxResults {
		if r.Code != 0 {
			w.tb.Fatalf("participant %d serves: %s", i, r.Log)
		}
	}
}

// genesis sets windows, and writes the participants.
func (w *world) genesis(g *testutil.Genesis) []*vrf.SecretKey {
	var t taskstypes.GenesisState
	g.Get(taskstypes.ModuleName, &t)
	p := &t.Params
	p.DrawDelay, p.SealBlocks, p.PromptBlocks, p.RevealBlocks, p.ChallengeBlocks, p.OpenBlocks, p.RetentionBlocks = 2, 20, 8, 10, 4, 100, 100_000
	if w.audited {
		p.AuditMinPpm = taskstypes.PpmOne
	}
	g.Set(taskstypes.ModuleName, &t)

	var r rewardstypes.GenesisState
	g.Get(rewardstypes.ModuleName, &r)
	d := rewardstypes.DefaultParams()
	r.Params.MaxEmissionPerUnit, r.Params.MaxEmissionCostBps = d.MaxEmissionPerUnit, d.MaxEmissionCostBps
	if w.uncapped {
		r.Params.MaxEmissionCostBps = 0
	}
	g.Set(rewardstypes.ModuleName, &r)

	var s poaitypes.GenesisState
	g.Get(poaitypes.ModuleName, &s)
	s.Params.EpochBlocks, s.Params.EpochCloseDelayBlocks, s.Params.Capacity.HalvingEpochs = epochBlocks, 80, 0
	s.Params.Minting, s.CapacityFrom = poaitypes.DefaultMintingParams(), 1
	if w.stake {
		s.Params.Capacity.BondPerUnit = sdkmath.ZeroInt()
	}
	bonds := sdkmath.ZeroInt()
	var secrets []*vrf.SecretKey
	for i, a := range g.Accounts[3:] {
		seed := [32]byte{byte(i), 1}
		secret, err := vrf.NewSecretKey(seed[:])
		if err != nil {
			w.tb.Fatalf("VRF key: %v", err)
		}
		secrets = append(secrets, &secret)
		bond := w.bond(i)
		bonds = bonds.Add(bond)
		s.Participants = append(s.Participants, poaitypes.Participant{
			Address: a.String(), Moniker: a.Name, Concurrency: 1_000, Bond: bond, Locked: sdkmath.ZeroInt(), Unbonding: sdkmath.ZeroInt(),
			Delegated: sdkmath.ZeroInt(), ReliabilityPpm: poaitypes.PPM, WeighedReliabilityPpm: poaitypes.PPM, JoinedHeight: 1,
			Capacity: w.sizes[i] * smallest, CapacityEpoch: 1, NextVrfKey: secret.Public(), VrfKeyHeight: 1,
		})
	}
	g.Set(poaitypes.ModuleName, &s)
	g.Fund(authtypes.NewModuleAddress(poaitypes.ModuleName), sdk.NewCoins(sdk.NewCoin("upoai", bonds)))
	return secrets
}

// bond of a participant: four times what backs its capacity, so that it can lock what its work puts at risk, and often more, since wealth has
// little to do with machines: log-normal, two in three between a tenth and ten times of 20,000 poai.
func (w *world) bond(i int) sdkmath.Int {
	need := float64(w.sizes[i]) * smallest * 1_000 * 4
	rng := rand.New(rand.NewPCG(uint64(i), 7))
	wealth := 20_000e6 * math.Pow(10, rng.NormFloat64())
	return sdkmath.NewInt(int64(min(max(need, wealth), 1_000_000e6)))
}

// gasOf is a message's gas limit, by what is in it: enough, as no message of a run fails. It is noted who pays.
func (w *world) gasOf(m *testutil.Participant, msg sdk.Msg) uint64 {
	gas := uint64(200_000)
	switch msg := msg.(type) {
	case *taskstypes.MsgSealResults:
		gas += uint64(len(msg.Items)) * 60_000
	case *taskstypes.MsgRevealResults:
		gas += uint64(len(msg.Items)) * 450_000
	case *poaitypes.MsgSealAttestations:
		gas += uint64(len(msg.Items)) * 150_000
	case *poaitypes.MsgRevealAttestations:
		gas += uint64(len(msg.Items)) * 200_000
	}
	w.gas[w.index[m.String()]] += int64(gas) / 400
	return gas
}

// ready has participant i's machine compute a task, if its strategy has it computed.
func (w *world) ready(i int, id uint64) bool {
	task, err := w.c.App.Tasks.Tasks.Get(w.c.Ctx(), id)
	if err != nil {
		w.tb.Fatalf("task %d: %v", id, err)
	}
	units := task.Units
	if w.play != nil && w.plays(i) {
		if w.play.declines != nil && w.play.declines(task) {
			return false
		}
		if w.play.units != nil {
			units = w.play.units(w, i, task)
		}
	}
	return w.machines[i].ready(id, units)
}

// once is the units of a task for the first of the group that asks, and nothing for the others, who get its result.
func (w *world) once(i int, task taskstypes.Task) uint64 {
	first, found := w.shared[task.Id]
	if !found {
		w.shared[task.Id] = i
		return task.Units
	}
	if first == i {
		return task.Units
	}
	return 0
}

// copied is what a member attests that copies what the worker says it has sealed; as a worker it computes.
func (w *world) copied(m *testutil.Participant, id uint64) (testutil.Result, error) {
	ctx := w.c.Ctx()
	task, err := w.c.App.Tasks.Tasks.Get(ctx, id)
	if err != nil {
		return testutil.Result{}, err
	}
	in, err := w.c.App.Tasks.Inputs.Get(ctx, id)
	if err != nil {
		return testutil.Result{}, err
	}
	st, err := w.c.App.Tasks.Statuses.Get(ctx, id)
	if err != nil {
		return testutil.Result{}, err
	}
	res, err := testutil.RunEcho(in.Tensors, task.Steps, false)
	if err != nil || st.Worker == m.String() {
		return res, err
	}
	proof, err := w.crew.Members[w.index[st.Worker]].ForcedProof(task, st)
	if err == nil && proof != nil {
		res.Root = commit.ForcedRoot(res.Root)
	}
	return res, err
}

// step makes a block: clients and the group submit, machines compute, everybody sends what is due.
func (w *world) step() {
	for _, m := range w.machines {
		m.tick()
	}
	var txs [][]byte
	send := func(from *testutil.Account, msgs []sdk.Msg) {
		for ; len(msgs) > 0; msgs = msgs[min(txTasks, len(msgs)):] {
			gas := uint64(min(txTasks, len(msgs)))*submitGas + 100_000
			if i, ok := w.index[from.String()]; ok {
				w.gas[i] += int64(gas) / 400
			}
			txs = append(txs, w.c.TxWith(from, testutil.TxOptions{Gas: gas}, msgs[:min(txTasks, len(msgs))]...))
		}
	}
	n := perBlock
	if w.idle && w.idleNow() {
		n = 0
	}
	var msgs []sdk.Msg
	busy := w.sent < w.tasks
	for ; n > 0 && w.sent < w.tasks; n-- {
		w.sent++
		msgs = append(msgs, w.submission(w.client, workModel, w.clientSteps()))
	}
	send(w.client, msgs)
	if busy && w.play != nil && w.play.submits != nil {
		send(w.first().Account, w.play.submits(w))
	}
	w.crew.Work(txs...)
	w.blocks++
}

// submitGas of a submission, its inputs included.
const submitGas = 600_000

// idleNow tells whether this epoch is one without clients: every other one.
func (w *world) idleNow() bool {
	epoch, err := w.c.App.Poai.CurrentEpoch(w.c.Ctx())
	if err != nil {
		w.tb.Fatalf("epoch: %v", err)
	}
	return epoch%2 == 0
}

// clientSteps is the size of a client's next task.
func (w *world) clientSteps() uint64 {
	if w.steps > 0 {
		return w.steps
	}
	return uint64(minSteps * math.Pow(maxTaskSteps/minSteps, w.rng.Float64()))
}

// unfinished counts tasks that have not ended.
func (w *world) unfinished() (n int) {
	err := w.c.App.Tasks.Statuses.Walk(w.c.Ctx(), nil, func(_ uint64, st taskstypes.Status) (bool, error) {
		if st.FinalHeight == 0 {
			n++
		}
		return false, nil
	})
	if err != nil {
		w.tb.Fatalf("statuses: %v", err)
	}
	return n
}

// claimAll waits until every epoch with score is closed, has everybody claim, and waits until everything has vested.
func (w *world) claimAll() {
	running, err := w.c.App.Poai.CurrentEpoch(w.c.Ctx())
	if err != nil {
		w.tb.Fatalf("epoch: %v", err)
	}
	last := running + 1 // what ends now may be credited to the next epoch
	for closed := uint64(0); closed < last; w.c.Block() {
		if closed, err = w.c.App.Poai.ClosedEpochs.Get(w.c.Ctx()); err != nil {
			w.tb.Fatalf("closed epochs: %v", err)
		}
	}
	var txs [][]byte
	for i, m := range w.crew.Members {
		var epochs []uint64
		for e := w.forfeited(m) + 1; e <= last; e++ {
			if has, err := w.c.App.Poai.Scores.Has(w.c.Ctx(), collections.Join(e, m.String())); err == nil && has {
				epochs = append(epochs, e)
			}
		}
		if len(epochs) > 0 {
			txs = append(txs, w.pay(i, uint64(len(epochs))*80_000+150_000, &rewardstypes.MsgClaim{Participant: m.String(), Epochs: epochs}))
		}
	}
	w.deliver(txs)
	w.c.Blocks(12)
	txs = nil
	for i, m := range w.crew.Members {
		if has, err := w.c.App.Rewards.Vestings.Has(w.c.Ctx(), m.Addr); err == nil && has {
			txs = append(txs, w.pay(i, 200_000, &rewardstypes.MsgRelease{Participant: m.String()}))
		}
	}
	w.deliver(txs)
}

// forfeited is the last epoch whose share a participant lost because it was proven to lie before it claimed; 0: none.
func (w *world) forfeited(m *testutil.Participant) uint64 {
	epoch, err := w.c.App.Rewards.Forfeitures.Get(w.c.Ctx(), m.Addr)
	if err != nil && !errors.Is(err, collections.ErrNotFound) {
		w.tb.Fatalf("forfeiture of %s: %v", m.Name, err)
	}
	return epoch
}

// pay signs a message of participant i and notes what its gas costs.
func (w *world) pay(i int, gas uint64, msg sdk.Msg) []byte {
	w.gas[i] += int64(gas) / 400
	return w.c.TxWith(w.crew.Members[i].Account, testutil.TxOptions{Gas: gas}, msg)
}

func (w *world) deliver(txs [][]byte) {
	for i, r := range w.c.Block(txs...).TxResults {
		if r.Code != 0 {
			w.tb.Fatalf("transaction %d: %s", i, r.Log)
		}
	}
}
