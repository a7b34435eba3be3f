package app

import (
	"encoding/json"
	"fmt"

	servertypes "github.com/cosmos/cosmos-sdk/server/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
)

// Export writes the state as a genesis. modules names what to export; empty exports all.
//
// Heights are part of the state (deadlines, windows, vesting), so a chain that starts from an export must start at its height:
// the exported height is meant as the new chain's initial_height, and an export for height zero is not offered.
func (a *App) Export(forZeroHeight bool, modules []string) (servertypes.ExportedApp, error) {
	if forZeroHeight {
		return servertypes.ExportedApp{}, fmt.Errorf("--for-zero-height: deadlines, windows and vesting are heights; start the new chain with initial_height = %d", a.LastBlockHeight()+1)
	}
	ctx := a.NewContext(true).WithBlockHeight(a.LastBlockHeight())
	state, err := a.ExportState(ctx, modules)
	if err != nil {
		return servertypes.ExportedApp{}, err
	}
	bz, err := json.MarshalIndent(state, "", "  ")
	if err != nil {
		return servertypes.ExportedApp{}, fmt.Errorf("encode genesis: %w", err)
	}
	validators, err := a.validators().genesisValidators(ctx, a.LastBlockHeight()+1)
	if err != nil {
		return servertypes.ExportedApp{}, fmt.Errorf("export validators: %w", err)
	}
	return servertypes.ExportedApp{
		AppState: bz, Validators: validators, Height: a.LastBlockHeight() + 1, ConsensusParams: a.GetConsensusParams(ctx),
	}, nil
}

// ExportState is the genesis state of the named modules, or of all, as ctx sees it.
func (a *App) ExportState(ctx sdk.Context, modules []string) (map[string]json.RawMessage, error) {
	state, err := a.modules.ExportGenesisForModules(ctx, a.Codec, modules)
	if err != nil {
		return nil, fmt.Errorf("export modules: %w", err)
	}
	return state, nil
}
