package testutil

import (
	"context"
	"fmt"

	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/app"
	poaikeeper "poaid/x/poai/keeper"
	poaitypes "poaid/x/poai/types"
)

// CheckInvariants runs every invariant of every module on a committed state.
func CheckInvariants(a *app.App, ctx sdk.Context) error {
	for _, check := range []func(*app.App, sdk.Context) error{checkSupply, checkLocks} {
		if err := check(a, ctx); err != nil {
			return err
		}
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

// checkLocks checks that no bond is locked for what is over: a lock of a bid belongs to a bid that an auction keeps, one of a worker or seat to a task that
// is under way. That what is under way has its locks is for the modules to check.
func checkLocks(a *app.App, ctx sdk.Context) error {
	auctions, err := a.Auctions.ExportGenesis(ctx)
	if err != nil {
		return err
	}
	type bid struct {
		bidder string
		task   uint64
	}
	kept := make(map[bid]bool)
	for _, x := range auctions.Auctions {
		for _, b := range x.Standing.Best {
			kept[bid{b.Bidder, x.Terms.Task}] = true
		}
	}
	return a.Poai.Locks.Walk(ctx, nil, func(key poaikeeper.LockKey, _ math.Int) (bool, error) {
		switch poaitypes.LockKind(key.K2()) {
		case poaitypes.LOCK_KIND_BID:
			if !kept[bid{key.K1(), key.K3()}] {
				return true, fmt.Errorf("lock of %s for a bid on task %d, which is not kept", key.K1(), key.K3())
			}
		case poaitypes.LOCK_KIND_TASK, poaitypes.LOCK_KIND_SEAT:
			st, err := a.Tasks.Statuses.Get(ctx, key.K3())
			if err != nil {
				return true, err
			}
			if !st.State.Active() {
				return true, fmt.Errorf("lock of %s for task %d, which is %s", key.K1(), key.K3(), st.State)
			}
		}
		return false, nil
	})
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
