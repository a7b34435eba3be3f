package keeper

import (
	"context"

	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/x/poai/types"
)

// jailed takes p, who was just jailed or jailed for longer, out of every draw at once: its weight is 0 in all trees, at most max_models. Work that
// was given to it stays due. It changes p, which the caller stores.
func (k *Keeper) jailed(ctx context.Context, p *types.Participant, params types.Params, reason string) error {
	if err := k.weigh(ctx, p, params); err != nil {
		return err
	}
	return emit(ctx, &types.EventJailed{Participant: p.Address, Until: p.Conduct.JailedUntil, Reason: reason})
}

// unjail lets p out. It changes and stores p.
func (k *Keeper) unjail(ctx context.Context, p *types.Participant, params types.Params) error {
	if !p.Jailed() {
		return errorsmod.Wrapf(types.ErrNotJailed, "participant %s", p.Address)
	}
	if now := sdk.UnwrapSDKContext(ctx).BlockHeight(); now < p.Conduct.JailedUntil {
		return errorsmod.Wrapf(types.ErrStillJailed, "participant %s: until height %d, it is %d", p.Address, p.Conduct.JailedUntil, now)
	}
	if p.Bond.LT(params.MinBond) {
		return errorsmod.Wrapf(types.ErrBondTooLow, "bond %s: min_bond is %s, add bond first", p.Bond, params.MinBond)
	}
	p.Conduct.Release()
	if err := k.weigh(ctx, p, params); err != nil {
		return err
	}
	if err := k.Participants.Set(ctx, p.Address, *p); err != nil {
		return err
	}
	return emit(ctx, &types.EventUnjailed{Participant: p.Address})
}

// mayLock refuses new locks in jail. Who is there for silence, not for a lie, may still stand behind a root: whoever sees a lie must be able to say so.
func mayLock(p types.Participant, kind types.LockKind) error {
	if !p.Jailed() || kind == types.LOCK_KIND_CLAIM && !p.Conduct.JailedForLie {
		return nil
	}
	return errorsmod.Wrapf(types.ErrJailed, "participant %s: until height %d at least", p.Address, p.Conduct.JailedUntil)
}
