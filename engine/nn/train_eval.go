package nn

import (
	"fmt"

	"poaid/engine"
)

// ClassifierEval returns a program that measures a net on data: step t looks at samples t·batch to (t+1)·batch−1. Rows past
// the last sample repeat it; readers leave them out.
//
//	weights  net.Params(), and data and labels or targets as ClassifierTrainer
//	outputs  loss f32 [steps, batch] of each sample, hit u8 [steps, batch]: 1 where the largest logit is the label's
//	         (with SquareLoss always 0)
//
// t.Steps must be ⌈data_len / batch⌉.
func ClassifierEval(net Net, t TrainConfig, lim engine.Limits) (*engine.Program, error) {
	t, err := t.forSamples(net)
	if err != nil {
		return nil, err
	}
	if err := t.coversData(t.DataLen); err != nil {
		return nil, err
	}
	b := NewBuilder(uint64(t.Steps))
	g, p := b.Step(), make(map[string]Value)
	for _, s := range net.Params() {
		p[s.Name] = b.Weight(s.Name, engine.F32, s.Shape...)
	}
	x, y := newSampleSet(b, net, t).rows(g, evalRows(g, t.Batch))
	out := net.Apply(g, p, x)
	if t.Loss == SquareLoss {
		d := g.Sub(out, y)
		mean := g.Div(g.Sum(g.Mul(d, d), -1, false, false), g.F32(float32(net.Classes())))
		recordEval(b, g, mean, g.Lt(mean, mean))
		return b.Build(lim)
	}
	hit := g.Eq(g.Cast(g.ArgMax(out, -1, false), engine.I32), y)
	recordEval(b, g, g.Neg(g.Take(g.LogSoftmax(out), y)), hit)
	return b.Build(lim)
}

// LlamaEval returns a program that measures a decoder on tokens, in windows of seq+1 tokens that overlap by one: step t
// looks at windows t·batch to (t+1)·batch−1, and rows past the last window repeat the data's end.
//
//	weights  cfg.Params(), rope.cos, rope.sin, data [data_len]
//	outputs  loss f32 [steps, batch·seq] of each next token, hit u8 of the same shape: 1 where it is the likeliest one
//
// There are ⌊(data_len − 1)/seq⌋ windows, and t.Steps must be that divided by batch, rounded up.
func LlamaEval(cfg LlamaConfig, t TrainConfig, lim engine.Limits) (*engine.Program, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	if t, err = t.forTokens(cfg); err != nil {
		return nil, err
	}
	if err := t.coversData((t.DataLen - 1) / t.Seq); err != nil {
		return nil, err
	}
	b := NewBuilder(uint64(t.Steps))
	g, net := b.Step(), &llamaNet{cfg: cfg, p: make(map[string]Value)}
	for _, s := range cfg.Params() {
		net.p[s.Name] = b.Weight(s.Name, engine.F32, s.Shape...)
	}
	net.ropeTables(b)
	data := b.Weight("data", t.DataDType, t.DataLen)
	batch, seq := engine.Const(t.Batch), engine.Const(t.Seq)
	start := g.Reshape(g.Mul(evalRows(g, t.Batch), g.I64(t.Seq)), batch, engine.Const(1))
	idx := g.Add(start, g.Iota(1, engine.Const(1), engine.Const(t.Seq+1)))
	logits, y := net.window(g, g.GatherClamp(data, idx), batch, seq)
	hit := g.Eq(g.Cast(g.ArgMax(logits, -1, false), engine.I32), y)
	recordEval(b, g, g.Neg(g.Take(g.LogSoftmax(logits), y)), hit)
	return b.Build(lim)
}

// coversData checks that the steps of a measurement are what units samples or windows take.
func (t TrainConfig) coversData(units int64) error {
	if want := (units + t.Batch - 1) / t.Batch; t.Steps != want {
		return fmt.Errorf("evaluation: steps %d, want %d for %d samples in batches of %d", t.Steps, want, units, t.Batch)
	}
	return nil
}

// evalRows is t·batch + 0…batch−1, i64 [batch].
func evalRows(g *Graph, batch int64) Value {
	return g.Add(g.Mul(g.StepNumber(), g.I64(batch)), g.Iota(0, engine.Const(batch)))
}

// recordEval writes one row of losses f32 [n] and hits u8 [n] a step.
func recordEval(b *Builder, g *Graph, loss, hit Value) {
	n, steps := loss.Dim(0).A, int64(b.pb.MaxSteps)
	for _, r := range []struct {
		name string
		dt   engine.DType
		v    Value
	}{{"loss", engine.F32, loss}, {"hit", engine.U8, hit}} {
		s := b.State(r.name, r.dt, steps, n)
		row := g.Reshape(r.v, engine.Const(1), engine.Const(n))
		g.Update(s, g.SetRow(s, row, g.StepNumber()))
		b.Output(s)
	}
}
