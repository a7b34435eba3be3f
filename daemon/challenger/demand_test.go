package challenger_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/daemon/executor"
	taskstypes "poaid/x/tasks/types"
)

// TestMissingBytes: a worker cannot get an input; it demands it when its deadline is near, and another machine brings the bytes.
func TestMissingBytes(t *testing.T) {
	for _, missing := range []*executor.MissingError{{Input: "prompt", Err: errors.New("nobody has it")}, {Weights: true, Err: errors.New("nobody has it")}} {
		c := newCourt(t)
		c.submit(t, 1)
		dir := t.TempDir()
		needy, rich := c.machine(t, dir, 0), c.machine(t, dir, 1)
		c.matters[1].status = taskstypes.Status{State: taskstypes.STATE_ASSIGNED, Worker: needy.name, Deadline: 40}
		needy.ch.Lacks(1, missing)
		for range 12 {
			h := c.chain.Commit()
			needy.tick(h)
			rich.tick(h)
		}
		require.Empty(t, c.matters[1].demands, "there is time yet: peers are asked")
		for range 12 {
			h := c.chain.Commit()
			needy.tick(h)
			rich.tick(h)
		}
		demands := c.matters[1].demands
		require.NotEmpty(t, demands)
		require.Equal(t, rich.name, demands[0].Producer)
		require.LessOrEqual(t, len(demands), 3)
		c.matters[1].status.State = taskstypes.STATE_REFUNDED
		for range 3 {
			h := c.chain.Commit()
			needy.tick(h)
			rich.tick(h)
		}
		require.Zero(t, needy.ch.Health().Affairs)
		require.Zero(t, rich.ch.Health().Affairs)
	}
}
