package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/internal/events"
	"poaid/x/datasets/types"
)

// buy sells a grant: it lasts grant_blocks from now, or from the end of the one the grantee has.
func (k Keeper) buy(ctx context.Context, msg *types.MsgBuyAccess) (expires int64, err error) {
	buyer, buyerName, err := k.address("buyer", msg.Buyer)
	if err != nil {
		return 0, err
	}
	grantee, granteeName := buyer, buyerName
	if msg.Grantee != "" {
		if grantee, granteeName, err = k.address("grantee", msg.Grantee); err != nil {
			return 0, err
		}
	}
	d, err := k.GetDataset(ctx, msg.Id)
	if err != nil {
		return 0, err
	}
	if err := checkSale(d, msg.MaxPrice); err != nil {
		return 0, err
	}
	params, err := k.Params.Get(ctx)
	if err != nil {
		return 0, err
	}
	if expires, err = k.extend(ctx, d, grantee, params.MaxGrantBlocks); err != nil {
		return 0, err
	}
	community, err := k.pay(ctx, d, buyer, params.CommunityBps)
	if err != nil {
		return 0, err
	}
	if err := count(ctx, k.GrantCounts, d.Id); err != nil {
		return 0, err
	}
	return expires, events.Emit(ctx, &types.EventAccessBought{
		Id: d.Id, Buyer: buyerName, Grantee: granteeName, Price: d.Terms.Price.String(), Community: community.String(), Expires: expires,
	})
}

// checkSale refuses what is not for sale at what the buyer will pay.
func checkSale(d types.Dataset, most sdk.Coin) error {
	price := d.Terms.Price
	switch {
	case d.Retired:
		return errorsmod.Wrapf(types.ErrRetired, "id: %q", d.Id)
	case d.Terms.Free():
		return errorsmod.Wrapf(types.ErrNoPrice, "id: %q needs no grant", d.Id)
	case most.Amount.IsNil() || most.Denom != price.Denom || most.Amount.LT(price.Amount):
		return errorsmod.Wrapf(types.ErrPrice, "max_price: the price of %q is %s", d.Id, price)
	}
	return nil
}

// extend moves the end of a grant, a new one's from now.
func (k Keeper) extend(ctx context.Context, d types.Dataset, grantee sdk.AccAddress, most int64) (int64, error) {
	key := collections.Join(d.Id, grantee)
	before, err := k.Grants.Get(ctx, key)
	if err != nil && !errors.Is(err, collections.ErrNotFound) {
		return 0, err
	}
	now := sdk.UnwrapSDKContext(ctx).BlockHeight()
	expires := max(before, now) + d.Terms.GrantBlocks // below 2^62 and 2^40
	if expires-now > most {
		return 0, errorsmod.Wrapf(types.ErrGrantTooLong, "the grant would last %d blocks from now, limit %d", expires-now, most)
	}
	if before > 0 {
		if err := k.Expiries.Remove(ctx, collections.Join3(before, d.Id, grantee)); err != nil {
			return 0, err
		}
	}
	if err := k.setGrant(ctx, d.Id, grantee, expires); err != nil {
		return 0, err
	}
	return expires, k.dropExpired(ctx, now)
}

// setGrant stores a grant and when it ends.
func (k Keeper) setGrant(ctx context.Context, id string, grantee sdk.AccAddress, expires int64) error {
	if err := k.Grants.Set(ctx, collections.Join(id, grantee), expires); err != nil {
		return err
	}
	return k.Expiries.Set(ctx, collections.Join3(expires, id, grantee))
}

// dropsPerPurchase is more than one purchase adds, so that expired grants never pile up.
const dropsPerPurchase = 2

// dropExpired forgets grants that have expired, the longest expired first.
func (k Keeper) dropExpired(ctx context.Context, now int64) error {
	var expired []expiryKey
	err := k.Expiries.Walk(ctx, nil, func(key expiryKey) (bool, error) {
		if key.K1() > now || len(expired) == dropsPerPurchase {
			return true, nil
		}
		expired = append(expired, key)
		return false, nil
	})
	if err != nil {
		return err
	}
	for _, key := range expired {
		if err := k.Expiries.Remove(ctx, key); err != nil {
			return err
		}
		if err := k.Grants.Remove(ctx, collections.Join(key.K2(), key.K3())); err != nil {
			return err
		}
	}
	return nil
}

// pay sends the price to the owner but for the community's part, which is rounded down, and returns that part.
func (k Keeper) pay(ctx context.Context, d types.Dataset, buyer sdk.AccAddress, communityBps uint32) (sdk.Coin, error) {
	price := d.Terms.Price
	owner, _, err := k.payable("owner", d.Owner)
	if err != nil {
		return price, err
	}
	community := sdk.NewCoin(price.Denom, price.Amount.MulRaw(int64(communityBps)).QuoRaw(types.BasisPoints))
	if community.IsPositive() {
		if err := k.community.FundCommunityPool(ctx, sdk.NewCoins(community), buyer); err != nil {
			return community, errorsmod.Wrap(err, "price, the community's part")
		}
	}
	rest := price.Amount.Sub(community.Amount)
	if !rest.IsPositive() {
		return community, nil
	}
	return community, errorsmod.Wrap(k.bank.SendCoins(ctx, buyer, owner, sdk.NewCoins(sdk.NewCoin(price.Denom, rest))), "price")
}

// payable is address for accounts that are to be paid.
func (k Keeper) payable(field, text string) (sdk.AccAddress, string, error) {
	addr, name, err := k.address(field, text)
	if err == nil && k.bank.BlockedAddr(addr) {
		return nil, "", errorsmod.Wrapf(types.ErrInvalidAddress, "%s: %s cannot be paid", field, name)
	}
	return addr, name, err
}

// address decodes an address and gives its canonical text, so that one account has one key.
func (k Keeper) address(field, text string) (sdk.AccAddress, string, error) {
	addr, err := k.addresses.StringToBytes(text)
	if err != nil {
		return nil, "", errorsmod.Wrapf(types.ErrInvalidAddress, "%s %q: %s", field, clip(text), err)
	}
	name, err := k.addresses.BytesToString(addr)
	return addr, name, err
}
