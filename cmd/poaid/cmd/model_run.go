package cmd

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"poaid/engine"
	"poaid/model/inputs"
	"poaid/model/runner"
)

const inputHelp = "An input: name=FILE.npy, name=JSON, name=@FILE.json, name=@FILE (raw bytes)"

func modelRunCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "run MODEL",
		Short: "Run a model: inputs from files, outputs to .npy files and their roots",
		Long: `Run a model: inputs from .npy files or JSON, each output to NAME.npy in the folder --out, and the roots that a task with the same
inputs and steps comes to on a chain. --json prints a receipt that "poaid model verify" takes.`,
		Example: `  poaid model run zoo:digits --image 7.png --out out
  poaid model run docs/examples/graphs/matmul.textproto --input a=a.npy --input b=b.npy --out out
  poaid model run DIR --input x=x.npy --steps 100 --out out --json > receipt.json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			v := flagReader{set: cmd}
			out, asJSON := v.text(flagOut), v.is(flagJSONOut)
			weights, want := v.text(flagWeights), wantsOf(&v)
			o, done := runOptions(cmd, &v)
			defer done()
			if v.err != nil {
				return v.err
			}
			m, err := runner.Open(args[0], weights)
			if err != nil {
				return err
			}
			b, err := inputs.Build(m.Program.Proto(), m.Tokenizer, want)
			if err != nil {
				return err
			}
			ctx, stop := untilInterrupt(cmd)
			defer stop()
			res, receipt, err := m.Execute(ctx, b, o)
			done()
			if err != nil {
				return err
			}
			if out != "" {
				if err := runner.WriteOutputs(out, res, receipt); err != nil {
					return err
				}
			}
			if asJSON {
				return printJSON(cmd, receipt)
			}
			return printRun(cmd, m, res, receipt)
		},
	}
	f := cmd.Flags()
	addWantsFlags(cmd)
	f.Uint64(flagSteps, 0, "Steps of the run (default: from the prompt and --max-tokens, otherwise 1)")
	f.String(flagOut, "", "Folder for the outputs (default: none is written)")
	f.Bool(flagJSONOut, false, "Print a receipt as JSON")
	addRunFlags(cmd)
	return cmd
}

// addWantsFlags adds what wantsOf reads, but for the number of steps.
func addWantsFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArray(flagInput, nil, inputHelp)
	f.String(flagImage, "", "PNG file for the input \"pixels\"")
	f.String(flagPrompt, "", "Text for the input \"prompt\"")
	f.Uint64(flagMaxTokens, 64, "Tokens to generate after the prompt")
	f.Float64(flagTemperature, 0, "Sampling temperature; 0 takes the likeliest token")
	f.Int32(flagTopK, 0, "Sample among the k likeliest tokens; 0: all")
	f.Float64(flagTopP, 1, "Sample among the likeliest tokens of this probability mass; 1: all")
	f.Int64(flagSeed, 0, "Seed of the sampling")
}

func printRun(cmd *cobra.Command, m *runner.Model, res *engine.Result, r *runner.Receipt) error {
	t := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "OUTPUT\tDTYPE\tSHAPE\tROOT\tVALUE")
	for _, o := range r.Outputs {
		fmt.Fprintf(t, "%s\t%s\t%v\t%s\t%s\n", o.Name, o.DType, o.Shape, o.Root, m.Show(res, o.Name))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(t, "\nsteps\t%d, of which %d computed\n", r.Steps, r.StepsDone)
	fmt.Fprintf(t, "input root\t%s\nstate root\t%s\noutput root\t%s\nresult root\t%s\n", r.InputRoot, r.StateRoot, r.OutputRoot, r.ResultRoot)
	for _, o := range r.Outputs {
		if o.File != "" {
			fmt.Fprintf(t, "written\t%s\n", o.File)
		}
	}
	return t.Flush()
}

func modelGenerateCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "generate MODEL",
		Short: "Write text: the tokens as they come, on standard output",
		Long: `Write text: the prompt and what the model goes on with, token by token, on standard output; speed and the result root, which a task
with the same prompt, seed and --max-tokens comes to on a chain, on standard error.`,
		Example: `  poaid model generate zoo:story --prompt "Once upon a time" --max-tokens 100
  poaid model generate zoo:story --prompt "The fox said" --temperature 0.7 --seed 3`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			v := flagReader{set: cmd}
			want := wantsOf(&v)
			o, done := runOptions(cmd, &v)
			done() // the text itself is the progress
			o.Progress = nil
			if v.err != nil {
				return v.err
			}
			m, err := runner.Open(args[0], "")
			if err != nil {
				return err
			}
			b, err := m.Prompt(want)
			if err != nil {
				return err
			}
			ctx, stop := untilInterrupt(cmd)
			defer stop()
			fmt.Fprint(cmd.OutOrStdout(), want.Prompt)
			s, err := m.Generate(ctx, b, cmd.OutOrStdout(), o)
			fmt.Fprintln(cmd.OutOrStdout())
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "\n%d tokens read in %.2f s, %d written in %.2f s: %.1f tokens/s\nresult root %s of %d steps\n",
				s.PromptTokens, s.Prompt.Seconds(), s.NewTokens, s.Decode.Seconds(), s.PerSecond(), s.Result.ResultRoot, s.Steps)
			return nil
		},
	}
	addWantsFlags(cmd)
	cmd.Flags().Uint64(flagSteps, 0, "Steps of the run (default: from the prompt and --max-tokens)")
	addRunFlags(cmd)
	hideFlags(cmd, flagImage, flagSteps, flagWeights)
	return cmd
}

func hideFlags(cmd *cobra.Command, names ...string) {
	for _, name := range names {
		if err := cmd.Flags().MarkHidden(name); err != nil { // only for a flag that does not exist
			panic(err)
		}
	}
}

func modelVerifyCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify MODEL RECEIPT.json",
		Short: "Execute again what somebody says came out, and compare",
		Long: `Execute again what somebody says came out, and compare every root. RECEIPT.json is what "poaid model run --json" printed, or the JSON
of a task on a chain, whose inputs come in a file of their own. The exit status is 1 where anything differs; what does is named.`,
		Example: `  poaid model verify DIR receipt.json
  poaid query tasks task ID --output json > task.json
  poaid query tasks inputs ID --output json > inputs.json
  poaid model verify zoo:story task.json --inputs inputs.json`,
		Args: cobra.ExactArgs(2),
		RunE: runModelVerify,
	}
	f := cmd.Flags()
	f.String(flagInputsFile, "", "JSON of \"poaid query tasks inputs ID\", for a task")
	f.StringArray(flagInput, nil, inputHelp+"; for what RECEIPT.json has only the root of")
	f.Bool(flagJSONOut, false, "Print the verdict as JSON")
	addRunFlags(cmd)
	return cmd
}

func runModelVerify(cmd *cobra.Command, args []string) error {
	v := flagReader{set: cmd}
	weights, inputsFile, asJSON := v.text(flagWeights), v.text(flagInputsFile), v.is(flagJSONOut)
	given := read(&v, cmd.Flags().GetStringArray, flagInput)
	o, done := runOptions(cmd, &v)
	defer done()
	if v.err != nil {
		return v.err
	}
	m, err := runner.Open(args[0], weights)
	if err != nil {
		return err
	}
	claim, err := runner.ReadClaim(args[1], inputsFile)
	if err != nil {
		return err
	}
	extra, err := inputs.Read(m.Program.Proto(), given)
	if err != nil {
		return err
	}
	ctx, stop := untilInterrupt(cmd)
	defer stop()
	verdict, err := m.Verify(ctx, claim, extra, o)
	done()
	if err != nil {
		return err
	}
	if asJSON {
		if err := printJSON(cmd, verdict); err != nil {
			return err
		}
		return verdict.Err()
	}
	printVerdict(cmd, verdict)
	return verdict.Err()
}

func printVerdict(cmd *cobra.Command, v *runner.Verdict) {
	w := cmd.OutOrStdout()
	for _, d := range v.Differences {
		fmt.Fprintf(w, "%s differs\n  claimed  %s\n  got      %s\n", d.Field, d.Claimed, d.Got)
	}
	switch {
	case !v.Executed:
		fmt.Fprintln(w, "not executed: it is another model, or these are other inputs")
	case len(v.Differences) == 0:
		fmt.Fprintf(w, "%s holds: %d steps executed again, result root %s\n", v.What, v.Steps, v.ResultRoot)
	}
}
