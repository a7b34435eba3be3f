package types

import (
	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"

	"poaid/game"
)

// Limits of the params. They keep every sum and product within 64 bits.
const (
	// BpsOne is one in 1/10,000.
	BpsOne = 10_000
	// MaxBurnBps leaves a part of a lost stake that fees can be paid from.
	MaxBurnBps = 9_900
	// MaxDemandChunks bounds the chunks of one demand.
	MaxDemandChunks = 32
	// MaxMoveGas is the most gas that a transaction in the lane may declare.
	MaxMoveGas = 6_000_000

	// maxMoveCost is what params may charge for the largest move; the rest of MaxMoveGas is for the transaction around it and for state.
	maxMoveCost = MaxMoveGas / 2
	// maxJudgedMacs is taken for the multiply-adds of the largest judgement: some for every byte of evidence.
	maxJudgedMacs = 4 * MaxMoveBytes

	maxTicks       = 1 << 20
	maxBlocks      = 100_000_000 // a few years
	maxFeeBits     = 40
	maxLaneBytes   = 16 << 20
	minTransitions = 16
	maxTransitions = 1_000_000
)

// DefaultParams are for blocks of about one second and machines that do 1,000,000 units in one.
func DefaultParams() Params {
	return Params{
		Arity:                  16,
		ClockBase:              20,
		ClockUnitsPerTick:      1_000_000,
		ClockReserve:           120,
		MoveFee:                math.NewInt(2_000),
		BurnBps:                5_000,
		ClaimBlocks:            60,
		MaxParallel:            16,
		MaxTransitionsPerBlock: 2_000,
		LaneBytes:              512 << 10,
		LaneGas:                60_000_000,
		GasPerMove:             50_000,
		GasPerByte:             10,
		GasPerMacMilli:         2_000,
		DemandBlocks:           120,
		DemandFee:              math.NewInt(10_000),
		MaxDemands:             16,
		SuspectSeats:           3,
		AppealBlocks:           50_000,
	}
}

// Validate names the first param that is out of its limits.
func (p Params) Validate() error {
	if p.Arity < 2 || p.Arity > 256 || p.Arity&(p.Arity-1) != 0 {
		return errorsmod.Wrapf(ErrParams, "arity: %d, want a power of two from 2 to 256", p.Arity)
	}
	for _, a := range []struct {
		name string
		v    math.Int
	}{{"move_fee", p.MoveFee}, {"demand_fee", p.DemandFee}} {
		if a.v.IsNil() || !a.v.IsPositive() || a.v.BigInt().BitLen() > maxFeeBits {
			return errorsmod.Wrapf(ErrParams, "%s: %s, want 1..2^%d-1", a.name, a.v, maxFeeBits)
		}
	}
	for _, b := range []struct {
		name          string
		v             uint64
		least, atMost uint64
	}{
		{"clock_base", p.ClockBase, 2, maxTicks},
		{"clock_units_per_tick", p.ClockUnitsPerTick, 1, 1 << 62},
		{"clock_reserve", p.ClockReserve, p.ClockBase, maxTicks},
		{"burn_bps", uint64(p.BurnBps), BpsOne / 2, MaxBurnBps},
		{"max_parallel", uint64(p.MaxParallel), 1, 1 << 16},
		{"max_transitions_per_block", uint64(p.MaxTransitionsPerBlock), minTransitions, maxTransitions},
		// A lane that cannot hold the largest move would be no lane.
		{"lane_bytes", p.LaneBytes, 2 * game.MaxMessage, maxLaneBytes},
		// One that cannot hold two transactions would always be full, and no clock would run any more.
		{"lane_gas", p.LaneGas, 2 * MaxMoveGas, 1 << 40},
		{"gas_per_move", p.GasPerMove, 0, maxMoveCost},
		{"gas_per_byte", p.GasPerByte, 0, 1 << 20},
		{"gas_per_mac_milli", p.GasPerMacMilli, 0, 1 << 20},
		{"max_demands", uint64(p.MaxDemands), 1, 256},
		{"suspect_seats", uint64(p.SuspectSeats), 1, 1 << 16},
	} {
		if b.v < b.least || b.v > b.atMost {
			return errorsmod.Wrapf(ErrParams, "%s: %d, want %d..%d", b.name, b.v, b.least, b.atMost)
		}
	}
	for _, w := range []struct {
		name string
		v    int64
	}{{"claim_blocks", p.ClaimBlocks}, {"demand_blocks", p.DemandBlocks}, {"appeal_blocks", p.AppealBlocks}} {
		if w.v < 1 || w.v > maxBlocks {
			return errorsmod.Wrapf(ErrParams, "%s: %d blocks, want 1..%d", w.name, w.v, maxBlocks)
		}
	}
	// A move that costs more than the lane takes could be crowded out by anybody.
	if cost := p.GasPerMove + p.GasPerByte*MaxMoveBytes + p.GasPerMacMilli*maxJudgedMacs/1000; cost > maxMoveCost {
		return errorsmod.Wrapf(ErrParams, "gas_per_move, gas_per_byte, gas_per_mac_milli: %d gas for the largest move, limit %d", cost, maxMoveCost)
	}
	return nil
}

// RulesOf are the rules of a game opened under these params. Only who attacks on its own prepays its target's moves.
func (p Params) RulesOf(attack bool) Rules {
	r := Rules{
		Arity: p.Arity, ClockBase: p.ClockBase, ClockUnitsPerTick: p.ClockUnitsPerTick, ClockReserve: p.ClockReserve, BurnBps: p.BurnBps,
	}
	if attack {
		r.MoveFee = p.MoveFee.Uint64()
	}
	return r
}

// Stake is what an attack puts up so that the part of it that does not burn pays so many moves: the least S with
// S − ⌈S · burn_bps / 10,000⌉ ≥ move_fee · rounds.
func (r Rules) Stake(rounds uint64) math.Int {
	rest := math.NewInt(BpsOne - int64(r.BurnBps))
	fees := math.NewIntFromUint64(r.MoveFee).Mul(math.NewIntFromUint64(rounds)).MulRaw(BpsOne)
	return fees.Add(rest).SubRaw(1).Quo(rest)
}
