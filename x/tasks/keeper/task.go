package keeper

import (
	"context"
	"errors"
	"math"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/x/tasks/types"
)

// Bits of a task id: height << 24 | index of the transaction << 8 | n.
const (
	idTxShift     = 8
	idHeightShift = 24
	maxIDHeight   = math.MaxUint64 >> idHeightShift
	maxIDTx       = 1<<(idHeightShift-idTxShift) - 2 // the last one is the end of the block's
	endBlockTx    = maxIDTx + 1
	maxIDN        = 1<<idTxShift - 1
)

// nextID is the id of the task that this message submits; n starts at the message's index and counts up past ids that are
// taken, since one message (authz) may carry many. No counter of the chain is read, so transactions stay independent.
func (k Keeper) nextID(ctx context.Context) (uint64, error) {
	sdkCtx := sdk.UnwrapSDKContext(ctx)
	// Both indexes are -1 outside a transaction: simulations, proposals that pass.
	height, tx, first := sdkCtx.BlockHeight(), max(sdkCtx.TxIndex(), 0), max(sdkCtx.MsgIndex(), 0)
	if height < 0 || uint64(height) > maxIDHeight || tx > maxIDTx {
		return 0, errorsmod.Wrapf(types.ErrTooManyTasks, "transaction: index %d at height %d, limits %d and %d", tx, height, maxIDTx, uint64(maxIDHeight))
	}
	base := uint64(height)<<idHeightShift | uint64(tx)<<idTxShift
	for n := first; n <= maxIDN; n++ {
		id := base | uint64(n)
		taken, err := k.Tasks.Has(ctx, id)
		if err != nil {
			return 0, err
		}
		if !taken && id != 0 {
			return id, nil
		}
	}
	return 0, errorsmod.Wrapf(types.ErrTooManyTasks, "message: more than %d tasks in one transaction", maxIDN+1)
}

// status reads the status of a task; ErrUnknownTask if there is none.
func (k Keeper) status(ctx context.Context, id uint64) (types.Status, error) {
	st, err := k.Statuses.Get(ctx, id)
	if errors.Is(err, collections.ErrNotFound) {
		return st, errorsmod.Wrapf(types.ErrUnknownTask, "task_id: %d", id)
	}
	return st, err
}

// move stores a status whose state has changed and queues the transition that is due.
func (k Keeper) move(ctx context.Context, id uint64, st types.Status) error {
	if err := k.store(ctx, id, st); err != nil {
		return err
	}
	return emitState(ctx, id, st)
}

// store stores a status and queues the transition that is due.
func (k Keeper) store(ctx context.Context, id uint64, st types.Status) error {
	if err := k.Statuses.Set(ctx, id, st); err != nil {
		return err
	}
	if st.Due == 0 {
		return nil
	}
	queue := k.Due
	if st.Retries > 0 {
		queue = k.Retry
	}
	return queue.Set(ctx, collections.Join(st.Due, id))
}

// enter sets the state, the height of its next transition and the last height for its message, 0 for none.
func enter(st *types.Status, state types.State, due, deadline int64) {
	st.State, st.Due, st.Deadline, st.Retries = state, due, deadline, 0
}

// index adds a task to its worker's unfinished ones; unindex removes it.
func (k Keeper) index(ctx context.Context, worker string, id uint64) error {
	addr, err := k.account.AddressCodec().StringToBytes(worker)
	if err != nil {
		return err
	}
	return k.ByWorker.Set(ctx, collections.Join(sdk.AccAddress(addr), id))
}

func (k Keeper) unindex(ctx context.Context, worker string, id uint64) error {
	addr, err := k.account.AddressCodec().StringToBytes(worker)
	if err != nil {
		return err
	}
	return k.ByWorker.Remove(ctx, collections.Join(sdk.AccAddress(addr), id))
}

// address reads an address of a message; it returns it in canonical form too.
func (k Keeper) address(field, s string) (sdk.AccAddress, string, error) {
	codec := k.account.AddressCodec()
	addr, err := codec.StringToBytes(s)
	if err != nil {
		return nil, "", errorsmod.Wrapf(types.ErrAddress, "%s: %s", field, err)
	}
	canonical, err := codec.BytesToString(addr)
	if err != nil {
		return nil, "", errorsmod.Wrapf(types.ErrAddress, "%s: %s", field, err)
	}
	return addr, canonical, nil
}

func height(ctx context.Context) int64 { return sdk.UnwrapSDKContext(ctx).BlockHeight() }
