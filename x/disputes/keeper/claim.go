package keeper

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/commit"
	"poaid/x/disputes/types"
	poaitypes "poaid/x/poai/types"
)

// mootBatch is how many games of a beaten claim end at once.
const mootBatch = 32

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
	claim, number, fresh, err := k.addClaim(ctx, c, participant, root, types.CLAIM_KIND_CHALLENGE)
	if err != nil {
		return 0, err
	}
	until, late := c.SupportUntil, types.ErrDeadline
	if fresh {
		until = c.ClaimUntil
		if claim.Order != number {
			late = types.ErrFallen
		}
	}
	if now := height(ctx); now > until {
		return 0, errorsmod.Wrapf(late, "task_id: this root of task %d could be claimed until height %d, it is %d", task, until, now)
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

// addClaim records a claim of the root with that number; fresh: no living claim has it. The caller stores the case. ErrClaimed.
func (k Keeper) addClaim(
	ctx context.Context, c *types.Case, participant string, root []byte, kind types.ClaimKind,
) (claim types.Claim, number uint32, fresh bool, err error) {
	holder := collections.Join3(participant, c.TaskId, c.Attempt)
	if has, err := k.ByParticipant.Has(ctx, holder); err != nil {
		return claim, 0, false, err
	} else if has {
		return claim, 0, false, errorsmod.Wrapf(types.ErrClaimed, "participant: %s stands behind a root of task %d", participant, c.TaskId)
	}
	claim = types.Claim{
		TaskId: c.TaskId, Attempt: c.Attempt, Order: c.Claims, Participant: participant, ResultRoot: root, Kind: kind, Height: height(ctx),
	}
	number, r, fresh, err := k.rootFor(ctx, c, &claim)
	if err != nil {
		return claim, 0, false, err
	}
	r.Living++
	if err := k.Roots.Set(ctx, collections.Join3(c.TaskId, c.Attempt, number), r); err != nil {
		return claim, 0, false, err
	}
	if err := k.Living.Set(ctx, collections.Join4(c.TaskId, c.Attempt, number, claim.Order)); err != nil {
		return claim, 0, false, err
	}
	if err := k.ByParticipant.Set(ctx, holder, claim.Order); err != nil {
		return claim, 0, false, err
	}
	c.Claims++
	if err := k.Claims.Set(ctx, claimKeyOf(&claim), claim); err != nil {
		return claim, 0, false, err
	}
	return claim, number, fresh, emit(ctx, &types.EventClaimed{
		TaskId: c.TaskId, Attempt: c.Attempt, Participant: participant, ResultRoot: root, Kind: kind,
	})
}

// rootFor finds the root of a claim among those of the case, or adds it. One whose last claim was beaten is added again: a verdict binds
// nobody but who played, and an honest worker that fell silent must not take its root with it.
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
	if errors.Is(err, collections.ErrNotFound) {
		c.Roots++
		return number, types.Root{ResultRoot: claim.ResultRoot}, true, nil
	}
	return number, r, false, err
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
	if err := k.hasten(ctx, &loser); err != nil {
		return err
	}
	fell, err := k.drop(ctx, c, &loser)
	if err != nil || !fell {
		return err
	}
	return emit(ctx, &types.EventRootFell{TaskId: c.TaskId, Attempt: c.Attempt, ResultRoot: loser.ResultRoot})
}

// hasten has EndBlock look at games of a beaten claim, which are moot, at most mootBatch of them; the others end at their clocks. It
// costs no gas: whoever beats a claim cannot know how many games its loser plays.
func (k Keeper) hasten(ctx context.Context, loser *types.Claim) error {
	free := sdk.UnwrapSDKContext(ctx).WithGasMeter(storetypes.NewInfiniteGasMeter())
	tick, err := k.Tick.Get(free)
	if err != nil {
		return err
	}
	var games []itemKey
	prefix := collections.NewSuperPrefixedTripleRange[string, uint64, uint32](loser.Participant, loser.TaskId)
	err = k.Playing.Walk(free, prefix, func(key playerKey) (bool, error) {
		games = append(games, collections.Join(key.K2(), key.K3()))
		return len(games) == mootBatch, nil
	})
	if err != nil {
		return err
	}
	for _, id := range games {
		if err := k.requeue(free, id, tick); err != nil {
			return err
		}
	}
	return nil
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
