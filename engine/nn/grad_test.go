package nn

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/engine"
)

// lossFn builds a scalar or tensor of inputs; the test reduces it with fixed random weights.
type lossFn func(g *Graph, x []Value) Value

// gradCase is one function with the shapes of its f32 operands.
type gradCase struct {
	shapes [][]int64
	f      lossFn
	// lo moves operands away from kinks and poles: they are drawn from lo to lo+1 when it is not 0.
	lo float64
}

func idx(g *Graph, v ...int64) Value {
	t, err := engine.FromI64(v, int64(len(v)))
	if err != nil {
		panic(err)
	}
	return g.Const(t)
}

func f32Const(g *Graph, rng *rand.Rand, shape ...int64) Value {
	t, err := engine.NewTensor(engine.F32, shape, 1<<20)
	if err != nil {
		panic(err)
	}
	for i := range t.F32() {
		t.F32()[i] = float32(rng.NormFloat64())
	}
	return g.Const(t)
}

func gradCases() map[string]gradCase {
	all := importGradCases()
	for name, c := range baseGradCases() {
		all[name] = c
	}
	return all
}

func baseGradCases() map[string]gradCase {
	un := func(f func(g *Graph, x Value) Value) lossFn {
		return func(g *Graph, x []Value) Value { return f(g, x[0]) }
	}
	bin := func(f func(g *Graph, a, b Value) Value) lossFn {
		return func(g *Graph, x []Value) Value { return f(g, x[0], x[1]) }
	}
	mm := func(ta, tb bool, tri int64) lossFn {
		return bin(func(g *Graph, a, b Value) Value { return g.MatMul(a, b, ta, tb, tri) })
	}
	s23, s234 := []int64{2, 3}, []int64{2, 3, 4}
	bcast := [][]int64{s234, {3, 1}}
	conv := Conv{Stride: 2, Pad: 1, Groups: 2}
	return map[string]gradCase{
		"neg":           {[][]int64{s23}, un((*Graph).Neg), 0},
		"abs":           {[][]int64{s23}, un((*Graph).Abs), -2},
		"relu":          {[][]int64{s23}, un((*Graph).Relu), 0.1},
		"exp":           {[][]int64{s23}, un((*Graph).Exp), 0},
		"log":           {[][]int64{s23}, un((*Graph).Log), 0.5},
		"sqrt":          {[][]int64{s23}, un((*Graph).Sqrt), 0.5},
		"rsqrt":         {[][]int64{s23}, un((*Graph).RSqrt), 0.5},
		"sigmoid":       {[][]int64{s23}, un((*Graph).Sigmoid), 0},
		"tanh":          {[][]int64{s23}, un((*Graph).Tanh), 0},
		"silu":          {[][]int64{s23}, un((*Graph).Silu), 0},
		"gelu tanh":     {[][]int64{s23}, un(func(g *Graph, x Value) Value { return g.Gelu(x, "tanh") }), 0},
		"gelu erf":      {[][]int64{s23}, un(func(g *Graph, x Value) Value { return g.Gelu(x, "erf") }), 0},
		"add":           {bcast, bin((*Graph).Add), 0},
		"sub":           {[][]int64{{4}, s234}, bin((*Graph).Sub), 0},
		"mul":           {bcast, bin((*Graph).Mul), 0},
		"div":           {bcast, bin((*Graph).Div), 0.7},
		"max":           {[][]int64{s23, s23}, bin((*Graph).Max), 0},
		"min":           {[][]int64{s23, s23}, bin((*Graph).Min), 0},
		"square":        {[][]int64{s23}, un(func(g *Graph, x Value) Value { return g.Mul(x, x) }), 0},
		"where":         {[][]int64{s23, s23}, bin(func(g *Graph, a, b Value) Value { return g.Where(g.Lt(g.F32(0), a), g.Mul(a, b), b) }), 0.1},
		"reshape":       {[][]int64{s234}, un(func(g *Graph, x Value) Value { return g.Exp(g.Reshape(x, dims(6, 4)...)) }), 0},
		"transpose":     {[][]int64{s234}, un(func(g *Graph, x Value) Value { return g.Exp(g.Transpose(x, 2, 0, 1)) }), 0},
		"slice":         {[][]int64{s234}, un(func(g *Graph, x Value) Value { return g.Exp(g.Slice(x, []int64{0, 1, 2}, dims(2, 2, 1))) }), 0},
		"pad":           {[][]int64{s23}, un(func(g *Graph, x Value) Value { return g.Exp(g.Pad(x, []int64{1, 0}, []int64{0, 2})) }), 0},
		"concat":        {[][]int64{s23, {2, 2}}, bin(func(g *Graph, a, b Value) Value { return g.Exp(g.Concat(1, a, b)) }), 0},
		"broadcast":     {[][]int64{{3, 1}}, un(func(g *Graph, x Value) Value { return g.Exp(g.Broadcast(x, dims(2, 3, 4)...)) }), 0},
		"tril":          {[][]int64{s234}, un(func(g *Graph, x Value) Value { return g.Exp(g.Tril(x, 1)) }), 0},
		"gather":        {[][]int64{{4, 3}}, un(func(g *Graph, x Value) Value { return g.Exp(g.Gather(x, idx(g, 1, 3, 1, 7, -1))) }), 0},
		"gather clamp":  {[][]int64{{4, 3}}, un(func(g *Graph, x Value) Value { return g.Exp(g.GatherClamp(x, idx(g, 1, 3, 1, 7, -1))) }), 0},
		"take":          {[][]int64{{3, 4}}, un(func(g *Graph, x Value) Value { return g.Exp(g.Take(x, idx(g, 1, 9, 0))) }), 0},
		"scatter add":   {[][]int64{{4, 3}}, un(func(g *Graph, x Value) Value { return g.Exp(g.ScatterAdd(idx(g, 1, 0, 1, 5), x, 2)) }), 0},
		"rope":          {[][]int64{{2, 3, 4}}, func(g *Graph, x []Value) Value { return g.Rope(x[0], ropeT(g, 0), ropeT(g, 1), idx(g, 1, 2), false) }, 0},
		"rope inverse":  {[][]int64{{3, 4}}, func(g *Graph, x []Value) Value { return g.Rope(x[0], ropeT(g, 0), ropeT(g, 1), idx(g, 2), true) }, 0},
		"matmul nn":     {[][]int64{{3, 4}, {4, 2}}, mm(false, false, 0), 0},
		"matmul nt":     {[][]int64{{3, 4}, {2, 4}}, mm(false, true, 0), 0},
		"matmul tn":     {[][]int64{{4, 3}, {4, 2}}, mm(true, false, 0), 0},
		"matmul tt":     {[][]int64{{4, 3}, {2, 4}}, mm(true, true, 0), 0},
		"matmul batch":  {[][]int64{{2, 1, 3, 4}, {3, 4, 2}}, mm(false, false, 0), 0},
		"matmul tri":    {[][]int64{{2, 3, 3}, {2, 3, 2}}, mm(false, false, 1), 0},
		"matmul tri tt": {[][]int64{{3, 3}, {2, 3}}, mm(true, true, 1), 0},
		"sum":           {[][]int64{s234}, un(func(g *Graph, x Value) Value { return g.Exp(g.Sum(x, 1, false, false)) }), 0},
		"sum tri":       {[][]int64{{2, 3, 3}}, un(func(g *Graph, x Value) Value { return g.Exp(g.Sum(x, -1, true, true)) }), 0},
		"max of":        {[][]int64{s234}, un(func(g *Graph, x Value) Value { return g.Exp(g.MaxOf(x, 1, true, false)) }), 0},
		"conv2d":        {[][]int64{{2, 4, 5, 5}, {4, 2, 3, 3}}, bin(func(g *Graph, x, k Value) Value { return g.Conv2D(x, k, conv) }), 0},
		"maxpool":       {[][]int64{{1, 2, 5, 4}}, un(func(g *Graph, x Value) Value { return g.MaxPool(x, 2, 1) }), 0},
		"avgpool":       {[][]int64{{1, 2, 5, 4}}, un(func(g *Graph, x Value) Value { return g.AvgPool(x, 3, 1) }), 0},
		"softmax":       {[][]int64{s23}, un(func(g *Graph, x Value) Value { return g.Softmax(x, false) }), 0},
		"softmax tri":   {[][]int64{{2, 3, 3}}, un(func(g *Graph, x Value) Value { return g.Tril(g.Softmax(x, true), 0) }), 0},
		"log softmax":   {[][]int64{s23}, un((*Graph).LogSoftmax), 0},
		"cross entropy": {[][]int64{{3, 4}}, un(func(g *Graph, x Value) Value { return g.CrossEntropy(x, idx(g, 1, 0, 3)) }), 0},
		"rmsnorm":       {[][]int64{{3, 4}, {4}}, bin(func(g *Graph, x, w Value) Value { return g.RMSNorm(x, w, 1e-5) }), 0},
		"layernorm":     {[][]int64{{3, 4}, {4}, {4}}, func(g *Graph, x []Value) Value { return g.LayerNorm(x[0], x[1], x[2], 1e-5) }, 0},
		"attention": {[][]int64{{2, 2, 3, 4}, {2, 1, 3, 4}, {2, 1, 3, 4}}, func(g *Graph, x []Value) Value {
			return g.Attention(x[0], x[1], x[2], 0.5, false)
		}, 0},
		"attention causal": {[][]int64{{2, 2, 3, 4}, {2, 1, 3, 4}, {2, 1, 3, 4}}, func(g *Graph, x []Value) Value {
			return g.Attention(x[0], x[1], x[2], 0.5, true)
		}, 0},
		"swiglu": {[][]int64{{2, 3}, {4, 3}, {3, 4}, {4, 3}}, func(g *Graph, x []Value) Value { return g.SwiGLU(x[0], x[1], x[2], x[3]) }, 0},
	}
}

func ropeT(g *Graph, seed uint64) Value { return f32Const(g, rand.New(rand.NewPCG(seed, 5)), 4, 2) }

// gradProgram declares operands as states, whose next values are their gradients; the loss is a state too.
func gradProgram(t *testing.T, c gradCase) *engine.Program {
	t.Helper()
	b := NewBuilder(1)
	var x []Value
	for i, s := range c.shapes {
		x = append(x, b.State(string(rune('a'+i)), engine.F32, s...))
	}
	loss := b.State("loss", engine.F32, 1)
	g := b.Step()
	y := c.f(g, x)
	require.NoError(t, b.err)
	n := int64(1)
	for _, d := range y.Shape() {
		n *= d.A
	}
	flat := g.Reshape(y, dims(1, n)...)
	l := g.Sum(g.Mul(flat, f32Const(g, rand.New(rand.NewPCG(4, 4)), 1, n)), -1, false, false)
	g.Update(loss, l)
	for i, gr := range g.Grad(l, x...) {
		g.Update(x[i], gr)
	}
	b.Output(loss)
	prog, err := b.Build(engine.DefaultLimits())
	require.NoError(t, err)
	return prog
}

// evalGrad runs one step and returns the loss and the operands' gradients.
func evalGrad(t *testing.T, prog *engine.Program, x []*engine.Tensor) (loss float64, grads [][]float32) {
	t.Helper()
	w, err := engine.NewWeights(prog, nil)
	require.NoError(t, err)
	in, err := prog.BindInputs(nil)
	require.NoError(t, err)
	run, err := engine.NewRun(prog, w, in, engine.RunOptions{Threads: 1})
	require.NoError(t, err)
	zero, err := engine.FromF32([]float32{0}, 1)
	require.NoError(t, err)
	require.NoError(t, run.SetStates(0, append(append([]*engine.Tensor(nil), x...), zero)))
	require.NoError(t, run.Step(context.Background()))
	states := run.States()
	for _, s := range states[:len(x)] {
		grads = append(grads, append([]float32(nil), s.F32()...))
	}
	return float64(states[len(x)].F32()[0]), grads
}

// operands draws values for a case.
func (c gradCase) operands(t *testing.T) []*engine.Tensor {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	var x []*engine.Tensor
	for k, s := range c.shapes {
		v, err := engine.NewTensor(engine.F32, s, 1<<20)
		require.NoError(t, err)
		n := len(v.F32())
		for i, p := range rng.Perm(n) { // spaced, so that no difference crosses a kink
			v.F32()[i] = float32(float64(p-n/2)/10 + float64(k)/20)
			switch {
			case c.lo != 0:
				v.F32()[i] = float32(c.lo + rng.Float64())
			case n > 40:
				v.F32()[i] = float32(rng.NormFloat64())
			}
		}
		x = append(x, v)
	}
	return x
}

// TestGradients compares every rule and macro with central differences.
func TestGradients(t *testing.T) {
	for name, c := range gradCases() {
		t.Run(name, func(t *testing.T) {
			prog := gradProgram(t, c)
			x := c.operands(t)
			_, grads := evalGrad(t, prog, x)
			for k := range x {
				for i := range x[k].F32() {
					at := func(h float64) float64 {
						y := append([]*engine.Tensor(nil), x...)
						y[k] = x[k].Clone()
						y[k].F32()[i] += float32(h)
						l, _ := evalGrad(t, prog, y)
						return l
					}
					const h = 1e-2
					near, far := at(h)-at(-h), at(2*h)-at(-2*h)
					want := (near + near - far/4) / (3 * h) // fourth order
					got := float64(grads[k][i])
					require.InDelta(t, want, got, float64(2e-3*(1+math.Abs(want))), "operand %d element %d", k, i)
				}
			}
		})
	}
}

func TestGradErrors(t *testing.T) {
	b := NewBuilder(1)
	s := b.State("s", engine.F32, 1)
	g := b.Step()
	g.Grad(s, s)
	_, err := b.Build(engine.DefaultLimits())
	require.ErrorContains(t, err, "loss of Grad")

	b = NewBuilder(1)
	s = b.State("s", engine.F32, 4)
	g = b.Step()
	w := g.Node("expweight@1", nil, engine.Value{}, s, g.F32(0))
	g.Update(s, g.Grad(g.Sum(g.Reshape(g.Cast(w, engine.F32), dims(1, 4)...), -1, false, false), s)[0])
	b.Output(s)
	_, err = b.Build(engine.DefaultLimits())
	require.NoError(t, err) // nothing flows through integers: the gradient is zero

	b = NewBuilder(1)
	s = b.State("s", engine.F32, 2, 2)
	g = b.Step()
	g.Grad(g.Sum(g.Reshape(g.Prod(s, 1, true, true), dims(1, 2)...), 1, false, false), s)
	_, err = b.Build(engine.DefaultLimits())
	require.ErrorContains(t, err, "reduce_prod@1")
}

// TestGradOfUnrelated is zero, and of a shared value the sum of its uses.
func TestGradOfSharedAndUnrelated(t *testing.T) {
	b := NewBuilder(1)
	x, y := b.State("x", engine.F32, 1), b.State("y", engine.F32, 2)
	g := b.Step()
	grads := g.Grad(g.Add(g.Add(g.Mul(x, g.F32(2)), g.Mul(x, g.F32(3))), x), x, y)
	g.Update(x, grads[0])
	g.Update(y, grads[1])
	b.Output(x)
	b.Output(y)
	prog, err := b.Build(engine.DefaultLimits())
	require.NoError(t, err)
	w, err := engine.NewWeights(prog, nil)
	require.NoError(t, err)
	res, err := engine.Execute(context.Background(), prog, w, nil, 1, engine.RunOptions{})
	require.NoError(t, err)
	require.Equal(t, []float32{6}, res.Output("x").F32())
	require.Equal(t, []float32{0, 0}, res.Output("y").F32())
}
