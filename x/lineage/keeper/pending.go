package keeper

import (
	"context"
	"slices"
	"strings"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"

	"poaid/x/lineage/types"
)

// pending tells what a node could claim now, and what it could once the edges of its descendants were settled, at most limit of them, nearest
// first. Steps are in an order in which every edge has to be settled only once: children of deeper generations first.
func (k Keeper) pending(ctx context.Context, node, denom string, limit int) (*types.QueryPendingResponse, error) {
	below, truncated, err := k.below(ctx, node, limit)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(below, func(a, b descent) int {
		if a.depth != b.depth {
			return int(b.depth) - int(a.depth)
		}
		return strings.Compare(a.child, b.child)
	})
	accounts := make(map[string]types.Account)
	account := func(name string) (types.Account, error) {
		if a, ok := accounts[name]; ok {
			return a, nil
		}
		a, err := k.account(ctx, name, denom)
		accounts[name] = a
		return a, err
	}
	own, err := account(node)
	if err != nil {
		return nil, err
	}
	resp := &types.QueryPendingResponse{Truncated: truncated}
	if resp.Claimable, err = k.claimable(ctx, node, own); err != nil {
		return nil, err
	}
	for _, e := range below {
		due, err := k.wouldSettle(ctx, e, denom, account)
		if err != nil {
			return nil, err
		}
		if !due.IsPositive() {
			continue
		}
		to, err := account(e.parent)
		if err != nil {
			return nil, err
		}
		if to.Received, err = to.Received.SafeAdd(due); err != nil {
			return nil, errorsmod.Wrap(types.ErrOverflow, e.parent)
		}
		accounts[e.parent] = to
		resp.Steps = append(resp.Steps, types.Step{Child: e.child, Parent: e.parent, Amount: due})
	}
	resp.ClaimableAfter, err = k.claimable(ctx, node, accounts[node])
	return resp, err
}

// descent is an edge below a node, and the depth of its child.
type descent struct {
	child, parent string
	depth         uint32
}

// wouldSettle is what an edge would pass up with the child's account as it would be.
func (k Keeper) wouldSettle(ctx context.Context, e descent, denom string, account func(string) (types.Account, error)) (math.Int, error) {
	share, err := k.Edges.Get(ctx, collections.Join(e.child, e.parent))
	if err != nil {
		return math.Int{}, err
	}
	from, err := account(e.child)
	if err != nil {
		return math.Int{}, err
	}
	before, err := k.settled(ctx, e.child, e.parent, denom)
	if err != nil {
		return math.Int{}, err
	}
	return types.ShareDown(from.Received, share).Sub(before), nil
}

// below are the edges that lead up to a node, nearest first, and whether there are more than limit.
func (k Keeper) below(ctx context.Context, node string, limit int) (edges []descent, truncated bool, err error) {
	seen := map[string]bool{node: true}
	for queue := []string{node}; len(queue) > 0 && !truncated; queue = queue[1:] {
		parent := queue[0]
		rng := collections.NewPrefixedPairRange[string, string](parent)
		err := k.Children.Walk(ctx, rng, func(key collections.Pair[string, string]) (bool, error) {
			if len(edges) == limit {
				truncated = true
				return true, nil
			}
			child := key.K2()
			n, err := k.Nodes.Get(ctx, child)
			if err != nil {
				return true, err
			}
			edges = append(edges, descent{child, parent, n.Depth})
			if !seen[child] {
				seen[child] = true
				queue = append(queue, child)
			}
			return false, nil
		})
		if err != nil {
			return nil, false, err
		}
	}
	return edges, truncated, nil
}
