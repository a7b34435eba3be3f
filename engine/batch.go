package engine

import (
	"context"
	"fmt"

	"poaid/engine/graphpb"
	"poaid/engine/kernel"
)

// batch is the forced graph made ready to run up to width steps at once (batchPlan).
type batch struct {
	*batchPlan
	run    *Run
	g      *graph
	buf    [][]byte     // per node: its slots
	filled []bool       // per node: a result that never changes is there
	ctx    [][]*EvalCtx // per thread and node
}

// forcedBatch returns the batch of the forced graph, made on first use; nil when its steps must follow each other.
func (r *Run) forcedBatch() *batch {
	if r.batch != nil || r.noBatch {
		return r.batch
	}
	pl := planBatch(r.prog, r.prog.forced)
	if pl == nil {
		r.noBatch = true
		return nil
	}
	n := len(r.prog.forced.nodes)
	b := &batch{batchPlan: pl, run: r, g: r.prog.forced, buf: make([][]byte, n), filled: make([]bool, n)}
	b.ctx = make([][]*EvalCtx, max(r.opts.Threads, 1))
	for w := range b.ctx {
		b.ctx[w] = make([]*EvalCtx, n)
	}
	for i := range b.buf {
		switch pl.plan.place[i] {
		case pooled:
			b.buf[i] = r.arena.take(pl.plan.buffer[i], pl.plan.sizes[pl.plan.buffer[i]])
		case once:
			b.buf[i] = alloc(pl.plan.bytes[i])
		}
	}
	r.batch = b
	return b
}

// advanceBatch does count forced steps.
func (r *Run) advanceBatch(ctx context.Context, b *batch, count int64) (uint64, error) {
	r.broken = true
	for i := range b.g.nodes {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		if err := b.node(i, count); err != nil {
			n := &b.g.nodes[i]
			return 0, fmt.Errorf("%s graph at steps %d..%d: nodes[%d] %q (%s): %w", b.g.name, r.t, r.t+uint64(count)-1, i, n.name, n.op.Name, err)
		}
	}
	r.broken = false
	r.t += uint64(count)
	return uint64(count), nil
}

// node evaluates a node for count steps.
func (b *batch) node(i int, count int64) error {
	switch b.mode[i] {
	case located:
		return nil
	case shared:
		if b.filled[i] {
			return nil
		}
		b.filled[i] = b.plan.place[i] == once
		return b.eval(0, i, 0, 1, b.run.opts.Threads)
	case merged:
		return b.eval(0, i, 0, count, b.run.opts.Threads)
	case written:
		for s := range count {
			if err := b.eval(0, i, s, 1, 1); err != nil {
				return err
			}
		}
		return nil
	}
	threads := min(len(b.ctx), int(count))
	errs := make([]error, threads)
	kernel.Parallel(threads, threads, func(lo, hi int) {
		for w := lo; w < hi; w++ {
			for s := int64(w) * count / int64(threads); s < int64(w+1)*count/int64(threads) && errs[w] == nil; s++ {
				errs[w] = b.eval(w, i, s, 1, 1)
			}
		}
	})
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// eval evaluates node i for count steps from the s-th of the batch on, with the tensors of thread w.
func (b *batch) eval(w, i int, s, count int64, threads int) error {
	c := b.ctx[w][i]
	if c == nil {
		c = b.newCtx(i)
		b.ctx[w][i] = c
	}
	n, t := &b.g.nodes[i], b.run.t+uint64(s)
	c.T, c.Threads = t, threads
	for k, r := range n.in {
		if r.kind != graphpb.REF_KIND_NODE {
			continue
		}
		x, times := c.X[k], int64(1)
		if count > 1 && b.varies(b.g, r) {
			times = count
		}
		from := &b.g.nodes[r.index]
		shapeAt(x.shape, from.out.Shape, t, times)
		x.data = b.locate(r.index, s, times)
		if b.plan.place[r.index] == viewed {
			b.strides(x, from, t)
		}
	}
	shapeAt(c.Y.shape, n.out.Shape, t, count)
	c.Y.data = b.locate(i, s, count)
	return c.Op.Eval(c)
}

// shapeAt fills in a shape at step t, its first dimension times over.
func shapeAt(dst []int64, shape Shape, t uint64, times int64) {
	for i, d := range shape {
		dst[i] = d.At(t)
	}
	dst[0] *= times
}

// strides makes x the view that a transposition of its source is.
func (b *batch) strides(x *Tensor, n *node, t uint64) {
	in := stridesOf(b.run.prog.value(b.g, n.in[0]).Shape.At(t))
	if x.strides == nil {
		x.strides = make([]int64, len(in))
	}
	for i, p := range n.attrs.Ints("perm") {
		x.strides[i] = in[p]
	}
}

// newCtx returns a node's context with operands of its own, so that threads can look at different steps.
func (b *batch) newCtx(i int) *EvalCtx {
	n := &b.g.nodes[i]
	own := func(v Value) *Tensor { return &Tensor{dtype: v.DType, shape: make([]int64, len(v.Shape))} }
	c := &EvalCtx{
		NodeView: NodeView{Op: n.op, Name: n.name, Attrs: n.attrs, In: make([]Operand, len(n.in))},
		X:        make([]*Tensor, len(n.in)), Y: own(n.out),
	}
	c.Out = Operand{DType: c.Y.dtype, Shape: c.Y.shape}
	for k, r := range n.in {
		if r.kind == graphpb.REF_KIND_NODE {
			c.X[k] = own(b.g.nodes[r.index].out)
		} else {
			c.X[k] = b.source(r)
		}
		c.In[k] = Operand{DType: c.X[k].dtype, Shape: c.X[k].shape}
	}
	return c
}

// source returns the tensor of an operand that is no node.
func (b *batch) source(r ref) *Tensor {
	switch r.kind {
	case graphpb.REF_KIND_WEIGHT:
		return b.run.weights.tensors[r.index]
	case graphpb.REF_KIND_STATE:
		return b.run.states[r.index]
	default:
		return b.run.inputs.tensors[r.index]
	}
}

// locate returns the bytes of node i at the s-th step of the batch, and of times−1 more steps.
func (b *batch) locate(i int, s, times int64) []byte {
	n, t := &b.g.nodes[i], b.run.t+uint64(s)
	size := SizeOf(n.out.DType)
	for _, d := range n.out.Shape {
		size *= d.At(t)
	}
	switch b.mode[i] {
	case written:
		return b.run.states[b.root[i].index].data
	case located:
		var data []byte
		if r := n.in[0]; r.kind == graphpb.REF_KIND_NODE {
			data = b.locate(r.index, s, times)
		} else {
			data = b.source(r).data
		}
		from := int64(0)
		if n.op.prefix {
			from = ravel(n.attrs.Ints("start"), b.run.prog.value(b.g, n.in[0]).Shape.At(t)) * SizeOf(n.out.DType)
		}
		return data[from : from+size*times]
	default:
		return b.buf[i][s*b.slot[i] : s*b.slot[i]+size*times]
	}
}
