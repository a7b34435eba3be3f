package agent

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"poaid/commit"
	"poaid/daemon/journal"
)

// jobID names an execution.
type jobID struct {
	role journal.Role
	task uint64
}

// patience is how many listings in a row may leave out a running execution before it is given up: a node that lags leaves out one or
// two, but a program that takes far longer than its units must not keep a place for ever.
const patience = 5

// job is an execution that is wanted or running.
type job struct {
	id       jobID
	item     Item // as last listed
	running  bool
	gone     int // listings in a row that left it out; dropped when it ends, cancelled at patience
	cancel   context.CancelFunc
	failures int
	notUntil time.Time
}

// want notes that an item must be executed.
func (a *Agent) want(role journal.Role, it Item) {
	a.mu.Lock()
	defer a.mu.Unlock()
	id := jobID{role, it.Task}
	j, ok := a.jobs[id]
	if !ok {
		j = &job{id: id}
		a.jobs[id] = j
	}
	j.item, j.gone = it, 0
}

// keep marks all jobs of a role as wanted, for when it could not be listed.
func (a *Agent) keep(role journal.Role, wanted map[jobID]bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for id := range a.jobs {
		if id.role == role {
			wanted[id] = true
		}
	}
}

// drop forgets jobs that are not wanted any more. Running ones may finish for a while: their result may be needed yet.
func (a *Agent) drop(wanted map[jobID]bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for id, j := range a.jobs {
		switch {
		case wanted[id]:
		case j.running:
			if j.gone++; j.gone >= patience {
				j.cancel()
			}
		default:
			delete(a.jobs, id)
		}
	}
}

// start runs the most urgent jobs as far as there is room: what a reveal waits for, then what is due first.
func (a *Agent) start(ctx context.Context) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.running >= a.cfg.Concurrency || ctx.Err() != nil {
		return
	}
	now := time.Now()
	var ready []*job
	for _, j := range a.jobs {
		if !j.running && !j.notUntil.After(now) {
			ready = append(ready, j)
		}
	}
	slices.SortFunc(ready, func(x, y *job) int {
		return cmp.Or(cmp.Compare(x.item.Need, y.item.Need), cmp.Compare(x.item.Deadline, y.item.Deadline),
			cmp.Compare(x.id.task, y.id.task), cmp.Compare(x.id.role, y.id.role))
	})
	for _, j := range ready[:min(len(ready), a.cfg.Concurrency-a.running)] {
		j.running = true
		a.running++
		run, cancel := context.WithCancel(ctx)
		j.cancel = cancel
		a.wg.Go(func() {
			defer cancel()
			rec, err := a.execute(run, j.id)
			a.finish(ctx, j, rec, err)
		})
	}
}

// execute computes a result and writes down what will be promised for it. A panic is an error of that task: programs are written by
// strangers, and a daemon that dies of one does not reveal what it has sealed for others.
func (a *Agent) execute(ctx context.Context, id jobID) (rec journal.Record, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	view, err := a.tasks.Task(ctx, id.task)
	if err != nil {
		return journal.Record{}, err
	}
	start := time.Now()
	res, err := a.runner.Run(ctx, view.Task)
	if ctx.Err() == nil {
		a.cfg.Metrics.Executed(id.role, view.Task.Model, time.Since(start).Seconds(), err)
	}
	if err != nil {
		return journal.Record{}, err
	}
	rec, err = a.roles[id.role].Record(ctx, view, res)
	if err != nil {
		return journal.Record{}, err
	}
	rec.Task, rec.Role, rec.Model = id.task, id.role, view.Task.Model
	rec.Salt = commit.Salt(a.cfg.SaltSecret, a.tasks.ChainID(), id.task, string(id.role))
	rec.Seal = commit.Seal(a.tasks.ChainID(), id.task, a.cfg.Participant, rec.SealedRoot(), rec.Salt)
	a.mu.Lock()
	rec.Height = a.height
	it := a.jobs[id].item
	a.mu.Unlock()
	if !it.Seal.IsZero() && it.Seal != rec.Seal {
		// Not written down: it promises nothing.
		a.conflict(id.role, it, rec.Seal)
		return journal.Record{}, errConflict
	}
	if err := a.book.Put(rec); err != nil {
		return journal.Record{}, fmt.Errorf("write down the result of task %d: %w", id.task, err)
	}
	a.log.Info("executed", "role", id.role, "task", id.task, "model", rec.Model, "root", rec.ResultRoot, "seconds", time.Since(start).Seconds())
	return rec, nil
}

var errConflict = errors.New("seal on chain is not ours")

// finish acts on an execution's end and starts the next ones.
func (a *Agent) finish(ctx context.Context, j *job, rec journal.Record, err error) {
	a.mu.Lock()
	a.running--
	j.running = false
	it, h := j.item, a.height
	if err == nil || j.gone > 0 || errors.Is(err, errConflict) {
		delete(a.jobs, j.id)
	} else {
		pause := min(a.cfg.MinRetry<<min(j.failures, 10), a.cfg.MaxRetry)
		j.failures++
		j.notUntil = time.Now().Add(pause)
	}
	gone := j.gone > 0
	a.mu.Unlock()
	switch {
	case err == nil && !gone:
		a.act(a.roles[j.id.role], it, rec, h) // now, rather than at the next height
	case err != nil && ctx.Err() == nil && !errors.Is(err, errConflict):
		a.log.Warn("execution failed", "role", j.id.role, "task", j.id.task, "failures", j.failures, "error", err)
	}
	a.start(ctx)
}
