package keeper_test

import (
	"maps"
	"testing"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"

	"poaid/x/poai/types"
)

// busy is a state with something of everything in it.
func busy(t *testing.T) *fixture {
	t.Helper()
	f := newFixture(t)
	f.open(8, 3)
	for i, capacity := range []uint64{300, 90, 41} { // counts from epoch 2 on; the first two halve in epoch 4, after the export
		f.setCapacity(addr(i+1), capacity)
	}
	f.setCapacity(addr(3), 0)
	f.openFor(task+1, 2)
	settled := f.openFor(task+2, 2)
	_, err := f.SettleCommittee(f.ctx, settled.TaskId, types.CommitteeOutcome{})
	require.NoError(t, err)
	f.sealAll(same)
	seats := f.seatsOf(task)
	require.Empty(t, f.reveal(seats[0].Participant, revealItem(seats[0].Participant, task, rootOf(1))))
	_, _, err = f.DrawWorker(f.ctx, draw(5, 50))
	require.NoError(t, err)
	_, err = f.msgs.Unbond(f.ctx, &types.MsgUnbond{Participant: addr(2), Amount: coin(77)})
	require.NoError(t, err)
	for _, i := range []int{3, 8} { // a freed slot amid and one at the end
		_, err = f.msgs.StopServing(f.ctx, &types.MsgStopServing{Participant: addr(i), Models: []string{digits}})
		require.NoError(t, err)
	}
	for _, epoch := range []uint64{1, 2} {
		require.NoError(t, f.Credit(f.ctx, types.CreditRequest{Epoch: epoch, Participant: addr(1), Units: 5, ScoreUnits: 5, Role: types.RoleWorker}))
		f.endBlocks(30)
	}
	f.ok()
	return f
}

func TestGenesisRoundTrip(t *testing.T) {
	f := busy(t)
	gs, err := f.ExportGenesis(f.ctx)
	require.NoError(t, err)
	require.NoError(t, gs.Validate())
	for name, n := range map[string]int{
		"participants": len(gs.Participants), "servings": len(gs.Servings), "locks": len(gs.Locks), "unbondings": len(gs.Unbondings),
		"committees": len(gs.Committees), "seats": len(gs.Seats), "epochs": len(gs.Epochs), "scores": len(gs.Scores),
	} {
		require.NotZero(t, n, name)
	}

	g := newKeeper(t)
	g.bank.balances = maps.Clone(f.bank.balances)
	g.at(f.ctx.BlockHeight())
	var parsed types.GenesisState
	f.cdc.MustUnmarshalJSON(f.cdc.MustMarshalJSON(gs), &parsed)
	require.NoError(t, g.InitGenesis(g.ctx, parsed))
	again, err := g.ExportGenesis(g.ctx)
	require.NoError(t, err)
	require.Equal(t, gs, again)
	g.ok()

	// Both go on alike: the same draws, the same slots, the same closings.
	for i := range uint64(10) {
		wf, _, err := f.DrawWorker(f.ctx, draw(100+i, 1))
		require.NoError(t, err)
		wg, _, err := g.DrawWorker(g.ctx, draw(100+i, 1))
		require.NoError(t, err)
		require.Equal(t, wf, wg)
	}
	for i := 20; i < 24; i++ {
		f.join(i, 1_000, digits)
		g.join(i, 1_000, digits)
	}
	f.at(31)
	g.at(31)
	f.endBlocks(60)
	g.endBlocks(60)
	a, err := f.ExportGenesis(f.ctx)
	require.NoError(t, err)
	b, err := g.ExportGenesis(g.ctx)
	require.NoError(t, err)
	require.Equal(t, a, b)
	require.EqualValues(t, 75, g.get(addr(1)).Capacity, "halved after the import, and again")
	for _, p := range []string{addr(1), addr(2), addr(4)} {
		require.NotZero(t, g.weight(p))
		require.Equal(t, f.weight(p), g.weight(p))
	}
	g.ok()
	seats := g.seatsOf(task)
	require.Empty(t, g.reveal(seats[1].Participant, revealItem(seats[1].Participant, task, rootOf(1))), "duties are rebuilt")
}

// TestGenesisMustBeHeld: bonds that nobody paid in could be withdrawn from what others did.
func TestGenesisMustBeHeld(t *testing.T) {
	f := busy(t)
	gs, err := f.ExportGenesis(f.ctx)
	require.NoError(t, err)
	g := newKeeper(t)
	require.ErrorIs(t, g.InitGenesis(g.ctx, *gs), types.ErrInvariant)
	gs.Participants[0].Bond = math.NewInt(-1)
	require.ErrorIs(t, newKeeper(t).InitGenesis(g.ctx, *gs), types.ErrInvalidGenesis)
}

func TestDefaultGenesis(t *testing.T) {
	require.NoError(t, types.DefaultGenesisState().Validate())
	f := newKeeper(t)
	f.at(0)
	require.NoError(t, f.InitGenesis(f.ctx, *types.DefaultGenesisState()))
	require.EqualValues(t, 1, f.epoch(1).StartHeight)
	f.ok()
}

func TestGenesisValidateRefuses(t *testing.T) {
	f := busy(t)
	for name, change := range map[string]func(*types.GenesisState){
		"params":            func(gs *types.GenesisState) { gs.Params.MinBond = math.ZeroInt() },
		"participant twice": func(gs *types.GenesisState) { gs.Participants = append(gs.Participants, gs.Participants[0]) },
		"no address":        func(gs *types.GenesisState) { gs.Participants[0].Address = "" },
		"locked above bond": func(gs *types.GenesisState) {
			for i := range gs.Participants {
				gs.Participants[i].Bond = math.ZeroInt()
			}
		},
		"reliability":              func(gs *types.GenesisState) { gs.Participants[0].ReliabilityPpm = 1_000_001 },
		"locks do not sum":         func(gs *types.GenesisState) { gs.Locks[0].Amount = gs.Locks[0].Amount.AddRaw(1) },
		"lock twice":               func(gs *types.GenesisState) { gs.Locks = append(gs.Locks, gs.Locks[0]) },
		"lock of nobody":           func(gs *types.GenesisState) { gs.Locks = append(gs.Locks, taskLock(addr(99), 1, 0)) },
		"unbondings do not sum":    func(gs *types.GenesisState) { gs.Unbondings[0].Amount = math.OneInt() },
		"serving of nobody":        func(gs *types.GenesisState) { gs.Servings[0].Participant = addr(99) },
		"slot twice":               func(gs *types.GenesisState) { gs.Servings[1].Slot = gs.Servings[0].Slot },
		"slot beyond the limit":    func(gs *types.GenesisState) { gs.Servings[0].Slot = 1 << 40 },
		"serving missing":          func(gs *types.GenesisState) { gs.Servings = gs.Servings[1:] },
		"committee twice":          func(gs *types.GenesisState) { gs.Committees = append(gs.Committees, gs.Committees[0]) },
		"seat without committee":   func(gs *types.GenesisState) { gs.Seats[0].TaskId = 3 },
		"seat index":               func(gs *types.GenesisState) { gs.Seats[0].Index = 3 },
		"seat missing":             func(gs *types.GenesisState) { gs.Seats = gs.Seats[:len(gs.Seats)-1] },
		"epoch number":             func(gs *types.GenesisState) { gs.Epochs[1].Number = 9 },
		"two epochs run":           func(gs *types.GenesisState) { gs.Epochs[0].EndHeight = 0 },
		"score twice":              func(gs *types.GenesisState) { gs.Scores = append(gs.Scores, gs.Scores[0]) },
		"scores do not sum":        func(gs *types.GenesisState) { gs.Epochs[0].TotalScore = math.OneInt() },
		"score of unknown epoch":   func(gs *types.GenesisState) { gs.Scores[0].Epoch = 99 },
		"score above its units":    func(gs *types.GenesisState) { gs.Scores[0].Units = math.ZeroInt() },
		"units do not sum":         func(gs *types.GenesisState) { gs.Epochs[0].TotalUnits = math.NewInt(1 << 30) },
		"weighed reliability":      func(gs *types.GenesisState) { gs.Participants[0].WeighedReliabilityPpm = 1_000_001 },
		"capacity of no epoch":     func(gs *types.GenesisState) { gs.Participants[0].Capacity, gs.Participants[0].CapacityEpoch = 1, 0 },
		"capacity of the future":   func(gs *types.GenesisState) { gs.Participants[0].CapacityEpoch = 99 },
		"capacity_from the future": func(gs *types.GenesisState) { gs.CapacityFrom = 99 },
		"score of unknown person":  func(gs *types.GenesisState) { gs.Scores[0].Participant = addr(99) },
	} {
		t.Run(name, func(t *testing.T) {
			gs, err := f.ExportGenesis(f.ctx)
			require.NoError(t, err)
			change(gs)
			err = gs.Validate()
			require.Error(t, err)
			if name != "params" {
				require.ErrorIs(t, err, types.ErrInvalidGenesis)
			}
		})
	}
}

func TestParamsValidate(t *testing.T) {
	require.NoError(t, types.DefaultParams().Validate())
	tiny := types.DefaultParams()
	tiny.MinBond, tiny.MaxWeightBond = math.OneInt(), math.OneInt()
	tiny.UnbondingBlocks, tiny.EpochBlocks, tiny.EpochCloseDelayBlocks, tiny.ReliabilityWindowUnits = 1, 1, 1, 1
	require.NoError(t, tiny.Validate(), "windows of one block are for tests")
	for name, change := range map[string]func(*types.Params){
		"bond_denom":                func(p *types.Params) { p.BondDenom = "" },
		"min_bond":                  func(p *types.Params) { p.MinBond = math.ZeroInt() },
		"min_bond nil":              func(p *types.Params) { p.MinBond = math.Int{} },
		"max_weight_bond below":     func(p *types.Params) { p.MaxWeightBond = p.MinBond.SubRaw(1) },
		"max_weight_bond too large": func(p *types.Params) { p.MaxWeightBond = math.NewInt(1 << 40) },
		"unbonding_blocks":          func(p *types.Params) { p.UnbondingBlocks = 0 },
		"epoch_blocks":              func(p *types.Params) { p.EpochBlocks = -1 },
		"epoch_close_delay_blocks":  func(p *types.Params) { p.EpochCloseDelayBlocks = 1 << 62 },
		"verifier_share_ppm":        func(p *types.Params) { p.VerifierSharePpm = 1_000_001 },
		"reliability_start_ppm":     func(p *types.Params) { p.ReliabilityStartPpm = 0 },
		"reliability_window_units":  func(p *types.Params) { p.ReliabilityWindowUnits = 0 },
		"reliability_fault_ppm":     func(p *types.Params) { p.ReliabilityFaultPpm = 1_000_000 },
		"reliability_abstain_ppm":   func(p *types.Params) { p.ReliabilityAbstainPpm = 1_000_001 },
		"slash_burn_bps low":        func(p *types.Params) { p.SlashBurnBps = 4_999 },
		"slash_burn_bps high":       func(p *types.Params) { p.SlashBurnBps = 10_001 },
		"max_models":                func(p *types.Params) { p.MaxModels = 0 },
		"max_concurrency":           func(p *types.Params) { p.MaxConcurrency = 0 },
		"max_batch":                 func(p *types.Params) { p.MaxBatch = 1_001 },
		"bond_per_unit":             func(p *types.Params) { p.Capacity.BondPerUnit = math.NewInt(-1) },
		"bond_per_unit nil":         func(p *types.Params) { p.Capacity.BondPerUnit = math.Int{} },
		"newcomer_bond":             func(p *types.Params) { p.Capacity.NewcomerBond = math.ZeroInt() },
		"newcomer_bond too large":   func(p *types.Params) { p.Capacity.NewcomerBond = math.NewInt(1 << 40) },
		"halving_epochs":            func(p *types.Params) { p.Capacity.HalvingEpochs = 1_000_001 },
		"sprint_share_ppm":          func(p *types.Params) { p.Capacity.SprintSharePpm = 1_000_001 },
		"credit_slack_ppm":          func(p *types.Params) { p.Capacity.CreditSlackPpm = 999_999 },
		"decays_per_block":          func(p *types.Params) { p.Capacity.DecaysPerBlock = 0 },
		"max_seats":                 func(p *types.Params) { p.MaxSeats = 65 },
	} {
		p := types.DefaultParams()
		change(&p)
		require.ErrorIs(t, p.Validate(), types.ErrInvalidParams, name)
	}
}
