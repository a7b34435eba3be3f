package keeper

import (
	"context"
	"fmt"

	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/query"

	"poaid/x/poai/power"
	"poaid/x/poai/types"
)

// Power explains what power each validator has, and why.
func (q queryServer) Power(ctx context.Context, req *types.QueryPowerRequest) (*types.QueryPowerResponse, error) {
	if req == nil {
		return nil, errEmptyRequest
	}
	e, err := q.newExplainer(ctx)
	if err != nil {
		return nil, err
	}
	res := &types.QueryPowerResponse{Set: e.set, TotalPower: e.totalPower}
	if req.Operator != "" {
		v, err := q.Powers.Get(ctx, req.Operator)
		if err != nil {
			return nil, found(err, "validator %q is not bonded and did not leave lately", req.Operator)
		}
		res.Validators = []types.PowerExplained{e.explain(v)}
		return res, nil
	}
	res.Validators, res.Pagination, err = query.CollectionPaginate(ctx, q.Powers, page(req.Pagination),
		func(_ string, v types.ValidatorPower) (types.PowerExplained, error) { return e.explain(v), nil })
	if err != nil {
		return nil, err
	}
	return res, nil
}

// explainer knows what validators share.
type explainer struct {
	params     types.PowerParams
	denom      string
	set        types.PowerSet
	totalPower int64
	totalBond  int64
}

func (k *Keeper) newExplainer(ctx context.Context) (*explainer, error) {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return nil, err
	}
	e := &explainer{params: params.Power, denom: params.BondDenom}
	if e.set, err = k.powerSet(ctx); err != nil {
		return nil, err
	}
	err = k.Powers.Walk(ctx, nil, func(_ string, v types.ValidatorPower) (bool, error) {
		if e.totalPower += v.Power; v.Power > 0 {
			e.totalBond += v.Bond
		}
		return false, nil
	})
	return e, err
}

func (e *explainer) explain(v types.ValidatorPower) types.PowerExplained {
	out := types.PowerExplained{
		Operator: v.Operator, Account: v.Account, Bond: v.Bond, Score: v.Score, LambdaLimit: v.LambdaLimit, Cap: e.set.Cap,
		ChangeLimit: e.params.Budget(), Target: v.Target, Power: v.Power, PowerSharePpm: ppm(power.Share(v.Power, e.totalPower)), Why: e.why(v),
	}
	if v.Power > 0 {
		out.BondSharePpm = ppm(power.Share(v.Bond, e.totalBond))
	}
	if e.set.TotalScore.IsPositive() {
		out.ScoreSharePpm = v.Score.Mul(math.NewInt(types.PPM)).Quo(e.set.TotalScore).Uint64()
	}
	return out
}

// ppm of a share in billionths, rounded down.
func ppm(share int64) uint64 { return uint64(share / (power.Scale / types.PPM)) }

// why says in one sentence where a validator's power comes from.
func (e *explainer) why(v types.ValidatorPower) string {
	switch {
	case v.Power > 0 && v.Bond == 0:
		return "No bonded validator is left, so the set stays as it was."
	case v.Power == 0 && v.Bond > 0:
		return fmt.Sprintf("Its bond is below min_stake, %s.", sdk.NewCoin(e.denom, e.params.MinStake))
	case v.Power == 0:
		return fmt.Sprintf("It left in epoch %d with %s of the power, and comes back within %d epochs with that at most.",
			v.LeftEpoch, percent(v.LeftShare), e.params.TrustingEpochs)
	case v.Target == 0:
		return "It joined in this epoch, with the least power, and is counted when the epoch ends."
	}
	return e.origin(v) + e.limit(v) + e.way(v) + "."
}

// origin says what the target is made of.
func (e *explainer) origin(v types.ValidatorPower) string {
	switch {
	case e.set.ByBond:
		return "Nobody has a score yet, so its share is by bond"
	case e.params.ComputePpm == types.PPM && v.Score.IsZero():
		return fmt.Sprintf("It has no score in the last %d closed epochs", e.params.ScoreEpochs)
	case e.params.ComputePpm == types.PPM:
		return fmt.Sprintf("Its share is by score in the last %d closed epochs", e.params.ScoreEpochs)
	}
	return fmt.Sprintf("Its share is %s by score in the last %d closed epochs, and by bond for the rest",
		percent(int64(e.params.ComputePpm)*(power.Scale/types.PPM)), e.params.ScoreEpochs)
}

func (e *explainer) limit(v types.ValidatorPower) string {
	switch {
	case v.Target == v.LambdaLimit && v.LambdaLimit < power.Scale:
		return fmt.Sprintf(", limited to %s by λ times its bond", percent(v.Target))
	case v.Target == e.set.Cap && e.set.Cap < power.Scale:
		return fmt.Sprintf(", limited to %s by the cap", percent(v.Target))
	}
	return fmt.Sprintf(", %s of all", percent(v.Target))
}

// way says whether power is where it should be; a unit in a million is nothing to explain.
func (e *explainer) way(v types.ValidatorPower) string {
	now := power.Share(v.Power, e.totalPower)
	if d := v.Target - now; d >= -1000 && d <= 1000 {
		return ""
	}
	return fmt.Sprintf("; it has %s now, as %s of all power changes hands in an epoch at most", percent(now), percent(e.params.Budget()))
}

// percent of a share in billionths.
func percent(share int64) string {
	return fmt.Sprintf("%d.%03d%%", share/10_000_000, share/10_000%1000)
}
