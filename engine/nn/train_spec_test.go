package nn

import (
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/engine"
)

// TestScheduleTable holds schedules to their closed forms in float64, and one to its bits.
func TestScheduleTable(t *testing.T) {
	const steps, rate = 101, 0.5
	part := func(i, warmup int) float64 { return float64(i-warmup) / float64(steps-1-warmup) }
	for _, tc := range []struct {
		name string
		s    Schedule
		want func(i int) float64
	}{
		{"constant", Schedule{}, func(int) float64 { return 1 }},
		{"linear", Schedule{Decay: Linear, Final: 0.2}, func(i int) float64 { return 1 - 0.8*part(i, 0) }}, //detlint:allow float64 reference
		{"cosine", Schedule{Decay: Cosine, Warmup: 10, Final: 0.1}, func(i int) float64 {
			if i < 10 {
				return float64(i+1) / 10
			}
			return 0.1 + 0.9*0.5*(1+math.Cos(math.Pi*part(i, 10))) //detlint:allow float64 reference
		}},
		{"stairs", Schedule{Decay: Stairs, Every: 30, Factor: 0.5}, func(i int) float64 { return math.Pow(0.5, float64(i/30)) }},
	} {
		table, err := tc.s.Table(rate, steps)
		require.NoError(t, err)
		for i, v := range table.F32() {
			require.InDelta(t, rate*tc.want(i), float64(v), 1e-7, "%s step %d", tc.name, i)
		}
	}
	last, err := Schedule{Decay: Cosine}.Table(1, 3)
	require.NoError(t, err)
	require.Equal(t, []float32{1, 0.49999997, 0}, last.F32())
	one, err := Schedule{Decay: Linear, Final: 0.5}.Table(1, 1)
	require.NoError(t, err)
	require.Equal(t, []float32{1}, one.F32())
	_, err = Schedule{Warmup: 5}.Table(1, 4)
	require.ErrorContains(t, err, "warmup 5")
	_, err = Schedule{Decay: Stairs}.Table(1, 4)
	require.ErrorContains(t, err, "every 0")
}

// trainTable trains testMLP with a table of rates and gives the states after the last step.
func trainTable(t *testing.T, net Net, tc TrainConfig, extra map[string]*engine.Tensor) map[string]*engine.Tensor {
	t.Helper()
	prog, err := ClassifierTrainer(net, tc, engine.DefaultLimits())
	require.NoError(t, err)
	tensors, err := InitParams(testMLP.Params(), 2)
	require.NoError(t, err)
	if tc.Table {
		tensors[RateTable], err = Schedule{}.Table(tc.LR, tc.Steps)
		require.NoError(t, err)
	}
	for name, v := range extra {
		tensors[name] = v
	}
	w, err := engine.WeightsByName(prog, tensors)
	require.NoError(t, err)
	in, err := prog.BindInputs(nil)
	require.NoError(t, err)
	run, err := engine.NewRun(prog, w, in, engine.RunOptions{Threads: 2})
	require.NoError(t, err)
	for range tc.Steps {
		require.NoError(t, run.Step(context.Background()))
	}
	out := map[string]*engine.Tensor{}
	for i, s := range prog.StateSpecs() {
		out[s.Name] = run.States()[i].Clone()
	}
	return out
}

func flatDigits(t *testing.T, n int64) map[string]*engine.Tensor {
	t.Helper()
	data, labels := digits(t, n)
	flat, err := engine.TensorFromBytes(engine.U8, []int64{n, 64}, data.Bytes())
	require.NoError(t, err)
	return map[string]*engine.Tensor{"data": flat, "labels": labels}
}

// TestTrainConfigOptions: a constant table is the input lr, a clip that is never reached changes nothing but the sign of zeros, one
// that is bounds the step, and frozen parameters stay.
func TestTrainConfigOptions(t *testing.T) {
	tc := TrainConfig{Batch: 8, Steps: 5, LR: 0.05, Optimizer: SGD{}, DataLen: 20, DataDType: engine.U8}
	set := flatDigits(t, 20)
	plain := trainTable(t, testMLP, tc, set)
	table := tc
	table.Table = true
	require.Equal(t, plain, trainTable(t, testMLP, table, set))
	wide := tc
	wide.ClipNorm = 1e9
	require.Equal(t, plain["fc0.weight"].F32(), trainTable(t, testMLP, wide, set)["fc0.weight"].F32())

	tight := tc
	tight.Steps, tight.ClipNorm = 1, 0.01
	start, err := InitParams(testMLP.Params(), 2)
	require.NoError(t, err)
	sum := 0.0
	for name, p := range start {
		for i, v := range trainTable(t, testMLP, tight, set)[name].F32() {
			d := float64(v - p.F32()[i])
			sum += d * d //detlint:allow float64 reference
		}
	}
	require.InDelta(t, 0.01*0.05, math.Sqrt(sum), 1e-6, "a step of rate times the limit")

	frozen := tc
	frozen.Frozen = func(name string) bool { return name == "fc0.weight" }
	got := trainTable(t, testMLP, frozen, set)
	require.NotContains(t, got, "fc0.weight")
	require.NotEqual(t, start["fc1.weight"].F32(), got["fc1.weight"].F32())
	frozen.Frozen = func(string) bool { return true }
	_, err = ClassifierTrainer(testMLP, frozen, engine.DefaultLimits())
	require.ErrorContains(t, err, "every parameter is frozen")
}

// TestInlineIsTheNet trains an inference program, taken as a net in copies of any number of rows, beside the net that it was made of:
// gradients of a batch are added in another order, so the losses agree to rounding.
func TestInlineIsTheNet(t *testing.T) {
	set := flatDigits(t, 20)
	v := make([]float32, 20*64)
	for i, b := range set["data"].U8() {
		v[i] = float32(b) / 255
	}
	var err error
	set["data"], err = engine.FromF32(v, 20, 64)
	require.NoError(t, err)
	tc := TrainConfig{Batch: 8, Steps: 6, LR: 0.1, Optimizer: SGD{}, DataLen: 20, DataDType: engine.F32}
	want := trainTable(t, testMLP, tc, set)["losses"].F32()
	for _, rows := range []int64{8, 4, 1} {
		prog, err := Classifier(testMLP, rows, engine.DefaultLimits())
		require.NoError(t, err)
		net, err := Inline(prog, InlineOptions{Input: "x", Output: "logits", Rows: rows})
		require.NoError(t, err)
		got := trainTable(t, net, tc, set)["losses"].F32()
		if rows == 8 {
			require.Equal(t, want, got, "one copy is the same graph")
		}
		for i := range want {
			require.InDelta(t, want[i], got[i], 1e-4, "%d rows, step %d", rows, i)
		}
	}
	prog, err := Classifier(testMLP, 3, engine.DefaultLimits())
	require.NoError(t, err)
	net, err := Inline(prog, InlineOptions{Input: "x", Output: "logits", Rows: 3})
	require.NoError(t, err)
	_, err = ClassifierTrainer(net, tc, engine.DefaultLimits())
	require.ErrorContains(t, err, "batch: 8 is not a multiple of the 3 rows")
	for want, o := range map[string]InlineOptions{
		`the program has no "y"`: {Input: "y", Output: "logits"},
		`output: "x"`:            {Input: "x", Output: "x"},
		"must be f32":            {Input: "x", Output: "class"},
		"3 rows, want 2":         {Input: "x", Output: "logits", Rows: 2},
	} {
		_, err = Inline(prog, o)
		require.ErrorContains(t, err, want)
	}
	llama, err := Llama(LlamaConfig{Dim: 16, HiddenDim: 16, Layers: 1, Heads: 2, Vocab: 8, Ctx: 8}, engine.DefaultLimits())
	require.NoError(t, err)
	_, err = Inline(llama, InlineOptions{Input: "prompt", Output: "tokens"})
	require.ErrorContains(t, err, "forced graph")
}

// TestEvalIsTheLoss measures the batch of a training step: the mean of the samples' losses is the step's.
func TestEvalIsTheLoss(t *testing.T) {
	set := flatDigits(t, 7)
	prog, err := ClassifierEval(testMLP, TrainConfig{Batch: 4, Steps: 2, DataLen: 7, DataDType: engine.U8}, engine.DefaultLimits())
	require.NoError(t, err)
	tensors, err := InitParams(testMLP.Params(), 2)
	require.NoError(t, err)
	for name, v := range set {
		tensors[name] = v
	}
	w, err := engine.WeightsByName(prog, tensors)
	require.NoError(t, err)
	res, err := engine.Execute(context.Background(), prog, w, nil, 2, engine.RunOptions{})
	require.NoError(t, err)
	loss, hit := res.Output("loss").F32(), res.Output("hit").U8()
	require.Equal(t, loss[6], loss[7], "what is past the end repeats the last sample")

	infer, err := Classifier(testMLP, 7, engine.DefaultLimits())
	require.NoError(t, err)
	params, err := InitParams(testMLP.Params(), 2)
	require.NoError(t, err)
	w, err = engine.WeightsByName(infer, params)
	require.NoError(t, err)
	x := make([]float32, 7*64)
	for i, b := range set["data"].U8() {
		x[i] = float32(b) / 255
	}
	in, err := engine.FromF32(x, 7, 64)
	require.NoError(t, err)
	out, err := engine.Execute(context.Background(), infer, w, map[string]*engine.Tensor{"x": in}, 1, engine.RunOptions{})
	require.NoError(t, err)
	for i := range 7 {
		row, label := out.Output("logits").F32()[3*i:3*i+3], set["labels"].U8()[i]
		z := 0.0
		for _, l := range row {
			z += math.Exp(float64(l))
		}
		require.InDelta(t, math.Log(z)-float64(row[label]), float64(loss[i]), 1e-5)
		require.Equal(t, out.Output("class").I64()[i] == int64(label), hit[i] == 1)
	}
	_, err = ClassifierEval(testMLP, TrainConfig{Batch: 4, Steps: 3, DataLen: 7, DataDType: engine.U8}, engine.DefaultLimits())
	require.ErrorContains(t, err, "steps 3, want 2")
}
