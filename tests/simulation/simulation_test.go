package simulation_test

import (
	"bytes"
	"flag"
	"io"
	"os"
	"testing"

	serverconfig "github.com/cosmos/cosmos-sdk/server/config"
	"github.com/stretchr/testify/require"

	"poaid/tests/simulation"
)

var (
	seed   = flag.Int64("seed", 1, "of the random operations")
	blocks = flag.Int("blocks", 60, "to simulate")
	full   = flag.Bool("full", false, "demand that every operation was accepted and every milestone reached")
)

// TestSimulation runs one seed twice, beside each other: block after block on one processor, and in parallel. Both must come to the same.
func TestSimulation(t *testing.T) {
	var sims [2]*simulation.Sim
	t.Run("runs", func(t *testing.T) {
		for i, executor := range []string{serverconfig.BlockExecutorSequential, serverconfig.BlockExecutorBlockSTM} {
			var progress io.Writer
			if i == 0 && testing.Verbose() {
				progress = os.Stderr
			}
			t.Run(executor, func(t *testing.T) {
				t.Parallel()
				s := simulation.New(t, simulation.Config{Seed: *seed, Blocks: *blocks, Executor: executor, Workers: 2, Progress: progress})
				s.Run()
				sims[i] = s
			})
		}
	})
	if t.Failed() {
		return
	}
	if testing.Verbose() {
		sims[0].Report(os.Stdout)
	}
	require.Len(t, sims[1].Hashes, len(sims[0].Hashes))
	for i, h := range sims[0].Hashes {
		require.True(t, bytes.Equal(h, sims[1].Hashes[i]), "app hashes of the %d. block differ", i+1)
	}
	if *full {
		require.Empty(t, sims[0].Missing(), "seed %d, %d blocks: never happened", *seed, *blocks)
	}
}
