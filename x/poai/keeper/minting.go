package keeper

import (
	"context"

	"poaid/x/poai/types"
)

// operators tells how a model is served: how many participants have weight, all their weight, and the most that one of them may have whose task
// earns score. Two reads, however many there are.
func (k *Keeper) operators(ctx context.Context, model string, params types.Params) (n, total, most uint64, err error) {
	if n, err = k.Trees.Weighty(ctx, model); err != nil {
		return 0, 0, 0, err
	}
	if total, err = k.Trees.Total(ctx, model); err != nil {
		return 0, 0, 0, err
	}
	return n, total, params.Minting.MaxWeight(total), nil
}

// MayScore tells whether a task of a model that is given to a worker now may earn score: at least min_operators participants with weight serve it,
// and the worker has no more than max_operator_share_ppm of all weight. A model that its owner serves alone earns fees only.
func (k *Keeper) MayScore(ctx context.Context, model, worker string) (bool, error) {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return false, err
	}
	n, _, most, err := k.operators(ctx, model, params)
	if err != nil || n < uint64(params.Minting.MinOperators) {
		return false, err
	}
	leaf, _, err := k.Trees.Leaf(ctx, model, worker)
	return err == nil && leaf.Weight <= most, err
}
