package types

import (
	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/commit"
)

// DefaultGenesis has no jobs.
func DefaultGenesis() *GenesisState { return &GenesisState{Params: DefaultParams()} }

// Validate checks everything that needs no other module.
func (g GenesisState) Validate() error {
	if err := g.Params.Validate(); err != nil {
		return err
	}
	recipes := make(map[string]bool, len(g.Recipes))
	for i, r := range g.Recipes {
		if err := r.Recipe.Validate(); err != nil {
			return errorsmod.Wrapf(ErrGenesis, "recipes[%d]: %s", i, err)
		}
		if recipes[r.Recipe.Id] {
			return errorsmod.Wrapf(ErrGenesis, "recipes[%d]: %q is there twice", i, r.Recipe.Id)
		}
		recipes[r.Recipe.Id] = true
	}
	last := uint64(0)
	for i, j := range g.Jobs {
		if j.Job.Id <= last {
			return errorsmod.Wrapf(ErrGenesis, "jobs[%d]: id %d does not follow %d", i, j.Job.Id, last)
		}
		last = j.Job.Id
		if err := j.validate(); err != nil {
			return errorsmod.Wrapf(err, "jobs[%d]", i)
		}
	}
	return nil
}

// Validate checks what of a recipe needs no other module. ErrRecipe.
func (r Recipe) Validate() error {
	switch {
	case r.Id == "" || len(r.Id) > maxRecipeID:
		return errorsmod.Wrapf(ErrRecipe, "id: %d bytes, want 1..%d", len(r.Id), maxRecipeID)
	case r.Model == "" || r.FiniteOutput == "":
		return errorsmod.Wrap(ErrRecipe, "model or finite_output: empty")
	case len(r.InputRoot) != commit.Size:
		return errorsmod.Wrapf(ErrRecipe, "input_root: %d bytes, want %d", len(r.InputRoot), commit.Size)
	case r.Steps == 0:
		return errorsmod.Wrap(ErrRecipe, "steps: 0")
	}
	return nil
}

// maxRecipeID bounds the id of a recipe.
const maxRecipeID = 32

func (g GenesisJob) validate() error {
	j, p := g.Job, g.Progress
	switch {
	case j.Owner == "" || j.Model == "" || len(j.InputRoot) != commit.Size:
		return errorsmod.Wrap(ErrGenesis, "owner, model or input_root: missing")
	case CheckSegments(j.Steps, j.SegmentSteps, maxSegments) != nil:
		return errorsmod.Wrapf(ErrGenesis, "segment_steps: %d of %d steps", j.SegmentSteps, j.Steps)
	case sdk.ValidateDenom(j.Denom) != nil:
		return errorsmod.Wrapf(ErrGenesis, "denom: %q", j.Denom)
	case p.State < STATE_OPENING || p.State > STATE_CANCELLED:
		return errorsmod.Wrapf(ErrGenesis, "state: %d is unknown", p.State)
	case p.Escrow.IsNil() || p.Escrow.IsNegative() || p.Spent.IsNil() || p.Spent.IsNegative():
		return errorsmod.Wrap(ErrGenesis, "escrow or spent: missing or negative")
	case p.Step > j.Steps || p.Furthest > j.Steps || p.Furthest < p.Step || (p.Step == 0) != (len(p.StateRoot) == 0):
		return errorsmod.Wrapf(ErrGenesis, "step, furthest, state_root: %d, %d of %d, %d bytes", p.Step, p.Furthest, j.Steps, len(p.StateRoot))
	case p.State == STATE_RUNNING && p.Task == 0 || p.Task != 0 && p.State != STATE_RUNNING && p.State != STATE_CANCELLED:
		return errorsmod.Wrapf(ErrGenesis, "task: %d in %s", p.Task, p.State)
	}
	last := uint64(0)
	for i, c := range g.Checkpoints {
		if c.Step <= last || c.Step > j.Steps || len(c.StateRoot) != commit.Size {
			return errorsmod.Wrapf(ErrGenesis, "checkpoints[%d]: step %d after %d, root of %d bytes", i, c.Step, last, len(c.StateRoot))
		}
		last = c.Step
	}
	return nil
}
