package programs

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/engine"
	"poaid/engine/nn"
)

// Zoo is a program with one node of every op, each an output, with folds of many steps and tensors of many chunks.
func Zoo(tb testing.TB) Program {
	tb.Helper()
	b := nn.NewBuilder(1)
	g := b.Step()
	shown := 0
	show := func(v nn.Value) nn.Value {
		if !v.Valid() {
			return v
		}
		s := b.State(fmt.Sprintf("s%d", shown), v.DType(), v.Shape().At(0)...)
		shown++
		g.Update(s, v)
		b.Output(s)
		return v
	}
	ints := func(name string, v ...int64) engine.Attr { return engine.Attr{Name: name, Ints: v} }
	text := func(name, v string) engine.Attr { return engine.Attr{Name: name, Text: v} }
	of := func(dt engine.DType, shape ...int64) engine.Value {
		return engine.Value{DType: dt, Shape: engine.ConstShape(shape...)}
	}
	none := engine.Value{}
	node := func(op string, out engine.Value, in []nn.Value, attrs ...engine.Attr) nn.Value {
		return show(g.Node(op+"@1", attrs, out, in...))
	}
	in := func(v ...nn.Value) []nn.Value { return v }

	x, y := b.Weight("x", engine.F32, 30, 300), b.Weight("y", engine.F32, 300, 10)
	img, ker := b.Weight("img", engine.F32, 2, 3, 12, 12), b.Weight("ker", engine.F32, 4, 3, 3, 3)
	seed, table := b.Input("seed", engine.I64, 1), b.RowsInput("table", engine.I64, 40)
	vec := b.Weight("vec", engine.F32, 300)
	zero := g.I64(0)

	show(zero)
	t := show(g.StepNumber())
	show(g.Iota(0, engine.Const(50)))
	show(g.Rows(table))
	for _, op := range []string{"neg", "abs", "relu", "exp", "log", "sqrt", "rsqrt", "sigmoid", "tanh", "silu"} {
		node(op, none, in(x))
	}
	node("gelu", none, in(x), text("variant", "tanh"))
	row := show(g.Slice(x, []int64{3, 0}, engine.ConstShape(1, 300)))
	for _, op := range []string{"add", "sub", "mul", "div", "max", "min"} {
		node(op, none, in(x, row))
	}
	eq, lt := show(g.Eq(x, row)), show(g.Lt(x, row))
	show(g.Le(x, row))
	show(g.And(eq, lt))
	show(g.Or(eq, lt))
	show(g.Not(eq))
	show(g.Where(lt, x, row))
	whole := node("cast", of(engine.I32, 300), in(vec), text("mode", "nearest"))
	show(g.Reshape(x, engine.Const(9000)))
	show(g.Transpose(x, 1, 0))
	node("concat", none, in(x, row), ints("axis", 0))
	show(g.Pad(x, []int64{1, 2}, []int64{0, 3}))
	node("broadcast", of(engine.F32, 7, 300), in(row))
	idx := show(g.Rand(seed, 1, 30, engine.Const(20)))
	show(g.Gather(x, idx))
	cols := show(g.Rand(seed, 2, 300, engine.Const(30)))
	show(g.Take(x, cols))
	show(g.SetRow(x, row, t))
	cos, sin := b.Weight("cos", engine.F32, 8, 150), b.Weight("sin", engine.F32, 8, 150)
	show(g.Rope(x, cos, sin, t, false))
	show(g.OneHot(idx, 64))
	node("tril", none, in(x), ints("offset", 2))
	any64 := show(g.Rand(seed, 3, 0, engine.Const(300)))
	node("mulhi", none, in(any64, any64))
	mass := node("expweight", none, in(vec, g.Slice(vec, []int64{0}, engine.ConstShape(1))))
	show(g.MatMul(x, y, false, false, 0))
	show(g.MatMul(x, x, false, true, 1))
	for axis := range 2 {
		show(g.Sum(x, axis, true, false))
		show(g.MaxOf(x, axis, false, false))
	}
	show(g.Sum(whole, 0, true, false))
	node("argmax", none, in(x), ints("axis", 1), ints("keep", 0), ints("tri", 0))
	rank := node("rank", none, in(vec))
	node("massabove", none, in(mass, rank))
	node("pick", none, in(mass, g.I64(1<<40)))
	conv := []engine.Attr{ints("dilation", 1, 1), ints("groups", 1), ints("pad", 1, 1, 1, 1), ints("stride", 1, 1)}
	dy := node("conv2d", none, in(img, ker), conv...)
	node("conv2d_dw", none, in(dy, img), append(conv[:2:2], ints("kernel", 3, 3), conv[2], conv[3])...)
	node("conv2d_dx", none, in(dy, ker), append(conv[:3:3], ints("size", 12, 12), conv[3])...)
	pool := []engine.Attr{ints("kernel", 3, 3), ints("pad", 0, 0, 0, 0), ints("stride", 2, 2)}
	p := node("maxpool", none, in(img), pool...)
	node("avgpool", none, in(img), pool...)
	node("maxpool_dx", none, in(img, p), pool...)
	node("avgpool_dx", none, in(p), pool[0], pool[1], ints("size", 12, 12), pool[2])
	show(g.ScatterAdd(g.Rand(seed, 4, 3, engine.Const(30)), x, 3))
	importOps(g, show, x, img, ker)
	prog, err := b.Build(engine.DefaultLimits())
	require.NoError(tb, err)

	weights := make([]*engine.Tensor, 0)
	for i, spec := range prog.WeightSpecs() {
		n, err := engine.Elements(spec.Shape)
		require.NoError(tb, err)
		v := make([]float32, n)
		for j := range v {
			v[j] = float32((j*37+i*11)%101-40) / 32
		}
		w, err := engine.FromF32(v, spec.Shape...)
		require.NoError(tb, err)
		weights = append(weights, w)
	}
	bound, err := engine.NewWeights(prog, weights)
	require.NoError(tb, err)
	return Program{prog, bound, map[string]*engine.Tensor{"seed": i64(tb, 5), "table": i64(tb, 7, 8, 9)}, 1}
}
