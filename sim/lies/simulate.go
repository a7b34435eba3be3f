package main

import (
	"fmt"
	"math"
	"math/big"
	"slices"

	"cosmossdk.io/collections"
	sdkmath "cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/app/params"
	"poaid/game"
	"poaid/testutil"
	disputestypes "poaid/x/disputes/types"
	poaitypes "poaid/x/poai/types"
	taskstypes "poaid/x/tasks/types"
)

const (
	// perTx and perBlock tasks are submitted together.
	perTx, perBlock = 25, 100
	// bond of a participant of the usual size, in poai.
	bond = 10_000
	// unitsPerUnit lets the echo model's runs of one unit cost, earn and risk what runs of so many do.
	unitsPerUnit = 1_000_000
	// maxBlocks a simulation may take after the last submission.
	maxBlocks = 400
)

// scenario is a chain on which a coalition lies whenever it can. Its members make up the same root, and attest it where one of them is the
// worker; about honest workers they say the truth. Nobody but drawn members looks. The honest ones
// among them open the result that they defend; more is not needed against somebody that made a root up.
type scenario struct {
	participants, members, tasks int
	// big: the first member has all of the coalition's weight but for the others' own.
	big *big.Rat
}

// scenarios of the table: even coalitions, then one big colluder.
func scenarios(participants, tasks int) []scenario {
	var out []scenario
	for _, f := range shares() {
		share, _ := f.Float64()
		out = append(out, scenario{participants: participants, members: int(math.Round(share * float64(participants))), tasks: tasks})
	}
	return append(out, scenario{participants: participants, members: 1, tasks: tasks, big: big.NewRat(40, 100)})
}

// counts of what happened.
type counts struct {
	// lies sealed; of them audited, caught and final.
	lies, audited, caught, final int
	// honest workers that lost a task; must be none.
	wronged int
	// unfinished tasks; must be none.
	unfinished int
	// lost is what the coalition's bonds lost, and lock what one lie risks.
	lost, lock sdkmath.Int
	// othersLost is what the bonds of the honest lost.
	othersLost sdkmath.Int
	ratePpm    uint32
}

// share of the weight that colludes.
func (s scenario) share() *big.Rat {
	if s.big != nil {
		return s.big
	}
	return big.NewRat(int64(s.members), int64(s.participants))
}

// expect are the chances that a lie is audited, and that it is final. An honest member always does its work here.
func (s scenario) expect(ratePpm uint32) (audited, final float64) {
	rate := big.NewRat(int64(ratePpm), taskstypes.PpmOne)
	audited, _ = rate.Float64()
	c := capture(s.share(), s.members, int(taskstypes.DefaultParams().CommitteeSize))
	rate.Mul(rate, new(big.Rat).Sub(one(), c))
	final, _ = new(big.Rat).Sub(one(), rate).Float64()
	return audited, final
}

// run simulates.
func (s scenario) run(tb testutil.TB) counts {
	c := testutil.NewApp(tb, testutil.Options{Accounts: s.participants + 2, NoInvariants: true, NoCheckTx: true, Genesis: rules})
	submitter, members := c.Accounts[1], c.Accounts[2:]
	c.RegisterEcho(submitter)
	crew := s.join(tb, c, members)
	before := bonds(tb, c, crew)
	sent := 0
	for blocks := 0; ; blocks++ {
		var txs [][]byte
		for range perBlock / perTx {
			var msgs []sdk.Msg
			for ; len(msgs) < perTx && sent < s.tasks; sent++ {
				msgs = append(msgs, testutil.SubmitEcho(submitter, uint64(sent)))
			}
			if len(msgs) > 0 {
				txs = append(txs, c.TxWith(submitter, testutil.TxOptions{Gas: 40_000_000}, msgs...))
			}
		}
		crew.Work(append(txs, s.openings(tb, c, crew)...)...)
		if sent == s.tasks && (blocks%10 == 0 && s.count(tb, c, crew).unfinished == 0 || blocks > maxBlocks) {
			break
		}
	}
	if err := testutil.CheckInvariants(c.App, c.Ctx()); err != nil {
		tb.Fatalf("%v", err)
	}
	res := s.count(tb, c, crew)
	after := bonds(tb, c, crew)
	res.lost, res.othersLost = sdkmath.ZeroInt(), sdkmath.ZeroInt()
	for i := range crew.Members {
		if loss := before[i].Sub(after[i]); s.colludes(i) {
			res.lost = res.lost.Add(loss)
		} else {
			res.othersLost = res.othersLost.Add(loss)
		}
	}
	return res
}

// openings are the first moves of the honest defenders in all games that run.
func (s scenario) openings(tb testutil.TB, c *testutil.Chain, crew *testutil.Crew) [][]byte {
	honest := map[string]*testutil.Participant{}
	for _, m := range crew.Members[s.members:] {
		honest[m.String()] = m
	}
	var txs [][]byte
	err := c.App.Disputes.Games.Walk(c.Ctx(), nil, func(_ collections.Pair[uint64, uint32], g disputestypes.Game) (bool, error) {
		m, ok := honest[g.Defender]
		if !ok || g.Moves > 0 || g.Result != disputestypes.GAME_RESULT_UNSPECIFIED {
			return false, nil
		}
		task, err := c.App.Tasks.Tasks.Get(c.Ctx(), g.TaskId)
		if err != nil {
			return false, err
		}
		in, err := c.App.Tasks.Inputs.Get(c.Ctx(), g.TaskId)
		if err != nil {
			return false, err
		}
		truth, err := testutil.RunEcho(in.Tensors, task.Steps, false)
		if err != nil {
			return false, err
		}
		// The model has one state, and gives it out: both roots are the same.
		move, err := disputestypes.EncodeMove(game.Open{State: truth.StateRoot, Output: truth.StateRoot})
		if err != nil {
			return false, err
		}
		txs = append(txs, c.TxWith(m.Account, testutil.TxOptions{Gas: 5_000_000}, &disputestypes.MsgMove{
			Participant: m.String(), TaskId: g.TaskId, Game: g.Index, Moves: g.Moves, Move: move,
		}))
		return false, nil
	})
	if err != nil {
		tb.Fatalf("games: %v", err)
	}
	return txs
}

// rules are the default params but for windows, for weights that stay as they are, and for what a unit costs.
func rules(g *testutil.Genesis) {
	var t taskstypes.GenesisState
	g.Get(taskstypes.ModuleName, &t)
	p := &t.Params
	p.UnitPrice, p.WorkerLockPrice, p.ReferenceCost = p.UnitPrice.MulRaw(unitsPerUnit), p.WorkerLockPrice.MulRaw(unitsPerUnit), p.ReferenceCost.MulRaw(unitsPerUnit)
	p.AuditAllBelowPpm, p.ForcedErrorPpm, p.JackpotBps = 0, 0, 0
	p.SealBlocks, p.RevealBlocks, p.ChallengeBlocks, p.OpenBlocks, p.RetentionBlocks = 4, 4, 2, 100, 100_000
	g.Set(taskstypes.ModuleName, &t)

	var w poaitypes.GenesisState
	g.Get(poaitypes.ModuleName, &w)
	w.Params.ReliabilityStartPpm, w.Params.ReliabilityFaultPpm = poaitypes.PPM, poaitypes.PPM-1
	w.Params.Capacity.BondPerUnit = sdkmath.ZeroInt()
	g.Set(poaitypes.ModuleName, &w)

	var d disputestypes.GenesisState
	g.Get(disputestypes.ModuleName, &d)
	d.Params.ClockBase, d.Params.ClaimBlocks = 2, 2
	g.Set(disputestypes.ModuleName, &d)
}

func (s scenario) colludes(i int) bool { return i < s.members }

// join bonds everybody, and tells the coalition's members what to say.
func (s scenario) join(tb testutil.TB, c *testutil.Chain, accounts []*testutil.Account) *testutil.Crew {
	txs := make([][]byte, len(accounts))
	for i, a := range accounts {
		msg := testutil.Join(a)
		amount := int64(bond)
		if s.big != nil && i == 0 {
			others := new(big.Rat).SetInt64(int64(bond * (len(accounts) - 1)))
			whole := new(big.Rat).Quo(others, new(big.Rat).Sub(one(), s.big))
			amount = new(big.Int).Quo(whole.Mul(whole, s.big).Num(), whole.Denom()).Int64()
		}
		msg.Bond = sdk.NewInt64Coin(params.Denom, amount*1_000_000)
		txs[i] = c.Tx(a, msg)
	}
	crew := c.NewCrew()
	for i, r := range c.Block(txs...).TxResults {
		if r.Code != 0 {
			tb.Fatalf("join %s: %s", accounts[i].Name, r.Log)
		}
		crew.Members = append(crew.Members, &testutil.Participant{Account: accounts[i]})
	}
	coalition := s.names(crew)
	for _, m := range crew.Members[:s.members] {
		m.Result = func(id uint64) (testutil.Result, error) {
			task, err := c.App.Tasks.Tasks.Get(c.Ctx(), id)
			if err != nil {
				return testutil.Result{}, err
			}
			in, err := c.App.Tasks.Inputs.Get(c.Ctx(), id)
			if err != nil {
				return testutil.Result{}, err
			}
			st, err := c.App.Tasks.Statuses.Get(c.Ctx(), id)
			if err != nil {
				return testutil.Result{}, err
			}
			return testutil.RunEcho(in.Tensors, task.Steps, slices.Contains(coalition, st.Worker))
		}
	}
	return crew
}

// names of the coalition.
func (s scenario) names(crew *testutil.Crew) []string {
	var out []string
	for _, m := range crew.Members[:s.members] {
		out = append(out, m.String())
	}
	return out
}

// count reads off the tasks what happened: a worker that was tried and lost the task was caught, since everybody seals and reveals.
func (s scenario) count(tb testutil.TB, c *testutil.Chain, crew *testutil.Crew) counts {
	coalition := s.names(crew)
	var res counts
	err := c.App.Tasks.Statuses.Walk(c.Ctx(), nil, func(id uint64, st taskstypes.Status) (bool, error) {
		for _, worker := range st.Tried {
			if slices.Contains(coalition, worker) {
				res.caught++
			} else {
				res.wronged++
			}
		}
		switch st.State {
		case taskstypes.STATE_FINAL:
			if slices.Contains(coalition, st.Worker) {
				res.final++
				if st.Audited {
					res.audited++
				}
			}
		case taskstypes.STATE_EXPIRED, taskstypes.STATE_REFUNDED:
		default:
			res.unfinished++
		}
		task, err := c.App.Tasks.Tasks.Get(c.Ctx(), id)
		res.lock, res.ratePpm = task.Lock, task.AuditPpm
		return false, err
	})
	if err != nil {
		tb.Fatalf("count: %v", err)
	}
	res.audited += res.caught
	res.lies = res.caught + res.final
	return res
}

func bonds(tb testutil.TB, c *testutil.Chain, crew *testutil.Crew) []sdkmath.Int {
	out := make([]sdkmath.Int, len(crew.Members))
	for i, m := range crew.Members {
		p, err := c.App.Poai.GetParticipant(c.Ctx(), m.String())
		if err != nil {
			tb.Fatalf("%s: %v", m.Name, err)
		}
		out[i] = p.Bond
	}
	return out
}

func simulatedTable() table {
	return table{
		title: "Counted on the state machine: every lie the coalition could tell, nobody challenges",
		head: []string{
			"participants", "colluding", "weight", "lies", "audited (expected)", "final (expected)", "bonds lost by the coalition", "by the honest",
		},
	}
}

func (s scenario) row(r counts) []string {
	audited, final := s.expect(r.ratePpm)
	n := float64(r.lies)
	return []string{
		fmt.Sprint(s.participants), fmt.Sprint(s.members), s.share().FloatString(3), fmt.Sprint(r.lies),
		fmt.Sprintf("%d (%.1f ± %.1f)", r.audited, n*audited, math.Sqrt(n*audited*(1-audited))),
		fmt.Sprintf("%d (%.1f ± %.1f)", r.final, n*final, math.Sqrt(n*final*(1-final))),
		fmt.Sprintf("%s poai", r.lost.QuoRaw(1_000_000)), fmt.Sprintf("%s poai", r.othersLost.QuoRaw(1_000_000)),
	}
}
