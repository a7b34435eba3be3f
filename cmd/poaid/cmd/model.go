package cmd

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"poaid/model/runner"
	modelstypes "poaid/x/models/types"
)

const (
	flagOut        = "out"
	flagName       = "name"
	flagWeights    = "weights"
	flagStep       = "step"
	flagMaxMemory  = "max-memory"
	flagInputsFile = "inputs"
	mebibyte       = 1 << 20
)

func modelCmd() *cobra.Command {
	cmd := group("model", "Run models on this machine, without a chain",
		modelImportCmd(), modelInspectCmd(), modelRunCmd(), modelGenerateCmd(), modelTrainCmd(), modelQuantiseCmd(), modelVerifyCmd())
	cmd.Long = `Run models on this machine, without a chain: the same programs, the same bits and the same roots as on one.

MODEL is a folder with a model package, a model that ships with poaid ("zoo:story", "zoo:digits"), or a graph file that you wrote by hand
(.json or .textproto of poai.engine.v1.Program, see docs/examples/graphs; .pb for its encoding).`
	// It hides the root's, which would make the node's configuration files: models need no home.
	cmd.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		cmd.SetOut(cmd.OutOrStdout())
		cmd.SetErr(cmd.ErrOrStderr())
		return nil
	}
	return cmd
}

func modelInspectCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "inspect MODEL",
		Short: "Show a model: sizes, roots, and every node of its graphs with its shape and cost",
		Long: `Show a model: sizes, roots, and every node of its graphs with its shape and cost. Units are those of the chain's default params, of
the step --step; shapes that grow from step to step are functions of the step t.`,
		Example: "  poaid model inspect zoo:digits\n  poaid model inspect docs/examples/graphs/softmax.json --json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			v := flagReader{set: cmd}
			weights, step, asJSON := v.text(flagWeights), v.unsigned(flagStep), v.is(flagJSONOut)
			if v.err != nil {
				return v.err
			}
			m, err := runner.Open(args[0], weights)
			if err != nil {
				return err
			}
			info, err := m.Inspect(modelstypes.DefaultParams().Cost(), step)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd, info)
			}
			return info.Write(cmd.OutOrStdout())
		},
	}
	addWeightsFlag(cmd)
	cmd.Flags().Uint64(flagStep, 0, "Step to price the nodes at")
	cmd.Flags().Bool(flagJSONOut, false, "Print JSON")
	return cmd
}

func addWeightsFlag(cmd *cobra.Command) {
	cmd.Flags().String(flagWeights, "", "Safetensors file with the weights of a graph file")
}

// addRunFlags adds the flags of everything that runs a model.
func addRunFlags(cmd *cobra.Command) {
	addWeightsFlag(cmd)
	cmd.Flags().Int(flagThreads, 0, "Threads (default: one per processor); the result is the same")
	cmd.Flags().Uint64(flagMaxMemory, 0, "MiB that states and results may take (default: 512, and 16 times the weights and inputs)")
}

// runOptions reads them. The bar, which the caller must end, is drawn only where standard error is a terminal.
func runOptions(cmd *cobra.Command, v *flagReader) (runner.Options, func()) {
	o := runner.Options{Threads: v.number(flagThreads)}
	mem := v.unsigned(flagMaxMemory)
	if o.Threads < 0 || mem > 1<<40 {
		if v.err == nil {
			v.err = fmt.Errorf("--%s: %d, want 0 or more; --%s: %d, want at most 2^40", flagThreads, o.Threads, flagMaxMemory, mem)
		}
		return o, func() {}
	}
	o.MaxMemory = mem * mebibyte
	if f, ok := cmd.ErrOrStderr().(*os.File); ok && term.IsTerminal(int(f.Fd())) { // #nosec G115 -- a file descriptor
		bar := runner.NewBar(f)
		o.Progress = bar.Step
		return o, bar.Done
	}
	return o, func() {}
}

// untilInterrupt gives a context that Ctrl-C ends.
func untilInterrupt(cmd *cobra.Command) (context.Context, context.CancelFunc) {
	ctx := cmd.Context()
	if ctx == nil {
		ctx = context.Background()
	}
	return signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
}

// needFlags lets cobra refuse the command where one of the flags is missing.
func needFlags(cmd *cobra.Command, names ...string) {
	for _, name := range names {
		if err := cmd.MarkFlagRequired(name); err != nil { // only for a flag that does not exist
			panic(err)
		}
	}
}

func printJSON(cmd *cobra.Command, v any) error {
	enc := json.NewEncoder(cmd.OutOrStdout())
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
