package keeper_test

import (
	"testing"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"

	poaitypes "poaid/x/poai/types"
	"poaid/x/rewards/types"
)

func TestPoolIsMintedAndSplit(t *testing.T) {
	f := fixture(t)
	f.close(1, 1, 10, 3, 4)

	require.Equal(t, int64(10_000), f.bank.supply().Int64())
	require.Equal(t, int64(500), f.bank.of(community).Int64())
	require.Equal(t, int64(500), f.bank.of(module("fee_collector")).Int64())
	pool := f.pool(1)
	require.Equal(t, int64(9000), pool.Pool.Int64())
	require.Equal(t, int64(7), pool.TotalScore.Int64())
	require.Zero(t, f.poai.reads, "closing must not look at participants")
	f.invariants()
}

func TestPoolAcrossAHalving(t *testing.T) {
	f := fixture(t)
	f.close(1, 95, 104, 1) // five blocks of 1,000 and five of 500
	require.Equal(t, int64(7500), f.bank.supply().Int64())
}

func TestNothingIsMintedWithoutScore(t *testing.T) {
	f := fixture(t)
	f.close(1, 1, 10)
	require.True(t, f.bank.supply().IsZero())
	require.True(t, f.pool(1).Pool.IsZero())
	_, err := f.claim(0, 1)
	require.ErrorIs(t, err, types.ErrNoScore)
	f.invariants()
}

func TestMintingStopsAtMaxSupply(t *testing.T) {
	f := fixture(t)
	p := params()
	p.MaxSupply = math.NewInt(15_000)
	require.NoError(t, f.k.Params.Set(f.ctx, p))
	f.close(1, 1, 10, 1)
	f.close(2, 11, 20, 1)
	f.close(3, 21, 30, 1)
	require.Equal(t, int64(15_000), f.bank.supply().Int64())
	require.True(t, f.pool(3).Pool.IsZero())

	// Governance may lower the limit below what is minted; nothing is taken back and nothing more is minted.
	p.MaxSupply = math.NewInt(1)
	require.NoError(t, f.k.Params.Set(f.ctx, p))
	f.close(4, 31, 40, 1)
	require.Equal(t, int64(15_000), f.bank.supply().Int64())
	f.invariants()
}

func TestEmissionPerUnitIsCapped(t *testing.T) {
	f := fixture(t)
	p := params()
	p.MaxEmissionPerUnit = math.NewInt(2_500_000) // 2.5 coins a unit
	require.NoError(t, f.k.Params.Set(f.ctx, p))
	f.close(1, 1, 10, 1, 2)
	require.Equal(t, int64(7), f.bank.supply().Int64(), "3 units may mint 7 of the 10,000 that the curve allows")
	supply, err := f.k.Supply.Get(f.ctx)
	require.NoError(t, err)
	require.Equal(t, int64(7), supply.Minted.Int64())
	f.invariants()
}

// TestARunMintsNoMoreThanItCosts: worker and two members of a committee are credited 2 units for a run of one, and 10^6 units cost 3.5 coins.
func TestARunMintsNoMoreThanItCosts(t *testing.T) {
	f := fixture(t)
	p := params()
	p.BlockEmission, p.MaxEmissionCostBps = math.NewInt(1_000_000_000), types.BasisPoints
	require.NoError(t, f.k.Params.Set(f.ctx, p))
	f.work.cost = 3_500_000
	f.close(1, 1, 10, 1_000, 500, 500)
	require.Equal(t, int64(3_500), f.bank.supply().Int64(), "what 1,000 units cost")
	f.close(2, 11, 20, 1_000)
	require.Equal(t, int64(3_500+1_750), f.bank.supply().Int64(), "and half of it where nobody checked")
	p.MaxEmissionPerUnit = math.NewInt(1_000_000)
	require.NoError(t, f.k.Params.Set(f.ctx, p))
	f.close(3, 21, 30, 1_000)
	require.Equal(t, int64(3_500+1_750+1_000), f.bank.supply().Int64(), "max_emission_per_unit is a limit of its own")
	f.work.cost, p.MaxEmissionPerUnit = 0, math.NewInt(7_000_000)
	require.NoError(t, f.k.Params.Set(f.ctx, p))
	f.close(4, 31, 40, 1_000)
	require.Equal(t, int64(3_500+1_750+1_000+7_000), f.bank.supply().Int64(), "nobody knows what work costs")
	f.invariants()
}

func TestAnEpochClosesOnce(t *testing.T) {
	f := fixture(t)
	f.close(1, 1, 10, 1)
	err := f.k.Hooks().AfterEpochClosed(f.ctx, poaitypes.Epoch{
		Number: 1, StartHeight: 1, EndHeight: 10, TotalScore: math.OneInt(), TotalUnits: math.OneInt(),
	})
	require.ErrorIs(t, err, types.ErrPoolExists)
	require.Equal(t, int64(10_000), f.bank.supply().Int64())
}

func TestImpossibleEpochsAreRefused(t *testing.T) {
	for name, e := range map[string]poaitypes.Epoch{
		"no score":       {Number: 1, TotalUnits: math.OneInt()},
		"negative score": {Number: 1, TotalScore: math.NewInt(-1), TotalUnits: math.OneInt()},
		"no units":       {Number: 1, TotalScore: math.OneInt()},
		"negative units": {Number: 1, TotalScore: math.OneInt(), TotalUnits: math.NewInt(-1)},
		"huge units":     {Number: 1, TotalScore: math.OneInt(), TotalUnits: math.NewIntWithDecimal(1, 60)},
	} {
		t.Run(name, func(t *testing.T) {
			f := fixture(t)
			require.ErrorIs(t, f.k.Hooks().AfterEpochClosed(f.ctx, e), types.ErrAccounting)
			require.True(t, f.bank.supply().IsZero())
		})
	}
}

func TestRemainderGoesIntoTheNextPool(t *testing.T) {
	f := fixture(t)
	f.close(1, 1, 10, 1, 1, 5) // 9,000 in sevenths: 1285 + 1285 + 6428, 2 left
	require.Equal(t, int64(1285), f.mustClaim(0, 1))
	require.Equal(t, int64(1285), f.mustClaim(1, 1))
	require.Zero(t, f.carry(), "nothing is carried while somebody may still claim")
	f.invariants()
	require.Equal(t, int64(6428), f.mustClaim(2, 1))
	require.Equal(t, int64(2), f.carry())
	require.True(t, f.pool(1).Outstanding().IsZero())
	f.invariants()

	f.close(2, 11, 20)
	require.Equal(t, int64(2), f.carry(), "an epoch without score leaves the carry alone")
	f.close(3, 21, 30, 1)
	require.Zero(t, f.carry())
	require.Equal(t, int64(9002), f.pool(3).Pool.Int64())
	f.invariants()
}
