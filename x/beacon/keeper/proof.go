package keeper

import (
	"context"

	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/x/beacon/types"
	"poaid/x/beacon/vrf"
)

// Input is what the proposer of the height of ctx applies its VRF to.
func (k *Keeper) Input(ctx context.Context) ([]byte, error) {
	sdkCtx := sdk.UnwrapSDKContext(ctx)
	height := sdkCtx.BlockHeight()
	previous, err := k.previous(ctx, height)
	if err != nil {
		return nil, err
	}
	return types.ProofInput(sdkCtx.ChainID(), previous, height), nil
}

// CheckProposal tells why a proposed block must be refused for its proof, or for the lack of one (nil). ErrInvalidProof, ErrMissingProof
// or ErrNoKey; other errors are failures of the state.
func (k *Keeper) CheckProposal(ctx context.Context, proposer sdk.ConsAddress, proof []byte) error {
	_, err := k.output(ctx, proposer, proof)
	return err
}

// output checks a proof against the proposer of the height of ctx and returns what its VRF made; nil where it has no key and needs none.
func (k *Keeper) output(ctx context.Context, proposer sdk.ConsAddress, proof []byte) ([]byte, error) {
	height := sdk.UnwrapSDKContext(ctx).BlockHeight()
	key, err := k.ProposerKey(ctx, height, proposer)
	if err != nil {
		return nil, err
	}
	if key == nil {
		return nil, k.checkUnkeyed(ctx, proposer, proof)
	}
	if proof == nil {
		return nil, errorsmod.Wrapf(types.ErrMissingProof, "height %d, proposer %s", height, proposer)
	}
	input, err := k.Input(ctx)
	if err != nil {
		return nil, err
	}
	beta, err := vrf.Verify(key, input, proof)
	if err != nil {
		return nil, errorsmod.Wrapf(types.ErrInvalidProof, "height %d, proposer %s: %s", height, proposer, err)
	}
	return beta, nil
}

func (k *Keeper) checkUnkeyed(ctx context.Context, proposer sdk.ConsAddress, proof []byte) error {
	if proof != nil {
		return errorsmod.Wrapf(types.ErrInvalidProof, "proposer %s has no acting key", proposer)
	}
	s, err := k.standing(ctx)
	if err != nil {
		return err
	}
	if s.Required() {
		return errorsmod.Wrapf(types.ErrNoKey, "proposer %s; %d of a power of %d have one", proposer, s.KeyedPower, s.TotalPower)
	}
	return nil
}
