package keeper

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"cosmossdk.io/collections"

	"poaid/x/disputes/types"
	poaitypes "poaid/x/poai/types"
	taskstypes "poaid/x/tasks/types"
)

// settleBatch is how many claims of a case are settled, and games of a void one ended, in one transition.
const settleBatch = 64

// lookAt does what is next in a case: pairs claims, decides, or settles some. It returns how many transitions that was.
func (k Keeper) lookAt(ctx context.Context, params types.Params, c *types.Case) (int, error) {
	switch c.State {
	case types.CASE_STATE_OPEN:
		return 1, k.proceed(ctx, params, c)
	case types.CASE_STATE_HELD:
		if err := k.expireQuarantine(ctx, c.Suspect); err != nil {
			return 1, err
		}
		c.State = types.CASE_STATE_SETTLING
		return 1, k.store(ctx, c, height(ctx)+1)
	case types.CASE_STATE_SETTLING:
		return k.settle(ctx, c)
	default:
		return 1, fmt.Errorf("task %d: nothing is due in %s", c.TaskId, c.State)
	}
}

// proceed moves an open case on when no game runs: two roots play, one root is decided for once nobody may claim any more and no bytes
// are awaited.
func (k Keeper) proceed(ctx context.Context, params types.Params, c *types.Case) error {
	if c.Running > 0 {
		return k.store(ctx, c, 0) // the end of the last game brings it back
	}
	if c.Roots > 1 {
		if err := k.pair(ctx, params, c); err != nil {
			return err
		}
		return k.store(ctx, c, 0)
	}
	if height(ctx) <= c.SupportUntil {
		return k.store(ctx, c, c.SupportUntil+1)
	}
	until, err := k.awaited(ctx, c.TaskId)
	if err != nil {
		return err
	}
	if until > 0 {
		return k.store(ctx, c, max(until, height(ctx))+1)
	}
	return k.decide(ctx, params, c)
}

// decide ends the argument: one root is left.
func (k Keeper) decide(ctx context.Context, params types.Params, c *types.Case) error {
	_, roots, err := k.livingRoots(ctx, c, 2)
	if err != nil {
		return err
	}
	if len(roots) != 1 {
		return fmt.Errorf("task %d: %d roots are left", c.TaskId, len(roots))
	}
	c.ValidRoot, c.Outcome = roots[0].ResultRoot, types.OUTCOME_OVERTURNED
	if bytes.Equal(c.ValidRoot, c.WorkerRoot) {
		// Whoever was refuted for this root played badly: the op is not at fault.
		c.Outcome, c.Suspect = types.OUTCOME_UPHELD, ""
	}
	if c.Suspect != "" {
		return k.hold(ctx, params, c)
	}
	c.State = types.CASE_STATE_SETTLING
	return k.store(ctx, c, height(ctx)+1)
}

// settle ends games that are still running, which only a void case has, then settles claims in order, and the task last.
func (k Keeper) settle(ctx context.Context, c *types.Case) (int, error) {
	work, err := k.endMoot(ctx, c)
	if err != nil {
		return work, err
	}
	for ; work < settleBatch && c.Settled < c.Claims; work++ {
		claim, err := k.Claims.Get(ctx, collections.Join3(c.TaskId, c.Attempt, c.Settled))
		if err != nil {
			return work, err
		}
		if err := k.settleClaim(ctx, c, &claim); err != nil {
			return work, err
		}
		c.Settled++
	}
	if c.Running > 0 || c.Settled < c.Claims {
		return work, k.store(ctx, c, height(ctx)+1)
	}
	return work + 1, k.closeCase(ctx, c)
}

// endMoot ends running games of a case that is over.
func (k Keeper) endMoot(ctx context.Context, c *types.Case) (int, error) {
	if c.Running == 0 {
		return 0, nil
	}
	var indexes []uint32
	prefix := collections.NewPrefixedTripleRange[uint64, uint32, uint32](c.TaskId)
	err := k.Pairs.Walk(ctx, prefix, func(_ pairKey, index uint32) (bool, error) {
		indexes = append(indexes, index)
		return len(indexes) == settleBatch, nil
	})
	if err != nil {
		return 0, err
	}
	t, err := k.table(ctx, c)
	if err != nil {
		return 0, err
	}
	for _, index := range indexes {
		g, err := k.runningGame(ctx, c.TaskId, index)
		if err != nil {
			return 0, err
		}
		at, err := t.resume(g)
		if err != nil {
			return 0, err
		}
		if err := k.finish(ctx, t, g, types.GAME_RESULT_MOOT, at); err != nil {
			return 0, err
		}
	}
	return len(indexes), nil
}

// settleClaim releases or takes what a claim has locked. The locks of the worker and of members are settled with the task.
func (k Keeper) settleClaim(ctx context.Context, c *types.Case, claim *types.Claim) error {
	if !claim.Beaten {
		if _, err := k.drop(ctx, c, claim); err != nil {
			return err
		}
	}
	if claim.Kind != types.CLAIM_KIND_CHALLENGE {
		return nil
	}
	if !wrong(c, claim) {
		return k.poai.ReleaseLock(ctx, claim.Participant, poaitypes.LOCK_KIND_CLAIM, c.TaskId)
	}
	by, err := k.beneficiary(ctx, c, claim)
	if err != nil {
		return err
	}
	return k.poai.Slash(ctx, poaitypes.SlashRequest{
		Participant: claim.Participant, Kind: poaitypes.LOCK_KIND_CLAIM, Task: c.TaskId, Bps: types.BpsOne,
		Reason: "claimed a wrong result", Lie: true, Beneficiaries: by,
		Evidence: poaitypes.Evidence{
			OwnRoot: claim.ResultRoot, ValidRoot: c.ValidRoot, Reference: fmt.Sprintf("case of task %d, attempt %d", c.TaskId, c.Attempt),
		},
	})
}

// wrong tells whether a claim is a lie: one root is right, and it is another.
func wrong(c *types.Case, claim *types.Claim) bool {
	return len(c.ValidRoot) > 0 && !bytes.Equal(claim.ResultRoot, c.ValidRoot)
}

// beneficiary is who beat a wrong claim, if it stands behind the right root itself: a liar earns nothing with another.
func (k Keeper) beneficiary(ctx context.Context, c *types.Case, claim *types.Claim) ([]string, error) {
	if claim.BeatenBy == "" {
		return nil, nil
	}
	by, err := k.claimOf(ctx, c, claim.BeatenBy)
	if err != nil || wrong(c, &by) {
		return nil, err
	}
	return []string{by.Participant}, nil
}

// closeCase settles the task and ends the case. The task of a void case has ended already.
func (k Keeper) closeCase(ctx context.Context, c *types.Case) error {
	if c.Outcome != types.OUTCOME_VOID {
		r := taskstypes.Resolution{ValidRoot: c.ValidRoot}
		var err error
		if r.Beneficiaries, err = k.beneficiaries(ctx, c); err != nil {
			return err
		}
		if err := k.tasks.ResolveDispute(ctx, c.TaskId, r); err != nil {
			return err
		}
	}
	c.State, c.ClosedHeight = types.CASE_STATE_CLOSED, height(ctx)
	if err := k.OpenCases.Remove(ctx, keyOf(c)); err != nil {
		return err
	}
	if err := k.store(ctx, c, 0); err != nil {
		return err
	}
	return emit(ctx, &types.EventCaseClosed{TaskId: c.TaskId, Attempt: c.Attempt, Outcome: c.Outcome, ValidRoot: c.ValidRoot})
}

// beneficiaries are those who beat the worker or a member that was wrong, each once.
func (k Keeper) beneficiaries(ctx context.Context, c *types.Case) ([]string, error) {
	var out []string
	for order := range c.Seats + 1 {
		claim, err := k.Claims.Get(ctx, collections.Join3(c.TaskId, c.Attempt, order))
		if err != nil {
			return nil, err
		}
		if !wrong(c, &claim) {
			continue
		}
		by, err := k.beneficiary(ctx, c, &claim)
		if err != nil {
			return nil, err
		}
		if len(by) > 0 && !slices.Contains(out, by[0]) {
			out = append(out, by[0])
		}
	}
	return out, nil
}
