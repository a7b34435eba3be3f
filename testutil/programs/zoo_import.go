package programs

import "poaid/engine/nn"

// importOps adds the ops that imported and quantised networks use to the zoo: x [30, 300], img and ker images.
func importOps(g *nn.Graph, show func(v nn.Value) nn.Value, x, img, ker nn.Value) {
	for _, f := range []func(nn.Value) nn.Value{g.Erf, g.Sin, g.Cos, g.HardSwish} {
		show(f(x))
	}
	show(g.HardSigmoid(x, 0.2, 0.5))
	show(g.Round(x, "nearest"))
	show(g.Clip(x, g.F32(-0.5), g.F32(0.75)))
	show(g.MinOf(x, 1, false, false))
	show(g.Prod(g.Add(x, g.F32(1)), 0, false, false))
	show(g.Resize(img, 17, 9, nn.Resizing{Mode: "linear"}))
	show(g.Resize(img, 17, 9, nn.Resizing{Mode: "nearest"}))
	q := show(g.Quantise(x, g.F32(1.0/64), g.I8(3)))
	show(g.Dequantise(q, g.F32(1.0/64), g.I8(3)))
	acc := show(g.MatMul(q, q, false, true, 0))
	show(g.Rescale(acc, g.F32(1.0/64), g.F32(1.0/64)))
	show(g.Requantise(acc, g.I32(1<<30), g.I32(38), g.I8(0), -128, 127))
	one, zero := g.F32(1.0/64), g.I8(0)
	show(g.Convolve(g.Quantise(img, one, zero), g.Quantise(ker, one, zero), nn.Geometry{Pad: [4]int64{1, 1, 1, 1}}))
}
