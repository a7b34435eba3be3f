package testutil

import (
	"slices"

	"cosmossdk.io/collections"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/commit"
	taskstypes "poaid/x/tasks/types"
)

// stand tells whether a task is m's to do, as its worker or as a runner of a race. For a runner it puts its own seal and root into the status.
func (w *Crew) stand(ctx sdk.Context, m *Participant, id uint64, st *taskstypes.Status) (bool, error) {
	if st.Worker == m.String() {
		return true, nil
	}
	for i := range st.Runners {
		r, err := w.chain.App.Tasks.Runners.Get(ctx, collections.Join(id, i))
		if err != nil {
			return false, err
		}
		if r.Participant == m.String() && !r.Out {
			st.Worker, st.Seal, st.ResultRoot = r.Participant, r.Seal, r.ResultRoot
			return true, nil
		}
	}
	return false, nil
}

// races are the seals of races that m is not in yet.
func (w *Crew) races(ctx sdk.Context, m *Participant) (seals []taskstypes.ResultSeal, err error) {
	k := w.chain.App.Tasks
	err = k.Open.Walk(ctx, nil, func(key collections.Pair[string, uint64]) (bool, error) {
		id := key.K2()
		task, st, err := k.GetTask(ctx, id)
		if err != nil || !task.Race() || w.chain.Height()+1 > st.Deadline || slices.Contains(st.Tried, m.String()) {
			return false, err
		}
		in, err := k.ByWorker.Has(ctx, collections.Join(m.Addr, id))
		if err != nil || in {
			return false, err
		}
		result, err := w.result(ctx, m, id)
		if err != nil {
			return false, err
		}
		seal := commit.Seal(w.chain.ChainID, id, m.String(), result.Root, salt(m, id, "result"))
		seals = append(seals, taskstypes.ResultSeal{TaskId: id, Seal: seal[:]})
		return false, nil
	})
	return seals, err
}
