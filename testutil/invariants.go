package testutil

import (
	"context"
	"fmt"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/app"
)

// CheckInvariants runs every invariant of every module on a committed state.
func CheckInvariants(a *app.App, ctx sdk.Context) error {
	if err := checkSupply(a, ctx); err != nil {
		return err
	}
	for _, m := range []struct {
		name  string
		check func(context.Context) error
	}{
		{"beacon", a.Beacon.CheckInvariants},
		{"models", a.Models.Invariants},
		{"poai", a.Poai.CheckInvariants},
		{"tasks", a.Tasks.CheckInvariants},
		{"delegation", a.Delegation.CheckInvariants},
		{"rewards", a.Rewards.Invariants},
		{"disputes", a.Disputes.CheckInvariants},
		{"sprints", a.Sprints.CheckInvariants},
		{"training", a.Training.CheckInvariants},
		{"grades", a.Grades.CheckInvariants},
		{"datasets", a.Datasets.Invariants},
		{"lineage", a.Lineage.Invariants},
		{"auctions", a.Auctions.CheckInvariants},
	} {
		if err := m.check(ctx); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
	}
	return nil
}

// checkSupply compares the supply with the sum of all balances.
func checkSupply(a *app.App, ctx sdk.Context) error {
	sum := sdk.NewMapCoins(nil)
	a.Bank.IterateAllBalances(ctx, func(_ sdk.AccAddress, c sdk.Coin) bool {
		sum.Add(c)
		return false
	})
	supply := sdk.NewMapCoins(nil)
	a.Bank.IterateTotalSupply(ctx, func(c sdk.Coin) bool {
		supply.Add(c)
		return false
	})
	if s, b := supply.ToCoins(), sum.ToCoins(); !s.Equal(b) {
		return fmt.Errorf("bank: supply is %s, balances add up to %s", s, b)
	}
	return nil
}
