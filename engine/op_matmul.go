package engine

import (
	"encoding/binary"
	"fmt"

	"poaid/engine/kernel"
	"poaid/engine/num"
)

// product is matmul@1 at one step: c[m, n] = Σ_k a[m, k]·b[k, n] for every leading index.
type product struct {
	m, n, k    int64
	ta, tb     bool
	tri        kernel.Tri
	leadA      []int64
	leadB      []int64
	leadC      []int64
	rowA, colA int64 // strides of a[m, k]
	rowB, colB int64 // strides of b[k, n]
}

func productOf(n *NodeView) product {
	a, b, c := n.In[0].Shape, n.In[1].Shape, n.Out.Shape
	p := product{ta: n.Attrs.Int("ta") == 1, tb: n.Attrs.Int("tb") == 1, tri: kernel.Tri(n.Attrs.Int("tri"))}
	p.m, p.n, p.k = c[len(c)-2], c[len(c)-1], a[len(a)-1]
	p.rowA, p.colA, p.rowB, p.colB = p.k, 1, p.n, 1
	if p.ta {
		p.k = a[len(a)-2]
		p.rowA, p.colA = 1, p.m
	}
	if p.tb {
		p.rowB, p.colB = 1, p.k
	}
	p.leadA, p.leadB, p.leadC = a[:len(a)-2], b[:len(b)-2], c[:len(c)-2]
	return p
}

// members returns the k that belong to the chain of an output row.
func (p *product) members(row int64) (lo, hi int64) {
	switch p.tri {
	case kernel.Lower:
		return 0, min(row+1, p.k)
	case kernel.Upper:
		return min(row, p.k), p.k
	default:
		return 0, p.k
	}
}

// place returns the first elements of a's row and b's column for output element e, and the row's members.
func (p *product) place(e int64) (a, b, lo, hi int64) {
	col, row, lead := e%p.n, e/p.n%p.m, e/p.n/p.m
	a = broadcastIndex(p.leadC, p.leadA, lead)*p.m*p.k + row*p.rowA
	b = broadcastIndex(p.leadC, p.leadB, lead)*p.k*p.n + col*p.colB
	lo, hi = p.members(row)
	return a, b, lo, hi
}

// strideKA and strideKB are the distances of two neighbours in k.
func (p *product) strideKA() int64 {
	if p.ta {
		return p.m
	}
	return 1
}

func (p *product) strideKB() int64 {
	if p.tb {
		return 1
	}
	return p.n
}

func matmulOps() []*Op {
	return []*Op{{
		Name: "matmul@1", Kind: Fold, Operands: 2, Attrs: []AttrDef{int1("ta"), int1("tb"), int1("tri")},
		Infer: inferMatmul, Cost: costMatmul, Eval: evalMatmul,
		Steps: func(c *SliceCtx) (int64, error) {
			p := productOf(&c.NodeView)
			_, _, lo, hi := p.place(c.Elem)
			return hi - lo, nil
		},
		Slice: func(c *SliceCtx) ([]Range, bool, error) {
			p := productOf(&c.NodeView)
			a, b, lo, _ := p.place(c.Elem)
			n, from := c.To-c.From, lo+c.From
			more := strided(nil, 0, a+from*p.strideKA(), p.strideKA(), n)
			return strided(more, 1, b+from*p.strideKB(), p.strideKB(), n), true, nil
		},
		EvalSlice: sliceMatmul,
	}}
}

func inferMatmul(c *InferCtx) (Value, error) {
	a, b := c.In[0], c.In[1]
	if len(a.Shape) < 2 || len(b.Shape) < 2 {
		return Value{}, fmt.Errorf("inputs: %s and %s, want rank 2 or more", a.Shape, b.Shape)
	}
	ta, tb, tri := c.Attrs.Int("ta"), c.Attrs.Int("tb"), c.Attrs.Int("tri")
	if ta < 0 || ta > 1 || tb < 0 || tb > 1 || tri < 0 || tri > 2 {
		return Value{}, fmt.Errorf("attrs ta %d, tb %d, tri %d: want 0..1, 0..1, 0..2", ta, tb, tri)
	}
	dt := F32
	switch {
	case a.DType == F32 && b.DType == F32:
	case a.DType == I8 && b.DType == I8 && tri == 0:
		dt = I32
	default:
		return Value{}, fmt.Errorf("inputs: dtypes %s and %s, want f32, or i8 without tri", a.DType, b.DType)
	}
	m, ka := a.Shape[len(a.Shape)-2], a.Shape[len(a.Shape)-1]
	if ta == 1 {
		m, ka = ka, m
	}
	kb, n := b.Shape[len(b.Shape)-2], b.Shape[len(b.Shape)-1]
	if tb == 1 {
		kb, n = n, kb
	}
	if ka != kb {
		return Value{}, fmt.Errorf("inputs: %s and %s differ in their inner dimension", a.Shape, b.Shape)
	}
	lead, err := broadcastShape(a.Shape[:len(a.Shape)-2], b.Shape[:len(b.Shape)-2])
	if err != nil {
		return Value{}, err
	}
	return value(dt, append(lead, m, n)), nil
}

func costMatmul(n *NodeView) (uint64, uint64, error) {
	p := productOf(n)
	macs, err := mulAll(uint64(n.Out.elems()), uint64(p.k))
	if err == nil && p.tri != kernel.None {
		macs, err = triMacs(&p, uint64(n.Out.elems()/p.m))
	}
	return macs, opBytes(&n.In[0]) + opBytes(&n.In[1]) + opBytes(&n.Out), err
}

// triMacs counts the members of every row: columns is the number of output elements a row has over all leading indices.
func triMacs(p *product, columns uint64) (uint64, error) {
	// Rows below q = min(m, k) have 1..q members (Lower) or k..k−q+1 (Upper); the others k or none.
	m, k := uint64(p.m), uint64(p.k)
	q := min(m, k)
	ramp, err := mulAll(q, q+1)
	if err != nil {
		return 0, err
	}
	rest, err := mulAll(m-q, k)
	if err != nil {
		return 0, err
	}
	total := ramp/2 + rest
	if p.tri == kernel.Upper {
		full, err := mulAll(q, k+1)
		if err != nil {
			return 0, err
		}
		total = full - ramp/2
	}
	return mulAll(total, columns)
}

func evalMatmul(c *EvalCtx) error {
	p := productOf(&c.NodeView)
	if c.Y.dtype == I32 {
		return evalMatmulI8(c, &p)
	}
	dst, a, b := c.Y.F32(), c.X[0].F32(), c.X[1].F32()
	if c.Reference {
		refMatmul(dst, a, b, &p)
		return nil
	}
	multiply(c, &p)
	return nil
}

// multiply runs the products of every leading index, batches of neighbours at a time.
func multiply(c *EvalCtx, p *product) {
	dst, a, b := c.Y.F32(), c.X[0].F32(), c.X[1].F32()
	sa, sb := c.X[0].layout(), c.X[1].layout()
	ra, ca := sa[len(sa)-2], sa[len(sa)-1]
	if p.ta {
		ra, ca = ca, ra
	}
	rb, cb := sb[len(sb)-2], sb[len(sb)-1]
	if p.tb {
		rb, cb = cb, rb
	}
	leads := leadLoops(p.leadC, p.leadA, p.leadB, sa, sb)
	m, last := p.m, len(leads)-1
	batch := leads[last]
	if batch.b == 0 && p.tri == kernel.None && batch.a == m*ra {
		m, batch = m*batch.n, lead{n: 1} // one right side for all: further rows
	}
	ra, ca = unitStride(m, ra, p.k, ca)
	rb, cb = unitStride(p.k, rb, p.n, cb)
	leads = leads[:last]
	l := kernel.Layout{
		C: int(m * p.n), A: int(batch.a), B: int(batch.b), RowA: int(ra), ColA: int(ca), RowB: int(rb), ColB: int(cb),
	}
	pos, at := make([]int64, last), int64(0)
	for {
		var x, y int64
		for i, d := range leads {
			x, y = x+pos[i]*d.a, y+pos[i]*d.b
		}
		kernel.GemmLayout(dst[at:], a[x:], b[y:], int(batch.n), int(m), int(p.n), int(p.k), l, p.tri, c.Threads)
		at += batch.n * m * p.n
		i := last - 1
		for ; i >= 0; i-- {
			if pos[i]++; pos[i] < leads[i].n {
				break
			}
			pos[i] = 0
		}
		if i < 0 {
			return
		}
	}
}

// unitStride gives a dimension of one element the stride 1 where a matrix has no other one.
func unitStride(rows, row, cols, col int64) (int64, int64) {
	switch {
	case row == 1 || col == 1:
	case rows == 1:
		row = 1
	case cols == 1:
		col = 1
	}
	return row, col
}

// lead is one leading dimension of a product: its size and the operands' strides, 0 where an operand is stretched.
type lead struct{ n, a, b int64 }

// leadLoops returns the leading dimensions of a product with neighbours merged where they can be, at least one.
func leadLoops(out, shapeA, shapeB, sa, sb []int64) []lead {
	stride := func(shape, strides []int64, i int) int64 {
		if i -= len(out) - len(shape); i < 0 || shape[i] == 1 {
			return 0
		}
		return strides[i]
	}
	leads := make([]lead, 0, len(out)+1)
	for i, n := range out {
		d := lead{n, stride(shapeA, sa, i), stride(shapeB, sb, i)}
		last := len(leads) - 1
		switch {
		case n == 1:
		case last >= 0 && leads[last].a == d.a*n && leads[last].b == d.b*n:
			d.n *= leads[last].n
			leads[last] = d
		default:
			leads = append(leads, d)
		}
	}
	if len(leads) == 0 {
		leads = append(leads, lead{n: 1})
	}
	return leads
}

// refMatmul is the definition: one chain an element.
func refMatmul(dst, a, b []float32, p *product) {
	ka, kb := p.strideKA(), p.strideKB()
	for e := range dst {
		ai, bi, lo, hi := p.place(int64(e))
		acc := float32(0)
		for k := lo; k < hi; k++ {
			acc = num.FMA(a[ai+k*ka], b[bi+k*kb], acc)
		}
		dst[e] = num.CanonNaN(acc)
	}
}

func evalMatmulI8(c *EvalCtx, p *product) error {
	dst, a, b := c.Y.I32(), c.X[0].I8(), c.X[1].I8()
	if c.Reference {
		ka, kb := p.strideKA(), p.strideKB()
		for e := range dst {
			ai, bi, lo, hi := p.place(int64(e))
			acc := int32(0)
			for k := lo; k < hi; k++ {
				acc += int32(a[ai+k*ka]) * int32(b[bi+k*kb])
			}
			dst[e] = acc
		}
		return nil
	}
	mn := p.m * p.n
	for lead := range int64(len(dst)) / mn {
		ai := broadcastIndex(p.leadC, p.leadA, lead) * p.m * p.k
		bi := broadcastIndex(p.leadC, p.leadB, lead) * p.k * p.n
		kernel.GemmI8(dst[lead*mn:(lead+1)*mn], a[ai:], b[bi:], int(p.m), int(p.n), int(p.k), p.ta, p.tb, c.Threads)
	}
	return nil
}

func sliceMatmul(c *SliceCtx) ([]byte, error) {
	p := productOf(&c.NodeView)
	a, b, lo, hi := p.place(c.Elem)
	ka, kb := p.strideKA(), p.strideKB()
	if c.Out.DType == F32 {
		return c.foldF32(hi-lo, func(acc float32, j int64) float32 {
			return num.FMA(c.f32At(0, a+(lo+j)*ka), c.f32At(1, b+(lo+j)*kb), acc)
		}, same)
	}
	acc, err := c.acc(4)
	if err != nil {
		return nil, err
	}
	sum := int32(binary.LittleEndian.Uint32(acc))
	for j := c.From; j < c.To; j++ {
		sum += int32(c.intAt(0, a+j*ka)) * int32(c.intAt(1, b+j*kb))
	}
	return c.element(uint64(uint32(sum)))
}
