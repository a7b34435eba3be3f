package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/internal/events"
	"poaid/x/delegation/types"
	poaitypes "poaid/x/poai/types"
)

// account reads an address. Only the canonical spelling is taken: bech32 allows two, and two would be two records of one key.
func (k Keeper) account(field, address string) (sdk.AccAddress, error) {
	codec := k.accounts.AddressCodec()
	bz, err := codec.StringToBytes(address)
	if err != nil {
		return nil, errorsmod.Wrapf(types.ErrInvalidAddress, "%s %q: %s", field, address, err)
	}
	canonical, err := codec.BytesToString(bz)
	if err != nil {
		return nil, errorsmod.Wrapf(types.ErrInvalidAddress, "%s %q: %s", field, address, err)
	}
	if canonical != address {
		return nil, errorsmod.Wrapf(types.ErrInvalidAddress, "%s %q: must be written %q", field, address, canonical)
	}
	return bz, nil
}

// participant is a participant's record in x/poai.
func (k Keeper) participant(ctx context.Context, address string) (poaitypes.Participant, error) {
	p, err := k.poai.GetParticipant(ctx, address)
	if errors.Is(err, collections.ErrNotFound) {
		return p, errorsmod.Wrapf(types.ErrUnknownParticipant, "participant %s has not joined", address)
	}
	return p, err
}

// pool returns a participant's pool as of the running epoch: what joined in an earlier one is active, and where the index stood when that
// epoch began is noted for those who joined. ErrNoPool where there is none.
func (k Keeper) pool(ctx context.Context, participant string) (pool types.Pool, epoch uint64, err error) {
	pool, err = k.Pools.Get(ctx, participant)
	if errors.Is(err, collections.ErrNotFound) {
		return pool, 0, errorsmod.Wrapf(types.ErrNoPool, "participant %s takes no delegations", participant)
	}
	if err != nil {
		return pool, 0, err
	}
	if epoch, err = k.poai.CurrentEpoch(ctx); err != nil {
		return pool, 0, err
	}
	if pool.Pending.IsZero() || pool.PendingEpoch > epoch {
		return pool, epoch, nil
	}
	key := collections.Join3(participant, pool.Generation, pool.PendingEpoch)
	start, err := k.Starts.Get(ctx, key)
	if err != nil {
		return pool, 0, err
	}
	// The index has not moved since that epoch began: every move passes here first.
	start.Active, start.Index = true, pool.Index
	if err := k.Starts.Set(ctx, key, start); err != nil {
		return pool, 0, err
	}
	pool.Active, pool.Pending, pool.PendingEpoch = pool.Shares(), math.ZeroInt(), 0
	return pool, epoch, k.Pools.Set(ctx, participant, pool)
}

// endGeneration makes all shares of the pool no part of it any more; they are exchanged for coins, if there are any, when their holders
// turn up. The caller stores the pool.
func (k Keeper) endGeneration(ctx context.Context, pool *types.Pool, coins math.Int, mature int64) error {
	err := k.Endings.Set(ctx, collections.Join(pool.Participant, pool.Generation), types.Ending{
		Participant: pool.Participant, Generation: pool.Generation, Index: pool.Index, Shares: pool.Shares(), Coins: coins, MatureHeight: mature,
	})
	if err != nil {
		return err
	}
	err = events.Emit(ctx, &types.EventGenerationEnded{
		Participant: pool.Participant, Generation: pool.Generation, Shares: pool.Shares().String(), Amount: coins.String(), MatureHeight: mature,
	})
	pool.Generation++
	pool.Active, pool.Pending, pool.PendingEpoch = math.ZeroInt(), math.ZeroInt(), 0
	return err
}

// dissolve takes everything delegated out of a closed pool's bond, for its holders to withdraw once it has matured. No loop: they are handed
// their parts when they turn up. The caller stores the pool.
func (k Keeper) dissolve(ctx context.Context, pool *types.Pool) (amount sdk.Coin, mature int64, err error) {
	if pool.Open {
		return amount, 0, errorsmod.Wrapf(types.ErrPoolClosed, "pool of %s is open, close it first", pool.Participant)
	}
	p, err := k.participant(ctx, pool.Participant)
	if err != nil {
		return amount, 0, err
	}
	if !p.DelegatedBond().IsPositive() {
		return amount, 0, errorsmod.Wrapf(types.ErrNothing, "nothing is delegated to %s", pool.Participant)
	}
	if amount, mature, err = k.takeOut(ctx, pool.Participant, p.DelegatedBond()); err != nil {
		return amount, 0, err
	}
	return amount, mature, k.endGeneration(ctx, pool, amount.Amount, mature)
}

// takeOut moves delegated bond into the module's account, and says when it can be paid out.
func (k Keeper) takeOut(ctx context.Context, participant string, amount math.Int) (coin sdk.Coin, mature int64, err error) {
	denom, err := k.poai.BondDenom(ctx)
	if err != nil {
		return coin, 0, err
	}
	blocks, err := k.leavingBlocks(ctx)
	if err != nil {
		return coin, 0, err
	}
	coin = sdk.NewCoin(denom, amount)
	return coin, sdk.UnwrapSDKContext(ctx).BlockHeight() + blocks, k.poai.RemoveDelegated(ctx, participant, coin, types.ModuleName)
}

// leavingBlocks is how long coins that leave are locked: unbonding_blocks of x/poai, and always more than two vesting_blocks of x/rewards, in which
// the largest lump of rewards builds up. So who comes for lumps and leaves again earns less than who stays, whatever params governance sets.
func (k Keeper) leavingBlocks(ctx context.Context) (int64, error) {
	blocks, err := k.poai.UnbondingBlocks(ctx)
	if err != nil {
		return 0, err
	}
	vesting, err := (*k.rewards).VestingBlocks(ctx)
	return max(blocks, 2*vesting+1), err
}

// checkLeverage refuses more delegated bond than max_leverage times a participant's own.
func (k Keeper) checkLeverage(ctx context.Context, participant string, delegated, own math.Int) error {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return err
	}
	if limit := own.MulRaw(int64(params.MaxLeverage)); delegated.GT(limit) {
		return errorsmod.Wrapf(types.ErrLeverage, "%s would be delegated to %s: max_leverage %d allows %s with an own bond of %s",
			delegated, participant, params.MaxLeverage, limit, own)
	}
	return nil
}
