package keeper_test

import (
	"errors"
	"fmt"
	"maps"
	"testing"

	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	poaitypes "poaid/x/poai/types"
	"poaid/x/rewards/types"
)

const participants = 5

// book is a second set of books, kept by the test from what messages answer.
type book struct {
	minted  math.Int
	claimed math.Int // by participants, into vesting
	lost    math.Int // forfeited or swept
}

// Whatever epochs, claims, releases, lies, sweeps and changes of params come in whatever order, every coin minted is with a
// participant, vesting, in a pool, carried, with the community or with the stakers.
func TestEveryCoinIsSomewhere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := fixture(t)
		b := &book{math.ZeroInt(), math.ZeroInt(), math.ZeroInt()}
		epoch, end := uint64(0), int64(0)
		height := func() int64 { return f.ctx.BlockHeight() }
		someone := rapid.IntRange(0, participants-1)
		t.Repeat(map[string]func(*rapid.T){
			"": func(t *rapid.T) { checkBooks(t, f, b) },
			"blocks": func(t *rapid.T) {
				f.at(height() + rapid.Int64Range(1, 15).Draw(t, "blocks"))
			},
			"close": func(t *rapid.T) {
				epoch++
				start := end + 1
				end = start + rapid.Int64Range(0, 60).Draw(t, "length")
				f.at(max(height(), end+1))
				closeRandomEpoch(t, f, b, epoch, start, end)
			},
			"claim": func(t *rapid.T) {
				epochs := someEpochs(t, epoch)
				claimRandom(t, f, b, someone.Draw(t, "who"), epochs)
			},
			"release": func(t *rapid.T) {
				atomically(f, func(ctx sdk.Context) error {
					_, err := f.msg.Release(ctx, &types.MsgRelease{Participant: who(someone.Draw(t, "who"))})
					return allow(t, err, types.ErrNothingToRelease)
				})
			},
			"auto-bond": func(t *rapid.T) {
				_, err := f.msg.SetAutoBond(f.ctx, &types.MsgSetAutoBond{
					Participant: who(someone.Draw(t, "who")), Ppm: rapid.Uint32Range(0, types.MaxAutoBondPpm).Draw(t, "ppm"),
				})
				require.NoError(t, err)
			},
			"claim for": func(t *rapid.T) {
				msg := &types.MsgClaimFor{Sender: who(0), Participant: who(someone.Draw(t, "who")), Epochs: someEpochs(t, epoch)}
				atomically(f, func(ctx sdk.Context) error {
					resp, err := f.msg.ClaimFor(ctx, msg)
					if err == nil {
						b.claimed = b.claimed.Add(resp.Claimed.Add(resp.Holders).Amount)
					}
					return allow(t, err, types.ErrForfeited, types.ErrNoScore, types.ErrAlreadyClaimed, types.ErrEpochNotClosed,
						types.ErrTooEarly, types.ErrNotDelegated)
				})
			},
			"lie": func(t *rapid.T) {
				i := someone.Draw(t, "who")
				before := f.bank.of(community)
				require.NoError(t, f.k.Hooks().AfterLieProven(f.ctx, who(i)))
				b.lost = b.lost.Add(f.bank.of(community).Sub(before))
			},
			"sweep": func(t *rapid.T) {
				msg := &types.MsgSweep{Sender: who(0), Participant: who(someone.Draw(t, "who")), Epochs: someEpochs(t, epoch)}
				atomically(f, func(ctx sdk.Context) error {
					resp, err := f.msg.Sweep(ctx, msg)
					if err == nil {
						b.lost = b.lost.Add(resp.Swept.Amount)
					}
					return allow(t, err, types.ErrNotForfeited, types.ErrNoScore, types.ErrAlreadyClaimed, types.ErrEpochNotClosed)
				})
			},
			"params": func(t *rapid.T) {
				p := params()
				p.VestingBlocks = rapid.Int64Range(0, 30).Draw(t, "vesting")
				switch rapid.IntRange(0, 2).Draw(t, "curve") {
				case 1:
					p.Curve, p.DecayPpb, p.PeriodBlocks = types.CURVE_EXPONENTIAL, rapid.Uint32Range(1, 999_999_999).Draw(t, "decay"), types.MinPeriodBlocks
				case 2:
					p.Curve, p.Table = types.CURVE_TABLE, []types.CurvePoint{
						{FromHeight: rapid.Int64Range(0, 40).Draw(t, "from"), BlockEmission: math.NewInt(rapid.Int64Range(0, 9_000).Draw(t, "each"))},
						{FromHeight: rapid.Int64Range(41, 400).Draw(t, "from"), BlockEmission: math.NewInt(rapid.Int64Range(0, 9_000).Draw(t, "each"))},
					}
				}
				p.MaxDelegatorBps = rapid.Uint32Range(0, 5_000).Draw(t, "holders' part")
				f.delegation.commission = rapid.Int64Range(0, 10_000).Draw(t, "commission")
				p.HalvingBlocks = rapid.Int64Range(1, 200).Draw(t, "halving")
				p.MaxEmissionPerUnit = math.NewInt(rapid.Int64Range(0, 5e9).Draw(t, "per unit"))
				p.MaxSupply = math.NewInt(rapid.Int64Range(1, 200_000).Draw(t, "supply"))
				_, err := f.msg.UpdateParams(f.ctx, &types.MsgUpdateParams{Authority: authority, Params: p})
				require.NoError(t, err)
			},
		})
		checkGenesisRoundTrip(t, f)
		drain(t, f, b, epoch)
	})
}

func closeRandomEpoch(t *rapid.T, f *fix, b *book, epoch uint64, start, end int64) {
	total := math.ZeroInt()
	f.poai.scores[epoch], f.poai.delegated[epoch] = map[string]math.Int{}, map[string]math.Int{}
	for i := range participants {
		s := rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Range(0, 20), rapid.Int64Range(0, 1<<62)).Draw(t, fmt.Sprint("score", i))
		f.poai.scores[epoch][who(i)] = math.NewInt(s)
		f.poai.delegated[epoch][who(i)] = math.NewInt(rapid.Int64Range(0, s).Draw(t, "delegated"))
		total = total.Add(math.NewInt(s))
	}
	before := f.bank.supply()
	require.NoError(t, f.k.Hooks().AfterEpochClosed(f.ctx, poaitypes.Epoch{
		Number: epoch, StartHeight: start, EndHeight: end, TotalScore: total, TotalUnits: total.QuoRaw(3),
	}))
	minted := f.bank.supply().Sub(before)
	require.True(t, minted.IsZero() || total.IsPositive(), "minted without score")
	b.minted = b.minted.Add(minted)
}

func claimRandom(t *rapid.T, f *fix, b *book, i int, epochs []uint64) {
	want := math.ZeroInt()
	for _, e := range epochs {
		if p, err := f.k.Pools.Get(f.ctx, e); err == nil && p.TotalScore.IsPositive() {
			want = want.Add(p.Pool.Mul(f.poai.scores[e][who(i)]).Quo(p.TotalScore))
		}
	}
	atomically(f, func(ctx sdk.Context) error {
		resp, err := f.msg.Claim(ctx, &types.MsgClaim{Participant: who(i), Epochs: epochs})
		if err == nil {
			require.Equal(t, want.String(), resp.Claimed.Add(resp.Holders).Amount.String())
			require.False(t, resp.Holders.Amount.GT(resp.Claimed.Amount), "holders earn more than compute")
			b.claimed = b.claimed.Add(want)
		}
		return allow(t, err, types.ErrForfeited, types.ErrNoScore, types.ErrAlreadyClaimed, types.ErrEpochNotClosed)
	})
}

// someEpochs draws an ascending list, the epoch after the last among them at times.
func someEpochs(t *rapid.T, last uint64) []uint64 {
	first := rapid.Uint64Range(1, last+1).Draw(t, "first")
	epochs := []uint64{first}
	for e := first + 1; e <= last && len(epochs) < 4; e++ {
		if rapid.Bool().Draw(t, "more") {
			epochs = append(epochs, e)
		}
	}
	return epochs
}

// atomically keeps what f did only if it succeeds, as the chain does with transactions.
func atomically(f *fix, do func(sdk.Context) error) {
	balances := maps.Clone(f.bank.balances)
	ctx, write := f.ctx.CacheContext()
	if do(ctx) != nil {
		f.bank.balances = balances
		return
	}
	write()
}

// allow fails on any error but the listed ones.
func allow(t require.TestingT, err error, list ...error) error {
	if err == nil {
		return nil
	}
	for _, e := range list {
		if errors.Is(err, e) {
			return err
		}
	}
	require.NoError(t, err)
	return err
}

func checkBooks(t require.TestingT, f *fix, b *book) {
	require.NoError(t, f.k.Invariants(f.ctx))
	supply, err := f.k.Supply.Get(f.ctx)
	require.NoError(t, err)
	require.Equal(t, b.minted.String(), supply.Minted.String())
	require.Equal(t, b.minted.String(), f.bank.supply().String())
	require.False(t, supply.Minted.GT(math.NewInt(1_000_000)), "more than any max_supply that was in force")

	pools, vesting, paid := math.ZeroInt(), math.ZeroInt(), math.ZeroInt()
	require.NoError(t, f.k.Pools.Walk(f.ctx, nil, func(_ uint64, p types.EpochPool) (bool, error) {
		pools = pools.Add(p.Outstanding())
		return false, nil
	}))
	require.NoError(t, f.k.Vestings.Walk(f.ctx, nil, func(_ sdk.AccAddress, v types.Vesting) (bool, error) {
		require.False(t, v.Empty(), "an empty vesting is kept")
		require.False(t, v.HoldersRemaining().IsNegative())
		vesting = vesting.Add(v.Remaining()).Add(v.HoldersRemaining())
		return false, nil
	}))
	for i := range participants {
		paid = paid.AddRaw(f.balance(i))
	}
	sum := pools.Add(vesting).Add(paid).Add(supply.Carry).Add(f.bank.of(community)).Add(f.bank.of(module("fee_collector"))).
		Add(f.bank.of(module("delegation"))).Add(f.bank.of(module("poai")))
	require.Equal(t, b.minted.String(), sum.String(), "pools, vesting, paid, carry, community, stake, holders, bonds")
}

// drain lets everybody claim and release all they can: what is left is what was forfeited and never swept, and the carry.
func drain(t *rapid.T, f *fix, b *book, last uint64) {
	for e := uint64(1); e <= last; e++ {
		for i := range participants {
			claimRandom(t, f, b, i, []uint64{e})
			atomically(f, func(ctx sdk.Context) error {
				resp, err := f.msg.Sweep(ctx, &types.MsgSweep{Sender: who(0), Participant: who(i), Epochs: []uint64{e}})
				if err == nil {
					b.lost = b.lost.Add(resp.Swept.Amount)
				}
				return err
			})
		}
	}
	f.at(f.ctx.BlockHeight() + 1000)
	for i := range participants {
		atomically(f, func(ctx sdk.Context) error {
			_, err := f.msg.Release(ctx, &types.MsgRelease{Participant: who(i)})
			return err
		})
	}
	checkBooks(t, f, b)
	supply, err := f.k.Supply.Get(f.ctx)
	require.NoError(t, err)
	require.Equal(t, supply.Carry.String(), f.bank.of(module(types.ModuleName)).String(), "all is claimed but the carry")
	require.True(t, supply.Carry.LT(math.NewInt(participants*int64(last+1))), "carry %s is more than rounding", supply.Carry)
}

func checkGenesisRoundTrip(t require.TestingT, f *fix) {
	g, err := f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	require.NoError(t, g.Validate())
	bz, err := g.Marshal()
	require.NoError(t, err)
	var read types.GenesisState
	require.NoError(t, read.Unmarshal(bz))
	h := emptyFixture(t, f.bank, f.poai)
	require.NoError(t, h.k.InitGenesis(h.ctx, read))
	again, err := h.k.ExportGenesis(h.ctx)
	require.NoError(t, err)
	require.Equal(t, g.String(), again.String())
}

func TestGenesisRefusesABalanceThatIsNotOwed(t *testing.T) {
	f := fixture(t)
	f.close(1, 1, 10, 1, 2)
	f.mustClaim(0, 1)
	require.NoError(t, f.k.Hooks().AfterLieProven(f.ctx, who(1)))
	checkGenesisRoundTrip(t, f)

	g, err := f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	h := emptyFixture(t, newBank(), f.poai)
	require.ErrorIs(t, h.k.InitGenesis(h.ctx, *g), types.ErrAccounting)
}

// What is minted must be what x/delegation takes: otherwise no share that others have a part in could be released.
func TestGenesisRefusesAnotherDenomThanDelegations(t *testing.T) {
	h := emptyFixture(t, newBank(), fixture(t).poai)
	h.delegation.denom = "other"
	err := h.k.InitGenesis(h.ctx, *types.DefaultGenesis())
	require.ErrorIs(t, err, types.ErrInvalidGenesis)
	require.ErrorContains(t, err, "params.mint_denom: upoai, reward_denom of x/delegation is other")
}
