package keeper_test

import (
	"bytes"
	"testing"

	"cosmossdk.io/collections"
	"github.com/stretchr/testify/require"

	"poaid/x/sprints/types"
	taskstypes "poaid/x/tasks/types"
)

// everybody is audited from 32 leaves on.
func everybody(p *types.Params) { p.VerifyPpm = types.PpmOne }

// TestManyCommits: 10^4 commits are settled over blocks, in order, never more than settles_per_block in one.
func TestManyCommits(t *testing.T) {
	const n, each = 10_000, 700
	f := fixture(t, n, func(p *types.Params) { p.SettlesPerBlock = each; p.KeepWindows = 1 })
	w := f.open()
	for i := range n {
		f.commit(i, w.Number, 3)
	}
	for f.window(w.Number).Phase != types.PHASE_SETTLED {
		before := f.window(w.Number)
		require.NoError(t, f.k.EndBlock(f.ctx))
		f.ctx = f.ctx.WithBlockHeight(f.ctx.BlockHeight() + 1)
		after := f.window(w.Number)
		require.LessOrEqual(t, after.Decided, before.Decided+each)
		if after.Phase == types.PHASE_SETTLING {
			require.Equal(t, before.Decided+each, after.Decided, "and no fewer")
		}
		require.LessOrEqual(t, f.ctx.BlockHeight(), w.SettleHeight+n/each+2)
	}
	require.NoError(t, f.k.CheckInvariants(f.ctx))
	require.Len(t, f.w.credits, n)
	require.Len(t, f.w.capacity, n)
	require.Empty(t, f.w.locks)
	// Dropping them is bounded too.
	for range 1_000 {
		if f.window(w.Number).Number == 0 {
			break
		}
		before := f.window(w.Number).Commits
		require.NoError(t, f.k.EndBlock(f.ctx))
		f.ctx = f.ctx.WithBlockHeight(f.ctx.BlockHeight() + 1)
		require.LessOrEqual(t, before, f.window(w.Number).Commits+each)
	}
	require.NoError(t, f.k.CheckInvariants(f.ctx))
	require.Zero(t, f.window(w.Number).Number)
}

// TestAuditsPerBlock: audits are spread over blocks, and nobody is passed over.
func TestAuditsPerBlock(t *testing.T) {
	f := fixture(t, 7, func(p *types.Params) { everybody(p); p.AuditsPerBlock = 2; p.OpenBlocks = 50 })
	w := f.open()
	for i := range 7 {
		f.commit(i, w.Number, 40)
	}
	seen := 0
	for f.window(w.Number).Phase != types.PHASE_SETTLED {
		f.block(1)
		require.LessOrEqual(t, len(f.w.tasks), seen+2)
		seen = len(f.w.tasks)
	}
	require.Len(t, f.w.tasks, 7)
	for i := range 7 {
		require.Equal(t, types.COMMIT_STATE_AUDITED, f.state(i, w.Number))
	}
	for _, req := range f.w.tasks {
		require.Equal(t, uint64(8*4), req.Steps)
		require.Equal(t, "sprint", req.Pool)
		require.Equal(t, w.Model, req.Model)
	}
}

// audited brings the commit of participant 0 to its audit.
func audited(t *testing.T, open int64) (*fix, types.Window, uint64) {
	t.Helper()
	f := fixture(t, 2, func(p *types.Params) { everybody(p); p.OpenBlocks = open; p.KeepWindows = 100 })
	w := f.open()
	f.commit(0, w.Number, 40)
	f.until(w.Number, types.PHASE_SETTLED)
	require.Equal(t, types.COMMIT_STATE_AUDITED, f.state(0, w.Number))
	return f, w, f.w.next
}

func TestTaskFailed(t *testing.T) {
	f, w, task := audited(t, 50)
	f.end(task, taskstypes.STATE_EXPIRED, nil)
	f.block(1)
	require.Equal(t, types.COMMIT_STATE_FAILED, f.state(0, w.Number))
	require.Len(t, f.w.slashed, 1)
	require.True(t, f.w.slashed[0].Lie, "x/tasks takes nothing of an owed run")
	require.Equal(t, []string{who(50)}, f.w.slashed[0].Beneficiaries)
	require.EqualValues(t, 10_000, f.w.slashed[0].Bps)
	require.Empty(t, f.w.credits)
	f.block(60)
	require.Len(t, f.w.slashed, 1, "the deadline to open takes nothing twice")
}

func TestTaskVoid(t *testing.T) {
	f, w, task := audited(t, 50)
	f.w.capacity[who(0)] = 5
	f.end(task, taskstypes.STATE_REFUNDED, nil)
	f.block(60)
	require.Equal(t, types.COMMIT_STATE_VOID, f.state(0, w.Number))
	require.Empty(t, f.w.slashed)
	require.Empty(t, f.w.credits)
	require.Empty(t, f.w.locks)
	require.EqualValues(t, 5, f.w.capacity[who(0)], "what was proven before stands")
}

func TestUnopened(t *testing.T) {
	f, w, task := audited(t, 3)
	f.w.capacity[who(0)] = 5
	f.block(2)
	require.Equal(t, types.COMMIT_STATE_AUDITED, f.state(0, w.Number), "the last height is in time")
	f.block(2)
	require.Equal(t, types.COMMIT_STATE_FAILED, f.state(0, w.Number))
	require.True(t, f.w.slashed[0].Lie)
	require.Zero(t, f.w.capacity[who(0)])
	require.EqualValues(t, 1, f.window(w.Number).OpenAudits, "its task still needs the model")
	f.end(task, taskstypes.STATE_FINAL, &taskstypes.Result{OutputRoot: make([]byte, 32)})
	f.block(1)
	require.Zero(t, f.window(w.Number).OpenAudits)
	require.Len(t, f.w.slashed, 1)
	f.end(task+100, taskstypes.STATE_FINAL, nil) // another module's
}

// TestOlderAuditDoesNotUndo: an audit that passes after the next window has been proven leaves the newer capacity.
func TestOlderAuditDoesNotUndo(t *testing.T) {
	f := fixture(t, 2, func(p *types.Params) { p.KeepWindows = 100 })
	w1 := f.open()
	f.commit(0, w1.Number, 10)
	f.until(w1.Number, types.PHASE_SETTLED)
	first := f.w.capacity[who(0)]
	require.Positive(t, first)
	require.NoError(t, f.k.Proven.Set(f.ctx, who(0), w1.Number+1))
	w2 := f.open()
	require.Equal(t, w1.Number+1, w2.Number)
	f.commit(0, w2.Number, 100)
	f.until(w2.Number, types.PHASE_SETTLED)
	require.Equal(t, first, f.w.capacity[who(0)], "not newer than what was proven")
	w3 := f.open()
	f.commit(0, w3.Number, 100)
	f.until(w3.Number, types.PHASE_SETTLED)
	require.Equal(t, 10*first, f.w.capacity[who(0)])
	require.Len(t, f.w.credits, 3)
}

// TestUnauditableIsVoid: where no task can be opened nobody is held up, and nobody at fault.
func TestUnauditableIsVoid(t *testing.T) {
	f := fixture(t, 3, everybody)
	w := f.open()
	f.commit(0, w.Number, 40)
	f.commit(1, w.Number, 40)
	f.w.failAudits = true
	f.until(w.Number, types.PHASE_SETTLED)
	require.Equal(t, types.COMMIT_STATE_VOID, f.state(0, w.Number))
	require.Equal(t, types.COMMIT_STATE_VOID, f.state(1, w.Number))
	require.Empty(t, f.w.locks)
	require.Empty(t, f.w.slashed)
}

// TestQuarantine: no window opens for a program that nobody could judge.
func TestQuarantine(t *testing.T) {
	f := fixture(t, 1, nil)
	f.w.failModel = true
	f.block(50)
	_, err := f.k.LastWindow.Get(f.ctx)
	require.ErrorIs(t, err, collections.ErrNotFound)
	f.w.failModel = false
	f.open()
}

// TestSeasons: each epoch has a model of its own, which goes when no window needs it.
func TestSeasons(t *testing.T) {
	f := fixture(t, 1, func(p *types.Params) { p.KeepWindows = 1 })
	f.block(1)
	first, err := f.k.Season.Get(f.ctx)
	require.NoError(t, err)
	require.Equal(t, "sprint-1", first.Model)
	w := f.open()
	f.commit(0, w.Number, 1)
	f.w.epoch = 2
	f.block(1)
	s, err := f.k.Season.Get(f.ctx)
	require.NoError(t, err)
	require.Equal(t, "sprint-2", s.Model)
	require.Equal(t, "sprint-1", f.window(w.Number).Model, "a window keeps its model")
	require.NotEqual(t, f.w.models["sprint-1"].Seed, f.w.models["sprint-2"].Seed)
	f.until(w.Number, types.PHASE_SETTLED)
	require.Contains(t, f.w.models, "sprint-1")
	for range 200 {
		f.block(1)
	}
	require.NotContains(t, f.w.models, "sprint-1")
	require.Contains(t, f.w.models, "sprint-2")
	require.Contains(t, f.w.models, "sprint")
}

// TestGenesisRefuses: a genesis that contradicts itself is not taken.
func TestGenesisRefuses(t *testing.T) {
	f, _, _ := audited(t, 50)
	good, err := f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	require.NoError(t, good.Validate())
	for name, spoil := range map[string]func(*types.GenesisState){
		"params":       func(g *types.GenesisState) { g.Params.Sample = 0 },
		"window":       func(g *types.GenesisState) { g.LastWindow = 0 },
		"unsettled":    func(g *types.GenesisState) { g.Windows[0].Phase = types.PHASE_OPEN; g.LastWindow++ },
		"random":       func(g *types.GenesisState) { g.Windows[0].Random = nil },
		"commit twice": func(g *types.GenesisState) { g.Commits = append(g.Commits, g.Commits[0]) },
		"no window":    func(g *types.GenesisState) { g.Commits[0].Window += 9 },
		"root":         func(g *types.GenesisState) { g.Commits[0].Root = nil },
		"audit":        func(g *types.GenesisState) { g.Audits[0].Task++ },
		"decided":      func(g *types.GenesisState) { g.Audits[0].Decided = true },
		"seeded":       func(g *types.GenesisState) { g.Seeded = append(g.Seeded, g.Seeded[0]) },
		"proven":       func(g *types.GenesisState) { g.Proven = []types.Proven{{Participant: who(0), Window: 99}} },
	} {
		g, err := f.k.ExportGenesis(f.ctx)
		require.NoError(t, err)
		spoil(g)
		require.Error(t, g.Validate(), name)
	}
}

// TestInvariantsSeeDamage: an invariant that cannot fail is worth nothing.
func TestInvariantsSeeDamage(t *testing.T) {
	for name, damage := range map[string]func(*fix, types.Window, uint64) error{
		"lock": func(f *fix, _ types.Window, _ uint64) error { clear(f.w.locks); return nil },
		"commits": func(f *fix, w types.Window, _ uint64) error {
			return f.k.Commits.Remove(f.ctx, collections.Join(w.Number, who(1)))
		},
		"counts": func(f *fix, w types.Window, _ uint64) error {
			w = f.window(w.Number)
			w.Decided++
			return f.k.Windows.Set(f.ctx, w.Number, w)
		},
		"audit":  func(f *fix, _ types.Window, task uint64) error { return f.k.Audits.Remove(f.ctx, task) },
		"index":  func(f *fix, _ types.Window, _ uint64) error { return f.k.AuditsOf.Clear(f.ctx, nil) },
		"queue":  func(f *fix, _ types.Window, _ uint64) error { return f.k.DueOpenings.Clear(f.ctx, nil) },
		"model":  func(f *fix, w types.Window, _ uint64) error { delete(f.w.models, w.Model); return nil },
		"seeded": func(f *fix, w types.Window, _ uint64) error { return f.k.Seeded.Remove(f.ctx, w.Epoch) },
		"pending": func(f *fix, w types.Window, _ uint64) error {
			c, err := f.k.Commits.Get(f.ctx, collections.Join(w.Number, who(0)))
			if err != nil {
				return err
			}
			c.State = types.COMMIT_STATE_PENDING
			return f.k.Commits.Set(f.ctx, collections.Join(w.Number, who(0)), c)
		},
		"ended": func(f *fix, _ types.Window, task uint64) error { f.w.ended[task] = true; return nil },
	} {
		t.Run(name, func(t *testing.T) {
			f := fixture(t, 2, func(p *types.Params) { everybody(p); p.OpenBlocks = 50 })
			w := f.open()
			f.commit(0, w.Number, 40)
			f.commit(1, w.Number, 40)
			f.until(w.Number, types.PHASE_SETTLED)
			require.NoError(t, f.k.CheckInvariants(f.ctx))
			require.NoError(t, damage(f, w, f.w.next))
			require.Error(t, f.k.CheckInvariants(f.ctx))
		})
	}
}

// TestValuesMustBeComputed: what was opened counts only if the task came to the same.
func TestValuesMustBeComputed(t *testing.T) {
	for computed, want := range map[byte]types.CommitState{1: types.COMMIT_STATE_PASSED, 2: types.COMMIT_STATE_FAILED} {
		f, w, task := audited(t, 50)
		a, err := f.k.Audits.Get(f.ctx, task)
		require.NoError(t, err)
		require.NoError(t, f.k.DueOpenings.Remove(f.ctx, collections.Join(a.Deadline, task)))
		a.Opened = bytes.Repeat([]byte{1}, 32)
		require.NoError(t, f.k.Audits.Set(f.ctx, task, a))
		f.end(task, taskstypes.STATE_FINAL, &taskstypes.Result{OutputRoot: bytes.Repeat([]byte{computed}, 32)})
		f.block(1)
		require.Equal(t, want, f.state(0, w.Number))
		require.Equal(t, want == types.COMMIT_STATE_FAILED, len(f.w.slashed) == 1)
	}
}

// TestAuditKeepsItsWindow: while the task of an audit runs, its window and its model stay, decided or not.
func TestAuditKeepsItsWindow(t *testing.T) {
	f := fixture(t, 2, func(p *types.Params) { everybody(p); p.OpenBlocks = 2; p.KeepWindows = 1 })
	w := f.open()
	f.commit(0, w.Number, 40)
	f.until(w.Number, types.PHASE_SETTLED)
	task := f.w.next
	f.w.epoch = 2
	f.block(80)
	require.Equal(t, types.COMMIT_STATE_FAILED, f.state(0, w.Number))
	require.Contains(t, f.w.models, w.Model)
	f.end(task, taskstypes.STATE_EXPIRED, nil)
	f.block(80)
	require.Zero(t, f.window(w.Number).Number)
	require.NotContains(t, f.w.models, w.Model)
}
