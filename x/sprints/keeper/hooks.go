package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"

	"poaid/x/sprints/types"
	taskstypes "poaid/x/tasks/types"
)

var _ taskstypes.TaskHooks = Hooks{}

// Hooks are what x/tasks calls when an audit's task has ended.
type Hooks struct{ k Keeper }

// Hooks returns the module's hooks.
func (k Keeper) Hooks() Hooks { return Hooks{k} }

// AfterTaskEnded decides the audit of a task: by its result where it is FINAL; against the participant where it failed; as void where nobody was at
// fault.
func (h Hooks) AfterTaskEnded(ctx context.Context, e taskstypes.Ended) error {
	a, err := h.k.Audits.Get(ctx, e.Task.Id)
	if errors.Is(err, collections.ErrNotFound) {
		return nil // opened by another module
	}
	if err != nil {
		return err
	}
	a.Ended = true
	switch {
	case a.Decided:
		return h.k.keep(ctx, a)
	case e.State == taskstypes.STATE_FINAL:
		a.Computed = e.Result.OutputRoot
		return h.k.judge(ctx, a)
	case e.State == taskstypes.STATE_EXPIRED:
		return h.k.conclude(ctx, a, verdict{state: types.COMMIT_STATE_FAILED, reason: e.Reason, heirs: e.Heirs, evidence: e.Evidence})
	}
	return h.k.conclude(ctx, a, verdict{state: types.COMMIT_STATE_VOID, reason: e.Reason})
}
