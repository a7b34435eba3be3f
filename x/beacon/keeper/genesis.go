package keeper

import (
	"context"

	"cosmossdk.io/collections"

	"poaid/x/beacon/types"
)

// InitGenesis stores params, history and keys. The validator set is not part of it: SetValidators is told of it.
func (k *Keeper) InitGenesis(ctx context.Context, gs types.GenesisState) error {
	if err := gs.Validate(); err != nil {
		return err
	}
	if err := k.Params.Set(ctx, gs.Params); err != nil {
		return err
	}
	for _, r := range gs.History {
		if err := k.History.Set(ctx, r.Height, r); err != nil {
			return err
		}
	}
	for _, keys := range gs.Keys {
		operator, err := k.operators.StringToBytes(keys.Operator)
		if err != nil {
			return err
		}
		if err := k.Keys.Set(ctx, operator, keys); err != nil {
			return err
		}
		// Whichever of the two is still to come: one that acts already is taken in the first block, and costs a count in vain.
		for _, key := range []types.Key{keys.Current, keys.Next} {
			if !key.IsSet() {
				continue
			}
			if err := k.Activations.Set(ctx, collections.Join(key.ActiveFrom, operator)); err != nil {
				return err
			}
		}
	}
	return nil
}

// ExportGenesis is the inverse of InitGenesis.
func (k *Keeper) ExportGenesis(ctx context.Context) (*types.GenesisState, error) {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return nil, err
	}
	gs := &types.GenesisState{Params: params}
	err = k.History.Walk(ctx, nil, func(_ int64, r types.Randomness) (bool, error) {
		gs.History = append(gs.History, r)
		return false, nil
	})
	if err != nil {
		return nil, err
	}
	err = k.Keys.Walk(ctx, nil, func(_ []byte, keys types.OperatorKeys) (bool, error) {
		gs.Keys = append(gs.Keys, keys)
		return false, nil
	})
	return gs, err
}
