package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"

	"poaid/commit"
	poaitypes "poaid/x/poai/types"
	"poaid/x/sprints/types"
)

// commit takes a participant's commit in the open window and locks S.
func (k Keeper) commit(ctx context.Context, participant string, msg *types.MsgCommitSprint) (types.Commit, error) {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return types.Commit{}, err
	}
	w, err := k.openFor(ctx, msg.Window)
	if err != nil {
		return types.Commit{}, err
	}
	if len(msg.Root) != commit.Size {
		return types.Commit{}, errorsmod.Wrapf(types.ErrLength, "root: %d bytes, want %d", len(msg.Root), commit.Size)
	}
	if msg.Count < 1 || msg.Count > params.MaxCount {
		return types.Commit{}, errorsmod.Wrapf(types.ErrCount, "count: %d leaves, want 1..%d", msg.Count, params.MaxCount)
	}
	key := collections.Join(w.Number, participant)
	if has, err := k.Commits.Has(ctx, key); err != nil {
		return types.Commit{}, err
	} else if has {
		return types.Commit{}, errorsmod.Wrapf(types.ErrCommitted, "participant: %s has committed in window %d", participant, w.Number)
	}
	stake, err := k.backed(ctx, params, w, participant, msg.Count)
	if err != nil {
		return types.Commit{}, err
	}
	c := types.Commit{
		Window: w.Number, Participant: participant, Root: msg.Root, Count: msg.Count, AuditPpm: uint32(stake.AuditPpm), // #nosec G115 -- at most 10^6
		Lock: stake.Lock, Height: height(ctx), State: types.COMMIT_STATE_PENDING,
	}
	if err := k.poai.LockBond(ctx, poaitypes.Lock{Participant: participant, Kind: lockKind, Item: w.Number, Amount: c.Lock}); err != nil {
		return c, err
	}
	if err := k.Commits.Set(ctx, key, c); err != nil {
		return c, err
	}
	// The window is not written: a count that every commit writes would have them all wait for each other. Settling counts.
	return c, emit(ctx, &types.EventCommitted{
		Window: c.Window, Participant: participant, Count: c.Count, Lock: c.Lock.String(), AuditPpm: c.AuditPpm,
	})
}

// openFor finds the window that takes commits now, if it has that number.
func (k Keeper) openFor(ctx context.Context, number uint64) (types.Window, error) {
	w, found, err := k.last(ctx)
	switch {
	case err != nil:
		return w, err
	case !found || number == 0 || number > w.Number:
		return w, errorsmod.Wrapf(types.ErrNoWindow, "window: %d was not opened", number)
	case number < w.Number || w.Phase != types.PHASE_OPEN || height(ctx) > w.CloseHeight:
		return w, errorsmod.Wrapf(types.ErrLate, "window: %d took commits until height %d at most, it is %d", number, w.CloseHeight, height(ctx))
	}
	return w, nil
}

// backed checks that the participant serves the window's pool and has the free bond that its commit needs.
func (k Keeper) backed(ctx context.Context, params types.Params, w types.Window, participant string, count uint64) (types.Stake, error) {
	serves, err := k.poai.Serves(ctx, participant, w.Pool)
	if err != nil {
		return types.Stake{}, err
	}
	if !serves {
		return types.Stake{}, errorsmod.Wrapf(types.ErrNotServing, "participant: %s has not joined, or does not serve %q", participant, w.Pool)
	}
	stake, err := k.stake(ctx, params, w.LeafUnits, w.Sample, count)
	if err != nil {
		return stake, err
	}
	free, err := k.poai.FreeBond(ctx, participant)
	if err != nil {
		return stake, err
	}
	if free.LT(stake.Lock) {
		return stake, errorsmod.Wrapf(types.ErrBond, "count: %d leaves put %s at risk, of the bond of %s only %s is free", count, stake.Lock, participant, free)
	}
	return stake, nil
}

// stake is what a commit puts at risk, and never less than what the members of an audit's committee do.
func (k Keeper) stake(ctx context.Context, params types.Params, leafUnits uint64, sample uint32, count uint64) (types.Stake, error) {
	committee, err := k.tasks.CommitteeSize(ctx)
	if err != nil {
		return types.Stake{}, err
	}
	stake, err := params.StakeOf(count, leafUnits, sample, committee)
	if err != nil {
		return stake, err
	}
	least, err := k.tasks.AuditLock(ctx, leafUnits*uint64(sample))
	if err != nil {
		return stake, err
	}
	stake.Lock = math.MaxInt(stake.Lock, least)
	return stake, nil
}

// verdict is what becomes of a commit.
type verdict struct {
	state  types.CommitState
	reason string
	// evidence against a commit that fails.
	evidence poaitypes.Evidence
	// heirs have a part of what is lost.
	heirs []string
}

// decide ends a commit: it counts, fails, or is void. w is changed; the caller stores it.
func (k Keeper) decide(ctx context.Context, w *types.Window, c types.Commit, v verdict) error {
	c.State = v.state
	capacity := uint64(0)
	var err error
	switch v.state {
	case types.COMMIT_STATE_CLEAR, types.COMMIT_STATE_PASSED:
		capacity, err = k.count(ctx, *w, c)
	case types.COMMIT_STATE_FAILED:
		err = k.fail(ctx, c, v)
	default:
		err = k.poai.ReleaseLock(ctx, c.Participant, lockKind, c.Window)
	}
	if err != nil {
		return err
	}
	if err := k.Commits.Set(ctx, collections.Join(c.Window, c.Participant), c); err != nil {
		return err
	}
	w.Decided++
	return emit(ctx, &types.EventCommitDecided{
		Window: c.Window, Participant: c.Participant, State: v.state, Capacity: capacity, Reason: v.reason,
	})
}

// count lets a commit count: the lock is released, the capacity set, the units are credited, and the season learns of it.
func (k Keeper) count(ctx context.Context, w types.Window, c types.Commit) (capacity uint64, err error) {
	if err := k.poai.ReleaseLock(ctx, c.Participant, lockKind, c.Window); err != nil {
		return 0, err
	}
	units := c.Count * w.LeafUnits // checked when it was made
	capacity = max(units/uint64(w.CloseHeight-w.OpenHeight), 1)
	newest, err := k.Proven.Get(ctx, c.Participant)
	if err != nil && !errors.Is(err, collections.ErrNotFound) {
		return 0, err
	}
	// An audit that took longer than the next window must not undo what was proven there.
	if w.Number > newest {
		if err := k.poai.SetCapacity(ctx, c.Participant, capacity); err != nil {
			return 0, err
		}
		if err := k.Proven.Set(ctx, c.Participant, w.Number); err != nil {
			return 0, err
		}
	}
	if err := k.poai.Credit(ctx, poaitypes.CreditRequest{
		Epoch: w.Epoch, Participant: c.Participant, Task: c.Task, Units: units, ScoreUnits: units, Role: poaitypes.RoleSprint,
	}); err != nil {
		return 0, err
	}
	s, err := k.season(ctx)
	if err != nil {
		return 0, err
	}
	s.Commits++
	s.Leaves += c.Count
	return capacity, k.Season.Set(ctx, s)
}

// fail takes the whole lock, as for any lie, and voids the capacity. A commit fails once, so whatever else its participant fails to do for the same
// audit costs nothing more.
func (k Keeper) fail(ctx context.Context, c types.Commit, v verdict) error {
	if err := k.poai.Slash(ctx, poaitypes.SlashRequest{
		Participant: c.Participant, Kind: lockKind, Task: c.Window, Bps: poaitypes.BPS, Reason: "sprint: " + v.reason, Lie: true, Beneficiaries: v.heirs,
		Evidence: v.evidence,
	}); err != nil {
		return err
	}
	return k.poai.SetCapacity(ctx, c.Participant, 0)
}
