package train

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"

	"poaid/commit"
	"poaid/engine/nn"
	"poaid/model"
)

// Files of a training's folder beside checkpoints and the package.
const (
	FileMetrics = "metrics.csv"
	FileCurve   = "loss.png"
	FileReport  = "training.json"
)

// Report is what came out of a training.
type Report struct {
	Name        string      `json:"name"`
	Steps       uint64      `json:"steps"`
	Params      int64       `json:"params"`
	ProgramHash commit.Hash `json:"program_hash"`
	WeightsRoot commit.Hash `json:"weights_root"`
	InputRoot   commit.Hash `json:"input_root"`
	StateRoot   commit.Hash `json:"state_root"`
	ResultRoot  commit.Hash `json:"result_root"`
	// FirstLoss and LastLoss are means over a twentieth of the steps, ten at least.
	FirstLoss float64   `json:"first_loss"`
	LastLoss  float64   `json:"last_loss"`
	Measures  []Measure `json:"measures"`
	// Model is the trained package's program and weights.
	ModelProgramHash commit.Hash `json:"model_program_hash"`
	ModelWeightsRoot commit.Hash `json:"model_weights_root"`
}

// Losses are the training losses of the steps done.
func (s *Session) Losses() []float32 { return s.run.State("losses").F32()[:s.run.T()] }

// Rates are the learning rates of all steps.
func (s *Session) Rates() []float32 { return s.param(nn.RateTable).F32() }

// Finish closes a session that has done all its steps: it writes the package, the metrics, the loss curve and the report into the
// folder, where there is one.
func (s *Session) Finish() (*Report, *model.Package, error) {
	res, err := s.Result()
	if err != nil {
		return nil, nil, err
	}
	pkg, err := s.Package()
	if err != nil {
		return nil, nil, err
	}
	head, err := s.job.cachedHead()
	if err != nil {
		return nil, nil, err
	}
	losses := s.Losses()
	r := &Report{
		Name: s.job.Spec.Name, Steps: res.T, Params: s.job.Params, ProgramHash: head.ProgramHash, WeightsRoot: head.WeightsRoot,
		InputRoot: head.InputRoot, StateRoot: res.StateRoot, ResultRoot: res.ResultRoot, Measures: s.measures,
		ModelProgramHash: pkg.Meta.ProgramHash, ModelWeightsRoot: pkg.Meta.WeightsRoot,
	}
	n := min(max(len(losses)/20, 10), len(losses))
	r.FirstLoss, r.LastLoss = mean(losses[:n]), mean(losses[len(losses)-n:])
	if s.opts.Dir == "" {
		return r, pkg, nil
	}
	if err := s.WriteCurves(); err != nil {
		return nil, nil, err
	}
	raw, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return nil, nil, err
	}
	if err := writeAtomic(filepath.Join(s.opts.Dir, FileReport), append(raw, '\n')); err != nil {
		return nil, nil, err
	}
	return r, pkg, pkg.Save(s.opts.Dir)
}

// WriteCurves writes the metrics and the loss curve of the steps done so far into the folder.
func (s *Session) WriteCurves() error {
	if err := os.MkdirAll(s.opts.Dir, 0o755); err != nil {
		return err
	}
	raw, err := FormatMetrics(s.Losses(), s.Rates(), s.measures)
	if err != nil {
		return err
	}
	if err := writeAtomic(filepath.Join(s.opts.Dir, FileMetrics), raw); err != nil {
		return err
	}
	if len(s.Losses()) == 0 {
		return nil
	}
	curve := Curve{
		Title: s.job.Spec.Name, Losses: s.Losses(), Measures: s.measures, Steps: uint64(s.job.Spec.Steps),
		Label: map[string]string{"mse": "mean square error"}[s.job.Spec.Loss],
	}
	if curve.Label == "" {
		curve.Label = map[bool]string{true: "loss, nats a token", false: "loss (cross-entropy, nats)"}[s.job.Unit == unitTokens]
	}
	raw, err = curve.PNG()
	if err != nil {
		return err
	}
	return writeAtomic(filepath.Join(s.opts.Dir, FileCurve), raw)
}

// FormatMetrics gives a CSV with a line a step: step (the number of steps done), learning rate, loss of the step's batch, and where the
// data held back were measured their loss and accuracy. Line 0 is before the first step.
func FormatMetrics(losses, rates []float32, measures []Measure) ([]byte, error) {
	var buf bytes.Buffer
	w := csv.NewWriter(&buf)
	byStep := make(map[uint64]Measure, len(measures))
	for _, m := range measures {
		byStep[m.Step] = m
	}
	f32 := func(v float32) string { return strconv.FormatFloat(float64(v), 'g', -1, 32) }
	if err := w.Write([]string{"step", "rate", "loss", "held_back_loss", "held_back_accuracy"}); err != nil {
		return nil, err
	}
	for t := uint64(0); t <= uint64(len(losses)); t++ {
		row := []string{strconv.FormatUint(t, 10), "", "", "", ""}
		if t > 0 {
			row[1], row[2] = f32(rates[t-1]), f32(losses[t-1])
		}
		m, ok := byStep[t]
		if ok {
			row[3] = strconv.FormatFloat(m.Loss, 'g', 9, 64)
			if m.Accuracy != nil {
				row[4] = strconv.FormatFloat(*m.Accuracy, 'g', 9, 64)
			}
		}
		if t == 0 && !ok {
			continue
		}
		if err := w.Write(row); err != nil {
			return nil, err
		}
	}
	w.Flush()
	return buf.Bytes(), w.Error()
}

func mean(v []float32) float64 {
	sum := 0.0
	for _, x := range v {
		sum += float64(x)
	}
	return sum / float64(len(v))
}
