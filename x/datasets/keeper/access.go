package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/internal/events"
	"poaid/x/datasets/types"
	modelstypes "poaid/x/models/types"
)

// Use records that user trains the program on tensors with these roots. Every root that belongs to a dataset must be allowed for user and
// program at this height; roots that belong to none are nobody's business. The datasets come back as parents of what is trained, each once and
// in the order of their first root, with the share that each asks now; those that ask none are left out. Call it once, when training begins.
// ErrClosed or ErrNoGrant where something is not allowed, ErrTooManyRoots beyond MaxUsedRoots; then nothing may be kept.
func (k Keeper) Use(ctx context.Context, user string, programHash []byte, roots [][]byte) ([]modelstypes.Parent, error) {
	addr, name, err := k.address("user", user)
	if err != nil {
		return nil, err
	}
	used, err := k.used(ctx, programHash, roots)
	if err != nil {
		return nil, err
	}
	var parents []modelstypes.Parent
	for _, id := range used {
		d, err := k.GetDataset(ctx, id)
		if err != nil {
			return nil, err
		}
		if err := k.check(ctx, d, addr, programHash); err != nil {
			return nil, err
		}
		if err := k.recordUse(ctx, id, addr, programHash); err != nil {
			return nil, err
		}
		if err := events.Emit(ctx, &types.EventDatasetUsed{Id: id, User: name, ProgramHash: programHash}); err != nil {
			return nil, err
		}
		if d.Terms.ShareBps > 0 {
			parents = append(parents, modelstypes.Parent{Kind: modelstypes.PARENT_KIND_DATASET, Id: id, ShareBps: d.Terms.ShareBps})
		}
	}
	return parents, nil
}

// used are the datasets that roots belong to, each once.
func (k Keeper) used(ctx context.Context, programHash []byte, roots [][]byte) ([]string, error) {
	if err := types.CheckHash("program_hash", programHash); err != nil {
		return nil, errorsmod.Wrap(types.ErrProgram, err.Error())
	}
	if len(roots) > types.MaxUsedRoots {
		return nil, errorsmod.Wrapf(types.ErrTooManyRoots, "roots: %d given, limit %d", len(roots), types.MaxUsedRoots)
	}
	var ids []string
	seen := make(map[string]bool)
	for i, root := range roots {
		if len(root) != types.HashBytes {
			return nil, errorsmod.Wrapf(types.ErrRoot, "roots[%d]: %d bytes, want %d", i, len(root), types.HashBytes)
		}
		id, err := k.Roots.Get(ctx, root)
		if errors.Is(err, collections.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if !seen[id] {
			seen[id], ids = true, append(ids, id)
		}
	}
	return ids, nil
}

// check refuses a user that may not train the program on the dataset now. A closed dataset takes only programs of its allowlist, whoever
// asks. Beyond that the owner may, whoever holds a grant, and while the dataset is not retired everybody if it has no price or the program is
// listed as free.
func (k Keeper) check(ctx context.Context, d types.Dataset, user sdk.AccAddress, programHash []byte) error {
	free, err := k.Programs.Get(ctx, collections.Join(d.Id, programHash))
	listed := err == nil
	if err != nil && !errors.Is(err, collections.ErrNotFound) {
		return err
	}
	if d.Terms.Closed && !listed {
		return errorsmod.Wrapf(types.ErrClosed, "dataset %q is closed and program %x is not on its allowlist", d.Id, programHash)
	}
	owner, err := k.addresses.StringToBytes(d.Owner)
	if err != nil {
		return err
	}
	if user.Equals(sdk.AccAddress(owner)) || !d.Retired && (d.Terms.Free() || free) {
		return nil
	}
	expires, err := k.Grants.Get(ctx, collections.Join(d.Id, user))
	switch now := sdk.UnwrapSDKContext(ctx).BlockHeight(); {
	case errors.Is(err, collections.ErrNotFound):
		return errorsmod.Wrapf(types.ErrNoGrant, "dataset %q", d.Id)
	case err != nil:
		return err
	case now >= expires:
		return errorsmod.Wrapf(types.ErrNoGrant, "dataset %q: the grant expired at height %d, it is %d", d.Id, expires, now)
	}
	return nil
}

// recordUse counts a use.
func (k Keeper) recordUse(ctx context.Context, id string, user sdk.AccAddress, programHash []byte) error {
	key := collections.Join(id, user)
	usage, err := k.Usages.Get(ctx, key)
	if err != nil && !errors.Is(err, collections.ErrNotFound) {
		return err
	}
	// The dataset's own counter, which is never smaller, refuses to overflow.
	if err := count(ctx, k.UseCounts, id); err != nil {
		return err
	}
	usage.Uses++
	usage.LastHeight, usage.LastProgram = sdk.UnwrapSDKContext(ctx).BlockHeight(), programHash
	return k.Usages.Set(ctx, key, usage)
}

// allow puts a program on the allowlist, or changes whether it is free.
func (k Keeper) allow(ctx context.Context, msg *types.MsgAllowProgram) error {
	if _, err := k.owned(ctx, msg.Owner, msg.Id); err != nil {
		return err
	}
	if err := types.CheckHash("program_hash", msg.ProgramHash); err != nil {
		return errorsmod.Wrap(types.ErrProgram, err.Error())
	}
	key := collections.Join(msg.Id, msg.ProgramHash)
	have, err := k.Programs.Get(ctx, key)
	if err == nil && have == msg.Free {
		return errorsmod.Wrapf(types.ErrProgram, "program_hash: %x is on the allowlist, free: %t", msg.ProgramHash, have)
	}
	if err != nil && !errors.Is(err, collections.ErrNotFound) {
		return err
	}
	if err := k.Programs.Set(ctx, key, msg.Free); err != nil {
		return err
	}
	return events.Emit(ctx, &types.EventProgramAllowed{Id: msg.Id, ProgramHash: msg.ProgramHash, Free: msg.Free})
}

// disallow takes a program off the allowlist; training that has begun goes on.
func (k Keeper) disallow(ctx context.Context, msg *types.MsgDisallowProgram) error {
	if _, err := k.owned(ctx, msg.Owner, msg.Id); err != nil {
		return err
	}
	key := collections.Join(msg.Id, msg.ProgramHash)
	if has, err := k.Programs.Has(ctx, key); err != nil {
		return err
	} else if !has {
		return errorsmod.Wrapf(types.ErrProgram, "program_hash: %.64x is not on the allowlist", msg.ProgramHash)
	}
	if err := k.Programs.Remove(ctx, key); err != nil {
		return err
	}
	return events.Emit(ctx, &types.EventProgramDisallowed{Id: msg.Id, ProgramHash: msg.ProgramHash})
}
