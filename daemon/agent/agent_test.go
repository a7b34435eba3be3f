package agent_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"poaid/commit"
	"poaid/daemon/agent"
	"poaid/daemon/chain"
	"poaid/daemon/executor"
	"poaid/daemon/journal"
	taskstypes "poaid/x/tasks/types"
)

// desk is a role with a list of items, and everything else an agent needs.
type desk struct {
	items   []agent.Item
	over    map[uint64]bool
	runs    []uint64
	results map[uint64]error
	sent    []chain.ID
	listErr error
}

func (d *desk) Name() journal.Role { return journal.Worker }

func (d *desk) Due(_ context.Context, fn func(agent.Item) error) error {
	for _, it := range d.items {
		if err := fn(it); err != nil {
			return err
		}
	}
	return d.listErr
}

func (d *desk) Over(_ context.Context, task uint64) (bool, error) { return d.over[task], nil }

func (d *desk) Record(_ context.Context, _ taskstypes.TaskView, res executor.Result) (journal.Record, error) {
	return journal.Record{ResultRoot: res.ResultRoot}, nil
}

func (d *desk) Seal(r journal.Record, deadline int64) chain.Item {
	return chain.SealResult(r.Task, r.Seal[:], deadline)
}

func (d *desk) Reveal(r journal.Record, deadline int64) chain.Item {
	return chain.RevealResult(taskstypes.ResultReveal{TaskId: r.Task}, deadline)
}

func (d *desk) ChainID() string { return "desk-1" }

func (d *desk) Task(_ context.Context, id uint64) (taskstypes.TaskView, error) {
	return taskstypes.TaskView{Task: taskstypes.Task{Id: id}}, nil
}

func (d *desk) Run(_ context.Context, task taskstypes.Task) (executor.Result, error) {
	d.runs = append(d.runs, task.Id)
	return executor.Result{ResultRoot: commit.Hash{byte(task.Id)}}, d.results[task.Id]
}

func (d *desk) Enqueue(it chain.Item, _ int64) bool {
	d.sent = append(d.sent, it.ID())
	return true
}

func (d *desk) Advance(int64)    {}
func (d *desk) Busy() (int, int) { return 0, 0 }

func secret() []byte { return make([]byte, 32) }

// sealOf is the seal that this desk's agent makes.
func sealOf(task uint64) commit.Hash {
	return commit.Seal("desk-1", task, "me", commit.Hash{byte(task)}, commit.Salt(secret(), "desk-1", task, "result"))
}

func newAgent(t *testing.T, d *desk, cfg agent.Config) (*agent.Agent, *journal.Journal) {
	t.Helper()
	return newAgentOf(t, d, d, cfg)
}

func newAgentOf(t *testing.T, d *desk, runner executor.Runner, cfg agent.Config) (*agent.Agent, *journal.Journal) {
	t.Helper()
	book, err := journal.Open(filepath.Join(t.TempDir(), "j"), "desk-1", "me")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, book.Close()) })
	cfg.Participant, cfg.SaltSecret = "me", secret()
	a, err := agent.New(cfg, d, runner, book, d, d)
	require.NoError(t, err)
	return a, book
}

func tick(t *testing.T, a *agent.Agent, h int64) {
	t.Helper()
	require.NoError(t, a.Tick(t.Context(), h))
	a.Wait()
}

func TestMostUrgentFirst(t *testing.T) {
	d := &desk{items: []agent.Item{
		{Task: 1, Need: agent.NeedNothing, Seal: sealOf(1)},
		{Task: 2, Need: agent.NeedSeal, Deadline: 50},
		{Task: 3, Need: agent.NeedSeal, Deadline: 40},
		{Task: 4, Need: agent.NeedReveal, Deadline: 60, Seal: sealOf(4)},
		{Task: 5, Need: agent.NeedSeal, Deadline: 10}, // too late
	}}
	a, _ := newAgent(t, d, agent.Config{})
	tick(t, a, 10)
	require.Equal(t, []uint64{4, 3, 2, 1}, d.runs)
	require.Equal(t, []chain.ID{{Kind: chain.KindRevealResult, Task: 4}, {Kind: chain.KindSealResult, Task: 3}, {Kind: chain.KindSealResult, Task: 2}}, d.sent)
	d.runs = nil
	tick(t, a, 11)
	require.Empty(t, d.runs, "everything is in the journal")
}

func TestForeignSealIsNotAnswered(t *testing.T) {
	for _, recorded := range []bool{false, true} {
		d := &desk{items: []agent.Item{{Task: 1, Need: agent.NeedSeal, Deadline: 50}}}
		var log bytes.Buffer
		a, book := newAgent(t, d, agent.Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		if recorded {
			tick(t, a, 1)
			d.sent = nil
		}
		d.items[0] = agent.Item{Task: 1, Need: agent.NeedReveal, Deadline: 50, Seal: commit.Hash{42}}
		for h := int64(2); h < 5; h++ {
			tick(t, a, h)
		}
		require.Empty(t, d.sent)
		require.Len(t, d.runs, 1)
		require.Equal(t, 1, a.Health().Conflicts)
		require.Equal(t, 1, bytes.Count(log.Bytes(), []byte("a seal that is not ours")), "reported once")
		_, err := book.Get(journal.Worker, 1)
		require.Equal(t, recorded, err == nil, "what was not promised is not written down")
	}
}

func TestFailedExecutionIsRepeated(t *testing.T) {
	d := &desk{items: []agent.Item{{Task: 1, Need: agent.NeedSeal, Deadline: 50}}, results: map[uint64]error{1: errors.New("weights are nowhere")}}
	a, _ := newAgent(t, d, agent.Config{MinRetry: time.Hour, MaxRetry: time.Hour})
	tick(t, a, 1)
	tick(t, a, 2)
	require.Len(t, d.runs, 1, "it rests first")
	require.Equal(t, 1, a.Health().Queued)
	d.items = nil
	tick(t, a, 3)
	require.Zero(t, a.Health().Queued, "it is not wanted any more")
}

func TestFailedListingIsRepeated(t *testing.T) {
	d := &desk{listErr: errors.New("no answer")}
	a, _ := newAgent(t, d, agent.Config{ReconcileBlocks: 10})
	require.Error(t, a.Tick(t.Context(), 1))
	require.NotEmpty(t, a.Health().Error)
	d.listErr = nil
	d.items = []agent.Item{{Task: 1, Need: agent.NeedSeal}}
	tick(t, a, 0) // the timer of Run
	require.Len(t, d.runs, 1)
	require.Empty(t, a.Health().Error)
	d.items = append(d.items, agent.Item{Task: 2, Need: agent.NeedSeal})
	tick(t, a, 10)
	require.Len(t, d.runs, 1, "the next listing is due at 11")
	tick(t, a, 11)
	require.Len(t, d.runs, 2)
}

func TestFinishedRecordsAreDropped(t *testing.T) {
	d := &desk{over: map[uint64]bool{}}
	for id := range uint64(5) {
		d.items = append(d.items, agent.Item{Task: id + 1, Need: agent.NeedSeal})
	}
	a, book := newAgent(t, d, agent.Config{SweepBlocks: 10, Concurrency: 1})
	tick(t, a, 1)
	d.items, d.over[2], d.over[5] = nil, true, true
	tick(t, a, 20)
	left, err := book.Tasks(journal.Worker, 0, 10)
	require.NoError(t, err)
	require.Equal(t, []uint64{1, 3, 4}, left)
}

func TestShardsShareTasks(t *testing.T) {
	const shards, tasks = 4, 400
	total := 0
	for shard := range uint64(shards) {
		d := &desk{}
		for id := range uint64(tasks) {
			d.items = append(d.items, agent.Item{Task: id << 8, Need: agent.NeedSeal}) // as ids of first messages are
		}
		a, _ := newAgent(t, d, agent.Config{Shard: shard, Shards: shards})
		tick(t, a, 1)
		require.InDelta(t, tasks/shards, len(d.runs), tasks/shards/2)
		total += len(d.runs)
	}
	require.Equal(t, tasks, total)
}

func TestRunEndsWithItsContext(t *testing.T) {
	d := &desk{items: []agent.Item{{Task: 1, Need: agent.NeedSeal}}}
	a, _ := newAgent(t, d, agent.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	heights := make(chan int64)
	done := make(chan error)
	var ended atomic.Bool
	go func() {
		err := a.Run(ctx, heights)
		ended.Store(true)
		done <- err
	}()
	heights <- 1
	require.False(t, ended.Load())
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)
}
