// Package network disturbs a network of real processes while tasks flow, and looks at everything afterwards.
package network

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"poaid/localnet"
)

// TestFaultsLoseNothingAndPayNothingTwice runs four validators and six participants. One fault after the other happens to them; in the end
// every node must have the same chain, every task its right answer, and every coin its place. The parts share one network, in this order.
func TestFaultsLoseNothingAndPayNothingTwice(t *testing.T) {
	f := start(t)
	f.flow()
	for _, part := range []struct {
		name string
		run  func(f *fixture)
	}{
		{"a validator and a participant are killed and come back", killed},
		{"a validator stands still for some blocks", paused},
		{"a validator is cut off from the others", cutOff},
		{"two validators are cut off from the other two", halved},
	} {
		f.step(part.name)
		f.submit(2)
		part.run(f)
	}
	f.step("the tasks end")
	f.settle()
	f.closed()
	f.step("everything is looked at")
	t.Run("all nodes have the same blocks and app hashes", func(t *testing.T) { sameChain(t, f) })
	t.Run("every task is final and right", func(t *testing.T) { tasksRight(t, f) })
	t.Run("every task is paid out of its escrow once", func(t *testing.T) { paidOnce(t, f) })
	t.Run("every share of reward is claimed once", func(t *testing.T) { claimedOnce(t, f) })
	t.Run("every coin has its place", func(t *testing.T) { coins(t, f) })
	t.Run("nobody is punished", func(t *testing.T) { nobodyPunished(t, f) })
}

// killed ends a validator and a participant as a power cut does, lets the chain go on without them, and starts them again.
func killed(f *fixture) {
	require.NoError(f.t, f.net.Kill("node3"))
	require.NoError(f.t, f.net.Kill("participant1"))
	f.blocks(0, 5)
	require.NoError(f.t, f.net.Restart("node3"))
	require.NoError(f.t, f.net.Restart("participant1"))
	f.catchUp(3)
}

// paused stops a validator's process and lets it go on.
func paused(f *fixture) {
	p, err := f.net.Running("node2")
	require.NoError(f.t, err)
	require.NoError(f.t, p.Pause())
	f.blocks(0, 5)
	require.NoError(f.t, p.Resume())
	f.catchUp(2)
}

// cutOff takes one validator away from the others, who go on without it; what it and its participants say waits.
func cutOff(f *fixture) {
	require.NoError(f.t, f.net.Partition([]int{1}, []int{0, 2, 3}, localnet.Stall))
	alone := f.height(1)
	f.blocks(0, 6)
	require.LessOrEqual(f.t, f.height(1), alone+1, "it had at most one block on its way")
	require.NoError(f.t, f.net.Heal())
	f.catchUp(1)
}

// halved leaves no two thirds together: the chain stops, and goes on when it is whole again.
func halved(f *fixture) {
	require.NoError(f.t, f.net.Partition([]int{0, 1}, []int{2, 3}, localnet.Reset))
	for i := range f.layout.Nodes {
		f.until("only its half is left to a validator", func() (bool, error) {
			peers, err := f.peers(i)
			return peers == 1, err
		})
	}
	var at []int64
	for i := range f.layout.Nodes {
		at = append(at, f.height(i))
	}
	time.Sleep(3 * time.Second)
	for i := range f.layout.Nodes {
		require.LessOrEqual(f.t, f.height(i), at[i]+1, "node%d: a half makes no blocks; one may have been on its way", i)
	}
	require.NoError(f.t, f.net.Heal())
	f.blocks(0, 3)
	f.catchUp(3)
}
