package keeper

import (
	"context"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/internal/branch"
	"poaid/x/disputes/types"
)

const (
	// putOff is after how many ticks or blocks a transition that failed is tried again.
	putOff = 16
	// otherShare: one in so many transitions of a block is kept for cases, demands and pruning when clocks would take all.
	otherShare = 4
)

// SetLaneFull tells whether the block's lane for moves is full, so that its end is no tick: whoever could not move must not lose for it.
// The application says so before the block's transactions.
func (k Keeper) SetLaneFull(ctx context.Context, full bool) error { return k.LaneFull.Set(ctx, full) }

// EndBlock lets a tick pass, ends the games whose clock ran out, and does what is due: cases, demands, pruning. All together at most
// max_transitions_per_block, clocks first; what is left over comes first in the next block. What fails is put off without a trace.
func (k Keeper) EndBlock(ctx context.Context) error {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return err
	}
	tick, err := k.advanceTick(ctx)
	if err != nil {
		return err
	}
	limit := int(params.MaxTransitionsPerBlock)
	games, err := keysUntil(ctx, k.DueGames, collections.Join3(tick, uint64(0), uint32(0)), limit)
	if err != nil {
		return err
	}
	end := collections.Join3(height(ctx)+1, uint64(0), uint32(0))
	cases, err := keysUntil(ctx, k.DueCases, end, limit)
	if err != nil {
		return err
	}
	demands, err := keysUntil(ctx, k.DueDemands, end, limit)
	if err != nil {
		return err
	}
	prunes, err := keysUntil(ctx, k.Pruning, collections.Join(height(ctx)+1, uint64(0)), limit)
	if err != nil {
		return err
	}
	games = games[:min(len(games), limit-min(len(cases)+len(demands)+len(prunes), limit/otherShare))]
	for _, key := range games {
		k.clockRanOut(ctx, key)
	}
	left := limit - len(games)
	demands = demands[:min(len(demands), max(left/otherShare, left-len(cases)))]
	for _, key := range demands {
		k.demandIsDue(ctx, key)
	}
	left -= len(demands)
	for i := 0; i < len(cases) && left > 0; i++ {
		left -= k.caseIsDue(ctx, params, cases[i])
	}
	for i := 0; i < len(prunes) && left > 0; i++ {
		left -= k.pruneIsDue(ctx, prunes[i])
	}
	return nil
}

func (k Keeper) advanceTick(ctx context.Context) (uint64, error) {
	tick, err := k.Tick.Get(ctx)
	if err != nil {
		return 0, err
	}
	full, err := optional(k.LaneFull.Get(ctx))
	if err != nil || full {
		return tick, err
	}
	return tick + 1, k.Tick.Set(ctx, tick+1)
}

// keysUntil collects the first keys of a queue before end, so that it is not changed while it is walked.
func keysUntil[K any](ctx context.Context, queue collections.KeySet[K], end K, limit int) ([]K, error) {
	var keys []K
	err := queue.Walk(ctx, new(collections.Range[K]).EndExclusive(end), func(key K) (bool, error) {
		keys = append(keys, key)
		return len(keys) == limit, nil
	})
	return keys, err
}

// try makes a transition on a branch; if it fails, otherwise is made on another one. A transition that cannot even be put off stays at
// the head of its queue and is tried in the next block.
func try(ctx context.Context, what string, task uint64, transition, otherwise func(context.Context) error) {
	err := branch.Run(ctx, transition)
	if err == nil {
		return
	}
	logger := sdk.UnwrapSDKContext(ctx).Logger().With("module", types.ModuleName, "task", task, "what", what)
	logger.Error("transition failed", "err", err)
	_, _, text := errorsmod.ABCIInfo(err, false) // events are part of consensus: registered errors only
	err = branch.Run(ctx, func(ctx context.Context) error {
		if err := otherwise(ctx); err != nil {
			return err
		}
		return emit(ctx, &types.EventTransitionFailed{TaskId: task, What: what, Error: text})
	})
	if err != nil {
		logger.Error("transition not put off", "err", err)
	}
}

// clockRanOut ends a game that is due. Putting it off gives nobody time: a move runs the clock by the tick of the last one.
func (k Keeper) clockRanOut(ctx context.Context, key tickKey) {
	id := collections.Join(key.K2(), key.K3())
	try(ctx, "clock", key.K2(), func(ctx context.Context) error {
		g, err := k.runningGame(ctx, key.K2(), key.K3())
		if err != nil {
			return err
		}
		c, err := k.Cases.Get(ctx, collections.Join(g.TaskId, g.Attempt))
		if err != nil {
			return err
		}
		t, err := k.table(ctx, &c)
		if err != nil {
			return err
		}
		ended, at, err := k.runClock(ctx, t, g)
		if err != nil || ended {
			return err
		}
		tick, err := k.Tick.Get(ctx)
		if err != nil {
			return err
		}
		return k.requeue(ctx, id, tick+at.Left())
	}, func(ctx context.Context) error {
		return k.requeue(ctx, id, key.K1()+putOff)
	})
}

// requeue moves a game's entry in the queue of clocks.
func (k Keeper) requeue(ctx context.Context, id itemKey, due uint64) error {
	g, err := k.Games.Get(ctx, id)
	if err != nil {
		return err
	}
	if err := k.DueGames.Remove(ctx, collections.Join3(g.Due, g.TaskId, g.Index)); err != nil {
		return err
	}
	g.Due = due
	if err := k.DueGames.Set(ctx, collections.Join3(g.Due, g.TaskId, g.Index)); err != nil {
		return err
	}
	return k.Games.Set(ctx, id, g)
}

// caseIsDue looks at a case and returns how many transitions that was.
func (k Keeper) caseIsDue(ctx context.Context, params types.Params, key dueKey) int {
	work, id := 1, collections.Join(key.K2(), key.K3())
	try(ctx, "case", key.K2(), func(ctx context.Context) error {
		c, err := k.Cases.Get(ctx, id)
		if err != nil {
			return err
		}
		work, err = k.lookAt(ctx, params, &c)
		return err
	}, func(ctx context.Context) error {
		c, err := k.Cases.Get(ctx, id)
		if err != nil {
			return err
		}
		return k.store(ctx, &c, height(ctx)+putOff)
	})
	return max(work, 1)
}

// pruneIsDue drops some records of a task and returns how many.
func (k Keeper) pruneIsDue(ctx context.Context, key pruneKey) int {
	work := 1
	try(ctx, "prune", key.K2(), func(ctx context.Context) error {
		if err := k.Pruning.Remove(ctx, key); err != nil {
			return err
		}
		var done bool
		var err error
		if work, done, err = k.prune(ctx, key.K2()); err != nil || done {
			return err
		}
		return k.Pruning.Set(ctx, collections.Join(height(ctx)+1, key.K2()))
	}, func(ctx context.Context) error {
		if err := k.Pruning.Remove(ctx, key); err != nil {
			return err
		}
		return k.Pruning.Set(ctx, collections.Join(height(ctx)+putOff, key.K2()))
	})
	return max(work, 1)
}
