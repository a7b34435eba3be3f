package types_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"poaid/engine"
	"poaid/sprint"
	modelstypes "poaid/x/models/types"
	"poaid/x/sprints/types"
	taskstypes "poaid/x/tasks/types"
)

func TestParamsRefused(t *testing.T) {
	require.NoError(t, types.DefaultParams().Validate())
	for name, spoil := range map[string]func(*types.Params){
		"duty_ppm":          func(p *types.Params) { p.DutyPpm = 500_001 },
		"window_blocks":     func(p *types.Params) { p.WindowBlocks = -1 },
		"delay":             func(p *types.Params) { p.Delay = 0 },
		"sample":            func(p *types.Params) { p.Sample = 4_097 },
		"verify_ppm":        func(p *types.Params) { p.VerifyPpm = 0 },
		"margin_bps":        func(p *types.Params) { p.MarginBps = 19_999 },
		"target_leaves":     func(p *types.Params) { p.TargetLeaves = 0 },
		"min_tokens":        func(p *types.Params) { p.MinTokens = 0 },
		"max_tokens":        func(p *types.Params) { p.MaxTokens = p.MinTokens - 1 },
		"first_tokens":      func(p *types.Params) { p.FirstTokens = p.MaxTokens + 1 },
		"max_count":         func(p *types.Params) { p.MaxCount = 1<<24 + 1 },
		"open_blocks":       func(p *types.Params) { p.OpenBlocks = 0 },
		"settles_per_block": func(p *types.Params) { p.SettlesPerBlock = 0 },
		"audits_per_block":  func(p *types.Params) { p.AuditsPerBlock = 257 },
		"keep_windows":      func(p *types.Params) { p.KeepWindows = 0 },
		"value_price":       func(p *types.Params) { p.ValuePrice = math.NewInt(-1) },
		"base_model":        func(p *types.Params) { p.BaseModel = "sprint-1" },
	} {
		p := types.DefaultParams()
		spoil(&p)
		err := p.Validate()
		require.ErrorIs(t, err, types.ErrParams, name)
		require.ErrorContains(t, err, name)
	}
	p := types.DefaultParams()
	require.NoError(t, p.CheckLayout(sprint.Layout{Sample: 80, MaxTokens: 64}))
	require.ErrorContains(t, p.CheckLayout(sprint.Layout{Sample: 79, MaxTokens: 64}), "sample")
	require.ErrorContains(t, p.CheckLayout(sprint.Layout{Sample: 80, MaxTokens: 63}), "max_tokens")
}

// TestLyingLoses: whatever part x of its leaves a participant makes up, what it loses in expectation, of which half may come back to friends, is at
// least twice what the made-up part is worth.
func TestLyingLoses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := types.DefaultParams()
		count := rapid.Uint64Range(1, 1<<24).Draw(t, "count")
		units := rapid.Uint64Range(1, 1<<30).Draw(t, "leaf units")
		s, err := p.StakeOf(count, units, p.Sample, 3)
		if err != nil {
			require.ErrorIs(t, err, types.ErrCount)
			return
		}
		fakes := rapid.Uint64Range(1, 1000).Draw(t, "fakes, in thousandths")
		missed := 1.0 //detlint:allow reference
		for range p.Sample {
			missed *= 1 - float64(fakes)/1000 //detlint:allow reference
		}
		caught := float64(s.AuditPpm) / 1e6 * (1 - missed)                                                     //detlint:allow reference
		loss := caught * float64(s.Lock.Uint64()) / 2                                                          //detlint:allow reference
		gain := float64(fakes) / 1000 * float64(units) * float64(count) * float64(p.ValuePrice.Uint64()) / 1e6 //detlint:allow reference
		require.GreaterOrEqual(t, loss*1.000001, 2*gain)
	})
}

// TestCoin: the coin that is adjusted season by season brings windows to their share of the blocks, from a start that is far off.
func TestCoin(t *testing.T) {
	for _, start := range []uint32{1, 500, 1_000_000} {
		p := types.DefaultParams()
		rng := uint64(start)*0x9E3779B97F4A7C15 + 1
		coin, within, total := start, 0, 0
		for season := range 400 {
			windows := uint64(0)
			for h := 0; h < 3_600; h++ {
				rng = rng*6364136223846793005 + 1442695040888963407
				if (rng>>33)%types.PpmOne < uint64(coin) {
					windows++
					h += int(p.WindowBlocks + p.Delay)
				}
			}
			if season >= 40 {
				within += int(windows) * int(p.WindowBlocks)
				total += 3_600
			}
			next, adjusted := p.NextCoin(coin, 3_600, windows*uint64(p.WindowBlocks))
			require.True(t, adjusted)
			require.True(t, next <= max(2*coin, 1) && next >= coin/2)
			coin = next
		}
		duty := within * types.PpmOne / total
		require.InDelta(t, p.DutyPpm, duty, 7_000, "started with %d", start)
	}
	p := types.DefaultParams()
	_, adjusted := p.NextCoin(7, 10, 0)
	require.False(t, adjusted, "ten blocks say nothing")
}

// TestTokens: leaves grow and shrink until the mean count is what it should be, by a factor of two at most.
func TestTokens(t *testing.T) {
	p := types.DefaultParams()
	rapid.Check(t, func(t *rapid.T) {
		tokens := rapid.Uint32Range(p.MinTokens, p.MaxTokens).Draw(t, "tokens")
		commits := rapid.Uint64Range(0, 1<<30).Draw(t, "commits")
		leaves := commits * rapid.Uint64Range(1, 1<<24).Draw(t, "mean")
		next := p.NextTokens(tokens, commits, leaves)
		require.True(t, next >= p.MinTokens && next <= p.MaxTokens && next <= 2*tokens && 2*next+1 >= tokens, "%d after %d", next, tokens)
	})
	// A machine that does 64,000 tokens a window settles where it does about target_leaves of them.
	tokens := p.MinTokens
	for range 10 {
		tokens = p.NextTokens(tokens, 1, 64_000/uint64(tokens))
	}
	require.EqualValues(t, 32, tokens)
}

// TestVerificationCost works out what checking costs, as a share of what is checked, with default params and the program's own units, and keeps the
// table of the README true.
func TestVerificationCost(t *testing.T) {
	p := types.DefaultParams()
	prog, err := sprint.Program(sprint.Default())
	require.NoError(t, err)
	m := modelstypes.DefaultParams()
	step, err := prog.Units(engine.CostParams{MacsPerUnit: m.MacsPerUnit, BytesPerUnit: m.BytesPerUnit}, 0, false)
	require.NoError(t, err)
	leaf := step * uint64(p.MaxTokens)
	committee := taskstypes.DefaultParams().CommitteeSize
	audit := leaf * uint64(p.Sample) * uint64(committee+1)
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	var missing []string
	for _, count := range []uint64{1, 10, 100, 1_000, 10_000, 100_000, 1_000_000} {
		s, err := p.StakeOf(count, leaf, p.Sample, committee)
		require.NoError(t, err)
		cost := s.AuditPpm * audit / (count * leaf) // in ppm of the work
		require.LessOrEqual(t, cost, uint64(p.VerifyPpm))
		if count == 100_000 {
			require.LessOrEqual(t, cost, uint64(20_000), "at most 2 % at 10^5 leaves")
		}
		lock := math.MaxInt(s.Lock, auditLock(leaf*uint64(p.Sample)))
		line := fmt.Sprintf("| %d | %d | %d.%02d %% | %s |", count, s.AuditPpm, cost/10_000, cost/100%100, lock.QuoRaw(1_000_000))
		if !strings.Contains(string(readme), line) {
			missing = append(missing, line)
		}
	}
	require.Empty(t, missing, "README: lines of the table:\n%s", strings.Join(missing, "\n"))
}

func auditLock(units uint64) math.Int {
	lock, _ := taskstypes.DefaultParams().Risk(units, 0, false)
	return lock
}
