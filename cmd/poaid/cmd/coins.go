package cmd

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/client/flags"
	"github.com/spf13/cobra"

	"poaid/daemon/submit"
	taskstypes "poaid/x/tasks/types"
)

func tasksQueryCmd() *cobra.Command {
	return group("tasks", "Querying commands for the tasks module", coinsCmd())
}

func coinsCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "coins [id]",
		Short: "Show where every coin of a task is or went",
		Long: `Show where every coin of a task is or went: worker, tip, runners, royalty, audit pot, jackpot, burn or community pool, refund. Together they are what
the submitter put in escrow. Members of a committee are paid from the audit pot, and prizes from the jackpot: both are listed too, and are no part of that sum.
Bonds that were slashed are no coins of the task.`,
		Example: "  poaid query tasks coins 2013265920\n  poaid query tasks coins 2013265920 --output json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := taskID(args[0])
			if err != nil {
				return err
			}
			clientCtx, err := client.GetClientQueryContext(cmd)
			if err != nil {
				return err
			}
			res, err := taskstypes.NewQueryClient(clientCtx).Coins(cmd.Context(), &taskstypes.QueryCoinsRequest{Id: id})
			if err != nil {
				return err
			}
			if clientCtx.OutputFormat == flags.OutputFormatJSON {
				return clientCtx.PrintProto(res)
			}
			return printCoins(cmd.OutOrStdout(), id, res)
		},
	}
	flags.AddQueryFlagsToCmd(cmd)
	return cmd
}

func taskID(s string) (uint64, error) {
	id, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("id: %q is no task id", s)
	}
	return id, nil
}

func printCoins(out io.Writer, id uint64, res *taskstypes.QueryCoinsResponse) error {
	fmt.Fprintf(out, "task %d is %s; %s were put in escrow\n\n", id, submit.StateName(res.State), res.Paid)
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "PURPOSE\tAMOUNT\tRECIPIENT")
	if !res.Held.IsZero() {
		fmt.Fprintf(w, "in escrow\t%s\t\n", res.Held)
	}
	for _, f := range res.Flows {
		fmt.Fprintf(w, "%s\t%s%s\t%s\n", purposeName(f.Purpose), f.Amount, res.Paid.Denom, f.Recipient)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if !res.FromPots.IsZero() {
		fmt.Fprintf(out, "\nverifiers and prizes, %s in all, were paid from the audit pot and the jackpot, which all fees pay into\n", res.FromPots)
	}
	return nil
}

// purposeName is a purpose as people read it.
func purposeName(p taskstypes.Purpose) string {
	return strings.ToLower(strings.TrimPrefix(p.String(), "PURPOSE_"))
}
