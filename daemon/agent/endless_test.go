package agent_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"poaid/commit"
	"poaid/daemon/agent"
	"poaid/daemon/executor"
	taskstypes "poaid/x/tasks/types"
)

// trap is a desk whose task 1 never ends and whose task 2 panics.
type trap struct {
	desk
	started chan struct{}
}

func (d *trap) Run(ctx context.Context, task taskstypes.Task) (executor.Result, error) {
	switch task.Id {
	case 1:
		close(d.started)
		<-ctx.Done()
		return executor.Result{}, ctx.Err()
	case 2:
		panic("index out of range")
	}
	return executor.Result{ResultRoot: commit.Hash{byte(task.Id)}}, nil
}

// TestEndlessRunIsGivenUp: a run that nobody waits for any more gives its place back.
func TestEndlessRunIsGivenUp(t *testing.T) {
	d := &trap{started: make(chan struct{})}
	d.items = []agent.Item{{Task: 1, Need: agent.NeedSeal, Deadline: 3}}
	a, _ := newAgentOf(t, &d.desk, d, agent.Config{})
	require.NoError(t, a.Tick(t.Context(), 1))
	<-d.started
	d.items = []agent.Item{{Task: 3, Need: agent.NeedSeal, Deadline: 50}}
	for h := int64(4); h < 8; h++ {
		require.NoError(t, a.Tick(t.Context(), h))
		require.Equal(t, 1, a.Health().Running, "the node may just lag")
	}
	require.NoError(t, a.Tick(t.Context(), 8))
	a.Wait()
	require.Len(t, d.sent, 1)
	require.EqualValues(t, 3, d.sent[0].Task)
	require.Zero(t, a.Health().Running+a.Health().Queued)
}

// TestPanicIsOneTasksTrouble: the others go on.
func TestPanicIsOneTasksTrouble(t *testing.T) {
	d := &trap{}
	d.items = []agent.Item{{Task: 2, Need: agent.NeedSeal, Deadline: 50}, {Task: 3, Need: agent.NeedSeal, Deadline: 60}}
	a, _ := newAgentOf(t, &d.desk, d, agent.Config{MinRetry: time.Hour, MaxRetry: time.Hour})
	tick(t, a, 1)
	require.Len(t, d.sent, 1)
	require.EqualValues(t, 3, d.sent[0].Task)
	require.Equal(t, 1, a.Health().Queued)
}
