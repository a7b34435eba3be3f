package nn

import (
	"fmt"
	"math"

	"poaid/engine"
)

// Net is a classifier: an MLP or a CNN.
type Net interface {
	// Params lists the parameters in order.
	Params() []ParamSpec
	// Input is the shape of one sample and Classes the number of classes.
	Input() []int64
	Classes() int64
	// Apply maps x [n, Input...] to logits [n, Classes].
	Apply(g *Graph, p map[string]Value, x Value) Value
	check() error
}

// MLP is a multi-layer perceptron with ReLU between its layers: Sizes[0] inputs to Sizes[last] classes. Its weights are
// fc<i>.weight [out, in] and fc<i>.bias [out].
type MLP struct{ Sizes []int64 }

func (m MLP) check() error {
	if len(m.Sizes) < 2 {
		return fmt.Errorf("mlp: %d sizes, want at least 2", len(m.Sizes))
	}
	for i, s := range m.Sizes {
		if s < 1 || s > 1<<24 {
			return fmt.Errorf("mlp: sizes[%d] %d must be in 1..2^24", i, s)
		}
	}
	return nil
}

// Input implements Net.
func (m MLP) Input() []int64 { return m.Sizes[:1] }

// Classes implements Net.
func (m MLP) Classes() int64 { return m.Sizes[len(m.Sizes)-1] }

// Params implements Net.
func (m MLP) Params() []ParamSpec {
	var list []ParamSpec
	for i := range len(m.Sizes) - 1 {
		list = append(list,
			ParamSpec{Name: fmt.Sprintf("fc%d.weight", i), Shape: []int64{m.Sizes[i+1], m.Sizes[i]}, Init: he(m.Sizes[i])},
			ParamSpec{Name: fmt.Sprintf("fc%d.bias", i), Shape: []int64{m.Sizes[i+1]}, Init: Zeros()})
	}
	return list
}

// Apply implements Net.
func (m MLP) Apply(g *Graph, p map[string]Value, x Value) Value {
	for i := range len(m.Sizes) - 1 {
		if i > 0 {
			x = g.Relu(x)
		}
		x = g.Add(g.Linear(x, p[fmt.Sprintf("fc%d.weight", i)]), p[fmt.Sprintf("fc%d.bias", i)])
	}
	return x
}

// he is He et al.'s initialisation for ReLU layers.
func he(fanIn int64) Init { return Normal(float32(math.Sqrt(2 / float64(fanIn)))) }

// CNN is a small convolutional net for digits: blocks of 3×3 convolution (padding 1), ReLU and 2×2 max pooling, then a
// hidden layer and the classes. Its weights are conv<i>.weight [out, in, 3, 3], conv<i>.bias [1, out, 1, 1], and those
// of an MLP.
type CNN struct {
	Channels, Height, Width int64
	// Filters is the number of filters of each block.
	Filters []int64
	// Hidden is the width of the hidden layer.
	Hidden int64
	Output int64
}

func (c CNN) check() error {
	if h, w := c.final(); h < 1 || w < 1 || c.Channels < 1 || c.Hidden < 1 || c.Output < 1 || len(c.Filters) == 0 {
		return fmt.Errorf("cnn: %d×%d×%d with %d blocks, hidden %d, output %d: nothing may be empty",
			c.Channels, c.Height, c.Width, len(c.Filters), c.Hidden, c.Output)
	}
	return nil
}

// final is the size of the image after the blocks.
func (c CNN) final() (h, w int64) {
	h, w = c.Height, c.Width
	for range c.Filters {
		h, w = h/2, w/2
	}
	return h, w
}

// Input implements Net.
func (c CNN) Input() []int64 { return []int64{c.Channels, c.Height, c.Width} }

// Classes implements Net.
func (c CNN) Classes() int64 { return c.Output }

func (c CNN) head() MLP {
	h, w := c.final()
	return MLP{Sizes: []int64{c.Filters[len(c.Filters)-1] * h * w, c.Hidden, c.Output}}
}

// Params implements Net.
func (c CNN) Params() []ParamSpec {
	var list []ParamSpec
	in := c.Channels
	for i, f := range c.Filters {
		list = append(list,
			ParamSpec{Name: fmt.Sprintf("conv%d.weight", i), Shape: []int64{f, in, 3, 3}, Init: he(in * 9)},
			ParamSpec{Name: fmt.Sprintf("conv%d.bias", i), Shape: []int64{1, f, 1, 1}, Init: Zeros()})
		in = f
	}
	return append(list, c.head().Params()...)
}

// Apply implements Net.
func (c CNN) Apply(g *Graph, p map[string]Value, x Value) Value {
	for i := range c.Filters {
		x = g.Add(g.Conv2D(x, p[fmt.Sprintf("conv%d.weight", i)], Conv{Pad: 1}), p[fmt.Sprintf("conv%d.bias", i)])
		x = g.MaxPool(g.Relu(x), 2, 2)
	}
	head := c.head()
	return head.Apply(g, p, g.Reshape(x, x.Dim(0), engine.Const(head.Sizes[0])))
}

// Classifier returns an inference program of one step.
//
//	weights  net.Params()
//	inputs   x f32 [batch, net.Input()...]
//	outputs  logits f32 [batch, classes], class i64 [batch]
func Classifier(net Net, batch int64, lim engine.Limits) (*engine.Program, error) {
	if err := net.check(); err != nil {
		return nil, err
	}
	b := NewBuilder(1)
	g, p := b.Step(), make(map[string]Value)
	for _, s := range net.Params() {
		p[s.Name] = b.Weight(s.Name, engine.F32, s.Shape...)
	}
	x := b.Input("x", engine.F32, append([]int64{batch}, net.Input()...)...)
	logits, class := b.State("logits", engine.F32, batch, net.Classes()), b.State("class", engine.I64, batch)
	y := net.Apply(g, p, x)
	g.Update(logits, y)
	g.Update(class, g.ArgMax(y, -1, false))
	b.Output(logits)
	b.Output(class)
	return b.Build(lim)
}

// ClassifierTrainer returns a training program. Every step draws a batch of samples, uniformly by rand@1 from (seed,
// step), and takes one optimiser step on the mean loss.
//
//	weights  net.Params() (starting values), data [data_len, net.Input()...] f32 or u8, divided by t.Scale, and
//	         labels u8 [data_len]; with SquareLoss targets f32 [data_len, classes] instead
//	inputs   seed i64[1] = 0, lr f32[1] = t.LR (with t.Table: the weight lr.table instead)
//	outputs  losses f32 [steps], then the parameters in order
func ClassifierTrainer(net Net, t TrainConfig, lim engine.Limits) (*engine.Program, error) {
	t, err := t.forSamples(net)
	if err != nil {
		return nil, err
	}
	tr := newTrainer(t, net.Params())
	b, g := tr.b, tr.g
	set := newSampleSet(b, net, t)
	g.Scope("batch")
	idx := g.Rand(tr.seed, 0, t.DataLen, engine.Const(t.Batch))
	x, y := set.rows(g, idx)
	g.Scope("net")
	out := net.Apply(g, tr.byName, x)
	var loss Value
	if t.Loss == SquareLoss {
		loss = g.MeanSquare(out, y)
	} else {
		loss = g.CrossEntropy(out, y)
	}
	return tr.finish(loss, t.Optimizer, lim)
}

// forSamples checks what training and measuring on samples have in common.
func (t TrainConfig) forSamples(net Net) (TrainConfig, error) {
	if err := net.check(); err != nil {
		return t, err
	}
	t, err := t.withDefaults()
	if err != nil {
		return t, err
	}
	if t.DataDType != engine.U8 && t.DataDType != engine.F32 {
		return t, fmt.Errorf("training: data dtype %s, want f32 or u8", t.DataDType)
	}
	if r, ok := net.(rawNet); ok && r.inputDType() != t.DataDType {
		return t, fmt.Errorf("training: data dtype %s, the program's input takes %s", t.DataDType, r.inputDType())
	}
	if t.Scale == 0 && t.DataDType == engine.U8 {
		t.Scale = 255
	}
	return t, nil
}

// rawNet is a net that takes samples as they are stored.
type rawNet interface{ inputDType() engine.DType }

// sampleSet holds the weights that a data set is.
type sampleSet struct {
	data, labels Value
	scale        float32 // 0: none
	raw          bool
}

func newSampleSet(b *Builder, net Net, t TrainConfig) sampleSet {
	s := sampleSet{data: b.Weight("data", t.DataDType, append([]int64{t.DataLen}, net.Input()...)...), scale: t.Scale}
	if t.Loss == SquareLoss {
		s.labels = b.Weight("targets", engine.F32, t.DataLen, net.Classes())
	} else {
		s.labels = b.Weight("labels", engine.U8, t.DataLen)
	}
	_, s.raw = net.(rawNet)
	return s
}

// rows gathers samples and their labels i32 [n], or targets f32 [n, outputs], by index i64 [n].
func (s sampleSet) rows(g *Graph, idx Value) (x, y Value) {
	x = g.GatherClamp(s.data, idx)
	if !s.raw {
		x = g.Scaled(x, s.scale)
	}
	y = g.GatherClamp(s.labels, idx)
	if y.DType() == engine.U8 {
		y = g.Cast(y, engine.I32)
	}
	return x, y
}

// Scaled is x as f32 divided by scale; a scale of 0 or 1 leaves it.
func (g *Graph) Scaled(x Value, scale float32) Value {
	if x.DType() != engine.F32 {
		x = g.Cast(x, engine.F32)
	}
	if scale == 0 || scale == 1 {
		return x
	}
	return g.Div(x, g.F32(scale))
}
