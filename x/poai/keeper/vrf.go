package keeper

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/x/poai/types"
)

// setVRFKey sets a participant's key, which acts vrf_activation_blocks later. Until then the one before does; one that does not act yet is replaced.
func (k *Keeper) setVRFKey(ctx context.Context, p *types.Participant, params types.Params, pubKey, proof []byte) (activeFrom int64, err error) {
	account, err := k.accountOf(p.Address)
	if err != nil {
		return 0, err
	}
	sdkCtx := sdk.UnwrapSDKContext(ctx)
	if err := types.CheckVRFPossession(sdkCtx.ChainID(), account, pubKey, proof); err != nil {
		return 0, err
	}
	now := sdkCtx.BlockHeight()
	p.VrfKey = p.ActingVRFKey(now)
	p.NextVrfKey, p.VrfKeyHeight = pubKey, now+int64(params.VrfActivationBlocks)
	if err := k.Participants.Set(ctx, p.Address, *p); err != nil {
		return 0, err
	}
	return p.VrfKeyHeight, emit(ctx, &types.EventVRFKeySet{Participant: p.Address, VrfPubKey: pubKey, ActiveFrom: p.VrfKeyHeight})
}
