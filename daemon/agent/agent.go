package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"poaid/commit"
	"poaid/daemon/executor"
	"poaid/daemon/journal"
)

// Config configures an Agent.
type Config struct {
	// Participant is the operator's address, which seals are bound to.
	Participant string
	// SaltSecret derives salts.
	SaltSecret []byte
	// Concurrency is how many executions run at a time. 0: 1.
	Concurrency int
	// ReconcileBlocks is how often everything due is listed. 0: every block.
	ReconcileBlocks int64
	// SweepBlocks is how often records of finished tasks are dropped. 0: 500.
	SweepBlocks int64
	// Shard and Shards split the tasks between machines of one participant: task ids ≡ Shard mod Shards. Shards 0: all.
	Shard, Shards uint64
	// MinRetry and MaxRetry bound the pause after a failed execution. 0: 1 s, 30 s.
	MinRetry, MaxRetry time.Duration
	Logger             *slog.Logger
	Metrics            Metrics
}

// Metrics is told what happens. Methods must not block.
type Metrics interface {
	Height(h int64)
	Due(role journal.Role, need Need, n int)
	Executed(role journal.Role, model string, seconds float64, err error)
	Conflict(role journal.Role)
	Reconciled(err error)
}

// NoMetrics ignores everything.
type NoMetrics struct{}

// Height implements Metrics.
func (NoMetrics) Height(int64) {}

// Due implements Metrics.
func (NoMetrics) Due(journal.Role, Need, int) {}

// Executed implements Metrics.
func (NoMetrics) Executed(journal.Role, string, float64, error) {}

// Conflict implements Metrics.
func (NoMetrics) Conflict(journal.Role) {}

// Reconciled implements Metrics.
func (NoMetrics) Reconciled(error) {}

// Agent does the work of one participant in one or more roles.
type Agent struct {
	cfg    Config
	log    *slog.Logger
	tasks  Tasks
	runner executor.Runner
	book   Book
	out    Outbox
	roles  map[journal.Role]Role
	order  []journal.Role
	next   int64 // height of the next listing; only Tick uses it
	swept  int64

	mu        sync.Mutex
	jobs      map[jobID]*job
	running   int
	conflicts map[jobID]bool
	height    int64
	lastBlock time.Time
	lastErr   error
	wg        sync.WaitGroup
}

// New returns an agent for the given roles.
func New(cfg Config, tasks Tasks, runner executor.Runner, book Book, out Outbox, roles ...Role) (*Agent, error) {
	if cfg.Participant == "" || len(cfg.SaltSecret) < 32 {
		return nil, fmt.Errorf("agent: participant %q and a salt secret of at least 32 bytes (have %d) are needed", cfg.Participant, len(cfg.SaltSecret))
	}
	if len(roles) == 0 {
		return nil, errors.New("agent: no role")
	}
	if cfg.Shards > 0 && cfg.Shard >= cfg.Shards {
		return nil, fmt.Errorf("agent: shard %d, want 0 to %d", cfg.Shard, cfg.Shards-1)
	}
	cfg.Concurrency = max(cfg.Concurrency, 1)
	cfg.ReconcileBlocks = max(cfg.ReconcileBlocks, 1)
	if cfg.SweepBlocks <= 0 {
		cfg.SweepBlocks = 500
	}
	if cfg.MinRetry <= 0 {
		cfg.MinRetry = time.Second
	}
	if cfg.MaxRetry <= 0 {
		cfg.MaxRetry = 30 * time.Second
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Metrics == nil {
		cfg.Metrics = NoMetrics{}
	}
	a := &Agent{
		cfg: cfg, log: cfg.Logger, tasks: tasks, runner: runner, book: book, out: out,
		roles: map[journal.Role]Role{}, jobs: map[jobID]*job{}, conflicts: map[jobID]bool{}, lastBlock: time.Now(),
	}
	for _, r := range roles {
		if _, twice := a.roles[r.Name()]; twice {
			return nil, fmt.Errorf("agent: role %s given twice", r.Name())
		}
		a.roles[r.Name()] = r
		a.order = append(a.order, r.Name())
	}
	return a, nil
}

// Run works until ctx ends or heights is closed, and returns once no execution runs any more.
func (a *Agent) Run(ctx context.Context, heights <-chan int64) error {
	defer a.Wait()
	retry := time.NewTimer(time.Hour)
	defer retry.Stop()
	for {
		h := int64(0)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-retry.C:
		case news, ok := <-heights:
			if !ok {
				return ctx.Err()
			}
			h = news
		}
		if err := a.Tick(ctx, h); err != nil && ctx.Err() == nil {
			a.log.Warn("listing what is due failed", "height", h, "error", err)
			retry.Reset(a.cfg.MinRetry)
		}
	}
}

// Wait returns once no execution runs.
func (a *Agent) Wait() { a.wg.Wait() }

// Tick does what Run does at a new height; a height that is not new repeats what failed at the last one.
func (a *Agent) Tick(ctx context.Context, h int64) error {
	h = a.advance(h)
	if h < a.next {
		return nil
	}
	err := a.Reconcile(ctx, h)
	a.cfg.Metrics.Reconciled(err)
	a.mu.Lock()
	a.lastErr = err
	a.mu.Unlock()
	if err != nil {
		return err
	}
	a.next = h + a.cfg.ReconcileBlocks
	if h-a.swept >= a.cfg.SweepBlocks {
		a.swept = h
		if err := a.sweep(ctx); err != nil {
			a.log.Warn("dropping finished records failed", "error", err)
		}
	}
	return nil
}

// advance notes a height and returns the highest so far.
func (a *Agent) advance(h int64) int64 {
	a.mu.Lock()
	if h > a.height {
		a.height, a.lastBlock = h, time.Now()
	}
	h = a.height
	a.mu.Unlock()
	a.cfg.Metrics.Height(h)
	a.out.Advance(h)
	return h
}

// Health says how the agent fares.
type Health struct {
	Height      int64     `json:"height"`
	LastBlock   time.Time `json:"last_block"`
	Running     int       `json:"executions_running"`
	Queued      int       `json:"executions_queued"`
	Conflicts   int       `json:"conflicts"`
	Error       string    `json:"error,omitempty"`
	ItemsQueued int       `json:"items_queued"`
	ItemsSent   int       `json:"items_in_flight"`
}

// Health returns a snapshot.
func (a *Agent) Health() Health {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := Health{Height: a.height, LastBlock: a.lastBlock, Running: a.running, Queued: len(a.jobs) - a.running, Conflicts: len(a.conflicts)}
	if a.lastErr != nil {
		out.Error = a.lastErr.Error()
	}
	out.ItemsQueued, out.ItemsSent = a.out.Busy()
	return out
}

// Reconcile lists everything due as of height h and does what is missing. One failing role does not stop the others.
func (a *Agent) Reconcile(ctx context.Context, h int64) error {
	var errs []error
	wanted := map[jobID]bool{}
	for _, name := range a.order {
		counts := map[Need]int{}
		err := a.roles[name].Due(ctx, func(it Item) error {
			if !a.mine(it.Task) {
				return nil
			}
			counts[it.Need]++
			execute, err := a.decide(a.roles[name], it, h)
			if execute {
				wanted[jobID{name, it.Task}] = true
				a.want(name, it)
			}
			return err
		})
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
			a.keep(name, wanted)
			continue
		}
		for _, n := range []Need{NeedReveal, NeedSeal, NeedNothing} {
			a.cfg.Metrics.Due(name, n, counts[n])
		}
	}
	a.drop(wanted)
	a.start(ctx)
	return errors.Join(errs...)
}

// mine tells whether a task belongs to this machine's shard. Ids end in the index of a message, which is mostly 0, hence the mix.
func (a *Agent) mine(task uint64) bool {
	if a.cfg.Shards <= 1 {
		return true
	}
	x := task ^ task>>31
	x *= 0x9e3779b97f4a7c15
	return (x>>32)%a.cfg.Shards == a.cfg.Shard
}

// decide does what an item needs if the journal knows its result, and otherwise reports that it must be executed.
func (a *Agent) decide(role Role, it Item, h int64) (execute bool, err error) {
	rec, err := a.book.Get(role.Name(), it.Task)
	switch {
	case errors.Is(err, journal.ErrNotFound):
		late := it.Need != NeedNothing && it.Deadline > 0 && it.Deadline <= h
		a.mu.Lock()
		refuted := a.conflicts[jobID{role.Name(), it.Task}]
		a.mu.Unlock()
		return !late && !refuted, nil
	case err != nil:
		return false, err
	}
	a.act(role, it, rec, h)
	return false, nil
}

// act seals or reveals from a record.
func (a *Agent) act(role Role, it Item, rec journal.Record, h int64) {
	if !it.Seal.IsZero() && it.Seal != rec.Seal {
		a.conflict(role.Name(), it, rec.Seal)
		return
	}
	switch it.Need {
	case NeedSeal:
		a.out.Enqueue(role.Seal(rec, it.Deadline), h)
	case NeedReveal:
		a.out.Enqueue(role.Reveal(rec, it.Deadline), h)
	case NeedNothing:
	}
}

// conflict reports a seal on the chain that we would not have made. Nothing we could send helps, so it is left to people.
func (a *Agent) conflict(role journal.Role, it Item, ours commit.Hash) {
	a.mu.Lock()
	known := a.conflicts[jobID{role, it.Task}]
	a.conflicts[jobID{role, it.Task}] = true
	a.mu.Unlock()
	if !known {
		a.cfg.Metrics.Conflict(role)
		a.log.Error("the chain has a seal that is not ours: is another machine with another key or other software working for this participant?",
			"role", role, "task", it.Task, "theirs", it.Seal, "ours", ours)
	}
}

// sweep drops the records of tasks that need nothing any more.
func (a *Agent) sweep(ctx context.Context) error {
	const page = 200
	for _, name := range a.order {
		after := uint64(0)
		for {
			tasks, err := a.book.Tasks(name, after, page)
			if err != nil {
				return err
			}
			for _, task := range tasks {
				after = task
				over, err := a.roles[name].Over(ctx, task)
				if err != nil {
					return err
				}
				if over {
					if err := a.book.Delete(name, task); err != nil {
						return err
					}
				}
			}
			if len(tasks) < page {
				break
			}
		}
	}
	return nil
}
