package quantise

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"poaid/engine"
	"poaid/engine/nn"
	"poaid/model"
	"poaid/model/zoo"
	"poaid/model/zoo/data"
)

// digitSamples gives calibration samples of the training set, and the digits held back with their labels.
func digitSamples(t *testing.T) (train, held []map[string]*engine.Tensor, labels []int64) {
	t.Helper()
	all, err := data.Digits()
	require.NoError(t, err)
	a, b := data.SplitDigits(all)
	one := func(d data.Digit) map[string]*engine.Tensor {
		x, err := engine.FromU8(d.Pixels[:], 1, 8, 8)
		require.NoError(t, err)
		return map[string]*engine.Tensor{"pixels": x}
	}
	for _, d := range a[:200] {
		train = append(train, one(d))
	}
	for _, d := range b {
		held, labels = append(held, one(d)), append(labels, int64(d.Label))
	}
	return train, held, labels
}

func opsOf(p *model.Package) (ops []string) {
	for _, n := range p.Program.Proto().Step.Nodes {
		ops = append(ops, n.Op)
	}
	return ops
}

// TestStaticDigits: the digits classifier loses nothing, and between its first and its last product there are only
// integers. The hashes are those of the day it was written: quantising gives the same bytes on every machine.
func TestStaticDigits(t *testing.T) {
	ctx := context.Background()
	p, err := zoo.Digits()
	require.NoError(t, err)
	train, held, labels := digitSamples(t)
	q, report, err := Static(ctx, p, train, 1)
	require.NoError(t, err)
	require.Equal(t, []string{"conv0.weight", "conv1.weight", "fc0.weight", "fc1.weight"}, report.Quantised)
	require.Empty(t, report.Kept)
	require.Less(t, report.BytesAfter*3, report.BytesBefore)
	loss, err := Compare(ctx, p, q, held, labels, 1)
	require.NoError(t, err)
	require.InDelta(t, 0.9911, loss.Before, 1e-4)
	require.GreaterOrEqual(t, loss.After, 0.985)
	require.GreaterOrEqual(t, loss.Agreement, 0.99)
	require.Positive(t, loss.MaxDifference)
	require.Less(t, loss.MaxDifference, 0.1)

	first, last := 0, 0
	nodes := q.Program.Proto().Step.Nodes
	for i, n := range nodes {
		switch n.Op {
		case "quantise@1":
			require.Zero(t, first)
			first = i
		case "rescale@1":
			require.Zero(t, last)
			last = i
		}
	}
	for _, n := range nodes[first+1 : last] {
		require.True(t, n.Dtype != engine.F32 || n.Op == "const@1", n.Op)
	}
	require.Equal(t, [2]string{"e121605499876e7e", "48d08385cd82aaee"}, [2]string{q.Meta.ProgramHash.String()[:16], q.Meta.WeightsRoot.String()[:16]})
}

// TestDynamicStory: a language model predicts a text about as well as before, in a quarter of the bytes.
func TestDynamicStory(t *testing.T) {
	p, err := zoo.Story()
	require.NoError(t, err)
	q, report, err := Dynamic(p)
	require.NoError(t, err)
	require.Len(t, report.Quantised, 1+4*7)
	require.Less(t, float64(report.BytesAfter), 0.27*float64(report.BytesBefore))
	text, err := data.Tales()
	require.NoError(t, err)
	var tokens []int64
	for _, id := range p.Tokenizer.Encode(text[:1500], true, false) {
		tokens = append(tokens, int64(id))
	}
	require.Greater(t, len(tokens), int(p.Program.MaxSteps()), "more than one window")
	loss, err := CompareText(context.Background(), p, q, tokens, 1)
	require.NoError(t, err)
	require.Equal(t, len(tokens)-1, loss.Tokens, "every token but the first")
	require.InDelta(t, loss.Before, loss.After, 0.02)
	require.Greater(t, loss.Agreement, 0.93)

	same, err := CompareText(context.Background(), p, p, tokens[:40], 1)
	require.NoError(t, err)
	require.Equal(t, 1.0, same.Agreement)
	require.Equal(t, same.Before, same.After)

	// The loss is that of the model's own log-probabilities.
	prompt, err := engine.FromI64(tokens[:8], 8)
	require.NoError(t, err)
	res, err := engine.Execute(context.Background(), p.Program, p.Weights, map[string]*engine.Tensor{"prompt": prompt}, 8, engine.RunOptions{Threads: 1})
	require.NoError(t, err)
	next := res.Output("tokens").I64()[0]
	one, _, err := predict(context.Background(), p, append(tokens[:8:8], next), 1)
	require.NoError(t, err)
	require.InDelta(t, -float64(res.Output("logprobs").F32()[0]), one[7], 1e-5)
}

// build makes a package of one step out of f: x is its input "x", parameters are drawn by the returned weight function.
func build(t require.TestingT, rng *rand.Rand, shape []int64, f func(g *nn.Graph, w func(name string, shape ...int64) nn.Value, x nn.Value) nn.Value) *model.Package {
	b := nn.NewBuilder(1)
	tensors := make(map[string]*engine.Tensor)
	weight := func(name string, shape ...int64) nn.Value {
		n, err := engine.Elements(shape)
		require.NoError(t, err)
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(rng.NormFloat64() / math.Sqrt(float64(n)/float64(shape[0])))
		}
		tensors[name], err = engine.FromF32(v, shape...)
		require.NoError(t, err)
		return b.Weight(name, engine.F32, shape...)
	}
	g := b.Step()
	v := f(g, weight, b.Input("x", engine.F32, shape...))
	y := b.State("y", engine.F32, v.Shape().At(0)...)
	g.Update(y, v)
	b.Output(y)
	prog, err := b.Build(engine.DefaultLimits())
	require.NoError(t, err)
	p, err := model.New(model.Meta{Name: "test"}, prog, tensors, nil)
	require.NoError(t, err)
	return p
}

func samplesOf(t require.TestingT, rng *rand.Rand, n int, shape ...int64) (out []map[string]*engine.Tensor) {
	for range n {
		count, err := engine.Elements(shape)
		require.NoError(t, err)
		v := make([]float32, count)
		for i := range v {
			v[i] = float32(rng.NormFloat64())
		}
		x, err := engine.FromF32(v, shape...)
		require.NoError(t, err)
		out = append(out, map[string]*engine.Tensor{"x": x})
	}
	return out
}

// TestStaticGraphs: every way a layer can look comes out near the float model, and in integers where it should.
func TestStaticGraphs(t *testing.T) {
	type weights = func(name string, shape ...int64) nn.Value
	image, vector := []int64{1, 4, 6, 5}, []int64{3, 8}
	for name, c := range map[string]struct {
		shape []int64
		f     func(g *nn.Graph, w weights, x nn.Value) nn.Value
		kept  []string
		want  map[string]int // how often an op occurs
	}{
		"product by w and by its transpose": {
			vector,
			func(g *nn.Graph, w weights, x nn.Value) nn.Value {
				return g.MatMul(g.Relu(g.MatMul(x, w("a", 8, 6), false, false, 0)), w("b", 5, 6), false, true, 0)
			},
			nil,
			map[string]int{"quantise@1": 1, "requantise@1": 1, "rescale@1": 1},
		},
		"bias [1, n], clip": {
			vector,
			func(g *nn.Graph, w weights, x nn.Value) nn.Value {
				h := g.Clip(g.Add(w("c", 1, 6), g.Linear(x, w("a", 6, 8))), g.F32(-0.5), g.F32(0.75))
				return g.Linear(h, w("b", 4, 6))
			},
			nil,
			map[string]int{"clip@1": 0, "requantise@1": 1},
		},
		"a constant as bias": {
			vector,
			func(g *nn.Graph, w weights, x nn.Value) nn.Value { return g.Add(g.Linear(x, w("a", 6, 8)), g.F32(0.5)) },
			nil,
			map[string]int{"rescale@1": 1, "quantise@1": 1},
		},
		"strided, dilated, grouped and padded": {
			image,
			func(g *nn.Graph, w weights, x nn.Value) nn.Value {
				geo := nn.Geometry{Stride: [2]int64{2, 1}, Dilation: [2]int64{1, 2}, Pad: [4]int64{1, 2, 0, 1}, Groups: 2}
				h := g.Relu(g.Add(g.Convolve(x, w("a", 6, 2, 3, 2), geo), w("c", 1, 6, 1, 1)))
				return g.Convolve(h, w("b", 3, 6, 2, 2), nn.Geometry{Pad: [4]int64{1, 1, 1, 1}})
			},
			nil,
			map[string]int{"pad@1": 1, "requantise@1": 1, "rescale@1": 1},
		},
		"pool and flatten stay integers": {
			image,
			func(g *nn.Graph, w weights, x nn.Value) nn.Value {
				h := g.MaxPool(g.Relu(g.Conv2D(x, w("a", 6, 4, 3, 3), nn.Conv{Pad: 1})), 2, 2)
				return g.Linear(g.Reshape(g.Transpose(h, 0, 2, 3, 1), engine.Const(1), engine.Const(36)), w("b", 4, 36))
			},
			nil,
			map[string]int{"quantise@1": 1, "dequantise@1": 0, "requantise@1": 1},
		},
		"a slice keeps the scale": {
			vector,
			func(g *nn.Graph, w weights, x nn.Value) nn.Value {
				h := g.Relu(g.Linear(x, w("a", 6, 8)))
				return g.Linear(g.Mul(g.Slice(h, []int64{0, 4}, engine.ConstShape(3, 2)), g.F32(1)), w("b", 4, 2))
			},
			nil,
			map[string]int{"dequantise@1": 1, "requantise@1": 1, "quantise@1": 2},
		},
		"a slice of integers": {
			vector,
			func(g *nn.Graph, w weights, x nn.Value) nn.Value {
				h := g.Relu(g.Linear(x, w("a", 6, 8)))
				return g.Linear(g.Slice(h, []int64{0, 4}, engine.ConstShape(3, 2)), w("b", 4, 2))
			},
			nil,
			map[string]int{"dequantise@1": 0, "requantise@1": 1, "quantise@1": 1},
		},
		"a sum in between is in floats": {
			vector,
			func(g *nn.Graph, w weights, x nn.Value) nn.Value {
				h := g.Linear(x, w("a", 8, 8))
				return g.Linear(g.Tanh(g.Add(h, x)), w("b", 4, 8))
			},
			nil,
			map[string]int{"quantise@1": 2, "rescale@1": 2, "requantise@1": 0},
		},
		"a layer read twice": {
			vector,
			func(g *nn.Graph, w weights, x nn.Value) nn.Value {
				h := g.Linear(x, w("a", 8, 8))
				return g.Add(g.Linear(g.Relu(h), w("b", 4, 8)), g.Linear(h, w("d", 4, 8)))
			},
			nil,
			map[string]int{"requantise@1": 1, "quantise@1": 2},
		},
		"a weight of two layers": {
			[]int64{3, 6},
			func(g *nn.Graph, w weights, x nn.Value) nn.Value {
				a := w("a", 6, 6)
				return g.Linear(g.Relu(g.Linear(x, a)), a)
			},
			[]string{"a"},
			map[string]int{"matmul@1": 2, "dequantise@1": 1},
		},
		"a channel of zeros": {
			vector,
			func(g *nn.Graph, w weights, x nn.Value) nn.Value {
				zero := w("a", 6, 8)
				return g.Relu(g.Add(g.Linear(x, zero), w("c", 6)))
			},
			nil,
			map[string]int{"requantise@1": 1, "dequantise@1": 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(3, 4))
			p := build(t, rng, c.shape, c.f)
			switch name {
			case "a channel of zeros":
				clear(p.Weights.Tensors()[0].F32()[8:24])
			case "a slice of integers": // what is cut away is larger
				for i := range 4 * 8 {
					p.Weights.Tensors()[0].F32()[i] *= 4
				}
			}
			samples := samplesOf(t, rng, 20, c.shape...)
			q, report, err := Static(context.Background(), p, samples, 1)
			require.NoError(t, err)
			var kept []string
			for _, k := range report.Kept {
				kept = append(kept, k.Name)
			}
			require.Equal(t, c.kept, kept)
			loss, err := Compare(context.Background(), p, q, samples, nil, 1)
			require.NoError(t, err)
			require.Less(t, loss.MaxDifference, float64(0.04*loss.MaxOutput)+1e-3)
			count := make(map[string]int)
			for _, op := range opsOf(q) {
				count[op]++
			}
			for op, n := range c.want {
				require.Equal(t, n, count[op], "%s in %v", op, opsOf(q))
			}
		})
	}
}

// TestDynamicError holds products of random sizes to the error that rounding activations and weights can make.
func TestDynamicError(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 1))
		n, k, rows := rapid.Int64Range(16, 70).Draw(rt, "n"), rapid.Int64Range(64, 300).Draw(rt, "k"), rapid.Int64Range(1, 3).Draw(rt, "rows")
		tb := rapid.Bool().Draw(rt, "tb")
		p := build(rt, rng, []int64{rows, k}, func(g *nn.Graph, w func(string, ...int64) nn.Value, x nn.Value) nn.Value {
			if tb {
				return g.Linear(x, w("w", n, k))
			}
			return g.MatMul(x, w("w", k, n), false, false, 0)
		})
		q, _, err := Dynamic(p)
		require.NoError(rt, err)
		x := samplesOf(rt, rng, 1, rows, k)[0]
		run := func(p *model.Package) []float32 {
			res, err := engine.Execute(context.Background(), p.Program, p.Weights, x, 1, engine.RunOptions{Threads: 1})
			require.NoError(rt, err)
			return res.Output("y").F32()
		}
		w := p.Weights.Tensors()[0].F32()
		want, got, v := run(p), run(q), x["x"].F32()
		for r := range rows {
			sx := 0.0
			for j := range k {
				sx = max(sx, math.Abs(float64(v[r*k+j]))/127)
			}
			for o := range n {
				sw, bound := 0.0, 1e-3
				at := func(j int64) float64 {
					if tb {
						return math.Abs(float64(w[o*k+j]))
					}
					return math.Abs(float64(w[j*n+o]))
				}
				for j := range k {
					sw = max(sw, at(j)/127)
				}
				for j := range k {
					bound += float64(sx/2*at(j)) + float64(sw/2*math.Abs(float64(v[r*k+j]))) + float64(sx*sw/4)
				}
				require.InDelta(rt, want[r*n+o], got[r*n+o], bound)
			}
		}
	})
}

func TestMultiplier(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		ratio := math.Ldexp(rapid.Float64Range(0.5, 1).Draw(rt, "fraction"), int(rapid.Int64Range(-30, 30).Draw(rt, "exponent")))
		m, s := multiplier(ratio)
		require.GreaterOrEqual(rt, m, int32(1<<30))
		require.InEpsilon(rt, ratio, math.Ldexp(float64(m), -int(s)), 1e-9)
		require.True(rt, s >= 1 && s <= 62)
	})
	for ratio, want := range map[float64][2]int32{
		1: {1 << 30, 30}, 0.75: {3 << 29, 31}, math.Nextafter(1, 0): {1 << 30, 30}, 1 << 29: {1 << 30, 1},
		1 << 40: {math.MaxInt32, 1}, 0x1p-40: {1 << 22, 62}, 0x1p-80: {0, 62},
	} {
		m, s := multiplier(ratio)
		require.Equal(t, want, [2]int32{m, s}, "%g", ratio)
	}
}

func TestRefusals(t *testing.T) {
	ctx := context.Background()
	rng := rand.New(rand.NewPCG(5, 6))
	digits, err := zoo.Digits()
	require.NoError(t, err)
	story, err := zoo.Story()
	require.NoError(t, err)
	relu := build(t, rng, []int64{1, 4}, func(g *nn.Graph, _ func(string, ...int64) nn.Value, x nn.Value) nn.Value { return g.Relu(x) })
	_, _, err = Dynamic(relu)
	require.ErrorIs(t, err, ErrQuantise)
	require.ErrorContains(t, err, "no weight of 1024 elements or more")
	_, _, err = Static(ctx, relu, samplesOf(t, rng, 1, 1, 4), 1)
	require.ErrorContains(t, err, "no convolution or product by a weight")
	_, _, err = Static(ctx, story, nil, 1)
	require.ErrorContains(t, err, "programs of one step; this one has 256")
	_, _, err = Static(ctx, digits, nil, 1)
	require.ErrorContains(t, err, "no calibration samples")
	_, _, err = Static(ctx, digits, samplesOf(t, rng, 1, 1, 8, 8), 1)
	require.ErrorContains(t, err, "calibration sample 0")
	bad := samplesOf(t, rng, 2, 1, 4)
	bad[1]["x"].F32()[2] = float32(math.Inf(-1))
	_, _, err = Static(ctx, relu, bad, 1)
	require.ErrorContains(t, err, "NaN or Inf")
	_, err = CompareText(ctx, digits, digits, []int64{1, 2, 3}, 1)
	require.ErrorContains(t, err, "no language model")
	_, err = CompareText(ctx, story, story, []int64{1}, 1)
	require.ErrorContains(t, err, "want at least 2")
	_, err = Compare(ctx, digits, digits, nil, nil, 1)
	require.ErrorContains(t, err, "samples: none")
	_, err = Compare(ctx, relu, relu, samplesOf(t, rng, 2, 1, 4), []int64{1}, 1)
	require.ErrorContains(t, err, "labels: 1 for 2 samples")
}
