package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"

	"poaid/x/grades/types"
)

// enter puts a work into a contest. It is graded from the next round on: what graders sealed before they could know it does not count for it. An
// owner's earlier work goes, with what its grades and bonds say. A full contest drops its oldest entry that earned nothing in the last round.
func (k Keeper) enter(ctx context.Context, msg *types.MsgEnter) (types.Entry, error) {
	addr, owner, err := k.payable("owner", msg.Owner)
	if err != nil {
		return types.Entry{}, err
	}
	if err := types.CheckHash("hash", msg.Hash); err != nil {
		return types.Entry{}, err
	}
	if err := types.CheckURI(msg.Uri); err != nil {
		return types.Entry{}, err
	}
	params, err := k.Params.Get(ctx)
	if err != nil {
		return types.Entry{}, err
	}
	c, err := k.open(ctx, msg.Contest)
	if err != nil {
		return types.Entry{}, err
	}
	if err := k.burnFee(ctx, addr, params.FeeDenom, params.EntryFee); err != nil {
		return types.Entry{}, errorsmod.Wrap(err, "entry_fee")
	}
	e := types.Entry{
		Contest: c.Id, Owner: owner, Hash: msg.Hash, Uri: msg.Uri, Height: height(ctx), FirstRound: c.Round + 1, Earned: math.ZeroInt(),
	}
	if e.Slot, err = k.makeRoom(ctx, &c, owner, &e); err != nil {
		return e, err
	}
	key := collections.Join(c.Number, uint64(e.Slot))
	if err := k.Entries.Set(ctx, key, e); err != nil {
		return e, err
	}
	if err := k.EntryOf.Set(ctx, collections.Join(c.Number, owner), uint64(e.Slot)); err != nil {
		return e, err
	}
	c.Entries++
	if err := emit(ctx, &types.EventEntryChanged{Contest: c.Id, Slot: e.Slot, Owner: owner, Entered: true}); err != nil {
		return e, err
	}
	return e, k.begin(ctx, params, c)
}

// makeRoom finds a slot, removing the owner's earlier entry or, in a full contest, one that earned nothing. It reads at most max_entries entries.
func (k Keeper) makeRoom(ctx context.Context, c *types.Contest, owner string, e *types.Entry) (uint32, error) {
	slot, err := k.EntryOf.Get(ctx, collections.Join(c.Number, owner))
	if err == nil {
		old, err := k.Entries.Get(ctx, collections.Join(c.Number, slot))
		if err != nil {
			return 0, err
		}
		e.Earned = old.Earned
		return old.Slot, k.remove(ctx, c, old, "replaced by its owner")
	}
	if !errors.Is(err, collections.ErrNotFound) {
		return 0, err
	}
	entries, err := k.entries(ctx, c.Number)
	if err != nil {
		return 0, err
	}
	if len(entries) < int(c.MaxEntries) {
		for i, other := range entries { // in order of slots
			if int(other.Slot) != i {
				return uint32(i), nil // #nosec G115 -- below max_entries
			}
		}
		return uint32(len(entries)), nil // #nosec G115 -- below max_entries
	}
	var worst *types.Entry
	for i := range entries {
		if o := &entries[i]; o.LastRound > 0 && o.IncentivePpb == 0 && (worst == nil || o.FirstRound < worst.FirstRound) {
			worst = o
		}
	}
	if worst == nil {
		return 0, errorsmod.Wrapf(types.ErrFull, "contest: %q has %d entries, and each is new or earned something", c.Id, len(entries))
	}
	return worst.Slot, k.remove(ctx, c, *worst, "earned nothing")
}

// leave takes an owner's entry out.
func (k Keeper) leave(ctx context.Context, msg *types.MsgLeave) error {
	_, owner, err := k.address("owner", msg.Owner)
	if err != nil {
		return err
	}
	c, err := k.contest(ctx, msg.Contest)
	if err != nil {
		return err
	}
	slot, err := k.EntryOf.Get(ctx, collections.Join(c.Number, owner))
	if errors.Is(err, collections.ErrNotFound) {
		return errorsmod.Wrapf(types.ErrNotFound, "owner: %s has no entry in %q", owner, c.Id)
	}
	if err != nil {
		return err
	}
	e, err := k.Entries.Get(ctx, collections.Join(c.Number, slot))
	if err != nil {
		return err
	}
	if err := k.remove(ctx, &c, e, "left"); err != nil {
		return err
	}
	return k.Contests.Set(ctx, c.Number, c)
}

// remove drops an entry. It changes c, which the caller stores.
func (k Keeper) remove(ctx context.Context, c *types.Contest, e types.Entry, reason string) error {
	if err := k.Entries.Remove(ctx, collections.Join(c.Number, uint64(e.Slot))); err != nil {
		return err
	}
	if err := k.EntryOf.Remove(ctx, collections.Join(c.Number, e.Owner)); err != nil {
		return err
	}
	c.Entries--
	return emit(ctx, &types.EventEntryChanged{Contest: c.Id, Slot: e.Slot, Owner: e.Owner, Reason: reason})
}

// entries lists a contest's entries by slot; at most max_entries.
func (k Keeper) entries(ctx context.Context, contest uint64) ([]types.Entry, error) {
	return list(ctx, k.Entries, collections.NewPrefixedPairRange[uint64, uint64](contest))
}

// seats lists the seats of a contest's running round by address; at most max_seats.
func (k Keeper) seats(ctx context.Context, contest uint64) ([]types.Seat, error) {
	return list(ctx, k.Seats, collections.NewPrefixedPairRange[uint64, string](contest))
}

func list[K, V any](ctx context.Context, m collections.Map[K, V], r collections.Ranger[K]) (out []V, err error) {
	err = m.Walk(ctx, r, func(_ K, v V) (bool, error) {
		out = append(out, v)
		return false, nil
	})
	return out, err
}
