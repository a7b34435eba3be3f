package cmd

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	svrcmd "github.com/cosmos/cosmos-sdk/server/cmd"
	"github.com/stretchr/testify/require"

	"poaid/model/runner"
	"poaid/model/zoo"
)

// poaid runs a command as main does, with a home that is not there.
func poaid(t *testing.T, home string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	root, err := NewRootCmd()
	require.NoError(t, err)
	var out, errs bytes.Buffer
	root.SetOut(&out)
	root.SetErr(&errs)
	root.SetArgs(args)
	err = svrcmd.Execute(root, EnvPrefix, home)
	return out.String(), errs.String(), err
}

// TestModelCommands goes through the commands once, as somebody does who has no chain: nothing may appear in the home.
func TestModelCommands(t *testing.T) {
	dir := t.TempDir()
	home := filepath.Join(dir, "home")
	samples, err := zoo.Samples()
	require.NoError(t, err)
	png := filepath.Join(dir, "3.png")
	require.NoError(t, os.WriteFile(png, samples[3].PNG, 0o600))

	out, _, err := poaid(t, home, "model", "inspect", "zoo:digits")
	require.NoError(t, err)
	require.Contains(t, out, "conv2d@1")

	outs := filepath.Join(dir, "out")
	out, _, err = poaid(t, home, "model", "run", "zoo:digits", "--image", png, "--out", outs, "--threads", "1")
	require.NoError(t, err)
	require.Regexp(t, `label +i64 +\[1\] +[0-9a-f]{64} +3\n`, out)
	require.FileExists(t, filepath.Join(outs, "label.npy"))

	out, _, err = poaid(t, home, "model", "run", "zoo:digits", "--image", png, "--json")
	require.NoError(t, err)
	var r runner.Receipt
	require.NoError(t, json.Unmarshal([]byte(out), &r))
	receipt := filepath.Join(dir, "r.json")
	require.NoError(t, os.WriteFile(receipt, []byte(out), 0o600))
	out, _, err = poaid(t, home, "model", "verify", "zoo:digits", receipt)
	require.NoError(t, err)
	require.Contains(t, out, r.ResultRoot.String())

	lie := strings.Replace(r.StateRoot.String(), r.StateRoot.String()[:4], "ffff", 1)
	raw, err := os.ReadFile(receipt)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(receipt, bytes.Replace(raw, []byte(`"state_root": "`+r.StateRoot.String()), []byte(`"state_root": "`+lie), 1), 0o600))
	out, _, err = poaid(t, home, "model", "verify", "zoo:digits", receipt)
	require.ErrorIs(t, err, runner.ErrDiffers)
	require.Equal(t, "state_root differs\n  claimed  "+lie+"\n  got      "+r.StateRoot.String()+"\n", out)

	out, stats, err := poaid(t, home, "model", "generate", "zoo:story", "--prompt", "Once upon a time", "--max-tokens", "8")
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(out, "Once upon a time "), out)
	require.Contains(t, stats, "tokens/s")
	require.NoDirExists(t, home)
}

func TestModelCommandsRefuse(t *testing.T) {
	home := filepath.Join(t.TempDir(), "home")
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"model", "import"}, "required flag"},
		{[]string{"model", "run", "zoo:digits", "--threads", "-1"}, "--threads: -1"},
		{[]string{"model", "run", "zoo:digits"}, "pixels: missing"},
		{[]string{"model", "generate", "zoo:digits", "--prompt", "x"}, "does not generate text"},
		{[]string{"model", "inspect", "zoo:digits", "--step", "1"}, "step: 1, want 0 to 0"},
		{[]string{"model", "verify", "zoo:digits", "none.json"}, "none.json"},
	} {
		_, _, err := poaid(t, home, c.args...)
		require.ErrorContains(t, err, c.want, "%v", c.args)
	}
	require.NoDirExists(t, home)
}
