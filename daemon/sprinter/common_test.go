package sprinter_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"

	"poaid/commit"
	"poaid/daemon/sprinter"
	"poaid/engine"
	"poaid/sprint"
)

const me = "poai1me"

// world is a chain with one participant, its models and the outbox of its daemon.
type world struct {
	prog    *engine.Program
	weights *engine.Weights

	mu       sync.Mutex
	window   sprinter.Window
	commits  map[uint64]sprinter.Commit
	audits   []sprinter.Audit
	free     int64
	lock     func(count uint64) int64
	models   []string
	failing  error
	asked    int // locks asked for
	loads    int
	commitsN map[string]int // commits sent, by window, root and count
	opened   map[uint64][]sprinter.Opening
	mute     bool // nothing that is sent arrives
}

func newWorld(tb testing.TB) *world {
	tb.Helper()
	prog, err := sprint.Program(sprint.Tiny())
	require.NoError(tb, err)
	weights, err := sprint.Weights(prog, [32]byte{1})
	require.NoError(tb, err)
	return &world{
		prog: prog, weights: weights, commits: map[uint64]sprinter.Commit{}, free: 1000, lock: func(uint64) int64 { return 10 },
		models: []string{"sprint"}, commitsN: map[string]int{}, opened: map[uint64][]sprinter.Opening{},
	}
}

func (w *world) ChainID() string { return "test-1" }

func (w *world) SprintWindow(context.Context) (sprinter.Window, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.window.Number == 0 {
		return sprinter.Window{}, sprinter.ErrNotFound
	}
	return w.window, w.failing
}

func (w *world) SprintWindowAt(_ context.Context, n uint64) (sprinter.Window, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.window.Number != n {
		return sprinter.Window{}, sprinter.ErrNotFound
	}
	return w.window, w.failing
}

func (w *world) SprintCommit(_ context.Context, n uint64, who string) (sprinter.Commit, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c, ok := w.commits[n]
	if !ok || who != me {
		return c, fmt.Errorf("%w: commit of %s", sprinter.ErrNotFound, who)
	}
	return c, w.failing
}

func (w *world) SprintAudits(context.Context, string) ([]sprinter.Audit, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]sprinter.Audit(nil), w.audits...), w.failing
}

func (w *world) SprintLock(_ context.Context, count uint64) (math.Int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked++
	return math.NewInt(w.lock(count)), w.failing
}

func (w *world) Standing(context.Context, string) (sprinter.Standing, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return sprinter.Standing{Free: math.NewInt(w.free), Models: w.models}, w.failing
}

func (w *world) Load(context.Context, string) (*engine.Program, *engine.Weights, func(), error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.loads++
	return w.prog, w.weights, func() {}, nil
}

func (w *world) CommitSprint(window uint64, root []byte, count uint64, _, _ int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.commitsN[fmt.Sprintf("%d %x %d", window, root, count)]++
	if _, twice := w.commits[window]; !twice && !w.mute {
		w.commits[window] = sprinter.Commit{Root: bytes.Clone(root), Count: count, State: "PENDING"}
	}
}

func (w *world) OpenSprint(window uint64, leaves []sprinter.Opening, _, _ int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.opened[window] = leaves
	for i := range w.audits {
		w.audits[i].Opened = w.audits[i].Opened || w.audits[i].Window == window && !w.mute
	}
}

// set changes the world.
func (w *world) set(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
}

// openWindow opens a window for the heights from..to.
func (w *world) openWindow(number uint64, from, to int64) {
	w.set(func() {
		w.window = sprinter.Window{
			Number: number, Open: true, Opened: from, Close: to, Model: "sprint-1", Pool: "sprint", Random: []byte("random"), Period: 4, MaxCount: 200,
		}
	})
}

// daemon is a sprinter on a folder, as a process would be.
func (w *world) daemon(tb testing.TB, dir string, change func(*sprinter.Config)) *sprinter.Sprinter {
	tb.Helper()
	book, err := sprinter.OpenBook(dir, w.ChainID(), me)
	require.NoError(tb, err)
	cfg := sprinter.Config{Participant: me, Threads: 2, Logger: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(&cfg)
	}
	s, err := sprinter.New(cfg, w, w, book, w)
	require.NoError(tb, err)
	tb.Cleanup(s.Wait)
	return s
}

// commit waits for the commit of a window and returns it.
func (w *world) commit(tb testing.TB, window uint64) sprinter.Commit {
	tb.Helper()
	var c sprinter.Commit
	require.Eventually(tb, func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		var ok bool
		c, ok = w.commits[window]
		return ok
	}, 20*time.Second, time.Millisecond)
	return c
}

// truth is the root over the first n leaves of the window.
func (w *world) truth(tb testing.TB, n uint64) commit.Hash {
	tb.Helper()
	leaves := make([]uint64, n)
	for i := range leaves {
		leaves[i] = uint64(i)
	}
	key := sprint.Key(w.ChainID(), w.window.Random, w.window.Number, me)
	values, err := sprint.Compute(tb.Context(), w.prog, w.weights, key, leaves, w.window.Period, 1)
	require.NoError(tb, err)
	tree, err := sprint.NewTree(values)
	require.NoError(tb, err)
	return tree.Root()
}

// underway waits until a sprinter has computed something.
func underway(tb testing.TB, s *sprinter.Sprinter) {
	tb.Helper()
	require.Eventually(tb, func() bool { return s.Health().Leaves > 0 }, 20*time.Second, time.Millisecond)
}
