package keeper

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"

	"poaid/commit"
	"poaid/x/disputes/types"
	poaitypes "poaid/x/poai/types"
)

func claimKeyOf(c *types.Claim) claimKey { return collections.Join3(c.TaskId, c.Attempt, c.Order) }

// claim stands behind a root. One that nobody else has opens a case where there is none, and a game; it returns that game, 0 for support.
func (k Keeper) claim(ctx context.Context, participant string, task uint64, root []byte) (uint32, error) {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return 0, err
	}
	if len(root) != commit.Size {
		return 0, errorsmod.Wrapf(types.ErrLength, "result_root: %d bytes, want %d", len(root), commit.Size)
	}
	c, err := k.caseToClaim(ctx, task, root)
	if err != nil {
		return 0, err
	}
	lock := poaitypes.Lock{Participant: participant, Kind: poaitypes.LOCK_KIND_CLAIM, Item: task, Amount: c.Lock}
	if err := k.poai.LockBond(ctx, lock); err != nil {
		return 0, err
	}
	claim, fresh, err := k.addClaim(ctx, c, participant, root, types.CLAIM_KIND_CHALLENGE)
	if err != nil {
		return 0, err
	}
	until := c.SupportUntil
	if fresh {
		until = c.ClaimUntil
	}
	if now := height(ctx); now > until {
		return 0, errorsmod.Wrapf(types.ErrDeadline, "task_id: this root of task %d could be claimed until height %d, it is %d", task, until, now)
	}
	index := uint32(0)
	if fresh {
		if index, err = k.challengeOldest(ctx, params, c, &claim); err != nil {
			return 0, err
		}
	}
	return index, k.store(ctx, c, c.Due)
}

// caseToClaim returns the case of a task, or opens one where root is not what its worker revealed.
func (k Keeper) caseToClaim(ctx context.Context, task uint64, root []byte) (*types.Case, error) {
	c, err := k.openCaseOf(ctx, task)
	if !errors.Is(err, types.ErrUnknownCase) {
		return c, err
	}
	_, st, err := k.tasks.GetTask(ctx, task)
	if err != nil {
		return nil, err
	}
	if bytes.Equal(st.ResultRoot, root) {
		return nil, errorsmod.Wrapf(types.ErrSameRoot, "result_root: it is what the worker of task %d revealed, and nobody contests it", task)
	}
	d, err := k.tasks.Contest(ctx, task)
	if err != nil {
		return nil, err
	}
	return k.openCase(ctx, d)
}

// addClaim records a claim; fresh: nobody else had its root. The caller stores the case. ErrClaimed, ErrFallen.
func (k Keeper) addClaim(ctx context.Context, c *types.Case, participant string, root []byte, kind types.ClaimKind) (claim types.Claim, fresh bool, err error) {
	holder := collections.Join3(participant, c.TaskId, c.Attempt)
	if has, err := k.ByParticipant.Has(ctx, holder); err != nil {
		return claim, false, err
	} else if has {
		return claim, false, errorsmod.Wrapf(types.ErrClaimed, "participant: %s stands behind a root of task %d", participant, c.TaskId)
	}
	claim = types.Claim{
		TaskId: c.TaskId, Attempt: c.Attempt, Order: c.Claims, Participant: participant, ResultRoot: root, Kind: kind, Height: height(ctx),
	}
	number, r, fresh, err := k.rootFor(ctx, c, &claim)
	if err != nil {
		return claim, false, err
	}
	r.Living++
	if err := k.Roots.Set(ctx, collections.Join3(c.TaskId, c.Attempt, number), r); err != nil {
		return claim, false, err
	}
	if err := k.Living.Set(ctx, collections.Join4(c.TaskId, c.Attempt, number, claim.Order)); err != nil {
		return claim, false, err
	}
	if err := k.ByParticipant.Set(ctx, holder, claim.Order); err != nil {
		return claim, false, err
	}
	c.Claims++
	if err := k.Claims.Set(ctx, claimKeyOf(&claim), claim); err != nil {
		return claim, false, err
	}
	return claim, fresh, emit(ctx, &types.EventClaimed{
		TaskId: c.TaskId, Attempt: c.Attempt, Participant: participant, ResultRoot: root, Kind: kind,
	})
}

// rootFor finds the root of a claim among those of the case, or adds it.
func (k Keeper) rootFor(ctx context.Context, c *types.Case, claim *types.Claim) (number uint32, r types.Root, fresh bool, err error) {
	key := collections.Join3(c.TaskId, c.Attempt, claim.ResultRoot)
	number, err = k.RootOf.Get(ctx, key)
	if errors.Is(err, collections.ErrNotFound) {
		c.Roots++
		return claim.Order, types.Root{ResultRoot: claim.ResultRoot}, true, k.RootOf.Set(ctx, key, claim.Order)
	}
	if err != nil {
		return 0, r, false, err
	}
	r, err = k.Roots.Get(ctx, collections.Join3(c.TaskId, c.Attempt, number))
	return number, r, false, notFound(err, types.ErrFallen, "result_root: the last claim of this root of task %d was beaten", c.TaskId)
}

// claimOf finds a participant's claim in a case. ErrNoClaim.
func (k Keeper) claimOf(ctx context.Context, c *types.Case, participant string) (types.Claim, error) {
	order, err := k.ByParticipant.Get(ctx, collections.Join3(participant, c.TaskId, c.Attempt))
	if err != nil {
		return types.Claim{}, notFound(err, types.ErrNoClaim, "%s stands behind no root of task %d", participant, c.TaskId)
	}
	return k.Claims.Get(ctx, collections.Join3(c.TaskId, c.Attempt, order))
}

// livingClaimOf is claimOf for one that is not beaten. ErrBeaten.
func (k Keeper) livingClaimOf(ctx context.Context, c *types.Case, participant string) (types.Claim, error) {
	claim, err := k.claimOf(ctx, c, participant)
	if err == nil && claim.Beaten {
		err = errorsmod.Wrapf(types.ErrBeaten, "that of %s about task %d", participant, c.TaskId)
	}
	return claim, err
}

// beat takes a claim out of a case that has lost a game, and its root if it was the last one. The caller stores the case.
func (k Keeper) beat(ctx context.Context, c *types.Case, loser types.Claim, winner string, game uint32) error {
	if loser.Beaten {
		return fmt.Errorf("task %d: claim %d is beaten twice", c.TaskId, loser.Order)
	}
	loser.Beaten, loser.BeatenBy, loser.BeatenIn = true, winner, game
	if err := k.Claims.Set(ctx, claimKeyOf(&loser), loser); err != nil {
		return err
	}
	fell, err := k.drop(ctx, c, &loser)
	if err != nil || !fell {
		return err
	}
	return emit(ctx, &types.EventRootFell{TaskId: c.TaskId, Attempt: c.Attempt, ResultRoot: loser.ResultRoot})
}

// drop takes a claim out of the living ones; last: its root has none any more and is dropped too.
func (k Keeper) drop(ctx context.Context, c *types.Case, claim *types.Claim) (last bool, err error) {
	number, err := k.RootOf.Get(ctx, collections.Join3(c.TaskId, c.Attempt, claim.ResultRoot))
	if err != nil {
		return false, err
	}
	if err := k.Living.Remove(ctx, collections.Join4(c.TaskId, c.Attempt, number, claim.Order)); err != nil {
		return false, err
	}
	key := collections.Join3(c.TaskId, c.Attempt, number)
	r, err := k.Roots.Get(ctx, key)
	if err != nil {
		return false, err
	}
	if r.Living--; r.Living > 0 {
		return false, k.Roots.Set(ctx, key, r)
	}
	c.Roots--
	return true, k.Roots.Remove(ctx, key)
}

// livingRoots returns the first n roots with a living claim, oldest first, by their numbers.
func (k Keeper) livingRoots(ctx context.Context, c *types.Case, n int) ([]uint32, []types.Root, error) {
	var numbers []uint32
	var roots []types.Root
	prefix := collections.NewSuperPrefixedTripleRange[uint64, uint32, uint32](c.TaskId, c.Attempt)
	err := k.Roots.Walk(ctx, prefix, func(key claimKey, r types.Root) (bool, error) {
		numbers, roots = append(numbers, key.K3()), append(roots, r)
		return len(roots) == n, nil
	})
	return numbers, roots, err
}

// oldest returns the oldest living claim of a root.
func (k Keeper) oldest(ctx context.Context, c *types.Case, number uint32) (types.Claim, error) {
	order, found := uint32(0), false
	prefix := collections.NewSuperPrefixedQuadRange3[uint64, uint32, uint32, uint32](c.TaskId, c.Attempt, number)
	err := k.Living.Walk(ctx, prefix, func(key livingKey) (bool, error) {
		order, found = key.K4(), true
		return true, nil
	})
	if err != nil {
		return types.Claim{}, err
	}
	if !found {
		return types.Claim{}, fmt.Errorf("task %d: root %d has no living claim", c.TaskId, number)
	}
	return k.Claims.Get(ctx, collections.Join3(c.TaskId, c.Attempt, order))
}
