package sprint

import (
	"errors"
	"fmt"
	"math"

	"poaid/engine"
	"poaid/engine/nn"
	"poaid/engine/num"
)

// ErrProgram is wrapped by errors about configurations and programs.
var ErrProgram = errors.New("not a sprint program")

// Width is the number of elements of a leaf's value, ValueSize its bytes.
const (
	Width     = 16
	ValueSize = 4 * Width
)

// Names of what a sprint program declares.
const (
	inputTokens  = "tokens"
	inputPeriod  = "period"
	outputLeaves = "leaves"
	weightTokens = "token_embedding"
)

const (
	eps   = 1e-5
	theta = 10000
)

// Config is the shape of the reference transformer: RMSNorm, rotary positions, causal attention, SwiGLU.
type Config struct {
	Layers int
	Dim    int // model width; Heads divide it into even parts
	Heads  int
	Hidden int // width of the feed-forward block
	Vocab  int // tokens, a power of two
	// MaxTokens is the longest leaf, in tokens.
	MaxTokens int
	// Sample is the number of leaves that one run holds: as many as an audit opens.
	Sample int
}

// Default is the transformer of the default genesis: 1.5 million parameters, audits of 80 leaves of up to 64 tokens.
func Default() Config {
	return Config{Layers: 2, Dim: 256, Heads: 4, Hidden: 512, Vocab: 256, MaxTokens: 64, Sample: 80}
}

// Tiny is a transformer for tests: some thousand parameters, audits of 8 leaves of up to 8 tokens.
func Tiny() Config {
	return Config{Layers: 1, Dim: 16, Heads: 2, Hidden: 24, Vocab: 32, MaxTokens: 8, Sample: 8}
}

func (c Config) validate() error {
	for _, f := range []struct {
		name   string
		v      int
		lo, hi int
	}{
		{"layers", c.Layers, 1, 256},
		{"dim", c.Dim, Width, 1 << 14},
		{"heads", c.Heads, 1, 256},
		{"hidden", c.Hidden, 1, 1 << 16},
		{"vocab", c.Vocab, 2, 1 << 16},
		{"max tokens", c.MaxTokens, 1, 1 << 12},
		{"sample", c.Sample, 1, 1 << 12},
	} {
		if f.v < f.lo || f.v > f.hi {
			return fmt.Errorf("%w: %s: %d, want %d to %d", ErrProgram, f.name, f.v, f.lo, f.hi)
		}
	}
	if c.Dim%(2*c.Heads) != 0 {
		return fmt.Errorf("%w: heads: %d do not divide dim %d into even parts", ErrProgram, c.Heads, c.Dim)
	}
	if c.Vocab&(c.Vocab-1) != 0 {
		return fmt.Errorf("%w: vocab: %d is not a power of two", ErrProgram, c.Vocab)
	}
	return nil
}

// Program returns the transformer as a program whose step is one token.
//
//	inputs   tokens i32 [1..sample·max_tokens], leaf after leaf; period i64[1], tokens of a leaf
//	output   leaves f32 [sample, 16]: row i is the value of the i-th leaf
//	states   position, slot, picked i64[1]; sum f32 [1, 16]; k.<i>, v.<i> f32 [max_tokens, dim]; leaves
//
// A run of m·period steps fills m rows. Rows of the caches beyond the position hold the leaf before; they are masked, so a value depends
// on the leaf alone.
func Program(c Config) (*engine.Program, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	rows := int64(c.Sample) * int64(c.MaxTokens)
	d := &decoder{cfg: c, b: nn.NewBuilder(uint64(rows))} // #nosec G115 -- at most 2^24
	d.g = d.b.Step()
	d.tokens, d.period = d.b.RowsInput(inputTokens, engine.I32, rows), d.b.Input(inputPeriod, engine.I64, 1)
	d.position, d.slot, d.picked = d.b.State("position", engine.I64, 1), d.b.State("slot", engine.I64, 1), d.b.State("picked", engine.I64, 1)
	d.sum, d.leaves = d.b.State("sum", engine.F32, 1, Width), d.b.State(outputLeaves, engine.F32, int64(c.Sample), Width)
	d.b.Output(d.leaves)
	x := d.embed()
	d.rotate()
	for i := range c.Layers {
		x = d.layer(i, x)
	}
	d.finish(x)
	return d.b.Build(engine.DefaultLimits())
}

// decoder is the program under construction.
type decoder struct {
	cfg                                 Config
	b                                   *nn.Builder
	g                                   *nn.Graph
	tokens, period                      nn.Value
	position, slot, picked, sum, leaves nn.Value
	first                               nn.Value // whether this is a leaf's first token
	cos, sin, admitted                  nn.Value // angles of the position, positions that may be attended to
}

func (d *decoder) matrix(name string, rows, cols int) nn.Value {
	return d.b.Weight(name, engine.F32, int64(rows), int64(cols))
}

func (d *decoder) norm(name string, x nn.Value) nn.Value {
	return d.g.RMSNorm(x, d.b.Weight(name+normSuffix, engine.F32, int64(d.cfg.Dim)), eps)
}

// embed adds the rows of this step's token and of the token that the step before picked.
func (d *decoder) embed() nn.Value {
	g := d.g
	g.Scope("embed")
	d.first = g.Eq(d.position, g.I64(0))
	token := g.Gather(d.matrix(weightTokens, d.cfg.Vocab, d.cfg.Dim), g.Gather(d.tokens, g.StepNumber()))
	before := g.Where(d.first, g.I64(-1), d.picked) // no row: zeros
	return g.Add(token, g.Gather(d.matrix("picked_embedding", d.cfg.Vocab, d.cfg.Dim), before))
}

// rotate computes what the layers share: the rotary angles of the position and the mask. There are no tables, so that every weight is
// random or one.
func (d *decoder) rotate() {
	g, half := d.g, d.cfg.Dim/d.cfg.Heads/2
	g.Scope("position")
	freq := make([]float32, half)
	for i := range freq {
		// theta^(−i/half) in the engine's own arithmetic, the same bits on every machine.
		freq[i] = num.Exp(num.Div(num.Mul(float32(-i), num.Log(theta)), float32(half)))
	}
	table, err := engine.FromF32(freq, 1, int64(half))
	if err != nil {
		return // a shape of at least one element always fits
	}
	angle := g.Mul(g.Cast(d.position, engine.F32), g.Const(table))
	d.cos, d.sin = g.Cos(angle), g.Sin(angle)
	d.admitted = g.Le(g.Iota(0, engine.Const(int64(d.cfg.MaxTokens))), d.position)
}

// layer is one block: attention over the leaf so far, then the feed-forward part, each added to x.
func (d *decoder) layer(i int, x nn.Value) nn.Value {
	c, g := d.cfg, d.g
	name := func(s string) string { return fmt.Sprintf("layers.%d.%s", i, s) }
	g.Scope(name("attention"))
	h := d.norm(name("attention"), x)
	one, heads, hd := engine.Const(1), engine.Const(int64(c.Heads)), engine.Const(int64(c.Dim/c.Heads))
	project := func(w string) nn.Value { return g.Linear(h, d.matrix(name(w), c.Dim, c.Dim)) }
	rotated := func(x nn.Value) nn.Value { return g.Rope(g.Reshape(x, heads, hd), d.cos, d.sin, g.I64(0), false) }
	q := g.Reshape(rotated(project("wq")), heads, one, hd)
	k := d.cache(name("k"), rotated(project("wk")))
	v := d.cache(name("v"), project("wv"))
	scores := g.Mul(g.MatMul(q, k, false, true, 0), g.F32(float32(1/math.Sqrt(float64(c.Dim/c.Heads)))))
	p := g.Softmax(g.Where(d.admitted, scores, g.F32(float32(math.Inf(-1)))), false)
	o := g.Reshape(g.MatMul(p, v, false, false, 0), one, engine.Const(int64(c.Dim)))
	x = g.Add(x, g.Linear(o, d.matrix(name("wo"), c.Dim, c.Dim)))
	g.Scope(name("feed_forward"))
	h = d.norm(name("feed_forward"), x)
	return g.Add(x, g.SwiGLU(h, d.matrix(name("w1"), c.Hidden, c.Dim), d.matrix(name("w2"), c.Dim, c.Hidden), d.matrix(name("w3"), c.Hidden, c.Dim)))
}

// cache writes the position's row of a cache and returns the cache as [heads, max tokens, head size].
func (d *decoder) cache(name string, row nn.Value) nn.Value {
	c, g := d.cfg, d.g
	dim, tokens := engine.Const(int64(c.Dim)), engine.Const(int64(c.MaxTokens))
	state := d.b.State(name, engine.F32, int64(c.MaxTokens), int64(c.Dim))
	next := g.SetRow(state, g.Reshape(row, engine.Const(1), dim), d.position)
	g.Update(state, next)
	return g.Transpose(g.Reshape(next, tokens, engine.Const(int64(c.Heads)), engine.Const(int64(c.Dim/c.Heads))), 1, 0, 2)
}

// finish picks the next token, adds to the leaf's value, and moves on: to the next position, or to the first of the next leaf.
func (d *decoder) finish(x nn.Value) {
	g := d.g
	g.Scope("head")
	h := d.norm("head", x)
	g.Update(d.picked, g.ArgMax(g.Linear(h, d.matrix("head", d.cfg.Vocab, d.cfg.Dim)), -1, false))
	g.Scope("value")
	sum := g.Add(g.Where(d.first, g.F32(0), d.sum), g.Slice(h, []int64{0, 0}, engine.ConstShape(1, Width)))
	g.Update(d.sum, sum)
	g.Update(d.leaves, g.SetRow(d.leaves, sum, d.slot))
	g.Scope("next")
	next := g.Add(d.position, g.I64(1))
	last := g.Le(d.period, next)
	g.Update(d.position, g.Where(last, g.I64(0), next))
	g.Update(d.slot, g.Where(last, g.Add(d.slot, g.I64(1)), d.slot))
}

// Layout is what can be read from a sprint program: how many tokens it knows, the longest leaf, and the leaves of one run.
type Layout struct {
	Vocab, MaxTokens, Sample int
}

// LayoutOf reads a program's layout. A program that does not declare what sprints need is refused with ErrProgram; what its
// graph computes is governance's concern.
func LayoutOf(prog *engine.Program) (Layout, error) {
	var l Layout
	in, states, weights := prog.InputSpecs(), prog.StateSpecs(), prog.WeightSpecs()
	if len(in) != 2 || in[0].Name != inputTokens || in[0].DType != engine.I32 || len(in[0].Shape) != 1 || !in[0].VariableRows {
		return l, fmt.Errorf("%w: inputs: want %s i32 [rows] with variable rows, then %s", ErrProgram, inputTokens, inputPeriod)
	}
	if in[1].Name != inputPeriod || in[1].DType != engine.I64 || len(in[1].Shape) != 1 || in[1].Shape[0] != 1 || in[1].VariableRows {
		return l, fmt.Errorf("%w: inputs: want %s i64[1]", ErrProgram, inputPeriod)
	}
	if out := prog.OutputNames(); len(out) != 1 || out[0] != outputLeaves || prog.StopState() != "" || prog.HasForced() {
		return l, fmt.Errorf("%w: want the one output %s, no stop state and no forced graph", ErrProgram, outputLeaves)
	}
	for _, s := range states {
		if s.Name == outputLeaves && s.DType == engine.F32 && len(s.Shape) == 2 && s.Shape[1] == Width && s.Shape[0] <= 1<<12 {
			l.Sample = int(s.Shape[0])
		}
	}
	rows := in[0].Shape[0]
	if l.Sample == 0 || rows > 1<<24 || rows%int64(l.Sample) != 0 || prog.MaxSteps() != uint64(rows) { // #nosec G115 -- a shape is positive
		return l, fmt.Errorf("%w: want %s f32 [sample, %d], and rows of %s and steps that are one multiple of sample", ErrProgram, outputLeaves, Width, inputTokens)
	}
	l.MaxTokens = int(rows / int64(l.Sample))
	for _, w := range weights {
		if w.Name == weightTokens && len(w.Shape) == 2 && w.Shape[0] >= 2 && w.Shape[0] <= 1<<16 && w.Shape[0]&(w.Shape[0]-1) == 0 {
			l.Vocab = int(w.Shape[0])
		}
		if _, err := kindOf(w.Name, w.DType, w.Shape); err != nil {
			return l, err
		}
	}
	if l.Vocab == 0 {
		return l, fmt.Errorf("%w: want a weight %s [vocab, dim] with a power of two of rows", ErrProgram, weightTokens)
	}
	if err := startsEmpty(states); err != nil {
		return l, err
	}
	return l, nil
}

// startsEmpty refuses states that start as weights: an audit's run must start as every other.
func startsEmpty(states []engine.StateSpec) error {
	for _, s := range states {
		if s.InitWeight != "" {
			return fmt.Errorf("%w: state %q starts as a weight", ErrProgram, s.Name)
		}
	}
	return nil
}
