package types

import (
	errorsmod "cosmossdk.io/errors"

	"poaid/engine"
)

// BasisPoints is the whole of a fee.
const BasisPoints = 10_000

// Defaults of the params.
const (
	// DefaultMaxProgramBytes holds graphs of some tens of thousands of nodes.
	DefaultMaxProgramBytes = 4 << 20
	// DefaultMaxNodes is far above the transformers of today, expanded.
	DefaultMaxNodes = 1 << 15
	// DefaultMaxElements is 2^31: 8 GiB of f32.
	DefaultMaxElements = 1 << 31
	// DefaultMaxSteps bounds T.
	DefaultMaxSteps = 1 << 20
	// DefaultMaxRoyaltyBps is a fifth of a fee.
	DefaultMaxRoyaltyBps = 2_000
	// DefaultMaxVocabularyBytes holds some 32,000 pieces.
	DefaultMaxVocabularyBytes = 512 << 10
	// DefaultMacsPerUnit and DefaultBytesPerUnit weigh a byte touched as ten multiply-adds: decoding reads four bytes for each
	// multiply-add and runs 27 to 55 times slower per multiply-add than large products, so it costs 40 of them.
	DefaultMacsPerUnit = 10_000
	// DefaultBytesPerUnit as above.
	DefaultBytesPerUnit = 1_000
	// DefaultMaxEvaluations takes about a second.
	DefaultMaxEvaluations = 1 << 22
	// MaxEvaluationsLimit bounds max_evaluations.
	MaxEvaluationsLimit = 1 << 30
	// maxPerUnit bounds macs_per_unit and bytes_per_unit: with more every run would be of one unit.
	maxPerUnit = 1 << 40
)

// DefaultParams of x/models.
func DefaultParams() Params {
	return Params{
		MaxProgramBytes:    DefaultMaxProgramBytes,
		MaxNodes:           DefaultMaxNodes,
		MaxElements:        DefaultMaxElements,
		MaxSteps:           DefaultMaxSteps,
		MaxRoyaltyBps:      DefaultMaxRoyaltyBps,
		MaxVocabularyBytes: DefaultMaxVocabularyBytes,
		MacsPerUnit:        DefaultMacsPerUnit,
		BytesPerUnit:       DefaultBytesPerUnit,
		MaxEvaluations:     DefaultMaxEvaluations,
	}
}

// Validate refuses params that make no sense; the error names the field and the limit. Nothing may be looser than the engine's
// own limits, under which programs are read back.
func (p Params) Validate() error {
	hard := engine.DefaultLimits()
	for _, f := range []struct {
		name     string
		value    uint64
		min, max uint64
	}{
		{"max_program_bytes", p.MaxProgramBytes, 1, uint64(hard.ProgramBytes)},
		{"max_nodes", p.MaxNodes, 1, uint64(hard.Nodes)},
		{"max_elements", p.MaxElements, 1, uint64(hard.Elements)},
		{"max_steps", p.MaxSteps, 1, hard.MaxSteps},
		{"max_royalty_bps", uint64(p.MaxRoyaltyBps), 0, BasisPoints},
		{"max_vocabulary_bytes", p.MaxVocabularyBytes, 0, 16 << 20},
		{"macs_per_unit", p.MacsPerUnit, 1, maxPerUnit},
		{"bytes_per_unit", p.BytesPerUnit, 1, maxPerUnit},
		{"max_evaluations", p.MaxEvaluations, 1, MaxEvaluationsLimit},
	} {
		if f.value < f.min || f.value > f.max {
			return errorsmod.Wrapf(ErrInvalidParams, "%s: %d must be in %d..%d", f.name, f.value, f.min, f.max)
		}
	}
	return nil
}

// EngineLimits are the engine's limits under these params.
func (p Params) EngineLimits() engine.Limits {
	lim := engine.DefaultLimits()
	lim.ProgramBytes = int64(p.MaxProgramBytes)
	lim.Nodes = int(p.MaxNodes)
	lim.Elements = int64(p.MaxElements)
	lim.MaxSteps = p.MaxSteps
	return lim
}

// Cost are the cost constants under these params.
func (p Params) Cost() engine.CostParams {
	return engine.CostParams{MacsPerUnit: p.MacsPerUnit, BytesPerUnit: p.BytesPerUnit}
}
