package types

import (
	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/x/poai/sortition"
)

// Limits of the params.
const (
	maxBlocks      = int64(100_000_000)
	maxModels      = 256
	maxConcurrency = 65_535
	maxBatch       = 1_000
	maxSeats       = 64
	maxWindow      = uint64(1) << 48
	minBurnBps     = 5_000
)

// DefaultParams suit blocks of about a second.
func DefaultParams() Params {
	return Params{
		BondDenom:              "upoai",
		MinBond:                math.NewInt(100_000_000),
		UnbondingBlocks:        1_512_000, // three weeks at 1.2 s
		EpochBlocks:            3_600,
		EpochCloseDelayBlocks:  14_400,
		VerifierSharePpm:       500_000,
		ReliabilityStartPpm:    500_000,
		ReliabilityWindowUnits: 1_000_000,
		ReliabilityFaultPpm:    500_000,
		SlashBurnBps:           5_000,
		MaxModels:              32,
		MaxConcurrency:         1_024,
		MaxBatch:               256,
		MaxSeats:               16,
		MaxWeightBond:          math.NewInt(1_000_000_000_000),
		ReliabilityAbstainPpm:  980_000,
		Capacity:               DefaultCapacityParams(),
		Power:                  DefaultPowerParams(),
		VrfActivationBlocks:    100,
		Fault:                  DefaultFaultParams(),
		Minting:                DefaultMintingParams(),
	}
}

// Validate checks every param alone and against the others.
func (p Params) Validate() error {
	if err := sdk.ValidateDenom(p.BondDenom); err != nil {
		return errorsmod.Wrapf(ErrInvalidParams, "bond_denom: %s", err)
	}
	if p.MinBond.IsNil() || !p.MinBond.IsPositive() {
		return errorsmod.Wrap(ErrInvalidParams, "min_bond: must be positive")
	}
	if p.MaxWeightBond.IsNil() || p.MaxWeightBond.LT(p.MinBond) || p.MaxWeightBond.GT(math.NewIntFromUint64(sortition.MaxWeight)) {
		return errorsmod.Wrapf(ErrInvalidParams, "max_weight_bond %s: must be min_bond to %d", p.MaxWeightBond, sortition.MaxWeight)
	}
	for _, r := range []struct {
		name            string
		value, min, max uint64
	}{
		{"verifier_share_ppm", p.VerifierSharePpm, 0, PPM},
		{"reliability_start_ppm", p.ReliabilityStartPpm, 1, PPM},
		{"reliability_window_units", p.ReliabilityWindowUnits, 1, maxWindow},
		{"reliability_fault_ppm", p.ReliabilityFaultPpm, 0, PPM - 1},
		{"reliability_abstain_ppm", p.ReliabilityAbstainPpm, 0, PPM},
		{"slash_burn_bps", uint64(p.SlashBurnBps), minBurnBps, BPS},
		{"max_models", uint64(p.MaxModels), 1, maxModels},
		{"max_concurrency", uint64(p.MaxConcurrency), 1, maxConcurrency},
		{"max_batch", uint64(p.MaxBatch), 1, maxBatch},
		{"max_seats", uint64(p.MaxSeats), 1, maxSeats},
		{"vrf_activation_blocks", p.VrfActivationBlocks, MinVRFActivationBlocks, maxVRFActivationBlocks},
	} {
		if r.value < r.min || r.value > r.max {
			return errorsmod.Wrapf(ErrInvalidParams, "%s %d: must be %d to %d", r.name, r.value, r.min, r.max)
		}
	}
	for _, r := range []struct {
		name  string
		value int64
	}{
		{"unbonding_blocks", p.UnbondingBlocks},
		{"epoch_blocks", p.EpochBlocks},
		{"epoch_close_delay_blocks", p.EpochCloseDelayBlocks},
	} {
		if r.value < 1 || r.value > maxBlocks {
			return errorsmod.Wrapf(ErrInvalidParams, "%s %d: must be 1 to %d", r.name, r.value, maxBlocks)
		}
	}
	if err := p.Capacity.Validate(); err != nil {
		return err
	}
	if err := p.Fault.Validate(); err != nil {
		return err
	}
	if err := p.Minting.Validate(); err != nil {
		return err
	}
	return p.Power.Validate()
}
