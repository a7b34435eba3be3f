package cmd

import (
	cmtcli "github.com/cometbft/cometbft/libs/cli"
	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/client/debug"
	"github.com/cosmos/cosmos-sdk/client/keys"
	"github.com/cosmos/cosmos-sdk/client/pruning"
	"github.com/cosmos/cosmos-sdk/client/rpc"
	"github.com/cosmos/cosmos-sdk/client/snapshot"
	"github.com/cosmos/cosmos-sdk/server"
	authcmd "github.com/cosmos/cosmos-sdk/x/auth/client/cli"
	genutilcli "github.com/cosmos/cosmos-sdk/x/genutil/client/cli"
	"github.com/spf13/cobra"

	"poaid/app"
)

// addCommands adds what is not derived from the modules' services.
func addCommands(root *cobra.Command, a *app.App) {
	home := DefaultHome()
	root.AddCommand(
		initCmd(a.Basics(), home),
		genutilcli.Commands(a.TxConfig, a.Basics(), home),
		cmtcli.NewCompletionCmd(root, true),
		debug.Cmd(),
		pruning.Cmd(newApp, home),
		snapshot.Cmd(newApp),
		server.StatusCommand(),
		keys.Commands(),
		beaconCmd(),
		demoCmd(),
		localnetCmd(),
		queryCmd(),
		txCmd(),
		workerCmd(), verifierCmd(), challengerCmd(), artifactsCmd(), modelCmd(), receiptCmd(),
	)
	server.AddCommands(root, home, newApp, exportApp, func(*cobra.Command) {})
}

func queryCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:                        "query",
		Aliases:                    []string{"q"},
		Short:                      "Ask the chain",
		SuggestionsMinimumDistance: 2,
		RunE:                       client.ValidateCmd,
	}
	cmd.AddCommand(
		rpc.WaitTxCmd(),
		rpc.ValidatorCommand(),
		server.QueryBlockCmd(),
		server.QueryBlocksCmd(),
		server.QueryBlockResultsCmd(),
		authcmd.QueryTxsByEventsCmd(),
		authcmd.QueryTxCmd(),
		tasksQueryCmd(), trainingQueryCmd(),
	)
	return cmd
}

func txCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:                        "tx",
		Short:                      "Sign and send transactions",
		SuggestionsMinimumDistance: 2,
		RunE:                       client.ValidateCmd,
	}
	cmd.AddCommand(
		authcmd.GetSignCommand(),
		authcmd.GetSignBatchCommand(),
		authcmd.GetMultiSignCommand(),
		authcmd.GetMultiSignBatchCmd(),
		authcmd.GetValidateSignaturesCommand(),
		authcmd.GetBroadcastCommand(),
		authcmd.GetEncodeCommand(),
		authcmd.GetDecodeCommand(),
		authcmd.GetSimulateCmd(),
		tasksTxCmd(), modelsTxCmd(), gradesTxCmd(), auctionsTxCmd(), poaiTxCmd(), trainingTxCmd(),
	)
	return cmd
}
