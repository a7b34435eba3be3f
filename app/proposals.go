package app

import (
	"context"
	"fmt"

	abci "github.com/cometbft/cometbft/abci/types"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/app/lane"
	"poaid/app/params"
	beacontypes "poaid/x/beacon/types"
	disputestypes "poaid/x/disputes/types"
)

// blockLimits are those of the next block.
func (a *App) blockLimits(ctx context.Context) (lane.Limits, error) {
	p, err := a.Disputes.Params.Get(ctx)
	if err != nil {
		return lane.Limits{}, fmt.Errorf("block limits: %w", err)
	}
	return lane.New(params.BlockTxBytes, params.BlockGas, p.LaneBytes, p.LaneGas, disputestypes.MaxMoveBytes, disputestypes.MaxMoveGas), nil
}

// prepareProposal picks the transactions of a block from those that wait, in their order, and puts the proposer's proof of randomness in
// front of them.
func (a *App) prepareProposal(ctx sdk.Context, req *abci.RequestPrepareProposal) (*abci.ResponsePrepareProposal, error) {
	limits, err := a.blockLimits(ctx)
	if err != nil {
		return nil, err
	}
	proof, err := a.prove(ctx, req.ProposerAddress)
	if err != nil {
		// Nobody accepts this block, so it need not carry anything.
		a.Logger().Error("cannot prove this block's randomness", "height", req.Height, "err", err)
		return &abci.ResponsePrepareProposal{}, nil
	}
	limits.Bytes = min(limits.Bytes, uint64(max(req.MaxTxBytes-int64(beacontypes.ProofTxSize), 0)))
	limits.LaneBytes = min(limits.LaneBytes, limits.Bytes/2)
	txs := limits.Select(req.Txs)
	if proof != nil {
		txs = append([][]byte{proof}, txs...)
	}
	return &abci.ResponsePrepareProposal{Txs: txs}, nil
}

// processProposal rejects a block whose proof of randomness is bad or missing, that exceeds its limits, or whose ordinary transactions use
// what is kept for disputes.
func (a *App) processProposal(ctx sdk.Context, req *abci.RequestProcessProposal) (*abci.ResponseProcessProposal, error) {
	limits, err := a.blockLimits(ctx)
	if err != nil {
		return nil, err
	}
	txs, refused, err := a.checkProof(ctx, req)
	if err != nil {
		return nil, err
	}
	if refused == nil {
		refused = limits.Check(txs)
	}
	if refused != nil {
		a.Logger().Error("proposal rejected", "height", req.Height, "err", refused)
		return &abci.ResponseProcessProposal{Status: abci.ResponseProcessProposal_REJECT}, nil
	}
	return &abci.ResponseProcessProposal{Status: abci.ResponseProcessProposal_ACCEPT}, nil
}

// preBlock stores the height's randomness, which everything of the block may ask for, and tells x/disputes whether the lane was full, which
// stops its clocks for this block.
func (a *App) preBlock(ctx sdk.Context, req *abci.RequestFinalizeBlock) (*sdk.ResponsePreBlock, error) {
	res, err := a.modules.PreBlock(ctx)
	if err != nil {
		return nil, err
	}
	txs, err := a.preBlockBeacon(ctx, req.Txs)
	if err != nil {
		return nil, err
	}
	limits, err := a.blockLimits(ctx)
	if err != nil {
		return nil, err
	}
	return res, a.Disputes.SetLaneFull(ctx, limits.Full(txs))
}
