package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"

	"poaid/x/sprints/types"
)

// CheckInvariants checks what holds between blocks. It walks everything, so it is for tests and audits.
func (k Keeper) CheckInvariants(ctx context.Context) error {
	for _, check := range []func(context.Context) error{k.checkWindows, k.checkLocks, k.checkAudits, k.checkSeeded} {
		if err := check(ctx); err != nil {
			return err
		}
	}
	return nil
}

func broken(format string, args ...any) error {
	return errorsmod.Wrapf(types.ErrInvariant, format, args...)
}

// counts are what a window should have counted.
type counts struct{ commits, decided, leaves, audits uint64 }

// checkWindows checks that windows count their commits and audits, that only the last is unsettled, and that a settled one has no pending commit.
func (k Keeper) checkWindows(ctx context.Context) error {
	have := make(map[uint64]*counts)
	err := k.Commits.Walk(ctx, nil, func(key CommitKey, c types.Commit) (bool, error) {
		if key.K1() != c.Window || key.K2() != c.Participant {
			return true, broken("window %d: the commit of %s is kept for %s", c.Window, c.Participant, key.K2())
		}
		n := have[c.Window]
		if n == nil {
			n = &counts{}
			have[c.Window] = n
		}
		if c.State != types.COMMIT_STATE_PENDING { // counted when the cursor passes
			n.commits++
			n.leaves += c.Count
		}
		if c.State != types.COMMIT_STATE_PENDING && c.State != types.COMMIT_STATE_AUDITED {
			n.decided++
		}
		w, err := k.Windows.Get(ctx, c.Window)
		if err != nil {
			return true, err
		}
		// Settled in the order of addresses: what the cursor has passed is not pending.
		if (c.State == types.COMMIT_STATE_PENDING) == (w.Phase == types.PHASE_SETTLED || c.Participant <= w.Cursor) {
			return true, broken("window %d: %s with cursor %q, the commit of %s is %s", c.Window, w.Phase, w.Cursor, c.Participant, c.State)
		}
		return false, nil
	})
	if err != nil {
		return err
	}
	if err := k.Audits.Walk(ctx, nil, func(_ uint64, a types.Audit) (bool, error) {
		if have[a.Window] == nil {
			return true, broken("audit %d: window %d has no commits", a.Task, a.Window)
		}
		have[a.Window].audits++
		return false, nil
	}); err != nil {
		return err
	}
	return k.matchWindows(ctx, have)
}

func (k Keeper) matchWindows(ctx context.Context, have map[uint64]*counts) error {
	last, err := k.LastWindow.Get(ctx)
	if err != nil && !errors.Is(err, collections.ErrNotFound) {
		return err
	}
	return k.Windows.Walk(ctx, nil, func(number uint64, w types.Window) (bool, error) {
		n := have[number]
		if n == nil {
			n = &counts{}
		}
		// Pruning drops commits of a window, oldest first, and leaves the sum of leaves.
		pruning := last >= number+1 && n.leaves < w.Leaves
		if n.commits != w.Commits || n.decided != w.Decided || n.audits != w.OpenAudits || n.leaves != w.Leaves && !pruning {
			return true, broken("window %d: counts %d commits, %d decided, %d leaves, %d audits; there are %+v",
				number, w.Commits, w.Decided, w.Leaves, w.OpenAudits, *n)
		}
		if number > last || w.Phase != types.PHASE_SETTLED && number != last {
			return true, broken("window %d: %s, the last one is %d", number, w.Phase, last)
		}
		return false, nil
	})
}

// checkLocks checks that every commit that is not decided has its lock, and no other has one.
func (k Keeper) checkLocks(ctx context.Context) error {
	return k.Commits.Walk(ctx, nil, func(_ CommitKey, c types.Commit) (bool, error) {
		amount, err := k.poai.GetLock(ctx, c.Participant, lockKind, c.Window)
		if err != nil && !errors.Is(err, collections.ErrNotFound) {
			return true, err
		}
		locked := err == nil
		if want := c.State == types.COMMIT_STATE_PENDING || c.State == types.COMMIT_STATE_AUDITED; locked != want || want && !amount.Equal(c.Lock) {
			return true, broken("window %d: the commit of %s is %s, and has a lock: %t", c.Window, c.Participant, c.State, locked)
		}
		return false, nil
	})
}

// checkAudits checks that audits, indexes and commits agree, and that the task of an audit has ended when it says so.
func (k Keeper) checkAudits(ctx context.Context) error {
	audits, unopened := 0, 0
	err := k.Audits.Walk(ctx, nil, func(task uint64, a types.Audit) (bool, error) {
		audits++
		c, err := k.Commits.Get(ctx, collections.Join(a.Window, a.Participant))
		if err != nil {
			return true, err
		}
		_, st, err := k.tasks.GetTask(ctx, task)
		if err != nil {
			return true, err
		}
		if a.Task != task || c.Task != task || a.Decided == (c.State == types.COMMIT_STATE_AUDITED) || a.Ended != st.State.Ended() || a.Decided && a.Ended {
			return true, broken("audit %d: decided %t, ended %t; the commit is %s, the task %s", task, a.Decided, a.Ended, c.State, st.State)
		}
		indexed, err := k.AuditsOf.Has(ctx, collections.Join(a.Participant, task))
		if err != nil || !indexed {
			return true, broken("audit %d: not indexed: %v", task, err)
		}
		due, err := k.DueOpenings.Has(ctx, collections.Join(a.Deadline, task))
		if want := len(a.Opened) == 0 && !a.Decided; err != nil || due != want {
			return true, broken("audit %d: opening is due: %t, want %t: %v", task, due, want, err)
		}
		if due {
			unopened++
		}
		return false, nil
	})
	if err != nil {
		return err
	}
	if err := k.AuditsOf.Walk(ctx, nil, func(collections.Pair[string, uint64]) (bool, error) {
		audits--
		return false, nil
	}); err != nil {
		return err
	}
	if err := k.DueOpenings.Walk(ctx, nil, func(collections.Pair[int64, uint64]) (bool, error) {
		unopened--
		return false, nil
	}); err != nil {
		return err
	}
	if audits != 0 || unopened != 0 {
		return broken("%d audits more than indexed, %d more to be opened than queued", audits, unopened)
	}
	return nil
}

// checkSeeded checks that the models of seasons are there, and those of every window that may still need one.
func (k Keeper) checkSeeded(ctx context.Context) error {
	if err := k.Seeded.Walk(ctx, nil, func(epoch uint64, s types.Seeded) (bool, error) {
		m, err := k.models.GetModel(ctx, s.Model)
		if err != nil {
			return true, err
		}
		if s.Epoch != epoch || m.ProgramOf != s.Base {
			return true, broken("season %d: model %q is of %q, want %q", epoch, s.Model, m.ProgramOf, s.Base)
		}
		return false, nil
	}); err != nil {
		return err
	}
	return k.Windows.Walk(ctx, nil, func(number uint64, w types.Window) (bool, error) {
		s, err := k.Seeded.Get(ctx, w.Epoch)
		if err != nil || s.Model != w.Model || s.Base != w.Pool {
			return true, broken("window %d: model %q of pool %q is not that of epoch %d: %v", number, w.Model, w.Pool, w.Epoch, err)
		}
		return false, nil
	})
}
