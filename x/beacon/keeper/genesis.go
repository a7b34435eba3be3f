package keeper

import (
	"context"

	"poaid/x/beacon/types"
)

// InitGenesis stores params and history.
func (k *Keeper) InitGenesis(ctx context.Context, gs types.GenesisState) error {
	if err := gs.Validate(); err != nil {
		return err
	}
	if err := k.Params.Set(ctx, gs.Params); err != nil {
		return err
	}
	for _, r := range gs.History {
		if err := k.History.Set(ctx, r.Height, r.Value); err != nil {
			return err
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
	err = k.History.Walk(ctx, nil, func(height int64, value []byte) (bool, error) {
		gs.History = append(gs.History, types.Randomness{Height: height, Value: value})
		return false, nil
	})
	return gs, err
}
