package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"

	"poaid/commit"
	"poaid/engine"
	"poaid/model"
)

// ErrDiverged is returned by Run when the loss or a state is no number any more.
var ErrDiverged = errors.New("the training diverged")

// ErrInterrupted is returned by Run when its context ends; a checkpoint of the last whole step was written.
var ErrInterrupted = errors.New("interrupted")

// Memory that states and results of a training may take where Options do not say: the base, and the factor times the weights, the
// data among them.
const (
	baseMemory   = 4 << 30
	memoryFactor = 16
)

// Options of a session. None of them changes a result.
type Options struct {
	// Dir is the folder for checkpoints, metrics, the loss curve and the package; empty: nothing is written.
	Dir string
	// Threads, 0: as the spec says.
	Threads int
	// CheckpointEvery, 0: as the spec says.
	CheckpointEvery int64
	// MaxMemory bounds the bytes of states and results, besides weights and data; 0: 4 GiB and 16 times those.
	MaxMemory uint64
	// Progress, if set, is called after every step.
	Progress func(Progress)
}

// Progress is how far a session is.
type Progress struct {
	Step, Total uint64
	Loss        float32
	// Measure is set where the data held back were measured after this step, Checkpoint where one was written.
	Measure    *Measure
	Checkpoint string
}

// Session is a job that is running.
type Session struct {
	job      *Job
	run      *engine.Run
	opts     Options
	measures []Measure
	saved    string // the newest checkpoint
}

// Start begins a job at its first step.
func (j *Job) Start(o Options) (*Session, error) {
	if o.Dir != "" {
		steps, err := Checkpoints(o.Dir)
		if err != nil {
			return nil, err
		}
		_, err = os.Stat(filepath.Join(o.Dir, model.FileMeta))
		if len(steps) > 0 || err == nil {
			return nil, fmt.Errorf("out: %s holds a training or a model already; go on with --resume, or name another folder", o.Dir)
		}
	}
	return j.session(o, nil)
}

// Resume goes on from a checkpoint of the same training.
func (j *Job) Resume(c *Checkpoint, o Options) (*Session, error) { return j.session(o, c) }

func (j *Job) session(o Options, c *Checkpoint) (*Session, error) {
	if o.Threads == 0 {
		o.Threads = j.Spec.Threads
	}
	if o.CheckpointEvery == 0 {
		o.CheckpointEvery = j.Spec.Checkpoint.Every
	}
	if err := j.fits(o.MaxMemory); err != nil {
		return nil, err
	}
	if o.Dir != "" {
		if err := removeTemporary(o.Dir); err != nil {
			return nil, err
		}
	}
	s := &Session{job: j, opts: o}
	var err error
	if c == nil {
		s.run, err = j.newRun(o.Threads)
		return s, err
	}
	s.measures = c.Measures
	if o.Dir != "" {
		s.saved = CheckpointPath(o.Dir, c.Step)
	}
	s.run, err = j.restore(c, o.Threads)
	return s, err
}

// fits refuses a training that would take too much memory, before it is allocated.
func (j *Job) fits(limit uint64) error {
	if limit == 0 {
		limit = baseMemory
		for _, t := range j.Weights.Tensors() {
			limit += memoryFactor * uint64(len(t.Bytes()))
		}
	}
	need := j.Program.RunBytes()
	if j.eval != nil {
		need = max(need, j.eval.prog.RunBytes())
	}
	if need > limit {
		return fmt.Errorf("%w: states and results take %d bytes, limit %d; a smaller batch takes less", ErrMemory, need, limit)
	}
	return nil
}

// Step is the number of steps done.
func (s *Session) Step() uint64 { return s.run.T() }

// Measures of the data held back so far.
func (s *Session) Measures() []Measure { return s.measures }

// StateRoot is the root of the states as they stand.
func (s *Session) StateRoot() (commit.Hash, error) { return s.run.StateRoot() }

// Run does the steps that are left. When ctx ends it finishes the step, writes a checkpoint and returns ErrInterrupted. Where the loss
// stops being a number it returns ErrDiverged; the checkpoints written before are good.
func (s *Session) Run(ctx context.Context) error {
	total := uint64(s.job.Spec.Steps)
	whole := context.WithoutCancel(ctx) // a step that is cut short loses the states
	if len(s.measures) == 0 {
		if _, err := s.measure(whole, s.run.T() == 0); err != nil {
			return err
		}
	}
	for s.run.T() < total {
		if ctx.Err() != nil {
			return s.interrupt(ctx)
		}
		if err := s.run.Step(whole); err != nil {
			return err
		}
		t := s.run.T()
		p := Progress{Step: t, Total: total, Loss: s.run.State("loss").F32()[0]}
		if !finite(p.Loss) {
			return s.diverged(fmt.Sprintf("the loss of step %d is %v", t, p.Loss))
		}
		var err error
		if p.Measure, err = s.measure(whole, t%uint64(s.job.Spec.Evaluate.Every) == 0 || t == total); err != nil {
			return err
		}
		if t%uint64(s.opts.CheckpointEvery) == 0 || t == total {
			if p.Checkpoint, err = s.save(); err != nil {
				return err
			}
		}
		if s.opts.Progress != nil {
			s.opts.Progress(p)
		}
	}
	return nil
}

func (s *Session) interrupt(ctx context.Context) error {
	at := fmt.Sprintf("after step %d of %d", s.run.T(), s.job.Spec.Steps)
	if _, err := s.save(); err != nil {
		return errors.Join(fmt.Errorf("%w %s: %w", ErrInterrupted, at, context.Cause(ctx)), err)
	}
	if s.saved != "" {
		at += ", which is in " + s.saved
	}
	return fmt.Errorf("%w %s", ErrInterrupted, at)
}

func (s *Session) diverged(what string) error {
	kept := "there is no checkpoint"
	if s.saved != "" {
		kept = "the last good checkpoint is " + s.saved
	}
	return fmt.Errorf("%w: %s; %s. A lower optimizer.rate (%v), a schedule with a warmup, or optimizer.clip_norm may help",
		ErrDiverged, what, kept, s.job.Spec.Optimizer.Rate)
}

func finite(v float32) bool { return !math.IsNaN(float64(v)) && !math.IsInf(float64(v), 0) }

// measure measures the data held back, where now says so and there are any.
func (s *Session) measure(ctx context.Context, now bool) (*Measure, error) {
	if !now || s.job.eval == nil {
		return nil, nil //nolint:nilnil // nothing is to be measured
	}
	m, err := s.job.eval.measure(ctx, s.run.T(), s.param, s.opts.Threads)
	if errors.Is(err, ErrDiverged) {
		return nil, s.diverged(fmt.Sprintf("the data held back have a loss of %v after step %d", m.Loss, s.run.T()))
	}
	if err != nil {
		return nil, err
	}
	s.measures = append(s.measures, m)
	return &m, nil
}

// param gives a weight as it stands: the state of that name, or else what it started from.
func (s *Session) param(name string) *engine.Tensor {
	if t := s.run.State(name); t != nil {
		return t
	}
	for i, w := range s.job.Program.WeightSpecs() {
		if w.Name == name {
			return s.job.Weights.Tensors()[i]
		}
	}
	return nil
}

// Checkpoint gives the session's states as they stand. A state with a number that is none gives ErrDiverged.
func (s *Session) Checkpoint() (*Checkpoint, error) {
	for i, t := range s.run.States() {
		for _, v := range t.F32() {
			if !finite(v) {
				return nil, s.diverged(fmt.Sprintf("state %s has a %v after step %d", s.job.Program.StateSpecs()[i].Name, v, s.run.T()))
			}
		}
	}
	return s.job.checkpoint(s.run, s.measures)
}

// save writes a checkpoint, where there is a folder.
func (s *Session) save() (string, error) {
	c, err := s.Checkpoint()
	if err != nil || s.opts.Dir == "" {
		return "", err
	}
	s.saved, err = WriteCheckpoint(s.opts.Dir, c, s.job.Spec.Checkpoint.Keep)
	return s.saved, err
}

// Result closes a session that has done all its steps: the roots of the run.
func (s *Session) Result() (*engine.Result, error) {
	if total := uint64(s.job.Spec.Steps); s.run.T() != total {
		return nil, fmt.Errorf("training: %d of %d steps are done", s.run.T(), total)
	}
	return s.run.Result()
}

// Package gives the trained model.
func (s *Session) Package() (*model.Package, error) {
	if _, err := s.Result(); err != nil {
		return nil, err
	}
	params := map[string]*engine.Tensor{}
	for _, w := range s.job.Program.WeightSpecs() {
		if !notParams[w.Name] {
			params[w.Name] = s.param(w.Name).Clone()
		}
	}
	return s.job.pack(params)
}
