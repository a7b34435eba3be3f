package onnx

import (
	"math"

	"poaid/engine"
)

// fuser replaces patterns that exporters write for functions that the engine has: x·sigmoid(x), x·clip(x + 3, 0, 6)/6 and
// x·(1 + erf(x/√2))/2. A pattern is a product, so its factors are collected first, in whatever order they were multiplied.
type fuser struct {
	nodes  []*Node
	by     map[string]int // producer of each value
	uses   map[string]int
	consts map[string]*engine.Tensor
}

// fuse gives the nodes with patterns replaced; those that nothing reads any more are still there.
func fuse(g *Graph, consts map[string]*engine.Tensor) []*Node {
	f := &fuser{nodes: append([]*Node(nil), g.Nodes...), by: map[string]int{}, uses: map[string]int{}, consts: consts}
	for i, n := range f.nodes {
		for _, in := range n.Inputs {
			f.uses[in]++
		}
		for _, out := range n.Outputs {
			f.by[out] = i
		}
	}
	for _, o := range g.Outputs {
		f.uses[o.Name]++
	}
	for i, n := range f.nodes {
		if op, x := f.match(n); op != "" {
			f.nodes[i] = &Node{Name: n.Name, Op: op, Inputs: []string{x}, Outputs: n.Outputs, Attrs: map[string]*Attr{}}
		}
	}
	return f.nodes
}

// scalar gives a known number.
func (f *fuser) scalar(name string) (float64, bool) {
	t := f.consts[name]
	if t == nil || t.Len() != 1 || t.DType() != engine.F32 {
		return 0, false
	}
	return float64(t.F32()[0]), true
}

// node gives what computes a value, nil for inputs and constants.
func (f *fuser) node(name string) *Node {
	if i, ok := f.by[name]; ok && f.consts[name] == nil && (f.nodes[i].Domain == "" || f.nodes[i].Domain == "ai.onnx") {
		return f.nodes[i]
	}
	return nil
}

// product collects the factors of a value and their constant.
func (f *fuser) product(n *Node, depth int) (factors []string, c float64) {
	c = 1
	take := func(name string, inverse bool) {
		if v, ok := f.scalar(name); ok {
			if inverse {
				v = 1 / v
			}
			c *= v
			return
		}
		if in := f.node(name); in != nil && !inverse && depth < maxDepth && f.uses[name] == 1 && isProduct(in) {
			more, k := f.product(in, depth+1)
			factors, c = append(factors, more...), c*k
			return
		}
		if inverse {
			c = math.NaN() // a quotient by something computed is no product
		}
		factors = append(factors, name)
	}
	take(n.Inputs[0], false)
	take(n.Inputs[1], n.Op == "Div")
	return factors, c
}

func isProduct(n *Node) bool { return (n.Op == "Mul" || n.Op == "Div") && len(n.Inputs) == 2 }

// base follows multiplications by 1.
func (f *fuser) base(name string) (string, float64) {
	n := f.node(name)
	if n == nil || !isProduct(n) {
		return name, 1
	}
	if factors, c := f.product(n, maxDepth); len(factors) == 1 {
		return factors[0], c
	}
	return name, 1
}

// match gives the function and operand that a node computes, "" for none.
func (f *fuser) match(n *Node) (op, x string) {
	if !isProduct(n) || n.Domain != "" && n.Domain != "ai.onnx" {
		return "", ""
	}
	factors, c := f.product(n, 0)
	if len(factors) != 2 {
		return "", ""
	}
	for i := range 2 {
		x, gate := factors[i], f.node(factors[1-i])
		if gate == nil || f.uses[factors[1-i]] != 1 || len(gate.Inputs) == 0 {
			continue
		}
		if op := f.gated(x, gate, c); op != "" {
			return op, x
		}
	}
	return "", ""
}

// near compares constants that files round to float32.
func near(a, b float64) bool { return math.Abs(a-b) <= 1e-6*math.Abs(b) }

// gated names the function c·x·gate(x).
func (f *fuser) gated(x string, gate *Node, c float64) string {
	switch gate.Op {
	case "Sigmoid":
		if in, k := f.base(gate.Inputs[0]); in == x && k == 1 && c == 1 {
			return opSilu
		}
	case "HardSigmoid":
		alpha, beta := gate.Attrs["alpha"], gate.Attrs["beta"]
		if gate.Inputs[0] == x && c == 1 && alpha != nil && near(float64(alpha.F), 1.0/6) && (beta == nil || beta.F == 0.5) {
			return opHardSwish
		}
	case "Clip":
		lo, hi, ok := f.clipBounds(gate)
		if in, add := f.sum(gate.Inputs[0]); ok && lo == 0 && hi == 6 && in == x && add == 3 && near(c, 1.0/6) {
			return opHardSwish
		}
	case "Add":
		in, add := f.inputAnd(gate)
		erf := f.node(in)
		if add != 1 || erf == nil || erf.Op != "Erf" || !near(c, 0.5) {
			return ""
		}
		if of, k := f.base(erf.Inputs[0]); of == x && near(k, math.Sqrt2/2) {
			return opGelu
		}
	}
	return ""
}

// sum gives in, add of a value in + add.
func (f *fuser) sum(name string) (in string, add float64) {
	if n := f.node(name); n != nil && n.Op == "Add" {
		return f.inputAnd(n)
	}
	return "", 0
}

func (f *fuser) inputAnd(n *Node) (in string, add float64) {
	if len(n.Inputs) != 2 {
		return "", 0
	}
	for i := range 2 {
		if v, ok := f.scalar(n.Inputs[i]); ok {
			return n.Inputs[1-i], v
		}
	}
	return "", 0
}

func (f *fuser) clipBounds(n *Node) (lo, hi float64, ok bool) {
	bound := func(attr string, i int) (float64, bool) {
		if a := n.Attrs[attr]; a != nil {
			return float64(a.F), true
		}
		if i < len(n.Inputs) {
			return f.scalar(n.Inputs[i])
		}
		return 0, false
	}
	lo, okLo := bound("min", 1)
	hi, okHi := bound("max", 2)
	return lo, hi, okLo && okHi
}
