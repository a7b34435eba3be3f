package train

import (
	"context"
	"fmt"
	"math"

	"poaid/engine"
)

// Measure is what the data held back give after so many steps.
type Measure struct {
	Step uint64 `json:"step"`
	// Loss is the mean over samples or tokens.
	Loss float64 `json:"loss"`
	// Accuracy is the part whose likeliest class or token is right; nil with mse.
	Accuracy *float64 `json:"accuracy,omitempty"`
}

// evaluator measures parameters on data held back.
type evaluator struct {
	prog  *engine.Program
	data  map[string]*engine.Tensor
	valid int64
	hits  bool
}

// measure runs the measuring program. param gives a parameter by name. Losses are added in float64 in their order, so that the
// figure, too, is the same everywhere.
func (e *evaluator) measure(ctx context.Context, step uint64, param func(name string) *engine.Tensor, threads int) (Measure, error) {
	specs := e.prog.WeightSpecs()
	list := make([]*engine.Tensor, len(specs))
	for i, w := range specs {
		if list[i] = e.data[w.Name]; list[i] == nil {
			list[i] = param(w.Name)
		}
	}
	weights, err := engine.NewWeights(e.prog, list)
	if err != nil {
		return Measure{}, fmt.Errorf("evaluate: %w", err)
	}
	in, err := e.prog.BindInputs(nil)
	if err != nil {
		return Measure{}, fmt.Errorf("evaluate: %w", err)
	}
	run, err := engine.NewRun(e.prog, weights, in, engine.RunOptions{Threads: threads})
	if err != nil {
		return Measure{}, fmt.Errorf("evaluate: %w", err)
	}
	for range e.prog.MaxSteps() {
		if err := run.Step(ctx); err != nil {
			return Measure{}, fmt.Errorf("evaluate: %w", err)
		}
	}
	sum, hits := 0.0, 0
	loss, hit := run.State("loss").F32()[:e.valid], run.State("hit").U8()[:e.valid]
	for i := range loss {
		sum += float64(loss[i])
		hits += int(hit[i])
	}
	m := Measure{Step: step, Loss: sum / float64(e.valid)}
	if math.IsNaN(m.Loss) || math.IsInf(m.Loss, 0) {
		return m, fmt.Errorf("%w: the loss of the data held back is %v after %d steps", ErrDiverged, m.Loss, step)
	}
	if e.hits {
		acc := float64(hits) / float64(e.valid)
		m.Accuracy = &acc
	}
	return m, nil
}
