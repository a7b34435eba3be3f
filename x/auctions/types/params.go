package types

import (
	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
)

// Limits of the params.
const (
	maxAmountBits = 100
	maxBatch      = 1_000
)

// DefaultParams ask for a hundredth of what the worker will have at risk, and for one poai at least.
func DefaultParams() Params {
	return Params{MinDeposit: sdk.NewCoin("upoai", math.NewInt(1_000_000)), DepositBps: 100, MaxBatch: 100}
}

// Validate names the first param that is out of its limits.
func (p Params) Validate() error {
	if err := p.MinDeposit.Validate(); err != nil {
		return errorsmod.Wrapf(ErrParams, "min_deposit: %s", err)
	}
	if !p.MinDeposit.IsPositive() || p.MinDeposit.Amount.BigInt().BitLen() > maxAmountBits {
		return errorsmod.Wrapf(ErrParams, "min_deposit: %s, want 1..2^%d", p.MinDeposit, maxAmountBits)
	}
	if p.DepositBps > BpsOne {
		return errorsmod.Wrapf(ErrParams, "deposit_bps: %d, want 0..%d", p.DepositBps, BpsOne)
	}
	if p.MaxBatch < 1 || p.MaxBatch > maxBatch {
		return errorsmod.Wrapf(ErrParams, "max_batch: %d, want 1..%d", p.MaxBatch, maxBatch)
	}
	return nil
}

// Deposit of a bid on a task that puts lock at risk: deposit_bps of it, rounded up, at least min_deposit.
func (p Params) Deposit(lock math.Int) sdk.Coin {
	part := lock.MulRaw(int64(p.DepositBps)).AddRaw(BpsOne - 1).QuoRaw(BpsOne)
	return sdk.NewCoin(p.MinDeposit.Denom, math.MaxInt(p.MinDeposit.Amount, part))
}
