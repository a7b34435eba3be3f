package types

import (
	"context"

	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"
	cmtcrypto "github.com/cometbft/cometbft/proto/tendermint/crypto"

	"poaid/x/poai/power"
)

// Limits of the params of power.
const (
	maxLambda         = uint64(1_000_000_000_000)
	maxScoreEpochs    = 64
	maxTrustingEpochs = 100_000
	maxStakeBits      = 100
	// maxChangePpm is a little below a third: what joins, with the least power, is not counted.
	maxChangePpm = 333_000
)

// DefaultPowerParams count proven compute only, and let governance count stake. At epochs of an hour the trusting period is two weeks.
func DefaultPowerParams() PowerParams {
	return PowerParams{
		ComputePpm:                 PPM,
		MinStake:                   math.NewInt(100_000_000),
		LambdaPpm:                  10 * PPM,
		CapPpm:                     250_000,
		ScoreEpochs:                6,
		ChangePpmPerTrustingPeriod: 300_000,
		TrustingEpochs:             336,
		Tally:                      TALLY_STAKE,
		TallyEpochs:                6,
	}
}

// Validate checks every param.
func (p PowerParams) Validate() error {
	if p.MinStake.IsNil() || p.MinStake.IsNegative() || p.MinStake.BigInt().BitLen() > maxStakeBits {
		return errorsmod.Wrapf(ErrInvalidParams, "power.min_stake %s: must be 0 to 2^%d - 1", p.MinStake, maxStakeBits)
	}
	for _, r := range []struct {
		name            string
		value, min, max uint64
	}{
		{"compute_ppm", p.ComputePpm, 0, PPM},
		{"lambda_ppm", p.LambdaPpm, PPM, maxLambda}, // below 1 no set could be filled
		{"cap_ppm", p.CapPpm, 1, PPM},
		{"score_epochs", uint64(p.ScoreEpochs), 1, maxScoreEpochs},
		{"change_ppm_per_trusting_period", p.ChangePpmPerTrustingPeriod, 1, maxChangePpm},
		{"trusting_epochs", uint64(p.TrustingEpochs), 1, maxTrustingEpochs},
		{"tally_epochs", uint64(p.TallyEpochs), 1, maxScoreEpochs},
	} {
		if r.value < r.min || r.value > r.max {
			return errorsmod.Wrapf(ErrInvalidParams, "power.%s %d: must be %d to %d", r.name, r.value, r.min, r.max)
		}
	}
	if p.Tally != TALLY_STAKE && p.Tally != TALLY_COMPUTE {
		return errorsmod.Wrapf(ErrInvalidParams, "power.tally %d: must be %s or %s", p.Tally, TALLY_STAKE, TALLY_COMPUTE)
	}
	return nil
}

// Rule is how bond and compute become power.
func (p PowerParams) Rule() power.Rule {
	return power.Rule{ComputePpm: p.ComputePpm, LambdaPpm: p.LambdaPpm, CapPpm: p.CapPpm}
}

// Budget is how much power may change hands in one epoch, in billionths.
func (p PowerParams) Budget() int64 {
	return power.Budget(p.ChangePpmPerTrustingPeriod, p.TrustingEpochs)
}

// BondedValidator is a validator that x/staking has bonded.
type BondedValidator struct {
	Address  []byte   // of the operator
	Operator string   // the same in bech32
	Bond     int64    // in whole units of bonded power, at least 1
	Stake    math.Int // that bond in bond_denom
}

// ConsensusKeys finds the key that CometBFT must know an operator by from now on.
type ConsensusKeys func(ctx context.Context, operator string) (cmtcrypto.PublicKey, error)

// validatePower checks what is known of validators' power.
func (gs GenesisState) validatePower() error {
	var total int64
	for i, v := range gs.Power.Validators {
		if v.Operator == "" || i > 0 && v.Operator <= gs.Power.Validators[i-1].Operator {
			return invalid("power.validators[%d]: no operator or not in order", i)
		}
		if v.Power < 0 || v.Bond < 0 || v.LeftShare < 0 || v.LeftShare > power.Scale || negative(v.Score) {
			return invalid("power.validators[%d]: a negative number, or a share above %d", i, power.Scale)
		}
		if v.Power > power.MaxTotal-total {
			return invalid("power.validators[%d]: power adds up to more than %d", i, power.MaxTotal)
		}
		total += v.Power
	}
	for i, b := range gs.Power.Bonds {
		if b.Operator == "" || b.Bond < 0 || b.Height < 0 {
			return invalid("power.bonds[%d]: no operator or a negative number", i)
		}
		if i == 0 {
			continue
		}
		if last := gs.Power.Bonds[i-1]; b.Operator < last.Operator || b.Operator == last.Operator && b.Height <= last.Height {
			return invalid("power.bonds[%d]: not in order", i)
		}
	}
	return nil
}
