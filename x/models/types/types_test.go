package types_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/x/models/types"
)

func TestParamsValidate(t *testing.T) {
	require.NoError(t, types.DefaultParams().Validate())
	for text, p := range map[string]types.Params{
		"max_program_bytes: 0":        with(func(p *types.Params) { p.MaxProgramBytes = 0 }),
		"max_program_bytes: 92233720": with(func(p *types.Params) { p.MaxProgramBytes = 1 << 63 }),
		"max_nodes":                   with(func(p *types.Params) { p.MaxNodes = 1 << 40 }),
		"max_elements":                with(func(p *types.Params) { p.MaxElements = 1 << 50 }),
		"max_steps":                   with(func(p *types.Params) { p.MaxSteps = 1 << 50 }),
		"max_royalty_bps: 10001 must": with(func(p *types.Params) { p.MaxRoyaltyBps = 10_001 }),
		"max_vocabulary_bytes":        with(func(p *types.Params) { p.MaxVocabularyBytes = 1 << 40 }),
		"macs_per_unit: 0":            with(func(p *types.Params) { p.MacsPerUnit = 0 }),
		"bytes_per_unit: 0":           with(func(p *types.Params) { p.BytesPerUnit = 0 }),
		"max_evaluations":             with(func(p *types.Params) { p.MaxEvaluations = 0 }),
	} {
		t.Run(text, func(t *testing.T) {
			err := p.Validate()
			require.ErrorIs(t, err, types.ErrInvalidParams)
			require.ErrorContains(t, err, text)
		})
	}
}

func with(f func(*types.Params)) types.Params {
	p := types.DefaultParams()
	f(&p)
	return p
}

func TestForcedSteps(t *testing.T) {
	var u types.Units
	for _, tc := range []struct{ steps, rows, want uint64 }{
		{10, 0, 0}, {10, 1, 0}, {10, 2, 1}, {10, 10, 9}, {10, 11, 10}, {10, 12, 10}, {10, 1<<64 - 1, 10},
	} {
		require.Equal(t, tc.want, u.ForcedSteps(tc.steps, tc.rows), "%d steps, %d rows", tc.steps, tc.rows)
	}
}
