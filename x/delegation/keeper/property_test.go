package keeper_test

import (
	"maps"
	"math/big"
	"testing"

	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"poaid/x/delegation/types"
	poaitypes "poaid/x/poai/types"
)

const holders = 5

// ledger is a second set of books that goes through all holders at every reward, in fractions.
type ledger struct {
	active, pending [holders + 1]math.Int
	pendingEpoch    [holders + 1]uint64
	earned          [holders + 1]*big.Rat
	paid            [holders + 1]int64
	dropped         int64 // fractions of a coin left behind by who has nothing any more
}

func newLedger() *ledger {
	l := &ledger{}
	for i := range l.active {
		l.active[i], l.pending[i], l.earned[i] = math.ZeroInt(), math.ZeroInt(), new(big.Rat)
	}
	return l
}

func (l *ledger) begin(epoch uint64) {
	for i := range l.active {
		if l.pending[i].IsPositive() && l.pendingEpoch[i] <= epoch {
			l.active[i], l.pending[i] = l.active[i].Add(l.pending[i]), math.ZeroInt()
		}
	}
}

func (l *ledger) reward(n int64) {
	total := math.ZeroInt()
	for _, a := range l.active {
		total = total.Add(a)
	}
	if total.IsZero() {
		return
	}
	for i, a := range l.active {
		part := new(big.Rat).SetFrac(a.MulRaw(n).BigInt(), total.BigInt())
		l.earned[i].Add(l.earned[i], part)
	}
}

func (l *ledger) end() {
	for i := range l.active {
		l.active[i], l.pending[i] = math.ZeroInt(), math.ZeroInt()
	}
}

type machine struct {
	*fix
	ledger *ledger
	supply math.Int
}

// try keeps what a message did only if it succeeds, as the chain does with transactions.
func (m *machine) try(do func(ctx sdk.Context) error) bool {
	balances, participants := maps.Clone(m.bank.balances), maps.Clone(m.poai.participants)
	ctx, write := m.ctx.CacheContext()
	if do(ctx) != nil {
		m.bank.balances, m.poai.participants = balances, participants
		return false
	}
	write()
	return true
}

func (m *machine) delegate(t *rapid.T) {
	i, n := rapid.IntRange(1, holders).Draw(t, "who"), rapid.Int64Range(0, 3_000).Draw(t, "amount")
	generation := m.pool().Generation
	m.try(func(ctx sdk.Context) error {
		res, err := m.msg.Delegate(ctx, &types.MsgDelegate{Holder: who(i), Participant: alice, Amount: coin(n)})
		if err != nil {
			return err
		}
		if pool, err := m.k.Pools.Get(ctx, alice); err != nil || pool.Generation != generation {
			require.NoError(t, err)
			m.ledger.end()
		}
		m.ledger.pending[i], m.ledger.pendingEpoch[i] = m.ledger.pending[i].Add(res.Shares), res.ActiveEpoch
		return nil
	})
}

func (m *machine) undelegate(t *rapid.T) {
	i := rapid.IntRange(1, holders).Draw(t, "who")
	shares := rapid.OneOf(rapid.Int64Range(-1, 3_000), rapid.Just(m.ledger.active[i].Add(m.ledger.pending[i]).Int64())).Draw(t, "shares")
	before := m.poai.participants[alice].Delegated
	m.try(func(ctx sdk.Context) error {
		res, err := m.msg.Undelegate(ctx, &types.MsgUndelegate{Holder: who(i), Participant: alice, Shares: math.NewInt(shares)})
		if err != nil {
			return err
		}
		l := m.ledger
		total := math.ZeroInt()
		for j := range l.active {
			total = total.Add(l.active[j]).Add(l.pending[j])
		}
		require.Equal(t, before.MulRaw(shares).Quo(total).String(), res.Amount.Amount.String())
		fromPending := math.MinInt(l.pending[i], math.NewInt(shares))
		l.pending[i], l.active[i] = l.pending[i].Sub(fromPending), l.active[i].SubRaw(shares).Add(fromPending)
		return nil
	})
}

func (m *machine) claim(t *rapid.T) {
	i := rapid.IntRange(1, holders).Draw(t, "who")
	m.try(func(ctx sdk.Context) error {
		res, err := m.msg.Claim(ctx, &types.MsgClaim{Holder: who(i), Participant: alice})
		if err == nil {
			m.ledger.paid[i] += res.Amount.Amount.Int64()
		}
		return err
	})
}

func (m *machine) withdraw(t *rapid.T) {
	m.try(func(ctx sdk.Context) error {
		_, err := m.msg.Withdraw(ctx, &types.MsgWithdraw{Holder: who(rapid.IntRange(1, holders).Draw(t, "who"))})
		return err
	})
}

func (m *machine) dissolve(t *rapid.T) {
	m.try(func(ctx sdk.Context) error {
		if _, err := m.msg.SetTerms(ctx, &types.MsgSetTerms{Participant: alice, CommissionBps: 1_000}); err != nil {
			return err
		}
		_, err := m.msg.Dissolve(ctx, &types.MsgDissolve{Participant: alice})
		if err == nil {
			m.ledger.end()
		}
		return err
	})
	_, err := m.msg.SetTerms(m.ctx, &types.MsgSetTerms{Participant: alice, CommissionBps: 1_000, Open: true})
	require.NoError(t, err)
}

func (m *machine) slash(t *rapid.T) {
	bond := m.poai.participants[alice].Bond
	part := rapid.OneOf(rapid.Int64Range(0, 1_000), rapid.Just(int64(1_000)), rapid.Int64Range(990, 1_000)).Draw(t, "thousandths")
	m.poai.slash(alice, bond.MulRaw(part).QuoRaw(1_000))
	if m.poai.participants[alice].OwnBond().LT(math.NewInt(500)) {
		m.own(1_000)
	}
}

// own gives the participant an own bond again.
func (m *machine) own(n int64) {
	p := m.poai.participants[alice]
	p.Bond = p.Bond.AddRaw(n)
	m.poai.participants[alice] = p
	m.bank.balances["burnt"] = m.bank.of("burnt").SubRaw(n) // from outside
	m.bank.balances[module("poai")] = m.bank.of(module("poai")).AddRaw(n)
}

func (m *machine) acquit(t *rapid.T) {
	m.poai.acquit(alice, math.NewInt(rapid.Int64Range(0, 500).Draw(t, "amount")))
}

func (m *machine) lock(t *rapid.T) {
	p := m.poai.participants[alice]
	p.Locked = math.NewInt(rapid.Int64Range(0, 2_000).Draw(t, "locked"))
	p.Locked = math.MinInt(p.Locked, p.Bond)
	m.poai.participants[alice] = p
}

func (m *machine) reward(t *rapid.T) {
	n := rapid.OneOf(rapid.Int64Range(1, 10), rapid.Int64Range(1, 1_000_000)).Draw(t, "amount")
	m.supply = m.supply.AddRaw(n)
	m.fix.reward(n)
	m.ledger.reward(n)
}

func (m *machine) pass(t *rapid.T) {
	m.at(m.ctx.BlockHeight() + rapid.Int64Range(0, 15).Draw(t, "blocks"))
	m.poai.epoch += rapid.Uint64Range(0, 2).Draw(t, "epochs")
	m.ledger.begin(m.poai.epoch)
}

// check compares with the second set of books: nobody is owed more or less than by going through all, up to a coin and what others who
// have left for good have left behind.
func (m *machine) check(t *rapid.T) {
	require.NoError(t, m.k.CheckInvariants(m.ctx))
	sum := math.ZeroInt()
	for _, b := range m.bank.balances {
		sum = sum.Add(b)
	}
	require.Equal(t, m.supply.String(), sum.String(), "coins were lost or made")
	worth := math.ZeroInt()
	for i := 1; i <= holders; i++ {
		got := big.NewRat(m.ledger.paid[i], 1)
		res, err := m.q.Delegation(m.ctx, &types.QueryDelegationRequest{Participant: alice, Holder: who(i)})
		if err == nil {
			got.Add(got, new(big.Rat).SetInt(res.Delegation.Claimable.Amount.BigInt()))
			worth = worth.Add(res.Delegation.Value.Amount)
		} else {
			m.ledger.dropped++
		}
		diff := new(big.Rat).Sub(m.ledger.earned[i], got)
		require.LessOrEqual(t, diff.Abs(diff).Cmp(big.NewRat(2+m.ledger.dropped, 1)), 0, "holder %d: %s owed and paid, earned %s",
			i, got.FloatString(3), m.ledger.earned[i].FloatString(3))
	}
	require.False(t, worth.GT(m.poai.participants[alice].Delegated), "shares are worth more than there is")
}

// Whatever delegations, slashes, claims and undelegations come in whatever order, no coin is lost or made, and an index says to each what
// going through all of them at every reward would.
func TestNoCoinIsLostOrMade(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := fixture(t)
		for i := 1; i <= holders; i++ {
			f.fund(i, 10_000)
		}
		m := &machine{fix: f, ledger: newLedger(), supply: math.NewInt(1_000 + holders*10_000)}
		t.Repeat(map[string]func(*rapid.T){
			"": m.check, "delegate": m.delegate, "undelegate": m.undelegate, "claim": m.claim, "withdraw": m.withdraw, "dissolve": m.dissolve,
			"slash": m.slash, "acquit": m.acquit, "lock": m.lock, "reward": m.reward, "pass": m.pass,
		})
		checkRoundTrip(t, f)
		m.drain(t)
	})
}

// drain lets everybody take out all: what is left is less than a coin for each who was there.
func (m *machine) drain(t *rapid.T) {
	p := m.poai.participants[alice]
	p.Locked = math.ZeroInt()
	m.poai.participants[alice] = p
	for i := 1; i <= holders; i++ {
		m.try(func(ctx sdk.Context) error {
			_, err := m.msg.Claim(ctx, &types.MsgClaim{Holder: who(i), Participant: alice})
			return err
		})
		d, err := m.q.Delegation(m.ctx, &types.QueryDelegationRequest{Participant: alice, Holder: who(i)})
		if err != nil {
			continue
		}
		m.try(func(ctx sdk.Context) error {
			_, err := m.msg.Undelegate(ctx, &types.MsgUndelegate{Holder: who(i), Participant: alice, Shares: d.Delegation.Delegation.Shares()})
			return err
		})
	}
	m.at(m.ctx.BlockHeight() + 10*unbonding)
	for i := 1; i <= holders; i++ {
		m.try(func(ctx sdk.Context) error {
			_, err := m.msg.Withdraw(ctx, &types.MsgWithdraw{Holder: who(i)})
			return err
		})
	}
	require.NoError(t, m.k.CheckInvariants(m.ctx))
	left := m.bank.of(module(types.ModuleName))
	require.True(t, left.Equal(m.pool().Unpaid), "only fractions of rewards are left")
	require.True(t, left.LTE(math.NewInt(m.ledger.dropped+holders+1)), "%s is left", left)
}

func checkRoundTrip(t require.TestingT, f *fix) {
	g, err := f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	require.NoError(t, g.Validate())
	bz, err := g.Marshal()
	require.NoError(t, err)
	var read types.GenesisState
	require.NoError(t, read.Unmarshal(bz))
	h := emptyFixture(t, f.bank, f.poai)
	require.NoError(t, h.k.InitGenesis(h.ctx, read))
	again, err := h.k.ExportGenesis(h.ctx)
	require.NoError(t, err)
	require.Equal(t, g.String(), again.String())
	h.ok()
}

func TestGenesisRefuses(t *testing.T) {
	f := fixture(t)
	f.delegate(1, 100)
	f.poai.epoch++
	f.reward(50)
	f.delegate(2, 100)
	_, err := f.undelegate(1, 40)
	require.NoError(t, err)
	checkRoundTrip(t, f)
	for name, spoil := range map[string]func(*types.GenesisState){
		"pools[1]":                  func(g *types.GenesisState) { g.Pools = append(g.Pools, g.Pools[0]) },
		"pools[0]: negative":        func(g *types.GenesisState) { g.Pools[0].Index = math.Int{} },
		"has no commission":         func(g *types.GenesisState) { g.Commissions = nil },
		"commissions[0]":            func(g *types.GenesisState) { g.Commissions[0].Bps = 10_001 },
		"delegations[2]":            func(g *types.GenesisState) { g.Delegations = append(g.Delegations, g.Delegations[0]) },
		"delegations[0]: negative":  func(g *types.GenesisState) { g.Delegations[0].Active = math.NewInt(-1) },
		"the start of epoch":        func(g *types.GenesisState) { g.Starts = nil },
		"starts[0]":                 func(g *types.GenesisState) { g.Starts[0].Holders = 0 },
		"endings[0]":                func(g *types.GenesisState) { g.Endings = []types.Ending{{Participant: alice}} },
		"unbondings[0]":             func(g *types.GenesisState) { g.Unbondings[0].Amount = math.ZeroInt() },
		"shares, delegations have":  func(g *types.GenesisState) { g.Pools[0].Active = g.Pools[0].Active.AddRaw(1) },
		"owed and remainder":        func(g *types.GenesisState) { g.Pools[0].Remainder = g.Pools[0].Remainder.AddRaw(1) },
		"module holds":              func(g *types.GenesisState) { g.Unbondings[0].Amount = math.NewInt(41) },
		"starts[0]: of no pool":     func(g *types.GenesisState) { g.Starts[0].Participant = who(7) },
		"holders, needed by":        func(g *types.GenesisState) { g.Starts[0].Holders++ },
		"the ending of generation ": func(g *types.GenesisState) { g.Pools[0].Generation = 1; g.Starts[0].Generation = 0 },
	} {
		t.Run(name, func(t *testing.T) {
			g, err := f.k.ExportGenesis(f.ctx)
			require.NoError(t, err)
			spoil(g)
			h := emptyFixture(t, f.bank, f.poai)
			require.ErrorContains(t, h.k.InitGenesis(h.ctx, *g), name)
		})
	}
}

// crowd puts n holders behind alice, all active.
func crowd(tb testing.TB, n int) *fix {
	tb.Helper()
	f := fixture(tb)
	f.poai.participants[alice] = poaitypes.Participant{
		Address: alice, Bond: math.NewInt(1 << 50), Locked: math.ZeroInt(), Delegated: math.ZeroInt(),
	}
	for i := 1; i <= n; i++ {
		f.delegate(i, 1_000)
	}
	f.poai.epoch++
	f.reward(1_000_000_000)
	return f
}

// actions are one of each, on holders that are there and one that is not.
func actions(tb testing.TB, f *fix, i int) map[string]func() {
	tb.Helper()
	return map[string]func(){
		"reward":     func() { f.reward(1_000_000_000) },
		"claim":      func() { require.Positive(tb, f.claim(i)) },
		"delegate":   func() { f.delegate(i, 1_000) },
		"undelegate": func() { _, err := f.undelegate(i, 100); require.NoError(tb, err) },
		"terms":      func() { f.terms(alice, 1_000, 500, true) },
	}
}

// What an action reads and writes does not depend on how many holders there are: gas counts it.
func TestActionsCostTheSameForAnyNumberOfHolders(t *testing.T) {
	costs := func(n int) map[string]uint64 {
		f := crowd(t, n)
		out := map[string]uint64{}
		for _, name := range []string{"reward", "claim", "delegate", "undelegate", "terms"} {
			before := f.ctx.GasMeter().GasConsumed()
			actions(t, f, 7)[name]()
			out[name] = f.ctx.GasMeter().GasConsumed() - before
		}
		return out
	}
	few, many := costs(10), costs(5_000)
	t.Logf("gas with 10 holders %v, with 5,000 %v", few, many)
	for name, gas := range few {
		// A few digits more in some sums; nothing that grows with holders.
		require.InEpsilon(t, gas, many[name], 0.05, name)
	}
}

func BenchmarkActions(b *testing.B) {
	for _, n := range []int{1_000, 100_000} {
		f := crowd(b, n)
		for _, name := range []string{"reward", "claim", "delegate", "undelegate"} {
			b.Run(name+"/"+math.NewInt(int64(n)).String(), func(b *testing.B) {
				for i := range b.N {
					if name == "claim" {
						b.StopTimer()
						f.reward(1_000_000_000)
						b.StartTimer()
					}
					actions(b, f, 1+i%n)[name]()
				}
			})
		}
	}
}

// TestOwedOutlivesItsGeneration: who has taken its shares out and not claimed is owed still when the pool's generation has ended and all its coins are gone;
// an export has it.
func TestOwedOutlivesItsGeneration(t *testing.T) {
	f := fixture(t)
	f.delegate(1, 100)
	f.poai.epoch++
	f.reward(50)
	_, err := f.undelegate(1, 100)
	require.NoError(t, err)
	f.delegate(2, 100)
	f.terms(alice, 1_000, 100, false)
	_, err = f.msg.Dissolve(f.ctx, &types.MsgDissolve{Participant: alice})
	require.NoError(t, err)
	f.claim(2)
	checkRoundTrip(t, f)
	require.Equal(t, int64(50), f.claim(1))
}
