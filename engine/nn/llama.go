package nn

import (
	"fmt"
	"math"

	"poaid/engine"
)

// LlamaConfig describes a llama-family decoder: RMSNorm before each block, rotary positions on interleaved pairs,
// grouped-query attention, SwiGLU (Touvron et al. 2023; the semantics are llama2.c's).
type LlamaConfig struct {
	Dim       int64 // model width
	HiddenDim int64 // width of the feed-forward block
	Layers    int
	Heads     int64
	KVHeads   int64 // divides Heads; 0 means Heads
	HeadSize  int64 // width of one head; 0 means Dim / Heads
	Vocab     int64
	Ctx       int64 // positions, and steps of a generation
	// MaxNew is the length of the tokens output; 0 means Ctx.
	MaxNew int64
	// Eps is RMSNorm's; 0 means 1e-5.
	Eps float32
	// QKVBias adds a bias to queries, keys and values (Qwen2).
	QKVBias bool
	// QKNorm applies RMSNorm to each head's queries and keys before they are rotated (Qwen3).
	QKNorm bool
	// TiedOutput uses the token embedding as classifier; otherwise there is a weight output.weight.
	TiedOutput bool
	// EOS are the tokens that end a generation.
	EOS []int64
}

func (c LlamaConfig) withDefaults() (LlamaConfig, error) {
	if c.KVHeads == 0 {
		c.KVHeads = c.Heads
	}
	if c.MaxNew == 0 {
		c.MaxNew = c.Ctx
	}
	if c.Eps == 0 {
		c.Eps = 1e-5
	}
	for _, f := range []struct {
		name string
		v    int64
	}{
		{"dim", c.Dim},
		{"hidden dim", c.HiddenDim},
		{"layers", int64(c.Layers)},
		{"heads", c.Heads},
		{"kv heads", c.KVHeads},
		{"vocab", c.Vocab},
		{"ctx", c.Ctx},
		{"max new", c.MaxNew},
	} {
		if f.v < 1 || f.v > 1<<24 {
			return c, fmt.Errorf("llama: %s %d must be in 1..2^24", f.name, f.v)
		}
	}
	if c.HeadSize < 0 || c.HeadSize > 1<<16 {
		return c, fmt.Errorf("llama: head size %d must be in 0..2^16", c.HeadSize)
	}
	if c.HeadSize == 0 && c.Dim%c.Heads != 0 || c.Heads%c.KVHeads != 0 || c.HeadDim()%2 != 0 {
		return c, fmt.Errorf("llama: dim %d, heads %d, kv heads %d: heads must divide dim into even parts, kv heads must divide heads",
			c.Dim, c.Heads, c.KVHeads)
	}
	return c, nil
}

// HeadDim is the width of one head.
func (c LlamaConfig) HeadDim() int64 {
	if c.HeadSize > 0 {
		return c.HeadSize
	}
	return c.Dim / c.Heads
}

// QDim is the width of a row of queries, and of what attention gives: Dim unless HeadSize says otherwise.
func (c LlamaConfig) QDim() int64 { return c.Heads * c.HeadDim() }

// KVDim is the width of a row of the key and value caches.
func (c LlamaConfig) KVDim() int64 {
	if c.KVHeads == 0 {
		return c.QDim()
	}
	return c.KVHeads * c.HeadDim()
}

// Params lists the weights in order, with how a training run initialises them. Matrices are [out, in].
//
//	tok_embeddings.weight [vocab, dim]
//	layers.<i>.attention_norm.weight [dim]        layers.<i>.attention.w{q,k,v,o}.weight
//	layers.<i>.ffn_norm.weight [dim]              layers.<i>.feed_forward.w{1,2,3}.weight
//	layers.<i>.attention.w{q,k,v}.bias with QKVBias
//	layers.<i>.attention.{q,k}_norm.weight [head_dim] with QKNorm
//	norm.weight [dim]                             output.weight [vocab, dim] unless tied
//	rope.cos, rope.sin [ctx, head_dim/2]          (not trained)
func (c LlamaConfig) Params() []ParamSpec {
	std := float32(0.02)
	out := float32(0.02 / math.Sqrt(float64(2*c.Layers)))
	list := []ParamSpec{{Name: "tok_embeddings.weight", Shape: []int64{c.Vocab, c.Dim}, Init: Normal(std)}}
	for i := range c.Layers {
		p := func(name string, init Init, shape ...int64) {
			list = append(list, ParamSpec{Name: fmt.Sprintf("layers.%d.%s.weight", i, name), Shape: shape, Init: init})
		}
		p("attention_norm", Ones(), c.Dim)
		p("attention.wq", Normal(std), c.QDim(), c.Dim)
		p("attention.wk", Normal(std), c.KVDim(), c.Dim)
		p("attention.wv", Normal(std), c.KVDim(), c.Dim)
		p("attention.wo", Normal(out), c.Dim, c.QDim())
		list = append(list, c.extras(i)...)
		p("ffn_norm", Ones(), c.Dim)
		p("feed_forward.w1", Normal(std), c.HiddenDim, c.Dim)
		p("feed_forward.w2", Normal(out), c.Dim, c.HiddenDim)
		p("feed_forward.w3", Normal(std), c.HiddenDim, c.Dim)
	}
	list = append(list, ParamSpec{Name: "norm.weight", Shape: []int64{c.Dim}, Init: Ones()})
	if !c.TiedOutput {
		list = append(list, ParamSpec{Name: "output.weight", Shape: []int64{c.Vocab, c.Dim}, Init: Normal(std)})
	}
	return list
}

// extras lists the weights of a layer's attention that only some families have.
func (c LlamaConfig) extras(layer int) (list []ParamSpec) {
	name := func(s string) string { return fmt.Sprintf("layers.%d.attention.%s", layer, s) }
	if c.QKVBias {
		list = append(list,
			ParamSpec{Name: name("wq.bias"), Shape: []int64{c.QDim()}, Init: Zeros()},
			ParamSpec{Name: name("wk.bias"), Shape: []int64{c.KVDim()}, Init: Zeros()},
			ParamSpec{Name: name("wv.bias"), Shape: []int64{c.KVDim()}, Init: Zeros()})
	}
	if c.QKNorm {
		list = append(list,
			ParamSpec{Name: name("q_norm.weight"), Shape: []int64{c.HeadDim()}, Init: Ones()},
			ParamSpec{Name: name("k_norm.weight"), Shape: []int64{c.HeadDim()}, Init: Ones()})
	}
	return list
}

// llamaNet is a llama's weights in a graph.
type llamaNet struct {
	cfg      LlamaConfig
	p        map[string]Value
	cos, sin Value
}

func (n *llamaNet) layer(i int, name string) Value {
	return n.p[fmt.Sprintf("layers.%d.%s.weight", i, name)]
}

func (n *llamaNet) classifier() Value {
	if n.cfg.TiedOutput {
		return n.p["tok_embeddings.weight"]
	}
	return n.p["output.weight"]
}

// block is one layer: x + attention, then + feed-forward. attend maps rotated queries [s, heads, hd], keys and values
// [s, kv heads, hd] to [s, dim].
func (n *llamaNet) block(g *Graph, i int, x, pos Value, attend func(q, k, v Value) Value) Value {
	c := n.cfg
	s := x.Dim(0)
	g.Scope(fmt.Sprintf("layers.%d.attention", i))
	h := g.RMSNorm(x, n.layer(i, "attention_norm"), c.Eps)
	heads := func(w string, k int64) Value {
		y := g.Linear(h, n.layer(i, w))
		if c.QKVBias {
			y = g.Add(y, n.p[fmt.Sprintf("layers.%d.%s.bias", i, w)])
		}
		return g.Reshape(y, s, engine.Const(k), engine.Const(c.HeadDim()))
	}
	normed := func(x Value, name string) Value {
		if !c.QKNorm {
			return x
		}
		return g.RMSNorm(x, n.layer(i, name), c.Eps)
	}
	q := g.Rope(normed(heads("attention.wq", c.Heads), "attention.q_norm"), n.cos, n.sin, pos, false)
	k := g.Rope(normed(heads("attention.wk", c.KVHeads), "attention.k_norm"), n.cos, n.sin, pos, false)
	x = g.Add(x, g.Linear(attend(q, k, heads("attention.wv", c.KVHeads)), n.layer(i, "attention.wo")))
	g.Scope(fmt.Sprintf("layers.%d.feed_forward", i))
	h = g.RMSNorm(x, n.layer(i, "ffn_norm"), c.Eps)
	return g.Add(x, g.SwiGLU(h, n.layer(i, "feed_forward.w1"), n.layer(i, "feed_forward.w2"), n.layer(i, "feed_forward.w3")))
}

func (n *llamaNet) logits(g *Graph, x Value) Value {
	g.Scope("head")
	return g.Linear(g.RMSNorm(x, n.p["norm.weight"], n.cfg.Eps), n.classifier())
}

func (c LlamaConfig) scale() float32 { return float32(1 / math.Sqrt(float64(c.HeadDim()))) }

// generation holds the declarations that the step and the forced graph share.
type generation struct {
	llamaNet
	prompt, cur, tokens, logprobs, count, stopped Value
	k, v                                          []Value
	sample                                        SampleOptions
}

// Llama returns a generation program. Step t reads token t of the sequence (prompt, then what was sampled) and, from
// the last prompt token on, samples the next one.
//
//	inputs   prompt i64 [1..ctx], seed i64[1] = 0, temperature i32[1] = 0 (millionths; 0: greedy),
//	         top_k i32[1] = 0 (off), top_p i32[1] = 1000000 (parts per million; off)
//	outputs  tokens i64 [max_new], logprobs f32 [max_new] (of the raw logits), count i64[1], stopped i64[1] (the stop
//	         state: x/models asks that it is an output)
//	states   k.<i>, v.<i> f32 [ctx, kv_dim], cur i64[1], and the outputs
//
// A run of T steps over a prompt of n tokens gives T−n+1 new tokens, less if one of cfg.EOS came first; that one is
// counted too.
func Llama(cfg LlamaConfig, lim engine.Limits) (*engine.Program, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	b := NewBuilder(uint64(cfg.Ctx))
	n := &generation{llamaNet: llamaNet{cfg: cfg, p: make(map[string]Value)}}
	for _, p := range cfg.Params() {
		n.p[p.Name] = b.Weight(p.Name, engine.F32, p.Shape...)
	}
	n.cos = b.Weight("rope.cos", engine.F32, cfg.Ctx, cfg.HeadDim()/2)
	n.sin = b.Weight("rope.sin", engine.F32, cfg.Ctx, cfg.HeadDim()/2)
	n.prompt = b.RowsInput("prompt", engine.I64, cfg.Ctx)
	n.sample = SampleOptions{
		Seed: scalarI64(b, "seed", 0), Temperature: scalarI32(b, "temperature", 0),
		TopK: scalarI32(b, "top_k", 0), TopP: scalarI32(b, "top_p", 1000000),
	}
	for i := range cfg.Layers {
		n.k = append(n.k, b.State(fmt.Sprintf("k.%d", i), engine.F32, cfg.Ctx, cfg.KVDim()))
		n.v = append(n.v, b.State(fmt.Sprintf("v.%d", i), engine.F32, cfg.Ctx, cfg.KVDim()))
	}
	n.cur, n.tokens = b.State("cur", engine.I64, 1), b.State("tokens", engine.I64, cfg.MaxNew)
	n.logprobs = b.State("logprobs", engine.F32, cfg.MaxNew)
	n.count, n.stopped = b.State("count", engine.I64, 1), b.State("stopped", engine.I64, 1)
	b.StopState(n.stopped)
	b.Output(n.tokens)
	b.Output(n.logprobs)
	b.Output(n.count)
	b.Output(n.stopped)

	n.decode(b.Forced(n.prompt), true)
	n.finish(b.Step(), n.decode(b.Step(), false))
	return b.Build(lim)
}

func scalarI64(b *Builder, name string, v int64) Value {
	t, err := engine.FromI64([]int64{v}, 1)
	if err != nil {
		b.fail("input %q: %w", name, err)
		return Value{}
	}
	return b.InputDefault(name, t)
}

func scalarI32(b *Builder, name string, v int32) Value {
	t, err := engine.FromI32([]int32{v}, 1)
	if err != nil {
		b.fail("input %q: %w", name, err)
		return Value{}
	}
	return b.InputDefault(name, t)
}

// decode appends the layers for position t and updates the caches; it returns the last hidden row [1, dim]. A forced
// step only needs the caches: its last layer ends with them.
func (n *generation) decode(g *Graph, forced bool) Value {
	t := g.StepNumber()
	token := g.Gather(n.prompt, t)
	if !forced {
		token = g.Where(g.Lt(t, g.Rows(n.prompt)), token, n.cur)
	}
	x := g.Gather(n.p["tok_embeddings.weight"], token)
	for i := range n.cfg.Layers {
		x = n.block(g, i, x, t, func(q, k, v Value) Value { return n.attend(g, i, t, q, k, v) })
	}
	return x
}

// attend writes row t of the caches and attends over rows 0..t, the query heads of a group as rows of one product.
func (n *generation) attend(g *Graph, i int, t, q, k, v Value) Value {
	c := n.cfg
	one, hd, kv := engine.Const(1), engine.Const(c.HeadDim()), engine.Const(c.KVHeads)
	rows := engine.Dim{A: 1, B: 1}
	if c.Ctx == 1 {
		rows = one
	}
	cached := func(state, row Value) Value {
		next := g.SetRow(state, g.Reshape(row, one, engine.Const(c.KVDim())), t)
		g.Update(state, next)
		used := g.Slice(next, []int64{0, 0}, engine.Shape{rows, engine.Const(c.KVDim())})
		return g.Transpose(g.Reshape(used, rows, kv, hd), 1, 0, 2)
	}
	q = g.Reshape(q, kv, engine.Const(c.Heads/c.KVHeads), hd)
	o := g.Attention(q, cached(n.k[i], k), cached(n.v[i], v), c.scale(), false)
	return g.Reshape(o, one, engine.Const(c.QDim()))
}

// finish appends the head: logits, the next token, and the bookkeeping.
func (n *generation) finish(g *Graph, x Value) {
	logits := n.logits(g, x)
	g.Scope("sample")
	next := g.Sample(logits, n.sample)
	g.Scope("output")
	count := g.Add(n.count, g.I64(1))
	g.Update(n.cur, next)
	g.Update(n.tokens, g.SetRow(n.tokens, next, n.count))
	g.Update(n.logprobs, g.SetRow(n.logprobs, g.Take(g.LogSoftmax(logits), next), n.count))
	g.Update(n.count, count)
	done := g.I64(0)
	for _, eos := range n.cfg.EOS {
		done = g.Where(g.Eq(next, g.I64(eos)), g.Add(g.StepNumber(), g.I64(1)), done)
	}
	if len(n.cfg.EOS) > 0 {
		g.Update(n.stopped, done)
	}
}
