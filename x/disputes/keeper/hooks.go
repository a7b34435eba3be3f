package keeper

import (
	"context"

	"cosmossdk.io/collections"

	"poaid/x/disputes/types"
	taskstypes "poaid/x/tasks/types"
)

var _ taskstypes.DisputeHooks = Hooks{}

// Hooks are what x/tasks calls about what may be argued over.
type Hooks struct{ k Keeper }

// Hooks returns the module's hooks.
func (k Keeper) Hooks() Hooks { return Hooks{k} }

// AfterRootsDiffer opens a case.
func (h Hooks) AfterRootsDiffer(ctx context.Context, d taskstypes.Dispute) error {
	_, err := h.k.openCase(ctx, d)
	return err
}

// BeforeTaskSubmitted refuses a model with a quarantined op. ErrQuarantined.
func (h Hooks) BeforeTaskSubmitted(ctx context.Context, model string) error {
	return h.k.admit(ctx, model)
}

// AfterTaskPruned has claims, games and demands of a task dropped, a bounded number a block. Its cases stay.
func (h Hooks) AfterTaskPruned(ctx context.Context, task uint64) error {
	games, err := h.k.GameCounts.Has(ctx, task)
	if err != nil {
		return err
	}
	demands, err := h.k.DemandCounts.Has(ctx, task)
	if err != nil || !games && !demands {
		return err
	}
	return h.k.Pruning.Set(ctx, collections.Join(height(ctx)+1, task))
}

// prune drops at most settleBatch records of a task. done: nothing is left, or it is to be asked again later.
func (k Keeper) prune(ctx context.Context, task uint64) (work int, done bool, err error) {
	// A case that is still being settled, or a demand that is open, comes first.
	busy, err := k.busy(ctx, task)
	if err != nil || busy {
		return 1, false, err
	}
	n, err := k.pruneItems(ctx, task)
	if err != nil || n > 0 {
		return n, false, err
	}
	if n, err = k.pruneClaims(ctx, task); err != nil || n > 0 {
		return n, false, err
	}
	if err := k.GameCounts.Remove(ctx, task); err != nil {
		return 1, false, err
	}
	return 1, true, k.DemandCounts.Remove(ctx, task)
}

// busy tells whether anything about a task is not over.
func (k Keeper) busy(ctx context.Context, task uint64) (busy bool, err error) {
	err = k.Cases.Walk(ctx, collections.NewPrefixedPairRange[uint64, uint32](task), func(_ caseKey, c types.Case) (bool, error) {
		busy = c.State != types.CASE_STATE_CLOSED
		return busy, nil
	})
	if err != nil || busy {
		return busy, err
	}
	open, err := k.openDemands(ctx, task, 1)
	return len(open) > 0, err
}

func (k Keeper) pruneItems(ctx context.Context, task uint64) (int, error) {
	prefix := collections.NewPrefixedPairRange[uint64, uint32](task)
	games, err := someKeys(ctx, k.Games, prefix)
	if err != nil {
		return 0, err
	}
	for _, id := range games {
		if err := k.Games.Remove(ctx, id); err != nil {
			return 0, err
		}
	}
	if len(games) > 0 {
		return len(games), nil
	}
	demands, err := someKeys(ctx, k.Demands, prefix)
	if err != nil {
		return 0, err
	}
	for _, id := range demands {
		if err := k.Demands.Remove(ctx, id); err != nil {
			return 0, err
		}
	}
	return len(demands), nil
}

func (k Keeper) pruneClaims(ctx context.Context, task uint64) (int, error) {
	keys, err := someKeys(ctx, k.Claims, collections.NewPrefixedTripleRange[uint64, uint32, uint32](task))
	if err != nil {
		return 0, err
	}
	for _, key := range keys {
		claim, err := k.Claims.Get(ctx, key)
		if err != nil {
			return 0, err
		}
		if err := k.ByParticipant.Remove(ctx, collections.Join3(claim.Participant, claim.TaskId, claim.Attempt)); err != nil {
			return 0, err
		}
		if err := k.RootOf.Remove(ctx, collections.Join3(claim.TaskId, claim.Attempt, claim.ResultRoot)); err != nil {
			return 0, err
		}
		if err := k.Claims.Remove(ctx, key); err != nil {
			return 0, err
		}
	}
	return len(keys), nil
}

// someKeys collects at most settleBatch keys.
func someKeys[K, V any](ctx context.Context, m collections.Map[K, V], prefix collections.Ranger[K]) ([]K, error) {
	var keys []K
	err := m.Walk(ctx, prefix, func(key K, _ V) (bool, error) {
		keys = append(keys, key)
		return len(keys) == settleBatch, nil
	})
	return keys, err
}
