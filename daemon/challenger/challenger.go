package challenger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"poaid/commit"
	"poaid/daemon/chain"
	"poaid/daemon/executor"
	"poaid/engine"
	"poaid/engine/graphpb"
	"poaid/game"
	disputestypes "poaid/x/disputes/types"
	modelstypes "poaid/x/models/types"
	poaitypes "poaid/x/poai/types"
	taskstypes "poaid/x/tasks/types"
)

// Chain is what a challenger reads of the chain's disputes; chain.Client is one.
type Chain interface {
	// News errs with chain.ErrNotFound for blocks that the node does not have.
	News(ctx context.Context, height int64) (chain.News, error)
	Task(ctx context.Context, id uint64) (taskstypes.TaskView, error)
	DisputesParams(ctx context.Context) (disputestypes.Params, uint64, error)
	EachCase(ctx context.Context, fn func(disputestypes.Case) error) error
	Claims(ctx context.Context, task uint64) ([]disputestypes.Claim, error)
	Games(ctx context.Context, task uint64) ([]disputestypes.Game, error)
	Demands(ctx context.Context, task uint64) ([]disputestypes.Demand, error)
	Serves(ctx context.Context, address string) (poaitypes.Participant, []string, error)
}

// Facts are what a game is set up from, besides what the executor gathers.
type Facts interface {
	Model(ctx context.Context, id string) (modelstypes.Model, error)
	Program(ctx context.Context, id string) (*graphpb.Program, error)
	Inputs(ctx context.Context, task uint64) ([]taskstypes.NamedTensor, error)
	CostParams(ctx context.Context) (engine.CostParams, error)
}

// Runs computes; executor.Executor is one.
type Runs interface {
	Run(ctx context.Context, task taskstypes.Task) (executor.Result, error)
	Open(ctx context.Context, task taskstypes.Task) (executor.Material, func(), error)
	RunOptions() engine.RunOptions
}

// Tracer is a Runs with traces of its own, where it gives one: networks that show disputes have liars.
type Tracer interface {
	Trace(ctx context.Context, m game.Machine, task taskstypes.Task, of executor.Material) (game.Trace, error)
}

// Outbox sends items; chain.Sender is one.
type Outbox interface {
	Enqueue(it chain.Item, asOf int64) bool
}

// Config configures a Challenger.
type Config struct {
	// Participant is the operator's address.
	Participant string
	// Secret, of at least 32 bytes, picks what is watched.
	Secret []byte
	// WatchRate is the part of all results of served models that is computed again, 0 to 1. Its own cases are always played.
	WatchRate float64
	// Models are watched besides those that the participant serves.
	Models []string
	// MaxAttacks bounds the games that it attacks in at the same time, over all cases. 0: 16.
	MaxAttacks int
	// Concurrency is how many cases are worked on at a time. 0: 2. One more result may be computed again beside them.
	Concurrency int
	// MemoryBytes bounds what is kept for running games. 0: 4 GiB. One game alone may exceed it.
	MemoryBytes int64
	// LookBack is how many blocks it looks back at its first start. 0: 100.
	LookBack int64
	// Produce brings bytes that others demand, if it holds them.
	Produce bool
	// Known, if set, gives roots that this participant has computed as a worker or member.
	Known func(task uint64) (commit.Hash, bool)
	// MinRetry and MaxRetry bound the pause after a failure. 0: 1 s, 30 s.
	MinRetry, MaxRetry time.Duration
	Logger             *slog.Logger
	Metrics            Metrics
}

// Metrics is told what happens. Methods must not block.
type Metrics interface {
	// Revealed counts results seen, Watched those computed again.
	Revealed(n int)
	Watched(model string, seconds float64, mismatch bool, err error)
	// Playing is the number of cases and games that the participant is in.
	Playing(cases, games int)
	// GameOver counts games by how they ended for it: won, lost or moot.
	GameOver(how string)
	// Acted counts messages handed to the sender.
	Acted(kind string)
	// Failed notes the last error.
	Failed(err error)
}

// NoMetrics ignores everything.
type NoMetrics struct{}

// Revealed implements Metrics.
func (NoMetrics) Revealed(int) {}

// Watched implements Metrics.
func (NoMetrics) Watched(string, float64, bool, error) {}

// Playing implements Metrics.
func (NoMetrics) Playing(int, int) {}

// GameOver implements Metrics.
func (NoMetrics) GameOver(string) {}

// Acted implements Metrics.
func (NoMetrics) Acted(string) {}

// Failed implements Metrics.
func (NoMetrics) Failed(error) {}

// Challenger argues for one participant. Tick is called from one goroutine.
type Challenger struct {
	cfg     Config
	log     *slog.Logger
	chain   Chain
	facts   Facts
	runs    Runs
	book    *Book
	out     Outbox
	monitor *monitor
	solver  *solver

	mu      sync.Mutex
	affairs map[uint64]*affair
	// busy and computing count jobs: of cases, and of results that are computed again.
	busy, computing int
	height          int64
	tick            uint64
	params          disputestypes.Params
	attacks         []attack
	handed          map[chain.ID]bool // items handed over in this life
	models          map[string]bool
	free            string // free bond, as last read
	lastErr         error
	lastBlock       time.Time
	wg              sync.WaitGroup
}

// New returns a challenger.
func New(cfg Config, c Chain, facts Facts, runs Runs, book *Book, out Outbox) (*Challenger, error) {
	switch {
	case cfg.Participant == "" || len(cfg.Secret) < 32:
		return nil, fmt.Errorf("challenger: participant %q and a secret of at least 32 bytes (have %d) are needed", cfg.Participant, len(cfg.Secret))
	case !(cfg.WatchRate >= 0 && cfg.WatchRate <= 1):
		return nil, fmt.Errorf("watch rate: %g, want 0 to 1", cfg.WatchRate)
	}
	setDefault(&cfg.MaxAttacks, 16)
	setDefault(&cfg.Concurrency, 2)
	setDefault(&cfg.MemoryBytes, 4<<30)
	setDefault(&cfg.LookBack, 100)
	setDefault(&cfg.MinRetry, time.Second)
	setDefault(&cfg.MaxRetry, 30*time.Second)
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Metrics == nil {
		cfg.Metrics = NoMetrics{}
	}
	return &Challenger{
		cfg: cfg, log: cfg.Logger, chain: c, facts: facts, runs: runs, book: book, out: out,
		monitor: &monitor{chain: c, book: book, secret: cfg.Secret, rate: cfg.WatchRate, back: cfg.LookBack, perTick: 100},
		solver:  newSolver(facts, runs, cfg.MemoryBytes),
		affairs: map[uint64]*affair{}, handed: map[chain.ID]bool{}, lastBlock: time.Now(),
	}, nil
}

func setDefault[T int | int64 | time.Duration](v *T, d T) {
	if *v <= 0 {
		*v = d
	}
}

// Run works until ctx ends or heights is closed, and returns once nothing runs any more.
func (c *Challenger) Run(ctx context.Context, heights <-chan int64) error {
	defer c.Wait()
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
		if err := c.Tick(ctx, h); err != nil && ctx.Err() == nil {
			c.log.Warn("looking at the chain failed", "height", h, "error", err)
			retry.Reset(c.cfg.MinRetry)
		}
	}
}

// Wait returns once nothing runs.
func (c *Challenger) Wait() { c.wg.Wait() }

// Tick does what Run does at a new height. What fails does not keep the rest from being done.
func (c *Challenger) Tick(ctx context.Context, h int64) error {
	c.mu.Lock()
	if h > c.height {
		c.height, c.lastBlock = h, time.Now()
	}
	h = c.height
	c.mu.Unlock()
	err := c.look(ctx, h)
	c.mu.Lock()
	c.lastErr = err
	c.mu.Unlock()
	c.cfg.Metrics.Failed(err)
	c.attackCheapest(h)
	c.start(ctx)
	return err
}

// look learns what there is to attend to.
func (c *Challenger) look(ctx context.Context, h int64) error {
	params, tick, err := c.chain.DisputesParams(ctx)
	if err != nil {
		return err
	}
	me, models, err := c.chain.Serves(ctx, c.cfg.Participant)
	if err != nil && !errors.Is(err, chain.ErrNotFound) {
		return err
	}
	c.mu.Lock()
	c.params, c.tick, c.free = params, tick, ""
	if !me.Bond.IsNil() && !me.Locked.IsNil() {
		c.free = me.Bond.Sub(me.Locked).String()
	}
	c.models = map[string]bool{}
	for _, m := range append(models, c.cfg.Models...) {
		c.models[m] = true
	}
	c.mu.Unlock()

	var errs []error
	seen, demanded, err := c.monitor.scan(ctx, h)
	if err != nil {
		errs = append(errs, err)
	}
	c.cfg.Metrics.Revealed(seen)
	wanted := map[uint64]bool{}
	err = c.chain.EachCase(ctx, func(cs disputestypes.Case) error {
		wanted[cs.TaskId] = true
		c.want(cs.TaskId, func(a *affair) { a.open = &cs })
		return nil
	})
	if err != nil {
		return errors.Join(append(errs, err)...) // nothing is dropped that may only be out of sight
	}
	c.mu.Lock()
	for _, a := range c.affairs {
		if !wanted[a.task] && a.open != nil {
			a.open, a.look = nil, true
		}
	}
	c.mu.Unlock()
	watched, err := c.book.Watched()
	if err != nil {
		errs = append(errs, err)
	}
	for _, task := range watched {
		c.want(task, func(a *affair) { a.watched = true })
	}
	for _, task := range demanded {
		c.want(task, func(a *affair) { a.demanded = true })
	}
	return errors.Join(errs...)
}

func (c *Challenger) want(task uint64, note func(*affair)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a, ok := c.affairs[task]
	if !ok {
		a = &affair{task: task, games: map[uint32]gameSeen{}, said: map[string]bool{}}
		c.affairs[task] = a
	}
	note(a)
}

// start runs the most urgent jobs as far as there is room. Computing a result again has a place of its own, so that it neither keeps
// games waiting nor waits for them.
func (c *Challenger) start(ctx context.Context) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if ctx.Err() != nil {
		return
	}
	var ready []*affair
	now := time.Now()
	for _, a := range c.affairs {
		if !a.running && !a.notUntil.After(now) && a.needsLook(c.height) {
			ready = append(ready, a)
		}
	}
	slices.SortFunc(ready, func(a, b *affair) int {
		return cmp.Or(cmp.Compare(a.urgency(), b.urgency()), cmp.Compare(a.task, b.task))
	})
	for _, a := range ready {
		room := &c.busy
		limit := c.cfg.Concurrency
		if a.compute {
			room, limit = &c.computing, 1
		}
		if *room >= limit {
			continue
		}
		*room++
		a.running, a.looked, a.look = true, c.height, false
		c.wg.Go(func() {
			err := c.safely(ctx, a)
			c.finish(ctx, a, room, err)
		})
	}
}

func (c *Challenger) finish(ctx context.Context, a *affair, room *int, err error) {
	c.mu.Lock()
	*room--
	a.running = false
	if err != nil && ctx.Err() == nil {
		a.notUntil = time.Now().Add(min(c.cfg.MinRetry<<min(a.failures, 10), c.cfg.MaxRetry))
		a.failures++
		c.lastErr = err
	} else {
		a.failures = 0
	}
	if a.over {
		delete(c.affairs, a.task)
	}
	c.mu.Unlock()
	if err != nil && ctx.Err() == nil {
		c.cfg.Metrics.Failed(err)
		c.log.Warn(fmt.Sprintf("task %d: failed, tried again", a.task), "failures", a.failures, "error", err)
	}
	c.start(ctx)
}

// Health says how the challenger fares.
type Health struct {
	Height    int64     `json:"height"`
	LastBlock time.Time `json:"last_block"`
	Affairs   int       `json:"affairs"`
	Error     string    `json:"error,omitempty"`
}

// Health returns a snapshot.
func (c *Challenger) Health() Health {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := Health{Height: c.height, LastBlock: c.lastBlock, Affairs: len(c.affairs)}
	if c.lastErr != nil {
		out.Error = c.lastErr.Error()
	}
	return out
}
