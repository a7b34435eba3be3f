package keeper_test

import (
	"fmt"
	"testing"
	"time"

	"cosmossdk.io/math"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/stretchr/testify/require"

	"poaid/x/poai/types"
)

const benchBatch = 100

// benchFixture has n participants that serve digits, and room for a batch of 100.
func benchFixture(b *testing.B, n int) *fixture {
	b.Helper()
	f := newFixture(b)
	params := testParams()
	params.MaxBatch, params.MaxConcurrency = benchBatch, 60_000
	require.NoError(b, f.Params.Set(f.ctx, params))
	for i := range n {
		f.join(i, 5_000, digits)
	}
	return f
}

// branch is the state as a transaction sees it.
func (f *fixture) branch() sdk.Context {
	ctx, _ := f.ctx.CacheContext()
	return ctx
}

// BenchmarkAttestationBatch seals, and reveals, 100 items in one message.
func BenchmarkAttestationBatch(b *testing.B) {
	f := benchFixture(b, 2)
	m := addr(1)
	p := f.get(m)
	p.Concurrency = 60_000
	require.NoError(b, f.Participants.Set(f.ctx, m, p))
	seals := &types.MsgSealAttestations{Participant: m}
	reveals := &types.MsgRevealAttestations{Participant: m}
	for i := range uint64(benchBatch) {
		_, err := f.OpenCommittee(f.ctx, types.CommitteeRequest{
			Task: task + i, Model: digits, Worker: addr(0), Size: 1, LockPerSeat: math.OneInt(), Deadline: 10,
		})
		require.NoError(b, err)
		seals.Items = append(seals.Items, sealItem(m, task+i, rootOf(1)))
		reveals.Items = append(reveals.Items, revealItem(m, task+i, rootOf(1)))
	}
	b.Run("seal", func(b *testing.B) {
		for b.Loop() {
			res, err := f.msgs.SealAttestations(f.branch(), seals)
			if err != nil || !res.Results[benchBatch-1].Accepted {
				b.Fatal(err, res)
			}
		}
		b.ReportMetric(float64(b.N*benchBatch)/b.Elapsed().Seconds(), "items/s")
	})
	_, err := f.msgs.SealAttestations(f.ctx, seals)
	require.NoError(b, err)
	b.Run("reveal", func(b *testing.B) {
		for b.Loop() {
			res, err := f.msgs.RevealAttestations(f.branch(), reveals)
			if err != nil || !res.Results[benchBatch-1].Accepted {
				b.Fatal(err, res)
			}
		}
		b.ReportMetric(float64(b.N*benchBatch)/b.Elapsed().Seconds(), "items/s")
	})
}

// BenchmarkDrawWorker draws, locks and occupies through IAVL.
func BenchmarkDrawWorker(b *testing.B) {
	for _, n := range []int{100, 1_000, 10_000} {
		f := benchFixture(b, n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			i := uint64(0)
			for b.Loop() {
				i++
				_, found, err := f.DrawWorker(f.branch(), draw(i, 10))
				if err != nil || !found {
					b.Fatal(err)
				}
			}
		})
	}
}

// notedBonds has validators with a bond noted each, and one that has a long history which evidence may still ask for.
func notedBonds(tb testing.TB, validators, history int) *fixture {
	tb.Helper()
	f := newFixture(tb)
	f.ctx = f.ctx.WithConsensusParams(cmtproto.ConsensusParams{Evidence: &cmtproto.EvidenceParams{MaxAgeNumBlocks: 1 << 40, MaxAgeDuration: time.Hour}})
	for i := range validators {
		require.NoError(tb, f.NoteBond(f.ctx, fmt.Sprintf("validator-%06d", i), 1))
	}
	for i := range history {
		f.at(f.ctx.BlockHeight() + 1)
		require.NoError(tb, f.NoteBond(f.ctx, "validator-000007", int64(i)))
	}
	return f
}

// TestNotingABondCostsTheSame: however many validators there are, and however long the history of one is.
func TestNotingABondCostsTheSame(t *testing.T) {
	cost := func(validators, history int) (note, read uint64) {
		f := notedBonds(t, validators, history)
		f.at(f.ctx.BlockHeight() + 1)
		meter := storetypes.NewInfiniteGasMeter()
		ctx := f.ctx.WithGasMeter(meter)
		require.NoError(t, f.NoteBond(ctx, "validator-000007", 5))
		note = meter.GasConsumed()
		bond, found, err := f.BondAt(ctx, "validator-000007", f.ctx.BlockHeight()-1)
		require.NoError(t, err)
		require.True(t, found)
		require.EqualValues(t, history-1, bond)
		return note, meter.GasConsumed() - note
	}
	note, read := cost(10, 10)
	manyNote, manyRead := cost(2_000, 2_000)
	require.InEpsilon(t, note, manyNote, 0.05)
	require.InEpsilon(t, read, manyRead, 0.05)
	t.Logf("gas of noting a bond %d and of finding one %d; with 2,000 validators and as many notes %d and %d", note, read, manyNote, manyRead)
}
