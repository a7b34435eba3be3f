package keeper_test

import (
	"testing"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"

	"poaid/x/rewards/types"
)

func TestHoldersPart(t *testing.T) {
	for _, c := range []struct {
		name                    string
		score, delegated        int64
		commission              int64
		maxBps                  uint32
		wantClaimed, wantHolder int64
	}{
		{"nothing delegated", 100, 0, 0, 5_000, 9_000, 0},
		{"a quarter", 100, 25, 0, 5_000, 6_750, 2_250},
		{"a quarter less a tenth", 100, 25, 1_000, 5_000, 6_975, 2_025},
		{"all commission", 100, 50, 10_000, 5_000, 9_000, 0},
		{"more than half", 100, 80, 0, 5_000, 4_500, 4_500},
		{"the limit after commission", 100, 80, 5_000, 5_000, 5_400, 3_600},
		{"switched off", 100, 80, 0, 0, 9_000, 0},
		{"rounded down", 7, 2, 0, 10_000, 6_429, 2_571},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := fixture(t)
			p := params()
			p.MaxDelegatorBps = c.maxBps
			require.NoError(t, f.k.Params.Set(f.ctx, p))
			f.delegation.commission = c.commission
			f.close(1, 1, 10, c.score)
			f.delegate(1, 0, c.delegated)
			q, err := f.q.Claimable(f.ctx, &types.QueryClaimableRequest{Participant: who(0)})
			require.NoError(t, err)
			res, err := f.claim(0, 1)
			require.NoError(t, err)
			require.Equal(t, c.wantClaimed, res.Claimed.Amount.Int64())
			require.Equal(t, c.wantHolder, res.Holders.Amount.Int64())
			require.Len(t, q.Claimable, 1)
			require.Equal(t, []string{res.Claimed.String(), res.Holders.String()}, []string{q.Claimable[0].Amount.String(), q.Claimable[0].Holders.String()})
			f.invariants()

			f.at(6)
			half, err := f.msg.Release(f.ctx, &types.MsgRelease{Participant: who(0)})
			require.NoError(t, err)
			require.Equal(t, c.wantClaimed/2, half.Released.Amount.Int64())
			require.Equal(t, c.wantHolder/2, half.Holders.Amount.Int64(), "at the same pace")
			f.at(11)
			_, err = f.msg.ReleaseFor(f.ctx, &types.MsgReleaseFor{Sender: who(5), Participant: who(0)})
			require.NoError(t, err)
			require.Equal(t, c.wantClaimed, f.balance(0))
			require.Equal(t, c.wantHolder, f.bank.of(module("delegation")).Int64())
			f.invariants()
		})
	}
}

func TestALieForfeitsTheHoldersPartToo(t *testing.T) {
	f := fixture(t)
	f.close(1, 1, 10, 100)
	f.delegate(1, 0, 50)
	f.close(2, 11, 20, 100)
	f.delegate(2, 0, 50)
	f.mustClaim(0, 1)
	before := f.bank.of(community).Int64()
	f.at(5) // 4 of 10 blocks
	require.NoError(t, f.k.Hooks().AfterLieProven(f.ctx, who(0)))
	require.Equal(t, before+2*2_700, f.bank.of(community).Int64())
	f.invariants()
	_, err := f.msg.Release(f.ctx, &types.MsgRelease{Participant: who(0)})
	require.NoError(t, err)
	require.Equal(t, int64(1_800), f.balance(0))
	require.Equal(t, int64(1_800), f.bank.of(module("delegation")).Int64())

	swept, err := f.msg.Sweep(f.ctx, &types.MsgSweep{Sender: who(1), Participant: who(0), Epochs: []uint64{2}})
	require.NoError(t, err)
	require.Equal(t, int64(9_000), swept.Swept.Amount.Int64(), "both parts")
	_, err = f.msg.Sweep(f.ctx, &types.MsgSweep{Sender: who(1), Participant: who(0), Epochs: []uint64{2}})
	require.ErrorIs(t, err, types.ErrAlreadyClaimed)
	f.invariants()
}

func TestClaimFor(t *testing.T) {
	f := fixture(t)
	f.at(20)
	f.close(1, 1, 10, 100, 100)
	f.delegate(1, 0, 50)
	f.close(2, 11, 20, 100)
	f.delegate(2, 0, 50)
	claimFor := func(i int, epochs ...uint64) (*types.MsgClaimForResponse, error) {
		return f.msg.ClaimFor(f.ctx, &types.MsgClaimFor{Sender: who(7), Participant: who(i), Epochs: epochs})
	}
	f.at(29)
	_, err := claimFor(0, 1)
	require.ErrorIs(t, err, types.ErrTooEarly)
	require.ErrorContains(t, err, "from height 30")
	f.at(30)
	_, err = claimFor(1, 1)
	require.ErrorIs(t, err, types.ErrNotDelegated)
	_, err = claimFor(0, 2, 1)
	require.ErrorIs(t, err, types.ErrInvalidEpochs)
	res, err := claimFor(0, 1)
	require.NoError(t, err)
	require.Equal(t, int64(2_250), res.Holders.Amount.Int64())
	require.Equal(t, int64(2_250), res.Claimed.Amount.Int64())
	_, err = claimFor(0, 1)
	require.ErrorIs(t, err, types.ErrAlreadyClaimed)
	_, err = f.claim(0, 1)
	require.ErrorIs(t, err, types.ErrAlreadyClaimed)
	f.at(40)
	_, err = f.msg.Release(f.ctx, &types.MsgRelease{Participant: who(0)})
	require.NoError(t, err)
	require.Equal(t, int64(2_250), f.balance(0), "it is the participant's, whoever claimed")
	require.Zero(t, f.balance(7))
	_, err = f.msg.ReleaseFor(f.ctx, &types.MsgReleaseFor{Sender: who(7), Participant: who(0)})
	require.ErrorIs(t, err, types.ErrNothingToRelease)
	f.invariants()
}

func TestAutoBond(t *testing.T) {
	for _, c := range []struct {
		name               string
		ppm                uint32
		vesting            int64
		wantPaid, wantBond int64
	}{
		{"off", 0, 10, 9_000, 0},
		{"half", 500_000, 10, 4_500, 4_500},
		{"all", 1_000_000, 10, 0, 9_000},
		{"rounded down", 1, 10, 9_000, 0},
		{"without vesting", 250_000, 0, 6_750, 2_250},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := fixture(t)
			p := params()
			p.VestingBlocks = c.vesting
			require.NoError(t, f.k.Params.Set(f.ctx, p))
			_, err := f.msg.SetAutoBond(f.ctx, &types.MsgSetAutoBond{Participant: who(0), Ppm: c.ppm})
			require.NoError(t, err)
			f.close(1, 1, 10, 1)
			f.mustClaim(0, 1)
			f.at(11)
			if c.vesting > 0 {
				_, err = f.msg.Release(f.ctx, &types.MsgRelease{Participant: who(0)})
				require.NoError(t, err)
			}
			require.Equal(t, c.wantPaid, f.balance(0))
			require.Equal(t, c.wantBond, f.bank.of(module("poai")).Int64())
			if c.wantBond > 0 {
				require.Equal(t, c.wantBond, f.poai.bonds[who(0)].Int64())
			}
			f.invariants()
			checkGenesisRoundTrip(t, f)
		})
	}
}

func TestAutoBondRefuses(t *testing.T) {
	f := fixture(t)
	set := func(i int, ppm uint32) error {
		_, err := f.msg.SetAutoBond(f.ctx, &types.MsgSetAutoBond{Participant: who(i), Ppm: ppm})
		return err
	}
	require.ErrorIs(t, set(0, types.MaxAutoBondPpm+1), types.ErrInvalidAutoBond)
	require.ErrorIs(t, set(99, 1), types.ErrInvalidAutoBond, "has not joined")
	f.poai.denom = "ustake"
	require.ErrorIs(t, set(0, 1), types.ErrInvalidAutoBond, "bonds are in another denom")
	require.NoError(t, set(0, 0))

	g, err := f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	g.AutoBonds = []types.AutoBond{{Participant: who(0), Ppm: types.MaxAutoBondPpm + 1}}
	require.ErrorIs(t, g.Validate(), types.ErrInvalidGenesis)
}

// An epoch that earns less a unit than the curve allows leaves the rest unminted: it is not owed to a later one.
func TestWhatACapLeavesIsNotHandedToALaterEpoch(t *testing.T) {
	f := fixture(t)
	p := params()
	p.MaxEmissionPerUnit = math.NewInt(2_000_000) // two coins a unit
	require.NoError(t, f.k.Params.Set(f.ctx, p))
	f.close(1, 1, 10, 50)
	f.close(2, 11, 20, 1_000_000)
	supply, err := f.k.Supply.Get(f.ctx)
	require.NoError(t, err)
	require.Equal(t, int64(100+10_000), supply.Minted.Int64())
	f.close(3, 21, 30)
	f.close(4, 31, 40, 10)
	supply, err = f.k.Supply.Get(f.ctx)
	require.NoError(t, err)
	require.Equal(t, int64(100+10_000+20), supply.Minted.Int64(), "an idle epoch hands nothing on")
	f.invariants()
}
