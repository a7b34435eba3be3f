package app

import (
	"context"
	"fmt"

	"cosmossdk.io/collections"
	"cosmossdk.io/core/address"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
	govkeeper "github.com/cosmos/cosmos-sdk/x/gov/keeper"
	govv1 "github.com/cosmos/cosmos-sdk/x/gov/types/v1"

	poaikeeper "poaid/x/poai/keeper"
)

// voteKey is (proposal, voter): a second vote replaces the first.
type voteKey = collections.Pair[uint64, sdk.AccAddress]

// newTally counts votes by stake, as the SDK does, or by proven compute: by x/poai's params at the moment of the count. Where there is no
// score to count by, stake counts.
func newTally(poai *poaikeeper.Keeper, accounts address.Codec, byStake govkeeper.CalculateVoteResultsAndVotingPowerFn) govkeeper.CalculateVoteResultsAndVotingPowerFn {
	return func(ctx context.Context, k govkeeper.Keeper, p govv1.Proposal) (math.LegacyDec, math.Int, map[govv1.VoteOption]math.LegacyDec, error) {
		total, err := poai.TallyTotal(ctx)
		if err != nil {
			return math.LegacyDec{}, math.Int{}, nil, fmt.Errorf("total score: %w", err)
		}
		if !total.IsPositive() {
			return byStake(ctx, k, p)
		}
		voted, results, err := countScores(ctx, poai, accounts, k, p.Id)
		return voted, total, results, err
	}
}

// countScores adds up the scores behind each option and deletes the votes, as x/gov expects. Each voter speaks for its own work alone.
func countScores(
	ctx context.Context, poai *poaikeeper.Keeper, accounts address.Codec, k govkeeper.Keeper, proposal uint64,
) (math.LegacyDec, map[govv1.VoteOption]math.LegacyDec, error) {
	voted, results := math.LegacyZeroDec(), map[govv1.VoteOption]math.LegacyDec{
		govv1.OptionYes: math.LegacyZeroDec(), govv1.OptionAbstain: math.LegacyZeroDec(),
		govv1.OptionNo: math.LegacyZeroDec(), govv1.OptionNoWithVeto: math.LegacyZeroDec(),
	}
	var keys []voteKey
	err := k.Votes.Walk(ctx, collections.NewPrefixedPairRange[uint64, sdk.AccAddress](proposal), func(key voteKey, vote govv1.Vote) (bool, error) {
		keys = append(keys, key)
		voter, err := accounts.BytesToString(key.K2())
		if err != nil {
			return true, err
		}
		score, err := poai.TallyPower(ctx, voter)
		if err != nil {
			return true, err
		}
		power := math.LegacyNewDecFromInt(score)
		for _, option := range vote.Options {
			weight, err := math.LegacyNewDecFromStr(option.Weight)
			if err != nil {
				return true, fmt.Errorf("weight %q of a vote: %w", option.Weight, err)
			}
			results[option.Option] = results[option.Option].Add(power.Mul(weight))
		}
		voted = voted.Add(power)
		return false, nil
	})
	if err != nil {
		return math.LegacyDec{}, nil, fmt.Errorf("votes of proposal %d: %w", proposal, err)
	}
	for _, key := range keys {
		if err := k.Votes.Remove(ctx, key); err != nil {
			return math.LegacyDec{}, nil, fmt.Errorf("delete a vote of proposal %d: %w", proposal, err)
		}
	}
	return voted, results, nil
}
