package keeper

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"cosmossdk.io/collections"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/internal/branch"
	beacontypes "poaid/x/beacon/types"
	"poaid/x/grades/types"
	poaitypes "poaid/x/poai/types"
)

// retryBlocks is after how many blocks a transition that failed is tried again.
const retryBlocks = 16

// EndBlock makes the transitions that are due, oldest first, at most transitions_per_block. What fails is put off without a trace.
func (k Keeper) EndBlock(ctx context.Context) error {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return err
	}
	var due []collections.Pair[int64, uint64]
	until := new(collections.Range[collections.Pair[int64, uint64]]).EndExclusive(collections.Join(height(ctx)+1, uint64(0)))
	err = k.Due.Walk(ctx, until, func(key collections.Pair[int64, uint64]) (bool, error) {
		due = append(due, key)
		return len(due) == int(params.TransitionsPerBlock), nil
	})
	if err != nil {
		return err
	}
	for _, key := range due {
		err := branch.Run(ctx, func(ctx context.Context) error { return k.transition(ctx, params, key.K2()) })
		if err == nil {
			continue
		}
		logger := sdk.UnwrapSDKContext(ctx).Logger().With("module", types.ModuleName, "contest", key.K2())
		logger.Error("transition failed", "err", err)
		if err := branch.Run(ctx, func(ctx context.Context) error { return k.putOff(ctx, key.K2(), err) }); err != nil {
			// The entry stays at the head of the queue and is tried again in the next block.
			logger.Error("transition not put off", "err", err)
		}
	}
	return nil
}

func (k Keeper) putOff(ctx context.Context, contest uint64, cause error) error {
	c, err := k.Contests.Get(ctx, contest)
	if err != nil {
		return err
	}
	retry := height(ctx) + retryBlocks
	text := cause.Error()
	if err := emit(ctx, &types.EventTransitionFailed{Contest: c.Id, Error: text[:min(len(text), 256)], RetryHeight: retry}); err != nil {
		return err
	}
	return k.schedule(ctx, c, retry)
}

// transition moves a contest on.
func (k Keeper) transition(ctx context.Context, params types.Params, contest uint64) error {
	c, err := k.Contests.Get(ctx, contest)
	if err != nil {
		return err
	}
	switch c.Phase {
	case types.PHASE_IDLE:
		return k.wake(ctx, params, c)
	case types.PHASE_DRAWING:
		return k.drawGraders(ctx, params, c)
	case types.PHASE_SEALING:
		return k.openReveals(ctx, c)
	case types.PHASE_REVEALING:
		return k.settle(ctx, params, c)
	}
	return fmt.Errorf("contest %q: nothing is due in %s", c.Id, c.Phase)
}

// wake ends a pause.
func (k Keeper) wake(ctx context.Context, params types.Params, c types.Contest) error {
	if c.Closing {
		return k.end(ctx, params, c)
	}
	if err := k.Due.Remove(ctx, collections.Join(c.Due, c.Number)); err != nil {
		return err
	}
	c.Due = 0
	return k.begin(ctx, params, c)
}

// drawGraders draws the graders of the round with randomness that nobody knew when the round began, or when it turned out to be kept no more: otherwise
// the contest could never go on, nor be closed.
func (k Keeper) drawGraders(ctx context.Context, params types.Params, c types.Contest) error {
	random, err := k.beacon.Randomness(ctx, c.Deadline)
	if errors.Is(err, beacontypes.ErrPruned) { // the draw was put off for too long: draw with what nobody knows yet
		return k.move(ctx, c, height(ctx)+params.DrawDelay)
	}
	if err != nil {
		return fmt.Errorf("randomness of height %d: %w", c.Deadline, err)
	}
	b := append([]byte("poai/grades/draw/1"), random...)
	b = binary.LittleEndian.AppendUint64(b, c.Number)
	seed := sha256.Sum256(binary.LittleEndian.AppendUint64(b, c.Round))
	graders, err := k.poai.DrawGraders(ctx, poaitypes.GradersRequest{
		Item: c.Number, Model: c.Pool(), Seed: seed[:], Lock: params.GraderLock, Seats: c.Seats,
	})
	if err != nil {
		return err
	}
	for _, g := range graders {
		if err := k.Seats.Set(ctx, collections.Join(c.Number, g), types.Seat{Contest: c.Id, Grader: g}); err != nil {
			return err
		}
	}
	c.Drawn = uint32(len(graders)) // #nosec G115 -- at most seats
	if c.Drawn < params.Quorum(c.Seats) {
		return k.settleVoid(ctx, params, c, fmt.Sprintf("%d graders for %d seats", c.Drawn, c.Seats))
	}
	c.Phase = types.PHASE_SEALING
	return k.move(ctx, c, height(ctx)+c.SealBlocks)
}

// openReveals lets the graders that sealed reveal.
func (k Keeper) openReveals(ctx context.Context, c types.Contest) error {
	c.Phase = types.PHASE_REVEALING
	return k.move(ctx, c, height(ctx)+c.RevealBlocks)
}
