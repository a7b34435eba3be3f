package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/x/delegation/types"
)

// holding returns what a holder has in a pool, settled to now; without shares where it has nothing. Shares of a generation that has ended
// become their part of its coins, as an unbonding entry; exchanged tells that there were some. The caller keeps the delegation.
func (k Keeper) holding(ctx context.Context, pool types.Pool, holder string) (d types.Delegation, exchanged bool, err error) {
	d, err = k.Delegations.Get(ctx, collections.Join(pool.Participant, holder))
	if errors.Is(err, collections.ErrNotFound) {
		return types.NewDelegation(pool, holder), false, nil
	}
	if err != nil {
		return d, false, err
	}
	if d.Generation == pool.Generation {
		return d, false, k.settle(ctx, &d, pool.Index)
	}
	ending, err := k.Endings.Get(ctx, collections.Join(pool.Participant, d.Generation))
	if errors.Is(err, collections.ErrNotFound) && d.Shares().IsZero() {
		err = nil // nothing of it was left in the generation
	}
	if err != nil {
		return d, false, err
	}
	left := types.NewDelegation(pool, holder)
	left.Owed = d.Owed
	shares := d.Shares()
	if shares.IsZero() {
		return left, false, nil
	}
	if err := k.settle(ctx, &d, ending.Index); err != nil {
		return d, false, err
	}
	if err := k.dropPending(ctx, &d, d.Pending); err != nil { // joined in the generation's last epoch
		return d, false, err
	}
	left.Owed = d.Owed
	exchanged, err = k.exchange(ctx, ending, shares, holder)
	return left, exchanged, err
}

// settle moves d to a stand of the index of its generation: what its shares have earned is owed, and what has become active is active.
func (k Keeper) settle(ctx context.Context, d *types.Delegation, index math.Int) error {
	d.Earn(d.Active, d.Index, index)
	d.Index = index
	if d.Pending.IsZero() {
		return nil
	}
	start, err := k.Starts.Get(ctx, collections.Join3(d.Participant, d.Generation, d.PendingEpoch))
	if err != nil || !start.Active {
		return err
	}
	d.Earn(d.Pending, start.Index, index)
	active := d.Shares()
	if err := k.dropPending(ctx, d, d.Pending); err != nil {
		return err
	}
	d.Active = active
	return nil
}

// exchange gives a holder its part of the coins of a generation that has ended, for its shares. Whoever comes last takes what rounding left, so who has
// less than a coin may give its shares up too: otherwise where nobody has more the rest would be nobody's.
func (k Keeper) exchange(ctx context.Context, ending types.Ending, shares math.Int, holder string) (bool, error) {
	if shares.GT(ending.Shares) {
		return false, errorsmod.Wrapf(types.ErrAccounting, "generation %d of %s: %s shares of %s", ending.Generation, ending.Participant, shares, ending.Shares)
	}
	coins := types.MulDiv(ending.Coins, shares, ending.Shares)
	ending.Coins, ending.Shares = ending.Coins.Sub(coins), ending.Shares.Sub(shares)
	key := collections.Join(ending.Participant, ending.Generation)
	if ending.Shares.IsZero() {
		if err := k.Endings.Remove(ctx, key); err != nil {
			return false, err
		}
	} else if err := k.Endings.Set(ctx, key, ending); err != nil {
		return false, err
	}
	if coins.IsZero() {
		return true, nil
	}
	return true, k.addUnbonding(ctx, holder, ending.MatureHeight, ending.Participant, coins)
}

// join adds shares that become active with the next epoch.
func (k Keeper) join(ctx context.Context, d *types.Delegation, shares math.Int, epoch uint64) error {
	if d.Pending.IsZero() {
		key := collections.Join3(d.Participant, d.Generation, epoch)
		start, err := k.Starts.Get(ctx, key)
		if errors.Is(err, collections.ErrNotFound) {
			start, err = types.Start{Participant: d.Participant, Generation: d.Generation, Epoch: epoch, Index: math.ZeroInt()}, nil
		}
		if err != nil {
			return err
		}
		start.Holders++
		if err := k.Starts.Set(ctx, key, start); err != nil {
			return err
		}
	}
	d.Pending, d.PendingEpoch = d.Pending.Add(shares), epoch
	return nil
}

// dropPending takes shares out of those of d that wait for an epoch, and forgets when it began once nobody needs it.
func (k Keeper) dropPending(ctx context.Context, d *types.Delegation, shares math.Int) error {
	if d.Pending.IsZero() {
		return nil
	}
	d.Pending = d.Pending.Sub(shares)
	if d.Pending.IsPositive() {
		return nil
	}
	key := collections.Join3(d.Participant, d.Generation, d.PendingEpoch)
	d.PendingEpoch = 0
	start, err := k.Starts.Get(ctx, key)
	if err != nil {
		return err
	}
	if start.Holders--; start.Holders == 0 {
		return k.Starts.Remove(ctx, key)
	}
	return k.Starts.Set(ctx, key, start)
}

// keep stores a pool and a delegation of it. One without shares that is owed less than a coin is dropped, and the pool's next reward has
// what it was owed.
func (k Keeper) keep(ctx context.Context, pool types.Pool, d types.Delegation) error {
	key := collections.Join(d.Participant, d.Holder)
	byHolder := collections.Join(d.Holder, d.Participant)
	if d.Shares().IsZero() && types.Whole(d.Owed).IsZero() {
		pool.Remainder = pool.Remainder.Add(d.Owed)
		if err := k.Delegations.Remove(ctx, key); err != nil {
			return err
		}
		if err := k.ByHolder.Remove(ctx, byHolder); err != nil {
			return err
		}
	} else {
		if err := k.Delegations.Set(ctx, key, d); err != nil {
			return err
		}
		if err := k.ByHolder.Set(ctx, byHolder); err != nil {
			return err
		}
	}
	return k.Pools.Set(ctx, pool.Participant, pool)
}

// delegate puts a holder's coins into a participant's bond, for shares at the price of delegated / shares. They take part in rewards from
// the next epoch on.
func (k Keeper) delegate(ctx context.Context, holder sdk.AccAddress, msg *types.MsgDelegate) (shares math.Int, active uint64, err error) {
	if err := k.checkDelegation(ctx, msg); err != nil {
		return shares, 0, err
	}
	pool, epoch, err := k.pool(ctx, msg.Participant)
	if err != nil {
		return shares, 0, err
	}
	if !pool.Open {
		return shares, 0, errorsmod.Wrapf(types.ErrPoolClosed, "pool of %s takes no further delegations", msg.Participant)
	}
	p, err := k.participant(ctx, msg.Participant)
	if err != nil {
		return shares, 0, err
	}
	before := p.DelegatedBond()
	if err := k.checkLeverage(ctx, p.Address, before.Add(msg.Amount.Amount), p.OwnBond()); err != nil {
		return shares, 0, err
	}
	if before.IsZero() && pool.Shares().IsPositive() { // slashed to nothing since
		if err := k.endGeneration(ctx, &pool, math.ZeroInt(), 0); err != nil {
			return shares, 0, err
		}
	}
	if shares, err = issue(pool, before, msg.Amount.Amount); err != nil {
		return shares, 0, err
	}
	d, _, err := k.holding(ctx, pool, msg.Holder)
	if err != nil {
		return shares, 0, err
	}
	active = epoch + 1
	if err := k.join(ctx, &d, shares, active); err != nil {
		return shares, 0, err
	}
	pool.Pending, pool.PendingEpoch = pool.Pending.Add(shares), active
	if err := k.keep(ctx, pool, d); err != nil {
		return shares, 0, err
	}
	return shares, active, k.poai.AddDelegated(ctx, msg.Participant, holder, msg.Amount)
}

func (k Keeper) checkDelegation(ctx context.Context, msg *types.MsgDelegate) error {
	if msg.Holder == msg.Participant {
		return errorsmod.Wrap(types.ErrSelfDelegation, "holder: is the participant, add bond instead")
	}
	params, err := k.Params.Get(ctx)
	if err != nil {
		return err
	}
	denom, err := k.poai.BondDenom(ctx)
	if err != nil {
		return err
	}
	if msg.Amount.Denom != denom {
		return errorsmod.Wrapf(types.ErrInvalidCoin, "amount: denom %q, must be %q", msg.Amount.Denom, denom)
	}
	if msg.Amount.Amount.IsNil() || msg.Amount.Amount.LT(params.MinDelegation) {
		return errorsmod.Wrapf(types.ErrInvalidCoin, "amount: %s, min_delegation is %s", msg.Amount.Amount, params.MinDelegation)
	}
	return nil
}

// issue is how many shares coins buy, rounded down: against who comes, for who is there.
func issue(pool types.Pool, delegated, coins math.Int) (math.Int, error) {
	shares := coins
	if total := pool.Shares(); total.IsPositive() {
		shares = types.MulDiv(coins, total, delegated)
	}
	if !shares.IsPositive() {
		return shares, errorsmod.Wrapf(types.ErrInvalidCoin, "amount: %s is less than one share", coins)
	}
	if bits := pool.Shares().Add(shares).BigInt().BitLen(); bits > types.MaxShareBits {
		return shares, errorsmod.Wrapf(types.ErrOverflow, "shares of %s: more than 2^%d", pool.Participant, types.MaxShareBits)
	}
	return shares, nil
}

// undelegate takes shares out of a pool, those that are not active yet first, for what they are worth, rounded down. The last shares are
// worth all that is left.
func (k Keeper) undelegate(ctx context.Context, msg *types.MsgUndelegate) (amount sdk.Coin, mature int64, err error) {
	pool, _, err := k.pool(ctx, msg.Participant)
	if err != nil {
		return amount, 0, err
	}
	d, _, err := k.holding(ctx, pool, msg.Holder)
	if err != nil {
		return amount, 0, err
	}
	if msg.Shares.IsNil() || !msg.Shares.IsPositive() || msg.Shares.GT(d.Shares()) {
		return amount, 0, errorsmod.Wrapf(types.ErrInvalidShares, "shares: %s, must be 1 to %s", msg.Shares, d.Shares())
	}
	p, err := k.participant(ctx, msg.Participant)
	if err != nil {
		return amount, 0, err
	}
	worth := types.MulDiv(p.DelegatedBond(), msg.Shares, pool.Shares())
	if !worth.IsPositive() {
		return amount, 0, errorsmod.Wrapf(types.ErrInvalidShares, "shares: %s of %s are worth nothing, %s is delegated",
			msg.Shares, pool.Shares(), p.DelegatedBond())
	}
	pending := math.MinInt(msg.Shares, d.Pending)
	if err := k.dropPending(ctx, &d, pending); err != nil {
		return amount, 0, err
	}
	active := msg.Shares.Sub(pending)
	d.Active, pool.Active, pool.Pending = d.Active.Sub(active), pool.Active.Sub(active), pool.Pending.Sub(pending)
	if err := k.keep(ctx, pool, d); err != nil {
		return amount, 0, err
	}
	if amount, mature, err = k.takeOut(ctx, msg.Participant, worth); err != nil {
		return amount, 0, err
	}
	return amount, mature, k.addUnbonding(ctx, msg.Holder, mature, msg.Participant, worth)
}
