package types

import (
	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/x/poai/yuma"
)

// Limits of the params.
const (
	// BpsOne is one in 1/10,000.
	BpsOne = 10_000
	// MaxGrade is the largest grade.
	MaxGrade = 65_535

	maxAmountBits  = 100
	maxDelay       = 1_000
	maxPhase       = 10_000_000
	maxSide        = 256 // entries, and seats: a round is at most 65,536 cells
	maxTransitions = 1_000
	maxKept        = 10_000
)

// DefaultParams are for blocks of about one second.
func DefaultParams() Params {
	return Params{
		FeeDenom:            "upoai",
		CreateFee:           math.NewInt(10_000_000),
		EntryFee:            math.NewInt(1_000_000),
		MinPot:              math.NewInt(1_000_000),
		GraderLock:          math.NewInt(10_000_000),
		AbstainSlashBps:     100,
		DrawDelay:           6,
		MinPhaseBlocks:      60,
		MaxPhaseBlocks:      1_209_600,
		MaxEntries:          128,
		MaxSeats:            128,
		QuorumBps:           6_667,
		KappaPpb:            yuma.One / 2,
		PenaltyPpb:          yuma.One,
		AlphaPpb:            yuma.One / 10,
		TransitionsPerBlock: 16,
		KeepRounds:          100,
	}
}

// Yuma gives the params of a round.
func (p Params) Yuma() yuma.Params {
	return yuma.Params{Kappa: p.KappaPpb, Penalty: p.PenaltyPpb, Alpha: p.AlphaPpb}
}

// Quorum is how many graders of so many seats must reveal.
func (p Params) Quorum(seats uint32) uint32 {
	return uint32((uint64(seats)*uint64(p.QuorumBps) + BpsOne - 1) / BpsOne) // #nosec G115 -- at most seats
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
	}{{"create_fee", p.CreateFee, 0}, {"entry_fee", p.EntryFee, 0}, {"min_pot", p.MinPot, 1}, {"grader_lock", p.GraderLock, 1}} {
		if a.v.IsNil() || a.v.LT(math.NewInt(a.min)) || a.v.BigInt().BitLen() > maxAmountBits {
			return errorsmod.Wrapf(ErrParams, "%s: %s, want %d..2^%d", a.name, a.v, a.min, maxAmountBits)
		}
	}
	for _, b := range []struct {
		name        string
		v           int64
		least, most int64
	}{
		{"abstain_slash_bps", int64(p.AbstainSlashBps), 0, BpsOne},
		{"draw_delay", p.DrawDelay, 1, maxDelay},
		{"min_phase_blocks", p.MinPhaseBlocks, 1, maxPhase},
		{"max_phase_blocks", p.MaxPhaseBlocks, p.MinPhaseBlocks, maxPhase},
		{"max_entries", int64(p.MaxEntries), 2, maxSide},
		{"max_seats", int64(p.MaxSeats), 1, maxSide},
		{"quorum_bps", int64(p.QuorumBps), BpsOne/2 + 1, BpsOne},
		{"transitions_per_block", int64(p.TransitionsPerBlock), 1, maxTransitions},
		{"keep_rounds", int64(p.KeepRounds), 1, maxKept},
	} {
		if b.v < b.least || b.v > b.most {
			return errorsmod.Wrapf(ErrParams, "%s: %d, want %d..%d", b.name, b.v, b.least, b.most)
		}
	}
	// Below one half a minority could raise whom it likes.
	if p.KappaPpb < yuma.One/2 {
		return errorsmod.Wrapf(ErrParams, "kappa_ppb: %d, want %d..%d", p.KappaPpb, uint64(yuma.One/2), uint64(yuma.One))
	}
	if err := p.Yuma().Validate(); err != nil {
		return errorsmod.Wrapf(ErrParams, "%s", err)
	}
	return nil
}
