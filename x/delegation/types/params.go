package types

import (
	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
)

const (
	maxLeverage   = 100
	maxAmountBits = 100
)

// DefaultParams let holders put up to four times a participant's own bond behind it.
func DefaultParams() Params {
	return Params{RewardDenom: "upoai", MaxLeverage: 4, MinDelegation: math.NewInt(1_000_000)}
}

// Validate refuses params that make no sense; the error names the field.
func (p Params) Validate() error {
	if err := sdk.ValidateDenom(p.RewardDenom); err != nil {
		return errorsmod.Wrapf(ErrInvalidParams, "reward_denom: %s", err)
	}
	if p.MaxLeverage > maxLeverage {
		return errorsmod.Wrapf(ErrInvalidParams, "max_leverage: %d, limit %d", p.MaxLeverage, maxLeverage)
	}
	if p.MinDelegation.IsNil() || !p.MinDelegation.IsPositive() || p.MinDelegation.BigInt().BitLen() > maxAmountBits {
		return errorsmod.Wrapf(ErrInvalidParams, "min_delegation: %s must be 1 to 2^%d", p.MinDelegation, maxAmountBits)
	}
	return nil
}
