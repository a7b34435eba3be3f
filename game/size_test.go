package game

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/commit"
	"poaid/engine"
)

// bigView is an op at a size that no test could compute.
func bigView(t *testing.T, op string, attrs engine.Attrs, out engine.Operand, in ...engine.Operand) *engine.NodeView {
	t.Helper()
	o, ok := engine.LookupOp(op)
	require.True(t, ok, op)
	return &engine.NodeView{Op: o, Attrs: attrs, In: in, Out: out}
}

func f32(shape ...int64) engine.Operand { return engine.Operand{DType: engine.F32, Shape: shape} }

func ints(name string, v ...int64) engine.Attr { return engine.Attr{Name: name, Ints: v} }

// TestLargeJudgements walks through the fold phase of ops as they are in models of billions of parameters, without
// computing anything: evidence fits a message, and the rounds are those of the design.
func TestLargeJudgements(t *testing.T) {
	conv := func(extra engine.Attr, at int) engine.Attrs {
		a := engine.Attrs{ints("dilation", 1, 1), ints("groups", 1), ints("pad", 0, 0, 0, 0), ints("stride", 1, 1)}
		return append(a[:at:at], append(engine.Attrs{extra}, a[at:]...)...)
	}
	matmul := func(ta, tb int64) engine.Attrs { return engine.Attrs{ints("ta", ta), ints("tb", tb), ints("tri", 0)} }
	reduce := func(axis int64) engine.Attrs {
		return engine.Attrs{ints("axis", axis), ints("keep", 0), ints("tri", 0)}
	}
	i64, i32 := engine.Operand{DType: engine.I64, Shape: []int64{128256}}, engine.Operand{DType: engine.I32, Shape: []int64{128256}}
	for name, v := range map[string]*engine.NodeView{
		"classifier of a 128k vocabulary": bigView(t, "matmul@1", matmul(0, 1), f32(1, 128256), f32(1, 8192), f32(128256, 8192)),
		"weight gradient, both strided":   bigView(t, "matmul@1", matmul(1, 0), f32(14336, 8192), f32(65536, 14336), f32(65536, 8192)),
		"8k context, values":              bigView(t, "matmul@1", matmul(0, 0), f32(8, 4, 128), f32(8, 4, 8192), f32(8, 8192, 128)),
		"conv gradient, 400,000 terms": bigView(t, "conv2d_dw@1", conv(ints("kernel", 3, 3), 2), f32(64, 64, 3, 3),
			f32(32, 64, 112, 112), f32(32, 64, 114, 114)),
		"sum over rows":          bigView(t, "reduce_sum@1", reduce(0), f32(8192), f32(1<<20, 8192)),
		"rank of a vocabulary":   bigView(t, "rank@1", nil, i32, f32(128256)),
		"mass of a vocabulary":   bigView(t, "massabove@1", nil, i64, i64, i32),
		"gradient of embeddings": bigView(t, "scatter_add@1", engine.Attrs{ints("rows", 128256)}, f32(128256, 8192), engine.Operand{DType: engine.I64, Shape: []int64{65536}}, f32(65536, 8192)),
		"gather of a vocabulary": bigView(t, "gather@1", engine.Attrs{{Name: "mode", Text: "clamp"}}, f32(1, 8192), f32(128256, 8192), engine.Operand{DType: engine.I64, Shape: []int64{1}}),
		"product of a long axis": bigView(t, "reduce_prod@1", reduce(0), f32(8192), f32(1<<20, 8192)),
		"resized photograph": bigView(t, "resize@1", engine.Attrs{{Name: "coord", Text: "half_pixel"}, {Name: "mode", Text: "linear"}, {Name: "rounding"}},
			f32(8, 64, 4096, 4096), f32(8, 64, 3000, 5000)),
		"i8 classifier of a 128k vocabulary": bigView(t, "matmul@1", matmul(0, 1), engine.Operand{DType: engine.I32, Shape: []int64{1, 128256}},
			engine.Operand{DType: engine.I8, Shape: []int64{1, 8192}}, engine.Operand{DType: engine.I8, Shape: []int64{128256, 8192}}),
		"max pool, large windows": bigView(t, "maxpool_dx@1", engine.Attrs{ints("kernel", 9, 9), ints("pad", 0, 0, 0, 0), ints("stride", 1, 1)}, f32(8, 64, 1024, 1024), f32(8, 64, 1024, 1024), f32(8, 64, 1016, 1016)),
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, judgeableNode(v))
			r := rand.New(rand.NewPCG(1, 2))
			elems, err := engine.Elements(v.Out.Shape)
			require.NoError(t, err)
			largest, most, steps, fewest := 0, uint64(0), int64(0), int64(0)
			for range 40 {
				g := Game{Position: Position{Elem: r.Int64N(elems)}}
				g.FoldTo, err = v.FoldSteps(g.Elem)
				require.NoError(t, err)
				steps = max(steps, g.FoldTo)
				rounds, bound := uint64(0), logCeil(uint64(g.FoldTo), 64)
				for {
					g, err = g.enterFold(v)
					require.NoError(t, err)
					if g.Phase == PhaseJudge {
						break
					}
					i := r.Uint64N(g.foldSegments())
					g.FoldFrom, g.FoldTo = g.foldAt(i), g.foldAt(i+1)
					rounds++
				}
				require.LessOrEqual(t, rounds, bound)
				require.LessOrEqual(t, g.FoldTo-g.FoldFrom, int64(MaxJudgedSteps))
				size, err := evidenceSize(v, g.Elem, g.FoldFrom, g.FoldTo)
				require.NoError(t, err)
				require.LessOrEqual(t, size, MaxEvidence)
				largest, most = max(largest, size), max(most, rounds)
				fewest = max(fewest, g.FoldTo-g.FoldFrom)
			}
			t.Logf("%d fold steps, %d rounds, %d judged at once, %d bytes", steps, most, fewest, largest)
		})
	}
}

// TestStagedFold counts a row for every fold step of an op that learns only from its first stage which rows it reads.
func TestStagedFold(t *testing.T) {
	v := bigView(t, "scatter_add@1", engine.Attrs{ints("rows", 10)}, f32(10, 1000), engine.Operand{DType: engine.I64, Shape: []int64{500}}, f32(500, 1000))
	one, err := evidenceSize(v, 5, 0, 1)
	require.NoError(t, err)
	all, err := evidenceSize(v, 5, 0, 33)
	require.NoError(t, err)
	require.GreaterOrEqual(t, all-one, 32*commit.ChunkSize)
	fits, err := judgeable(v, 5, 0, 64)
	require.NoError(t, err)
	require.False(t, fits)
}

// TestUnjudgeable refuses an op of which one fold step reads too much.
func TestUnjudgeable(t *testing.T) {
	v := bigView(t, "maxpool_dx@1", engine.Attrs{ints("kernel", 200, 200), ints("pad", 0, 0, 0, 0), ints("stride", 1, 1)},
		f32(1, 1, 4096, 4096), f32(1, 1, 4096, 4096), f32(1, 1, 3897, 3897))
	require.ErrorContains(t, judgeableNode(v), "bytes of evidence")
}

// TestLargestMoves says how large the moves are that do not depend on what is judged.
func TestLargestMoves(t *testing.T) {
	split := (Split{Hashes: make([]commit.Hash, 256)}).Size()
	accs := make([][]byte, FoldArity)
	for i := range accs {
		accs[i] = make([]byte, engine.MaxAcc)
	}
	require.LessOrEqual(t, split, MaxMessage/4)
	require.LessOrEqual(t, (Accumulators{Values: accs}).Size(), MaxMessage/2)
	require.Less(t, MaxEvidence, MaxMessage)
}

func TestCut(t *testing.T) {
	for _, tc := range [][3]uint64{{0, 10, 3}, {5, 6, 1}, {0, 1 << 40, 256}, {7, 72, 65}, {0, 1 << 48, 65}} {
		lo, hi, n := tc[0], tc[1], tc[2]
		require.Equal(t, lo, cut(lo, hi, n, 0))
		require.Equal(t, hi, cut(lo, hi, n, n))
		for i := range n {
			part := cut(lo, hi, n, i+1) - cut(lo, hi, n, i)
			require.Positive(t, part, fmt.Sprint(tc))
			require.LessOrEqual(t, part, (hi-lo+n-1)/n)
		}
	}
}
