package keeper

import (
	"context"
	"errors"

	errorsmod "cosmossdk.io/errors"

	"poaid/x/poai/sortition"
	"poaid/x/poai/types"
)

// DrawGraders draws up to req.Seats participants without replacement from those who serve req.Model, and locks req.Lock of each for req.Item. It
// returns them in the order of the draw: fewer than asked for, even none, where there are not enough who have that much free bond.
func (k *Keeper) DrawGraders(ctx context.Context, req types.GradersRequest) ([]string, error) {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return nil, err
	}
	pool := candidates{model: req.Model, lock: req.Lock, src: sortition.NewSource("graders", req.Item, 0, req.Seed)}
	var graders []string
	for range req.Seats {
		p, found, err := k.draw(ctx, &pool, params)
		if err != nil {
			return nil, err
		}
		if !found {
			break
		}
		if err := k.lock(ctx, &p, types.LOCK_KIND_GRADE, req.Item, req.Lock); err != nil {
			return nil, err
		}
		if err := k.Participants.Set(ctx, p.Address, p); err != nil {
			return nil, err
		}
		graders = append(graders, p.Address)
	}
	return graders, nil
}

// JoinPool makes a participant a candidate of a pool that is no model: the graders of a contest. It counts as a model served, and weighs the same.
func (k *Keeper) JoinPool(ctx context.Context, participant, pool string) error {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return err
	}
	p, err := k.participant(ctx, participant)
	if err != nil {
		return err
	}
	if p.Models >= params.MaxModels {
		return errorsmod.Wrapf(types.ErrTooManyModels, "participant: serves %d models and pools, max_models is %d", p.Models, params.MaxModels)
	}
	if p.Jailed() {
		return errorsmod.Wrapf(types.ErrJailed, "participant %s: until height %d at least", p.Address, p.Conduct.JailedUntil)
	}
	if p.Bond.LT(params.MinBond) {
		return errorsmod.Wrapf(types.ErrBondTooLow, "bond %s: min_bond is %s, add bond first", p.Bond, params.MinBond)
	}
	if err := k.weigh(ctx, &p, params); err != nil {
		return err
	}
	weight, err := k.weight(ctx, p, params)
	if err != nil {
		return err
	}
	switch _, err := k.Trees.Add(ctx, pool, p.Address, weight); {
	case errors.Is(err, sortition.ErrServing):
		return errorsmod.Wrapf(types.ErrAlreadyServing, "pool %q", pool)
	case errors.Is(err, sortition.ErrFull):
		return errorsmod.Wrapf(types.ErrOverflow, "pool %q has %d participants, the limit", pool, sortition.MaxSlots)
	case err != nil:
		return err
	}
	p.Models++
	return k.Participants.Set(ctx, p.Address, p)
}

// LeavePool ends that. What was drawn stays due.
func (k *Keeper) LeavePool(ctx context.Context, participant, pool string) error {
	p, err := k.participant(ctx, participant)
	if err != nil {
		return err
	}
	err = k.Trees.Remove(ctx, pool, p.Address)
	if errors.Is(err, sortition.ErrNotServing) {
		return errorsmod.Wrapf(types.ErrNotServing, "pool %q", pool)
	}
	if err != nil {
		return err
	}
	p.Models--
	return k.Participants.Set(ctx, p.Address, p)
}
