package types

import (
	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/x/tasks/audit"
)

// StopBytes is the size of a stop state, which is always inline: the least that max_inline_output_bytes may be.
const StopBytes = 8

// Limits of the params. They keep every sum and product of EndBlock within int64 and 256 bits.
const (
	// BpsOne is one in 1/10,000.
	BpsOne = 10_000
	// PpmOne is one in 1/1,000,000.
	PpmOne = 1_000_000
	// PriceUnits is how many units unit_price and worker_lock_price are for.
	PriceUnits = 1_000_000

	maxBlocks       = 100_000_000 // a few years
	maxAmountBits   = 100
	maxAttempts     = 16
	maxRedundancy   = 8
	maxJackpotBps   = 1_000
	maxFeeRates     = 16
	maxInputBytes   = 16 << 20
	maxOutputBytes  = 4 << 20
	maxBatchItems   = 10_000
	minTransitions  = 8
	maxTransitions  = 1_000_000
	maxWindowBlocks = 1_000_000
)

// MaxSealBlocks bounds the time to seal: a task of more units than fit in it is refused.
const MaxSealBlocks = maxWindowBlocks

// DefaultParams are for blocks of about one second.
func DefaultParams() Params {
	return Params{
		FeeDenom:               "upoai",
		UnitPrice:              math.NewInt(1_000_000),
		MinFee:                 math.NewInt(1_000),
		DrawDelay:              6,
		SealBlocks:             60,
		UnitsPerBlock:          1_000_000,
		RevealBlocks:           40,
		ChallengeBlocks:        120,
		OpenBlocks:             1_200,
		MaxAttempts:            3,
		CommitteeSize:          3,
		WorkerLockBase:         math.NewInt(1_000_000),
		WorkerLockPrice:        math.NewInt(10_000_000),
		TimeoutSlashBps:        100,
		VerifierPayBps:         10_000,
		BurnBps:                500,
		MaxInlineInputBytes:    64 << 10,
		MaxInlineOutputBytes:   16 << 10,
		MaxBatch:               256,
		MaxTransitionsPerBlock: 2_000,
		RetentionBlocks:        200_000,
		AuditAllBelowPpm:       600_000, // x/poai starts everybody at 500,000
		AuditMarginBps:         20_000,
		AuditMinPpm:            20_000,
		AdversaryPpm:           500_000, // what holds at one half holds for every weight below
		DetectionPpm:           900_000,
		ReferenceCost:          math.NewInt(500_000),
		ForcedErrorPpm:         100_000,
		JackpotBps:             100,
		PromptBlocks:           10,
		TargetUnitsPerBlock:    10_000_000, // ten machines at the declared rate
		PriceChangePpm:         12_500,     // doubles within 56 blocks, at most
		MaxTip:                 math.NewInt(100_000_000),
		MaxBidBlocks:           1_200,
		BidRevealBlocks:        40,
		MaxRedundancy:          8,
	}
}

// Validate names the first param that is out of its limits.
func (p Params) Validate() error {
	if err := sdk.ValidateDenom(p.FeeDenom); err != nil {
		return errorsmod.Wrapf(ErrParams, "fee_denom: %s", err)
	}
	for _, a := range []struct {
		name string
		v    math.Int
		min  int64
	}{
		{"unit_price", p.UnitPrice, 0},
		{"min_fee", p.MinFee, 1},
		{"worker_lock_base", p.WorkerLockBase, 1},
		{"worker_lock_price", p.WorkerLockPrice, 0},
		{"reference_cost", p.ReferenceCost, 0},
		{"max_tip", p.MaxTip, 0},
	} {
		if a.v.IsNil() || a.v.LT(math.NewInt(a.min)) || a.v.BigInt().BitLen() > maxAmountBits {
			return errorsmod.Wrapf(ErrParams, "%s: %s, want %d..2^%d", a.name, a.v, a.min, maxAmountBits)
		}
	}
	for _, b := range []struct {
		name          string
		v             uint64
		least, atMost uint64
	}{
		{"units_per_block", p.UnitsPerBlock, 1, 1 << 62},
		{"max_attempts", uint64(p.MaxAttempts), 1, maxAttempts},
		{"audit_all_below_ppm", uint64(p.AuditAllBelowPpm), 0, PpmOne},
		{"forced_error_ppm", uint64(p.ForcedErrorPpm), 0, PpmOne},
		{"jackpot_bps", uint64(p.JackpotBps), 0, maxJackpotBps},
		{"max_redundancy", uint64(p.MaxRedundancy), 1, maxRedundancy},
		{"timeout_slash_bps", uint64(p.TimeoutSlashBps), 0, BpsOne},
		{"verifier_pay_bps", uint64(p.VerifierPayBps), 0, maxVerifierPayBps},
		{"burn_bps", uint64(p.BurnBps), 0, BpsOne},
		{"max_inline_input_bytes", p.MaxInlineInputBytes, 1, maxInputBytes},
		{"max_inline_output_bytes", p.MaxInlineOutputBytes, StopBytes, maxOutputBytes},
		{"max_batch", uint64(p.MaxBatch), 1, maxBatchItems},
		{"max_transitions_per_block", uint64(p.MaxTransitionsPerBlock), minTransitions, maxTransitions},
		{"target_units_per_block", p.TargetUnitsPerBlock, 0, 1 << 62},
		{"price_change_ppm", uint64(p.PriceChangePpm), 0, PpmOne},
	} {
		if b.v < b.least || b.v > b.atMost {
			return errorsmod.Wrapf(ErrParams, "%s: %d, want %d..%d", b.name, b.v, b.least, b.atMost)
		}
	}
	for _, check := range []func() error{p.validateFeeRates, p.validateAudits} {
		if err := check(); err != nil {
			return err
		}
	}
	return p.validateWindows()
}

// validateAudits checks what rates and forced errors follow from, alone and together.
func (p Params) validateAudits() error {
	if err := p.AuditTerms().Validate(); err != nil {
		return errorsmod.Wrapf(ErrParams, "%s", err)
	}
	if (p.ForcedErrorPpm == 0) != (p.JackpotBps == 0) {
		return errorsmod.Wrapf(ErrParams, "jackpot_bps: %d, with forced_error_ppm %d: one is of no use without the other", p.JackpotBps, p.ForcedErrorPpm)
	}
	// A member that attests what a worker told it, instead of computing, must lose by it.
	risk := p.WorkerLockPrice.MulRaw(int64(p.ForcedErrorPpm)).MulRaw(BpsOne)
	saved := p.ReferenceCost.MulRaw(int64(p.AuditMarginBps)).MulRaw(PpmOne)
	if p.ForcedErrorPpm > 0 && risk.LT(saved) {
		return errorsmod.Wrapf(ErrParams, "forced_error_ppm: %d of a lock of %s is less than audit_margin_bps %d of reference_cost %s",
			p.ForcedErrorPpm, p.WorkerLockPrice, p.AuditMarginBps, p.ReferenceCost)
	}
	return nil
}

func (p Params) validateWindows() error {
	for _, w := range []struct {
		name   string
		v      int64
		atMost int64
	}{
		{"draw_delay", p.DrawDelay, maxWindowBlocks},
		{"seal_blocks", p.SealBlocks, maxWindowBlocks},
		{"prompt_blocks", p.PromptBlocks, p.SealBlocks},
		{"reveal_blocks", p.RevealBlocks, maxWindowBlocks},
		{"challenge_blocks", p.ChallengeBlocks, maxWindowBlocks},
		{"open_blocks", p.OpenBlocks, maxWindowBlocks},
		{"max_bid_blocks", p.MaxBidBlocks, maxWindowBlocks},
		{"bid_reveal_blocks", p.BidRevealBlocks, maxWindowBlocks},
		{"retention_blocks", p.RetentionBlocks, maxBlocks},
	} {
		if w.v < 1 || w.v > w.atMost {
			return errorsmod.Wrapf(ErrParams, "%s: %d blocks, want 1..%d", w.name, w.v, w.atMost)
		}
	}
	if p.OpenBlocks < p.DrawDelay {
		return errorsmod.Wrapf(ErrParams, "open_blocks: %d, want at least draw_delay %d", p.OpenBlocks, p.DrawDelay)
	}
	return nil
}

// Fee is what a run of that many units costs: max(min_fee, ceil(units * unit_price / 1,000,000)).
func Fee(units uint64, unitPrice, minFee math.Int) math.Int {
	return math.MaxInt(minFee, priced(units, unitPrice))
}

// AuditTerms are what rates and locks follow from.
func (p Params) AuditTerms() audit.Terms {
	return audit.Terms{
		MarginBps: p.AuditMarginBps, MinPpm: p.AuditMinPpm, AdversaryPpm: p.AdversaryPpm, DetectionPpm: p.DetectionPpm, Seats: p.CommitteeSize,
	}
}

// Risk is RiskOf at unit_price, without a tip.
func (p Params) Risk(units uint64, royaltyBps uint32, stops bool) (lock math.Int, auditPpm uint32) {
	return p.RiskOf(units, royaltyBps, 0, stops, Fee(units, p.UnitPrice, p.MinFee), math.ZeroInt())
}

// RiskOf is the lock of worker and seats for a task of that many units, at least worker_lock_base and worker_lock_price, and the probability of an
// audit with it. runners: so many may share the fee with the worker. stops: the run may end before its last step, so that a liar can charge steps that were not
// to be made. fee and tip are what the run pays, in fee_denom.
func (p Params) RiskOf(units uint64, royaltyBps, runners uint32, stops bool, fee, tip math.Int) (lock math.Int, auditPpm uint32) {
	return p.risk(units, royaltyBps, stops, p.workersPart(fee, royaltyBps, PpmOne, runners).Add(tip), fee, tip)
}

// risk is that of a run whose worker forgoes at least reward when it is caught, and is paid no more than its part of ceiling, and a tip. The part falls
// with the rate, so a rate that holds for what is forgone at a rate of one holds; and what steps that were not made bring is at most the part at a rate
// that their cost alone asks for.
func (p Params) risk(
	units uint64, royaltyBps uint32, stops bool, reward, ceiling, tip math.Int,
) (lock math.Int, auditPpm uint32) {
	gain, terms := priced(units, p.ReferenceCost), p.AuditTerms()
	charges := func(ppm uint32) math.Int {
		if !stops || !p.ReferenceCost.IsPositive() {
			return gain
		}
		return math.MaxInt(gain, p.WorkersPart(ceiling, royaltyBps, ppm).Add(tip))
	}
	lock = terms.Lock(charges(PpmOne), reward, p.WorkerLockBase.Add(priced(units, p.WorkerLockPrice)))
	return lock, terms.Rate(charges(terms.Rate(gain, reward, lock)), reward, lock)
}

// WorkersPart is what the worker of a task that is drawn has of a fee if its audit has that probability, within one coin of the denom and never more.
func (p Params) WorkersPart(fee math.Int, royaltyBps, auditPpm uint32) math.Int {
	return p.workersPart(fee, royaltyBps, auditPpm, 0)
}

// workersPart is that of a race with so many runners, whose fee has no part for the jackpot.
func (p Params) workersPart(fee math.Int, royaltyBps, auditPpm, runners uint32) math.Int {
	rest := fee.Sub(share(fee, royaltyBps))
	rest = rest.Sub(share(rest, p.JackpotBps))
	terms := partTerms{burnBps: p.BurnBps, verifierPayBps: p.VerifierPayBps, auditPpm: auditPpm, seats: p.CommitteeSize, runners: runners}
	return math.MaxInt(terms.parts(rest).Worker.SubRaw(1), math.ZeroInt())
}

// share is bps of an amount, rounded down.
func share(amount math.Int, bps uint32) math.Int { return amount.MulRaw(int64(bps)).QuoRaw(BpsOne) }

// priced is ceil(units * price / 1,000,000); a price has at most 100 bits, so it stays below 2^164.
func priced(units uint64, price math.Int) math.Int {
	return math.NewIntFromUint64(units).Mul(price).AddRaw(PriceUnits - 1).QuoRaw(PriceUnits)
}

// SealWindow is how many blocks a run of that many units may take to seal: seal_blocks + units / units_per_block, at most
// MaxSealBlocks. fits is false where the limit cut it short, which refuses the task at submission.
func (p Params) SealWindow(units uint64) (blocks int64, fits bool) {
	work := units / p.UnitsPerBlock
	if work > MaxSealBlocks || p.SealBlocks+int64(work) > MaxSealBlocks {
		return MaxSealBlocks, false
	}
	return p.SealBlocks + int64(work), true
}
