package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/internal/events"
	"poaid/x/lineage/types"
)

// Royalty takes what a use of a model pays to those behind it from the account of a module, and returns the account that has it now. Empty:
// the model has no parents, nothing was taken, and its owner is to be paid. Whatever the number of ancestors: one record is written.
func (k Keeper) Royalty(ctx context.Context, model, from string, amount sdk.Coin) (holder string, err error) {
	node := types.ModelNode(model)
	if has, err := k.Nodes.Has(ctx, node); err != nil || !has {
		return "", err
	}
	if err := k.deposit(ctx, node, amount.Denom, amount.Amount); err != nil {
		return "", err
	}
	if err := k.bank.SendCoinsFromModuleToModule(ctx, from, types.ModuleName, sdk.NewCoins(amount)); err != nil {
		return "", err
	}
	if holder, err = k.addresses.BytesToString(k.module); err != nil {
		return "", err
	}
	return holder, events.Emit(ctx, &types.EventAccrued{Node: node, Amount: amount.String()})
}

// account of a node; an empty one when it has received nothing.
func (k Keeper) account(ctx context.Context, node, denom string) (types.Account, error) {
	a, err := k.Accounts.Get(ctx, collections.Join(node, denom))
	if errors.Is(err, collections.ErrNotFound) {
		return types.NewAccount(), nil
	}
	return a, err
}

// deposit adds to what a node has received.
func (k Keeper) deposit(ctx context.Context, node, denom string, amount math.Int) error {
	a, err := k.account(ctx, node, denom)
	if err != nil {
		return err
	}
	sum, err := a.Received.SafeAdd(amount)
	if err != nil {
		return errorsmod.Wrapf(types.ErrOverflow, "%s: %s", node, err)
	}
	if err := types.CheckAmount("received", sum); err != nil {
		return errorsmod.Wrap(err, node)
	}
	a.Received = sum
	return k.Accounts.Set(ctx, collections.Join(node, denom), a)
}

// settled is what an edge has passed up.
func (k Keeper) settled(ctx context.Context, child, parent, denom string) (math.Int, error) {
	v, err := k.Settled.Get(ctx, collections.Join3(child, parent, denom))
	if errors.Is(err, collections.ErrNotFound) {
		return math.ZeroInt(), nil
	}
	return v, err
}

// settle passes up what an edge owes, which may be nothing: the parent's share of all that the child has received, less what was passed up
// before. It reads and writes the edge and the accounts at its ends. ErrNoEdge when there is no such edge.
func (k Keeper) settle(ctx context.Context, child, parent, denom string) (math.Int, error) {
	share, err := k.Edges.Get(ctx, collections.Join(child, parent))
	if errors.Is(err, collections.ErrNotFound) {
		return math.Int{}, errorsmod.Wrapf(types.ErrNoEdge, "%.80q is no parent of %.80q", parent, child)
	}
	if err != nil {
		return math.Int{}, err
	}
	a, err := k.account(ctx, child, denom)
	if err != nil {
		return math.Int{}, err
	}
	before, err := k.settled(ctx, child, parent, denom)
	if err != nil {
		return math.Int{}, err
	}
	after := types.ShareDown(a.Received, share)
	due := after.Sub(before)
	if !due.IsPositive() {
		return math.ZeroInt(), nil
	}
	if err := k.Settled.Set(ctx, collections.Join3(child, parent, denom), after); err != nil {
		return math.Int{}, err
	}
	if err := k.deposit(ctx, parent, denom, due); err != nil {
		return math.Int{}, err
	}
	return due, events.Emit(ctx, &types.EventSettled{Child: child, Parent: parent, Amount: sdk.NewCoin(denom, due).String()})
}

// claimable is what the owner of a node with this account may be paid now. What parents are due is left for them rounded up, each: so
// whatever comes in later, all that was ever claimed leaves enough for them.
func (k Keeper) claimable(ctx context.Context, node string, a types.Account) (math.Int, error) {
	left := a.Received.Sub(a.Claimed)
	err := k.parents(ctx, node, func(_ string, share uint32) error {
		left = left.Sub(types.ShareUp(a.Received, share))
		return nil
	})
	return math.MaxInt(left, math.ZeroInt()), err
}

// claim pays the owner of a node, and returns what was paid, which may be nothing. ErrUnknownNode without such a model or dataset,
// ErrInvalidAddress where the owner cannot be paid; then the coins stay.
func (k Keeper) claim(ctx context.Context, node, denom string) (sdk.Coin, error) {
	owner, err := k.owner(ctx, node)
	if err != nil {
		return sdk.Coin{}, err
	}
	a, err := k.account(ctx, node, denom)
	if err != nil {
		return sdk.Coin{}, err
	}
	amount, err := k.claimable(ctx, node, a)
	if err != nil {
		return sdk.Coin{}, err
	}
	paid := sdk.NewCoin(denom, amount)
	if amount.IsZero() {
		return paid, nil
	}
	addr, name, err := k.address("owner", owner)
	if err != nil {
		return paid, err
	}
	if k.bank.BlockedAddr(addr) {
		return paid, errorsmod.Wrapf(types.ErrInvalidAddress, "owner: %s of %s cannot be paid", name, node)
	}
	a.Claimed = a.Claimed.Add(amount)
	if err := k.Accounts.Set(ctx, collections.Join(node, denom), a); err != nil {
		return paid, err
	}
	if err := k.bank.SendCoinsFromModuleToAccount(ctx, types.ModuleName, addr, sdk.NewCoins(paid)); err != nil {
		return paid, err
	}
	return paid, events.Emit(ctx, &types.EventClaimed{Node: node, Owner: name, Amount: paid.String()})
}

// address decodes an address and gives its canonical text.
func (k Keeper) address(field, text string) (sdk.AccAddress, string, error) {
	addr, err := k.addresses.StringToBytes(text)
	if err != nil {
		return nil, "", errorsmod.Wrapf(types.ErrInvalidAddress, "%s %.90q: %s", field, text, err)
	}
	name, err := k.addresses.BytesToString(addr)
	return addr, name, err
}
