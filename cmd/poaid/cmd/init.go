package cmd

import (
	"fmt"
	"path/filepath"
	"time"

	cmtcfg "github.com/cometbft/cometbft/config"
	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/server"
	"github.com/cosmos/cosmos-sdk/types/module"
	"github.com/cosmos/cosmos-sdk/x/genutil"
	genutilcli "github.com/cosmos/cosmos-sdk/x/genutil/client/cli"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"
	"github.com/spf13/cobra"

	"poaid/app/params"
	"poaid/internal/vrfkey"
)

const flagLocal = "local"

// initCmd is the SDK's init with this chain's consensus params, and with --local for networks on one machine.
func initCmd(basics module.BasicManager, home string) *cobra.Command {
	cmd := genutilcli.InitCmd(basics, home)
	cmd.Long = `Make the keys, the genesis and the configuration files of a node below --home.

Edit config/genesis.json (or use "poaid genesis add-genesis-account, gentx, collect-gentxs") before the chain's first start.`
	cmd.Example = "poaid init my-node --chain-id poai-1 --home ./node"
	cmd.Flags().Bool(flagLocal, false, "for a network on one machine: a block every 200 ms, peers may share an address")
	sdkInit := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		local, err := cmd.Flags().GetBool(flagLocal)
		if err != nil {
			return err
		}
		config := server.GetServerContextFromCmd(cmd).Config
		if local {
			applyLocal(config)
		}
		if err := sdkInit(cmd, args); err != nil {
			return err
		}
		dir := client.GetClientContextFromCmd(cmd).HomeDir
		if _, err := vrfkey.LoadOrCreate(vrfkey.Path(dir)); err != nil {
			return err
		}
		return setConsensusParams(filepath.Join(dir, "config", "genesis.json"))
	}
	return cmd
}

func applyLocal(c *cmtcfg.Config) {
	local := CometConfig(true)
	c.Consensus.TimeoutCommit = local.Consensus.TimeoutCommit
	c.Consensus.TimeoutPropose = time.Second
	c.P2P.AddrBookStrict = local.P2P.AddrBookStrict
	c.P2P.AllowDuplicateIP = local.P2P.AllowDuplicateIP
}

func setConsensusParams(genesisFile string) error {
	g, err := genutiltypes.AppGenesisFromFile(genesisFile)
	if err != nil {
		return fmt.Errorf("read genesis: %w", err)
	}
	keyTypes := g.Consensus.Params.Validator.PubKeyTypes
	g.Consensus.Params = params.ConsensusParams()
	g.Consensus.Params.Validator.PubKeyTypes = keyTypes
	if err := genutil.ExportGenesisFile(g, genesisFile); err != nil {
		return fmt.Errorf("write genesis: %w", err)
	}
	return nil
}
