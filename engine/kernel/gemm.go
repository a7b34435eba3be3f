package kernel

import "fmt"

// Tri says which k belong to the chain of output row i of a matrix product.
type Tri uint8

const (
	// None puts every k into the chain.
	None Tri = iota
	// Lower puts in only k ≤ i (causal attention weights times values).
	Lower
	// Upper puts in only k ≥ i.
	Upper
)

// members returns the range [lo, hi) of k in the chain of row i.
func (t Tri) members(i, k int) (lo, hi int) {
	switch t {
	case Lower:
		return 0, min(i+1, k)
	case Upper:
		return min(i, k), k
	default:
		return 0, k
	}
}

// Gemm computes dst = op(A)·op(B), all row-major and dense: dst is [m, n], op(A)
// is [m, k], op(B) is [k, n]. ta means a is stored [k, m], tb means b is stored
// [n, k]. Each dst[i, j] is one fma chain in ascending k from +0 over the k that
// tri admits for row i; rows with no member are +0.
//
// threads ≤ 0 means one per processor; the result does not depend on it.
func Gemm(dst, a, b []float32, m, n, k int, ta, tb bool, tri Tri, threads int) {
	nonNegative("Gemm", m, n, k)
	need("Gemm", "dst", len(dst), m*n)
	need("Gemm", "a", len(a), m*k)
	need("Gemm", "b", len(b), k*n)
	g := newGemm(dst, a, b, m, n, k, ta, tb, tri)
	g.run(threads)
}

// GemmBatch runs batch independent products of the same shape: product p uses
// dst[p·strideC:], a[p·strideA:] and b[p·strideB:]. A stride of 0 for a or b shares
// that operand. Threads are spread across the batch, or within the products when
// there are fewer of them than threads.
func GemmBatch(dst, a, b []float32, batch, m, n, k, strideC, strideA, strideB int, ta, tb bool, tri Tri, threads int) {
	nonNegative("GemmBatch", batch, m, n, k, strideC, strideA, strideB)
	l := Layout{C: strideC, A: strideA, B: strideB, RowA: k, ColA: 1, RowB: n, ColB: 1}
	if ta {
		l.RowA, l.ColA = 1, m
	}
	if tb {
		l.RowB, l.ColB = 1, k
	}
	GemmLayout(dst, a, b, batch, m, n, k, l, tri, threads)
}

// Layout places the matrices of a batch of products, in elements: product p has
// op(A)[i, k] at a[p·A + i·RowA + k·ColA], op(B)[k, j] at b[p·B + k·RowB + j·ColB]
// and its dense result [m, n] at dst[p·C]. One of RowA and ColA must be 1, and one of
// RowB and ColB. Operands may overlap themselves and each other, results may not.
type Layout struct {
	C, A, B                int
	RowA, ColA, RowB, ColB int
}

// span is the length of a slice that holds a batch of matrices [rows, cols].
func span(batch, stride, rows, row, cols, col int) int {
	if batch*rows*cols == 0 {
		return 0
	}
	return (batch-1)*stride + (rows-1)*row + (cols-1)*col + 1
}

// GemmLayout is GemmBatch for operands that lie as l says: heads of attention, say,
// straight from rows that hold every head.
func GemmLayout(dst, a, b []float32, batch, m, n, k int, l Layout, tri Tri, threads int) {
	nonNegative("GemmLayout", batch, m, n, k, l.C, l.A, l.B, l.RowA, l.ColA, l.RowB, l.ColB)
	need("GemmLayout", "dst", len(dst), span(batch, l.C, m, n, n, 1))
	need("GemmLayout", "a", len(a), span(batch, l.A, m, l.RowA, k, l.ColA))
	need("GemmLayout", "b", len(b), span(batch, l.B, k, l.RowB, n, l.ColB))
	if batch > 1 && l.C < m*n {
		panic("kernel.GemmLayout: outputs overlap")
	}
	if l.RowA != 1 && l.ColA != 1 || l.RowB != 1 && l.ColB != 1 {
		panic(fmt.Sprintf("kernel.GemmLayout: no unit stride in %+v", l))
	}
	if m*n == 0 {
		return
	}
	inner := 1
	if batch < threadCount(threads) {
		inner = threads
	}
	if inner != 1 || batch == 1 || threadCount(threads) == 1 {
		for p := range batch {
			g := l.product(dst, a, b, m, n, k, p, tri)
			g.run(inner)
		}
		return
	}
	l.spread(dst, a, b, batch, m, n, k, tri, threads)
}

// spread runs the products of a batch on several threads; it is apart because what a closure holds lies in the heap.
func (l Layout) spread(dst, a, b []float32, batch, m, n, k int, tri Tri, threads int) {
	parallelTasks(threads, batch, func(p int) {
		g := l.product(dst, a, b, m, n, k, p, tri)
		g.run(1)
	})
}

// product is product p of a batch.
func (l Layout) product(dst, a, b []float32, m, n, k, p int, tri Tri) gemm {
	g := gemm{c: dst[p*l.C:], m: m, n: n, k: k, ldc: n, tri: tri, as0: l.RowA, as1: l.ColA, bs0: l.RowB, bs1: l.ColB}
	if k > 0 {
		g.a, g.b = a[p*l.A:], b[p*l.B:]
	}
	return g
}

// gemm is one matrix product in general strides: A(i, k) is a[i·as0 + k·as1],
// B(k, j) is b[k·bs0 + j·bs1], C(i, j) is c[i·ldc + j].
type gemm struct {
	c, a, b            []float32
	m, n, k            int
	as0, as1, bs0, bs1 int
	ldc                int
	tri                Tri
	resume             bool // chains continue from c instead of +0
}

func newGemm(c, a, b []float32, m, n, k int, ta, tb bool, tri Tri) gemm {
	g := gemm{c: c, a: a, b: b, m: m, n: n, k: k, as0: k, as1: 1, bs0: n, bs1: 1, ldc: n, tri: tri}
	if ta {
		g.as0, g.as1 = 1, m
	}
	if tb {
		g.bs0, g.bs1 = 1, k
	}
	return g
}
