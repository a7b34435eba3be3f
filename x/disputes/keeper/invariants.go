package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"

	"poaid/x/disputes/types"
)

// CheckInvariants walks the whole state: for tests and for people who suspect something. ErrInvariant names what is broken.
func (k Keeper) CheckInvariants(ctx context.Context) error {
	for _, check := range []func(context.Context) error{k.checkCases, k.checkClaims, k.checkGames, k.checkIndexes, k.checkCoins} {
		if err := check(ctx); err != nil {
			return err
		}
	}
	return nil
}

func broken(format string, args ...any) error {
	return errorsmod.Wrapf(types.ErrInvariant, format, args...)
}

// checkCases: counts are those of what is stored, and whatever is not closed goes on by itself.
func (k Keeper) checkCases(ctx context.Context) error {
	return k.Cases.Walk(ctx, nil, func(key caseKey, c types.Case) (bool, error) {
		living, roots := uint32(0), uint32(0)
		prefix := collections.NewSuperPrefixedTripleRange[uint64, uint32, uint32](c.TaskId, c.Attempt)
		err := k.Roots.Walk(ctx, prefix, func(at claimKey, r types.Root) (bool, error) {
			roots++
			n := uint32(0)
			of := collections.NewSuperPrefixedQuadRange3[uint64, uint32, uint32, uint32](c.TaskId, c.Attempt, at.K3())
			if err := k.Living.Walk(ctx, of, func(livingKey) (bool, error) { n++; return false, nil }); err != nil {
				return true, err
			}
			if living += n; n != r.Living || n == 0 {
				return true, broken("task %d: root %d counts %d living claims, there are %d", c.TaskId, at.K3(), r.Living, n)
			}
			return false, nil
		})
		if err != nil {
			return true, err
		}
		if roots != c.Roots {
			return true, broken("task %d: the case counts %d roots, there are %d", c.TaskId, c.Roots, roots)
		}
		open, err := k.OpenCases.Has(ctx, key)
		if err != nil {
			return true, err
		}
		closed := c.State == types.CASE_STATE_CLOSED
		switch {
		case open == closed:
			return true, broken("task %d: indexed as open %t in %s", c.TaskId, open, c.State)
		case closed && (c.Due != 0 || c.Running != 0 || living != 0 || c.Settled != c.Claims):
			return true, broken("task %d: closed with due %d, %d games, %d living claims, %d of %d settled", c.TaskId, c.Due, c.Running, living, c.Settled, c.Claims)
		case !closed && c.Due == 0 && c.Running == 0:
			return true, broken("task %d: stuck in %s", c.TaskId, c.State)
		case c.State == types.CASE_STATE_OPEN && c.Roots == 0:
			return true, broken("task %d: no root is left", c.TaskId)
		}
		if c.Due == 0 {
			return false, nil
		}
		has, err := k.DueCases.Has(ctx, collections.Join3(c.Due, c.TaskId, c.Attempt))
		if err == nil && !has {
			err = broken("task %d: due at %d, but not queued", c.TaskId, c.Due)
		}
		return err != nil, err
	})
}

// checkClaims: a claim is living until it is beaten or settled, and is found by its participant.
func (k Keeper) checkClaims(ctx context.Context) error {
	attacking := make(map[plainKey]uint32)
	err := k.Pairs.Walk(ctx, nil, func(key pairKey, index uint32) (bool, error) {
		g, err := k.Games.Get(ctx, collections.Join(key.K1(), index))
		if err != nil {
			return true, broken("task %d: game %d is played but not stored", key.K1(), index)
		}
		attacking[plainKey{key.K1(), g.Attempt, key.K2()}]++
		return false, nil
	})
	if err != nil {
		return err
	}
	return k.Claims.Walk(ctx, nil, func(_ claimKey, claim types.Claim) (bool, error) {
		c, err := k.Cases.Get(ctx, collections.Join(claim.TaskId, claim.Attempt))
		if err != nil {
			return true, broken("claim %d of task %d has no case", claim.Order, claim.TaskId)
		}
		order, err := k.ByParticipant.Get(ctx, collections.Join3(claim.Participant, claim.TaskId, claim.Attempt))
		if err != nil || order != claim.Order {
			return true, broken("claim %d of task %d is not indexed", claim.Order, claim.TaskId)
		}
		number, err := k.RootOf.Get(ctx, collections.Join3(claim.TaskId, claim.Attempt, claim.ResultRoot))
		if err != nil {
			return true, broken("the root of claim %d of task %d has no number", claim.Order, claim.TaskId)
		}
		living, err := k.Living.Has(ctx, collections.Join4(claim.TaskId, claim.Attempt, number, claim.Order))
		if err != nil {
			return true, err
		}
		if want := !claim.Beaten && claim.Order >= c.Settled; living != want {
			return true, broken("claim %d of task %d: living %t, beaten %t, %d are settled", claim.Order, claim.TaskId, living, claim.Beaten, c.Settled)
		}
		if n := attacking[plainKey{claim.TaskId, claim.Attempt, claim.Order}]; claim.Attacking != n {
			return true, broken("claim %d of task %d counts %d attacks, there are %d", claim.Order, claim.TaskId, claim.Attacking, n)
		}
		return false, nil
	})
}

// checkGames: every running game has one entry in each queue and index, and none that is over has any.
func (k Keeper) checkGames(ctx context.Context) error {
	running := make(map[plainKey]uint32)
	total := 0
	err := k.Games.Walk(ctx, nil, func(_ itemKey, g types.Game) (bool, error) {
		if g.Result != types.GAME_RESULT_UNSPECIFIED {
			return false, nil
		}
		running[plainKey{task: g.TaskId, attempt: g.Attempt}]++
		total++
		if has, err := k.DueGames.Has(ctx, collections.Join3(g.Due, g.TaskId, g.Index)); err != nil || !has {
			return true, errors.Join(err, broken("task %d: the clock of game %d is not queued", g.TaskId, g.Index))
		}
		for _, who := range []string{g.Defender, g.Challenger} {
			if has, err := k.Playing.Has(ctx, collections.Join3(who, g.TaskId, g.Index)); err != nil || !has {
				return true, errors.Join(err, broken("task %d: game %d is not found by %s", g.TaskId, g.Index, who))
			}
		}
		return false, nil
	})
	if err != nil {
		return err
	}
	due, err := count(ctx, k.DueGames)
	if err != nil {
		return err
	}
	seats, err := count(ctx, k.Playing)
	if err != nil {
		return err
	}
	pairs, err := all(ctx, k.Pairs)
	if err != nil {
		return err
	}
	if due != total || seats != 2*total || len(pairs) != total {
		return broken("%d running games have %d clocks, %d seats, %d pairs", total, due, seats, len(pairs))
	}
	return k.Cases.Walk(ctx, nil, func(_ caseKey, c types.Case) (bool, error) {
		if n := running[plainKey{task: c.TaskId, attempt: c.Attempt}]; n != c.Running {
			return true, broken("task %d: the case counts %d running games, there are %d", c.TaskId, c.Running, n)
		}
		return false, nil
	})
}

func count[K any](ctx context.Context, set collections.KeySet[K]) (int, error) {
	n := 0
	err := set.Walk(ctx, nil, func(K) (bool, error) { n++; return false, nil })
	return n, err
}

// checkIndexes: queues hold no case twice, and open demands are those that are awaited.
func (k Keeper) checkIndexes(ctx context.Context) error {
	err := k.DueCases.Walk(ctx, nil, func(key dueKey) (bool, error) {
		c, err := k.Cases.Get(ctx, collections.Join(key.K2(), key.K3()))
		if err != nil || c.Due != key.K1() {
			return true, errors.Join(err, broken("task %d: queued for %d, due at %d", key.K2(), key.K1(), c.Due))
		}
		return false, nil
	})
	if err != nil {
		return err
	}
	open := 0
	err = k.Demands.Walk(ctx, nil, func(key itemKey, d types.Demand) (bool, error) {
		has, err := k.OpenDemands.Has(ctx, key)
		if err == nil && has != d.Open() {
			err = broken("demand %d of task %d: indexed as open %t", d.Index, d.TaskId, has)
		}
		if d.Open() {
			open++
		}
		return err != nil, err
	})
	if err != nil {
		return err
	}
	if n, err := count(ctx, k.OpenDemands); err != nil || n != open {
		return errors.Join(err, broken("%d demands are open, %d are indexed", open, n))
	}
	return nil
}

// checkCoins: the module's account holds the stakes of running games and the fees of open demands, and nothing else.
func (k Keeper) checkCoins(ctx context.Context) error {
	owed := math.ZeroInt()
	err := k.Games.Walk(ctx, nil, func(_ itemKey, g types.Game) (bool, error) {
		if g.Result == types.GAME_RESULT_UNSPECIFIED {
			owed = owed.Add(g.Stake)
		}
		return false, nil
	})
	if err != nil {
		return err
	}
	err = k.Demands.Walk(ctx, nil, func(_ itemKey, d types.Demand) (bool, error) {
		if d.Open() {
			owed = owed.Add(d.Fee)
		}
		return false, nil
	})
	if err != nil {
		return err
	}
	denom, err := k.poai.BondDenom(ctx)
	if err != nil {
		return err
	}
	if have := k.bank.GetBalance(ctx, k.account.GetModuleAddress(types.ModuleName), denom); !have.Amount.Equal(owed) {
		return broken("the module holds %s, stakes and fees are %s", have, owed)
	}
	return nil
}
