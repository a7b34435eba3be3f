package peers_test

import (
	"encoding/binary"
	"testing"

	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	"github.com/stretchr/testify/require"

	"poaid/app/params"
	"poaid/testutil"
	poaitypes "poaid/x/poai/types"
	taskstypes "poaid/x/tasks/types"
)

// specks is how many dust participants there are.
const specks = 10_000

// TestDustCannotJoin offers a bond of one unit less than the least.
func TestDustCannotJoin(t *testing.T) {
	c := testutil.NewApp(t, testutil.Options{})
	c.RegisterEcho(c.Accounts[0])
	p, err := c.App.Poai.Params.Get(c.Ctx())
	require.NoError(t, err)
	join := testutil.Join(c.Accounts[1])
	join.Bond.Amount = p.MinBond.SubRaw(1)
	res := c.Try(c.Accounts[1], join)
	require.Equal(t, poaitypes.ErrBondTooLow.ABCICode(), res.Code, res.Log)
	require.Contains(t, res.Log, "min_bond")
}

// TestDustDoesNotBreakADraw puts ten thousand dust participants into the tree beside a few real ones. Whatever the dust is, tasks are drawn,
// audited and finished by the real ones.
func TestDustDoesNotBreakADraw(t *testing.T) {
	for name, dust := range map[string]struct {
		bond, minBond, lock int64
	}{
		// Slashed below what is needed: no weight at all.
		"below min_bond": {bond: 99_999_999, minBond: 100_000_000, lock: 1_000_000},
		// One unit of weight each, and enough bond for nothing.
		"of weight 1": {bond: 1, minBond: 1, lock: 1_000_000},
		// As much weight together as all real ones, and each too little for a lock: half of the candidates drawn are set aside.
		"as heavy as the real ones": {bond: 4_000_000, minBond: 4_000_000, lock: 8_000_000},
	} {
		t.Run(name, func(t *testing.T) {
			c := testutil.NewApp(t, testutil.Options{Accounts: 5, NoInvariants: true, Genesis: func(g *testutil.Genesis) {
				calm.apply(g)
				scatter(g, dust.bond, dust.minBond, dust.lock)
			}})
			c.RegisterEcho(c.Accounts[0])
			crew := c.NewCrew(c.Accounts[1:]...)
			ids := submit(t, c, 1, 24)
			for range 3 {
				crew.Work()
			}
			assigned := 0
			for _, id := range ids {
				if status(t, c, id).State >= taskstypes.STATE_ASSIGNED {
					assigned++
				}
			}
			require.Equal(t, len(ids), assigned, "tasks that found a worker with their first draw")
			finish(t, c, crew, ids)
			for _, id := range ids {
				st := status(t, c, id)
				member(t, crew, st.Worker)
				require.True(t, st.Audited)
				require.Positive(t, st.ScoreUnits)
			}
			require.NoError(t, testutil.CheckInvariants(c.App, c.Ctx()))
		})
	}
}

// scatter stores the dust in the genesis, serving the echo model in its first slots.
func scatter(g *testutil.Genesis, bond, minBond, lock int64) {
	var p poaitypes.GenesisState
	g.Get(poaitypes.ModuleName, &p)
	p.Params.MinBond = math.NewInt(minBond)
	for i := range specks {
		addr := make([]byte, 20)
		binary.BigEndian.PutUint32(addr, uint32(i)+1)
		who := sdk.AccAddress(addr).String()
		p.Participants = append(p.Participants, poaitypes.Participant{
			Address: who, Moniker: "dust", Concurrency: 100, Bond: math.NewInt(bond), Locked: math.ZeroInt(), Unbonding: math.ZeroInt(),
			ReliabilityPpm: 500_000, Models: 1,
		})
		p.Servings = append(p.Servings, poaitypes.Serving{Model: testutil.EchoModel, Participant: who, Slot: uint64(i)})
	}
	g.Set(poaitypes.ModuleName, &p)
	g.Fund(authtypes.NewModuleAddress(poaitypes.ModuleName), sdk.NewCoins(sdk.NewInt64Coin(params.Denom, bond*specks)))
	var s taskstypes.GenesisState
	g.Get(taskstypes.ModuleName, &s)
	s.Params.WorkerLockBase = math.NewInt(lock)
	g.Set(taskstypes.ModuleName, &s)
}
