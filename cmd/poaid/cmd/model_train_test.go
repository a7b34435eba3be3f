package cmd

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/model/train"
)

// TestModelTrain trains by the command, twice with other threads and checkpoints, and runs what came out.
func TestModelTrain(t *testing.T) {
	dir := t.TempDir()
	home, a, b := filepath.Join(dir, "home"), filepath.Join(dir, "a"), filepath.Join(dir, "b")
	spec := filepath.Join("..", "..", "..", "model", "train", "testdata", "tiny-llama.yaml")

	_, _, err := poaid(t, home, "model", "train", spec, "--out", a, "--resume")
	require.ErrorContains(t, err, "there is no checkpoint in "+a)
	out, log, err := poaid(t, home, "model", "train", spec, "--out", a, "--threads", "1")
	require.NoError(t, err)
	require.Contains(t, out, "result root")
	require.Contains(t, log, "step 12 of 12")

	out, _, err = poaid(t, home, "model", "train", spec, "--out", b, "--threads", "2", "--checkpoint-every", "5", "--json")
	require.NoError(t, err)
	var r train.Report
	require.NoError(t, json.Unmarshal([]byte(out), &r))
	first, err := train.ReadCheckpoint(a, 12)
	require.NoError(t, err)
	require.Equal(t, first.StateRoot, r.StateRoot)
	out, _, err = poaid(t, home, "model", "train", spec, "--out", b, "--resume", "--json")
	require.NoError(t, err)
	var again train.Report
	require.NoError(t, json.Unmarshal([]byte(out), &again))
	require.Equal(t, r, again)
	_, _, err = poaid(t, home, "model", "train", spec, "--out", b)
	require.ErrorContains(t, err, "--resume")

	text, _, err := poaid(t, home, "model", "generate", a, "--prompt", "The hare", "--max-tokens", "5")
	require.NoError(t, err)
	require.Contains(t, text, "The hare")
	require.NoDirExists(t, home)
}
