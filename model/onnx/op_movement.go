package onnx

import (
	"slices"

	"poaid/engine"
	"poaid/engine/nn"
)

func reshape(k *call) *val {
	k.needs(1, 2)
	if k.err != nil {
		return nil
	}
	x := k.arg(0)
	want := slices.Clone(k.list("shape", 1))
	allowZero := k.int("allowzero", 0) == 1
	if k.err != nil {
		return nil
	}
	s := x.shape()
	count, err := checkShape(s)
	if err != nil {
		k.fail("%w", err)
		return nil
	}
	free, product := -1, int64(1)
	for i, d := range want {
		switch {
		case d == 0 && !allowZero:
			if i >= len(s) {
				k.fail("shape %v: entry %d copies a dimension that %v does not have", want, i, s)
				return nil
			}
			want[i] = s[i]
		case d == -1 && free < 0:
			free = i
			continue
		case d < 0:
			k.fail("shape %v", want)
			return nil
		}
		if want[i] > MaxElements || product*max(want[i], 1) > MaxElements {
			k.fail("shape %v: more than %d elements", want, int64(MaxElements))
			return nil
		}
		product *= want[i]
	}
	if free >= 0 {
		if product == 0 || count%product != 0 {
			k.fail("shape %v does not divide the %d elements of %v", want, count, s)
			return nil
		}
		want[free] = count / product
	}
	if n, err := checkShape(want); err != nil || n != count {
		k.fail("shape %v has not the %d elements of %v", want, count, s)
		return nil
	}
	return k.shaped(x, want)
}

func flatten(k *call) *val {
	k.needs(1, 1)
	if k.err != nil {
		return nil
	}
	s := k.arg(0).shape()
	axis := k.int("axis", 1)
	if axis < 0 {
		axis += int64(len(s))
	}
	if axis < 0 || axis > int64(len(s)) {
		k.fail("axis %d: the operand has rank %d", axis, len(s))
		return nil
	}
	out := []int64{1, 1}
	for i, d := range s {
		if int64(i) < axis {
			out[0] *= d
		} else {
			out[1] *= d
		}
	}
	return k.shaped(k.arg(0), out)
}

func squeeze(k *call) *val {
	k.needs(1, 2)
	if k.err != nil {
		return nil
	}
	s := k.arg(0).shape()
	list := k.list("axes", 1)
	drop := map[int]bool{}
	for _, a := range list {
		i := k.axis(a, len(s))
		if k.err == nil && s[i] != 1 {
			k.fail("axis %d of %v is not 1", a, s)
		}
		drop[i] = true
	}
	if k.err != nil {
		return nil
	}
	out := []int64{}
	for i, d := range s {
		if drop[i] || len(list) == 0 && d == 1 {
			continue
		}
		out = append(out, d)
	}
	return k.shaped(k.arg(0), out)
}

func unsqueeze(k *call) *val {
	k.needs(1, 2)
	if k.err != nil {
		return nil
	}
	s := k.arg(0).shape()
	list := k.list("axes", 1)
	rank := len(s) + len(list)
	if rank > MaxRank {
		k.fail("rank %d, limit %d", rank, MaxRank)
		return nil
	}
	isNew := make([]bool, rank)
	for _, a := range list {
		i := k.axis(a, rank)
		if k.err == nil && isNew[i] {
			k.fail("axes %v: one is there twice", list)
		}
		if k.err != nil {
			return nil
		}
		isNew[i] = true
	}
	out, next := make([]int64, rank), 0
	for i := range out {
		if isNew[i] {
			out[i] = 1
			continue
		}
		out[i] = s[next]
		next++
	}
	return k.shaped(k.arg(0), out)
}

func transpose(k *call) *val {
	k.needs(1, 1)
	if k.err != nil {
		return nil
	}
	x := k.arg(0)
	perm := k.ints("perm")
	if perm == nil {
		for i := x.rank() - 1; i >= 0; i-- {
			perm = append(perm, int64(i))
		}
	}
	if len(perm) != x.rank() {
		k.fail("attribute perm: %v for rank %d", perm, x.rank())
		return nil
	}
	if len(perm) < 2 {
		return x
	}
	return k.permuted(x, perm)
}

// permuted transposes; where only dimensions of 1 move it is a reshape.
func (c *converter) permuted(x *val, perm []int64) *val {
	s, last, same := x.shape(), int64(-1), true
	out := make([]int64, 0, len(s))
	for _, p := range perm {
		if p < 0 || p >= int64(len(s)) {
			return of(c.g.Transpose(c.value(x), perm...)) // which says what is wrong
		}
		out = append(out, s[p])
		if s[p] != 1 {
			same = same && p > last
			last = p
		}
	}
	if same {
		return c.shaped(x, out)
	}
	return of(c.g.Transpose(c.value(x), perm...))
}

func concat(k *call) *val {
	k.needs(1, -1)
	if k.err != nil {
		return nil
	}
	rank := k.arg(0).rank()
	axis := k.axis(k.int("axis", 1), rank)
	var parts []nn.Value
	for i, x := range k.in {
		if x == nil || x.rank() != rank {
			k.fail("operand %d: has not rank %d as operand 0", i, rank)
		}
		if k.err != nil {
			return nil
		}
		if x.shape()[axis] == 0 {
			continue // an empty constant
		}
		parts = append(parts, k.value(x))
	}
	switch len(parts) {
	case 0:
		return k.arg(0)
	case 1:
		return of(parts[0])
	}
	for len(parts) > 1 { // a node takes a limited number of operands
		var next []nn.Value
		for most := engine.DefaultLimits().Operands; len(parts) > 0; {
			n := min(most, len(parts))
			next = append(next, k.g.Concat(axis, parts[:n]...))
			parts = parts[n:]
		}
		parts = next
	}
	return of(parts[0])
}

// cut is x[start : start+size] along one axis.
func (c *converter) cut(x nn.Value, axis int, start, size int64) nn.Value {
	shape := slices.Clone(x.Shape())
	if axis >= len(shape) || shape[axis].A == size { // out of range after an error only
		return x
	}
	shape[axis] = engine.Const(size)
	from := make([]int64, len(shape))
	from[axis] = start
	return c.g.Slice(x, from, shape)
}

// pickAxis takes places of an axis, which must be inside it; runs are slices, everything else is a gather of rows.
func (c *converter) pickAxis(x nn.Value, axis int, places []int64) nn.Value {
	run := true
	for i, p := range places {
		run = run && p == places[0]+int64(i)
	}
	if run {
		return c.cut(x, axis, places[0], int64(len(places)))
	}
	idx, err := engine.FromI64(places, int64(len(places)))
	if err != nil {
		panic("onnx: " + err.Error()) // as many as there are
	}
	front := make([]int64, 0, x.Rank())
	front = append(front, int64(axis))
	for i := range x.Rank() {
		if i != axis {
			front = append(front, int64(i))
		}
	}
	back := make([]int64, len(front))
	for i, p := range front {
		back[p] = int64(i)
	}
	y := c.g.Gather(c.value(c.permuted(of(x), front)), c.value(&val{host: idx, name: c.scope() + "places"}))
	return c.value(c.permuted(of(y), back))
}

// bounds are the slices of one axis.
type bounds struct {
	axis             int
	start, end, step int64
}

// places lists what a slice takes of an axis of n places.
func (b bounds) places(n int64) []int64 {
	clamp := func(v, lo, hi int64) int64 {
		if v < 0 && v >= -n {
			v += n
		} else if v < -n {
			v = lo
		}
		return min(max(v, lo), hi)
	}
	var out []int64
	if b.step > 0 {
		for i := clamp(b.start, 0, n); i < clamp(b.end, 0, n); i += b.step {
			out = append(out, i)
			if b.step >= n {
				break
			}
		}
		return out
	}
	for i := clamp(b.start, -1, n-1); i > clamp(b.end, -1, n-1); i += b.step {
		out = append(out, i)
		if b.step <= -n {
			break
		}
	}
	return out
}

func slice(k *call) *val {
	k.needs(1, 5)
	if k.err != nil {
		return nil
	}
	x := k.arg(0)
	starts, ends, axes, steps := k.list("starts", 1), k.list("ends", 2), k.list("axes", 3), k.list("steps", 4)
	if k.err == nil && (len(starts) != len(ends) || axes != nil && len(axes) != len(starts) || steps != nil && len(steps) != len(starts) || len(starts) > MaxRank) {
		k.fail("starts %v, ends %v, axes %v, steps %v do not go together", starts, ends, axes, steps)
	}
	if k.err != nil {
		return nil
	}
	v := k.value(x)
	for i := range starts {
		b := bounds{axis: i, start: starts[i], end: ends[i], step: 1}
		if axes != nil {
			b.axis = k.axis(axes[i], x.rank())
		} else if i >= x.rank() {
			k.fail("%d starts for rank %d", len(starts), x.rank())
		}
		if steps != nil {
			b.step = steps[i]
		}
		if k.err != nil {
			return nil
		}
		n := v.Dim(b.axis).A
		if b.step == 0 || n > maxWindow*16 {
			k.refuse("step %d on a dimension of %d", b.step, n)
			return nil
		}
		places := b.places(n)
		if len(places) == 0 {
			k.refuse("the slice [%d:%d:%d] of a dimension of %d is empty", b.start, b.end, b.step, n)
			return nil
		}
		v = k.pickAxis(v, b.axis, places)
	}
	return of(v)
}

// split gives one value an output.
func split(k *call) []*val {
	k.needs(1, 2)
	if k.err != nil {
		return nil
	}
	x := k.arg(0)
	axis := k.axis(k.int("axis", 0), x.rank())
	sizes := k.list("split", 1)
	parts := int64(len(k.n.Outputs))
	if n := k.int("num_outputs", parts); n != parts {
		k.fail("attribute num_outputs: %d, the node has %d outputs", n, parts)
	}
	if k.err != nil {
		return nil
	}
	n := x.shape()[axis]
	if sizes == nil {
		each := (n + parts - 1) / parts
		for left := n; left > 0; left -= each {
			sizes = append(sizes, min(each, left))
		}
	}
	total := int64(0)
	for _, s := range sizes {
		if s < 1 || s > n {
			k.refuse("sizes %v of a dimension of %d", sizes, n)
			return nil
		}
		total += s
	}
	if int64(len(sizes)) != parts || total != n {
		k.fail("sizes %v for %d outputs of a dimension of %d", sizes, parts, n)
		return nil
	}
	var out []*val
	at := int64(0)
	for _, s := range sizes {
		out = append(out, of(k.cut(k.value(x), axis, at, s)))
		at += s
	}
	return out
}

// expand broadcasts both ways: dimensions of either may be 1.
func expand(k *call) *val {
	k.needs(2, 2)
	if k.err != nil {
		return nil
	}
	x, want := k.arg(0), slices.Clone(k.list("shape", 1))
	if k.err != nil {
		return nil
	}
	s := x.shape()
	for len(want) < len(s) {
		want = append([]int64{1}, want...)
	}
	for i := range s {
		j := len(want) - len(s) + i
		switch {
		case want[j] == 1:
			want[j] = s[i]
		case s[i] != 1 && s[i] != want[j]:
			k.fail("shape %v and operand %v do not broadcast", want, s)
			return nil
		}
	}
	return k.broadcast(x, want)
}

func (k *call) broadcast(x *val, shape []int64) *val {
	if _, err := checkShape(shape); err != nil {
		k.fail("%w", err)
		return nil
	}
	if len(shape) == 0 {
		return x
	}
	return of(k.g.Broadcast(k.value(x), engine.ConstShape(shape...)...))
}

func tile(k *call) *val {
	k.needs(2, 2)
	if k.err != nil {
		return nil
	}
	x, times := k.arg(0), k.list("repeats", 1)
	if k.err == nil && len(times) != x.rank() {
		k.fail("repeats %v for rank %d", times, x.rank())
	}
	if k.err != nil {
		return nil
	}
	v := k.value(x)
	for i, n := range times {
		if n < 1 || n > maxWindow {
			k.refuse("repeats %v", times)
			return nil
		}
		if n == 1 {
			continue
		}
		s := v.Shape().At(0)
		in, out := slices.Insert(slices.Clone(s), i, 1), slices.Insert(slices.Clone(s), i, n)
		if c := k.b.Err(); c != nil {
			return nil
		}
		in = joinFrom(joinUpTo(in, i), 3)
		out = joinFrom(joinUpTo(out, i), 3)
		s[i] *= n
		if _, err := checkShape(s); err != nil {
			k.fail("%w", err)
			return nil
		}
		v = k.g.Broadcast(k.g.Reshape(v, engine.ConstShape(in...)...), engine.ConstShape(out...)...)
		v = k.g.Reshape(v, engine.ConstShape(s...)...)
	}
	return &val{v: v, scalar: x.rank() == 0}
}

// joinUpTo makes the first n dimensions one.
func joinUpTo(s []int64, n int) []int64 {
	p := int64(1)
	for _, d := range s[:n] {
		p *= d
	}
	return append([]int64{p}, s[n:]...)
}

// joinFrom makes the dimensions from n−1 on one, so that n are left.
func joinFrom(s []int64, n int) []int64 {
	p := int64(1)
	for _, d := range s[n-1:] {
		p *= d
	}
	return append(slices.Clone(s[:n-1]), p)
}
