// Package cmd holds the commands of poaid.
package cmd

import (
	"fmt"
	"os"
	"path/filepath"

	"cosmossdk.io/log/v2"
	cmtcfg "github.com/cometbft/cometbft/config"
	dbm "github.com/cosmos/cosmos-db"
	"github.com/cosmos/cosmos-sdk/client"
	clientconfig "github.com/cosmos/cosmos-sdk/client/config"
	"github.com/cosmos/cosmos-sdk/client/flags"
	"github.com/cosmos/cosmos-sdk/server"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"poaid/app"
	"poaid/app/params"
)

// EnvPrefix starts every environment variable that stands for a flag: POAID_HOME is --home.
const EnvPrefix = "POAID"

// FlagQuiet keeps everything but warnings and errors out of the log.
const FlagQuiet = "quiet"

// DefaultHome is the folder of the node's data and configuration.
func DefaultHome() string {
	if dir := os.Getenv(EnvPrefix + "_HOME"); dir != "" {
		return dir
	}
	dir, err := os.UserHomeDir()
	if err != nil {
		return "." + app.Name
	}
	return filepath.Join(dir, "."+app.Name)
}

// noOptions are the options of an application that is only asked for its codecs and commands.
type noOptions struct{}

// Get knows no option.
func (noOptions) Get(string) any { return nil }

// NewRootCmd builds the command tree.
func NewRootCmd() (*cobra.Command, error) {
	params.Configure()
	describe, err := app.New(log.NewNopLogger(), dbm.NewMemDB(), true, noOptions{})
	if err != nil {
		return nil, fmt.Errorf("wire application: %w", err)
	}
	clientCtx := client.Context{}.
		WithCodec(describe.Codec).
		WithInterfaceRegistry(describe.Registry).
		WithTxConfig(describe.ClientTxConfig()).
		WithLegacyAmino(describe.Amino).
		WithInput(os.Stdin).
		WithAccountRetriever(authtypes.AccountRetriever{}).
		WithHomeDir(DefaultHome()).
		WithViper(EnvPrefix)

	root := &cobra.Command{
		Use:   app.Name,
		Short: "A chain on which AI work is done, proven, scored and rewarded",
		Long: `poaid is the node, its client and the off-chain daemons of a chain on which AI work is done, proven, scored and rewarded.

Start with "poaid demo": it runs a whole network on this machine and lets it work.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			return prepare(cmd, clientCtx)
		},
	}
	root.PersistentFlags().Bool(FlagQuiet, false, "Log warnings and errors only")
	addCommands(root, describe)

	auto := describe.AutoCLIOptions()
	auto.ClientCtx = clientCtx
	if err := auto.EnhanceRootCommand(root); err != nil {
		return nil, fmt.Errorf("build commands: %w", err)
	}
	return root, nil
}

// prepare reads the configuration files, which are made with our defaults where there are none, before a command runs.
func prepare(cmd *cobra.Command, clientCtx client.Context) error {
	cmd.SetOut(cmd.OutOrStdout())
	cmd.SetErr(cmd.ErrOrStderr())
	clientCtx = clientCtx.WithCmdContext(cmd.Context())
	clientCtx, err := client.ReadPersistentCommandFlags(clientCtx, cmd.Flags())
	if err != nil {
		return err
	}
	if clientCtx, err = clientconfig.ReadFromClientConfig(clientCtx); err != nil {
		return err
	}
	if err := client.SetCmdClientContextHandler(clientCtx, cmd); err != nil {
		return err
	}
	if err := setLogLevel(cmd); err != nil {
		return err
	}
	comet := CometConfig(false)
	if err := writeCometConfig(clientCtx.HomeDir, comet); err != nil {
		return err
	}
	return server.InterceptConfigsPreRunHandler(cmd, app.ConfigTemplate, app.DefaultConfig(), comet)
}

// setLogLevel keeps the log to warnings and errors with --quiet, and for export, whose document goes where the log goes.
func setLogLevel(cmd *cobra.Command) error {
	quiet, err := cmd.Flags().GetBool(FlagQuiet)
	if err != nil {
		return err
	}
	if quiet || cmd.Name() == "export" && !cmd.Flags().Changed(flags.FlagLogLevel) {
		return cmd.Flags().Set(flags.FlagLogLevel, zerolog.WarnLevel.String())
	}
	return nil
}

// writeCometConfig writes config.toml where there is none. The SDK would, but it then overrides what equals CometBFT's own
// defaults: it turns a profiler on at a fixed port, on which a second node of the machine fails.
func writeCometConfig(home string, c *cmtcfg.Config) error {
	path := filepath.Join(home, "config", "config.toml")
	if _, err := os.Stat(path); err == nil || !os.IsNotExist(err) {
		return err
	}
	cmtcfg.EnsureRoot(home)
	cmtcfg.WriteConfigFile(path, c)
	return nil
}
