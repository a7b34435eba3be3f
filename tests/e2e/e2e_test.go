// Package e2e runs the main job on real processes.
package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"poaid/demo"
	"poaid/localnet"
)

// binary returns the poaid executable: $POAID_BIN, or a fresh build.
func binary(t *testing.T) string {
	t.Helper()
	if bin := os.Getenv("POAID_BIN"); bin != "" {
		abs, err := filepath.Abs(bin)
		require.NoError(t, err)
		return abs
	}
	bin := filepath.Join(t.TempDir(), "poaid")
	out, err := exec.Command("go", "build", "-o", bin, "poaid/cmd/poaid").CombinedOutput()
	require.NoError(t, err, string(out))
	return bin
}

// TestMainJobSurvivesKills runs the main job on two validators and four participants, and kills two participants and
// one validator with SIGKILL while tasks are under way. They come back, and every task must end FINAL and right, with
// every coin accounted for and nobody punished.
func TestMainJobSurvivesKills(t *testing.T) {
	if testing.Short() {
		t.Skip("runs processes for a minute")
	}
	enc, err := localnet.NewEncoding()
	require.NoError(t, err)
	var progress, report bytes.Buffer
	home := t.TempDir()
	err = demo.Run(t.Context(), demo.Options{
		Net: localnet.Config{
			Home: home, ChainID: "poaid-e2e", Validators: 2, Participants: 4,
			BlockTime: 200 * time.Millisecond, Binary: binary(t),
		},
		Encoding: enc, Out: &progress, JSON: &report, Exit: true, Timeout: 5 * time.Minute,
		AfterSubmit: killAndRestart,
	})
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
	require.NotEmpty(t, r.Tasks)
	for _, task := range r.Tasks {
		require.Equal(t, "FINAL", task.State, "task %d", task.ID)
		require.NotEmpty(t, task.Committee, "task %d", task.ID)
		require.NotContains(t, task.Committee, task.Worker, "task %d", task.ID)
	}
	require.NotEmpty(t, r.Scores)
	require.Equal(t, r.Labels.Known, r.Labels.Right)
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
