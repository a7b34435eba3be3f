package keeper

import (
	"context"
	"errors"
	"strings"
	"unicode"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"

	"poaid/x/poai/sortition"
	"poaid/x/poai/types"
)

const (
	maxModelID = 64
	// reweighsPerBlock is how many participants are weighed anew in a block, because params changed, and because of faults.
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
	if p.Jailed() {
		return errorsmod.Wrapf(types.ErrJailed, "participant %s: until height %d at least", p.Address, p.Conduct.JailedUntil)
	}
	if p.Bond.LT(params.MinBond) {
		return errorsmod.Wrapf(types.ErrBondTooLow, "bond %s: min_bond is %s, add bond first", p.Bond, params.MinBond)
	}
	if err := k.weigh(ctx, p, params); err != nil {
		return err
	}
	weight, err := k.weight(ctx, *p, params)
	if err != nil {
		return err
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
		_, err = k.Trees.Add(ctx, model, p.Address, weight)
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

// weigh brings the trees in line with p's bond, capacity and reliability. It changes p, which the caller stores.
func (k *Keeper) weigh(ctx context.Context, p *types.Participant, params types.Params) error {
	p.WeighedReliabilityPpm = p.ReliabilityPpm
	return k.setWeights(ctx, *p, params)
}

// weight is what p counts for now, by its reliability as of the last weighing.
func (k *Keeper) weight(ctx context.Context, p types.Participant, params types.Params) (uint64, error) {
	running, err := k.RunningEpoch.Get(ctx)
	if err != nil {
		return 0, err
	}
	counts, err := k.capacityCounts(ctx, running, params)
	return params.Weight(p, counts), err
}

// setWeights sets p's weight in every tree it has a slot in; at most max_models trees.
func (k *Keeper) setWeights(ctx context.Context, p types.Participant, params types.Params) error {
	if p.Models == 0 {
		return nil
	}
	weight, err := k.weight(ctx, p, params)
	if err != nil {
		return err
	}
	models, err := k.Trees.Models(ctx, p.Address)
	if err != nil {
		return err
	}
	for _, model := range models {
		if err := k.Trees.SetWeight(ctx, model, p.Address, weight); err != nil {
			return err
		}
	}
	return nil
}

// reweigh goes on weighing participants anew after params that weights depend on changed or capacity began to count, a bounded number a
// block. Meanwhile draws mix old weights and new, which is fair enough; min_bond itself is checked at each draw.
func (k *Keeper) reweigh(ctx context.Context, params types.Params) error {
	cursor, err := k.ReweighCursor.Get(ctx)
	if errors.Is(err, collections.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	batch, next, err := k.participantsFrom(ctx, cursor, reweighsPerBlock)
	if err != nil {
		return err
	}
	for _, p := range batch {
		if err := k.setWeights(ctx, p, params); err != nil {
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
