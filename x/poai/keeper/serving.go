package keeper

import (
	"context"
	"errors"
	"strings"
	"unicode"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"

	"poaid/x/poai/sortition"
	"poaid/x/poai/types"
)

const (
	maxModelID = 64
	// reweighsPerBlock is how many participants are weighed anew in a block after the params changed.
	reweighsPerBlock = 100
)

// serve makes p a candidate for models. It changes p but does not store it.
func (k *Keeper) serve(ctx context.Context, p *types.Participant, models []string, params types.Params) error {
	if len(models) == 0 {
		return errorsmod.Wrap(types.ErrInvalidModel, "models: must not be empty")
	}
	if uint64(p.Models)+uint64(len(models)) > uint64(params.MaxModels) {
		return errorsmod.Wrapf(types.ErrTooManyModels, "models: %d and %d more, max_models is %d", p.Models, len(models), params.MaxModels)
	}
	if p.Bond.LT(params.MinBond) {
		return errorsmod.Wrapf(types.ErrBondTooLow, "bond %s: min_bond is %s, add bond first", p.Bond, params.MinBond)
	}
	for _, model := range models {
		if model == "" || len(model) > maxModelID || strings.ContainsFunc(model, unicode.IsControl) {
			return errorsmod.Wrapf(types.ErrInvalidModel, "model %q: must have 1 to %d printable bytes", model, maxModelID)
		}
		has, err := k.models.HasModel(ctx, model)
		if err != nil {
			return err
		}
		if !has {
			return errorsmod.Wrapf(types.ErrInvalidModel, "model %q: not registered", model)
		}
		_, err = k.Trees.Add(ctx, model, p.Address, params.Weight(p.Bond))
		if errors.Is(err, sortition.ErrServing) {
			return errorsmod.Wrapf(types.ErrAlreadyServing, "model %q", model)
		}
		if errors.Is(err, sortition.ErrFull) {
			return errorsmod.Wrapf(types.ErrOverflow, "model %q is served by %d participants, the limit", model, sortition.MaxSlots)
		}
		if err != nil {
			return err
		}
		p.Models++
	}
	return nil
}

// stopServing takes p out of models' trees. Work already drawn stays due.
func (k *Keeper) stopServing(ctx context.Context, p *types.Participant, models []string) error {
	if len(models) == 0 {
		return errorsmod.Wrap(types.ErrInvalidModel, "models: must not be empty")
	}
	if len(models) > int(p.Models) {
		return errorsmod.Wrapf(types.ErrNotServing, "models: %d named, %d served", len(models), p.Models)
	}
	for _, model := range models {
		if model == "" || len(model) > maxModelID || strings.ContainsFunc(model, unicode.IsControl) {
			return errorsmod.Wrapf(types.ErrInvalidModel, "model %q: must have 1 to %d printable bytes", model, maxModelID)
		}
		err := k.Trees.Remove(ctx, model, p.Address)
		if errors.Is(err, sortition.ErrNotServing) {
			return errorsmod.Wrapf(types.ErrNotServing, "model %q", model)
		}
		if err != nil {
			return err
		}
		p.Models--
	}
	return nil
}

// bondChanged brings the trees in line after p's bond was oldBond. Most changes, above max_weight_bond, touch no tree.
func (k *Keeper) bondChanged(ctx context.Context, p types.Participant, oldBond math.Int, params types.Params) error {
	if params.Weight(oldBond) == params.Weight(p.Bond) {
		return nil
	}
	return k.weigh(ctx, p, params)
}

// weigh sets p's weight in every tree it has a slot in; at most max_models trees.
func (k *Keeper) weigh(ctx context.Context, p types.Participant, params types.Params) error {
	if p.Models == 0 {
		return nil
	}
	models, err := k.Trees.Models(ctx, p.Address)
	if err != nil {
		return err
	}
	for _, model := range models {
		if err := k.Trees.SetWeight(ctx, model, p.Address, params.Weight(p.Bond)); err != nil {
			return err
		}
	}
	return nil
}

// reweigh goes on weighing participants anew after min_bond or max_weight_bond changed, a bounded number a block. Meanwhile draws
// mix old weights and new, which is fair enough; min_bond itself is checked at each draw.
func (k *Keeper) reweigh(ctx context.Context) error {
	cursor, err := k.ReweighCursor.Get(ctx)
	if errors.Is(err, collections.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	params, err := k.Params.Get(ctx)
	if err != nil {
		return err
	}
	batch, next, err := k.participantsFrom(ctx, cursor, reweighsPerBlock)
	if err != nil {
		return err
	}
	for _, p := range batch {
		if err := k.weigh(ctx, p, params); err != nil {
			return err
		}
	}
	if next == "" {
		return k.ReweighCursor.Remove(ctx)
	}
	return k.ReweighCursor.Set(ctx, next)
}

// participantsFrom reads up to limit participants from an address on, and the address after them, "" at the end.
func (k *Keeper) participantsFrom(ctx context.Context, start string, limit int) (batch []types.Participant, next string, err error) {
	iter, err := k.Participants.Iterate(ctx, new(collections.Range[string]).StartInclusive(start))
	if err != nil {
		return nil, "", err
	}
	defer iter.Close()
	for ; iter.Valid(); iter.Next() {
		p, err := iter.Value()
		if err != nil {
			return nil, "", err
		}
		if len(batch) == limit {
			return batch, p.Address, nil
		}
		batch = append(batch, p)
	}
	return batch, "", nil
}
