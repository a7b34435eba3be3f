package cmd

import (
	"errors"
	"fmt"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/client/flags"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/x/feegrant"
	"github.com/spf13/cobra"

	"poaid/daemon/chain"
)

const flagPayFees = "pay-fees"

func poaiTxCmd() *cobra.Command {
	return group("poai", "Transactions of participants", grantDaemonCmd())
}

func grantDaemonCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "grant-daemon ADDRESS",
		Short: "Let a daemon's hot key act for you: just the messages that daemons send, and its fees",
		Long: `Grant the hot key ADDRESS what worker, verifier and challenger daemons send in a participant's name (seals, reveals, bids, disputes, sprints, unjail…), with
x/authz, and pay its fees with x/feegrant. The key can neither move coins nor bond. Run it again after an upgrade: a newer daemon may send more.`,
		Example: "  poaid keys add hot\n  poaid tx poai grant-daemon $(poaid keys show hot -a) --from worker\n  poaid worker start --from hot --operator $(poaid keys show worker -a)",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			clientCtx, err := client.GetClientTxContext(cmd)
			if err != nil {
				return err
			}
			node, err := dialFlags(cmd.Context(), clientCtx)
			if err != nil {
				return err
			}
			return errors.Join(grantDaemon(cmd, clientCtx, node, args[0]), node.Close())
		},
	}
	cmd.Flags().Bool(flagPayFees, true, "Pay the key's fees, without limit")
	flags.AddTxFlagsToCmd(cmd)
	return cmd
}

func grantDaemon(cmd *cobra.Command, clientCtx client.Context, node *chain.Client, hot string) error {
	pay, err := cmd.Flags().GetBool(flagPayFees)
	if err != nil {
		return err
	}
	grantee, err := sdk.AccAddressFromBech32(hot)
	if err != nil {
		return fmt.Errorf("address: %w", err)
	}
	granter := clientCtx.GetFromAddress()
	if granter.Equals(grantee) {
		return fmt.Errorf("address: %s is the key of --from itself, which needs no grant", hot)
	}
	msgs, err := chain.HotGrants(granter, grantee)
	if err != nil {
		return err
	}
	if pay {
		has, err := node.FeeAllowance(cmd.Context(), granter.String(), hot)
		if err != nil {
			return err
		}
		if !has {
			allow, err := feegrant.NewMsgGrantAllowance(&feegrant.BasicAllowance{}, granter, grantee)
			if err != nil {
				return err
			}
			msgs = append(msgs, allow)
		}
	}
	hash, _, err := sendAll(cmd, clientCtx, node, fmt.Sprintf("let %s send what daemons send", hot), msgs...)
	if errors.Is(err, errHandled) {
		return nil
	}
	if err == nil {
		fmt.Fprintf(cmd.OutOrStdout(), "%X\n", hash)
	}
	return err
}
