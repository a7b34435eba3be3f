package keeper

import (
	"context"
	"errors"

	errorsmod "cosmossdk.io/errors"

	"poaid/x/poai/types"
)

// Qualify tells whether a participant may take a task that it was not drawn for: it serves the model, has weight in it (a bond of at least min_bond),
// meets the requirements, has that much free bond and, if asked, a free place. ErrUnfit says what is missing.
func (k *Keeper) Qualify(ctx context.Context, req types.QualifyRequest) error {
	_, err := k.qualified(ctx, req)
	return err
}

// Enlist gives a task to a participant that came for it: it locks and occupies it, if it qualifies. ErrUnfit, ErrLockExists.
func (k *Keeper) Enlist(ctx context.Context, req types.QualifyRequest, task uint64) error {
	p, err := k.qualified(ctx, req)
	if err != nil {
		return err
	}
	if err := k.lock(ctx, &p, types.LOCK_KIND_TASK, task, req.Lock); err != nil {
		return err
	}
	occupy(&p)
	return k.Participants.Set(ctx, p.Address, p)
}

func (k *Keeper) qualified(ctx context.Context, req types.QualifyRequest) (types.Participant, error) {
	p, err := k.participant(ctx, req.Participant)
	if errors.Is(err, types.ErrUnknownParticipant) {
		return p, errorsmod.Wrapf(types.ErrUnfit, "participant %s has not joined", req.Participant)
	}
	if err != nil {
		return p, err
	}
	leaf, serves, err := k.Trees.Leaf(ctx, req.Model, p.Address)
	if err != nil {
		return p, err
	}
	free := p.Bond.Sub(p.Locked)
	switch {
	case !serves:
		return p, errorsmod.Wrapf(types.ErrUnfit, "participant %s does not serve model %q", p.Address, req.Model)
	case p.Jailed():
		return p, errorsmod.Wrapf(types.ErrUnfit, "participant %s: in jail until height %d at least", p.Address, p.Conduct.JailedUntil)
	case leaf.Weight == 0:
		return p, errorsmod.Wrapf(types.ErrUnfit, "participant %s: has no weight, its bond is %s", p.Address, p.Bond)
	case req.Place && p.Active >= p.Concurrency:
		return p, errorsmod.Wrapf(types.ErrUnfit, "participant %s: works on %d items, its concurrency is %d", p.Address, p.Active, p.Concurrency)
	case free.LT(req.Lock):
		return p, errorsmod.Wrapf(types.ErrUnfit, "participant %s: %s of its bond is free, want %s", p.Address, free, req.Lock)
	}
	return p, req.Requirements.Unmet(p)
}
