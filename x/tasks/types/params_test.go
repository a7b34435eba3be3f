package types

import (
	"math/big"
	"testing"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"
)

func TestDefaultParams(t *testing.T) {
	require.NoError(t, DefaultParams().Validate())
	require.NoError(t, DefaultGenesis().Validate())
}

func TestParamsRefuse(t *testing.T) {
	for name, edit := range map[string]func(*Params){
		"fee_denom":                 func(p *Params) { p.FeeDenom = "" },
		"unit_price":                func(p *Params) { p.UnitPrice = math.NewInt(-1) },
		"min_fee":                   func(p *Params) { p.MinFee = math.ZeroInt() },
		"worker_lock_base":          func(p *Params) { p.WorkerLockBase = math.Int{} },
		"worker_lock_price":         func(p *Params) { p.WorkerLockPrice = math.NewIntFromBigInt(new(big.Int).Lsh(big.NewInt(1), 100)) },
		"draw_delay":                func(p *Params) { p.DrawDelay = 0 },
		"seal_blocks":               func(p *Params) { p.SealBlocks = 0 },
		"units_per_block":           func(p *Params) { p.UnitsPerBlock = 0 },
		"reveal_blocks":             func(p *Params) { p.RevealBlocks = -1 },
		"challenge_blocks":          func(p *Params) { p.ChallengeBlocks = 1 << 40 },
		"open_blocks":               func(p *Params) { p.OpenBlocks = p.DrawDelay - 1 },
		"max_attempts":              func(p *Params) { p.MaxAttempts = 17 },
		"audit_margin_bps":          func(p *Params) { p.AuditMarginBps = 19_999 },
		"audit_min_ppm":             func(p *Params) { p.AuditMinPpm = PpmOne + 1 },
		"adversary_ppm":             func(p *Params) { p.AdversaryPpm = 900_001 },
		"detection_ppm":             func(p *Params) { p.DetectionPpm = 0 },
		"reference_cost":            func(p *Params) { p.ReferenceCost = math.NewInt(-1) },
		"forced_error_ppm":          func(p *Params) { p.ForcedErrorPpm-- }, // copying would pay
		"jackpot_bps":               func(p *Params) { p.JackpotBps = 0 },
		"audit_all_below_ppm":       func(p *Params) { p.AuditAllBelowPpm = PpmOne + 1 },
		"committee_size":            func(p *Params) { p.CommitteeSize = 0 },
		"timeout_slash_bps":         func(p *Params) { p.TimeoutSlashBps = BpsOne + 1 },
		"verifier_pay_bps":          func(p *Params) { p.VerifierPayBps = 2*BpsOne + 1 },
		"burn_bps":                  func(p *Params) { p.BurnBps = BpsOne + 1 },
		"max_inline_input_bytes":    func(p *Params) { p.MaxInlineInputBytes = 0 },
		"max_inline_output_bytes":   func(p *Params) { p.MaxInlineOutputBytes = 7 },
		"max_batch":                 func(p *Params) { p.MaxBatch = 0 },
		"max_transitions_per_block": func(p *Params) { p.MaxTransitionsPerBlock = 7 },
		"retention_blocks":          func(p *Params) { p.RetentionBlocks = 0 },
		"target_units_per_block":    func(p *Params) { p.TargetUnitsPerBlock = 1<<62 + 1 },
		"price_change_ppm":          func(p *Params) { p.PriceChangePpm = PpmOne + 1 },
		"max_tip":                   func(p *Params) { p.MaxTip = math.NewInt(-1) },
		"fee_rates":                 func(p *Params) { p.FeeRates = make([]FeeRate, 17) },
		"fee_rates[0].denom":        func(p *Params) { p.FeeRates = []FeeRate{{Denom: "!", Rate: math.OneInt()}} },
		"is fee_denom":              func(p *Params) { p.FeeRates = []FeeRate{{Denom: "upoai", Rate: math.OneInt()}} },
		"fee_rates[0].rate":         func(p *Params) { p.FeeRates = []FeeRate{{Denom: "usdc", Rate: math.ZeroInt()}} },
		"fee_rates[1].denom": func(p *Params) {
			p.FeeRates = []FeeRate{{Denom: "usdc", Rate: math.OneInt()}, {Denom: "usdc", Rate: math.OneInt()}}
		},
	} {
		p := DefaultParams()
		edit(&p)
		err := p.Validate()
		require.ErrorIs(t, err, ErrParams, name)
		require.ErrorContains(t, err, name)
	}
}

func TestFee(t *testing.T) {
	price, least := math.NewInt(3), math.NewInt(2)
	for units, want := range map[uint64]int64{0: 2, 1: 2, 666_666: 2, 666_667: 3, 1_000_000: 3, 1_000_001: 4} {
		require.Equal(t, want, Fee(units, price, least).Int64(), "%d units", units)
	}
	huge := math.NewIntFromBigInt(new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 100), big.NewInt(1)))
	require.True(t, Fee(1<<63, huge, least).IsPositive(), "the largest product fits")
}

func TestSealWindow(t *testing.T) {
	p := DefaultParams()
	p.SealBlocks, p.UnitsPerBlock = 10, 100
	for _, c := range []struct {
		units  uint64
		blocks int64
		fits   bool
	}{
		{0, 10, true},
		{99, 10, true},
		{100, 11, true},
		{100 * (MaxSealBlocks - 10), MaxSealBlocks, true},
		{100 * (MaxSealBlocks - 9), MaxSealBlocks, false},
		{1<<64 - 1, MaxSealBlocks, false},
	} {
		blocks, fits := p.SealWindow(c.units)
		require.Equal(t, c.blocks, blocks)
		require.Equal(t, c.fits, fits)
	}
}

// TestRisk: lock and rate by the params, for runs that end when they end and for runs whose end is the worker's word.
func TestRisk(t *testing.T) {
	p := DefaultParams()
	for _, c := range []struct {
		units uint64
		stops bool
		lock  int64
		ppm   uint32
	}{
		{0, false, 1_000_000, 20_000},
		{1_000_000, false, 11_000_000, 221_870},
		{1_000_000, true, 11_000_000, 238_033},
		{1_000_000_000, false, 10_001_000_000, 243_085},
		{1_000_000_000, true, 10_001_000_000, 251_195},
	} {
		lock, ppm := p.Risk(c.units, 500, c.stops)
		require.Equal(t, c.lock, lock.Int64(), "%+v", c)
		require.Equal(t, c.ppm, ppm, "%+v", c)
	}
	p.WorkerLockPrice, p.ForcedErrorPpm, p.JackpotBps = math.ZeroInt(), 0, 0
	lock, ppm := p.Risk(1_000_000_000, 0, false)
	require.Equal(t, uint32(PpmOne), ppm)
	require.Equal(t, "2064682542", lock.String(), "2 * (2 * C / (.9 * .875) - R), where R is a quarter of what does not burn")
	p.ReferenceCost, p.AuditMinPpm = math.ZeroInt(), 7
	_, ppm = p.Risk(1_000_000, 0, true)
	require.Equal(t, uint32(7), ppm, "without a reference cost only the least rate counts")
}

// TestRiskOfLargeTasks: amounts at the limits of params and units fit.
func TestRiskOfLargeTasks(t *testing.T) {
	p := DefaultParams()
	huge := math.NewIntFromBigInt(new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 100), big.NewInt(1)))
	p.UnitPrice, p.MinFee, p.WorkerLockBase, p.WorkerLockPrice, p.ReferenceCost = huge, huge, huge, huge, huge
	p.AuditMarginBps, p.AdversaryPpm, p.DetectionPpm, p.ForcedErrorPpm = 1_000_000, 900_000, 10_000, 0
	p.JackpotBps = 0
	require.NoError(t, p.Validate())
	for _, stops := range []bool{false, true} {
		lock, ppm := p.Risk(1<<64-1, 10_000, stops)
		require.Equal(t, uint32(PpmOne), ppm)
		require.True(t, lock.IsPositive())
	}
}
