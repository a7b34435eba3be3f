package cmd

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"poaid/model/train"
)

const (
	flagResume          = "resume"
	flagCheckpointEvery = "checkpoint-every"
)

func modelTrainCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "train SPEC",
		Short: "Train a model as a file says: the same bits on any machine, interrupted or not",
		Long: `Train a model as a file says (YAML or JSON; docs/training.md lists every field): architecture, data, optimiser, steps and seed.
The folder --out gets the trained package, which "poaid model run" and "generate" take, the loss curve (loss.png), metrics.csv, the roots
(training.json) and the last checkpoints. Ctrl-C ends it after the step at hand; --resume goes on from the newest checkpoint, and comes
to the same roots as if nothing had happened.`,
		Example: `  poaid model train model/train/testdata/digits.yaml --out digits
  poaid model train model/train/testdata/digits.yaml --out digits --resume
  poaid model run digits --input x=x.npy`,
		Args: cobra.ExactArgs(1),
		RunE: runModelTrain,
	}
	f := cmd.Flags()
	f.String(flagOut, "", "Folder for what comes out (needed)")
	f.Bool(flagResume, false, "Go on from the newest checkpoint in --out")
	f.Int(flagThreads, 0, "Threads (default: as the spec says, or one per processor); the result is the same")
	f.Int64(flagCheckpointEvery, 0, "Steps between checkpoints (default: as the spec says)")
	f.Uint64(flagMaxMemory, 0, "MiB that states and results may take (default: 4096, and 16 times the data)")
	f.Bool(flagJSONOut, false, "Print the roots and figures as JSON")
	needFlags(cmd, flagOut)
	return cmd
}

func runModelTrain(cmd *cobra.Command, args []string) error {
	v := flagReader{set: cmd}
	out, resume, asJSON, mem := v.text(flagOut), v.is(flagResume), v.is(flagJSONOut), v.unsigned(flagMaxMemory)
	o := train.Options{Dir: out, Threads: v.number(flagThreads), CheckpointEvery: read(&v, cmd.Flags().GetInt64, flagCheckpointEvery)}
	if v.err != nil {
		return v.err
	}
	if o.Threads < 0 || o.CheckpointEvery < 0 || mem > 1<<40 {
		return fmt.Errorf("--%s, --%s and --%s: want 0 or more", flagThreads, flagCheckpointEvery, flagMaxMemory)
	}
	o.MaxMemory = mem * mebibyte
	spec, err := train.ReadSpec(args[0])
	if err != nil {
		return err
	}
	job, err := spec.Job()
	if err != nil {
		return err
	}
	log := newTrainLog(cmd.ErrOrStderr(), uint64(spec.Steps))
	o.Progress = log.step
	s, err := startTraining(job, o, resume)
	if err != nil {
		return err
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "%s: %d parameters, %d %s to train on, %d held back, step %d of %d\n",
		spec.Name, job.Params, job.Samples, job.Unit, job.Held, s.Step(), spec.Steps)
	ctx, stop := untilInterrupt(cmd)
	defer stop()
	log.begin(s.Step())
	err = s.Run(ctx)
	log.done()
	if err != nil {
		return errors.Join(err, s.WriteCurves())
	}
	report, _, err := s.Finish()
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(cmd, report)
	}
	return printReport(cmd.OutOrStdout(), out, report)
}

// startTraining begins a training, or goes on from its newest checkpoint.
func startTraining(job *train.Job, o train.Options, resume bool) (*train.Session, error) {
	if !resume {
		return job.Start(o)
	}
	steps, err := train.Checkpoints(o.Dir)
	if err != nil {
		return nil, err
	}
	if len(steps) == 0 {
		return nil, fmt.Errorf("--%s: there is no checkpoint in %s", flagResume, o.Dir)
	}
	c, err := train.ReadCheckpoint(o.Dir, steps[len(steps)-1])
	if err != nil {
		return nil, err
	}
	return job.Resume(c, o)
}

func printReport(w io.Writer, dir string, r *train.Report) error {
	fmt.Fprintf(w, "loss          %.4f at first, %.4f at last\n", r.FirstLoss, r.LastLoss)
	if n := len(r.Measures); n > 0 {
		m := r.Measures[n-1]
		fmt.Fprintf(w, "held back     loss %.4f", m.Loss)
		if m.Accuracy != nil {
			fmt.Fprintf(w, ", %.1f %% right", 100**m.Accuracy)
		}
		fmt.Fprintln(w)
	}
	_, err := fmt.Fprintf(w, "state root    %s\nresult root   %s of %d steps\nweights root  %s of the trained model\nwritten       %s: the model, %s, %s, %s\n",
		r.StateRoot, r.ResultRoot, r.Steps, r.ModelWeightsRoot, filepath.Clean(dir), train.FileCurve, train.FileMetrics, train.FileReport)
	return err
}

// trainLog shows the progress of a training: a bar on a terminal, otherwise a line where the data held back were measured.
type trainLog struct {
	w      io.Writer
	bar    bool
	total  uint64
	first  uint64
	start  time.Time
	last   time.Time
	mean   float64 // of the loss, exponential
	held   string
	drawn  bool
	lineAt uint64
}

const (
	trainBarWidth = 20
	trainBarEvery = 100 * time.Millisecond
	// lossMemory is the weight of the past in the mean of the loss that is shown.
	lossMemory = 0.95
)

func newTrainLog(w io.Writer, total uint64) *trainLog {
	l := &trainLog{w: w, total: total}
	if f, ok := w.(*os.File); ok {
		l.bar = term.IsTerminal(int(f.Fd())) // #nosec G115 -- a file descriptor
	}
	return l
}

func (l *trainLog) begin(step uint64) {
	l.first, l.start, l.lineAt = step, time.Now(), step
}

func (l *trainLog) step(p train.Progress) {
	if l.mean == 0 {
		l.mean = float64(p.Loss)
	}
	l.mean = lossMemory*l.mean + (1-lossMemory)*float64(p.Loss) //detlint:allow for people
	if p.Measure != nil {
		l.held = fmt.Sprintf(", held back %.4f", p.Measure.Loss)
		if p.Measure.Accuracy != nil {
			l.held += fmt.Sprintf(" (%.1f %%)", 100**p.Measure.Accuracy)
		}
	}
	spent := time.Since(l.start)
	perStep := float64(spent) / float64(max(p.Step-l.first, 1))
	left := time.Duration(perStep * float64(p.Total-p.Step)).Round(time.Second)
	text := fmt.Sprintf("step %d of %d, loss %.4f%s, %.1f steps/s, %s left", p.Step, p.Total, l.mean, l.held, float64(time.Second)/max(perStep, 1), left)
	switch {
	case l.bar && time.Since(l.last) >= trainBarEvery:
		full := int(trainBarWidth * p.Step / max(p.Total, 1))
		fmt.Fprintf(l.w, "\r\x1b[2K[%s%s] %s", strings.Repeat("█", full), strings.Repeat("·", trainBarWidth-full), text)
		l.last, l.drawn = time.Now(), true
	case !l.bar && (p.Measure != nil || p.Step == p.Total || l.held == "" && p.Step-l.lineAt >= max(p.Total/20, 1)):
		fmt.Fprintln(l.w, text)
		l.lineAt = p.Step
	}
}

// done removes the bar.
func (l *trainLog) done() {
	if l.drawn {
		fmt.Fprint(l.w, "\r\x1b[2K")
	}
}
