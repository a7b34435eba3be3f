package keeper_test

import (
	"context"
	"fmt"
	"testing"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"
	cmtcrypto "github.com/cometbft/cometbft/proto/tendermint/crypto"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/stretchr/testify/require"

	"poaid/x/poai/types"
)

func TestPowerParamsRefuseNonsense(t *testing.T) {
	for name, change := range map[string]func(*types.PowerParams){
		"compute_ppm":                    func(p *types.PowerParams) { p.ComputePpm = 1_000_001 },
		"min_stake":                      func(p *types.PowerParams) { p.MinStake = math.NewInt(-1) },
		"lambda_ppm":                     func(p *types.PowerParams) { p.LambdaPpm = 999_999 },
		"cap_ppm":                        func(p *types.PowerParams) { p.CapPpm = 0 },
		"score_epochs":                   func(p *types.PowerParams) { p.ScoreEpochs = 0 },
		"change_ppm_per_trusting_period": func(p *types.PowerParams) { p.ChangePpmPerTrustingPeriod = 333_333 },
		"trusting_epochs":                func(p *types.PowerParams) { p.TrustingEpochs = 0 },
		"tally":                          func(p *types.PowerParams) { p.Tally = types.TALLY_UNSPECIFIED },
		"tally_epochs":                   func(p *types.PowerParams) { p.TallyEpochs = 65 },
	} {
		t.Run(name, func(t *testing.T) {
			p := types.DefaultParams()
			require.NoError(t, p.Validate())
			change(&p.Power)
			err := p.Validate()
			require.ErrorIs(t, err, types.ErrInvalidParams)
			require.ErrorContains(t, err, "power."+name)
		})
	}
}

// benchmarkUpdate is the end of an epoch with n validators that all have scores in each of the epochs that count.
func benchmarkUpdate(b *testing.B, n int) {
	f := newFixture(b)
	bonded := make([]types.BondedValidator, n)
	keys := func(_ context.Context, operator string) (cmtcrypto.PublicKey, error) {
		return cmtcrypto.PublicKey{Sum: &cmtcrypto.PublicKey_Ed25519{Ed25519: []byte(operator)}}, nil
	}
	for i := range bonded {
		bonded[i] = types.BondedValidator{
			Address: fmt.Appendf(nil, "operator%012d", i), Operator: fmt.Sprintf("%032d", i), Bond: int64(i + 100), Stake: math.NewInt(int64(i+100) * 1_000_000),
		}
	}
	_, err := f.StartValidators(f.ctx, bonded, keys)
	require.NoError(b, err)
	require.NoError(b, f.ClosedEpochs.Set(f.ctx, 6))
	for i, v := range bonded {
		account := sdk.AccAddress(v.Address).String()
		for e := range uint64(6) {
			n := math.NewInt(int64(1_000_000 * (n - i)))
			require.NoError(b, f.Scores.Set(f.ctx, collections.Join(e+1, account), types.Score{Score: n, Units: n}))
		}
	}
	for b.Loop() {
		updates, err := f.UpdateValidators(f.branch(), bonded, keys, true)
		require.NoError(b, err)
		require.Len(b, updates, n)
	}
}

func BenchmarkUpdateValidators100(b *testing.B)  { benchmarkUpdate(b, 100) }
func BenchmarkUpdateValidators1000(b *testing.B) { benchmarkUpdate(b, 1000) }
