package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"

	"poaid/sprint"
	"poaid/x/sprints/types"
)

// baseDescription describes the reference transformer in x/models.
const baseDescription = "Reference transformer of sprints; its weights are made from a seed, every epoch other ones."

// InitGenesis builds the base model if it is asked for, and stores everything. It must run after x/models, x/poai and x/tasks.
func (k Keeper) InitGenesis(ctx context.Context, g types.GenesisState) error {
	if err := g.Validate(); err != nil {
		return err
	}
	if err := k.Params.Set(ctx, g.Params); err != nil {
		return err
	}
	if g.Program != nil {
		if err := k.registerBase(ctx, g.Params.BaseModel, g.Program.Config()); err != nil {
			return errorsmod.Wrap(err, "program")
		}
	}
	if err := k.checkBase(ctx, g.Params); err != nil {
		return err
	}
	if g.Season.Epoch > 0 {
		if err := k.Season.Set(ctx, g.Season); err != nil {
			return err
		}
	}
	if g.LastWindow > 0 {
		if err := k.LastWindow.Set(ctx, g.LastWindow); err != nil {
			return err
		}
	}
	return k.initRecords(ctx, g)
}

// registerBase builds the reference transformer and registers it. Its own weights serve nobody: seasons have theirs.
func (k Keeper) registerBase(ctx context.Context, id string, c sprint.Config) error {
	prog, err := sprint.Program(c)
	if err != nil {
		return errorsmod.Wrap(types.ErrProgram, err.Error())
	}
	return k.models.RegisterBase(ctx, id, baseDescription, prog.Proto(), make([]byte, sprint.SeedSize))
}

func (k Keeper) initRecords(ctx context.Context, g types.GenesisState) error {
	for _, w := range g.Windows {
		if err := k.Windows.Set(ctx, w.Number, w); err != nil {
			return err
		}
	}
	for _, c := range g.Commits {
		if err := k.Commits.Set(ctx, collections.Join(c.Window, c.Participant), c); err != nil {
			return err
		}
	}
	for _, a := range g.Audits {
		if err := k.initAudit(ctx, a); err != nil {
			return err
		}
	}
	for _, s := range g.Seeded {
		if err := k.Seeded.Set(ctx, s.Epoch, s); err != nil {
			return err
		}
	}
	for _, p := range g.Proven {
		if err := k.Proven.Set(ctx, p.Participant, p.Window); err != nil {
			return err
		}
	}
	return nil
}

func (k Keeper) initAudit(ctx context.Context, a types.Audit) error {
	if err := k.Audits.Set(ctx, a.Task, a); err != nil {
		return err
	}
	if err := k.AuditsOf.Set(ctx, collections.Join(a.Participant, a.Task)); err != nil {
		return err
	}
	if len(a.Opened) > 0 || a.Decided {
		return nil
	}
	return k.DueOpenings.Set(ctx, collections.Join(a.Deadline, a.Task))
}

// ExportGenesis reads everything that InitGenesis cannot rebuild. The base model is exported by x/models.
func (k Keeper) ExportGenesis(ctx context.Context) (*types.GenesisState, error) {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return nil, err
	}
	g := &types.GenesisState{Params: params}
	if g.Season, err = k.season(ctx); err != nil {
		return nil, err
	}
	if g.LastWindow, err = k.LastWindow.Get(ctx); err != nil && !errors.Is(err, collections.ErrNotFound) {
		return nil, err
	}
	if g.Windows, err = values(ctx, k.Windows); err != nil {
		return nil, err
	}
	if g.Commits, err = values(ctx, k.Commits); err != nil {
		return nil, err
	}
	if g.Audits, err = values(ctx, k.Audits); err != nil {
		return nil, err
	}
	if g.Seeded, err = values(ctx, k.Seeded); err != nil {
		return nil, err
	}
	err = k.Proven.Walk(ctx, nil, func(participant string, window uint64) (bool, error) {
		g.Proven = append(g.Proven, types.Proven{Participant: participant, Window: window})
		return false, nil
	})
	return g, err
}

func values[K, V any](ctx context.Context, m collections.Map[K, V]) (out []V, err error) {
	err = m.Walk(ctx, nil, func(_ K, v V) (bool, error) {
		out = append(out, v)
		return false, nil
	})
	return out, err
}
