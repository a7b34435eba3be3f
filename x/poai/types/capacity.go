package types

import (
	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"

	"poaid/x/poai/sortition"
)

// Limits of the capacity params.
const (
	maxHalvingEpochs = uint64(1_000_000)
	maxSlackPpm      = uint64(1_000_000_000)
	maxDecays        = 10_000
)

// DefaultCapacityParams count unproven bond a tenth of proven bond, whatever the number of addresses it is divided among.
func DefaultCapacityParams() CapacityParams {
	return CapacityParams{
		BondPerUnit:    math.NewInt(1_000), // 1,000 poai back a million units per block
		NewcomerBond:   math.NewInt(10_000_000),
		HalvingEpochs:  6,
		SprintSharePpm: 100_000,
		CreditSlackPpm: 2_000_000,
		DecaysPerBlock: 100,
	}
}

// Validate checks every param.
func (p CapacityParams) Validate() error {
	limit := math.NewIntFromUint64(sortition.MaxWeight)
	if p.BondPerUnit.IsNil() || p.BondPerUnit.IsNegative() || p.BondPerUnit.GT(limit) {
		return errorsmod.Wrapf(ErrInvalidParams, "capacity.bond_per_unit %s: must be 0 to %s", p.BondPerUnit, limit)
	}
	if p.NewcomerBond.IsNil() || !p.NewcomerBond.IsPositive() || p.NewcomerBond.GT(limit) {
		return errorsmod.Wrapf(ErrInvalidParams, "capacity.newcomer_bond %s: must be 1 to %s", p.NewcomerBond, limit)
	}
	for _, r := range []struct {
		name            string
		value, min, max uint64
	}{
		{"halving_epochs", p.HalvingEpochs, 0, maxHalvingEpochs},
		{"sprint_share_ppm", p.SprintSharePpm, 0, PPM},
		{"credit_slack_ppm", p.CreditSlackPpm, PPM, maxSlackPpm},
		{"decays_per_block", uint64(p.DecaysPerBlock), 1, maxDecays},
	} {
		if r.value < r.min || r.value > r.max {
			return errorsmod.Wrapf(ErrInvalidParams, "capacity.%s %d: must be %d to %d", r.name, r.value, r.min, r.max)
		}
	}
	return nil
}

// Weight is what a participant counts for in sortition: nothing in jail or below min_bond; otherwise its bond as far as max_weight_bond and, where
// capacity counts, as far as what it has proven (or what any newcomer is believed), times its reliability as of the last weighing.
func (p Params) Weight(who Participant, counts bool) uint64 {
	if who.Jailed() || who.Bond.LT(p.MinBond) {
		return 0
	}
	part := math.MinInt(who.Bond, p.MaxWeightBond)
	if counts {
		backed := math.NewIntFromUint64(who.Capacity).Mul(p.Capacity.BondPerUnit)
		part = math.MinInt(part, math.MaxInt(backed, p.Capacity.NewcomerBond))
	}
	return part.Uint64() * who.WeighedReliabilityPpm / PPM // below 2^40 · 10^6
}

// EpochAllowance is the most that an epoch credits to a capacity, in millionths of a unit. Where capacity counts bond_per_unit is positive.
func (p Params) EpochAllowance(capacity uint64) math.Int {
	believed := p.Capacity.NewcomerBond.Quo(p.Capacity.BondPerUnit)
	perBlock := math.MaxInt(math.NewIntFromUint64(capacity), believed)
	return perBlock.MulRaw(p.EpochBlocks).Mul(math.NewIntFromUint64(p.Capacity.CreditSlackPpm))
}

// WeighsAs tells that both params give every participant the same weight.
func (p Params) WeighsAs(q Params) bool {
	return p.MinBond.Equal(q.MinBond) && p.MaxWeightBond.Equal(q.MaxWeightBond) &&
		p.Capacity.BondPerUnit.Equal(q.Capacity.BondPerUnit) && p.Capacity.NewcomerBond.Equal(q.Capacity.NewcomerBond)
}
