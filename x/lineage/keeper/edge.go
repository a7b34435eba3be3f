package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"

	"poaid/internal/events"
	datasetstypes "poaid/x/datasets/types"
	"poaid/x/lineage/types"
	modelstypes "poaid/x/models/types"
)

// Hooks are what x/models calls.
type Hooks struct{ k Keeper }

var _ modelstypes.LineageHooks = Hooks{}

// Hooks returns the module's hooks.
func (k Keeper) Hooks() Hooks { return Hooks{k} }

// CheckParents refuses parents that a model of this id may not have; nothing is written.
func (h Hooks) CheckParents(ctx context.Context, id string, parents []modelstypes.Parent) error {
	_, _, err := h.k.check(ctx, id, parents)
	return err
}

// AfterModelRegistered keeps the parents of a new model. They exist before it does, so no cycle can form.
func (h Hooks) AfterModelRegistered(ctx context.Context, model modelstypes.Model, parents []modelstypes.Parent) error {
	node, names, err := h.k.check(ctx, model.Id, parents)
	if err != nil {
		return err
	}
	child := types.ModelNode(model.Id)
	if has, err := h.k.Nodes.Has(ctx, child); err != nil {
		return err
	} else if has {
		return errorsmod.Wrapf(types.ErrAccounting, "%s has parents already", child)
	}
	if err := h.k.Nodes.Set(ctx, child, node); err != nil {
		return err
	}
	for i, parent := range names {
		if err := h.k.link(ctx, child, parent, parents[i].ShareBps); err != nil {
			return err
		}
		if err := events.Emit(ctx, &types.EventParent{Child: child, Parent: parent, ShareBps: parents[i].ShareBps}); err != nil {
			return err
		}
	}
	return nil
}

// link writes an edge into both indexes.
func (k Keeper) link(ctx context.Context, child, parent string, share uint32) error {
	if err := k.Edges.Set(ctx, collections.Join(child, parent), share); err != nil {
		return err
	}
	return k.Children.Set(ctx, collections.Join(parent, child))
}

// check returns the node that a model with these parents would be, and the parents' names.
func (k Keeper) check(ctx context.Context, id string, parents []modelstypes.Parent) (types.Node, []string, error) {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return types.Node{}, nil, err
	}
	if len(parents) > int(params.MaxParents) {
		return types.Node{}, nil, errorsmod.Wrapf(types.ErrTooManyParents, "parents: %d given, limit %d", len(parents), params.MaxParents)
	}
	node := types.Node{Parents: uint32(len(parents))}
	names, seen := make([]string, len(parents)), make(map[string]bool, len(parents))
	for i, p := range parents {
		name, err := types.ParentNode(p)
		if err != nil {
			return node, nil, errorsmod.Wrapf(err, "parents[%d]", i)
		}
		if seen[name] {
			return node, nil, errorsmod.Wrapf(types.ErrDuplicateParent, "parents[%d]: %s", i, name)
		}
		if name == types.ModelNode(id) {
			return node, nil, errorsmod.Wrapf(types.ErrSelf, "parents[%d]: %s", i, name)
		}
		if p.ShareBps < 1 || p.ShareBps > params.MaxTotalBps {
			return node, nil, errorsmod.Wrapf(types.ErrShare, "parents[%d].share_bps: %d must be in 1..%d", i, p.ShareBps, params.MaxTotalBps)
		}
		depth, err := k.depth(ctx, name)
		if err != nil {
			return node, nil, errorsmod.Wrapf(err, "parents[%d]", i)
		}
		seen[name], names[i] = true, name
		node.TotalBps += p.ShareBps
		node.Depth = max(node.Depth, depth+1)
	}
	if node.TotalBps > params.MaxTotalBps {
		return node, nil, errorsmod.Wrapf(types.ErrShare, "parents: shares of %d bps together, limit %d", node.TotalBps, params.MaxTotalBps)
	}
	if node.Depth > params.MaxDepth {
		return node, nil, errorsmod.Wrapf(types.ErrTooDeep, "parents: %d generations, limit %d", node.Depth, params.MaxDepth)
	}
	return node, names, nil
}

// depth is how many generations are above a node; ErrUnknownNode when it does not exist or may have no children.
func (k Keeper) depth(ctx context.Context, name string) (uint32, error) {
	if err := k.exists(ctx, name); err != nil {
		return 0, err
	}
	n, err := k.Nodes.Get(ctx, name)
	if errors.Is(err, collections.ErrNotFound) {
		return 0, nil
	}
	return n.Depth, err
}

func (k Keeper) exists(ctx context.Context, name string) error {
	kind, id, err := types.ParseNode(name)
	if err != nil {
		return err
	}
	if kind == modelstypes.PARENT_KIND_MODEL {
		found, err := k.models.HasModel(ctx, id)
		if err == nil && !found {
			err = errorsmod.Wrapf(types.ErrUnknownNode, "%s", name)
		}
		return err
	}
	_, err = k.datasets.GetDataset(ctx, id)
	if errors.Is(err, datasetstypes.ErrNotFound) {
		err = errorsmod.Wrapf(types.ErrUnknownNode, "%s", name)
	}
	return err
}

// owner is who is paid for a node; ErrUnknownNode when it does not exist.
func (k Keeper) owner(ctx context.Context, name string) (string, error) {
	if err := k.exists(ctx, name); err != nil {
		return "", err
	}
	kind, id, err := types.ParseNode(name)
	if err != nil {
		return "", err
	}
	if kind == modelstypes.PARENT_KIND_MODEL {
		m, err := k.models.GetModel(ctx, id)
		return m.Owner, err
	}
	d, err := k.datasets.GetDataset(ctx, id)
	return d.Owner, err
}

// parents walks the edges of a node in the order of the parents' names.
func (k Keeper) parents(ctx context.Context, child string, f func(parent string, share uint32) error) error {
	return k.Edges.Walk(ctx, collections.NewPrefixedPairRange[string, string](child), func(key collections.Pair[string, string], share uint32) (bool, error) {
		return false, f(key.K2(), share)
	})
}
