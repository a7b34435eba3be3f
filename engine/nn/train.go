package nn

import (
	"fmt"

	"poaid/engine"
)

// TrainConfig describes a training program.
type TrainConfig struct {
	Batch int64
	// Seq is the length of a window of tokens; LlamaTrainer only.
	Seq int64
	// Steps is the largest number of steps of a run and the length of the losses output.
	Steps int64
	// LR is the learning rate when the input lr is left out.
	LR float32
	// Optimizer is SGD or Adam; nil means DefaultAdam.
	Optimizer Optimizer
	// DataLen is the number of tokens or samples.
	DataLen int64
	// DataDType is the type of tokens or of a sample's elements: u8 or i32 tokens, f32 or u8 samples.
	DataDType engine.DType
	// Scale is what samples are divided by; 0 means 255 for u8 and 1 for f32.
	Scale float32
	// Loss is what is minimised; ClassifierTrainer only.
	Loss Loss
	// Table makes the learning rate of step t element t of the weight lr.table f32 [steps] (see Schedule); there is no
	// input lr then.
	Table bool
	// ClipNorm scales the gradients down where their common 2-norm is above it; 0 leaves them.
	ClipNorm float32
	// Frozen names parameters that are not trained: they stay weights.
	Frozen func(name string) bool
}

// Loss is what a training minimises.
type Loss uint8

const (
	// CrossEntropyLoss is the mean of −log softmax(logits)[label].
	CrossEntropyLoss Loss = iota
	// SquareLoss is the mean of (y − target)² over samples and outputs.
	SquareLoss
)

// RateTable is the weight that holds the learning rate of every step.
const RateTable = "lr.table"

func (t TrainConfig) withDefaults() (TrainConfig, error) {
	if t.Optimizer == nil {
		t.Optimizer = DefaultAdam()
	}
	for _, f := range []struct {
		name string
		v    int64
	}{{"batch", t.Batch}, {"steps", t.Steps}, {"data length", t.DataLen}} {
		if f.v < 1 || f.v > 1<<40 {
			return t, fmt.Errorf("training: %s %d must be in 1..2^40", f.name, f.v)
		}
	}
	return t, nil
}

// trainer holds what every training program declares beside its parameters.
type trainer struct {
	b          *Builder
	g          *Graph
	seed, lr   Value
	loss, hist Value
	clip       float32
	params     []Param
	byName     map[string]Value
}

// newTrainer declares the parameters as states that start from weights of the same names.
func newTrainer(t TrainConfig, specs []ParamSpec) *trainer {
	b := NewBuilder(uint64(t.Steps))
	tr := &trainer{b: b, g: b.Step(), byName: make(map[string]Value)}
	for _, s := range specs {
		if t.Frozen != nil && t.Frozen(s.Name) {
			tr.byName[s.Name] = b.Weight(s.Name, engine.F32, s.Shape...)
			continue
		}
		v := b.StateFrom(s.Name, engine.F32, s.Shape...)
		tr.params = append(tr.params, Param{Name: s.Name, Value: v})
		tr.byName[s.Name] = v
	}
	if len(tr.params) == 0 {
		b.fail("training: every parameter is frozen")
	}
	tr.seed = scalarI64(b, "seed", 0)
	if t.Table {
		tr.lr = tr.g.GatherClamp(b.Weight(RateTable, engine.F32, t.Steps), tr.g.StepNumber())
	} else {
		lr, err := engine.FromF32([]float32{t.LR}, 1)
		if err != nil {
			b.fail("input lr: %w", err)
			return tr
		}
		tr.lr = b.InputDefault("lr", lr)
	}
	tr.clip = t.ClipNorm
	tr.loss, tr.hist = b.State("loss", engine.F32, 1), b.State("losses", engine.F32, t.Steps)
	return tr
}

// finish appends gradients, the optimiser and the record of losses, and makes the parameters the result.
func (tr *trainer) finish(loss Value, o Optimizer, lim engine.Limits) (*engine.Program, error) {
	wrt := make([]Value, len(tr.params))
	for i, p := range tr.params {
		wrt[i] = p.Value
	}
	tr.g.Scope("grad")
	grads := tr.g.Grad(loss, wrt...)
	if tr.clip != 0 {
		tr.g.Scope("clip")
		grads = tr.g.clipNorm(grads, tr.clip)
	}
	tr.g.Scope("optimizer")
	o.Apply(tr.b, tr.g, tr.lr, tr.params, grads)
	tr.g.Scope("loss")
	tr.g.Update(tr.loss, loss)
	tr.g.Update(tr.hist, tr.g.SetRow(tr.hist, loss, tr.g.StepNumber()))
	tr.b.Output(tr.hist)
	for _, p := range tr.params {
		tr.b.Output(p.Value)
	}
	return tr.b.Build(lim)
}

// LlamaTrainer returns a training program. Every step draws batch windows of seq+1 tokens, uniformly by rand@1 from
// (seed, step), and takes one optimiser step on the mean cross-entropy of the next token.
//
//	weights  cfg.Params() (starting values), rope.cos, rope.sin, data [data_len]
//	inputs   seed i64[1] = 0, lr f32[1] = t.LR (with t.Table: the weight lr.table instead)
//	states   the parameters, the optimiser's, loss f32[1], losses f32 [steps]
//	outputs  losses, then the parameters in order
func LlamaTrainer(cfg LlamaConfig, t TrainConfig, lim engine.Limits) (*engine.Program, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	if t, err = t.forTokens(cfg); err != nil {
		return nil, err
	}
	tr := newTrainer(t, cfg.Params())
	b, g := tr.b, tr.g
	net := &llamaNet{cfg: cfg, p: tr.byName}
	net.ropeTables(b)
	data := b.Weight("data", t.DataDType, t.DataLen)

	g.Scope("batch")
	one, batch, seq, win := engine.Const(1), engine.Const(t.Batch), engine.Const(t.Seq), engine.Const(t.Seq+1)
	start := g.Rand(tr.seed, 0, t.DataLen-t.Seq, batch, one)
	logits, y := net.window(g, g.GatherClamp(data, g.Add(start, g.Iota(1, one, win))), batch, seq)
	return tr.finish(g.CrossEntropy(logits, y), t.Optimizer, lim)
}

// forTokens checks what training and measuring on tokens have in common.
func (t TrainConfig) forTokens(cfg LlamaConfig) (TrainConfig, error) {
	t, err := t.withDefaults()
	if err != nil {
		return t, err
	}
	if t.Seq < 1 || t.Seq > cfg.Ctx || t.DataLen <= t.Seq {
		return t, fmt.Errorf("training: seq %d must be in 1..%d (ctx) and below the data length %d", t.Seq, cfg.Ctx, t.DataLen)
	}
	if t.DataDType != engine.U8 && t.DataDType != engine.I32 {
		return t, fmt.Errorf("training: data dtype %s, want u8 or i32", t.DataDType)
	}
	return t, nil
}

func (n *llamaNet) ropeTables(b *Builder) {
	n.cos = b.Weight("rope.cos", engine.F32, n.cfg.Ctx, n.cfg.HeadDim()/2)
	n.sin = b.Weight("rope.sin", engine.F32, n.cfg.Ctx, n.cfg.HeadDim()/2)
}

// window maps windows of tokens [batch, seq+1] to the logits of each next token [batch·seq, vocab], and those tokens
// i32 [batch·seq].
func (n *llamaNet) window(g *Graph, tokens Value, batch, seq engine.Dim) (logits, next Value) {
	tokens = g.Cast(tokens, engine.I32)
	rows := engine.Const(batch.A * seq.A)
	x := g.Reshape(g.Slice(tokens, []int64{0, 0}, engine.Shape{batch, seq}), rows)
	y := g.Reshape(g.Slice(tokens, []int64{0, 1}, engine.Shape{batch, seq}), rows)
	pos := g.Reshape(g.Iota(1, batch, seq), rows)
	h := g.Gather(n.p["tok_embeddings.weight"], x)
	for i := range n.cfg.Layers {
		h = n.block(g, i, h, pos, func(q, k, v Value) Value { return n.attendAll(g, batch, seq, q, k, v) })
	}
	return n.logits(g, h), y
}

// attendAll is causal attention within each window of the batch: the heads become leading dimensions.
func (n *llamaNet) attendAll(g *Graph, batch, seq engine.Dim, q, k, v Value) Value {
	c := n.cfg
	kv, group, hd := engine.Const(c.KVHeads), engine.Const(c.Heads/c.KVHeads), engine.Const(c.HeadDim())
	split := func(x Value, per engine.Dim) Value {
		return g.Transpose(g.Reshape(x, batch, seq, kv, per, hd), 0, 2, 3, 1, 4)
	}
	o := g.Attention(split(q, group), split(k, engine.Const(1)), split(v, engine.Const(1)), c.scale(), true)
	return g.Reshape(g.Transpose(o, 0, 3, 1, 2, 4), engine.Const(batch.A*seq.A), engine.Const(c.Dim))
}
