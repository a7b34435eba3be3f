package cmd

import (
	"time"

	cmtcfg "github.com/cometbft/cometbft/config"
)

// CometConfig is the default config.toml. Local networks, whose nodes share one machine, make a block every 200 ms; others
// leave a second for the votes to travel.
func CometConfig(local bool) *cmtcfg.Config {
	c := cmtcfg.DefaultConfig()
	c.Consensus.TimeoutCommit = time.Second
	if local {
		c.Consensus.TimeoutCommit = 200 * time.Millisecond
		c.P2P.AddrBookStrict = false
		c.P2P.AllowDuplicateIP = true
	}
	c.RPC.PprofListenAddress = ""
	return c
}
