package keeper

import (
	"context"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/x/datasets/types"
)

// Invariants checks that both indexes of roots and those of grants agree, that everything belongs to a dataset, and that uses add up. It walks the whole state:
// for tests and genesis, never for a block.
func (k Keeper) Invariants(ctx context.Context) error {
	tensors := uint64(0)
	err := k.Tensors.Walk(ctx, nil, func(key collections.Pair[string, []byte]) (bool, error) {
		tensors++
		id, err := k.Roots.Get(ctx, key.K2())
		if err == nil && id != key.K1() {
			err = errorsmod.Wrapf(types.ErrState, "root %x is of %q and of %q", key.K2(), key.K1(), id)
		}
		return false, err
	})
	if err != nil {
		return err
	}
	err = k.Roots.Walk(ctx, nil, func([]byte, string) (bool, error) {
		tensors--
		return false, nil
	})
	if err != nil {
		return err
	}
	if tensors != 0 {
		return errorsmod.Wrap(types.ErrState, "roots: the indexes differ in number")
	}
	if err := k.checkGrants(ctx); err != nil {
		return err
	}
	uses := uint64(0)
	err = k.Datasets.Walk(ctx, nil, func(id string, d types.Dataset) (bool, error) {
		n, err := k.checkDataset(ctx, id, d)
		uses += n
		return false, errorsmod.Wrapf(err, "dataset %q", id)
	})
	if err != nil {
		return err
	}
	err = k.UseCounts.Walk(ctx, nil, func(_ string, n uint64) (bool, error) {
		uses -= n
		return false, nil
	})
	if err == nil && uses != 0 {
		err = errorsmod.Wrap(types.ErrState, "uses are counted of datasets that do not exist")
	}
	return err
}

// checkGrants checks that exactly the grants there are are known by when they end.
func (k Keeper) checkGrants(ctx context.Context) error {
	grants := 0
	err := k.Grants.Walk(ctx, nil, func(key collections.Pair[string, sdk.AccAddress], expires int64) (bool, error) {
		grants++
		has, err := k.Expiries.Has(ctx, collections.Join3(expires, key.K1(), key.K2()))
		if err == nil && !has {
			err = errorsmod.Wrapf(types.ErrState, "grants: one of %q until %d is not among those that expire", key.K1(), expires)
		}
		return false, err
	})
	if err != nil {
		return err
	}
	err = k.Expiries.Walk(ctx, nil, func(expiryKey) (bool, error) { grants--; return false, nil })
	if err == nil && grants != 0 {
		err = errorsmod.Wrap(types.ErrState, "grants: the indexes differ in number")
	}
	return err
}

// checkDataset checks one dataset and returns how often it was used.
func (k Keeper) checkDataset(ctx context.Context, id string, d types.Dataset) (uint64, error) {
	if d.Id != id {
		return 0, errorsmod.Wrapf(types.ErrState, "id is %q", d.Id)
	}
	n := uint32(0)
	err := k.Tensors.Walk(ctx, collections.NewPrefixedPairRange[string, []byte](id), func(collections.Pair[string, []byte]) (bool, error) {
		n++
		return false, nil
	})
	if err != nil {
		return 0, err
	}
	if n != d.Tensors {
		return 0, errorsmod.Wrapf(types.ErrState, "tensors: %d, %d are stored", d.Tensors, n)
	}
	counts, err := k.counts(ctx, id)
	if err != nil {
		return 0, err
	}
	uses := uint64(0)
	rng := collections.NewPrefixedPairRange[string, sdk.AccAddress](id)
	err = k.Usages.Walk(ctx, rng, func(_ collections.Pair[string, sdk.AccAddress], u types.Usage) (bool, error) {
		uses += u.Uses
		return false, nil
	})
	if err == nil && uses != counts.Uses {
		err = errorsmod.Wrapf(types.ErrState, "uses: %d are counted, those of users add up to %d", counts.Uses, uses)
	}
	return uses, err
}
