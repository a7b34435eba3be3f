package sprinter

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"poaid/sprint"
)

// Config configures a Sprinter.
type Config struct {
	// Participant is the operator's address.
	Participant string
	// Threads to compute on at most. 0: 1.
	Threads int
	// Spare tells how many threads serving does not need now; nil: all.
	Spare func() int
	// MarginBlocks before a window's last block it stops computing and commits; at most half of the window. 0: 3.
	MarginBlocks int64
	// SweepBlocks is how often records are looked at that the chain may have done with. 0: 20.
	SweepBlocks int64
	// Lie commits to a tenth more leaves than were computed, for demonstrations.
	Lie     bool
	Logger  *slog.Logger
	Metrics Metrics
}

// Sprinter proves one participant's capacity.
type Sprinter struct {
	cfg    Config
	log    *slog.Logger
	chain  Chain
	models Models
	book   *Book
	out    Outbox

	// Only Tick touches what follows.
	seen     uint64 // newest window that was decided about
	hindered string // why it was skipped; "" if it was not
	swept    int64
	openings map[uint64][]Opening

	mu      sync.Mutex
	lost    map[uint64]bool // windows whose commit is not of our making
	height  int64
	block   time.Time
	racing  uint64 // window that is being computed; 0: none
	stopAt  int64  // height at which that ends
	stop    chan struct{}
	lastErr error
	raceErr error
	leaves  uint64 // computed in the last window, or so far in the running one
	wg      sync.WaitGroup
}

// New returns a sprinter; Run makes it work.
func New(cfg Config, c Chain, m Models, b *Book, out Outbox) (*Sprinter, error) {
	if cfg.Participant == "" {
		return nil, errors.New("sprinter: a participant is needed")
	}
	cfg.Threads = max(cfg.Threads, 1)
	if cfg.MarginBlocks <= 0 {
		cfg.MarginBlocks = 3
	}
	if cfg.SweepBlocks <= 0 {
		cfg.SweepBlocks = 20
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Metrics == nil {
		cfg.Metrics = NoMetrics{}
	}
	return &Sprinter{
		cfg: cfg, log: cfg.Logger, chain: c, models: m, book: b, out: out,
		openings: map[uint64][]Opening{}, lost: map[uint64]bool{}, block: time.Now(),
	}, nil
}

// Run works until ctx ends or heights is closed, and returns once nothing is computed any more.
func (s *Sprinter) Run(ctx context.Context, heights <-chan int64) error {
	defer s.Wait()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case h, ok := <-heights:
			if !ok {
				return ctx.Err()
			}
			if err := s.Tick(ctx, h); err != nil && ctx.Err() == nil {
				s.log.Warn("sprints", "height", h, "error", err)
			}
		}
	}
}

// Wait returns once nothing is computed.
func (s *Sprinter) Wait() { s.wg.Wait() }

// Health says how the sprinter fares.
type Health struct {
	Height    int64     `json:"height"`
	LastBlock time.Time `json:"last_block"`
	// Window that is being computed, 0 for none, and the leaves computed so far, or in the last one.
	Window uint64 `json:"window"`
	Leaves uint64 `json:"leaves"`
	Error  string `json:"error,omitempty"`
}

// Health returns a snapshot.
func (s *Sprinter) Health() Health {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := Health{Height: s.height, LastBlock: s.block, Window: s.racing, Leaves: s.leaves}
	if err := errors.Join(s.lastErr, s.raceErr); err != nil {
		h.Error = err.Error()
	}
	return h
}

// Tick does what is due at a height.
func (s *Sprinter) Tick(ctx context.Context, h int64) error {
	s.advance(h)
	err := s.window(ctx, h)
	windows, listErr := s.book.Windows()
	err = errors.Join(err, listErr)
	if len(windows) > 0 || h%s.cfg.SweepBlocks == 0 { // with no record an audit is of a window whose record was lost
		err = errors.Join(err, s.answer(ctx, h))
	}
	if h-s.swept >= s.cfg.SweepBlocks {
		s.swept = h
		err = errors.Join(err, s.sweep(ctx, h))
	}
	s.mu.Lock()
	s.lastErr = err
	s.mu.Unlock()
	return err
}

// advance notes a height, and ends the race whose time is over.
func (s *Sprinter) advance(h int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h > s.height {
		s.height, s.block = h, time.Now()
	}
	if s.racing != 0 && s.stopAt > 0 && h >= s.stopAt && s.stop != nil {
		close(s.stop)
		s.stop = nil
	}
}

// window looks at the newest window, and enters it.
func (s *Sprinter) window(ctx context.Context, h int64) error {
	w, err := s.chain.SprintWindow(ctx)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if !w.Open || w.Close <= h {
		return nil
	}
	rec, err := s.book.Get(w.Number)
	if err == nil {
		return s.confirm(ctx, rec, h)
	}
	if !errors.Is(err, ErrNoRecord) {
		return err // what was committed is unknown: nothing else may be
	}
	if w.Number <= s.seen {
		return nil
	}
	s.mu.Lock()
	busy := s.racing != 0
	s.mu.Unlock()
	if busy {
		return nil
	}
	why, err := s.hindrance(ctx, w, h)
	if err != nil {
		return err
	}
	s.seen = w.Number
	level := slog.LevelInfo
	if why == s.hindered {
		level = slog.LevelDebug // who does not serve sprints is told once
	}
	s.hindered = why
	if why != "" {
		s.cfg.Metrics.Window("skipped")
		s.log.Log(ctx, level, "window skipped", "window", w.Number, "why", why)
		return nil
	}
	s.start(ctx, w, func(ctx context.Context, stop <-chan struct{}) error { return s.race(ctx, w, stop) })
	return nil
}

// confirm sends a recorded commit that the chain does not have.
func (s *Sprinter) confirm(ctx context.Context, rec Record, h int64) error {
	if _, err := s.chain.SprintCommit(ctx, rec.Window, s.cfg.Participant); err == nil || !errors.Is(err, ErrNotFound) {
		return err
	}
	s.out.CommitSprint(rec.Window, rec.Root[:], rec.Count, rec.Close, h)
	return nil
}

// stopHeight is where computing ends so that the commit gets in.
func (s *Sprinter) stopHeight(w Window) int64 {
	return w.Close - max(1, min(s.cfg.MarginBlocks, (w.Close-w.Opened)/2))
}

// hindrance says why a window is not entered; empty: it is.
func (s *Sprinter) hindrance(ctx context.Context, w Window, h int64) (string, error) {
	if h >= s.stopHeight(w) {
		return fmt.Sprintf("it closes at height %d already", w.Close), nil
	}
	_, err := s.chain.SprintCommit(ctx, w.Number, s.cfg.Participant)
	switch {
	case err == nil:
		return "a commit is on the chain, made by another machine or before the records were lost", nil
	case !errors.Is(err, ErrNotFound):
		return "", err
	}
	st, err := s.chain.Standing(ctx, s.cfg.Participant)
	if errors.Is(err, ErrNotFound) {
		return "not a participant", nil
	}
	if err != nil {
		return "", err
	}
	if !slices.Contains(st.Models, w.Pool) {
		return fmt.Sprintf("%s is not served (poaid tx poai serve %s)", w.Pool, w.Pool), nil
	}
	lock, err := s.chain.SprintLock(ctx, 1)
	if err != nil {
		return "", err
	}
	if lock.GT(st.Free) {
		return fmt.Sprintf("the free bond of %s does not cover a lock of %s", st.Free, lock), nil
	}
	return "", nil
}

// start runs f in the background as the race of a window; stop is closed when it is time to commit.
func (s *Sprinter) start(ctx context.Context, w Window, f func(ctx context.Context, stop <-chan struct{}) error) {
	stop := make(chan struct{})
	s.mu.Lock()
	s.racing, s.stopAt, s.stop, s.leaves = w.Number, s.stopHeight(w), stop, 0
	s.mu.Unlock()
	s.wg.Go(func() {
		err := f(ctx, stop)
		if ctx.Err() != nil {
			err = nil
		}
		s.mu.Lock()
		s.racing, s.stop, s.raceErr = 0, nil, err
		s.mu.Unlock()
		if err != nil {
			s.cfg.Metrics.Window("error")
			s.log.Error("sprint failed", "window", w.Number, "error", err)
		}
	})
}

// race computes until the window is nearly over, writes down what was computed, and commits it.
func (s *Sprinter) race(ctx context.Context, w Window, stop <-chan struct{}) error {
	start := time.Now()
	values, err := s.compute(ctx, w, w.MaxCount, stop)
	if err != nil {
		return err
	}
	seconds := time.Since(start).Seconds()
	rec := Record{Window: w.Number, Model: w.Model, Period: w.Period, Close: w.Close, Values: values, Count: uint64(len(values) / sprint.ValueSize)}
	computed := rec.Count
	if computed == 0 {
		s.cfg.Metrics.Window("skipped")
		s.log.Info("window skipped", "window", w.Number, "why", "no thread was spare")
		return nil
	}
	if s.cfg.Lie {
		if err := rec.pad(w.MaxCount); err != nil {
			return err
		}
	}
	affordable, err := s.insist(ctx, w, func() (uint64, error) { return s.afford(ctx, rec.Count) })
	if err != nil {
		return err
	}
	if affordable == 0 {
		s.cfg.Metrics.Window("skipped")
		s.log.Warn("window skipped", "window", w.Number, "why", "the free bond covers no leaf any more", "computed", computed)
		return nil
	}
	rec.Count, rec.Values = affordable, rec.Values[:affordable*sprint.ValueSize]
	tree, err := rec.tree()
	if err != nil {
		return err
	}
	rec.Root = tree.Root()
	if err := s.book.Put(rec); err != nil {
		return err
	}
	s.mu.Lock()
	h := s.height
	s.mu.Unlock()
	s.out.CommitSprint(rec.Window, rec.Root[:], rec.Count, rec.Close, h)
	s.cfg.Metrics.Computed(computed, seconds, s.cfg.Threads)
	s.cfg.Metrics.Window("committed")
	s.log.Info("sprint", "window", w.Number, "leaves", rec.Count, "tokens", w.Period, "seconds", seconds, "threads", s.cfg.Threads,
		"leaves_per_second", float64(computed)/max(seconds, 1e-9), "root", rec.Root, "height", h, "close", w.Close)
	return nil
}

// compute gives the values of leaves from 0 on, limit of them or as many as are done when stop is closed.
func (s *Sprinter) compute(ctx context.Context, w Window, limit uint64, stop <-chan struct{}) ([]byte, error) {
	prog, weights, release, err := s.models.Load(ctx, w.Model)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", w.Model, err)
	}
	defer release()
	r := &race{
		prog: prog, weights: weights, key: sprint.Key(s.chain.ChainID(), w.Random, w.Number, s.cfg.Participant), period: w.Period,
		limit: limit, stop: stop, spare: s.cfg.Spare, gained: s.gained,
	}
	return r.run(ctx, s.cfg.Threads)
}

func (s *Sprinter) gained(leaves uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leaves += leaves
}

// insist asks again until the window is over: what was computed is worth more than one answer of a node.
func (s *Sprinter) insist(ctx context.Context, w Window, ask func() (uint64, error)) (uint64, error) {
	for {
		v, err := ask()
		s.mu.Lock()
		over := s.height >= w.Close
		s.mu.Unlock()
		if err == nil || over || ctx.Err() != nil {
			return v, err
		}
		select {
		case <-ctx.Done():
		case <-time.After(runFor):
		}
	}
}

// afford is the largest count up to want whose lock the free bond covers. A larger count never locks less.
func (s *Sprinter) afford(ctx context.Context, want uint64) (uint64, error) {
	st, err := s.chain.Standing(ctx, s.cfg.Participant)
	if err != nil {
		return 0, err
	}
	covered, refused := uint64(0), want+1 // lock(covered) fits, lock(refused) does not, as far as is known
	for try := want; covered+1 < refused; try = covered + (refused-covered)/2 {
		lock, err := s.chain.SprintLock(ctx, try)
		if err != nil {
			return 0, err
		}
		if lock.GT(st.Free) {
			refused = try
		} else {
			covered = try
		}
	}
	if covered < want {
		s.log.Warn("the free bond covers fewer leaves than were computed", "computed", want, "covered", covered, "free", st.Free.String())
	}
	return covered, nil
}

// pad makes up one leaf for every nine that were computed.
func (r *Record) pad(limit uint64) error {
	garbage := make([]byte, min(r.Count/9, limit-r.Count)*sprint.ValueSize)
	if _, err := rand.Read(garbage); err != nil {
		return err
	}
	r.Values = append(r.Values, garbage...)
	r.Count = uint64(len(r.Values) / sprint.ValueSize)
	return nil
}

// sweep drops the records of windows that the chain has done with.
func (s *Sprinter) sweep(ctx context.Context, h int64) error {
	windows, err := s.book.Windows()
	if err != nil {
		return err
	}
	for _, n := range windows {
		c, err := s.chain.SprintCommit(ctx, n, s.cfg.Participant)
		if errors.Is(err, ErrNotFound) {
			rec, err := s.book.head(n)
			if err != nil {
				return err
			}
			if rec.Close+s.cfg.SweepBlocks > h {
				continue // it may be on its way, or the node may lag
			}
			c = Commit{Over: true, State: "never committed"}
		} else if err != nil {
			return err
		}
		if !c.Over {
			continue
		}
		s.log.Info("window decided", "window", n, "state", c.State)
		delete(s.openings, n)
		if err := s.book.Delete(n); err != nil {
			return err
		}
	}
	return nil
}
