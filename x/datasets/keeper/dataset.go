package keeper

import (
	"context"
	"errors"
	"math"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/internal/events"
	"poaid/x/datasets/types"
)

// GetDataset returns a dataset, types.ErrNotFound when there is none.
func (k Keeper) GetDataset(ctx context.Context, id string) (types.Dataset, error) {
	d, err := k.Datasets.Get(ctx, id)
	if errors.Is(err, collections.ErrNotFound) {
		return d, errorsmod.Wrapf(types.ErrNotFound, "id: %q", clip(id))
	}
	return d, err
}

// register stores a new dataset and takes its roots.
func (k Keeper) register(ctx context.Context, msg *types.MsgRegisterDataset) error {
	_, name, err := k.payable("owner", msg.Owner)
	if err != nil {
		return err
	}
	params, err := k.Params.Get(ctx)
	if err != nil {
		return err
	}
	if err := msg.Validate(params); err != nil {
		return err
	}
	if taken, err := k.Datasets.Has(ctx, msg.Id); err != nil {
		return err
	} else if taken {
		return errorsmod.Wrapf(types.ErrExists, "id: %q", msg.Id)
	}
	d := types.Dataset{
		Id: msg.Id, Owner: name, Description: msg.Description, Cid: msg.Cid, Licence: msg.Licence, Tensors: uint32(len(msg.Roots)),
		Encryption: msg.Encryption, Terms: msg.Terms.Normal(), Height: sdk.UnwrapSDKContext(ctx).BlockHeight(),
	}
	for i, root := range msg.Roots {
		if err := k.takeRoot(ctx, d.Id, root); err != nil {
			return errorsmod.Wrapf(err, "roots[%d]", i)
		}
	}
	if err := k.Datasets.Set(ctx, d.Id, d); err != nil {
		return err
	}
	return events.Emit(ctx, &types.EventDatasetRegistered{Id: d.Id, Owner: name, Cid: d.Cid, Tensors: d.Tensors})
}

// takeRoot gives a root to a dataset; the first to register it has it.
func (k Keeper) takeRoot(ctx context.Context, id string, root []byte) error {
	holder, err := k.Roots.Get(ctx, root)
	if err == nil {
		return errorsmod.Wrapf(types.ErrRootTaken, "%x belongs to %q", root, holder)
	}
	if !errors.Is(err, collections.ErrNotFound) {
		return err
	}
	if err := k.Roots.Set(ctx, root, id); err != nil {
		return err
	}
	return k.Tensors.Set(ctx, collections.Join(id, root))
}

// strikeRoots takes roots from a dataset; others may register them.
func (k Keeper) strikeRoots(ctx context.Context, id string, roots [][]byte) error {
	d, err := k.GetDataset(ctx, id)
	if err != nil {
		return err
	}
	if len(roots) == 0 {
		return errorsmod.Wrap(types.ErrRoot, "roots: none given")
	}
	if err := types.CheckRoots(roots); err != nil {
		return err
	}
	for i, root := range roots {
		if has, err := k.Tensors.Has(ctx, collections.Join(id, root)); err != nil {
			return err
		} else if !has {
			return errorsmod.Wrapf(types.ErrRoot, "roots[%d]: %x is not of %q", i, root, id)
		}
		if err := k.Tensors.Remove(ctx, collections.Join(id, root)); err != nil {
			return err
		}
		if err := k.Roots.Remove(ctx, root); err != nil {
			return err
		}
	}
	d.Tensors -= uint32(len(roots))
	if err := k.Datasets.Set(ctx, id, d); err != nil {
		return err
	}
	return events.Emit(ctx, &types.EventRootsStruck{Id: id, Roots: uint32(len(roots))})
}

// owned returns a dataset of which the account is the owner.
func (k Keeper) owned(ctx context.Context, owner, id string) (types.Dataset, error) {
	addr, _, err := k.address("owner", owner)
	if err != nil {
		return types.Dataset{}, err
	}
	d, err := k.GetDataset(ctx, id)
	if err != nil {
		return d, err
	}
	have, err := k.addresses.StringToBytes(d.Owner)
	if err != nil {
		return d, err
	}
	if !addr.Equals(sdk.AccAddress(have)) {
		return d, errorsmod.Wrapf(types.ErrNotOwner, "dataset %q belongs to %s", id, d.Owner)
	}
	return d, nil
}

// setTerms changes the terms; what was bought and used before stays.
func (k Keeper) setTerms(ctx context.Context, msg *types.MsgSetTerms) error {
	d, err := k.owned(ctx, msg.Owner, msg.Id)
	if err != nil {
		return err
	}
	params, err := k.Params.Get(ctx)
	if err != nil {
		return err
	}
	if err := msg.Terms.Validate(params); err != nil {
		return err
	}
	d.Terms = msg.Terms.Normal()
	if err := k.Datasets.Set(ctx, d.Id, d); err != nil {
		return err
	}
	return events.Emit(ctx, &types.EventTermsSet{
		Id: d.Id, Price: priceText(d.Terms), GrantBlocks: d.Terms.GrantBlocks, ShareBps: d.Terms.ShareBps, Closed: d.Terms.Closed,
	})
}

// retire ends the sale of grants, for good.
func (k Keeper) retire(ctx context.Context, owner, id string) error {
	d, err := k.owned(ctx, owner, id)
	if err != nil {
		return err
	}
	if d.Retired {
		return errorsmod.Wrapf(types.ErrRetired, "id: %q", id)
	}
	d.Retired = true
	if err := k.Datasets.Set(ctx, id, d); err != nil {
		return err
	}
	return events.Emit(ctx, &types.EventDatasetRetired{Id: id})
}

// count adds one to a counter of a dataset.
func count(ctx context.Context, counts collections.Map[string, uint64], id string) error {
	n, err := counts.Get(ctx, id)
	if err != nil && !errors.Is(err, collections.ErrNotFound) {
		return err
	}
	if n == math.MaxUint64 {
		return errorsmod.Wrapf(types.ErrOverflow, "counter of %q", id)
	}
	return counts.Set(ctx, id, n+1)
}

// priceText is the price with its denom, 0 for none.
func priceText(t types.Terms) string {
	if t.Free() {
		return "0"
	}
	return t.Price.String()
}

// clip keeps what a stranger wrote short in an error.
func clip(s string) string {
	if len(s) > 64 {
		return s[:64] + "..."
	}
	return s
}
