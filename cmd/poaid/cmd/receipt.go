package cmd

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	cmtmath "github.com/cometbft/cometbft/libs/math"
	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/client/flags"
	"github.com/spf13/cobra"

	"poaid/receipt"
)

const (
	flagContent    = "content"
	flagTrusted    = "validators"
	flagHeaderHash = "header-hash"
	flagTrustLevel = "trust-level"
	flagPeriod     = "trusting-period"
	flagHeight     = "height"
)

// trustingPeriod is how far a header may lie from the time its trusted validators were read at: well within the time in which bonds can be taken out.
const trustingPeriod = 14 * 24 * time.Hour

func receiptCmd() *cobra.Command {
	return group("receipt", "Prove without the chain what came from which model", receiptExportCmd(), receiptVerifyCmd(), receiptTrustCmd())
}

func receiptExportCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "export ID",
		Short: "Write the receipt of a final task with all that proves it",
		Long: `Write the receipt of a final task with all that proves it: the record and its ICS23 proof, the header that covers it with the signatures of
its validators, the outputs, and the records that turn them into labels and text. Whoever gets the file can check it with poaid receipt verify.`,
		Example: "  poaid receipt export 2013265920 --out receipt.json --node tcp://127.0.0.1:26657",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := taskID(args[0])
			if err != nil {
				return err
			}
			return fromNode(cmd, func(ctx context.Context, node receipt.Source) ([]byte, error) {
				b, err := receipt.Export(ctx, node, id)
				if err != nil {
					return nil, err
				}
				return b.Encode()
			})
		},
	}
	addNodeFlags(cmd)
	return cmd
}

func receiptTrustCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "trust",
		Short: "Write down the validators of a node that you trust",
		Long: `Write down the validators of a node that you trust, your own at best. Receipts are checked against this file: the node is believed once, and the
file can be compared with others by its hash.`,
		Example: "  poaid receipt trust --out validators.json --node tcp://127.0.0.1:26657",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			height, err := cmd.Flags().GetInt64(flagHeight)
			if err != nil {
				return err
			}
			return fromNode(cmd, func(ctx context.Context, node receipt.Source) ([]byte, error) {
				f, err := receipt.ReadValidators(ctx, node, height)
				if err != nil {
					return nil, err
				}
				return f.Encode()
			})
		},
	}
	addNodeFlags(cmd)
	cmd.Flags().Int64(flagHeight, 0, "Height of the set (default: the newest)")
	return cmd
}

func addNodeFlags(cmd *cobra.Command) {
	cmd.Flags().String(flags.FlagNode, "tcp://localhost:26657", "RPC address of a node")
	cmd.Flags().String(flagOut, "", "File to write (default: standard output)")
}

// fromNode makes a document with a node's help and writes it.
func fromNode(cmd *cobra.Command, build func(context.Context, receipt.Source) ([]byte, error)) (err error) {
	out, err := cmd.Flags().GetString(flagOut)
	if err != nil {
		return err
	}
	clientCtx, err := client.GetClientQueryContext(cmd)
	if err != nil {
		return err
	}
	node, err := dialFlags(cmd.Context(), clientCtx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, node.Close()) }()
	bz, err := build(cmd.Context(), node)
	if err != nil {
		return err
	}
	if out == "" {
		_, err = fmt.Fprintln(cmd.OutOrStdout(), string(bz))
		return err
	}
	return os.WriteFile(out, append(bz, '\n'), 0o644)
}

func receiptVerifyCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify FILE",
		Short: "Check a receipt without the chain, and that some content came from its model",
		Long: `Check a receipt that poaid receipt export wrote, without a node and without a network: that more than two thirds of the power in --validators signed
the header, that the record is under the header's app hash, that the outputs are those of the record, and that --content is one of them: the raw
bytes of a tensor, or the label or text it stands for. The exit status is 1 where anything does not hold, and what it is is said.

Without --content it says what the receipt proves. --header-hash trusts a header instead of, or besides, validators.`,
		Example: `  poaid receipt trust --out validators.json                        # once, from a node you trust
  poaid receipt verify receipt.json --content story.txt --validators validators.json`,
		Args: cobra.ExactArgs(1),
		RunE: runReceiptVerify,
	}
	f := cmd.Flags()
	f.String(flagContent, "", "File with what is said to have come out")
	f.String(flagTrusted, "", "File with the validators that you trust, from poaid receipt trust")
	f.String(flagHeaderHash, "", "Hash of the header that you trust, in hex; needs --chain-id where no --validators are given")
	f.String(flags.FlagChainID, "", "Chain that is meant (default: that of --validators)")
	f.String(flagTrustLevel, "2/3", "Part of the trusted power that must have signed, at least 1/3")
	f.Duration(flagPeriod, trustingPeriod, "How far the header's time may be from that of --validators; 0: any")
	f.Bool(flagJSONOut, false, "Print JSON")
	return cmd
}

func runReceiptVerify(cmd *cobra.Command, args []string) error {
	v := flagReader{set: cmd}
	contentFile, asJSON := v.text(flagContent), v.is(flagJSONOut)
	if v.err != nil {
		return v.err
	}
	trust, err := readTrust(cmd)
	if err != nil {
		return err
	}
	data, err := readAtMost(args[0], receipt.MaxBundleBytes)
	if err != nil {
		return err
	}
	b, err := receipt.Parse(data)
	if err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	var content []byte
	if contentFile != "" {
		if content, err = os.ReadFile(contentFile); err != nil {
			return err
		}
		if content == nil {
			content = []byte{}
		}
	}
	s, err := receipt.Verify(b, trust, content)
	if err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	if asJSON {
		return printJSON(cmd, statementJSON(s))
	}
	return printStatement(cmd.OutOrStdout(), s, contentFile)
}

// readTrust reads what is trusted from the flags.
func readTrust(cmd *cobra.Command) (receipt.Trust, error) {
	v := flagReader{set: cmd}
	file, hash, chain, level := v.text(flagTrusted), v.text(flagHeaderHash), v.text(flags.FlagChainID), v.text(flagTrustLevel)
	period := read(&v, cmd.Flags().GetDuration, flagPeriod)
	if v.err != nil {
		return receipt.Trust{}, v.err
	}
	trust := receipt.Trust{ChainID: chain}
	if file != "" {
		data, err := readAtMost(file, receipt.MaxBundleBytes)
		if err != nil {
			return trust, err
		}
		f, err := receipt.ParseValidators(data)
		if err != nil {
			return trust, fmt.Errorf("%s: %w", file, err)
		}
		if trust, err = f.Trust(period); err != nil {
			return trust, fmt.Errorf("%s: %w", file, err)
		}
		if chain != "" && chain != trust.ChainID {
			return trust, fmt.Errorf("%s: %w: %s, want %s", file, receipt.ErrChain, trust.ChainID, chain)
		}
	}
	var err error
	if trust.Level, err = cmtmath.ParseFraction(level); err != nil {
		return trust, fmt.Errorf("--%s: %w", flagTrustLevel, err)
	}
	if trust.HeaderHash, err = hex.DecodeString(hash); err != nil {
		return trust, fmt.Errorf("--%s: %w", flagHeaderHash, err)
	}
	return trust, nil
}

func readAtMost(name string, limit int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return data, nil
}

func statementJSON(s *receipt.Statement) map[string]any {
	r := s.Receipt
	out := map[string]any{
		"task": fmt.Sprint(r.TaskId), "model": r.Model, "program_hash": hex.EncodeToString(r.ProgramHash), "weights_root": hex.EncodeToString(r.WeightsRoot),
		"input_root": hex.EncodeToString(r.InputRoot), "output_root": hex.EncodeToString(r.OutputRoot), "result_root": hex.EncodeToString(r.ResultRoot),
		"steps": r.Steps, "start_step": r.StartStep, "start_root": hex.EncodeToString(r.StartRoot), "worker": r.Worker, "height": r.Height, "header_height": s.Height, "header_time": s.Time.Format(time.RFC3339),
		"header_hash": hex.EncodeToString(s.HeaderHash), "signed_power": s.SignedPower, "trusted_power": s.TrustedPower, "outputs": s.Outputs,
	}
	if s.Match != nil {
		out["content"] = map[string]string{"output": s.Match.Output, "as": s.Match.How}
	}
	return out
}

func printStatement(out io.Writer, s *receipt.Statement, content string) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	r := s.Receipt
	if s.Match != nil {
		fmt.Fprintf(out, "%s is the output %q of task %d, made by model %s\n\n", content, s.Match.Output, r.TaskId, r.Model)
	} else {
		fmt.Fprintf(out, "task %d ran model %s\n\n", r.TaskId, r.Model)
	}
	fmt.Fprintf(w, "program\t%x\nweights\t%x\ninput root\t%x\noutput root\t%x\nresult root\t%x\n", r.ProgramHash, r.WeightsRoot, r.InputRoot, r.OutputRoot, r.ResultRoot)
	if r.StartStep > 0 {
		fmt.Fprintf(w, "segment\tfrom step %d, state root %x\n", r.StartStep, r.StartRoot)
	}
	fmt.Fprintf(w, "steps\t%d\nworker\t%s\nfinal at\t%d\n", r.Steps, r.Worker, r.Height)
	fmt.Fprintf(w, "proven by\theader %X of height %d, %s\n", s.HeaderHash, s.Height, s.Time.Format(time.RFC3339))
	if s.TrustedPower > 0 {
		fmt.Fprintf(w, "signed by\t%d of %d of the trusted power\n", s.SignedPower, s.TrustedPower)
	}
	for _, o := range s.Outputs {
		if o.Text != "" {
			fmt.Fprintf(w, "output %s\t%s\n", o.Name, o.Text)
		} else {
			fmt.Fprintf(w, "output %s\t%d values\n", o.Name, len(o.Values))
		}
	}
	return w.Flush()
}
