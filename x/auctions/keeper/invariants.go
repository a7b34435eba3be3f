package keeper

import (
	"context"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/x/auctions/types"
	poaitypes "poaid/x/poai/types"
)

// CheckInvariants checks what holds between blocks: counters and best bids are those of the bids, each bid that is kept has its lock, every bid is
// indexed, and the module holds the deposits, no more and no less. It walks every bid, so it is for tests and audits.
func (k Keeper) CheckInvariants(ctx context.Context) error {
	g, err := k.ExportGenesis(ctx)
	if err != nil {
		return err
	}
	if err := g.Validate(); err != nil {
		return errorsmod.Wrapf(types.ErrInvariant, "%s", err)
	}
	bids := 0
	for _, a := range g.Auctions {
		bids += len(a.Bids)
		for _, kept := range a.Standing.Best {
			lock, err := k.poai.GetLock(ctx, kept.Bidder, poaitypes.LOCK_KIND_BID, a.Terms.Task)
			if err != nil || !lock.Equal(a.Terms.Lock) {
				return errorsmod.Wrapf(types.ErrInvariant, "task %d: bid of %s: lock of %s, want %s (%v)", a.Terms.Task, kept.Bidder, lock, a.Terms.Lock, err)
			}
		}
	}
	for _, count := range []func() (int, error){
		func() (n int, err error) {
			err = k.Bids.Walk(ctx, nil, func(bidKey, types.Bid) (bool, error) { n++; return false, nil })
			return n, err
		},
		func() (n int, err error) {
			err = k.ByBidder.Walk(ctx, nil, func(collections.Pair[sdk.AccAddress, uint64]) (bool, error) { n++; return false, nil })
			return n, err
		},
	} {
		n, err := count()
		if err != nil {
			return err
		}
		if n != bids {
			return errorsmod.Wrapf(types.ErrInvariant, "bids: %d stored or indexed, auctions have %d", n, bids)
		}
	}
	if held, owed := k.bank.GetAllBalances(ctx, k.account.GetModuleAddress(types.ModuleName)), g.Owed(); !held.Equal(owed) {
		return errorsmod.Wrapf(types.ErrInvariant, "deposits: the module holds %s, bids are owed %s", held, owed)
	}
	return nil
}
