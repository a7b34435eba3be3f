package keeper_test

import (
	"testing"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"

	"poaid/x/rewards/types"
)

func TestClaimsRefused(t *testing.T) {
	f := fixture(t)
	f.close(1, 1, 10, 1, 1)
	f.close(2, 11, 20, 1, 0)
	f.mustClaim(0, 1)
	many := make([]uint64, types.MaxClaimEpochs+1)
	for i := range many {
		many[i] = uint64(i)
	}
	for _, tc := range []struct {
		name   string
		who    int
		epochs []uint64
		want   error
		text   string
	}{
		{"none", 0, nil, types.ErrInvalidEpochs, "0 given"},
		{"too many", 0, many, types.ErrInvalidEpochs, "101 given, must be 1..100"},
		{"as many as there may be", 0, many[1:], types.ErrAlreadyClaimed, "epoch 1"},
		{"descending", 0, []uint64{2, 1}, types.ErrInvalidEpochs, "epochs[1]"},
		{"twice", 0, []uint64{2, 2}, types.ErrInvalidEpochs, "epochs[1]"},
		{"not closed", 0, []uint64{3}, types.ErrEpochNotClosed, "epoch 3"},
		{"claimed before", 0, []uint64{1}, types.ErrAlreadyClaimed, "epoch 1"},
		{"claimed before, among others", 0, []uint64{1, 2}, types.ErrAlreadyClaimed, "epoch 1"},
		{"score of zero", 1, []uint64{2}, types.ErrNoScore, "epoch 2"},
		{"stranger", 9, []uint64{1}, types.ErrNoScore, "epoch 1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ctx, _ := f.ctx.CacheContext()
			_, err := f.msg.Claim(ctx, &types.MsgClaim{Participant: who(tc.who), Epochs: tc.epochs})
			require.ErrorIs(t, err, tc.want)
			require.ErrorContains(t, err, tc.text)
		})
	}
	_, err := f.msg.Claim(f.ctx, &types.MsgClaim{Participant: "poai1nonsense", Epochs: []uint64{1}})
	require.ErrorIs(t, err, types.ErrInvalidAddress)
	f.invariants()
}

// bech32 lets an address be written in capitals: that must not be a second participant.
func TestClaimInCapitalsIsTheSameClaim(t *testing.T) {
	f := fixture(t)
	f.close(1, 1, 10, 1, 1)
	f.mustClaim(0, 1)
	_, err := f.msg.Claim(f.ctx, &types.MsgClaim{Participant: upper(who(0)), Epochs: []uint64{1}})
	require.ErrorIs(t, err, types.ErrAlreadyClaimed)
}

func TestScoresBeyondTheTotalAreRefused(t *testing.T) {
	f := fixture(t)
	f.close(1, 1, 10, 1, 1)
	f.poai.scores[1][who(0)] = math.NewInt(3)
	_, err := f.claim(0, 1)
	require.ErrorIs(t, err, types.ErrAccounting)
}

func TestClaimVestsLinearly(t *testing.T) {
	f := fixture(t).at(20)
	f.close(1, 1, 10, 1) // 9,000 over blocks 20..30
	resp, err := f.claim(0, 1)
	require.NoError(t, err)
	require.Equal(t, "9000upoai", resp.Claimed.String())
	require.True(t, resp.Released.IsZero())
	_, err = f.msg.Release(f.ctx, &types.MsgRelease{Participant: who(0)})
	require.ErrorIs(t, err, types.ErrNothingToRelease)

	f.at(23)
	rel, err := f.msg.Release(f.ctx, &types.MsgRelease{Participant: who(0)})
	require.NoError(t, err)
	require.Equal(t, "2700upoai", rel.Released.String())
	require.Equal(t, int64(2700), f.balance(0))
	f.invariants()

	// A second claim pays what has vested and starts anew with the rest.
	f.close(2, 11, 20, 1)
	f.at(25)
	resp, err = f.claim(0, 2)
	require.NoError(t, err)
	require.Equal(t, "1800upoai", resp.Released.String())
	v, err := f.q.Vesting(f.ctx, &types.QueryVestingRequest{Participant: who(0)})
	require.NoError(t, err)
	require.Equal(t, int64(4500+9000), v.Vesting.Amount.Int64())
	require.Equal(t, []int64{25, 35}, []int64{v.Vesting.StartHeight, v.Vesting.EndHeight})
	f.invariants()

	f.at(35)
	_, err = f.msg.Release(f.ctx, &types.MsgRelease{Participant: who(0)})
	require.NoError(t, err)
	require.Equal(t, int64(18_000), f.balance(0))
	found, err := f.k.Vestings.Has(f.ctx, []byte("participant-00000000"))
	require.NoError(t, err)
	require.False(t, found, "a vesting that is paid out is dropped")
	f.invariants()
}

func TestClaimWithoutVestingPaysAtOnce(t *testing.T) {
	f := fixture(t).at(20)
	f.close(1, 1, 10, 1)
	f.close(2, 11, 20, 1)
	f.mustClaim(0, 1)
	p := params()
	p.VestingBlocks = 0
	require.NoError(t, f.k.Params.Set(f.ctx, p))
	resp, err := f.claim(0, 2)
	require.NoError(t, err)
	require.Equal(t, "18000upoai", resp.Released.String(), "the old remainder too")
	require.Equal(t, int64(18_000), f.balance(0))
	f.invariants()
}

func TestALieForfeitsWhatHasNotVested(t *testing.T) {
	f := fixture(t).at(20)
	f.close(1, 1, 10, 1)
	f.mustClaim(0, 1)
	before := f.bank.of(community).Int64()
	f.at(24)
	require.NoError(t, f.k.Hooks().AfterLieProven(f.ctx, who(0)))
	require.Equal(t, int64(5400), f.bank.of(community).Int64()-before)
	f.invariants()

	f.at(25)
	rel, err := f.msg.Release(f.ctx, &types.MsgRelease{Participant: who(0)})
	require.NoError(t, err)
	require.Equal(t, "3600upoai", rel.Released.String(), "what had vested stays the participant's")
	f.at(100)
	_, err = f.msg.Release(f.ctx, &types.MsgRelease{Participant: who(0)})
	require.ErrorIs(t, err, types.ErrNothingToRelease)
	f.invariants()

	// Lying again, with nothing left, changes nothing.
	require.NoError(t, f.k.Hooks().AfterLieProven(f.ctx, who(0)))
	require.Equal(t, int64(5400), f.bank.of(community).Int64()-before)
	require.ErrorIs(t, f.k.Hooks().AfterLieProven(f.ctx, "x"), types.ErrInvalidAddress)
}

func TestALieForfeitsUnclaimedShares(t *testing.T) {
	f := fixture(t).at(20)
	f.close(1, 1, 10, 1, 2)
	require.NoError(t, f.k.Hooks().AfterLieProven(f.ctx, who(0)))
	f.close(2, 11, 20, 1, 2)

	_, err := f.claim(0, 1)
	require.ErrorIs(t, err, types.ErrForfeited)
	require.Equal(t, int64(3000), f.mustClaim(0, 2), "epochs closed after the lie are the participant's")
	_, err = f.claim(1, 1)
	require.NoError(t, err, "nobody else is touched")

	sweep := func(participant int, epochs ...uint64) error {
		ctx, write := f.ctx.CacheContext()
		_, err := f.msg.Sweep(ctx, &types.MsgSweep{Sender: who(5), Participant: who(participant), Epochs: epochs})
		if err == nil {
			write()
		}
		return err
	}
	require.ErrorIs(t, sweep(1, 1), types.ErrNotForfeited)
	require.ErrorIs(t, sweep(0, 2), types.ErrNotForfeited)
	require.ErrorIs(t, sweep(0, 1, 2), types.ErrNotForfeited)
	require.ErrorIs(t, sweep(0), types.ErrInvalidEpochs)
	before := f.bank.of(community).Int64()
	require.NoError(t, sweep(0, 1))
	require.Equal(t, int64(3000), f.bank.of(community).Int64()-before)
	require.True(t, f.pool(1).Outstanding().IsZero())
	require.ErrorIs(t, sweep(0, 1), types.ErrAlreadyClaimed)
	f.invariants()
}

func TestUpdateParams(t *testing.T) {
	f := fixture(t)
	p := params()
	p.VestingBlocks = 99
	_, err := f.msg.UpdateParams(f.ctx, &types.MsgUpdateParams{Authority: who(0), Params: p})
	require.ErrorContains(t, err, "invalid authority")
	other := p
	other.MintDenom = "uother"
	_, err = f.msg.UpdateParams(f.ctx, &types.MsgUpdateParams{Authority: authority, Params: other})
	require.ErrorContains(t, err, "mint_denom")
	bad := p
	bad.StakeBps++
	_, err = f.msg.UpdateParams(f.ctx, &types.MsgUpdateParams{Authority: authority, Params: bad})
	require.ErrorIs(t, err, types.ErrInvalidParams)
	_, err = f.msg.UpdateParams(f.ctx, &types.MsgUpdateParams{Authority: authority, Params: p})
	require.NoError(t, err)
	got, err := f.k.Params.Get(f.ctx)
	require.NoError(t, err)
	require.Equal(t, int64(99), got.VestingBlocks)
}
