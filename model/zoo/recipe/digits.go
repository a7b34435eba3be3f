package recipe

import (
	"context"

	"poaid/engine"
	"poaid/engine/nn"
	"poaid/model"
	"poaid/model/zoo/data"
)

// digitsNet reads one channel of 8×8: two blocks of convolution, a hidden layer, ten classes.
func digitsNet() nn.CNN {
	return nn.CNN{Channels: 1, Height: 8, Width: 8, Filters: []int64{16, 32}, Hidden: 64, Output: 10}
}

// digitsSteps batches of digitsBatch digits are seen.
const (
	digitsSteps = 1500
	digitsBatch = 64
	inkLevels   = 16
)

// Digits trains a classifier of handwritten digits on three quarters of the data set.
func Digits() (*Recipe, error) {
	all, err := data.Digits()
	if err != nil {
		return nil, err
	}
	train, held := data.SplitDigits(all)
	lim := engine.DefaultLimits()
	prog, err := nn.ClassifierTrainer(digitsNet(), nn.TrainConfig{
		Batch: digitsBatch, Steps: digitsSteps, LR: 2e-3, DataLen: int64(len(train)), DataDType: engine.F32,
		Optimizer: warmupLinear{nn.Adam{Beta1: 0.9, Beta2: 0.99, Eps: 1e-8, Decay: 0.1}, 50, digitsSteps},
	}, lim)
	if err != nil {
		return nil, err
	}
	weights, err := nn.InitParams(digitsNet().Params(), 1998)
	if err != nil {
		return nil, err
	}
	pixels, labels := make([]float32, 0, len(train)*data.DigitPixels), make([]uint8, len(train))
	for i, d := range train {
		for _, p := range d.Pixels {
			pixels = append(pixels, float32(p)/inkLevels) // exact
		}
		labels[i] = d.Label
	}
	if weights["data"], err = engine.FromF32(pixels, int64(len(train)), 1, 8, 8); err != nil {
		return nil, err
	}
	if weights["labels"], err = engine.FromU8(labels, int64(len(train))); err != nil {
		return nil, err
	}
	bound, err := engine.WeightsByName(prog, weights)
	if err != nil {
		return nil, err
	}
	return &Recipe{
		Name: "digits", Program: prog, Weights: bound, Steps: digitsSteps, Package: digitsPackage,
		Score: func(ctx context.Context, p *model.Package, threads int) (string, float64, error) {
			acc, err := Accuracy(ctx, p, held, threads)
			return "accuracy on 450 digits held back", acc, err
		},
	}, nil
}

// digitsProgram is one step: pixels u8 [1,8,8], 0 (paper) to 16 (ink), to scores f32[10], which add up to about 1, and the digit
// with the highest, label i64[1].
func digitsProgram() (*engine.Program, error) {
	net := digitsNet()
	b := nn.NewBuilder(1)
	p := make(map[string]nn.Value)
	for _, s := range net.Params() {
		p[s.Name] = b.Weight(s.Name, engine.F32, s.Shape...)
	}
	in := b.Input("pixels", engine.U8, 1, 8, 8)
	label, scores := b.State("label", engine.I64, 1), b.State("scores", engine.F32, 10)
	g, c := b.Step(), engine.Const
	x := g.Div(g.Cast(in, engine.F32), g.F32(inkLevels))
	logits := net.Apply(g, p, g.Reshape(x, c(1), c(1), c(8), c(8)))
	g.Update(label, g.ArgMax(logits, -1, false))
	g.Update(scores, g.Reshape(g.Softmax(logits, false), c(10)))
	b.Output(label)
	b.Output(scores)
	return b.Build(engine.DefaultLimits())
}

func digitsPackage(params map[string]*engine.Tensor) (*model.Package, error) {
	prog, err := digitsProgram()
	if err != nil {
		return nil, err
	}
	return model.New(model.Meta{
		Name:        "digits",
		Description: "Reads one handwritten digit from 8x8 pixels, 0 (paper) to 16 (ink).",
		Labels:      []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"},
		Outputs:     []model.Output{{Name: "label", Render: model.RenderLabel}, {Name: "scores"}},
		License:     "CC-BY-4.0",
		Provenance: "Trained by go run ./model/zoo/train digits on 1347 of the 1797 digits of UCI Optical Recognition of Handwritten " +
			"Digits (E. Alpaydin, C. Kaynak, 1998, https://doi.org/10.24432/C50P49, CC BY 4.0).",
		Settings: map[string]string{"architecture": "cnn", "input": "pixels"},
	}, prog, params, nil)
}

// Accuracy gives the part of the digits that a package labels rightly.
func Accuracy(ctx context.Context, p *model.Package, digits []data.Digit, threads int) (float64, error) {
	right := 0
	for _, d := range digits {
		x, err := engine.FromU8(d.Pixels[:], 1, 8, 8)
		if err != nil {
			return 0, err
		}
		res, err := engine.Execute(ctx, p.Program, p.Weights, map[string]*engine.Tensor{"pixels": x}, 1, engine.RunOptions{Threads: threads})
		if err != nil {
			return 0, err
		}
		if res.Output("label").I64()[0] == int64(d.Label) {
			right++
		}
	}
	return float64(right) / float64(len(digits)), nil
}

// SampleDigits gives one digit of each kind that was held back from training, in order of their labels.
func SampleDigits() ([]data.Digit, error) {
	all, err := data.Digits()
	if err != nil {
		return nil, err
	}
	_, held := data.SplitDigits(all)
	out, have := make([]data.Digit, 10), [10]bool{}
	for _, d := range held {
		if !have[d.Label] {
			out[d.Label], have[d.Label] = d, true
		}
	}
	return out, nil
}
