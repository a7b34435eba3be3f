package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"poaid/commit"
	"poaid/engine"
	"poaid/model"
	"poaid/model/quantise"
	"poaid/model/runner"
	"poaid/model/zoo/data"
)

const (
	flagCalibrate = "calibrate"
	flagTest      = "test"
	flagLabels    = "labels"
	flagText      = "text"
	// maxTextBytes bounds the text that a language model is measured on.
	maxTextBytes = 1 << 20
	// calibrationDigits and generatedFrom are what zoo:digits is calibrated with, and what language models begin with.
	calibrationDigits = 200
	generatedFrom     = "Once upon a time"
)

func modelQuantiseCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "quantise MODEL",
		Short: "Make an int8 model of a float one, and print what that loses",
		Long: `Make an int8 model of a float one, a program like any other with a quarter of the bytes, and print what that loses.

Without --calibrate weights become int8 with a scale per output channel, and activations are quantised row by row as they come; this is
for language models. With --calibrate the scales of activations are fixed by samples and everything between the first product and the last
is integers; this is for MLPs and CNNs of one step. A file of samples is .npy and holds them along its first dimension.

The loss is measured on --test samples (--labels: accuracy), or on the calibration samples; of a language model on a --text, or on
what the float model itself writes. zoo:digits and zoo:story bring their own: digits and tales that were held back from training.`,
		Example: `  poaid model quantise zoo:story --out story8
  poaid model quantise zoo:digits --out digits8
  poaid model quantise DIR --out DIR8 --calibrate x=train.npy --test x=test.npy --labels labels.npy`,
		Args: cobra.ExactArgs(1),
		RunE: runModelQuantise,
	}
	f := cmd.Flags()
	f.String(flagOut, "", "Folder to make (needed)")
	f.StringArray(flagCalibrate, nil, "Calibration samples: name=FILE.npy, one for each input")
	f.StringArray(flagTest, nil, "Samples to compare the models on: name=FILE.npy")
	f.String(flagLabels, "", ".npy file with the right class of each --test sample")
	f.String(flagText, "", "Text file to measure a language model on")
	f.Bool(flagJSONOut, false, "Print JSON")
	addWeightsFlag(cmd)
	f.Int(flagThreads, 0, "Threads (default: one per processor); the result is the same")
	needFlags(cmd, flagOut)
	return cmd
}

// quantising is what the command works on.
type quantising struct {
	ref       string
	p         *model.Package
	calibrate []map[string]*engine.Tensor
	test      []map[string]*engine.Tensor
	labels    []int64
	tokens    []int64
	threads   int
}

// quantised is what it prints.
type quantised struct {
	Model       string             `json:"model"`
	Dir         string             `json:"dir"`
	ProgramHash commit.Hash        `json:"program_hash"`
	WeightsRoot commit.Hash        `json:"weights_root"`
	Weights     *quantise.Report   `json:"weights"`
	Loss        *quantise.Loss     `json:"loss,omitempty"`
	Text        *quantise.TextLoss `json:"text,omitempty"`
}

func runModelQuantise(cmd *cobra.Command, args []string) error {
	v := flagReader{set: cmd}
	out, labels, text := v.text(flagOut), v.text(flagLabels), v.text(flagText)
	calibrate, test := read(&v, cmd.Flags().GetStringArray, flagCalibrate), read(&v, cmd.Flags().GetStringArray, flagTest)
	weights, asJSON, threads := v.text(flagWeights), v.is(flagJSONOut), v.number(flagThreads)
	if v.err != nil {
		return v.err
	}
	if threads < 0 {
		return fmt.Errorf("--%s: %d, want 0 or more", flagThreads, threads)
	}
	switch _, err := os.Stat(filepath.Join(out, model.FileMeta)); {
	case err == nil:
		return fmt.Errorf("out: %s holds a model already", out)
	case !errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("out: %w", err)
	}
	q, err := openQuantising(args[0], weights)
	if err != nil {
		return err
	}
	q.threads = threads
	ctx, stop := untilInterrupt(cmd)
	defer stop()
	if err := q.samples(calibrate, test, labels, text); err != nil {
		return err
	}
	res, err := q.run(ctx, out)
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(cmd, res)
	}
	return res.write(cmd.OutOrStdout())
}

func openQuantising(ref, weights string) (*quantising, error) {
	m, err := runner.Open(ref, weights)
	if err != nil {
		return nil, err
	}
	p := &model.Package{Program: m.Program, Weights: m.Weights, Tokenizer: m.Tokenizer, Meta: model.Meta{Name: m.Name}}
	if m.Meta != nil {
		p.Meta = *m.Meta
	}
	return &quantising{ref: ref, p: p}, nil
}

// samples reads what flags name, and what the zoo's models bring where they name nothing.
func (q *quantising) samples(calibrate, test []string, labels, text string) error {
	var err error
	if q.calibrate, err = quantise.ReadSamples(q.p.Program, calibrate); err != nil {
		return err
	}
	if q.test, err = quantise.ReadSamples(q.p.Program, test); err != nil {
		return err
	}
	if labels != "" {
		if q.labels, err = quantise.ReadLabels(labels, len(q.test)); err != nil {
			return err
		}
	}
	if text != "" {
		return q.readText(text)
	}
	switch {
	case q.ref == "zoo:digits" && len(calibrate)+len(test) == 0:
		return q.digits()
	case q.ref == "zoo:story":
		return q.tales()
	}
	return nil
}

func (q *quantising) readText(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("text: %w", err)
	}
	if info.Size() > maxTextBytes {
		return fmt.Errorf("text: %s: %d bytes, limit %d", path, info.Size(), maxTextBytes)
	}
	raw, err := os.ReadFile(path) // #nosec G304 -- the user names the file
	if err != nil {
		return fmt.Errorf("text: %w", err)
	}
	return q.setText(string(raw))
}

func (q *quantising) setText(text string) error {
	if q.p.Tokenizer == nil {
		return errors.New("text: the model has no tokenizer")
	}
	for _, id := range q.p.Tokenizer.Encode(text, true, false) {
		q.tokens = append(q.tokens, int64(id))
	}
	return nil
}

// digits takes the digits that the model was trained on to calibrate, and those held back to test.
func (q *quantising) digits() error {
	all, err := data.Digits()
	if err != nil {
		return err
	}
	train, held := data.SplitDigits(all)
	for i, d := range append(train[:calibrationDigits:calibrationDigits], held...) {
		x, err := engine.FromU8(d.Pixels[:], 1, 8, 8)
		if err != nil {
			return err
		}
		sample := map[string]*engine.Tensor{"pixels": x}
		if i < calibrationDigits {
			q.calibrate = append(q.calibrate, sample)
			continue
		}
		q.test, q.labels = append(q.test, sample), append(q.labels, int64(d.Label))
	}
	return nil
}

// tales takes the first tale that was held back.
func (q *quantising) tales() error {
	text, err := data.Tales()
	if err != nil {
		return err
	}
	tales := strings.Split(text, "\n\n")
	return q.setText(tales[min(17, len(tales)-1)])
}

func (q *quantising) run(ctx context.Context, out string) (*quantised, error) {
	var p *model.Package
	var report *quantise.Report
	var err error
	if len(q.calibrate) > 0 {
		p, report, err = quantise.Static(ctx, q.p, q.calibrate, q.threads)
	} else {
		p, report, err = quantise.Dynamic(q.p)
	}
	if err != nil {
		return nil, err
	}
	res := &quantised{Model: p.Meta.Name, Dir: out, ProgramHash: p.Meta.ProgramHash, WeightsRoot: p.Meta.WeightsRoot, Weights: report}
	if len(q.test) == 0 {
		q.test = q.calibrate
	}
	if len(q.test) > 0 {
		if res.Loss, err = quantise.Compare(ctx, q.p, p, q.test, q.labels, q.threads); err != nil {
			return nil, err
		}
	}
	if len(q.tokens) == 0 && q.p.Tokenizer != nil && q.p.Program.HasForced() {
		if err := q.setText(generatedFrom); err != nil {
			return nil, err
		}
		if q.tokens, err = quantise.Generate(ctx, q.p, q.tokens, q.threads); err != nil {
			return nil, err
		}
	}
	if len(q.tokens) > 0 {
		if res.Text, err = quantise.CompareText(ctx, q.p, p, q.tokens, q.threads); err != nil {
			return nil, err
		}
	}
	return res, p.Save(out)
}

func (r *quantised) write(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "%s\tin %s\nmethod\t%s\n", r.Model, r.Dir, r.Weights.Method)
	fmt.Fprintf(t, "weights\t%d bytes, were %d (%.1f %%)\n", r.Weights.BytesAfter, r.Weights.BytesBefore,
		100*float64(r.Weights.BytesAfter)/float64(r.Weights.BytesBefore))
	fmt.Fprintf(t, "int8\t%d weights\n", len(r.Weights.Quantised))
	for i, k := range r.Weights.Kept { // one line a reason
		why := func(o quantise.Kept) bool { return o.Reason == k.Reason }
		if slices.IndexFunc(r.Weights.Kept, why) != i {
			continue
		}
		n := 0
		for _, o := range r.Weights.Kept {
			if why(o) {
				n++
			}
		}
		fmt.Fprintf(t, "float\t%d weights, such as %s: %s\n", n, k.Name, k.Reason)
	}
	if l := r.Loss; l != nil {
		if l.Labelled {
			fmt.Fprintf(t, "accuracy\t%.2f %%, was %.2f %%, of %d samples\n", 100*l.After, 100*l.Before, l.Samples)
		}
		fmt.Fprintf(t, "same class\t%.2f %% of %d samples\n", 100*l.Agreement, l.Samples)
		fmt.Fprintf(t, "outputs\tdiffer by at most %.3g, the largest is %.3g\n", l.MaxDifference, l.MaxOutput)
	}
	if l := r.Text; l != nil {
		fmt.Fprintf(t, "loss\t%.4f nats a token, was %.4f, over %d tokens\n", l.After, l.Before, l.Tokens)
		fmt.Fprintf(t, "perplexity\t%.3f, was %.3f\n", l.PerplexityAfter, l.PerplexityBefore)
		fmt.Fprintf(t, "same next token\t%.1f %%\n", 100*l.Agreement)
	}
	fmt.Fprintf(t, "program hash\t%s\nweights root\t%s\n", r.ProgramHash, r.WeightsRoot)
	return t.Flush()
}
