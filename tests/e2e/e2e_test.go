// Package e2e runs the main job on real processes.
package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"poaid/demo"
	"poaid/localnet"
	"poaid/testutil/binary"
)

// TestMainJobSurvivesKills runs the main job on two validators and four participants, and kills two participants and
// one validator with SIGKILL while tasks are under way. They come back, and every task must end FINAL and right, with
// every coin accounted for and nobody punished.
func TestMainJobSurvivesKills(t *testing.T) {
	r := run(t, binary.Path(t), 4, demo.Options{AfterSubmit: killAndRestart})
	require.NotEmpty(t, r.Tasks)
	forced := 0
	for _, task := range r.Tasks {
		if task.Forced {
			forced++
		}
		require.Equal(t, "FINAL", task.State, "task %d", task.ID)
		require.NotEmpty(t, task.Committee, "task %d", task.ID)
		require.NotContains(t, task.Committee, task.Worker, "task %d", task.ID)
	}
	t.Logf("%d of %d errors were forced", forced, len(r.Tasks))
	require.NotEmpty(t, r.Scores)
	require.Equal(t, r.Labels.Known, r.Labels.Right)
	require.Len(t, r.Rewards, 4)
	for _, x := range r.Rewards {
		require.Positive(t, x.Capacity, "%s proved no capacity", x.Participant)
	}
}

// TestLiarsLose runs every scenario: processes that lie lose their bond, those that do not lose nothing, and no lie becomes final.
func TestLiarsLose(t *testing.T) {
	bin := binary.Path(t)
	for _, s := range demo.Scenarios() {
		t.Run(s.Name, func(t *testing.T) {
			r := run(t, bin, s.Participants, demo.Options{Scenario: &s})
			lost := 0
			for _, b := range r.Bonds {
				require.Equal(t, b.Lies, b.Lost != "0")
				if b.Lies {
					lost++
				}
			}
			require.NotZero(t, lost, "nobody lied")
			if !s.Disputed() {
				for _, b := range r.Bonds {
					require.Equal(t, b.Lies, b.Capacity == 0)
				}
				return
			}
			refuted := 0
			for _, d := range r.Disputes {
				require.NotEmpty(t, d.Verdict)
				if d.Verdict != "refuted" && d.Verdict != "upheld" {
					continue
				}
				refuted++
				require.Equal(t, "matmul@1", d.Op)
				require.NotEmpty(t, d.Element)
				require.NotEqual(t, "0", d.Slashed)
				require.Positive(t, d.Rounds)
				require.Positive(t, d.Blocks)
			}
			require.NotZero(t, refuted, "the chain judged nothing")
		})
	}
}

// run runs a demo on two validators and returns its report; it fails the test where the demo does, and shows the logs.
func run(t *testing.T, bin string, participants int, o demo.Options) demo.Report {
	t.Helper()
	var progress, report bytes.Buffer
	home := t.TempDir()
	var err error
	o.Encoding, err = localnet.NewEncoding()
	require.NoError(t, err)
	o.Out, o.JSON, o.Exit, o.Timeout = &progress, &report, true, 5*time.Minute
	o.Net = localnet.Config{
		Home: home, ChainID: "poaid-e2e", Validators: 2, Participants: participants, BlockTime: 200 * time.Millisecond, Binary: bin,
	}
	err = demo.Run(t.Context(), o)
	if err != nil {
		t.Logf("progress:\n%s", progress.String())
		logs, globErr := filepath.Glob(filepath.Join(home, "logs", "*.log"))
		require.NoError(t, globErr)
		for _, name := range logs {
			bz, readErr := os.ReadFile(name)
			require.NoError(t, readErr)
			t.Logf("%s:\n%s", filepath.Base(name), bz[max(0, len(bz)-3000):])
		}
	}
	require.NoError(t, err)

	var r demo.Report
	require.NoError(t, json.Unmarshal(report.Bytes(), &r))
	return r
}

// killAndRestart ends processes as a power cut would and starts them again.
func killAndRestart(_ context.Context, n *localnet.Network) error {
	for _, victim := range []string{"participant0", "participant1", "node1"} {
		time.Sleep(400 * time.Millisecond)
		if err := n.KillAndRestart(victim, 300*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}
