package keeper

import (
	"context"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/x/lineage/types"
)

// Invariants checks that the module's balance is, to the last coin, what nodes still hold, that every node holds what its parents are due,
// and that nodes agree with their edges. It walks the whole state: for tests and genesis, never for a block.
func (k Keeper) Invariants(ctx context.Context) error {
	if err := k.checkNodes(ctx); err != nil {
		return err
	}
	held := sdk.NewCoins()
	err := k.Accounts.Walk(ctx, nil, func(key collections.Pair[string, string], a types.Account) (bool, error) {
		rest, err := k.checkAccount(ctx, key.K1(), key.K2(), a)
		if err != nil {
			return true, errorsmod.Wrapf(err, "account of %s in %s", key.K1(), key.K2())
		}
		held = held.Add(sdk.NewCoin(key.K2(), rest))
		return false, nil
	})
	if err != nil {
		return err
	}
	if have := k.bank.GetAllBalances(ctx, k.module); !have.Equal(held) {
		return errorsmod.Wrapf(types.ErrAccounting, "balance %s, nodes hold %s", have, held)
	}
	return k.Settled.Walk(ctx, nil, func(key collections.Triple[string, string, string], v math.Int) (bool, error) {
		has, err := k.Edges.Has(ctx, collections.Join(key.K1(), key.K2()))
		if err == nil && (!has || !v.IsPositive()) {
			err = errorsmod.Wrapf(types.ErrAccounting, "settled %s from %s to %s, edge: %t", v, key.K1(), key.K2(), has)
		}
		return false, err
	})
}

// checkAccount returns what a node holds of a denom.
func (k Keeper) checkAccount(ctx context.Context, node, denom string, a types.Account) (math.Int, error) {
	if err := a.Validate(); err != nil {
		return math.Int{}, err
	}
	if err := k.exists(ctx, node); err != nil {
		return math.Int{}, err
	}
	held, owed := a.Received.Sub(a.Claimed), math.ZeroInt()
	err := k.parents(ctx, node, func(parent string, share uint32) error {
		passed, err := k.settled(ctx, node, parent, denom)
		if err != nil {
			return err
		}
		due := types.ShareDown(a.Received, share).Sub(passed)
		if due.IsNegative() {
			return errorsmod.Wrapf(types.ErrAccounting, "%s was passed to %s, %s too much", passed, parent, due.Neg())
		}
		held, owed = held.Sub(passed), owed.Add(due)
		return nil
	})
	if err == nil && held.LT(owed) {
		err = errorsmod.Wrapf(types.ErrAccounting, "holds %s, owes its parents %s", held, owed)
	}
	return held, err
}

// checkNodes checks both indexes of edges and what nodes say about theirs.
func (k Keeper) checkNodes(ctx context.Context) error {
	edges := 0
	err := k.Nodes.Walk(ctx, nil, func(name string, n types.Node) (bool, error) {
		if err := k.exists(ctx, name); err != nil {
			return true, err
		}
		var want types.Node
		err := k.parents(ctx, name, func(parent string, share uint32) error {
			depth, err := k.depth(ctx, parent)
			if err != nil {
				return err
			}
			if has, err := k.Children.Has(ctx, collections.Join(parent, name)); err != nil || !has {
				return errorsmod.Wrapf(types.ErrAccounting, "%s is not among the children of %s: %v", name, parent, err)
			}
			want.Parents, want.TotalBps, want.Depth = want.Parents+1, want.TotalBps+share, max(want.Depth, depth+1)
			return nil
		})
		if err == nil && (n != want || n.Parents == 0 || n.TotalBps > types.BasisPoints) {
			err = errorsmod.Wrapf(types.ErrAccounting, "node %s is %v, its edges say %v", name, n, want)
		}
		edges += int(n.Parents)
		return false, err
	})
	if err != nil {
		return err
	}
	for _, walk := range []func() error{
		func() error {
			return k.Edges.Walk(ctx, nil, func(collections.Pair[string, string], uint32) (bool, error) { edges--; return false, nil })
		},
		func() error {
			return k.Children.Walk(ctx, nil, func(collections.Pair[string, string]) (bool, error) { edges--; return false, nil })
		},
	} {
		before := edges
		if err := walk(); err != nil {
			return err
		}
		if edges != 0 {
			return errorsmod.Wrapf(types.ErrAccounting, "edges: %d of nodes, indexes differ by %d", before, edges)
		}
		edges = before
	}
	return nil
}
