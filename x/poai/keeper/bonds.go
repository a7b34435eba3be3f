package keeper

import (
	"context"
	"fmt"

	"cosmossdk.io/collections"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/x/poai/types"
)

// noteBond keeps the bond that a validator has from the end of this block on. What is slashed later is a part of it.
func (k *Keeper) noteBond(ctx context.Context, operator string, bond int64) error {
	sdkCtx := sdk.UnwrapSDKContext(ctx)
	height := sdkCtx.BlockHeight()
	change := types.BondChange{Operator: operator, Height: height, Bond: bond, Time: sdkCtx.BlockTime().Unix()}
	if err := k.Bonds.Set(ctx, collections.Join(operator, height), change); err != nil {
		return err
	}
	_, err := k.pruneBonds(ctx, operator, 4, false) // more than come in, so that it never falls behind
	return err
}

// pruneBonds deletes, oldest first and at most limit, bonds that no admissible evidence can ask for: those that were replaced so long ago
// that twice the age which evidence may have has passed, in time and in blocks. With last the newest one goes too, once it is as old. It tells whether none is left.
func (k *Keeper) pruneBonds(ctx context.Context, operator string, limit int, last bool) (empty bool, err error) {
	var oldest []types.BondChange
	err = k.Bonds.Walk(ctx, collections.NewPrefixedPairRange[string, int64](operator), func(_ BondKey, b types.BondChange) (bool, error) {
		oldest = append(oldest, b)
		return len(oldest) > limit, nil
	})
	if err != nil {
		return false, err
	}
	for i, b := range oldest {
		replaced := i+1 < len(oldest)
		if i == limit || !replaced && !last {
			return false, nil
		}
		by := b
		if replaced {
			by = oldest[i+1]
		}
		if !pastEvidence(ctx, by) {
			return false, nil
		}
		if err := k.Bonds.Remove(ctx, collections.Join(operator, b.Height)); err != nil {
			return false, err
		}
	}
	return true, nil
}

func pastEvidence(ctx context.Context, b types.BondChange) bool {
	sdkCtx := sdk.UnwrapSDKContext(ctx)
	evidence := sdkCtx.ConsensusParams().Evidence
	if evidence == nil {
		return false
	}
	age := sdkCtx.BlockTime().Unix() - b.Time
	return age > 2*int64(evidence.MaxAgeDuration.Seconds()) && sdkCtx.BlockHeight()-b.Height > 2*evidence.MaxAgeNumBlocks
}

// BondAt is the bond that a validator had at the end of a height, in whole units of bonded power. found is false for one of whom nothing
// is known. Before its first known bond that one counts: a chain knows none from before its genesis.
func (k *Keeper) BondAt(ctx context.Context, operator string, height int64) (bond int64, found bool, err error) {
	take := func(_ BondKey, b types.BondChange) (bool, error) {
		bond, found = b.Bond, true
		return true, nil
	}
	until := collections.NewPrefixedPairRange[string, int64](operator).EndInclusive(height).Descending()
	if err := k.Bonds.Walk(ctx, until, take); err != nil {
		return 0, false, fmt.Errorf("bond of %s at height %d: %w", operator, height, err)
	}
	if found {
		return bond, true, nil
	}
	err = k.Bonds.Walk(ctx, collections.NewPrefixedPairRange[string, int64](operator), take)
	return bond, found, err
}
