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
	commitDomain = "poai/beacon/1"
	vrfDomain    = "poai/beacon/2"
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
	r, err := k.At(ctx, height)
	return r.Value, err
}

// At returns the randomness of a kept height with its origin; ErrPruned for heights that are not kept.
func (k *Keeper) At(ctx context.Context, height int64) (types.Randomness, error) {
	r, err := k.History.Get(ctx, height)
	if errors.Is(err, collections.ErrNotFound) {
		return r, errorsmod.Wrapf(types.ErrPruned, "height %d, now %d", height, sdk.UnwrapSDKContext(ctx).BlockHeight())
	}
	return r, err
}

// PreBlock stores the randomness of this height, before anything of the block can ask for it, and prunes. proof is the proposer's; nil if
// the block has none.
//
// The block is decided, so nothing of it can be refused any more. Should more than two thirds of the validators ever have let a bad proof
// pass, then the last commit takes its place and the chain goes on.
func (k *Keeper) PreBlock(ctx context.Context, proof []byte) error {
	sdkCtx := sdk.UnwrapSDKContext(ctx)
	height := sdkCtx.BlockHeight()
	previous, err := k.previous(ctx, height)
	if err != nil {
		return err
	}
	beta, err := k.output(ctx, sdkCtx.BlockHeader().ProposerAddress, proof)
	if err != nil {
		if !errors.Is(err, types.ErrInvalidProof) && !errors.Is(err, types.ErrMissingProof) && !errors.Is(err, types.ErrNoKey) {
			return err
		}
		sdkCtx.Logger().Error("decided block without a valid VRF proof; its randomness comes from the last commit", "height", height, "err", err)
	}
	r := types.Randomness{Height: height, Proven: beta != nil}
	if r.Proven {
		r.Value = extend(previous, beta)
	} else {
		r.Value = mix(previous, sdkCtx)
	}
	if err := k.History.Set(ctx, height, r); err != nil {
		return err
	}
	if err := k.prune(ctx, height); err != nil {
		return err
	}
	return events.Emit(ctx, &types.EventRandomness{Height: height, Value: r.Value, Proven: r.Proven})
}

// extend hashes the previous value with the proposer's VRF output for it. Of these the proposer chooses nothing.
func extend(previous, beta []byte) []byte {
	sum := sha256.Sum256(append(append([]byte(vrfDomain), previous...), beta...))
	return sum[:]
}

// mix hashes the previous value with what the last commit fixed: the state it committed, the (median) time of its votes and who
// proposes on top of it. The header hash and the set of included signatures are left out on purpose: a proposer can try
// millions of those for the price of a hash each.
func mix(previous []byte, ctx sdk.Context) []byte {
	info := ctx.HeaderInfo()
	b := append([]byte(commitDomain), previous...)
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
	last, err := k.History.Get(ctx, height-1)
	if err == nil || !errors.Is(err, collections.ErrNotFound) {
		return last.Value, err
	}
	iter, err := k.History.Iterate(ctx, new(collections.Range[int64]).Descending())
	if err != nil {
		return nil, err
	}
	defer iter.Close()
	if !iter.Valid() {
		return make([]byte, types.ValueSize), nil
	}
	last, err = iter.Value()
	return last.Value, err
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
