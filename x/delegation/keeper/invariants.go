package keeper

import (
	"context"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/x/delegation/types"
)

func broken(format string, args ...any) error {
	return errorsmod.Wrapf(types.ErrAccounting, format, args...)
}

// sums are what the delegations of one generation of a pool add up to.
type sums struct{ active, pending, owed math.Int }

type (
	generation struct {
		participant string
		number      uint64
	}
	start struct {
		generation
		epoch uint64
	}
)

// CheckInvariants walks the whole state: for tests and genesis, never for a block. Shares add up to their pool's or ending's; what pools
// hold unpaid is, to 2^-128 of a coin, what their holders are owed and the remainder; the module's account holds that and what unbonds;
// and delegated bond has shares to whom it belongs.
func (k Keeper) CheckInvariants(ctx context.Context) error {
	totals, err := k.sumDelegations(ctx)
	if err != nil {
		return err
	}
	owed := sdk.NewMapCoins(nil)
	params, err := k.Params.Get(ctx)
	if err != nil {
		return err
	}
	denom, err := k.poai.BondDenom(ctx)
	if err != nil {
		return err
	}
	owes := make(map[string]math.Int)
	err = k.Endings.Walk(ctx, nil, func(key EndingKey, e types.Ending) (bool, error) {
		s := take(totals, generation{key.K1(), key.K2()})
		owes[e.Participant] = orZero(owes, e.Participant).Add(s.owed)
		if shares := s.active.Add(s.pending); !shares.Equal(e.Shares) || !shares.IsPositive() {
			return true, broken("generation %d of %s: %s shares, delegations have %s", e.Generation, e.Participant, e.Shares, shares)
		}
		owed.Add(sdk.NewCoin(denom, e.Coins))
		return false, nil
	})
	if err != nil {
		return err
	}
	err = k.Pools.Walk(ctx, nil, func(_ string, pool types.Pool) (bool, error) {
		s := take(totals, generation{pool.Participant, pool.Generation})
		owed.Add(sdk.NewCoin(params.RewardDenom, pool.Unpaid))
		return false, k.checkPool(ctx, pool, s, orZero(owes, pool.Participant).Add(s.owed))
	})
	if err != nil {
		return err
	}
	if len(totals) > 0 {
		return broken("%d generations have delegations and neither pool nor ending", len(totals))
	}
	if err := k.checkStarts(ctx); err != nil {
		return err
	}
	err = k.Unbondings.Walk(ctx, nil, func(key UnbondingKey, amount math.Int) (bool, error) {
		if !amount.IsPositive() {
			return true, broken("unbonding of %s at %d: %s", key.K1(), key.K2(), amount)
		}
		owed.Add(sdk.NewCoin(denom, amount))
		return false, nil
	})
	if err != nil {
		return err
	}
	coins := owed.ToCoins()
	for _, d := range []string{denom, params.RewardDenom} {
		if held := k.bank.GetBalance(ctx, k.accounts.GetModuleAddress(types.ModuleName), d); !held.Amount.Equal(coins.AmountOf(d)) {
			return broken("module holds %s, owes %s", held, coins.AmountOf(d))
		}
	}
	return nil
}

func orZero(m map[string]math.Int, key string) math.Int {
	if v, ok := m[key]; ok {
		return v
	}
	return math.ZeroInt()
}

func take(m map[generation]sums, key generation) sums {
	s, ok := m[key]
	if !ok {
		s = sums{math.ZeroInt(), math.ZeroInt(), math.ZeroInt()}
	}
	delete(m, key)
	return s
}

// checkPool checks a pool against the sums of its delegations; owed is what all its holders are owed, those of earlier generations too.
func (k Keeper) checkPool(ctx context.Context, pool types.Pool, s sums, owed math.Int) error {
	p, err := k.poai.GetParticipant(ctx, pool.Participant)
	if err != nil {
		return err
	}
	if !s.active.Add(s.pending).Equal(pool.Shares()) {
		return broken("pool of %s: %s shares, delegations have %s", pool.Participant, pool.Shares(), s.active.Add(s.pending))
	}
	if p.DelegatedBond().IsPositive() && !pool.Shares().IsPositive() {
		return broken("pool of %s: %s delegated, no shares", pool.Participant, p.DelegatedBond())
	}
	if all := owed.Add(pool.Remainder); !all.Equal(types.Fixed(pool.Unpaid)) {
		return broken("pool of %s: %s unpaid, owed and remainder are %s / 2^%d", pool.Participant, pool.Unpaid, all, types.IndexBits)
	}
	return nil
}

// sumDelegations adds up what holders have and are owed now, by participant and generation. Who only has coins owed counts for the
// pool's own generation.
func (k Keeper) sumDelegations(ctx context.Context) (map[generation]sums, error) {
	totals := make(map[generation]sums)
	return totals, k.Delegations.Walk(ctx, nil, func(_ DelegationKey, d types.Delegation) (bool, error) {
		pool, err := k.Pools.Get(ctx, d.Participant)
		if err != nil {
			return true, err
		}
		key, index := generation{d.Participant, pool.Generation}, pool.Index
		if d.Generation < pool.Generation && d.Shares().IsPositive() {
			key.number = d.Generation
			ending, err := k.Endings.Get(ctx, collections.Join(d.Participant, d.Generation))
			if err != nil {
				return true, err
			}
			index = ending.Index
		}
		owed, err := k.owed(ctx, d, index)
		if err != nil {
			return true, err
		}
		s := take(totals, key)
		totals[key] = sums{s.active.Add(d.Active), s.pending.Add(d.Pending), s.owed.Add(owed)}
		has, err := k.ByHolder.Has(ctx, collections.Join(d.Holder, d.Participant))
		if err == nil && !has {
			err = broken("delegation of %s to %s is not found by its holder", d.Holder, d.Participant)
		}
		return err != nil, err
	})
}

// owed is what a delegation is owed with the index at a stand.
func (k Keeper) owed(ctx context.Context, d types.Delegation, index math.Int) (math.Int, error) {
	owed := d.Owed.Add(d.Active.Mul(index.Sub(d.Index)))
	if !d.Pending.IsPositive() {
		return owed, nil
	}
	s, err := k.Starts.Get(ctx, collections.Join3(d.Participant, d.Generation, d.PendingEpoch))
	if err == nil && s.Active {
		owed = owed.Add(d.Pending.Mul(index.Sub(s.Index)))
	}
	return owed, err
}

// checkStarts checks that starts are counted by exactly those who need them.
func (k Keeper) checkStarts(ctx context.Context) error {
	needed := make(map[start]uint64)
	err := k.Delegations.Walk(ctx, nil, func(_ DelegationKey, d types.Delegation) (bool, error) {
		if d.Pending.IsPositive() {
			needed[start{generation{d.Participant, d.Generation}, d.PendingEpoch}]++
		}
		return false, nil
	})
	if err != nil {
		return err
	}
	err = k.Starts.Walk(ctx, nil, func(_ StartKey, s types.Start) (bool, error) {
		key := start{generation{s.Participant, s.Generation}, s.Epoch}
		if needed[key] != s.Holders {
			return true, broken("start of epoch %d of %s: %d holders, needed by %d", s.Epoch, s.Participant, s.Holders, needed[key])
		}
		delete(needed, key)
		return false, nil
	})
	if err == nil && len(needed) > 0 {
		err = broken("%d starts are missing", len(needed))
	}
	return err
}
