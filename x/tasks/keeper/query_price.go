package keeper

import (
	"context"

	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	modelstypes "poaid/x/models/types"
	"poaid/x/tasks/types"
)

const (
	// defaultAhead and maxAhead bound how many blocks an estimate looks ahead.
	defaultAhead = 10
	maxAhead     = 1_000
	// maxTipDigits bounds what is read as a tip: 2^100 has 31.
	maxTipDigits = 32
)

// Estimate tells units, fee, lock and audit rate of a run now, and what the fee can have risen to some blocks later.
func (q queryServer) Estimate(ctx context.Context, req *types.QueryEstimateRequest) (*types.QueryEstimateResponse, error) {
	model, err := q.k.model(ctx, req.Model)
	if err != nil {
		return nil, status.Error(codes.NotFound, err.Error())
	}
	prog, err := q.k.models.Interface(ctx, req.Model)
	if err != nil {
		return nil, err
	}
	params, err := q.k.Params.Get(ctx)
	if err != nil {
		return nil, err
	}
	asked, err := readOffer(params, req)
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	units, scoreUnits, err := q.k.models.RunUnits(ctx, req.Model, req.Steps, req.PromptRows)
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	floor, err := q.k.floor(ctx, params)
	if err != nil {
		return nil, err
	}
	res := asked.estimate(params, model, units, floor, prog.StopState != "")
	res.ScoreUnits = scoreUnits
	return res, nil
}

// offer is how a submitter would pay.
type offer struct {
	denom     string
	rate, tip math.Int
	blocks    uint64
}

func readOffer(params types.Params, req *types.QueryEstimateRequest) (offer, error) {
	o := offer{denom: req.Denom, tip: math.ZeroInt(), blocks: req.Blocks}
	if o.denom == "" {
		o.denom = params.FeeDenom
	}
	if o.blocks == 0 {
		o.blocks = defaultAhead
	}
	if o.blocks > maxAhead {
		return o, errorsmod.Wrapf(types.ErrParams, "blocks: %d, at most %d", o.blocks, maxAhead)
	}
	var err error
	if o.rate, err = params.RateOf(o.denom); err != nil {
		return o, err
	}
	if req.Tip != "" {
		tip, ok := math.NewIntFromString(req.Tip)
		if len(req.Tip) > maxTipDigits || !ok {
			return o, errorsmod.Wrapf(types.ErrTip, "tip: %q is no amount", clip(req.Tip))
		}
		o.tip = tip
	}
	o.tip, err = params.CheckTip(o.tip)
	return o, err
}

func (o offer) estimate(params types.Params, model modelstypes.Model, units uint64, floor math.Int, stops bool) *types.QueryEstimateResponse {
	worst := floor
	for range o.blocks {
		worst = params.NextFloor(worst, ^uint64(0))
	}
	fee, tip := types.Quote(units, floor, params.MinFee, o.tip, o.rate)
	worstFee, _ := types.Quote(units, worst, params.MinFee, o.tip, o.rate)
	lock, ppm := params.RiskOf(units, model.RoyaltyBps, 0, stops, types.Worth(fee, o.rate), types.Worth(tip, o.rate))
	return &types.QueryEstimateResponse{
		Units: units, Fee: sdk.NewCoin(o.denom, fee.Add(tip)), Tip: sdk.NewCoin(o.denom, tip), WorstFee: sdk.NewCoin(o.denom, worstFee.Add(tip)),
		Floor: sdk.NewCoin(params.FeeDenom, floor), WorstFloor: sdk.NewCoin(params.FeeDenom, worst), Blocks: o.blocks,
		Lock: sdk.NewCoin(params.FeeDenom, lock), AuditPpm: ppm,
	}
}

// Price tells the price floor and what moves it.
func (q queryServer) Price(ctx context.Context, _ *types.QueryPriceRequest) (*types.QueryPriceResponse, error) {
	params, err := q.k.Params.Get(ctx)
	if err != nil {
		return nil, err
	}
	now, err := q.k.priceNow(ctx, params)
	if err != nil {
		return nil, err
	}
	res := &types.QueryPriceResponse{
		Floor: sdk.NewCoin(params.FeeDenom, now.Floor), Least: sdk.NewCoin(params.FeeDenom, params.UnitPrice), Demand: now.Demand,
		TargetUnitsPerBlock: params.TargetUnitsPerBlock, PriceChangePpm: params.PriceChangePpm,
	}
	for _, r := range params.FeeRates {
		res.Floors = append(res.Floors, sdk.NewCoin(r.Denom, types.Exchange(now.Floor, r.Rate)))
	}
	return res, nil
}

// Coins tells where every coin of a task is or went.
func (q queryServer) Coins(ctx context.Context, req *types.QueryCoinsRequest) (*types.QueryCoinsResponse, error) {
	view, err := q.view(ctx, req.Id)
	if err != nil {
		return nil, notFound(err, req.Id)
	}
	paid, none := view.Task.MaxFee, sdk.NewCoin(view.Task.MaxFee.Denom, math.ZeroInt())
	res := &types.QueryCoinsResponse{Paid: paid, Held: paid, FromPots: none, State: view.Status.State}
	pay, err := optional(q.k.Payments.Get(ctx, req.Id))
	if err != nil || pay == nil {
		return res, err
	}
	res.Held, res.Flows, res.FromPots.Amount = none, pay.Flows, pay.Verifiers.Add(pay.WorkerPrize).Add(pay.MemberPrizes)
	return res, nil
}

// Receipt returns the receipt of a FINAL task.
func (q queryServer) Receipt(ctx context.Context, req *types.QueryReceiptRequest) (*types.QueryReceiptResponse, error) {
	view, err := q.view(ctx, req.Id)
	if err != nil {
		return nil, notFound(err, req.Id)
	}
	r, err := optional(q.k.Receipts.Get(ctx, req.Id))
	if err != nil {
		return nil, err
	}
	if r == nil {
		return nil, status.Errorf(codes.NotFound, "id: task %d is %s, only a task in %s has a receipt", req.Id, view.Status.State, types.STATE_FINAL)
	}
	return &types.QueryReceiptResponse{Receipt: *r}, nil
}
