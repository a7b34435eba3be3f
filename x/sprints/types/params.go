package types

import (
	"math/bits"

	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"

	"poaid/sprint"
	modelstypes "poaid/x/models/types"
)

// Limits of the params.
const (
	// PpmOne is one in 1/1,000,000.
	PpmOne = 1_000_000
	// ValueUnits is how many units value_price is for.
	ValueUnits = 1_000_000

	maxDuty      = 500_000
	maxBlocks    = 1_000_000
	maxDelay     = 1_000
	maxSample    = 4_096
	minMargin    = 20_000
	maxMargin    = 1_000_000
	maxTokens    = 4_096
	maxCount     = 1 << 24
	maxSettles   = 100_000
	maxAudits    = 256 // ids of tasks that the end of a block can give
	maxKept      = 1_000
	ppmPerBps    = 100
	adjustBy     = 2 // no season changes difficulty by more than this factor
	enoughBlocks = 8 // the coin is adjusted once so many windows were to be expected
)

// DefaultParams are for blocks of about one second.
func DefaultParams() Params {
	c := sprint.Default()
	return Params{
		DutyPpm:         50_000,
		WindowBlocks:    20,
		Delay:           6,
		Sample:          uint32(c.Sample), // #nosec G115 -- a constant
		VerifyPpm:       20_000,
		MarginBps:       30_000,
		TargetLeaves:    2_000,
		MinTokens:       8,
		FirstTokens:     32,
		MaxTokens:       uint32(c.MaxTokens), // #nosec G115 -- a constant
		ValuePrice:      math.NewInt(20_000),
		MaxCount:        maxCount,
		OpenBlocks:      60,
		SettlesPerBlock: 1_000,
		AuditsPerBlock:  64,
		KeepWindows:     4,
		BaseModel:       DefaultBaseModel,
	}
}

// DefaultProgram is the shape of the reference transformer of a new chain.
func DefaultProgram() ProgramConfig { return ProgramOf(sprint.Default()) }

// ProgramOf writes a shape.
func ProgramOf(c sprint.Config) ProgramConfig {
	u := func(n int) uint32 { return uint32(n) } // #nosec G115 -- shapes are validated where a program is built
	return ProgramConfig{
		Layers: u(c.Layers), Dim: u(c.Dim), Heads: u(c.Heads), Hidden: u(c.Hidden), Vocab: u(c.Vocab), MaxTokens: u(c.MaxTokens), Sample: u(c.Sample),
	}
}

// Config reads it.
func (p ProgramConfig) Config() sprint.Config {
	return sprint.Config{
		Layers: int(p.Layers), Dim: int(p.Dim), Heads: int(p.Heads), Hidden: int(p.Hidden), Vocab: int(p.Vocab),
		MaxTokens: int(p.MaxTokens), Sample: int(p.Sample),
	}
}

// Validate names the first param that is out of its limits.
func (p Params) Validate() error {
	if p.ValuePrice.IsNil() || p.ValuePrice.IsNegative() || !p.ValuePrice.IsUint64() {
		return errorsmod.Wrapf(ErrParams, "value_price: %s, want 0..2^64 − 1", p.ValuePrice)
	}
	if err := modelstypes.ValidateID(p.BaseModel); err != nil {
		return errorsmod.Wrapf(ErrParams, "base_model: %s", err)
	}
	if modelstypes.IsSeededID(p.BaseModel) {
		return errorsmod.Wrapf(ErrParams, "base_model: %q is made by the chain", p.BaseModel)
	}
	for _, f := range []struct {
		name          string
		v             uint64
		least, atMost uint64
	}{
		{"duty_ppm", uint64(p.DutyPpm), 0, maxDuty},
		{"window_blocks", blocks(p.WindowBlocks), 1, maxBlocks},
		{"delay", blocks(p.Delay), 1, maxDelay},
		{"sample", uint64(p.Sample), 1, maxSample},
		{"verify_ppm", uint64(p.VerifyPpm), 1, PpmOne},
		{"margin_bps", uint64(p.MarginBps), minMargin, maxMargin},
		{"target_leaves", p.TargetLeaves, 1, maxCount},
		{"min_tokens", uint64(p.MinTokens), 1, maxTokens},
		{"max_tokens", uint64(p.MaxTokens), uint64(p.MinTokens), maxTokens},
		{"first_tokens", uint64(p.FirstTokens), uint64(p.MinTokens), uint64(p.MaxTokens)},
		{"max_count", p.MaxCount, 1, maxCount},
		{"open_blocks", blocks(p.OpenBlocks), 1, maxBlocks},
		{"settles_per_block", uint64(p.SettlesPerBlock), 1, maxSettles},
		{"audits_per_block", uint64(p.AuditsPerBlock), 1, maxAudits},
		{"keep_windows", uint64(p.KeepWindows), 1, maxKept},
	} {
		if f.v < f.least || f.v > f.atMost {
			return errorsmod.Wrapf(ErrParams, "%s: %d, want %d..%d", f.name, f.v, f.least, f.atMost)
		}
	}
	return nil
}

// blocks reads a number of blocks; a negative one is beyond every limit.
func blocks(n int64) uint64 {
	return uint64(n) // #nosec G115 -- negative ones become larger than every limit
}

// CheckLayout refuses params that ask for more than a run of the program holds.
func (p Params) CheckLayout(l sprint.Layout) error {
	if uint64(p.Sample) > uint64(l.Sample) { // #nosec G115 -- layouts are positive
		return errorsmod.Wrapf(ErrParams, "sample: %d, a run of %q holds %d leaves", p.Sample, p.BaseModel, l.Sample)
	}
	if uint64(p.MaxTokens) > uint64(l.MaxTokens) { // #nosec G115 -- as above
		return errorsmod.Wrapf(ErrParams, "max_tokens: %d, a leaf of %q has at most %d", p.MaxTokens, p.BaseModel, l.MaxTokens)
	}
	return nil
}

// Stake is what a commit of so many leaves means.
type Stake struct {
	// AuditPpm is the probability of an audit.
	AuditPpm uint64
	// Units claimed.
	Units uint64
	// Lock is what it could gain by lying, times margin, over the probability to be caught.
	Lock math.Int
}

// StakeOf works out what a commit of count leaves of leafUnits each puts at risk, with committees of that many members:
//
//	S = margin · value / (p · caught)      value = units · value_price / 10^6
//
// p is the probability of an audit and caught that of an audit meeting a wrong leaf where one in sample is wrong. ErrCount where the units or the
// lock are beyond 64 bits.
func (p Params) StakeOf(count, leafUnits uint64, sample, committee uint32) (Stake, error) {
	hi, units := bits.Mul64(count, leafUnits)
	value := math.NewIntFromUint64(units).Mul(p.ValuePrice).AddRaw(ValueUnits - 1).QuoRaw(ValueUnits)
	s := Stake{AuditPpm: sprint.AuditPpm(count, int(sample), int(committee), uint64(p.VerifyPpm)), Units: units}
	if hi == 0 && value.IsUint64() {
		caught := sprint.CaughtPpm(int(sample), uint64(sample))
		if lock, ok := sprint.Lock(value.Uint64(), uint64(p.MarginBps)*ppmPerBps, s.AuditPpm, caught); ok {
			s.Lock = math.NewIntFromUint64(lock)
			return s, nil
		}
	}
	return Stake{}, errorsmod.Wrapf(ErrCount, "count: %d leaves of %d units are more than can be backed", count, leafUnits)
}

// StartCoin is the coin with which windows take duty_ppm of the blocks on average: between two of them are delay and
// on average 10^6/coin more blocks.
func (p Params) StartCoin() uint32 {
	if p.DutyPpm == 0 {
		return 0
	}
	cycle := p.WindowBlocks * PpmOne / int64(p.DutyPpm)
	idle := max(cycle-p.WindowBlocks-p.Delay, 1)
	return uint32(max(PpmOne/idle, 1)) // #nosec G115 -- at most 10^6
}

// NextCoin adjusts the coin when, of that many blocks, windowBlocks were within windows: towards duty_ppm, by a factor of at most 2.
// adjusted is false where so few windows were to be expected that it says nothing.
func (p Params) NextCoin(coin uint32, blocks int64, windowBlocks uint64) (next uint32, adjusted bool) {
	if blocks <= 0 || p.DutyPpm == 0 {
		return coin, false
	}
	target := math.NewInt(blocks).MulRaw(int64(p.DutyPpm))
	if target.LT(math.NewInt(p.WindowBlocks).MulRaw(enoughBlocks * PpmOne)) {
		return coin, false
	}
	actual := math.NewIntFromUint64(windowBlocks).MulRaw(PpmOne)
	want := math.NewInt(int64(coin)).MulRaw(adjustBy).Mul(target).Quo(target.Add(actual))
	return uint32(clamp(want, uint64(coin)/adjustBy, uint64(coin)*adjustBy, 1, PpmOne)), true // #nosec G115 -- at most 10^6
}

// NextTokens adjusts the length of a leaf when commits had that many leaves together: so that the mean approaches target_leaves, by a
// factor of at most 2.
func (p Params) NextTokens(tokens uint32, commits, leaves uint64) uint32 {
	least, most := uint64(p.MinTokens), uint64(p.MaxTokens)
	if commits == 0 {
		return uint32(min(max(uint64(tokens), least), most)) // #nosec G115 -- at most max_tokens
	}
	want := math.NewInt(int64(tokens)).Mul(math.NewIntFromUint64(leaves)).Quo(math.NewIntFromUint64(commits).Mul(math.NewIntFromUint64(p.TargetLeaves)))
	return uint32(clamp(want, uint64(tokens)/adjustBy, uint64(tokens)*adjustBy, least, most)) // #nosec G115 -- at most max_tokens
}

// clamp brings v between the larger of the lower bounds and the smaller of the upper ones; the outer bounds win.
func clamp(v math.Int, low, high, least, most uint64) uint64 {
	out := high
	if v.IsUint64() {
		out = min(v.Uint64(), high)
	}
	return min(max(out, low, least), most)
}
