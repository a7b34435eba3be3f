package types

import (
	"fmt"

	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
)

const (
	// BasisPoints is the whole of a share.
	BasisPoints = 10_000
	// MicroPerCoin is the scale of max_emission_per_unit, which is in millionths of mint_denom.
	MicroPerCoin = 1_000_000

	// DefaultMintDenom is what is minted.
	DefaultMintDenom = "upoai"
	// DefaultHalvingBlocks is four years of one-second blocks.
	DefaultHalvingBlocks = 126_144_000
	// DefaultBlockEmission is upoai per block; over all halvings it comes just below DefaultMaxSupply.
	DefaultBlockEmission = 3_963_723
	// DefaultMaxSupply is 1,000,000,000 poai in upoai.
	DefaultMaxSupply = 1_000_000_000_000_000
	// DefaultVestingBlocks is a week of one-second blocks.
	DefaultVestingBlocks = 604_800
	// DefaultMaxEmissionPerUnit is one upoai a unit.
	DefaultMaxEmissionPerUnit = MicroPerCoin

	// DefaultMaxEmissionCostBps lets a run mint what it costs.
	DefaultMaxEmissionCostBps = BasisPoints
	// maxEmissionCostBps is a hundred times what a run costs: above it the limit would be none.
	maxEmissionCostBps = 100 * BasisPoints
	// DefaultMaxDelegatorBps lets holders get at most half of what a participant earns.
	DefaultMaxDelegatorBps = 5_000
	// MaxTable bounds the entries of a table.
	MaxTable = 100
	// MinPeriodBlocks bounds the periods that an epoch of the longest kind can span.
	MinPeriodBlocks = 10_000

	// maxAmountBits bounds amounts in params, so that no product of a few of them overflows 256 bits.
	maxAmountBits = 100
)

// DefaultParams of x/rewards.
func DefaultParams() Params {
	return Params{
		MintDenom:          DefaultMintDenom,
		BlockEmission:      math.NewInt(DefaultBlockEmission),
		HalvingBlocks:      DefaultHalvingBlocks,
		MaxSupply:          math.NewInt(DefaultMaxSupply),
		ComputeBps:         9_500,
		CommunityBps:       500,
		StakeBps:           0,
		VestingBlocks:      DefaultVestingBlocks,
		MaxEmissionPerUnit: math.NewInt(DefaultMaxEmissionPerUnit),
		MaxEmissionCostBps: DefaultMaxEmissionCostBps,
		Curve:              CURVE_HALVING,
		MaxDelegatorBps:    DefaultMaxDelegatorBps,
	}
}

// Validate refuses params that make no sense; the error names the field.
func (p Params) Validate() error {
	if err := sdk.ValidateDenom(p.MintDenom); err != nil {
		return errorsmod.Wrapf(ErrInvalidParams, "mint_denom: %s", err)
	}
	for _, a := range []struct {
		name  string
		value math.Int
	}{
		{"block_emission", p.BlockEmission},
		{"max_supply", p.MaxSupply},
		{"max_emission_per_unit", p.MaxEmissionPerUnit},
	} {
		if err := checkAmount(a.name, a.value, ErrInvalidParams); err != nil {
			return err
		}
	}
	if !p.MaxSupply.IsPositive() {
		return errorsmod.Wrap(ErrInvalidParams, "max_supply: must be positive")
	}
	if p.HalvingBlocks < 1 {
		return errorsmod.Wrapf(ErrInvalidParams, "halving_blocks: %d must be at least 1", p.HalvingBlocks)
	}
	if p.VestingBlocks < 0 {
		return errorsmod.Wrapf(ErrInvalidParams, "vesting_blocks: %d must not be negative", p.VestingBlocks)
	}
	if p.VestingBlocks > maxVestingBlocks {
		return errorsmod.Wrapf(ErrInvalidParams, "vesting_blocks: %d, limit %d", p.VestingBlocks, int64(maxVestingBlocks))
	}
	if p.MaxEmissionCostBps > maxEmissionCostBps {
		return errorsmod.Wrapf(ErrInvalidParams, "max_emission_cost_bps: %d, limit %d", p.MaxEmissionCostBps, maxEmissionCostBps)
	}
	if sum := uint64(p.ComputeBps) + uint64(p.CommunityBps) + uint64(p.StakeBps); sum != BasisPoints {
		return errorsmod.Wrapf(ErrInvalidParams, "compute_bps + community_bps + stake_bps: %d must be %d", sum, BasisPoints)
	}
	if p.MaxDelegatorBps > BasisPoints {
		return errorsmod.Wrapf(ErrInvalidParams, "max_delegator_bps: %d, limit %d", p.MaxDelegatorBps, BasisPoints)
	}
	return p.validateCurve()
}

// validateCurve checks the fields of the curve in force, and that those of the others are unset: a table that nobody reads is a mistake.
func (p Params) validateCurve() error {
	switch p.Curve {
	case CURVE_HALVING, CURVE_TABLE, CURVE_EXPONENTIAL:
	default:
		return errorsmod.Wrapf(ErrInvalidParams, "curve: %s", p.Curve)
	}
	if p.Curve == CURVE_EXPONENTIAL {
		if p.DecayPpb < 1 || p.DecayPpb >= decayScale {
			return errorsmod.Wrapf(ErrInvalidParams, "decay_ppb: %d must be 1 to %d", p.DecayPpb, decayScale-1)
		}
		if p.PeriodBlocks < MinPeriodBlocks {
			return errorsmod.Wrapf(ErrInvalidParams, "period_blocks: %d must be at least %d", p.PeriodBlocks, MinPeriodBlocks)
		}
	} else if p.DecayPpb != 0 || p.PeriodBlocks != 0 {
		return errorsmod.Wrapf(ErrInvalidParams, "decay_ppb %d, period_blocks %d: must be 0 with %s", p.DecayPpb, p.PeriodBlocks, p.Curve)
	}
	if p.Curve != CURVE_TABLE {
		if len(p.Table) > 0 {
			return errorsmod.Wrapf(ErrInvalidParams, "table: must be empty with %s", p.Curve)
		}
		return nil
	}
	if len(p.Table) < 1 || len(p.Table) > MaxTable {
		return errorsmod.Wrapf(ErrInvalidParams, "table: %d entries, must be 1 to %d", len(p.Table), MaxTable)
	}
	for i, entry := range p.Table {
		if entry.FromHeight < 0 || i > 0 && entry.FromHeight <= p.Table[i-1].FromHeight {
			return errorsmod.Wrapf(ErrInvalidParams, "table[%d].from_height: %d must not be negative, and must ascend", i, entry.FromHeight)
		}
		if err := checkAmount(fmt.Sprintf("table[%d].block_emission", i), entry.BlockEmission, ErrInvalidParams); err != nil {
			return err
		}
	}
	return nil
}

// maxVestingBlocks keeps heights plus windows far from overflow.
const maxVestingBlocks = 1 << 40

// checkAmount refuses nil, negative and absurdly large amounts.
func checkAmount(name string, v math.Int, sentinel error) error {
	switch {
	case v.IsNil():
		return errorsmod.Wrapf(sentinel, "%s: missing", name)
	case v.IsNegative():
		return errorsmod.Wrapf(sentinel, "%s: %s must not be negative", name, v)
	case v.BigInt().BitLen() > maxAmountBits:
		return errorsmod.Wrapf(sentinel, "%s: more than 2^%d", name, maxAmountBits)
	}
	return nil
}
