package keeper

import (
	"context"
	"fmt"

	"cosmossdk.io/collections"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/x/auctions/types"
)

// InitGenesis stores auctions and bids. The module's account must hold the deposits, and x/poai the locks of the bids that are kept.
func (k Keeper) InitGenesis(ctx context.Context, g types.GenesisState) error {
	if err := g.Validate(); err != nil {
		return err
	}
	if k.account.GetModuleAccount(ctx, types.ModuleName) == nil {
		return fmt.Errorf("module account %s is not set up", types.ModuleName)
	}
	if err := k.Params.Set(ctx, g.Params); err != nil {
		return err
	}
	for _, a := range g.Auctions {
		if err := k.initAuction(ctx, a); err != nil {
			return err
		}
	}
	return k.CheckInvariants(ctx)
}

func (k Keeper) initAuction(ctx context.Context, a types.GenesisAuction) error {
	task := a.Terms.Task
	if err := k.Terms.Set(ctx, task, a.Terms); err != nil {
		return err
	}
	if err := k.Standings.Set(ctx, task, a.Standing); err != nil {
		return err
	}
	for _, b := range a.Bids {
		addr, _, err := k.address(b.Bidder)
		if err != nil {
			return err
		}
		if err := k.Bids.Set(ctx, collections.Join(task, addr), b); err != nil {
			return err
		}
		if err := k.ByBidder.Set(ctx, collections.Join(addr, task)); err != nil {
			return err
		}
	}
	return nil
}

// ExportGenesis reads everything that InitGenesis cannot rebuild.
func (k Keeper) ExportGenesis(ctx context.Context) (*types.GenesisState, error) {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return nil, err
	}
	g := &types.GenesisState{Params: params}
	err = k.Terms.Walk(ctx, nil, func(task uint64, terms types.Terms) (bool, error) {
		a := types.GenesisAuction{Terms: terms}
		var err error
		if a.Standing, err = k.Standings.Get(ctx, task); err != nil {
			return true, err
		}
		err = k.Bids.Walk(ctx, collections.NewPrefixedPairRange[uint64, sdk.AccAddress](task), func(_ bidKey, b types.Bid) (bool, error) {
			a.Bids = append(a.Bids, b)
			return false, nil
		})
		g.Auctions = append(g.Auctions, a)
		return false, err
	})
	return g, err
}
