package train

import (
	"errors"
	"fmt"
	"path"
	"sync"

	"poaid/engine"
	"poaid/engine/nn"
	"poaid/model"
)

// ErrMemory is returned for a training that would take more memory than allowed.
var ErrMemory = errors.New("training takes too much memory")

// Job is a training made ready: everything that decides its bits, and what its result becomes. It is not changed by running.
type Job struct {
	Spec *Spec
	// Program takes one step of the optimiser a step; its states start from the weights of the same names.
	Program *engine.Program
	Weights *engine.Weights
	Inputs  *engine.Inputs
	// Params is the number of trained parameters, Samples and Held what is trained on and held back; Unit names what they count.
	Params, Samples, Held int64
	Unit                  string

	eval *evaluator // nil where nothing is held back
	pack func(params map[string]*engine.Tensor) (*model.Package, error)

	once      sync.Once
	headValue Head
	headErr   error
}

// What a job counts.
const (
	unitSamples = "samples"
	unitTokens  = "tokens"
)

// parts is what building a job comes to, by architecture.
type parts struct {
	train   *engine.Program
	eval    *engine.Program
	weights map[string]*engine.Tensor // starting values and what is not trained
	data    map[string]*engine.Tensor
	held    map[string]*engine.Tensor
	valid   int64 // losses of the measuring program that count
	hits    bool  // whether its hits mean something
}

// Job reads the data and builds the programs.
func (s *Spec) Job() (*Job, error) {
	j := &Job{Spec: s}
	var p *parts
	var err error
	if s.Data.Format == "text" {
		p, err = s.textJob(j)
	} else {
		p, err = s.sampleJob(j)
	}
	if err != nil {
		return nil, err
	}
	rates, err := s.Optimizer.schedule().Table(float32(s.Optimizer.Rate), s.Steps)
	if err != nil {
		return nil, fmt.Errorf("optimizer.schedule: %w", err)
	}
	all := map[string]*engine.Tensor{nn.RateTable: rates}
	for _, m := range []map[string]*engine.Tensor{p.weights, p.data} {
		for name, t := range m { // into a map
			all[name] = t
		}
	}
	j.Program = p.train
	if j.Weights, err = engine.WeightsByName(p.train, all); err != nil {
		return nil, err
	}
	seed, err := engine.FromI64([]int64{s.Seed}, 1)
	if err != nil {
		return nil, err
	}
	if j.Inputs, err = p.train.BindInputs(map[string]*engine.Tensor{"seed": seed}); err != nil {
		return nil, err
	}
	for _, st := range p.train.StateSpecs() {
		if st.InitWeight != "" {
			n, err := engine.Elements(st.Shape)
			if err != nil {
				return nil, err
			}
			j.Params += n
		}
	}
	if p.eval != nil {
		j.eval = &evaluator{prog: p.eval, data: p.held, valid: p.valid, hits: p.hits}
	}
	return j, nil
}

// config is what nn wants to know, but for the data.
func (s *Spec) config() nn.TrainConfig {
	t := nn.TrainConfig{
		Batch: s.Batch, Steps: s.Steps, Optimizer: s.Optimizer.optimizer(), Table: true,
		ClipNorm: float32(s.Optimizer.ClipNorm), Scale: float32(s.Data.Scale),
	}
	if s.Loss == "mse" {
		t.Loss = nn.SquareLoss
	}
	if len(s.Model.Freeze) > 0 {
		t.Frozen = s.frozen
	}
	return t
}

// frozen reports whether a parameter is matched by a pattern of model.freeze.
func (s *Spec) frozen(name string) bool {
	for _, p := range s.Model.Freeze {
		if ok, err := path.Match(p, name); ok && err == nil {
			return true
		}
	}
	return false
}

// sampleJob builds a training on vectors or pictures.
func (s *Spec) sampleJob(j *Job) (*parts, error) {
	all, err := loadSamples(s)
	if err != nil {
		return nil, err
	}
	train, held, err := all.split(s.Data.HeldBack, s.Seed)
	if err != nil {
		return nil, err
	}
	n, err := s.net(j, all)
	if err != nil {
		return nil, err
	}
	j.Samples, j.Unit = train.len(), unitSamples
	lim, cfg := engine.DefaultLimits(), s.config()
	cfg.DataLen, cfg.DataDType = train.len(), train.x.DType()
	p := &parts{weights: n.weights, hits: s.Loss != "mse"}
	if p.train, err = nn.ClassifierTrainer(n.net, cfg, lim); err != nil {
		return nil, err
	}
	if p.data, err = train.tensors(n.net.Input()); err != nil {
		return nil, err
	}
	if held == nil {
		return p, nil
	}
	j.Held, p.valid = held.len(), held.len()
	cfg.Batch, cfg.DataLen = s.Evaluate.Batch, held.len()
	cfg.Steps = (held.len() + cfg.Batch - 1) / cfg.Batch
	if p.eval, err = nn.ClassifierEval(n.net, cfg, lim); err != nil {
		return nil, err
	}
	p.held, err = held.tensors(n.net.Input())
	return p, err
}

// builtNet is a net with what its weights start from.
type builtNet struct {
	net     nn.Net
	weights map[string]*engine.Tensor
}

// net makes the net of a spec for a data set, and says what package it becomes.
func (s *Spec) net(j *Job, d *samples) (*builtNet, error) {
	shape := d.x.Shape()[1:]
	n := &builtNet{}
	switch s.Model.Architecture {
	case "program":
		return s.programNet(j, d)
	case "mlp":
		per, err := engine.Elements(shape)
		if err != nil {
			return nil, err
		}
		n.net = nn.MLP{Sizes: append(append([]int64{per}, s.Model.Hidden...), d.width)}
	case "cnn":
		if len(shape) == 2 {
			shape = append([]int64{1}, shape...)
		}
		if len(shape) != 3 {
			return nil, fmt.Errorf("%w: data.shape: %v, a cnn wants [channels, height, width]", ErrSpec, shape)
		}
		n.net = nn.CNN{
			Channels: shape[0], Height: shape[1], Width: shape[2], Filters: s.Model.Filters, Hidden: s.Model.Hidden[0], Output: d.width,
		}
	}
	var err error
	if n.weights, err = nn.InitParams(n.net.Params(), uint64(s.Seed)); err != nil {
		return nil, err
	}
	j.pack = func(params map[string]*engine.Tensor) (*model.Package, error) { return s.netPackage(n.net, d, params) }
	return n, nil
}

// textJob builds a training on text.
func (s *Spec) textJob(j *Job) (*parts, error) {
	net, err := s.decoder(j)
	if err != nil {
		return nil, err
	}
	seq := net.cfg.Ctx
	if s.Model.Context != 0 {
		seq = s.Model.Context
	}
	lim, cfg := engine.DefaultLimits(), s.config()
	cfg.Seq, cfg.DataLen, cfg.DataDType = seq, int64(len(net.train)), engine.I32
	p := &parts{weights: net.weights, data: map[string]*engine.Tensor{}, held: map[string]*engine.Tensor{}, hits: true}
	if p.data["data"], err = tokenTensor("data", net.train, seq); err != nil {
		return nil, err
	}
	if p.train, err = nn.LlamaTrainer(net.cfg, cfg, lim); err != nil {
		return nil, err
	}
	j.Samples, j.Unit = int64(len(net.train)), unitTokens
	if len(net.held) == 0 {
		return p, nil
	}
	if p.held["data"], err = tokenTensor("data.held_back", net.held, seq); err != nil {
		return nil, err
	}
	j.Held = int64(len(net.held))
	windows := (j.Held - 1) / seq
	p.valid = windows * seq
	cfg.Batch, cfg.DataLen = min(s.Evaluate.Batch, windows), j.Held
	cfg.Steps = (windows + cfg.Batch - 1) / cfg.Batch
	p.eval, err = nn.LlamaEval(net.cfg, cfg, lim)
	return p, err
}
