package keeper_test

import (
	"testing"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/stretchr/testify/require"

	"poaid/x/tasks/types"
)

// TestGenesisRoundTrip exports in the middle of everything, imports and exports again: nothing differs, and the tasks go on to
// their end in the new chain.
func TestGenesisRoundTrip(t *testing.T) {
	for seed := range uint64(12) {
		m := newMachine(t)
		m.play(seed, 100+int(seed)*3)
		m.block(1)
		exported, err := m.keeper.ExportGenesis(m.ctx)
		require.NoError(t, err)
		require.NoError(t, exported.Validate())

		next := newMachine(t)
		next.ids, next.lies, next.total, next.ctx = m.ids, m.lies, m.total, next.ctx.WithBlockHeight(m.ctx.BlockHeight())
		next.bank.save(next.ctx, "bank", m.bank.state(m.ctx))
		next.poai.save(next.ctx, "poai", m.poai.state(m.ctx))
		require.NoError(t, next.keeper.InitGenesis(next.ctx, *exported))
		again, err := next.keeper.ExportGenesis(next.ctx)
		require.NoError(t, err)
		require.Equal(t, exported, again)
		next.check()
		next.end()
	}
}

func TestGenesisRefuses(t *testing.T) {
	f := fixture(t)
	id := f.assigned(digitsMsg(f.who(9), 1))
	require.NotZero(t, id)
	good := func() *types.GenesisState {
		g, err := f.keeper.ExportGenesis(f.ctx)
		require.NoError(t, err)
		return g
	}
	require.NoError(t, good().Validate())
	for name, edit := range map[string]func(*types.GenesisState){
		"params":       func(g *types.GenesisState) { g.Params.BurnBps = types.BpsOne + 1 },
		"twice":        func(g *types.GenesisState) { g.Tasks = append(g.Tasks, g.Tasks[0]) },
		"no fee":       func(g *types.GenesisState) { g.Tasks[0].Task.MaxFee.Amount = math.ZeroInt() },
		"nil fee":      func(g *types.GenesisState) { g.Tasks[0].Task.MaxFee = sdk.Coin{} },
		"no lock":      func(g *types.GenesisState) { g.Tasks[0].Task.Lock = math.Int{} },
		"no worker":    func(g *types.GenesisState) { g.Tasks[0].Status.Worker = "" },
		"state":        func(g *types.GenesisState) { g.Tasks[0].Status.State = 12 },
		"payment":      func(g *types.GenesisState) { g.Tasks[0].Payment = &types.Payment{} },
		"seen":         func(g *types.GenesisState) { g.Seen[0].TaskId++ },
		"short root":   func(g *types.GenesisState) { g.Seen[0].InputRoot = nil },
		"shares":       func(g *types.GenesisState) { g.Tasks[0].Task.BurnBps = types.BpsOne + 1 },
		"no submitter": func(g *types.GenesisState) { g.Tasks[0].Task.Submitter = "" },
	} {
		g := good()
		edit(g)
		require.Error(t, g.Validate(), name)
	}
	empty := fixture(t)
	require.ErrorIs(t, empty.keeper.InitGenesis(empty.ctx, *good()), types.ErrInvariant, "nobody holds the escrow")
}

// TestInvariantsSeeDamage: an invariant that cannot fail is worth nothing.
func TestInvariantsSeeDamage(t *testing.T) {
	damage := map[string]func(f *fix, id uint64){
		"coins":  func(f *fix, _ uint64) { f.bank.fund(f.ctx, fakeAccounts{}.GetModuleAddress(types.ModuleName), 1) },
		"queue":  func(f *fix, id uint64) { _ = f.keeper.Due.Remove(f.ctx, collections.Join(f.status(id).Due, id)) },
		"due":    func(f *fix, id uint64) { st := f.status(id); st.Due = 0; _ = f.keeper.Statuses.Set(f.ctx, id, st) },
		"worker": func(f *fix, id uint64) { st := f.status(id); st.Worker = ""; _ = f.keeper.Statuses.Set(f.ctx, id, st) },
		"other": func(f *fix, id uint64) {
			st := f.status(id)
			st.Worker = f.who(8)
			_ = f.keeper.Statuses.Set(f.ctx, id, st)
		},
		"index": func(f *fix, _ uint64) { _ = f.keeper.ByWorker.Clear(f.ctx, nil) },
		"list":  func(f *fix, _ uint64) { _ = f.keeper.BySubmitter.Clear(f.ctx, nil) },
		"paid":  func(f *fix, id uint64) { _ = f.keeper.Payments.Set(f.ctx, id, zeroPayment()) },
		"seen": func(f *fix, id uint64) {
			task, _ := f.keeper.Tasks.Get(f.ctx, id)
			task.Scored = false
			_ = f.keeper.Tasks.Set(f.ctx, id, task)
		},
	}
	for name, do := range damage {
		t.Run(name, func(t *testing.T) {
			f := fixture(t)
			id := f.assigned(digitsMsg(f.who(9), 1))
			require.NoError(t, f.keeper.CheckInvariants(f.ctx))
			do(f, id)
			require.ErrorIs(t, f.keeper.CheckInvariants(f.ctx), types.ErrInvariant)
		})
	}
}

func zeroPayment() types.Payment {
	return types.NewPayment()
}
