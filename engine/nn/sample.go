package nn

import "poaid/engine"

// SampleOptions are the operands of Sample, each of one element.
type SampleOptions struct {
	Seed        Value // i64[1]
	Temperature Value // i32[1], millionths; 0 or less: greedy
	TopK        Value // i32[1]; 0 or less: off
	TopP        Value // i32[1], parts per million; 1000000 or more: off
	Stream      int64
}

// ppm is ⌊2^64 / 10^6⌋: mulhi(total, p·ppm) is total·p/10^6 for p < 10^6, short by less than one unit in total/10^6.
const ppm = 18446744073709

// Sample picks one index of logits [1, n] as i64[1]: the largest when greedy, otherwise by integer weights
// ⌊2^32·exp(l − max)⌋ of logits divided by the temperature, among the k largest (ties to the lower index), and of
// those the shortest head whose mass reaches p; the largest always stays.
func (g *Graph) Sample(logits Value, o SampleOptions) Value {
	one := engine.Const(1)
	n := logits.Dim(1)
	greedy := g.Le(o.Temperature, g.I32(0))
	temp := g.Where(greedy, g.F32(1), g.Div(g.Cast(o.Temperature, engine.F32), g.F32(1e6)))
	l := g.Div(logits, temp)
	w := g.Reshape(g.plain("expweight@1", l, g.MaxOf(l, -1, true, false)), n)
	rank := g.plain("rank@1", g.Reshape(l, n))
	inK := g.Or(g.Le(o.TopK, g.I32(0)), g.Lt(rank, o.TopK))
	w = g.Where(inK, w, g.I64(0))
	above := g.plain("massabove@1", w, rank)
	total := g.Sum(g.Reshape(w, one, n), -1, false, false)
	cut := g.plain("mulhi@1", total, g.Mul(g.Cast(o.TopP, engine.I64), g.I64(ppm)))
	inP := g.Or(g.Le(g.I32(1000000), o.TopP), g.Lt(above, g.Max(cut, g.I64(1))))
	w = g.Where(inP, w, g.I64(0))
	total = g.Sum(g.Reshape(w, one, n), -1, false, false)
	u := g.plain("mulhi@1", g.Rand(o.Seed, o.Stream, 0, one), total)
	return g.Where(greedy, g.ArgMax(logits, -1, false), g.plain("pick@1", w, u))
}
