package keeper

import (
	"context"

	errorsmod "cosmossdk.io/errors"

	"poaid/x/models/types"
)

// SetLineageHooks connects what keeps the parents of models; once, before the first block.
func (k Keeper) SetLineageHooks(h types.LineageHooks) { *k.lineage = h }

// CheckParents refuses parents that a model of this id may not have, as its registration would; nothing is written. Errors are those
// of x/lineage.
func (k Keeper) CheckParents(ctx context.Context, id string, parents []types.Parent) error {
	if len(parents) == 0 {
		return nil
	}
	if *k.lineage == nil {
		return errorsmod.Wrap(types.ErrNoLineage, "parents")
	}
	return (*k.lineage).CheckParents(ctx, id, parents)
}

// announce tells who keeps lineage about a new model; a model without parents is nothing to tell.
func (k Keeper) announce(ctx context.Context, m types.Model, parents []types.Parent) error {
	if len(parents) == 0 {
		return nil
	}
	if *k.lineage == nil {
		return errorsmod.Wrap(types.ErrNoLineage, "parents")
	}
	return (*k.lineage).AfterModelRegistered(ctx, m, parents)
}
