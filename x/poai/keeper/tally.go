package keeper

import (
	"context"

	"cosmossdk.io/math"

	"poaid/x/poai/types"
)

// TallyTotal is what all votes together can weigh where governance counts proven compute: the score of the last tally_epochs closed epochs. It
// is zero where governance counts stake, by its params or because there is no score.
func (k *Keeper) TallyTotal(ctx context.Context) (math.Int, error) {
	total := math.ZeroInt()
	params, err := k.Params.Get(ctx)
	if err != nil || params.Power.Tally != types.TALLY_COMPUTE {
		return total, err
	}
	closed, err := k.ClosedEpochs.Get(ctx)
	if err != nil {
		return total, err
	}
	for e := closed; e > 0 && closed-e < uint64(params.Power.TallyEpochs); e-- {
		epoch, err := k.Epochs.Get(ctx, e)
		if err != nil {
			return total, err
		}
		total = total.Add(epoch.TotalScore)
	}
	return total, nil
}

// TallyPower is what the vote of one account weighs: its score of those epochs.
func (k *Keeper) TallyPower(ctx context.Context, account string) (math.Int, error) {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return math.Int{}, err
	}
	return k.RecentScore(ctx, account, params.Power.TallyEpochs)
}
