package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/x/poai/types"
)

// closesPerBlock bounds the epochs closed in one block; more than one is due only after the params changed.
const closesPerBlock = 4

// CurrentEpoch is the number of the running epoch.
func (k *Keeper) CurrentEpoch(ctx context.Context) (uint64, error) { return k.RunningEpoch.Get(ctx) }

// GetEpoch returns an epoch; collections.ErrNotFound when there is none of that number.
func (k *Keeper) GetEpoch(ctx context.Context, number uint64) (types.Epoch, error) {
	return k.Epochs.Get(ctx, number)
}

// GetScore returns a participant's score in an epoch in millionths of a unit, zero when it has none.
func (k *Keeper) GetScore(ctx context.Context, epoch uint64, participant string) (math.Int, error) {
	s, err := k.scoreOf(ctx, epoch, participant)
	return s.Score, err
}

// scoreOf is what is stored of a participant's score in an epoch, zeros when it has none.
func (k *Keeper) scoreOf(ctx context.Context, epoch uint64, participant string) (types.Score, error) {
	s, err := k.Scores.Get(ctx, collections.Join(epoch, participant))
	if errors.Is(err, collections.ErrNotFound) {
		return types.Score{Score: math.ZeroInt(), Units: math.ZeroInt(), Delegated: math.ZeroInt()}, nil
	}
	return s, err
}

// ScoreParts returns a participant's score in an epoch and the part of it that delegated bond backed; zeros when it has none.
func (k *Keeper) ScoreParts(ctx context.Context, epoch uint64, participant string) (score, delegated math.Int, err error) {
	s, err := k.scoreOf(ctx, epoch, participant)
	return s.Score, s.Delegated, err
}

// EndBlock ends the running epoch at its last height, closes epochs whose time has come, halves old capacities, adds up bonds and
// goes on weighing.
func (k *Keeper) EndBlock(ctx context.Context) error {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return err
	}
	if err := k.endEpoch(ctx, params); err != nil {
		return err
	}
	if err := k.closeEpochs(ctx); err != nil {
		return err
	}
	if err := k.decay(ctx, params); err != nil {
		return err
	}
	if err := k.weighStale(ctx, params); err != nil {
		return err
	}
	if err := k.sumBonds(ctx); err != nil {
		return err
	}
	return k.reweigh(ctx, params)
}

func newEpoch(number uint64, start int64) types.Epoch {
	return types.Epoch{Number: number, StartHeight: start, TotalScore: math.ZeroInt(), TotalUnits: math.ZeroInt()}
}

func (k *Keeper) endEpoch(ctx context.Context, params types.Params) error {
	sdkCtx := sdk.UnwrapSDKContext(ctx)
	number, err := k.RunningEpoch.Get(ctx)
	if err != nil {
		return err
	}
	e, err := k.Epochs.Get(ctx, number)
	if err != nil {
		return err
	}
	now := sdkCtx.BlockHeight()
	if now < e.StartHeight+params.EpochBlocks-1 {
		return nil
	}
	e.EndHeight, e.CloseHeight = now, now+params.EpochCloseDelayBlocks
	if err := k.Epochs.Set(ctx, number, e); err != nil {
		return err
	}
	if err := k.Epochs.Set(ctx, number+1, newEpoch(number+1, now+1)); err != nil {
		return err
	}
	if err := k.RunningEpoch.Set(ctx, number+1); err != nil {
		return err
	}
	if err := k.beginCapacity(ctx, number+1); err != nil {
		return err
	}
	return emit(ctx, &types.EventEpochEnded{Number: number})
}

// beginCapacity has everybody weighed anew at the start of the first epoch in which capacity counts.
func (k *Keeper) beginCapacity(ctx context.Context, epoch uint64) error {
	from, err := k.CapacityFrom.Get(ctx)
	if errors.Is(err, collections.ErrNotFound) {
		return nil
	}
	if err != nil || from != epoch {
		return err
	}
	return k.ReweighCursor.Set(ctx, "")
}

// closeEpochs closes epochs in order, so that a cursor finds what is due without a scan.
func (k *Keeper) closeEpochs(ctx context.Context) error {
	closed, err := k.ClosedEpochs.Get(ctx)
	if err != nil {
		return err
	}
	for range closesPerBlock {
		e, err := k.Epochs.Get(ctx, closed+1)
		if err != nil {
			return err // the running epoch is always there
		}
		if e.EndHeight == 0 || sdk.UnwrapSDKContext(ctx).BlockHeight() < e.CloseHeight {
			return nil
		}
		closed++
		if err := k.closeEpoch(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

func (k *Keeper) closeEpoch(ctx context.Context, e types.Epoch) error {
	e.Closed = true
	if err := k.Epochs.Set(ctx, e.Number, e); err != nil {
		return err
	}
	if err := k.ClosedEpochs.Set(ctx, e.Number); err != nil {
		return err
	}
	err := emit(ctx, &types.EventEpochClosed{
		Number: e.Number, TotalScore: e.TotalScore.String(),
	})
	if err != nil || k.epochHooks == nil {
		return err
	}
	return k.epochHooks.AfterEpochClosed(ctx, e)
}

// creditEpoch is the epoch a credit goes to: that of assignment, or the running one when that is closed.
func (k *Keeper) creditEpoch(ctx context.Context, number uint64) (types.Epoch, error) {
	running, err := k.RunningEpoch.Get(ctx)
	if err != nil {
		return types.Epoch{}, err
	}
	if number == 0 || number > running {
		return types.Epoch{}, errorsmod.Wrapf(types.ErrUnknownEpoch, "epoch %d, running epoch %d", number, running)
	}
	e, err := k.Epochs.Get(ctx, number)
	if err != nil || !e.Closed {
		return e, err
	}
	return k.Epochs.Get(ctx, running)
}
