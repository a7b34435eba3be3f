package keeper

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/internal/events"
	"poaid/x/beacon/types"
)

const (
	domain = "poai/beacon/1"
	// prunesPerBlock is above the one value a block adds, so that a shortened history drains.
	prunesPerBlock = 8
)

// Randomness returns the 32 bytes of a height. ErrFuture for heights above the current one, ErrPruned for heights that are
// not kept any more or never were.
func (k *Keeper) Randomness(ctx context.Context, height int64) ([]byte, error) {
	now := sdk.UnwrapSDKContext(ctx).BlockHeight()
	if height > now {
		return nil, errorsmod.Wrapf(types.ErrFuture, "height %d, now %d", height, now)
	}
	value, err := k.History.Get(ctx, height)
	if errors.Is(err, collections.ErrNotFound) {
		return nil, errorsmod.Wrapf(types.ErrPruned, "height %d, now %d", height, now)
	}
	return value, err
}

// BeginBlock stores the randomness of this height, before any transaction can ask for it, and prunes.
func (k *Keeper) BeginBlock(ctx context.Context) error {
	sdkCtx := sdk.UnwrapSDKContext(ctx)
	height := sdkCtx.BlockHeight()
	previous, err := k.previous(ctx, height)
	if err != nil {
		return err
	}
	value := mix(previous, sdkCtx)
	if err := k.History.Set(ctx, height, value); err != nil {
		return err
	}
	if err := k.prune(ctx, height); err != nil {
		return err
	}
	return events.Emit(ctx, &types.EventRandomness{Height: height, Value: value})
}

// mix hashes the previous value with what the last commit fixed: the state it committed, the (median) time of its votes and who
// proposes on top of it. The header hash and the set of included signatures are left out on purpose: a proposer can try
// millions of those for the price of a hash each.
func mix(previous []byte, ctx sdk.Context) []byte {
	info := ctx.HeaderInfo()
	b := append([]byte(domain), previous...)
	b = binary.BigEndian.AppendUint64(b, uint64(ctx.BlockHeight()))
	b = appendLengthPrefixed(b, []byte(ctx.ChainID()))
	b = appendLengthPrefixed(b, info.AppHash)
	b = binary.BigEndian.AppendUint64(b, uint64(ctx.BlockTime().Unix()))
	b = binary.BigEndian.AppendUint32(b, uint32(ctx.BlockTime().Nanosecond()))
	b = appendLengthPrefixed(b, ctx.BlockHeader().ProposerAddress)
	sum := sha256.Sum256(b)
	return sum[:]
}

func appendLengthPrefixed(b, field []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(field)))
	return append(b, field...)
}

// previous is the value of the height before, else the newest kept one (a chain restarted from an export), else zeros.
func (k *Keeper) previous(ctx context.Context, height int64) ([]byte, error) {
	value, err := k.History.Get(ctx, height-1)
	if err == nil || !errors.Is(err, collections.ErrNotFound) {
		return value, err
	}
	iter, err := k.History.Iterate(ctx, new(collections.Range[int64]).Descending())
	if err != nil {
		return nil, err
	}
	defer iter.Close()
	if !iter.Valid() {
		return make([]byte, types.ValueSize), nil
	}
	return iter.Value()
}

func (k *Keeper) prune(ctx context.Context, height int64) error {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return err
	}
	oldest := height - int64(params.History) + 1
	iter, err := k.History.Iterate(ctx, new(collections.Range[int64]).EndExclusive(oldest))
	if err != nil {
		return err
	}
	var drop []int64
	for ; iter.Valid() && len(drop) < prunesPerBlock; iter.Next() {
		h, err := iter.Key()
		if err != nil {
			return errors.Join(err, iter.Close())
		}
		drop = append(drop, h)
	}
	if err := iter.Close(); err != nil {
		return err
	}
	for _, h := range drop {
		if err := k.History.Remove(ctx, h); err != nil {
			return err
		}
	}
	return nil
}
