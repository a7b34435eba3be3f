package nn

import "poaid/engine"

// MeanSquare is the mean of (y − target)² over all elements of y and target [n, c], as f32[1].
func (g *Graph) MeanSquare(y, target Value) Value {
	n, c := y.Dim(0), y.Dim(1)
	if !n.Static() || !c.Static() {
		g.b.fail("mean square: shape %s depends on the step", y.Shape())
		return Value{}
	}
	d := g.Sub(y, target)
	flat := g.Reshape(g.Mul(d, d), engine.Const(1), engine.Const(n.A*c.A))
	return g.Div(g.Reshape(g.Sum(flat, -1, false, false), engine.Const(1)), g.F32(float32(n.A*c.A)))
}
