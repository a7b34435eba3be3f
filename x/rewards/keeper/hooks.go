package keeper

import (
	"context"

	errorsmod "cosmossdk.io/errors"

	poaitypes "poaid/x/poai/types"
	"poaid/x/rewards/types"
)

// Hooks listens to x/poai.
type Hooks struct{ k Keeper }

var _ poaitypes.EpochHooks = Hooks{}

// Hooks returns the listener to register with x/poai.
func (k Keeper) Hooks() Hooks { return Hooks{k} }

// AfterEpochClosed mints the epoch's pool.
func (h Hooks) AfterEpochClosed(ctx context.Context, epoch poaitypes.Epoch) error {
	return h.k.openPool(ctx, epoch)
}

// AfterLieProven forfeits what the participant has not vested or not claimed.
func (h Hooks) AfterLieProven(ctx context.Context, participant string) error {
	addr, err := h.k.addresses.StringToBytes(participant)
	if err != nil {
		return errorsmod.Wrapf(types.ErrInvalidAddress, "participant %q: %s", participant, err)
	}
	return h.k.forfeit(ctx, addr)
}
