package app_test

import (
	"fmt"
	"testing"
	"time"

	"cosmossdk.io/math"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	slashingtypes "github.com/cosmos/cosmos-sdk/x/slashing/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"
	"github.com/stretchr/testify/require"

	"poaid/app/params"
	"poaid/testutil"
	poaikeeper "poaid/x/poai/keeper"
	"poaid/x/poai/power"
	poaitypes "poaid/x/poai/types"
)

const scale = power.Scale

// validators starts a chain of five validators whose power is by score: 10, 30, 20, 10 and 30%, each with a bond of 1,000 poai. When its first
// epoch ends, after ten blocks, the scores of a second one close: 20% each.
func validators(t *testing.T, change func(p *poaitypes.Params), shadows ...testutil.Shadow) *testutil.Chain {
	t.Helper()
	return testutil.NewApp(t, testutil.Options{
		Bonds: []int64{1000, 1000, 1000, 1000, 1000}, Accounts: 7, Shadows: shadows,
		Genesis: func(g *testutil.Genesis) {
			var gs poaitypes.GenesisState
			g.Get(poaitypes.ModuleName, &gs)
			gs.Params.Power.ScoreEpochs, gs.Params.Power.TrustingEpochs, gs.Params.Power.CapPpm = 1, 2, 400_000
			if change != nil {
				change(&gs.Params)
			}
			g.Set(poaitypes.ModuleName, &gs)
			g.SetScores(1, []int64{10, 30, 20, 10, 30}, []int64{20, 20, 20, 20, 20})
			var sl slashingtypes.GenesisState
			g.Get(slashingtypes.ModuleName, &sl)
			sl.Params.SignedBlocksWindow, sl.Params.DowntimeJailDuration = 10, time.Minute
			sl.Params.SlashFractionDowntime = math.LegacyNewDecWithPrec(1, 2)
			g.Set(slashingtypes.ModuleName, &sl)
		},
	})
}

// shares of power that CometBFT is told, in thousandths.
func shares(c *testutil.Chain) []int64 {
	out := make([]int64, len(c.Validators))
	for i, v := range c.Validators {
		p, total := c.VotingPower(v.Key)
		out[i] = (p*2000/total + 1) / 2
	}
	return out
}

func tokens(t *testing.T, c *testutil.Chain, v *testutil.GenesisValidator) int64 {
	t.Helper()
	val, err := c.App.Staking.GetValidator(c.Ctx(), v.Operator())
	require.NoError(t, err)
	return val.Tokens.Int64()
}

func poai(n int64) sdk.Coin { return sdk.NewInt64Coin(params.Denom, n*1_000_000) }

func until(c *testutil.Chain, height int64) {
	for c.Height() < height {
		c.Block()
	}
}

func TestPowerFollowsScoreAtTheEndsOfEpochs(t *testing.T) {
	c := validators(t, nil, testutil.AllShadows()...)
	require.Equal(t, []int64{100, 300, 200, 100, 300}, shares(c))
	until(c, 9)
	require.Equal(t, []int64{100, 300, 200, 100, 300}, shares(c))
	c.Block() // the epoch ends: of the 20% to be moved 30%/3 may
	require.Equal(t, []int64{150, 250, 200, 150, 250}, shares(c))
	c.Rebirth()
	until(c, 20) // the next epoch, without score, is not closed yet
	require.Equal(t, []int64{200, 200, 200, 200, 200}, shares(c))
}

func TestAJailedValidatorLeavesAtOnceAndComesBack(t *testing.T) {
	c := validators(t, func(p *poaitypes.Params) { p.EpochBlocks = 100 }, testutil.AllShadows()...)
	v := c.Validators[1]
	c.SetAbsent(v.Key, true)
	for c.Height() < 30 {
		c.Block()
		if p, _ := c.VotingPower(v.Key); p == 0 {
			break
		}
	}
	require.Equal(t, []int64{143, 0, 286, 143, 429}, shares(c))
	require.Equal(t, int64(990_000_000), tokens(t, c, v), "a hundredth of the bond, whatever the power was")
	c.SetAbsent(v.Key, false)
	c.Time = c.Time.Add(time.Minute)
	c.Deliver(v.Account, slashingtypes.NewMsgUnjail(v.Operator().String()))
	require.Equal(t, []int64{100, 300, 200, 100, 300}, shares(c), "with the share it had, as its score is what it was")
	c.Blocks(4)
	require.Equal(t, int64(990_000_000), tokens(t, c, v))
}

// TestDoubleSigning: the bond at the infraction pays, what is unbonding from then on included, and nothing is made of the score.
func TestDoubleSigning(t *testing.T) {
	c := validators(t, nil, testutil.AllShadows()...)
	v := c.Validators[1]
	c.Blocks(3)
	height := c.Height()
	c.Deliver(v.Account, stakingtypes.NewMsgUndelegate(v.String(), v.Operator().String(), poai(200)))
	c.Blocks(1)
	supply := c.App.Bank.GetSupply(c.Ctx(), params.Denom).Amount
	fraction, err := c.App.Slashing.SlashFractionDoubleSign(c.Ctx())
	require.NoError(t, err)
	require.Equal(t, "0.050000000000000000", fraction.String())
	c.DoubleSign(v.Key, height)
	c.Block()
	require.Equal(t, int64(760_000_000), tokens(t, c, v), "1,000 were bonded at the infraction: 5% are 50, of which the unbonding 200 pay 10")
	require.Equal(t, int64(50_000_000), supply.Sub(c.App.Bank.GetSupply(c.Ctx(), params.Denom).Amount).Int64())
	require.Equal(t, []int64{143, 0, 286, 143, 429}, shares(c))
	cons := sdk.ConsAddress(v.Key.PubKey().Address())
	require.True(t, c.App.Slashing.IsTombstoned(c.Ctx(), cons))
	c.DoubleSign(v.Key, height)
	c.Blocks(3)
	require.Equal(t, int64(760_000_000), tokens(t, c, v), "once is enough")
	require.NotZero(t, c.Try(v.Account, slashingtypes.NewMsgUnjail(v.Operator().String())).Code)
}

func TestRotatedKeysKeepTheirPower(t *testing.T) {
	c := validators(t, nil, testutil.AllShadows()...)
	v, key := c.Validators[1], testutil.ValidatorKey("rotated")
	pk, err := codectypes.NewAnyWithValue(key.PubKey())
	require.NoError(t, err)
	old := c.Height() + 1
	c.Deliver(v.Account, &stakingtypes.MsgRotateConsPubKey{ValidatorAddress: v.Operator().String(), NewPubkey: pk})
	gone, _ := c.VotingPower(v.Key)
	here, total := c.VotingPower(key)
	require.Zero(t, gone)
	require.Equal(t, int64(300), here*1000/total)
	c.Blocks(6) // it votes and proposes with the new key
	res, err := poaikeeper.NewQueryServer(c.App.Poai).Power(c.Ctx(), &poaitypes.QueryPowerRequest{Operator: v.Operator().String()})
	require.NoError(t, err)
	require.Equal(t, here, res.Validators[0].Power)

	c.DoubleSign(v.Key, old) // evidence against the old key
	c.Block()
	require.Equal(t, int64(950_000_000), tokens(t, c, v))
	here, _ = c.VotingPower(key)
	require.Zero(t, here)
	c.Blocks(4)
}

// TestRotationAndJailAtOnce: a validator that goes to jail while its key is on the way leaves with whatever key CometBFT knows.
func TestRotationAndJailAtOnce(t *testing.T) {
	for wait := range 4 {
		t.Run(fmt.Sprintf("evidence %d blocks later", wait), func(t *testing.T) {
			c := validators(t, nil)
			v, key := c.Validators[1], testutil.ValidatorKey("rotated")
			pk, err := codectypes.NewAnyWithValue(key.PubKey())
			require.NoError(t, err)
			c.Blocks(1)
			tx := c.Tx(v.Account, &stakingtypes.MsgRotateConsPubKey{ValidatorAddress: v.Operator().String(), NewPubkey: pk})
			if wait > 0 {
				c.Block(tx)
				tx = nil
				c.Blocks(wait - 1)
			}
			c.DoubleSign(v.Key, 2)
			if tx != nil {
				c.Block(tx) // the message is refused, as the validator is in jail before the block's transactions
			}
			c.Blocks(1)
			here, _ := c.VotingPower(key)
			gone, _ := c.VotingPower(v.Key)
			require.Zero(t, here+gone)
			require.Equal(t, int64(950_000_000), tokens(t, c, v))
			c.Blocks(5)
		})
	}
}

func TestExportWhileAKeyIsOnTheWay(t *testing.T) {
	for wait := range 4 {
		t.Run(fmt.Sprintf("after %d blocks", wait), func(t *testing.T) {
			c := validators(t, func(p *poaitypes.Params) { p.EpochBlocks = 100 })
			v, key := c.Validators[1], testutil.ValidatorKey("rotated")
			pk, err := codectypes.NewAnyWithValue(key.PubKey())
			require.NoError(t, err)
			c.Deliver(v.Account, &stakingtypes.MsgRotateConsPubKey{ValidatorAddress: v.Operator().String(), NewPubkey: pk})
			c.Blocks(wait)
			c.Rebirth()
			c.Blocks(6)
			here, total := c.VotingPower(key)
			require.Equal(t, int64(300), (here*2000/total+1)/2)
		})
	}
}

// TestUnbondingEverything: the last validator cannot leave, and goes when another one comes.
func TestUnbondingEverything(t *testing.T) {
	c := validators(t, nil, testutil.AllShadows()...)
	for _, v := range c.Validators[1:] {
		c.Deliver(v.Account, stakingtypes.NewMsgUndelegate(v.String(), v.Operator().String(), poai(1000)))
		p, _ := c.VotingPower(v.Key)
		require.Zero(t, p)
	}
	require.Equal(t, []int64{1000, 0, 0, 0, 0}, shares(c))
	last := c.Validators[0]
	c.Deliver(last.Account, stakingtypes.NewMsgUndelegate(last.String(), last.Operator().String(), poai(1000)))
	require.Equal(t, []int64{1000, 0, 0, 0, 0}, shares(c))
	c.Blocks(12)
	require.Equal(t, []int64{1000, 0, 0, 0, 0}, shares(c))
	c.Rebirth()
	c.Blocks(3)
	newcomer(t, c, 5, 500)
	require.Equal(t, []int64{0, 0, 0, 0, 0}, shares(c))
	p, total := c.VotingPower(testutil.ValidatorKey("new5"))
	require.Equal(t, total, p)
	c.Blocks(4)
}

// newcomer bonds an account as a validator.
func newcomer(t *testing.T, c *testutil.Chain, account int, bond int64) *testutil.GenesisValidator {
	t.Helper()
	v := &testutil.GenesisValidator{Account: c.Accounts[account], Key: testutil.ValidatorKey(fmt.Sprintf("new%d", account))}
	msg, err := stakingtypes.NewMsgCreateValidator(v.Operator().String(), v.Key.PubKey(), poai(bond), stakingtypes.NewDescription("new", "", "", "", ""),
		stakingtypes.NewCommissionRates(math.LegacyZeroDec(), math.LegacyZeroDec(), math.LegacyZeroDec()), math.OneInt())
	require.NoError(t, err)
	c.Deliver(v.Account, msg)
	return v
}

func TestANewValidatorBeginsWithTheLeastPower(t *testing.T) {
	c := validators(t, func(p *poaitypes.Params) { p.Power.ComputePpm = 0 }, testutil.AllShadows()...)
	require.Equal(t, []int64{200, 200, 200, 200, 200}, shares(c))
	rich := newcomer(t, c, 5, 5000)
	p, total := c.VotingPower(rich.Key)
	require.Equal(t, int64(1), p)
	require.Equal(t, scale+1, total)
	poor := newcomer(t, c, 6, 99)
	p, _ = c.VotingPower(poor.Key)
	require.Zero(t, p, "below min_stake")
	until(c, 10)
	p, total = c.VotingPower(rich.Key)
	require.Equal(t, scale, total)
	require.InDelta(t, scale/10, p, 2, "30% a trusting period of 2 epochs: 10% an epoch")
	require.Equal(t, []int64{180, 180, 180, 180, 180}, shares(c))
	until(c, 60)
	p, _ = c.VotingPower(rich.Key)
	require.InDelta(t, scale*4/10, p, 2, "the cap")
}

func TestWhoseBondFallsIsCutAtOnce(t *testing.T) {
	c := validators(t, func(p *poaitypes.Params) { p.Power.LambdaPpm = 2_000_000 }, testutil.AllShadows()...)
	from, to := c.Validators[4], c.Validators[0]
	c.Deliver(from.Account, stakingtypes.NewMsgBeginRedelegate(from.String(), from.Operator().String(), to.Operator().String(), poai(750)))
	// 250 of 5,000 poai are 5%, times λ 10%.
	p, total := c.VotingPower(from.Key)
	require.InDelta(t, 100, p*1000/total, 1)
	require.Equal(t, []int64{129, 386, 257, 129, 100}, shares(c), "nobody else moves in relation to another")
	until(c, 12)
	require.Equal(t, int64(100), shares(c)[4], "its score is a fifth, its bond allows a tenth")
}

func TestWithoutScorePowerIsByBond(t *testing.T) {
	c := testutil.NewApp(t, testutil.Options{Bonds: []int64{1000, 2000, 3000, 4000}})
	require.Equal(t, []int64{250, 250, 250, 250}, shares(c), "four validators, and a cap of a quarter")
	c = testutil.NewApp(t, testutil.Options{Bonds: []int64{1000, 2000, 2000, 2500, 2500}})
	require.Equal(t, []int64{100, 200, 200, 250, 250}, shares(c))
	c.Blocks(22)
	require.Equal(t, []int64{100, 200, 200, 250, 250}, shares(c))
}

func TestPowerIsExplained(t *testing.T) {
	c := validators(t, nil)
	until(c, 10)
	q := poaikeeper.NewQueryServer(c.App.Poai)
	res, err := q.Power(c.Ctx(), &poaitypes.QueryPowerRequest{})
	require.NoError(t, err)
	require.Len(t, res.Validators, 5)
	require.Equal(t, scale, res.TotalPower)
	require.Equal(t, int64(100_000_000), res.Set.Changed)
	res, err = q.Power(c.Ctx(), &poaitypes.QueryPowerRequest{Operator: c.Validators[1].Operator().String()})
	require.NoError(t, err)
	e := res.Validators[0]
	require.Equal(t, c.Validators[1].String(), e.Account)
	require.Equal(t, []uint64{200_000, 200_000, 250_000}, []uint64{e.BondSharePpm, e.ScoreSharePpm, e.PowerSharePpm})
	require.Equal(t, []int64{1000, scale, 400_000_000, 100_000_000, 200_000_000, 250_000_000}, []int64{e.Bond, e.LambdaLimit, e.Cap, e.ChangeLimit, e.Target, e.Power})
	require.Equal(t, "Its share is by score in the last 1 closed epochs, 20.000% of all; it has 25.000% now, as 10.000% of all power changes hands in an epoch at most.", e.Why)
	_, err = q.Power(c.Ctx(), &poaitypes.QueryPowerRequest{Operator: "nobody"})
	require.Error(t, err)
}
