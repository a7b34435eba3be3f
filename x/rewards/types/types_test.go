package types_test

import (
	"testing"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"poaid/x/rewards/types"
)

func TestEmissionAtHalvings(t *testing.T) {
	p := types.DefaultParams()
	p.BlockEmission, p.HalvingBlocks = math.NewInt(1000), 100
	for _, tc := range []struct {
		name     string
		from, to int64
		want     int64
	}{
		{"one block", 1, 1, 1000},
		{"last block before the halving", 99, 99, 1000},
		{"first block after the halving", 100, 100, 500},
		{"across one halving", 99, 100, 1500},
		{"across two halvings", 99, 200, 1000 + 100*500 + 250},
		{"a whole period", 100, 199, 100 * 500},
		{"smallest emission", 999, 999, 1},
		{"nothing left", 1000, 1000, 0},
		{"nothing left for ever", 1000, 1<<63 - 1, 0},
		{"to the end of time", 0, 1<<63 - 1, 100 * (1000 + 500 + 250 + 125 + 62 + 31 + 15 + 7 + 3 + 1)},
		{"empty range", 5, 4, 0},
	} {
		t.Run(tc.name, func(t *testing.T) { require.Equal(t, tc.want, p.Emission(tc.from, tc.to).Int64()) })
	}
}

func TestEmissionWithoutHalvingInSight(t *testing.T) {
	p := types.DefaultParams()
	p.HalvingBlocks = 1<<63 - 1
	require.Equal(t, p.BlockEmission.MulRaw(1<<62).String(), p.Emission(1, 1<<62).String())
	p.HalvingBlocks = 1
	require.Equal(t, p.BlockEmission.QuoRaw(8).String(), p.BlockEmissionAt(3).String())
}

// The closed form is the sum over blocks, and ranges add up.
func TestEmissionIsTheSumOverBlocks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := types.DefaultParams()
		p.BlockEmission = math.NewInt(rapid.Int64Range(0, 5000).Draw(t, "emission"))
		p.HalvingBlocks = rapid.Int64Range(1, 40).Draw(t, "halving")
		from := rapid.Int64Range(0, 300).Draw(t, "from")
		to := from + rapid.Int64Range(0, 300).Draw(t, "blocks")
		want := int64(0)
		for h := from; h <= to; h++ {
			if shift := h / p.HalvingBlocks; shift < 63 {
				want += p.BlockEmission.Int64() >> shift
			}
		}
		require.Equal(t, want, p.Emission(from, to).Int64())
		mid := rapid.Int64Range(from, to).Draw(t, "mid")
		require.Equal(t, want, p.Emission(from, mid).Add(p.Emission(mid+1, to)).Int64())
	})
}

func TestDefaultCurveStaysBelowMaxSupply(t *testing.T) {
	p := types.DefaultParams()
	require.NoError(t, p.Validate())
	all := p.Emission(1, 1<<62)
	require.True(t, all.LTE(p.MaxSupply), "%s of %s", all, p.MaxSupply)
	require.True(t, all.GT(p.MaxSupply.MulRaw(999).QuoRaw(1000)), "%s leaves more than a thousandth of %s unminted", all, p.MaxSupply)
}

func TestParamsValidate(t *testing.T) {
	for field, p := range map[string]types.Params{
		"mint_denom":            with(func(p *types.Params) { p.MintDenom = "!" }),
		"block_emission":        with(func(p *types.Params) { p.BlockEmission = math.NewInt(-1) }),
		"max_supply":            with(func(p *types.Params) { p.MaxSupply = math.ZeroInt() }),
		"max_emission_per_unit": with(func(p *types.Params) { p.MaxEmissionPerUnit = math.Int{} }),
		"halving_blocks":        with(func(p *types.Params) { p.HalvingBlocks = 0 }),
		"vesting_blocks: -1":    with(func(p *types.Params) { p.VestingBlocks = -1 }),
		"vesting_blocks: 9223":  with(func(p *types.Params) { p.VestingBlocks = 1<<63 - 1 }),
		"max_emission_cost_bps": with(func(p *types.Params) { p.MaxEmissionCostBps = 1_000_001 }),
		"stake_bps: 10001":      with(func(p *types.Params) { p.StakeBps = 1 }),
		"stake_bps: 9999":       with(func(p *types.Params) { p.ComputeBps = 9499 }),
		"stake_bps: 4294976796": with(func(p *types.Params) { p.CommunityBps = 1<<32 - 1; p.StakeBps = 1 }), // would wrap to 9,500
		"2^100":                 with(func(p *types.Params) { p.MaxSupply = math.NewIntWithDecimal(1, 31) }),
	} {
		t.Run(field, func(t *testing.T) {
			err := p.Validate()
			require.ErrorIs(t, err, types.ErrInvalidParams)
			require.ErrorContains(t, err, field)
		})
	}
}

func with(f func(*types.Params)) types.Params {
	p := types.DefaultParams()
	f(&p)
	return p
}

// TestARunNeverMintsMoreThanItsPart of what it costs, whatever the params; and no unit in it is lost but to rounding.
func TestARunNeverMintsMoreThanItsPart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := with(func(p *types.Params) {
			p.MaxEmissionPerUnit = math.NewIntFromUint64(rapid.Uint64().Draw(t, "per unit"))
			p.MaxEmissionCostBps = rapid.Uint32Range(1, 1_000_000).Draw(t, "bps")
		})
		require.NoError(t, p.Validate())
		cost := math.NewIntFromUint64(rapid.Uint64Range(1, 1<<62).Draw(t, "cost"))
		members, share := rapid.Uint32Range(0, 64).Draw(t, "members"), rapid.Uint64Range(0, 1_000_000).Draw(t, "share")
		most := p.UnitEmission(cost, members, share)
		require.True(t, most.LTE(p.MaxEmissionPerUnit))
		run := func(most math.Int) math.Int { // what 10^6 units of run and committee mint, in millionths of a millionth
			return most.Mul(math.NewInt(1_000_000).Add(math.NewIntFromUint64(share).MulRaw(int64(members)))).MulRaw(10_000)
		}
		limit := cost.MulRaw(int64(p.MaxEmissionCostBps)).MulRaw(1_000_000)
		require.True(t, run(most).LTE(limit), "%s of %s", run(most), limit)
		if most.LT(p.MaxEmissionPerUnit) {
			require.True(t, run(most.AddRaw(1)).GT(limit))
		}
	})
	p := types.DefaultParams()
	require.Equal(t, int64(200_000), p.UnitEmission(math.NewInt(500_000), 3, 500_000).Int64())
	p.MaxEmissionCostBps = 0
	require.Equal(t, p.MaxEmissionPerUnit, p.UnitEmission(math.NewInt(500_000), 3, 500_000))
}

func TestVested(t *testing.T) {
	v := types.NoVesting("")
	v.Amount, v.Holders, v.StartHeight, v.EndHeight = math.NewInt(100), math.NewInt(200), 10, 17
	for _, tc := range []struct{ height, want int64 }{{9, 0}, {10, 0}, {11, 14}, {16, 85}, {17, 100}, {1 << 62, 100}} {
		require.Equal(t, tc.want, v.Vested(tc.height).Int64(), "height %d", tc.height)
	}
	v.EndHeight = v.StartHeight
	require.Equal(t, int64(100), v.Vested(10).Int64())
}

func TestGenesisValidate(t *testing.T) {
	zero, one, two := math.ZeroInt(), math.OneInt(), math.NewInt(2)
	pool := types.EpochPool{Epoch: 1, Pool: two, TotalScore: two, ClaimedScore: one, Claimed: one, Carried: zero}
	vesting := types.NoVesting("a")
	vesting.Amount, vesting.Released, vesting.StartHeight, vesting.EndHeight = two, one, 1, 2
	good := func() types.GenesisState {
		g := *types.DefaultGenesis()
		g.Pools, g.Vestings = []types.EpochPool{pool}, []types.Vesting{vesting}
		g.Claims = []types.ClaimRecord{{Participant: "a", Epoch: 1}}
		g.Forfeitures = []types.Forfeiture{{Participant: "a", Epoch: 1}}
		return g
	}
	g := good()
	require.NoError(t, g.Validate())
	for want, spoil := range map[string]func(*types.GenesisState){
		"supply.minted":           func(g *types.GenesisState) { g.Supply.Minted = math.NewInt(-1) },
		"supply.carry":            func(g *types.GenesisState) { g.Supply.Carry = math.Int{} },
		"pools[1]: epoch 1":       func(g *types.GenesisState) { g.Pools = append(g.Pools, pool) },
		"pools[0]: claimed_score": func(g *types.GenesisState) { g.Pools[0].ClaimedScore = math.NewInt(3) },
		"pools[0]: claimed: 3":    func(g *types.GenesisState) { g.Pools[0].Claimed = math.NewInt(3) },
		"pools[0]: carried":       func(g *types.GenesisState) { g.Pools[0].ClaimedScore = two },
		"vestings[1]":             func(g *types.GenesisState) { g.Vestings = append(g.Vestings, vesting) },
		"vestings[0]: released":   func(g *types.GenesisState) { g.Vestings[0].Released = math.NewInt(3) },
		"vestings[0]: end_height": func(g *types.GenesisState) { g.Vestings[0].EndHeight = 0 },
		"claims[0]":               func(g *types.GenesisState) { g.Claims[0].Epoch = 7 },
		"claims[1]":               func(g *types.GenesisState) { g.Claims = append(g.Claims, g.Claims[0]) },
		"forfeitures[1]":          func(g *types.GenesisState) { g.Forfeitures = append(g.Forfeitures, g.Forfeitures[0]) },
	} {
		t.Run(want, func(t *testing.T) {
			g := good()
			spoil(&g)
			require.ErrorContains(t, g.Validate(), want)
		})
	}
}
