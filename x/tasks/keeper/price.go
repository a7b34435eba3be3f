package keeper

import (
	"context"
	"errors"
	gomath "math"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"

	"poaid/x/tasks/types"
)

// waitingShare: what nobody could be drawn for counts as demand up to one in so many units of the target. Such tasks cost their submitter nothing, so
// they must not carry the price up by themselves; but where all workers are busy the price must not fall either.
const waitingShare = 2

// demand is what of a block's work found, or sought, its first worker, in units. It is counted where tasks are given out, at the end of a block, because a
// counter that every submission writes would make transactions wait for one another.
type demand struct {
	// drawn counts tasks that got their first worker.
	drawn uint64
	// waiting counts tasks that wanted their first worker and found none.
	waiting uint64
}

// count counts the units of a task where it is about its first worker; later workers of a task are no new demand.
func (d *demand) count(units uint64, found bool) {
	if found {
		d.drawn = addSat(d.drawn, units)
	} else {
		d.waiting = addSat(d.waiting, units)
	}
}

// bought is how many of an auctioned task's units an amount of its denom pays for at the floor of its submission, at most all of them. Whoever bids on its own task
// chooses its price, so units alone would move the floor for next to nothing.
func bought(task types.Task, amount math.Int) uint64 {
	if !task.UnitPrice.IsPositive() {
		return task.Units
	}
	units := types.Worth(amount, task.Rate()).MulRaw(types.PriceUnits).Quo(task.UnitPrice)
	return math.MinInt(units, math.NewIntFromUint64(task.Units)).Uint64()
}

func (d *demand) add(o demand) {
	d.drawn, d.waiting = addSat(d.drawn, o.drawn), addSat(d.waiting, o.waiting)
}

// units is what the price is moved by.
func (d demand) units(target uint64) uint64 {
	return addSat(d.drawn, min(d.waiting, target/waitingShare))
}

// floor is the price floor of 1,000,000 units in fee_denom: what tasks submitted now pay.
func (k Keeper) floor(ctx context.Context, params types.Params) (math.Int, error) {
	p, err := k.priceNow(ctx, params)
	return p.Floor, err
}

// priceNow is where the price stands. Without a target it is unit_price, whatever it was before.
func (k Keeper) priceNow(ctx context.Context, params types.Params) (types.Price, error) {
	least := types.Price{Floor: params.UnitPrice}
	if params.TargetUnitsPerBlock == 0 {
		return least, nil
	}
	p, err := k.Price.Get(ctx)
	if errors.Is(err, collections.ErrNotFound) {
		return least, nil
	}
	p.Floor = math.MaxInt(p.Floor, params.UnitPrice)
	return p, err
}

// movePrice moves the floor by the demand of the block that ends. It writes only what changes, at most one record.
func (k Keeper) movePrice(ctx context.Context, params types.Params, d demand) error {
	before, err := k.priceNow(ctx, params)
	if err != nil {
		return err
	}
	next := types.Price{Floor: params.UnitPrice}
	if target := params.TargetUnitsPerBlock; target > 0 {
		next.Demand = d.units(target)
		next.Floor = params.NextFloor(before.Floor, next.Demand)
	}
	if !next.Floor.Equal(before.Floor) {
		if err := emit(ctx, &types.EventPriceMoved{Floor: next.Floor.String(), Before: before.Floor.String(), Demand: next.Demand}); err != nil {
			return err
		}
	}
	stored, err := k.Price.Get(ctx)
	found := err == nil
	switch {
	case err != nil && !errors.Is(err, collections.ErrNotFound):
		return err
	case next.Demand == 0 && next.Floor.Equal(params.UnitPrice):
		if !found {
			return nil
		}
		return k.Price.Remove(ctx)
	case found && stored.Demand == next.Demand && stored.Floor.Equal(next.Floor):
		return nil
	}
	return k.Price.Set(ctx, next)
}

func addSat(a, b uint64) uint64 {
	if a > gomath.MaxUint64-b {
		return gomath.MaxUint64
	}
	return a + b
}
