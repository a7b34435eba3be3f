package engine

import "poaid/engine/graphpb"

// placement says where a node's result lives.
type placement uint8

const (
	// pooled results live in a buffer that later nodes reuse.
	pooled placement = iota
	// kept results are the next value of a state: they own a buffer that is swapped with the state's.
	kept
	// alias results are their operand's bytes under another shape.
	alias
	// viewed results are their operand's bytes under other strides: transpositions that only products read.
	viewed
	// once results never change: they own a buffer that is filled at the first step.
	once
	// inPlace results overwrite an operand that nobody reads afterwards.
	inPlace
)

// plan is how one graph's results share memory.
type plan struct {
	place  []placement
	source []int   // alias, inPlace: which operand
	buffer []int   // pooled: which buffer
	sizes  []int64 // bytes of each buffer
	bytes  []int64 // bytes of each result at its largest
	guards []guard // nodes that a step may skip
	copies []int   // states whose next value must be copied, because its node does not own its bytes
}

// storage names the bytes behind a value: a node, a state or something that is never written.
type storage struct {
	kind  graphpb.RefKind
	index int
}

// RunBytes returns an upper bound of the memory a run allocates for states and results: weights and inputs come
// on top. A worker compares it with what it has before NewRun.
func (p *Program) RunBytes() uint64 {
	total := uint64(0)
	for _, s := range p.pb.States {
		total += opBytes(&Operand{DType: s.Dtype, Shape: s.Shape}) // checked by New
	}
	for _, g := range []*graph{p.step, p.forced} {
		if g == nil {
			continue
		}
		pl := makePlan(p, g)
		for _, size := range pl.sizes {
			total += uint64(size)
		}
		for i, place := range pl.place {
			if place == kept || place == once {
				total += uint64(pl.bytes[i])
			}
		}
		for _, s := range pl.copies {
			total += opBytes(&Operand{DType: p.pb.States[s].Dtype, Shape: p.pb.States[s].Shape})
		}
	}
	if p.forced == nil {
		return total
	}
	if b := planBatch(p, p.forced); b != nil {
		for _, size := range b.plan.sizes {
			total += uint64(size)
		}
	}
	return total
}

// planner holds what makePlan works out on the way.
type planner struct {
	p    *Program
	g    *graph
	plan *plan
	home []storage       // per node
	last map[storage]int // last node that reads the bytes; len(nodes) for results that must survive the step
	// statesOnly leaves results apart: only states are changed in place.
	statesOnly bool
}

// makePlan places every node's result.
func makePlan(p *Program, g *graph) *plan {
	pl := newPlanner(p, g)
	pl.lifetimes()
	pl.inPlace()
	pl.keep()
	pl.assign()
	return pl.plan
}

func newPlanner(p *Program, g *graph) *planner {
	n := len(g.nodes)
	return &planner{p: p, g: g, home: make([]storage, n), last: make(map[storage]int), plan: &plan{
		place: make([]placement, n), source: make([]int, n), buffer: make([]int, n), bytes: make([]int64, n),
		guards: guards(g),
	}}
}

// storageOf returns the bytes behind an operand.
func (pl *planner) storageOf(r ref) storage {
	if r.kind == graphpb.REF_KIND_NODE {
		return pl.home[r.index]
	}
	return storage(r)
}

// lifetimes finds aliases and the last reader of every storage.
func (pl *planner) lifetimes() {
	views := pl.views()
	for i := range pl.g.nodes {
		nd := &pl.g.nodes[i]
		v := nd.out
		pl.plan.bytes[i] = int64(opBytes(&Operand{DType: v.DType, Shape: v.Shape.At(pl.p.pb.MaxSteps - 1)}))
		pl.home[i] = storage{graphpb.REF_KIND_NODE, i}
		switch {
		case nd.op.aliases || nd.op.prefix && isRun(pl.p.value(pl.g, nd.in[0]).Shape, v.Shape):
			pl.plan.place[i] = alias
			pl.home[i] = pl.storageOf(nd.in[0])
		case views[i]:
			pl.plan.place[i] = viewed
			pl.home[i] = pl.storageOf(nd.in[0])
		case nd.op.fixed && v.Shape.Static():
			pl.plan.place[i] = once
		}
		for _, r := range nd.in {
			pl.last[pl.storageOf(r)] = i
		}
	}
	for _, u := range pl.g.update {
		if u >= 0 {
			pl.last[pl.home[u]] = len(pl.g.nodes)
		}
	}
}

// views finds the transpositions of f32 that only products read: those take their operands as they lie, as long as one
// of the last two dimensions runs through neighbours.
func (pl *planner) views() []bool {
	ok := make([]bool, len(pl.g.nodes))
	for i := range pl.g.nodes {
		nd := &pl.g.nodes[i]
		if nd.op.Name == "transpose@1" && nd.out.DType == F32 {
			perm := nd.attrs.Ints("perm")
			n := int64(len(perm))
			ok[i] = n > 1 && (perm[n-1] == n-1 || perm[n-2] == n-1)
		}
		for _, r := range nd.in {
			if r.kind == graphpb.REF_KIND_NODE && nd.op.Name != "matmul@1" {
				ok[r.index] = false
			}
		}
	}
	for _, u := range pl.g.update {
		if u >= 0 {
			ok[u] = false
		}
	}
	return ok
}

// inPlace lets nodes overwrite an operand that dies with them: a pooled result, or the state that the node updates.
func (pl *planner) inPlace() {
	merged := make(map[storage]storage)
	find := func(s storage) storage {
		for {
			m, ok := merged[s]
			if !ok {
				return s
			}
			s = m
		}
	}
	for i := range pl.g.nodes {
		nd := &pl.g.nodes[i]
		pl.home[i] = find(pl.home[i])
		if pl.plan.place[i] != pooled {
			continue
		}
		for _, k := range nd.op.overwrites {
			if k >= len(nd.in) || !pl.canOverwrite(i, k, find) {
				continue
			}
			s := find(pl.storageOf(nd.in[k]))
			own := storage{graphpb.REF_KIND_NODE, i}
			merged[own] = s
			pl.home[i] = s
			pl.last[s] = max(pl.last[s], pl.last[own])
			pl.plan.place[i], pl.plan.source[i] = inPlace, k
			break
		}
	}
}

func (pl *planner) canOverwrite(i, k int, find func(storage) storage) bool {
	nd := &pl.g.nodes[i]
	in := pl.p.value(pl.g, nd.in[k])
	if !in.Shape.Equal(nd.out.Shape) || SizeOf(in.DType) != SizeOf(nd.out.DType) {
		return false
	}
	s := find(pl.storageOf(nd.in[k]))
	if pl.last[s] != i {
		return false
	}
	for j, r := range nd.in {
		if j != k && find(pl.storageOf(r)) == s {
			return false
		}
	}
	switch s.kind {
	case graphpb.REF_KIND_NODE:
		return pl.plan.place[s.index] == pooled && !pl.statesOnly
	case graphpb.REF_KIND_STATE:
		return pl.g.update[s.index] == i && pl.updates(i) == 1
	default:
		return false
	}
}

// updates counts the states that take their next value from node i.
func (pl *planner) updates(i int) int {
	n := 0
	for _, u := range pl.g.update {
		if u == i {
			n++
		}
	}
	return n
}

// keep marks the storages that become a state's next value.
func (pl *planner) keep() {
	taken := make(map[int]bool)
	for s, u := range pl.g.update {
		if u < 0 {
			continue
		}
		h := pl.home[u]
		switch {
		case h.kind == graphpb.REF_KIND_STATE && h.index == s:
			// In place, or the identity.
		case h.kind == graphpb.REF_KIND_NODE && pl.plan.place[h.index] == pooled && !taken[h.index] &&
			pl.plan.bytes[h.index] == pl.plan.bytes[u] && !pl.ownedByOther(h, s):
			taken[h.index] = true
			pl.plan.place[h.index] = kept
			pl.plan.source[h.index] = s
		default:
			pl.plan.copies = append(pl.plan.copies, s)
		}
	}
}

// ownedByOther reports whether a storage is the next value of a state before s too.
func (pl *planner) ownedByOther(h storage, s int) bool {
	for s2, u := range pl.g.update[:s] {
		if u >= 0 && s2 != s && pl.home[u] == h {
			return true
		}
	}
	return false
}

// assign gives pooled storages their buffers, smallest free one that fits first.
func (pl *planner) assign() {
	free := []int{}
	expiring := make([][]int, len(pl.g.nodes)+1)
	for i := range pl.g.nodes {
		if pl.plan.place[i] == pooled {
			b := pl.takeBuffer(&free, pl.plan.bytes[i])
			pl.plan.buffer[i] = b
			end := max(pl.last[storage{graphpb.REF_KIND_NODE, i}], i)
			expiring[end] = append(expiring[end], b)
		}
		free = append(free, expiring[i]...)
	}
}

func (pl *planner) takeBuffer(free *[]int, size int64) int {
	best := -1
	for j, b := range *free {
		have := pl.plan.sizes[b]
		if have >= size && have <= 4*size+4096 && (best < 0 || have <= pl.plan.sizes[(*free)[best]]) {
			best = j
		}
	}
	if best < 0 {
		pl.plan.sizes = append(pl.plan.sizes, size)
		return len(pl.plan.sizes) - 1
	}
	b := (*free)[best]
	*free = append((*free)[:best], (*free)[best+1:]...)
	return b
}

// isRun reports whether a slice of shape out is one run of in's elements: all but one dimension before the cut are 1,
// all after it whole.
func isRun(in, out Shape) bool {
	i := 0
	for i < len(out) && out[i] == Const(1) {
		i++
	}
	for i++; i < len(out); i++ {
		if out[i] != in[i] {
			return false
		}
	}
	return true
}
