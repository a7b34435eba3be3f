package cmd

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestCommandsBuild: every command and flag can be there beside the others, and what is asked for by hand most is there.
func TestCommandsBuild(t *testing.T) {
	root, err := NewRootCmd()
	require.NoError(t, err)
	for _, path := range [][]string{
		{"receipt", "export"},
		{"receipt", "verify"},
		{"receipt", "trust"},
		{"query", "tasks", "coins"},
		{"query", "tasks", "task"},
		{"query", "tasks", "price"},
		{"query", "tasks", "estimate"},
		{"tx", "tasks", "submit"},
		{"tx", "tasks", "cancel"},
		{"tx", "auctions", "bid"},
		{"tx", "auctions", "seal"},
		{"tx", "auctions", "reveal"},
		{"tx", "auctions", "withdraw"},
		{"tx", "poai", "join"},
		{"tx", "poai", "grant-daemon"},
		{"tx", "training", "create"},
		{"tx", "training", "create-job"},
		{"query", "training", "job"},
		{"query", "training", "watch"},
		{"worker", "start"},
		{"start"},
		{"localnet"},
	} {
		cmd, rest, err := root.Find(path)
		require.NoError(t, err)
		require.Empty(t, rest, "%v", path)
		require.Equal(t, path[len(path)-1], cmd.Name())
	}
}
