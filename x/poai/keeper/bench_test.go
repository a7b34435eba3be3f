package keeper_test

import (
	"fmt"
	"testing"

	"cosmossdk.io/math"
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
