// Package recipe holds how the models of the zoo are trained: by the deterministic engine, from data in the repository, so that
// anybody gets the same weights bit for bit. `go run ./model/zoo/train digits` runs a recipe; its tests run the first steps.
package recipe

import (
	"context"
	"fmt"

	"poaid/commit"
	"poaid/engine"
	"poaid/engine/nn"
	"poaid/model"
)

// Recipe is one training run and what becomes of its result.
type Recipe struct {
	Name    string
	Program *engine.Program
	// Weights are the starting values and the data.
	Weights *engine.Weights
	Steps   uint64
	// Package makes the model out of the trained parameters.
	Package func(params map[string]*engine.Tensor) (*model.Package, error)
	// Score measures a package on data held back from training: what is measured, and the figure.
	Score func(ctx context.Context, p *model.Package, threads int) (what string, value float64, err error)
}

// Names lists the recipes.
func Names() []string { return []string{"digits", "story"} }

// Get gives a recipe by name.
func Get(name string) (*Recipe, error) {
	switch name {
	case "digits":
		return Digits()
	case "story":
		return Story()
	}
	return nil, fmt.Errorf("recipe: %q does not exist, want digits or story", name)
}

// Start begins the training run at step 0.
func (r *Recipe) Start(threads int) (*engine.Run, error) {
	in, err := r.Program.BindInputs(nil)
	if err != nil {
		return nil, err
	}
	return engine.NewRun(r.Program, r.Weights, in, engine.RunOptions{Threads: threads})
}

// Finish closes a run that has done all its steps and gives the model and the roots of the run.
func (r *Recipe) Finish(run *engine.Run) (*model.Package, *engine.Result, error) {
	if run.T() != r.Steps {
		return nil, nil, fmt.Errorf("recipe %s: %d of %d steps done", r.Name, run.T(), r.Steps)
	}
	res, err := run.Result()
	if err != nil {
		return nil, nil, err
	}
	params := make(map[string]*engine.Tensor, len(res.Outputs))
	for _, o := range res.Outputs {
		params[o.Name] = o.Tensor
	}
	delete(params, "losses")
	p, err := r.Package(params)
	return p, res, err
}

// PrefixRoot gives the state root after the first steps of a run.
func (r *Recipe) PrefixRoot(ctx context.Context, steps, threads int) (commit.Hash, error) {
	run, err := r.Start(threads)
	if err != nil {
		return commit.Hash{}, err
	}
	for range steps {
		if err := run.Step(ctx); err != nil {
			return commit.Hash{}, err
		}
	}
	return run.StateRoot()
}

// warmupLinear scales a learning rate up over the first steps and then down in a straight line to a fiftieth at the last.
type warmupLinear struct {
	nn.Optimizer
	warmup, total int64
}

// Apply implements nn.Optimizer.
func (o warmupLinear) Apply(b *nn.Builder, g *nn.Graph, lr nn.Value, params []nn.Param, grads []nn.Value) {
	t := g.Cast(g.Add(g.StepNumber(), g.I64(1)), engine.F32)
	up := g.Div(t, g.F32(float32(o.warmup)))
	down := g.Sub(g.F32(1), g.Mul(g.Div(t, g.F32(float32(o.total))), g.F32(0.98)))
	o.Optimizer.Apply(b, g, g.Mul(lr, g.Min(g.F32(1), g.Min(up, down))), params, grads)
}
