package sprinter_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"poaid/daemon/sprinter"
	"poaid/sprint"
)

// TestWindow computes until the margin, and commits to just what it computed.
func TestWindow(t *testing.T) {
	w := newWorld(t)
	s := w.daemon(t, t.TempDir(), nil)
	require.NoError(t, s.Tick(t.Context(), 9))
	w.openWindow(1, 10, 20)
	require.NoError(t, s.Tick(t.Context(), 10))
	underway(t, s)
	require.NoError(t, s.Tick(t.Context(), 17)) // three before the last
	c := w.commit(t, 1)
	s.Wait()
	require.Positive(t, c.Count)
	root := w.truth(t, c.Count)
	require.Equal(t, root[:], c.Root)
	require.Zero(t, s.Health().Window)
	require.Equal(t, c.Count, s.Health().Leaves)
	require.Len(t, w.commitsN, 1)
}

// TestKeepsOn computes as long as the window allows, and no longer.
func TestKeepsOn(t *testing.T) {
	w := newWorld(t)
	s := w.daemon(t, t.TempDir(), nil)
	w.openWindow(1, 10, 20)
	w.set(func() { w.window.MaxCount = 1 << 40 })
	require.NoError(t, s.Tick(t.Context(), 10))
	require.NoError(t, s.Tick(t.Context(), 16))
	underway(t, s)
	require.Equal(t, uint64(1), s.Health().Window)
	require.Empty(t, w.commitsN)
	require.NoError(t, s.Tick(t.Context(), 17))
	w.commit(t, 1)
}

func TestMaxCount(t *testing.T) {
	w := newWorld(t)
	s := w.daemon(t, t.TempDir(), nil)
	w.openWindow(1, 10, 2000)
	w.set(func() { w.window.MaxCount = 37 })
	require.NoError(t, s.Tick(t.Context(), 10))
	require.Equal(t, uint64(37), w.commit(t, 1).Count) // without waiting for the end
}

// TestHindrances lists why a window is left alone.
func TestHindrances(t *testing.T) {
	for name, change := range map[string]func(w *world){
		"late":        func(w *world) { w.window.Close = 13 },
		"not open":    func(w *world) { w.window.Open = false },
		"not serving": func(w *world) { w.models = []string{"story"} },
		"no bond":     func(w *world) { w.free = 9 },
		"committed":   func(w *world) { w.commits[1] = sprinter.Commit{Root: make([]byte, 32), Count: 5} },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			s := w.daemon(t, t.TempDir(), nil)
			w.openWindow(1, 10, 20)
			w.set(func() { change(w) })
			require.NoError(t, s.Tick(t.Context(), 12))
			s.Wait()
			require.Zero(t, w.loads)
			require.Empty(t, w.commitsN)
		})
	}
}

// TestBondBoundsCount commits to no more than the free bond covers.
func TestBondBoundsCount(t *testing.T) {
	for _, c := range []struct {
		free  int64
		count uint64
	}{{1 << 30, 100}, {64, 64}, {1, 1}} {
		w := newWorld(t)
		w.lock, w.free = func(n uint64) int64 { return int64(n) }, c.free
		s := w.daemon(t, t.TempDir(), nil)
		w.openWindow(1, 10, 2000)
		w.set(func() { w.window.MaxCount = 100 })
		require.NoError(t, s.Tick(t.Context(), 10))
		got := w.commit(t, 1)
		root := w.truth(t, c.count)
		require.Equal(t, c.count, got.Count)
		require.Equal(t, root[:], got.Root)
		require.Less(t, w.asked, 12)
	}
}

// TestBondLostMeanwhile leaves a window without a commit when the bond was taken while it computed.
func TestBondLostMeanwhile(t *testing.T) {
	w := newWorld(t)
	s := w.daemon(t, t.TempDir(), nil)
	w.openWindow(1, 10, 20)
	require.NoError(t, s.Tick(t.Context(), 10))
	underway(t, s)
	w.set(func() { w.free = 0 })
	require.NoError(t, s.Tick(t.Context(), 17))
	s.Wait()
	require.Empty(t, w.commitsN)
}

// TestCrashes kills the daemon at each point of a window. It never commits to two things.
func TestCrashes(t *testing.T) {
	t.Run("while computing", func(t *testing.T) {
		w, dir := newWorld(t), t.TempDir()
		w.openWindow(1, 10, 20)
		w.set(func() { w.window.MaxCount = 1 << 40 })
		ctx, kill := context.WithCancel(t.Context())
		s := w.daemon(t, dir, nil)
		require.NoError(t, s.Tick(ctx, 10))
		underway(t, s)
		kill()
		s.Wait()
		require.Empty(t, w.commitsN)
		s = w.daemon(t, dir, nil)
		require.NoError(t, s.Tick(t.Context(), 12))
		underway(t, s)
		require.NoError(t, s.Tick(t.Context(), 17))
		w.commit(t, 1)
		require.Len(t, w.commitsN, 1)
	})
	t.Run("after writing, before sending", func(t *testing.T) {
		w, dir := newWorld(t), t.TempDir()
		w.mute = true
		w.openWindow(1, 10, 2000)
		s := w.daemon(t, dir, nil)
		require.NoError(t, s.Tick(t.Context(), 10))
		s.Wait()
		require.Len(t, w.commitsN, 1)
		w.set(func() { w.mute, w.window.MaxCount = false, 100 }) // a new computation would have another count
		s = w.daemon(t, dir, nil)
		require.NoError(t, s.Tick(t.Context(), 19))
		require.Equal(t, uint64(200), w.commit(t, 1).Count)
		require.NoError(t, s.Tick(t.Context(), 20))
		require.Len(t, w.commitsN, 1, "another commit was sent")
	})
	t.Run("half a file", func(t *testing.T) {
		w, dir := newWorld(t), t.TempDir()
		w.openWindow(1, 10, 2000)
		s := w.daemon(t, dir, nil)
		require.NoError(t, s.Tick(t.Context(), 10))
		w.commit(t, 1)
		s.Wait()
		files, err := filepath.Glob(filepath.Join(dir, "*", "*.sprint"))
		require.NoError(t, err)
		require.Len(t, files, 1)
		require.NoError(t, os.Rename(files[0], files[0]+".tmp")) // what a crash before the rename leaves
		s = w.daemon(t, dir, nil)
		require.NoError(t, s.Tick(t.Context(), 12))
		s.Wait()
		require.Len(t, w.commitsN, 1)
	})
}

// TestAudit opens what is asked for, with proofs that the chain accepts, until the chain has it.
func TestAudit(t *testing.T) {
	w, dir := newWorld(t), t.TempDir()
	w.openWindow(1, 10, 2000)
	s := w.daemon(t, dir, nil)
	require.NoError(t, s.Tick(t.Context(), 10))
	c := w.commit(t, 1)
	s.Wait()
	w.set(func() { w.window.Open = false })
	w.set(func() {
		w.audits = []sprinter.Audit{
			{Window: 1, Task: 5, Leaves: []uint64{0, 7, c.Count - 1}, Deadline: 40},
			{Window: 8, Task: 6, Leaves: []uint64{1}, Deadline: 21}, // too late for it
		}
		w.mute = true
	})
	s = w.daemon(t, dir, nil) // another process
	require.NoError(t, s.Tick(t.Context(), 21))
	checkOpening(t, w, c, []uint64{0, 7, c.Count - 1})
	w.set(func() { w.mute, w.opened = false, map[uint64][]sprinter.Opening{} })
	require.NoError(t, s.Tick(t.Context(), 22))
	checkOpening(t, w, c, []uint64{0, 7, c.Count - 1})
	w.set(func() { w.opened = map[uint64][]sprinter.Opening{} })
	require.NoError(t, s.Tick(t.Context(), 23))
	require.Empty(t, w.opened, "opened again")
}

func checkOpening(t *testing.T, w *world, c sprinter.Commit, want []uint64) {
	t.Helper()
	require.Len(t, w.opened, 1)
	require.Len(t, w.opened[1], len(want))
	for i, o := range w.opened[1] {
		require.Equal(t, want[i], o.Number)
		require.NoError(t, sprint.VerifyOpening(c.Root, c.Count, o.Number, o.Value, o.Proof))
	}
}

// TestLostRecord computes a window again whose values are gone when it is audited, and gives up on a commit that is not its own.
func TestLostRecord(t *testing.T) {
	for name, foreign := range map[string]bool{"own": false, "foreign": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.openWindow(1, 10, 2000)
			s := w.daemon(t, t.TempDir(), nil)
			require.NoError(t, s.Tick(t.Context(), 10))
			c := w.commit(t, 1)
			s.Wait()
			w.set(func() {
				w.window.Open = false
				if foreign {
					c.Root = make([]byte, 32)
					w.commits[1] = c
				}
				w.audits = []sprinter.Audit{{Window: 1, Task: 5, Leaves: []uint64{3}, Deadline: 4000}}
			})
			s = w.daemon(t, t.TempDir(), nil)
			for h := int64(2020); h < 2060; h += 20 {
				require.NoError(t, s.Tick(t.Context(), h))
				s.Wait()
				if foreign {
					require.Contains(t, s.Health().Error, "not of these leaves")
				}
			}
			if foreign {
				require.Empty(t, w.opened)
				require.Equal(t, 2, w.loads, "computed again and again")
				return
			}
			checkOpening(t, w, c, []uint64{3})
		})
	}
}

// TestSweep drops the records that the chain has done with, and those that never got there.
func TestSweep(t *testing.T) {
	w, dir := newWorld(t), t.TempDir()
	w.mute = true
	s := w.daemon(t, dir, nil)
	for n := range uint64(3) {
		w.openWindow(n+1, 10, 2000)
		require.NoError(t, s.Tick(t.Context(), int64(10+n)))
		s.Wait()
	}
	w.set(func() {
		w.window.Open = false
		w.commits[1] = sprinter.Commit{Over: true, State: "CLEAR"}
		w.commits[2] = sprinter.Commit{State: "PENDING"}
	})
	book, err := sprinter.OpenBook(dir, w.ChainID(), me)
	require.NoError(t, err)
	require.NoError(t, s.Tick(t.Context(), 1990))
	windows, err := book.Windows()
	require.NoError(t, err)
	require.Equal(t, []uint64{2, 3}, windows)
	require.NoError(t, s.Tick(t.Context(), 2020))
	windows, err = book.Windows()
	require.NoError(t, err)
	require.Equal(t, []uint64{2}, windows)
}

// TestServingFirst computes nothing while no thread is spare.
func TestServingFirst(t *testing.T) {
	w := newWorld(t)
	var spare atomic.Int64
	s := w.daemon(t, t.TempDir(), func(c *sprinter.Config) { c.Spare = func() int { return int(spare.Load()) } })
	w.openWindow(1, 10, 2000)
	require.NoError(t, s.Tick(t.Context(), 10))
	time.Sleep(60 * time.Millisecond)
	require.Empty(t, w.commitsN)
	spare.Store(1)
	require.Equal(t, uint64(200), w.commit(t, 1).Count)
}

// TestBusyThroughout leaves no trace of a window in which no thread was ever spare.
func TestBusyThroughout(t *testing.T) {
	w := newWorld(t)
	s := w.daemon(t, t.TempDir(), func(c *sprinter.Config) { c.Spare = func() int { return 0 } })
	w.openWindow(1, 10, 20)
	require.NoError(t, s.Tick(t.Context(), 10))
	require.NoError(t, s.Tick(t.Context(), 17))
	s.Wait()
	require.Empty(t, w.commitsN)
	require.Empty(t, s.Health().Error)
}

// TestChainSilent keeps what it computed until the chain answers.
func TestChainSilent(t *testing.T) {
	w := newWorld(t)
	s := w.daemon(t, t.TempDir(), nil)
	w.openWindow(1, 10, 2000)
	require.NoError(t, s.Tick(t.Context(), 10))
	w.set(func() { w.failing = errors.New("silence") })
	require.ErrorContains(t, s.Tick(t.Context(), 11), "silence")
	require.Contains(t, s.Health().Error, "silence")
	w.set(func() { w.failing = nil })
	require.Equal(t, uint64(200), w.commit(t, 1).Count)
	require.NoError(t, s.Tick(t.Context(), 12))
	require.Empty(t, s.Health().Error)
}

// TestLie commits to a tenth of garbage.
func TestLie(t *testing.T) {
	w := newWorld(t)
	s := w.daemon(t, t.TempDir(), func(c *sprinter.Config) { c.Lie = true })
	w.openWindow(1, 10, 2000)
	w.set(func() { w.window.MaxCount = 1 << 40 })
	require.NoError(t, s.Tick(t.Context(), 10))
	require.Eventually(t, func() bool { return s.Health().Leaves >= 100 }, 20*time.Second, time.Millisecond)
	require.NoError(t, s.Tick(t.Context(), 1999-2))
	c := w.commit(t, 1)
	s.Wait()
	root := w.truth(t, c.Count)
	require.NotEqual(t, root[:], c.Root)
	w.set(func() {
		w.window.Open = false
		w.audits = []sprinter.Audit{{Window: 1, Leaves: []uint64{0, c.Count - 1}, Deadline: 9999}}
	})
	require.NoError(t, s.Tick(t.Context(), 2001))
	checkOpening(t, w, c, []uint64{0, c.Count - 1})
	honest, err := sprint.Compute(t.Context(), w.prog, w.weights, sprint.Key(w.ChainID(), w.window.Random, 1, me), []uint64{0, c.Count - 1}, 4, 1)
	require.NoError(t, err)
	require.Equal(t, honest[0], w.opened[1][0].Value)
	require.NotEqual(t, honest[1], w.opened[1][1].Value)
}
