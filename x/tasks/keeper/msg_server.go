package keeper

import (
	"context"

	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/x/tasks/types"
)

type msgServer struct{ Keeper }

var _ types.MsgServer = msgServer{}

// NewMsgServerImpl returns the message service.
func NewMsgServerImpl(k Keeper) types.MsgServer { return msgServer{k} }

// SubmitTask escrows max_fee and opens a task.
func (m msgServer) SubmitTask(ctx context.Context, msg *types.MsgSubmitTask) (*types.MsgSubmitTaskResponse, error) {
	task, err := m.submit(ctx, msg)
	if err != nil {
		return nil, err
	}
	return &types.MsgSubmitTaskResponse{
		Id: task.Id, Units: task.Units, Fee: sdk.NewCoin(task.MaxFee.Denom, task.Fee), Scored: task.Scored,
	}, nil
}

// CancelTask takes back a task that no worker was drawn for yet.
func (m msgServer) CancelTask(ctx context.Context, msg *types.MsgCancelTask) (*types.MsgCancelTaskResponse, error) {
	if err := m.cancel(ctx, msg.Submitter, msg.TaskId); err != nil {
		return nil, err
	}
	return &types.MsgCancelTaskResponse{}, nil
}

// SealResults commits a batch; each item is accepted or refused on its own.
func (m msgServer) SealResults(ctx context.Context, msg *types.MsgSealResults) (*types.MsgSealResultsResponse, error) {
	worker, params, err := m.batch(ctx, msg.Worker, len(msg.Items))
	if err != nil {
		return nil, err
	}
	res := &types.MsgSealResultsResponse{Results: make([]types.ItemResult, len(msg.Items))}
	seen := make(map[uint64]bool, len(msg.Items))
	for i, item := range msg.Items {
		refusal := once(seen, item.TaskId)
		if refusal == nil {
			if refusal, err = m.seal(ctx, params, worker, item); err != nil {
				return nil, err
			}
		}
		res.Results[i] = outcome(item.TaskId, refusal)
	}
	return res, nil
}

// RevealResults opens a batch; each item is accepted or refused on its own.
func (m msgServer) RevealResults(ctx context.Context, msg *types.MsgRevealResults) (*types.MsgRevealResultsResponse, error) {
	worker, params, err := m.batch(ctx, msg.Worker, len(msg.Items))
	if err != nil {
		return nil, err
	}
	res := &types.MsgRevealResultsResponse{Results: make([]types.ItemResult, len(msg.Items))}
	seen, cache := make(map[uint64]bool, len(msg.Items)), make(programs)
	for i, item := range msg.Items {
		refusal := once(seen, item.TaskId)
		if refusal == nil {
			branched, write := sdk.UnwrapSDKContext(ctx).CacheContext()
			if refusal = m.reveal(branched, params, cache, worker, item); refusal == nil {
				write()
			}
		}
		res.Results[i] = outcome(item.TaskId, refusal)
	}
	return res, nil
}

// UpdateParams replaces the params; governance only.
func (m msgServer) UpdateParams(ctx context.Context, msg *types.MsgUpdateParams) (*types.MsgUpdateParamsResponse, error) {
	if err := sdk.ValidateAuthority(sdk.UnwrapSDKContext(ctx), m.authority, msg.Authority); err != nil {
		return nil, err
	}
	if err := msg.Params.Validate(); err != nil {
		return nil, err
	}
	if err := m.Params.Set(ctx, msg.Params); err != nil {
		return nil, err
	}
	if err := emit(ctx, &types.EventParamsUpdated{Authority: msg.Authority, Params: msg.Params}); err != nil {
		return nil, err
	}
	return &types.MsgUpdateParamsResponse{}, nil
}

// batch checks the worker and the size of a batch.
func (m msgServer) batch(ctx context.Context, worker string, items int) (string, types.Params, error) {
	params, err := m.Params.Get(ctx)
	if err != nil {
		return "", params, err
	}
	if items == 0 || items > int(params.MaxBatch) {
		return "", params, errorsmod.Wrapf(types.ErrBatch, "items: %d, want 1..%d", items, params.MaxBatch)
	}
	_, address, err := m.address("worker", worker)
	return address, params, err
}

// once refuses the second item of a task.
func once(seen map[uint64]bool, id uint64) error {
	if seen[id] {
		return errorsmod.Wrapf(types.ErrDuplicate, "task_id: %d is in the batch twice", id)
	}
	seen[id] = true
	return nil
}

// outcome tells what became of an item.
func outcome(id uint64, refusal error) types.ItemResult {
	if refusal == nil {
		return types.ItemResult{TaskId: id, Accepted: true}
	}
	return types.ItemResult{TaskId: id, Error: reason(refusal)}
}

// reason is the text of an error as far as it is registered, since responses and events are part of consensus.
func reason(err error) string {
	_, _, text := errorsmod.ABCIInfo(err, false)
	return text
}
