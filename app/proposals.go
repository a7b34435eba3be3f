package app

import (
	"context"
	"fmt"

	abci "github.com/cometbft/cometbft/abci/types"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/app/lane"
	"poaid/app/params"
	disputestypes "poaid/x/disputes/types"
)

// moveGas is the most gas that a transaction in the lane may declare: some times what the largest move needs.
const moveGas = 6_000_000

// blockLimits are those of the next block.
func (a *App) blockLimits(ctx context.Context) (lane.Limits, error) {
	p, err := a.Disputes.Params.Get(ctx)
	if err != nil {
		return lane.Limits{}, fmt.Errorf("block limits: %w", err)
	}
	return lane.New(params.BlockTxBytes, params.BlockGas, p.LaneBytes, p.LaneGas, disputestypes.MaxMoveBytes, moveGas), nil
}

// prepareProposal picks the transactions of a block from those that wait, in their order.
func (a *App) prepareProposal(ctx sdk.Context, req *abci.RequestPrepareProposal) (*abci.ResponsePrepareProposal, error) {
	limits, err := a.blockLimits(ctx)
	if err != nil {
		return nil, err
	}
	limits.Bytes = min(limits.Bytes, uint64(max(req.MaxTxBytes, 0)))
	limits.LaneBytes = min(limits.LaneBytes, limits.Bytes/2)
	return &abci.ResponsePrepareProposal{Txs: limits.Select(req.Txs)}, nil
}

// processProposal rejects a block that exceeds its limits, or whose ordinary transactions use what is kept for disputes.
func (a *App) processProposal(ctx sdk.Context, req *abci.RequestProcessProposal) (*abci.ResponseProcessProposal, error) {
	limits, err := a.blockLimits(ctx)
	if err != nil {
		return nil, err
	}
	if err := limits.Check(req.Txs); err != nil {
		a.Logger().Error("proposal rejected", "height", req.Height, "err", err)
		return &abci.ResponseProcessProposal{Status: abci.ResponseProcessProposal_REJECT}, nil
	}
	return &abci.ResponseProcessProposal{Status: abci.ResponseProcessProposal_ACCEPT}, nil
}

// preBlock tells x/disputes whether the lane was full, which stops its clocks for this block.
func (a *App) preBlock(ctx sdk.Context, req *abci.RequestFinalizeBlock) (*sdk.ResponsePreBlock, error) {
	res, err := a.modules.PreBlock(ctx)
	if err != nil {
		return nil, err
	}
	limits, err := a.blockLimits(ctx)
	if err != nil {
		return nil, err
	}
	return res, a.Disputes.SetLaneFull(ctx, limits.Full(req.Txs))
}
