package types_test

import (
	"bytes"
	"testing"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"

	"poaid/x/disputes/types"
)

func TestParamsNameWhatIsWrong(t *testing.T) {
	require.NoError(t, types.DefaultParams().Validate())
	for name, change := range map[string]func(*types.Params){
		"arity":                     func(p *types.Params) { p.Arity = 12 },
		"clock_base":                func(p *types.Params) { p.ClockBase = 1 },
		"clock_units_per_tick":      func(p *types.Params) { p.ClockUnitsPerTick = 0 },
		"clock_reserve":             func(p *types.Params) { p.ClockReserve = p.ClockBase - 1 },
		"move_fee":                  func(p *types.Params) { p.MoveFee = math.ZeroInt() },
		"demand_fee":                func(p *types.Params) { p.DemandFee = math.Int{} },
		"burn_bps":                  func(p *types.Params) { p.BurnBps = 4_999 },
		"claim_blocks":              func(p *types.Params) { p.ClaimBlocks = 0 },
		"max_parallel":              func(p *types.Params) { p.MaxParallel = 0 },
		"max_transitions_per_block": func(p *types.Params) { p.MaxTransitionsPerBlock = 1 },
		"lane_bytes":                func(p *types.Params) { p.LaneBytes = 1 << 16 },
		"lane_gas":                  func(p *types.Params) { p.LaneGas = 1 << 41 },
		"gas_per_move":              func(p *types.Params) { p.GasPerMove = 1 << 41 },
		"gas_per_byte":              func(p *types.Params) { p.GasPerByte = 1 << 21 },
		"gas_per_mac_milli":         func(p *types.Params) { p.GasPerMacMilli = 1 << 21 },
		"demand_blocks":             func(p *types.Params) { p.DemandBlocks = -1 },
		"max_demands":               func(p *types.Params) { p.MaxDemands = 257 },
		"suspect_seats":             func(p *types.Params) { p.SuspectSeats = 0 },
		"appeal_blocks":             func(p *types.Params) { p.AppealBlocks = 1 << 40 },
		"gas_per_mac_milli: 3":      func(p *types.Params) { p.GasPerMove, p.GasPerByte, p.GasPerMacMilli = 2_000_000, 10, 2_000 },
	} {
		p := types.DefaultParams()
		change(&p)
		err := p.Validate()
		require.ErrorIs(t, err, types.ErrParams, name)
		require.ErrorContains(t, err, name)
	}
}

// A lane that cannot hold a move and another one is full in every block, so that no clock would ever run.
func TestLaneHoldsMoves(t *testing.T) {
	p := types.DefaultParams()
	p.LaneGas = 0
	require.ErrorIs(t, p.Validate(), types.ErrParams)
	p.LaneGas = 2*types.MaxMoveGas - 1
	require.ErrorIs(t, p.Validate(), types.ErrParams)
	p.LaneGas++
	require.NoError(t, p.Validate())
}

func genesis() *types.GenesisState {
	root := bytes.Repeat([]byte{1}, 32)
	g := types.DefaultGenesis()
	g.Cases = []types.Case{{TaskId: 1, Attempt: 1, State: types.CASE_STATE_OPEN, WorkerRoot: root, Lock: math.OneInt(), Claims: 1}}
	g.Claims = []types.Claim{{TaskId: 1, Attempt: 1, Participant: "a", ResultRoot: root, Kind: types.CLAIM_KIND_WORKER}}
	g.Games = []types.Game{{
		TaskId: 1, Attempt: 1, Index: 1, Root: root, Rival: root, Stake: math.ZeroInt(), Position: types.Position{Phase: 1, Mover: 1, To: 1},
	}}
	g.Demands = []types.Demand{{TaskId: 1, Index: 1, Fee: math.OneInt(), Count: 1}}
	g.Quarantines = []types.Quarantine{{Op: "add@1"}}
	return g
}

func TestGenesisContradictions(t *testing.T) {
	require.NoError(t, types.DefaultGenesis().Validate())
	require.NoError(t, genesis().Validate())
	for name, change := range map[string]func(*types.GenesisState){
		"case twice":       func(g *types.GenesisState) { g.Cases = append(g.Cases, g.Cases[0]) },
		"no attempt":       func(g *types.GenesisState) { g.Cases[0].Attempt = 0 },
		"case state":       func(g *types.GenesisState) { g.Cases[0].State = 9 },
		"outcome":          func(g *types.GenesisState) { g.Cases[0].Outcome = types.OUTCOME_VOID },
		"no outcome":       func(g *types.GenesisState) { g.Cases[0].State = types.CASE_STATE_CLOSED },
		"worker root":      func(g *types.GenesisState) { g.Cases[0].WorkerRoot = nil },
		"lock":             func(g *types.GenesisState) { g.Cases[0].Lock = math.Int{} },
		"settled":          func(g *types.GenesisState) { g.Cases[0].Settled = 2 },
		"support":          func(g *types.GenesisState) { g.Cases[0].ClaimUntil = 1 },
		"claims":           func(g *types.GenesisState) { g.Cases[0].Claims = 2 },
		"claim's case":     func(g *types.GenesisState) { g.Claims[0].Attempt = 2 },
		"claim's order":    func(g *types.GenesisState) { g.Claims[0].Order = 1 },
		"claim's root":     func(g *types.GenesisState) { g.Claims[0].ResultRoot = nil },
		"claim's kind":     func(g *types.GenesisState) { g.Claims[0].Kind = 0 },
		"two claims":       func(g *types.GenesisState) { c := g.Claims[0]; c.Order = 1; g.Claims = append(g.Claims, c) },
		"game twice":       func(g *types.GenesisState) { g.Games = append(g.Games, g.Games[0]) },
		"game 0":           func(g *types.GenesisState) { g.Games[0].Index = 0 },
		"game's case":      func(g *types.GenesisState) { g.Games[0].TaskId = 2 },
		"stake":            func(g *types.GenesisState) { g.Games[0].Stake = math.NewInt(-1) },
		"position":         func(g *types.GenesisState) { g.Games[0].Position.Phase = 0 },
		"tick to come":     func(g *types.GenesisState) { g.Games[0].Tick = 1 },
		"demand twice":     func(g *types.GenesisState) { g.Demands = append(g.Demands, g.Demands[0]) },
		"demand of none":   func(g *types.GenesisState) { g.Demands[0].Count = 0 },
		"quarantine twice": func(g *types.GenesisState) { g.Quarantines = append(g.Quarantines, g.Quarantines[0]) },
	} {
		g := genesis()
		change(g)
		require.ErrorIs(t, g.Validate(), types.ErrGenesis, name)
	}
	g := genesis()
	g.Params.Arity = 0
	require.ErrorIs(t, g.Validate(), types.ErrParams)
}
