package keeper

import (
	"context"

	"cosmossdk.io/math"

	"poaid/x/poai/sortition"
	"poaid/x/poai/types"
)

// drawTries bounds the candidates looked at for one place. Whoever cannot take it is set aside and the draw repeats.
const drawTries = 16

// DrawWorker draws, locks and occupies one worker. found is false when no candidate is left, or none of the first 16 drawn has a
// free place and enough free bond and meets the requirements; the same seed then finds the same candidates again, so a retry should bring a fresh one.
func (k *Keeper) DrawWorker(ctx context.Context, req types.DrawRequest) (worker string, found bool, err error) {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return "", false, err
	}
	pool := candidates{model: req.Model, lock: req.Lock, req: req.Requirements, src: sortition.NewSource("worker", req.Task, 0, req.Seed)}
	for _, address := range req.Exclude {
		if err := k.exclude(ctx, &pool, address); err != nil {
			return "", false, err
		}
	}
	p, found, err := k.draw(ctx, &pool, params)
	if err != nil || !found {
		return "", false, err
	}
	if err := k.lock(ctx, &p, types.LOCK_KIND_TASK, req.Task, req.Lock); err != nil {
		return "", false, err
	}
	occupy(&p)
	return p.Address, true, k.Participants.Set(ctx, p.Address, p)
}

// ReleaseWorker gives the worker's place back, not its lock. ErrNoPlace when it has none.
func (k *Keeper) ReleaseWorker(ctx context.Context, worker string) error {
	p, err := k.participant(ctx, worker)
	if err != nil {
		return err
	}
	if err := vacate(&p); err != nil {
		return err
	}
	return k.Participants.Set(ctx, p.Address, p)
}

// candidates is one draw without replacement.
type candidates struct {
	model string
	lock  math.Int
	req   *types.Requirements
	src   *sortition.Source
	out   []sortition.Leaf // drawn, unfit or excluded
}

// exclude keeps an address out of the draw; one that does not serve the model is out anyway.
func (k *Keeper) exclude(ctx context.Context, pool *candidates, address string) error {
	leaf, found, err := k.Trees.Leaf(ctx, pool.model, address)
	if err != nil || !found {
		return err
	}
	for _, l := range pool.out {
		if l.Slot == leaf.Slot {
			return nil
		}
	}
	pool.out = append(pool.out, leaf)
	return nil
}

// draw finds the next candidate who can take the place. Everyone drawn, fit or not, leaves the pool.
func (k *Keeper) draw(ctx context.Context, pool *candidates, params types.Params) (types.Participant, bool, error) {
	for range drawTries {
		address, leaf, found, err := k.Trees.Draw(ctx, pool.model, pool.src, pool.out)
		if err != nil || !found {
			return types.Participant{}, false, err
		}
		pool.out = append(pool.out, leaf)
		p, err := k.participant(ctx, address)
		if err != nil {
			return types.Participant{}, false, err
		}
		if !p.Jailed() && p.Active < p.Concurrency && p.Bond.GTE(params.MinBond) && p.Bond.Sub(p.Locked).GTE(pool.lock) && pool.req.Unmet(p) == nil {
			return p, true, nil
		}
	}
	return types.Participant{}, false, nil
}
