package keeper

import (
	"context"
	"fmt"

	poaitypes "poaid/x/poai/types"
	"poaid/x/tasks/types"
)

var _ poaitypes.CommitteeHooks = Hooks{}

// Hooks are what x/poai calls when a committee moves on.
type Hooks struct{ k Keeper }

// Hooks returns the module's hooks.
func (k Keeper) Hooks() Hooks { return Hooks{k} }

// AfterCommitteeSealed opens the reveals of a task and returns the last height for them.
func (h Hooks) AfterCommitteeSealed(ctx context.Context, id uint64) (int64, error) {
	st, err := h.k.status(ctx, id)
	if err != nil {
		return 0, err
	}
	if st.State != types.STATE_AUDITED {
		return 0, fmt.Errorf("task %d is %s, want %s: %w", id, st.State, types.STATE_AUDITED, types.ErrState)
	}
	params, err := h.k.Params.Get(ctx)
	if err != nil {
		return 0, err
	}
	return height(ctx) + params.RevealBlocks, h.k.openReveals(ctx, params, id, st)
}

// AfterCommitteeRevealed settles a task whose worker has revealed too.
func (h Hooks) AfterCommitteeRevealed(ctx context.Context, id uint64) error {
	st, err := h.k.status(ctx, id)
	if err != nil {
		return err
	}
	params, err := h.k.Params.Get(ctx)
	if err != nil {
		return err
	}
	task, err := h.k.Tasks.Get(ctx, id)
	if err != nil {
		return err
	}
	return h.k.settleIfRevealed(ctx, params, task, st)
}
