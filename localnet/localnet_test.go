package localnet

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func config(home string) Config {
	return Config{Home: home, ChainID: "local", Validators: 2, Participants: 2, BlockTime: time.Second, Binary: "/bin/true"}
}

func TestConfigNamesTheField(t *testing.T) {
	for field, change := range map[string]func(*Config){
		"home":         func(c *Config) { c.Home = "" },
		"chain-id":     func(c *Config) { c.ChainID = "" },
		"validators":   func(c *Config) { c.Validators = MaxValidators + 1 },
		"participants": func(c *Config) { c.Participants = -1 },
		"block-time":   func(c *Config) { c.BlockTime = 0 },
		"base-port":    func(c *Config) { c.BasePort = 70000 },
	} {
		c := config("x")
		require.NoError(t, c.Validate())
		change(&c)
		require.ErrorContains(t, c.Validate(), field+":")
	}
}

func TestBuildLaysOutAWholeNetwork(t *testing.T) {
	enc, err := NewEncoding()
	require.NoError(t, err)
	home := filepath.Join(t.TempDir(), "net")
	l, err := Build(config(home), enc)
	require.NoError(t, err)

	again, err := Load(home)
	require.NoError(t, err)
	require.Equal(t, l, again)

	first, err := os.ReadFile(filepath.Join(home, "node0", "config", "genesis.json"))
	require.NoError(t, err)
	second, err := os.ReadFile(filepath.Join(home, "node1", "config", "genesis.json"))
	require.NoError(t, err)
	require.Equal(t, first, second, "all nodes start from the same genesis")

	var genesis struct {
		AppState struct {
			Bank struct {
				Balances []struct {
					Coins []struct{ Amount json.Number }
				}
			}
			Genutil struct {
				GenTxs []json.RawMessage `json:"gen_txs"`
			}
		} `json:"app_state"`
	}
	require.NoError(t, json.Unmarshal(first, &genesis))
	require.Len(t, genesis.AppState.Genutil.GenTxs, 2)
	require.Len(t, genesis.AppState.Bank.Balances, 2+2+2) // owner and alice, operators, validators

	seen := map[string]bool{}
	for _, n := range l.Nodes {
		for _, a := range []string{n.RPC, n.P2P, n.GRPC, n.API} {
			require.False(t, seen[a], "address %s is given out twice", a)
			seen[a] = true
		}
	}
	_, err = l.Address("nobody")
	require.ErrorContains(t, err, "nobody")

	_, err = Build(config(home), enc)
	require.NoError(t, err, "an earlier local network may be wiped")
}

func TestBuildWipesNothingElse(t *testing.T) {
	home := t.TempDir()
	precious := filepath.Join(home, "thesis.txt")
	require.NoError(t, os.WriteFile(precious, []byte("years of work"), 0o600))
	_, err := Build(config(home), Encoding{})
	require.ErrorContains(t, err, "is not a local network")
	require.FileExists(t, precious)
}

func TestBasePortIsRefusedWhenTaken(t *testing.T) {
	first := ports{}
	addr, err := first.take()
	require.NoError(t, err)
	defer first.release()
	_, port, err := net.SplitHostPort(addr)
	require.NoError(t, err)
	taken, err := strconv.Atoi(port)
	require.NoError(t, err)
	second := ports{next: taken}
	_, err = second.take()
	require.ErrorContains(t, err, "base-port")
}

// sleeper is a network whose only process is a shell that sleeps.
func sleeper(t *testing.T, seconds string) (*Network, *Process) {
	t.Helper()
	n := NewNetwork(&Layout{Config: Config{Home: t.TempDir(), Binary: "/bin/sleep"}})
	p, err := n.start("sleeper", seconds)
	require.NoError(t, err)
	return n, p
}

func TestWatchReportsAProcessThatEnds(t *testing.T) {
	n, _ := sleeper(t, "0.05")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	require.ErrorContains(t, n.Watch(ctx), "sleeper ended")
}

func TestKilledProcessComesBackUnreported(t *testing.T) {
	n, first := sleeper(t, "60")
	require.NoError(t, n.KillAndRestart("sleeper", 0))
	<-first.Done()
	require.Len(t, n.processes, 1)
	require.NotEqual(t, first.PID(), n.processes[0].PID())
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	require.NoError(t, n.Watch(ctx))
	second := n.processes[0]
	require.NoError(t, n.Stop())
	<-second.Done()
	require.ErrorContains(t, n.KillAndRestart("sleeper", 0), "no process")
}
