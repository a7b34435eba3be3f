package cmd

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/engine"
	"poaid/model/npy"
)

// TestModelQuantise quantises both models of the zoo, runs what comes out, and gives samples of its own.
func TestModelQuantise(t *testing.T) {
	dir := t.TempDir()
	home, digits, story := filepath.Join(dir, "home"), filepath.Join(dir, "digits8"), filepath.Join(dir, "story8")
	out, _, err := poaid(t, home, "model", "quantise", "zoo:digits", "--out", digits, "--threads", "1")
	require.NoError(t, err)
	require.Regexp(t, `accuracy +99\.\d\d %, was 99\.11 %, of 450 samples`, out)
	require.Regexp(t, `weights +15008 bytes, were 54824`, out)
	out, _, err = poaid(t, home, "model", "inspect", digits)
	require.NoError(t, err)
	require.Contains(t, out, "requantise@1")

	text := filepath.Join(dir, "text.txt")
	require.NoError(t, os.WriteFile(text, []byte("There was once a king who had a daughter."), 0o600))
	out, _, err = poaid(t, home, "model", "quantise", "zoo:story", "--out", story, "--text", text, "--json")
	require.NoError(t, err)
	var r quantised
	require.NoError(t, json.Unmarshal([]byte(out), &r))
	require.Equal(t, "dynamic", r.Weights.Method)
	require.InDelta(t, r.Text.Before, r.Text.After, 0.05)
	out, _, err = poaid(t, home, "model", "generate", story, "--prompt", "Once upon a time", "--max-tokens", "5")
	require.NoError(t, err)
	require.Contains(t, out, "Once upon a time")

	// What is int8 already has nothing left.
	out, _, err = poaid(t, home, "model", "quantise", story, "--out", filepath.Join(dir, "again"))
	require.ErrorContains(t, err, "no weight of 1024 elements or more", out)

	pixels, err := engine.FromU8(make([]uint8, 3*64), 3, 8, 8)
	require.NoError(t, err)
	x := filepath.Join(dir, "x.npy")
	require.NoError(t, npy.WriteFile(x, pixels))
	labels, err := engine.FromI64([]int64{0, 1, 2}, 3)
	require.NoError(t, err)
	y := filepath.Join(dir, "y.npy")
	require.NoError(t, npy.WriteFile(y, labels))
	out, _, err = poaid(t, home, "model", "quantise", "zoo:digits", "--out", filepath.Join(dir, "own"),
		"--calibrate", "pixels="+x, "--test", "pixels="+x, "--labels", y)
	require.NoError(t, err)
	require.Regexp(t, `of 3 samples`, out)

	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"there already": {[]string{"zoo:story", "--out", story}, "holds a model already"},
		"input":         {[]string{"zoo:digits", "--calibrate", "x=" + x}, `no input "x"`},
		"form":          {[]string{"zoo:digits", "--calibrate", x}, "want NAME=FILE.npy"},
		"shape":         {[]string{"zoo:digits", "--calibrate", "pixels=" + y}, "holds DTYPE_I64, want DTYPE_U8"},
		"labels":        {[]string{"zoo:digits", "--calibrate", "pixels=" + x, "--labels", y}, "want 0 integers"},
		"text":          {[]string{"zoo:digits", "--text", text}, "no tokenizer"},
		"threads":       {[]string{"zoo:digits", "--threads", "-1"}, "--threads: -1"},
		"model":         {[]string{"zoo:cats"}, "is not in the zoo"},
	} {
		args := append([]string{"model", "quantise"}, c.args...)
		if name != "there already" {
			args = append(args, "--out", filepath.Join(dir, "none"))
		}
		_, _, err := poaid(t, home, args...)
		require.ErrorContains(t, err, c.want, name)
		require.NoDirExists(t, filepath.Join(dir, "none"))
	}
	require.NoDirExists(t, home)
}
