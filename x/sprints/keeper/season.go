package keeper

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"

	"poaid/sprint"
	modelstypes "poaid/x/models/types"
	"poaid/x/sprints/types"
)

// domainWeights separates the seed of an epoch's weights from other uses of the same randomness.
const domainWeights = "poai/sprints/weights/1"

// season reads the season; the zero one before the first.
func (k Keeper) season(ctx context.Context) (types.Season, error) {
	s, err := k.Season.Get(ctx)
	if errors.Is(err, collections.ErrNotFound) {
		return types.Season{}, nil
	}
	return s, err
}

// turnSeason begins a season when x/poai's epoch has changed: new difficulty, and a model with new weights.
func (k Keeper) turnSeason(ctx context.Context, params types.Params) error {
	if params.DutyPpm == 0 {
		return nil
	}
	old, err := k.season(ctx)
	if err != nil {
		return err
	}
	epoch, err := k.poai.CurrentEpoch(ctx)
	if err != nil || epoch == old.Epoch {
		return err
	}
	next := types.Season{Epoch: epoch, StartHeight: height(ctx)}
	if old.Epoch == 0 {
		next.Tokens, next.CoinPpm = params.FirstTokens, params.StartCoin()
	} else {
		var adjusted bool
		next.Tokens = params.NextTokens(old.Tokens, old.Commits, old.Leaves)
		if next.CoinPpm, adjusted = params.NextCoin(old.CoinPpm, height(ctx)-old.StartHeight, old.WindowBlocks); !adjusted {
			next.StartHeight, next.WindowBlocks = old.StartHeight, old.WindowBlocks
		}
	}
	root, err := k.seedModel(ctx, params, &next)
	if err != nil {
		return err
	}
	if err := k.Season.Set(ctx, next); err != nil {
		return err
	}
	return emit(ctx, &types.EventSeasonBegan{
		Epoch: epoch, Model: next.Model, WeightsRoot: root, Tokens: next.Tokens, CoinPpm: next.CoinPpm,
	})
}

// seedModel registers the season's model: the base program with weights from this block's randomness.
func (k Keeper) seedModel(ctx context.Context, params types.Params, s *types.Season) (root []byte, err error) {
	if _, err := k.layout(ctx, params.BaseModel); err != nil {
		return nil, err
	}
	random, err := k.beacon.Randomness(ctx, height(ctx))
	if err != nil {
		return nil, fmt.Errorf("randomness: %w", err)
	}
	seed := sha256.Sum256(binary.LittleEndian.AppendUint64(append([]byte(domainWeights), random...), s.Epoch))
	s.Model = fmt.Sprintf("%s%d", modelstypes.SeededPrefix, s.Epoch)
	if err := k.models.RegisterSeeded(ctx, params.BaseModel, s.Model, seed[:]); err != nil {
		return nil, err
	}
	m, err := k.models.GetModel(ctx, s.Model)
	if err != nil {
		return nil, err
	}
	return m.WeightsRoot, k.Seeded.Set(ctx, s.Epoch, types.Seeded{Epoch: s.Epoch, Model: s.Model, Base: params.BaseModel})
}

// layout reads what a model's program holds. ErrProgram where it is no sprint program, or there is no such model.
func (k Keeper) layout(ctx context.Context, model string) (sprint.Layout, error) {
	prog, err := k.models.LoadProgram(ctx, model)
	if errors.Is(err, modelstypes.ErrModelNotFound) {
		return sprint.Layout{}, errorsmod.Wrapf(types.ErrProgram, "model %q: %s", model, err)
	}
	if err != nil {
		return sprint.Layout{}, err
	}
	l, err := sprint.LayoutOf(prog)
	if err != nil {
		return l, errorsmod.Wrapf(types.ErrProgram, "model %q: %s", model, err)
	}
	return l, nil
}

// dropSeeded removes the model of a season that no window that is kept was run with.
func (k Keeper) dropSeeded(ctx context.Context, oldest uint64) error {
	iter, err := k.Seeded.Iterate(ctx, new(collections.Range[uint64]).EndExclusive(oldest))
	if err != nil {
		return err
	}
	defer iter.Close()
	if !iter.Valid() {
		return nil
	}
	s, err := iter.Value()
	if err != nil {
		return err
	}
	if err := k.models.RemoveSeeded(ctx, s.Model); err != nil {
		return err
	}
	return k.Seeded.Remove(ctx, s.Epoch)
}
