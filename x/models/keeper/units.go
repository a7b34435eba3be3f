package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/engine"
	"poaid/game"
	"poaid/x/models/types"
)

// Gas of registration, on top of what storing costs. One gas is about the six nanoseconds it is elsewhere in the SDK.
const (
	// gasPerProgramByte pays for decoding, encoding and hashing a program.
	gasPerProgramByte storetypes.Gas = 10
	// gasPerNode pays for checking a node, gasPerOperand for each of its operands.
	gasPerNode    storetypes.Gas = 1_000
	gasPerOperand storetypes.Gas = 50
	// gasPerEvaluation pays for looking at one result or operand at one step, at the largest rank.
	gasPerEvaluation storetypes.Gas = 50
	// gasPerJudgeableNode pays for planning nine judgements of a node.
	gasPerJudgeableNode storetypes.Gas = 5_000
)

// RunUnits returns the units of a run, and those of them that count for score: all but the forced steps. At most four reads,
// whatever the number of steps.
func (k Keeper) RunUnits(ctx context.Context, id string, steps, promptRows uint64) (units, scoreUnits uint64, err error) {
	u, err := throughBase(ctx, k, k.Units, id)
	if err != nil {
		return 0, 0, err
	}
	if u.TimeDependent {
		// The sums are stored under the id of the model that has the program.
		if id, err = k.programOf(ctx, id); err != nil {
			return 0, 0, err
		}
	}
	if err := u.CheckRun(steps, promptRows); err != nil {
		return 0, 0, err
	}
	forced := u.ForcedSteps(steps, promptRows)
	forcedUnits, err := k.sumTo(ctx, id, u, true, forced)
	if err != nil {
		return 0, 0, err
	}
	before, err := k.sumTo(ctx, id, u, false, forced)
	if err != nil {
		return 0, 0, err
	}
	through, err := k.sumTo(ctx, id, u, false, steps)
	if err != nil {
		return 0, 0, err
	}
	units, ok := types.CheckedAdd(forcedUnits, through-before)
	if !ok || through < before {
		return 0, 0, errorsmod.Wrapf(types.ErrState, "unit sums of %q", id)
	}
	return units, through - before, nil
}

// sumTo is what the first n steps cost if all of them evaluate one graph.
func (k Keeper) sumTo(ctx context.Context, id string, u types.Units, forced bool, n uint64) (uint64, error) {
	if n == 0 {
		return 0, nil
	}
	if !u.TimeDependent {
		each := u.Step
		if forced {
			each = u.Forced
		}
		sum, ok := types.CheckedMul(each, n)
		if !ok {
			return 0, errorsmod.Wrapf(types.ErrState, "units of %q overflow", id)
		}
		return sum, nil
	}
	chunk, err := k.UnitSums.Get(ctx, collections.Join3(id, forced, n/types.ChunkSums))
	if err != nil {
		return 0, errorsmod.Wrapf(types.ErrState, "unit sums of %q at step %d: %s", id, n, err)
	}
	sum, ok := types.SumAt(chunk, n%types.ChunkSums)
	if !ok {
		return 0, errorsmod.Wrapf(types.ErrState, "unit sums of %q at step %d: chunk too short", id, n)
	}
	return sum, nil
}

// setUnits works out and stores what runs of a program cost under the given constants. Gas is charged before the work.
func (k Keeper) setUnits(ctx context.Context, id string, p *engine.Program, cost engine.CostParams, maxEvaluations uint64) (types.Units, error) {
	u := types.Units{MacsPerUnit: cost.MacsPerUnit, BytesPerUnit: cost.BytesPerUnit, MaxSteps: p.MaxSteps(), TimeDependent: p.TimeDependent()}
	if p.HasForced() {
		for _, in := range p.Proto().Inputs {
			if in.Name == p.ForcedInput() {
				u.MaxPromptRows = uint64(in.Shape[0])
			}
		}
	}
	if err := chargeEvaluations(ctx, p, u, maxEvaluations); err != nil {
		return u, err
	}
	var err error
	if u.Step, err = p.Units(cost, 0, false); err != nil {
		return u, unitsError(err)
	}
	if p.HasForced() {
		if u.Forced, err = p.Units(cost, 0, true); err != nil {
			return u, unitsError(err)
		}
	}
	stepTotal, err := k.setSums(ctx, id, p, cost, u, false)
	if err != nil {
		return u, err
	}
	forcedTotal, err := k.setSums(ctx, id, p, cost, u, true)
	if err != nil {
		return u, err
	}
	// No run costs more than this, so sums of runs need no further care.
	if _, ok := types.CheckedAdd(stepTotal, forcedTotal); !ok {
		return u, errorsmod.Wrapf(types.ErrUnitsOverflow, "a run of %d steps", u.MaxSteps)
	}
	if err := checkClocks(p, cost, u); err != nil {
		return u, err
	}
	return u, k.Units.Set(ctx, id, u)
}

// checkClocks refuses programs whose games would have clocks beyond what package game counts: it takes every step to cost what the
// dearest one of either graph does. Dimensions never shrink, so that is the last one.
func checkClocks(p *engine.Program, cost engine.CostParams, u types.Units) error {
	dearest := max(u.Step, u.Forced)
	if u.TimeDependent {
		for _, forced := range []bool{false, true} {
			if forced && !p.HasForced() {
				continue
			}
			units, err := p.Units(cost, u.MaxSteps-1, forced)
			if err != nil {
				return unitsError(err)
			}
			dearest = max(dearest, units)
		}
	}
	if total, ok := types.CheckedMul(dearest, u.MaxSteps); !ok || total > game.MaxUnits {
		return errorsmod.Wrapf(types.ErrUnitsOverflow, "max_steps: %d steps of up to %d units, limit %d units", u.MaxSteps, dearest, uint64(game.MaxUnits))
	}
	return nil
}

// chargeEvaluations refuses programs that take too much work to price and charges gas for the others.
func chargeEvaluations(ctx context.Context, p *engine.Program, u types.Units, limit uint64) error {
	steps, forced := uint64(1), uint64(1)
	if u.TimeDependent {
		steps, forced = u.MaxSteps, u.MaxForced()
	}
	a, ok1 := types.CheckedMul(p.NumValues(false), steps)
	b, ok2 := types.CheckedMul(p.NumValues(true), forced)
	total, ok3 := types.CheckedAdd(a, b)
	if u.TimeDependent && (!ok1 || !ok2 || !ok3 || total > limit) {
		return errorsmod.Wrapf(types.ErrTooCostly, "program: shapes depend on the step, so its %d + %d results and operands are priced at %d and %d steps; limit %d evaluations",
			p.NumValues(false), p.NumValues(true), steps, forced, limit)
	}
	sdk.UnwrapSDKContext(ctx).GasMeter().ConsumeGas(total*gasPerEvaluation, "price program")
	return nil
}

// setSums returns what the longest run of one graph costs, and stores the sums up to each step if steps differ.
func (k Keeper) setSums(ctx context.Context, id string, p *engine.Program, cost engine.CostParams, u types.Units, forced bool) (uint64, error) {
	steps, each := u.MaxSteps, u.Step
	if forced {
		steps, each = u.MaxForced(), u.Forced
	}
	if !u.TimeDependent {
		total, ok := types.CheckedMul(each, steps)
		if !ok {
			return 0, errorsmod.Wrapf(types.ErrUnitsOverflow, "%d steps of %d units", steps, each)
		}
		return total, nil
	}
	sum := uint64(0)
	chunk := make([]uint64, 0, types.ChunkSums)
	for n := uint64(0); n <= steps; n++ {
		if n > 0 {
			units, err := p.Units(cost, n-1, forced)
			if err != nil {
				return 0, unitsError(err)
			}
			next, ok := types.CheckedAdd(sum, units)
			if !ok {
				return 0, errorsmod.Wrapf(types.ErrUnitsOverflow, "%d steps", n)
			}
			sum = next
		}
		chunk = append(chunk, sum)
		if len(chunk) < types.ChunkSums && n < steps {
			continue
		}
		if err := k.UnitSums.Set(ctx, collections.Join3(id, forced, n/types.ChunkSums), types.EncodeSums(chunk)); err != nil {
			return 0, err
		}
		chunk = chunk[:0]
	}
	return sum, nil
}

// unitsError registers the engine's errors about cost.
func unitsError(err error) error {
	if errors.Is(err, engine.ErrOverflow) {
		return errorsmod.Wrap(types.ErrUnitsOverflow, err.Error())
	}
	return errorsmod.Wrap(types.ErrInvalidProgram, err.Error())
}
