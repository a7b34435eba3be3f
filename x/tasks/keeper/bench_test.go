package keeper_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/x/tasks/types"
)

// prefill stores n tasks that are over, so that a benchmark runs beside them.
func (f *fix) prefill(n int) {
	task := types.Task{
		Submitter: f.who(8), Model: "digits", Steps: 1, MaxFee: coin(1), UnitPrice: coin(1).Amount, Fee: coin(1).Amount, Lock: coin(1).Amount,
	}
	for i := range n {
		task.Id = uint64(i + 1)
		require.NoError(f.tb, f.keeper.Tasks.Set(f.ctx, task.Id, task))
		require.NoError(f.tb, f.keeper.Statuses.Set(f.ctx, task.Id, types.Status{State: types.STATE_FINAL, Pruned: true}))
	}
}

// BenchmarkSealItem is the cost of one item of a batch of 100 seals.
func BenchmarkSealItem(b *testing.B) {
	for _, stored := range []int{0, 10_000} {
		b.Run(fmt.Sprintf("stored=%d", stored), func(b *testing.B) {
			f, ids := batchOf(b, 100, stored)
			items := make([]types.ResultSeal, len(ids))
			for i, id := range ids {
				items[i] = types.ResultSeal{TaskId: id, Seal: make([]byte, 32)}
			}
			msg := &types.MsgSealResults{Worker: f.who(0), Items: items}
			b.ResetTimer()
			for i := 0; i < b.N; i += len(ids) {
				ctx, _ := f.ctx.CacheContext()
				res, err := f.msgs.SealResults(ctx, msg)
				require.NoError(b, err)
				require.True(b, res.Results[99].Accepted)
			}
		})
	}
}

// BenchmarkRevealItem is the cost of one item of a batch of 100 reveals. The fake of x/poai is left out of it.
func BenchmarkRevealItem(b *testing.B) {
	f, ids := batchOf(b, 100, 0)
	msg := &types.MsgRevealResults{Worker: f.who(0)}
	for _, id := range ids {
		a := f.result(id, 0, 1)
		st := f.status(id)
		st.State, st.Seal = types.STATE_REVEALING, f.sealItem(id, f.who(0), a).Seal
		require.NoError(b, f.keeper.Statuses.Set(f.ctx, id, st))
		msg.Items = append(msg.Items, a.reveal)
	}
	s := f.poai.state(f.ctx)
	s.Participants = s.Participants[:1]
	s.Participants[0].Active = 1000
	f.poai.save(f.ctx, "poai", s)
	b.ResetTimer()
	for i := 0; i < b.N; i += len(ids) {
		ctx, _ := f.ctx.CacheContext()
		res, err := f.msgs.RevealResults(ctx, msg)
		require.NoError(b, err)
		require.True(b, res.Results[99].Accepted, res.Results[99].Error)
	}
}

// BenchmarkSubmit is the cost of one submission.
func BenchmarkSubmit(b *testing.B) {
	f := fixture(b)
	for i := 0; b.Loop(); i++ {
		ctx, _ := f.ctx.WithTxIndex(i % (1 << 16)).CacheContext()
		_, err := f.msgs.SubmitTask(ctx, digitsMsg(f.who(9), i))
		require.NoError(b, err)
	}
}

// batchOf has n tasks ASSIGNED to participant 0.
func batchOf(b *testing.B, n, stored int) (*fix, []uint64) {
	b.Helper()
	f := fixture(b)
	f.prefill(stored)
	ids := make([]uint64, n)
	for i := range ids {
		ids[i] = f.submit(digitsMsg(f.who(9), i))
		st := f.status(ids[i])
		st.State, st.Worker, st.Deadline = types.STATE_ASSIGNED, f.who(0), 1000
		require.NoError(b, f.keeper.Statuses.Set(f.ctx, ids[i], st))
	}
	return f, ids
}
