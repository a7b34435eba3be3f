package keeper

import (
	"context"
	"fmt"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"

	"poaid/x/disputes/types"
)

// InitGenesis stores cases, claims, games and demands and rebuilds queues and indexes. The module's account must hold the stakes and
// fees. It must run after x/bank, x/models, x/poai and x/tasks.
func (k Keeper) InitGenesis(ctx context.Context, g types.GenesisState) error {
	if err := g.Validate(); err != nil {
		return err
	}
	if k.account.GetModuleAccount(ctx, types.ModuleName) == nil {
		return fmt.Errorf("module account %s is not set up", types.ModuleName)
	}
	if err := k.Params.Set(ctx, g.Params); err != nil {
		return err
	}
	if err := k.Tick.Set(ctx, g.Tick); err != nil {
		return err
	}
	closed := make(map[plainKey]bool, len(g.Cases))
	settled := make(map[plainKey]uint32, len(g.Cases))
	for _, c := range g.Cases {
		key := plainKey{task: c.TaskId, attempt: c.Attempt}
		closed[key], settled[key] = c.State == types.CASE_STATE_CLOSED, c.Settled
		if err := k.initCase(ctx, c); err != nil {
			return errorsmod.Wrapf(err, "case of task %d", c.TaskId)
		}
	}
	for _, claim := range g.Claims {
		key := plainKey{task: claim.TaskId, attempt: claim.Attempt}
		living := !claim.Beaten && !closed[key] && claim.Order >= settled[key]
		if err := k.initClaim(ctx, claim, living); err != nil {
			return errorsmod.Wrapf(err, "claim %d of task %d", claim.Order, claim.TaskId)
		}
	}
	for _, x := range g.Games {
		if err := k.initGame(ctx, x); err != nil {
			return errorsmod.Wrapf(err, "game %d of task %d", x.Index, x.TaskId)
		}
	}
	for _, d := range g.Demands {
		if err := k.initDemand(ctx, d); err != nil {
			return errorsmod.Wrapf(err, "demand %d of task %d", d.Index, d.TaskId)
		}
	}
	for _, q := range g.Quarantines {
		if err := k.Quarantines.Set(ctx, q.Op, q); err != nil {
			return err
		}
	}
	for _, task := range g.Pruning {
		if err := k.Pruning.Set(ctx, collections.Join(height(ctx), task)); err != nil {
			return err
		}
	}
	return nil
}

func (k Keeper) initCase(ctx context.Context, c types.Case) error {
	if c.Due != 0 {
		if err := k.DueCases.Set(ctx, collections.Join3(c.Due, c.TaskId, c.Attempt)); err != nil {
			return err
		}
	}
	if c.State != types.CASE_STATE_CLOSED {
		if err := k.OpenCases.Set(ctx, keyOf(&c)); err != nil {
			return err
		}
	}
	return k.Cases.Set(ctx, keyOf(&c), c)
}

func (k Keeper) initClaim(ctx context.Context, claim types.Claim, living bool) error {
	if err := k.Claims.Set(ctx, claimKeyOf(&claim), claim); err != nil {
		return err
	}
	if err := k.ByParticipant.Set(ctx, collections.Join3(claim.Participant, claim.TaskId, claim.Attempt), claim.Order); err != nil {
		return err
	}
	// Claims come in order, so the first one of a root gives it its number.
	key := collections.Join3(claim.TaskId, claim.Attempt, claim.ResultRoot)
	known, err := k.RootOf.Has(ctx, key)
	if err != nil {
		return err
	}
	number := claim.Order
	if known {
		number, err = k.RootOf.Get(ctx, key)
	} else {
		err = k.RootOf.Set(ctx, key, number)
	}
	if err != nil || !living {
		return err
	}
	if err := k.Living.Set(ctx, collections.Join4(claim.TaskId, claim.Attempt, number, claim.Order)); err != nil {
		return err
	}
	at := collections.Join3(claim.TaskId, claim.Attempt, number)
	r, err := optional(k.Roots.Get(ctx, at))
	if err != nil {
		return err
	}
	r.ResultRoot = claim.ResultRoot
	r.Living++
	return k.Roots.Set(ctx, at, r)
}

func (k Keeper) initGame(ctx context.Context, g types.Game) error {
	n, err := optional(k.GameCounts.Get(ctx, g.TaskId))
	if err != nil {
		return err
	}
	if err := k.GameCounts.Set(ctx, g.TaskId, max(n, g.Index)); err != nil {
		return err
	}
	if err := k.Games.Set(ctx, collections.Join(g.TaskId, g.Index), g); err != nil || g.Result != types.GAME_RESULT_UNSPECIFIED {
		return err
	}
	c, err := k.Cases.Get(ctx, collections.Join(g.TaskId, g.Attempt))
	if err != nil {
		return err
	}
	p, err := k.players(ctx, &c, &g)
	if err != nil {
		return err
	}
	if err := k.Pairs.Set(ctx, collections.Join3(g.TaskId, p.challenger.Order, p.defender.Order), g.Index); err != nil {
		return err
	}
	for _, who := range []string{g.Defender, g.Challenger} {
		if err := k.Playing.Set(ctx, collections.Join3(who, g.TaskId, g.Index)); err != nil {
			return err
		}
	}
	return k.DueGames.Set(ctx, collections.Join3(g.Due, g.TaskId, g.Index))
}

// initDemand stores a demand; one without a producer whose task has not been told yet is open.
func (k Keeper) initDemand(ctx context.Context, d types.Demand) error {
	id := collections.Join(d.TaskId, d.Index)
	n, err := optional(k.DemandCounts.Get(ctx, d.TaskId))
	if err != nil {
		return err
	}
	if err := k.DemandCounts.Set(ctx, d.TaskId, max(n, d.Index)); err != nil {
		return err
	}
	if err := k.Demands.Set(ctx, id, d); err != nil || !d.Open() {
		return err
	}
	if err := k.OpenDemands.Set(ctx, id); err != nil {
		return err
	}
	return k.DueDemands.Set(ctx, collections.Join3(d.Deadline+1, d.TaskId, d.Index))
}

// ExportGenesis exports the state.
func (k Keeper) ExportGenesis(ctx context.Context) (*types.GenesisState, error) {
	g := &types.GenesisState{}
	var err error
	if g.Params, err = k.Params.Get(ctx); err != nil {
		return nil, err
	}
	if g.Tick, err = k.Tick.Get(ctx); err != nil {
		return nil, err
	}
	if g.Cases, err = all(ctx, k.Cases); err != nil {
		return nil, err
	}
	if g.Claims, err = all(ctx, k.Claims); err != nil {
		return nil, err
	}
	if g.Games, err = all(ctx, k.Games); err != nil {
		return nil, err
	}
	if g.Demands, err = all(ctx, k.Demands); err != nil {
		return nil, err
	}
	if g.Quarantines, err = all(ctx, k.Quarantines); err != nil {
		return nil, err
	}
	return g, k.Pruning.Walk(ctx, nil, func(key pruneKey) (bool, error) {
		g.Pruning = append(g.Pruning, key.K2())
		return false, nil
	})
}

func all[K, V any](ctx context.Context, m collections.Map[K, V]) ([]V, error) {
	var out []V
	err := m.Walk(ctx, nil, func(_ K, v V) (bool, error) {
		out = append(out, v)
		return false, nil
	})
	return out, err
}
