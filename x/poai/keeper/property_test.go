package keeper_test

import (
	"testing"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"poaid/x/poai/types"
)

// machine runs random operations, allowed and not, and checks all invariants after each.
type machine struct {
	*fixture
	supply  math.Int
	workers map[uint64]string // places held, by task
	next    uint64
}

func (m *machine) who(rt *rapid.T) string { return addr(rapid.IntRange(0, 11).Draw(rt, "who")) }

func (m *machine) amount(rt *rapid.T) int64 {
	return rapid.OneOf(rapid.Int64Range(-1, 3), rapid.Int64Range(0, 3_000)).Draw(rt, "amount")
}

func (m *machine) join(rt *rapid.T) {
	var models []string
	if rapid.Bool().Draw(rt, "serves") {
		models = []string{digits}
	}
	_, err := m.msgs.Join(m.ctx, &types.MsgJoin{Participant: m.who(rt), Bond: coin(minBond + m.amount(rt)), Concurrency: 2, Models: models})
	discard(err)
}

// discard marks an error that random input may well cause: what counts is that nothing breaks.
func discard(error) {}

func (m *machine) bond(rt *rapid.T) {
	a, amount := m.who(rt), coin(m.amount(rt))
	if rapid.Bool().Draw(rt, "add") {
		_, err := m.msgs.AddBond(m.ctx, &types.MsgAddBond{Participant: a, Amount: amount})
		discard(err)
		return
	}
	_, err := m.msgs.Unbond(m.ctx, &types.MsgUnbond{Participant: a, Amount: amount})
	discard(err)
	_, err = m.msgs.WithdrawUnbonded(m.ctx, &types.MsgWithdrawUnbonded{Participant: a})
	discard(err)
}

// delegate lets others put bond behind a participant and take some of it out again.
func (m *machine) delegate(rt *rapid.T) {
	a, amount := m.who(rt), coin(m.amount(rt))
	ctx, write := m.ctx.CacheContext()
	var err error
	if rapid.Bool().Draw(rt, "add") {
		err = m.AddDelegated(ctx, a, sdk.MustAccAddressFromBech32(m.who(rt)), amount)
	} else if err = m.RemoveDelegated(ctx, a, amount, "delegation"); err == nil {
		err = m.AddBondFromModule(ctx, "delegation", a, amount)
	}
	if err == nil {
		write()
	}
}

// serve runs in a branch, as a transaction does: a refused message may have done half its work.
func (m *machine) serve(rt *rapid.T) {
	a, models := m.who(rt), []string{rapid.SampledFrom([]string{digits, story}).Draw(rt, "model")}
	branch, write := m.ctx.CacheContext()
	var err error
	if rapid.Bool().Draw(rt, "stop") {
		_, err = m.msgs.StopServing(branch, &types.MsgStopServing{Participant: a, Models: models})
	} else {
		_, err = m.msgs.Serve(branch, &types.MsgServe{Participant: a, Models: models})
	}
	if err == nil {
		write()
	}
}

func (m *machine) drawWorker(rt *rapid.T) {
	m.next++
	worker, found, err := m.DrawWorker(m.ctx, draw(m.next, rapid.Int64Range(0, 1_500).Draw(rt, "lock"), m.who(rt)))
	require.NoError(rt, err)
	if found {
		m.workers[m.next] = worker
	}
}

func (m *machine) endWorker(rt *rapid.T) {
	for task := uint64(1); task <= m.next; task++ {
		worker, ok := m.workers[task]
		if !ok || rapid.Bool().Draw(rt, "skip") {
			continue
		}
		require.NoError(rt, m.ReleaseWorker(m.ctx, worker))
		delete(m.workers, task)
		require.NoError(rt, m.Slash(m.ctx, types.SlashRequest{
			Participant: worker, Kind: types.LOCK_KIND_TASK, Task: task, Lie: rapid.Bool().Draw(rt, "lie"),
			Bps: rapid.Uint32Range(0, 10_000).Draw(rt, "bps"), Beneficiaries: []string{m.who(rt), m.who(rt)},
		}))
		return
	}
}

func (m *machine) openCommittee(rt *rapid.T) {
	m.next++
	_, err := m.OpenCommittee(m.ctx, types.CommitteeRequest{
		Task: m.next, Model: digits, Worker: m.who(rt), Seed: []byte("s"), Size: rapid.Uint32Range(1, 4).Draw(rt, "size"),
		LockPerSeat: math.NewInt(rapid.Int64Range(0, 500).Draw(rt, "lock")), Deadline: m.ctx.BlockHeight() + 2,
	})
	require.NoError(rt, err)
}

// attest lets every live seat act with some probability, honestly or not, in time or not.
func (m *machine) attest(rt *rapid.T) {
	for task := uint64(1); task <= m.next; task++ {
		_, seats, err := m.GetCommittee(m.ctx, task)
		if err != nil {
			continue
		}
		for _, s := range seats {
			root := rootOf(byte(rapid.IntRange(1, 2).Draw(rt, "root")))
			if rapid.Bool().Draw(rt, "act") {
				m.seal(s.Participant, sealItem(s.Participant, task, root))
				m.reveal(s.Participant, revealItem(s.Participant, task, root))
			}
		}
	}
}

func (m *machine) settle(rt *rapid.T) {
	for task := uint64(1); task <= m.next; task++ {
		c, _, err := m.GetCommittee(m.ctx, task)
		if err != nil {
			continue
		}
		switch {
		case c.Phase == types.COMMITTEE_PHASE_SEALING && m.ctx.BlockHeight() >= c.Deadline:
			_, err = m.CloseOverdueSeats(m.ctx, task, []byte("r"), m.ctx.BlockHeight()+2)
			require.NoError(rt, err)
		case c.Phase == types.COMMITTEE_PHASE_REVEALING && rapid.Bool().Draw(rt, "settle"):
			root := rootOf(1)
			agreed, err := m.SettleCommittee(m.ctx, task, types.CommitteeOutcome{ValidRoot: root[:], Beneficiaries: []string{m.who(rt)}})
			require.NoError(rt, err)
			for _, a := range agreed {
				require.NoError(rt, m.Credit(m.ctx, types.CreditRequest{Epoch: 1, Participant: a, Units: 10, ScoreUnits: 7, Role: types.RoleVerifier}))
			}
		case c.Phase == types.COMMITTEE_PHASE_DONE:
			require.NoError(rt, m.PruneCommittee(m.ctx, task))
		}
	}
}

// prove sets capacities, voids some, and lets epochs pass sooner than blocks would.
func (m *machine) prove(rt *rapid.T) {
	err := m.SetCapacity(m.ctx, m.who(rt), rapid.Uint64Range(0, 900).Draw(rt, "capacity"))
	if err != nil {
		require.ErrorIs(rt, err, types.ErrUnknownParticipant)
	}
	m.at(m.ctx.BlockHeight() + rapid.Int64Range(0, 10).Draw(rt, "wait"))
	require.NoError(rt, m.EndBlock(m.ctx))
}

// mend asks to be let out of jail, and acquits.
func (m *machine) mend(rt *rapid.T) {
	a := m.who(rt)
	if rapid.Bool().Draw(rt, "unjail") {
		discard(m.unjail(a))
		return
	}
	branch, write := m.ctx.CacheContext()
	before := m.bank.balance("community")
	_, err := m.msgs.Acquit(branch, &types.MsgAcquit{Authority: moduleAddress("gov"), Participant: a, Fault: rapid.Uint64Range(1, 3).Draw(rt, "fault")})
	if err != nil {
		require.Equal(rt, before, m.bank.balance("community"))
		return
	}
	write()
}

func (m *machine) block(rt *rapid.T) {
	require.NoError(rt, m.EndBlock(m.ctx))
	m.at(m.ctx.BlockHeight() + 1)
	m.hooks.revealDeadline = m.ctx.BlockHeight() + 3
}

func TestNothingBreaksTheInvariants(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		f := newFixture(t)
		m := &machine{fixture: f, workers: map[uint64]string{}}
		f.with(func(p *types.FaultParams) {
			p.JailBlocks, p.MaxJailBlocks, p.TimeoutJailBlocks, p.MemoryBlocks, p.MaxTimeouts, p.AppealBlocks = 2, 9, 1, 6, 3, 30
		})
		m.supply = math.ZeroInt()
		for i := range 12 {
			f.fund(addr(i), 8_000)
			m.supply = m.supply.AddRaw(8_000)
		}
		rt.Repeat(map[string]func(*rapid.T){
			"join": m.join, "bond": m.bond, "delegate": m.delegate, "serve": m.serve, "drawWorker": m.drawWorker, "endWorker": m.endWorker,
			"openCommittee": m.openCommittee, "attest": m.attest, "settle": m.settle, "block": m.block, "prove": m.prove, "mend": m.mend,
			"": func(rt *rapid.T) {
				require.NoError(rt, f.CheckInvariants(f.ctx))
				sum := math.ZeroInt()
				for _, b := range f.bank.balances { // burnt coins are moved aside, so nothing is lost or minted
					sum = sum.Add(b)
				}
				require.Equal(rt, m.supply, sum)
			},
		})
	})
}

// TestInvariantsSeeEachFault breaks the state on purpose, one way at a time.
func TestInvariantsSeeEachFault(t *testing.T) {
	for name, breakIt := range map[string]func(f *fixture, p *types.Participant){
		"coins are missing": func(f *fixture, _ *types.Participant) {
			f.bank.balances[moduleAddress(types.ModuleName)] = math.ZeroInt()
		},
		"bond is too high":                func(_ *fixture, p *types.Participant) { p.Bond = p.Bond.AddRaw(1) },
		"more is delegated than there is": func(_ *fixture, p *types.Participant) { p.Delegated = p.Bond.AddRaw(1) },
		"delegated backs more than the score": func(f *fixture, p *types.Participant) {
			require.NoError(f.t, f.Scores.Set(f.ctx, scoreKey(1, p.Address), types.Score{Score: math.ZeroInt(), Units: math.ZeroInt(), Delegated: math.OneInt()}))
		},
		"locked is wrong":       func(_ *fixture, p *types.Participant) { p.Locked = p.Locked.AddRaw(1) },
		"unbonding is wrong":    func(_ *fixture, p *types.Participant) { p.Unbonding, p.Bond = math.OneInt(), p.Bond.SubRaw(1) },
		"a place is lost":       func(_ *fixture, p *types.Participant) { p.Active-- },
		"a place too many":      func(_ *fixture, p *types.Participant) { p.Active++ },
		"models are miscounted": func(_ *fixture, p *types.Participant) { p.Models++ },
		"a weight is stale": func(f *fixture, p *types.Participant) {
			require.NoError(f.t, f.Trees.SetWeight(f.ctx, digits, p.Address, 1))
		},
		"a fall is not weighed": func(_ *fixture, p *types.Participant) { p.ReliabilityPpm-- },
		"a capacity never halves": func(_ *fixture, p *types.Participant) {
			p.Capacity, p.CapacityEpoch = 7, 1
		},
		"a halving of nothing": func(f *fixture, p *types.Participant) {
			require.NoError(f.t, f.Decays.Set(f.ctx, collections.Join(uint64(1), p.Address)))
		},
		"a capacity of the future": func(_ *fixture, p *types.Participant) { p.CapacityEpoch = 9 },
		"units are not counted": func(f *fixture, p *types.Participant) {
			require.NoError(f.t, f.Scores.Set(f.ctx, scoreKey(1, p.Address), types.Score{Score: math.ZeroInt(), Units: math.NewInt(1_000_000)}))
		},
		"a committee miscounts": func(f *fixture, _ *types.Participant) {
			c := f.committee(task)
			c.Sealed++
			require.NoError(f.t, f.Committees.Set(f.ctx, task, c))
		},
		"a total of bonds is wrong": func(f *fixture, _ *types.Participant) {
			require.NoError(f.t, f.TotalBond.Set(f.ctx, math.OneInt()))
		},
		"a fault is not counted":   func(_ *fixture, p *types.Participant) { p.Conduct.Records++ },
		"a lie is not recorded":    func(_ *fixture, p *types.Participant) { p.Faults++ },
		"jail without consequence": func(_ *fixture, p *types.Participant) { p.Conduct.JailedUntil = 5 },
		"weights are miscounted": func(f *fixture, _ *types.Participant) {
			require.NoError(f.t, f.Trees.Counts.Set(f.ctx, digits, 99))
		},
		"a score is not counted": func(f *fixture, _ *types.Participant) {
			e := f.epoch(1)
			e.TotalScore = math.OneInt()
			require.NoError(f.t, f.Epochs.Set(f.ctx, 1, e))
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.open(3, 2)
			f.ok()
			p := f.get(f.seatsOf(task)[0].Participant)
			breakIt(f, &p)
			require.NoError(t, f.Participants.Set(f.ctx, p.Address, p))
			require.ErrorIs(t, f.CheckInvariants(f.ctx), types.ErrInvariant)
		})
	}
}
