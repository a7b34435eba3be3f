package keeper_test

import (
	"context"
	"testing"

	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"poaid/x/poai/types"
)

// delegate puts a holder's coins into a bond.
func (f *fixture) delegate(holder int, participant string, amount int64) {
	f.t.Helper()
	f.fund(addr(holder), amount)
	require.NoError(f.t, f.AddDelegated(f.ctx, participant, sdk.MustAccAddressFromBech32(addr(holder)), coin(amount)))
}

func lockOf(participant string, amount int64) types.Lock {
	return types.Lock{Participant: participant, Kind: types.LOCK_KIND_CLAIM, Item: 1, Amount: math.NewInt(amount)}
}

func TestDelegatedBondWeighsAndLeaves(t *testing.T) {
	f := newFixture(t)
	a := f.join(1, 2*minBond, digits)
	before := f.total(digits)
	f.delegate(2, a, 2*minBond)
	require.Equal(t, 2*before, f.total(digits), "twice the bond weighs twice as much")
	require.Equal(t, int64(2*minBond), f.get(a).Delegated.Int64())
	require.Equal(t, int64(2*minBond), f.get(a).OwnBond().Int64())
	f.ok()

	require.NoError(t, f.LockBond(f.ctx, lockOf(a, 3*minBond)))
	require.ErrorIs(t, f.RemoveDelegated(f.ctx, a, coin(minBond+1), "delegation"), types.ErrBondLocked)
	require.ErrorIs(t, f.RemoveDelegated(f.ctx, a, coin(2*minBond+1), "delegation"), types.ErrBondDelegated)
	require.ErrorIs(t, f.RemoveDelegated(f.ctx, a, sdk.NewInt64Coin("other", 1), "delegation"), types.ErrInvalidCoin)
	require.NoError(t, f.ReleaseLock(f.ctx, a, types.LOCK_KIND_CLAIM, 1))
	require.NoError(t, f.RemoveDelegated(f.ctx, a, coin(2*minBond), "delegation"))
	require.Equal(t, int64(2*minBond), f.bank.balance(moduleAddress("delegation")).Int64())
	require.Equal(t, before, f.total(digits))
	require.ErrorIs(t, f.AddDelegated(f.ctx, addr(9), sdk.MustAccAddressFromBech32(addr(2)), coin(1)), types.ErrUnknownParticipant)
	f.ok()
}

type leverage struct{ least int64 }

func (l leverage) BeforeOwnBondFalls(_ context.Context, _ types.Participant, left math.Int) error {
	if left.LT(math.NewInt(l.least)) {
		return types.ErrBondDelegated
	}
	return nil
}

func TestOnlyOnesOwnBondCanBeUnbonded(t *testing.T) {
	f := newFixture(t)
	a := f.join(1, 3*minBond)
	f.delegate(2, a, 5*minBond)
	unbond := func(amount int64) error {
		ctx, _ := f.ctx.CacheContext()
		_, err := f.msgs.Unbond(ctx, &types.MsgUnbond{Participant: a, Amount: coin(amount)})
		return err
	}
	require.NoError(t, unbond(2*minBond))
	require.NoError(t, unbond(3*minBond))
	require.ErrorIs(t, unbond(3*minBond+1), types.ErrBondDelegated)
	require.ErrorIs(t, unbond(2*minBond+1), types.ErrBondTooLow, "dust of its own")
	f.SetBondHooks(leverage{2 * minBond})
	require.NoError(t, unbond(minBond))
	require.ErrorIs(t, unbond(2*minBond), types.ErrBondDelegated)
}

func TestSlashTakesFromOwnAndDelegatedBondInProportion(t *testing.T) {
	for _, c := range []struct {
		name                       string
		own, delegated, lock       int64
		bps                        uint32
		wantOwn, wantDelegated     int64
		backToOwn, backToDelegated int64
	}{
		{"half and half", 2000, 2000, 1000, 10_000, 1500, 1500, 500, 500},
		{"rounded against the participant", 2000, 1000, 100, 10_000, 1933, 967, 67, 33},
		{"part of a lock", 2000, 1000, 300, 5_000, 1900, 950, 100, 50},
		{"all of it", 1000, 500, 1500, 10_000, 0, 0, 1500, 0},
		{"nothing delegated", 1000, 0, 300, 10_000, 700, 0, 300, 0},
		{"one coin", 1000, 500, 1, 10_000, 999, 500, 1, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t)
			a := f.join(1, c.own, digits)
			if c.delegated > 0 {
				f.delegate(2, a, c.delegated)
			}
			require.NoError(t, f.LockBond(f.ctx, lockOf(a, c.lock)))
			require.NoError(t, f.Slash(f.ctx, types.SlashRequest{Participant: a, Kind: types.LOCK_KIND_CLAIM, Task: 1, Bps: c.bps, Reason: "test"}))
			p := f.get(a)
			require.Equal(t, c.wantOwn, p.OwnBond().Int64(), "own")
			require.Equal(t, c.wantDelegated, p.Delegated.Int64(), "delegated")
			f.endBlocks(2)
			f.ok()

			taken := math.NewInt(c.own + c.delegated).Sub(p.Bond)
			require.Equal(t, c.backToDelegated, p.GiveBond(taken).Int64())
			require.Equal(t, c.wantOwn+c.backToOwn, p.OwnBond().Int64())
		})
	}
}

// Taking and giving loses nothing, no part ever falls below zero, and the delegated part never pays more than its proportion.
func TestTakeAndGiveBond(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		own, delegated := rapid.Int64Range(0, 1<<50).Draw(t, "own"), rapid.Int64Range(0, 1<<50).Draw(t, "delegated")
		p := types.Participant{Bond: math.NewInt(own + delegated), Delegated: math.NewInt(delegated)}
		taken := math.NewInt(rapid.Int64Range(0, own+delegated).Draw(t, "taken"))
		bond := p.Bond
		from := p.TakeBond(taken)
		require.True(t, from.Mul(bond).LTE(taken.MulRaw(delegated)), "rounded against who delegated")
		require.Equal(t, bond.Sub(taken).String(), p.Bond.String())
		require.False(t, p.OwnBond().IsNegative() || p.Delegated.IsNegative())
		require.Equal(t, p.Bond.IsZero(), p.OwnBond().IsZero() && p.Delegated.IsZero())
		p.GiveBond(taken)
		require.Equal(t, bond.String(), p.Bond.String())
		require.False(t, p.OwnBond().IsNegative() || p.Delegated.IsNegative())
	})
}

func TestCreditNotesWhatDelegatedBondBacked(t *testing.T) {
	f := newFixture(t)
	a := f.join(1, 3*minBond)
	credit := func(units uint64) {
		require.NoError(t, f.Credit(f.ctx, types.CreditRequest{Epoch: 1, Participant: a, Task: 1, Units: units, ScoreUnits: units, Role: types.RoleWorker}))
	}
	credit(1_000)
	_, delegated, err := f.ScoreParts(f.ctx, 1, a)
	require.NoError(t, err)
	require.True(t, delegated.IsZero())
	before, err := f.GetScore(f.ctx, 1, a)
	require.NoError(t, err)

	f.delegate(2, a, minBond)
	credit(1_000)
	score, delegated, err := f.ScoreParts(f.ctx, 1, a)
	require.NoError(t, err)
	require.Equal(t, score.Sub(before).QuoRaw(4).String(), delegated.String(), "a quarter of the second credit")
	f.ok()

	gs, err := f.ExportGenesis(f.ctx)
	require.NoError(t, err)
	require.Equal(t, delegated.String(), gs.Scores[0].Delegated.String())
	gs.Scores[0].Delegated = score.AddRaw(1)
	require.ErrorIs(t, gs.Validate(), types.ErrInvalidGenesis)
}

func TestBondFromAModule(t *testing.T) {
	f := newFixture(t)
	a := f.join(1, 2*minBond, digits)
	before := f.total(digits)
	f.fund(moduleAddress("rewards"), minBond)
	require.NoError(t, f.AddBondFromModule(f.ctx, "rewards", a, coin(minBond)))
	require.Equal(t, int64(3*minBond), f.get(a).OwnBond().Int64())
	require.Equal(t, before*3/2, f.total(digits))
	f.ok()
}
