package keeper

import (
	"bytes"
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/commit"
	"poaid/x/poai/types"
)

// duty returns the seat a participant has for a task and its committee, and tells why it has none.
func (k *Keeper) duty(ctx context.Context, participant string, task uint64) (types.Committee, types.Seat, error) {
	index, err := k.Duties.Get(ctx, collections.Join(participant, task))
	if errors.Is(err, collections.ErrNotFound) {
		return types.Committee{}, types.Seat{}, k.noDuty(ctx, participant, task)
	}
	if err != nil {
		return types.Committee{}, types.Seat{}, err
	}
	c, err := k.Committees.Get(ctx, task)
	if err != nil {
		return c, types.Seat{}, err
	}
	s, err := k.Seats.Get(ctx, collections.Join(task, index))
	return c, s, err
}

// noDuty walks the few seats of the committee for a precise refusal.
func (k *Keeper) noDuty(ctx context.Context, participant string, task uint64) error {
	seats, err := k.seats(ctx, task)
	if err != nil {
		return err
	}
	for _, s := range seats {
		switch {
		case s.Participant != participant:
			continue
		case s.State == types.SEAT_STATE_CLOSED:
			return errorsmod.Wrapf(types.ErrPastDeadline, "task %d: seat %d was closed unsealed", task, s.Index)
		case s.State == types.SEAT_STATE_REVEALED:
			return errorsmod.Wrapf(types.ErrAlreadyAttested, "task %d: seat %d has revealed", task, s.Index)
		default:
			return errorsmod.Wrapf(types.ErrWrongPhase, "task %d: committee is settled", task)
		}
	}
	return errorsmod.Wrapf(types.ErrNotDrawn, "task %d: %s has no seat", task, participant)
}

// checkSeal judges an item without writing anything.
func (k *Keeper) checkSeal(ctx context.Context, participant string, item types.AttestationSeal) (types.Committee, types.Seat, error) {
	if len(item.Seal) != commit.Size {
		return types.Committee{}, types.Seat{}, errorsmod.Wrapf(types.ErrInvalidSeal, "seal: %d bytes, must be %d", len(item.Seal), commit.Size)
	}
	c, s, err := k.duty(ctx, participant, item.TaskId)
	if err != nil {
		return c, s, err
	}
	if s.State != types.SEAT_STATE_OPEN {
		return c, s, errorsmod.Wrapf(types.ErrAlreadyAttested, "task %d: seat %d is sealed", item.TaskId, s.Index)
	}
	if c.Phase != types.COMMITTEE_PHASE_SEALING {
		return c, s, errorsmod.Wrapf(types.ErrWrongPhase, "task %d: committee is in %s", item.TaskId, c.Phase)
	}
	return c, s, checkDeadline(ctx, c)
}

// checkDeadline judges by the deadline height alone, never by whether the queue has got to it.
func checkDeadline(ctx context.Context, c types.Committee) error {
	if now := sdk.UnwrapSDKContext(ctx).BlockHeight(); now > c.Deadline {
		return errorsmod.Wrapf(types.ErrPastDeadline, "task %d: deadline was %d, now %d", c.TaskId, c.Deadline, now)
	}
	return nil
}

func (k *Keeper) applySeal(ctx context.Context, c types.Committee, s types.Seat, seal []byte) error {
	s.Seal, s.State = seal, types.SEAT_STATE_SEALED
	if err := k.setSeat(ctx, s); err != nil {
		return err
	}
	c.Sealed++
	if c.Sealed+c.Closed == c.Seats {
		_, err := k.openReveals(ctx, c)
		return err
	}
	return k.Committees.Set(ctx, c.TaskId, c)
}

// checkReveal judges an item without writing anything.
func (k *Keeper) checkReveal(ctx context.Context, participant string, item types.AttestationReveal) (types.Committee, types.Seat, error) {
	for _, f := range []struct {
		name  string
		value []byte
	}{{"result_root", item.ResultRoot}, {"salt", item.Salt}} {
		if len(f.value) != commit.Size {
			return types.Committee{}, types.Seat{}, errorsmod.Wrapf(types.ErrInvalidReveal, "%s: %d bytes, must be %d", f.name, len(f.value), commit.Size)
		}
	}
	c, s, err := k.duty(ctx, participant, item.TaskId)
	if err != nil {
		return c, s, err
	}
	if c.Phase != types.COMMITTEE_PHASE_REVEALING {
		return c, s, errorsmod.Wrapf(types.ErrWrongPhase, "task %d: committee is in %s", item.TaskId, c.Phase)
	}
	if err := checkDeadline(ctx, c); err != nil {
		return c, s, err
	}
	chainID := sdk.UnwrapSDKContext(ctx).ChainID()
	seal := commit.Seal(chainID, item.TaskId, participant, commit.Hash(item.ResultRoot), [32]byte(item.Salt))
	if !bytes.Equal(seal[:], s.Seal) {
		return c, s, errorsmod.Wrapf(types.ErrSealMismatch, "task %d: seat %d", item.TaskId, s.Index)
	}
	return c, s, nil
}

func (k *Keeper) applyReveal(ctx context.Context, c types.Committee, s types.Seat, root []byte) error {
	p, err := k.participant(ctx, s.Participant)
	if err != nil {
		return err
	}
	s.ResultRoot, s.State = root, types.SEAT_STATE_REVEALED
	if err := k.endDuty(ctx, &p, s); err != nil {
		return err
	}
	c.Revealed++
	if err := k.Committees.Set(ctx, c.TaskId, c); err != nil {
		return err
	}
	if c.Revealed < c.Sealed || k.committeeHooks == nil {
		return nil
	}
	return k.committeeHooks.AfterCommitteeRevealed(ctx, c.TaskId)
}

// sealOne and revealOne run one item. It is judged before anything is written, so that a refused item leaves no trace; the one that moves a
// committee on runs in a branch of the state, since the hook may refuse. err fails the transaction.

func (k *Keeper) sealOne(ctx sdk.Context, participant string, item types.AttestationSeal) (refusal, err error) {
	c, s, refusal := k.checkSeal(ctx, participant, item)
	if refusal != nil {
		return refusal, nil
	}
	if c.Sealed+c.Closed+1 < c.Seats {
		return nil, k.applySeal(ctx, c, s, item.Seal)
	}
	return branched(ctx, func(ctx sdk.Context) error { return k.applySeal(ctx, c, s, item.Seal) }), nil
}

func (k *Keeper) revealOne(ctx sdk.Context, participant string, item types.AttestationReveal) (refusal, err error) {
	c, s, refusal := k.checkReveal(ctx, participant, item)
	if refusal != nil {
		return refusal, nil
	}
	if c.Revealed+1 < c.Sealed {
		return nil, k.applyReveal(ctx, c, s, item.ResultRoot)
	}
	return branched(ctx, func(ctx sdk.Context) error { return k.applyReveal(ctx, c, s, item.ResultRoot) }), nil
}

// branched writes what f does only if it succeeds.
func branched(ctx sdk.Context, f func(sdk.Context) error) error {
	branch, write := ctx.CacheContext()
	if err := f(branch); err != nil {
		return err
	}
	write()
	return nil
}

// batch runs the items of a batch one by one. The batch itself is refused when it is empty or too large.
func batch(limit uint32, tasks []uint64, one func(i int) (refusal, err error)) ([]types.ItemResult, error) {
	if len(tasks) == 0 {
		return nil, errorsmod.Wrap(types.ErrEmptyBatch, "items")
	}
	if len(tasks) > int(limit) {
		return nil, errorsmod.Wrapf(types.ErrBatchTooLarge, "items: %d, max_batch %d", len(tasks), limit)
	}
	seen := make(map[uint64]bool, len(tasks))
	results := make([]types.ItemResult, len(tasks))
	for i, task := range tasks {
		refusal, err := errorsmod.Wrapf(types.ErrDuplicateItem, "task %d", task), error(nil)
		if !seen[task] {
			refusal, err = one(i)
		}
		if err != nil {
			return nil, err
		}
		seen[task] = true
		results[i] = types.ItemResult{TaskId: task, Accepted: refusal == nil}
		if refusal != nil {
			results[i].Error = refusal.Error()
		}
	}
	return results, nil
}
