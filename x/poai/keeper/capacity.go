package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/x/poai/types"
)

// SetCapacity replaces what a participant has proven to compute, in units per block, as of the running epoch; 0 voids it. The first
// proof ever makes capacity count for everybody from the next epoch on. ErrUnknownParticipant when the participant has not joined.
func (k *Keeper) SetCapacity(ctx context.Context, participant string, unitsPerBlock uint64) error {
	p, err := k.participant(ctx, participant)
	if err != nil {
		return err
	}
	params, err := k.Params.Get(ctx)
	if err != nil {
		return err
	}
	running, err := k.RunningEpoch.Get(ctx)
	if err != nil {
		return err
	}
	if unitsPerBlock > 0 {
		if err := k.firstProof(ctx, running+1); err != nil {
			return err
		}
	}
	return k.setCapacity(ctx, &p, unitsPerBlock, running, params)
}

// setCapacity changes, weighs and stores p, and puts it into the queue of those who halve.
func (k *Keeper) setCapacity(ctx context.Context, p *types.Participant, capacity, epoch uint64, params types.Params) error {
	if p.Capacity > 0 {
		if err := k.Decays.Remove(ctx, collections.Join(p.CapacityEpoch, p.Address)); err != nil {
			return err
		}
	}
	p.Capacity, p.CapacityEpoch = capacity, epoch
	if p.Capacity > 0 {
		if err := k.Decays.Set(ctx, collections.Join(p.CapacityEpoch, p.Address)); err != nil {
			return err
		}
	}
	if err := k.weigh(ctx, p, params); err != nil {
		return err
	}
	if err := k.Participants.Set(ctx, p.Address, *p); err != nil {
		return err
	}
	return emit(ctx, &types.EventCapacityChanged{Participant: p.Address, Capacity: p.Capacity, Epoch: p.CapacityEpoch})
}

// firstProof notes from which epoch on capacity counts, once.
func (k *Keeper) firstProof(ctx context.Context, epoch uint64) error {
	has, err := k.CapacityFrom.Has(ctx)
	if err != nil || has {
		return err
	}
	if err := k.CapacityFrom.Set(ctx, epoch); err != nil {
		return err
	}
	return emit(ctx, &types.EventCapacityCounts{Epoch: epoch})
}

// capacityCounts tells whether capacity bounds weights and credits in an epoch: bond_per_unit is set, and somebody has proven some
// capacity in an earlier epoch. Before, there is nothing to compare with: weight is by bond, and credits have no limit.
func (k *Keeper) capacityCounts(ctx context.Context, epoch uint64, params types.Params) (bool, error) {
	if !params.Capacity.BondPerUnit.IsPositive() {
		return false, nil
	}
	from, err := k.CapacityFrom.Get(ctx)
	if errors.Is(err, collections.ErrNotFound) {
		return false, nil
	}
	return err == nil && epoch >= from, err
}

// decay halves capacities that were not proven again for halving_epochs, oldest first, decays_per_block at most. What waits longer is
// halved as often as it should have been.
func (k *Keeper) decay(ctx context.Context, params types.Params) error {
	every := params.Capacity.HalvingEpochs
	running, err := k.RunningEpoch.Get(ctx)
	if err != nil || every == 0 || running <= every {
		return err
	}
	due, err := k.decaysDue(ctx, running-every, int(params.Capacity.DecaysPerBlock))
	if err != nil {
		return err
	}
	for _, key := range due {
		p, err := k.Participants.Get(ctx, key.K2())
		if err != nil {
			return err
		}
		times := (running - p.CapacityEpoch) / every
		if err := k.setCapacity(ctx, &p, p.Capacity>>times, p.CapacityEpoch+times*every, params); err != nil {
			return err
		}
	}
	return nil
}

// decaysDue lists up to limit participants whose capacity is of an epoch up to last.
func (k *Keeper) decaysDue(ctx context.Context, last uint64, limit int) (due []DecayKey, err error) {
	err = k.Decays.Walk(ctx, collections.NewPrefixUntilPairRange[uint64, string](last), func(key DecayKey) (bool, error) {
		due = append(due, key)
		return len(due) == limit, nil
	})
	return due, err
}

// stale notes that p's reliability or bond fell, so that EndBlock weighs it anew. A fault costs two writes, not one for each tree.
func (k *Keeper) stale(ctx context.Context, p types.Participant) error {
	if p.Models == 0 {
		return nil
	}
	return k.Stale.Set(ctx, collections.Join(sdk.UnwrapSDKContext(ctx).BlockHeight(), p.Address))
}

// weighStale weighs participants with faults anew, those who wait longest first, a bounded number a block.
func (k *Keeper) weighStale(ctx context.Context, params types.Params) error {
	var keys []StaleKey
	err := k.Stale.Walk(ctx, nil, func(key StaleKey) (bool, error) {
		keys = append(keys, key)
		return len(keys) == reweighsPerBlock, nil
	})
	if err != nil {
		return err
	}
	for _, key := range keys {
		p, err := k.Participants.Get(ctx, key.K2())
		if err != nil {
			return err
		}
		if err := k.weigh(ctx, &p, params); err != nil {
			return err
		}
		if err := k.Participants.Set(ctx, p.Address, p); err != nil {
			return err
		}
		if err := k.Stale.Remove(ctx, key); err != nil {
			return err
		}
	}
	return nil
}
