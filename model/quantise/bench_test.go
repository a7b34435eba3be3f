package quantise

import (
	"context"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/engine"
	"poaid/engine/nn"
	"poaid/model"
)

// llama15M is the shape of stories15M with random weights.
func llama15M(tb testing.TB) *model.Package {
	tb.Helper()
	cfg := nn.LlamaConfig{Dim: 288, HiddenDim: 768, Layers: 6, Heads: 6, Vocab: 32000, Ctx: 256, TiedOutput: true}
	prog, err := nn.Llama(cfg, engine.DefaultLimits())
	require.NoError(tb, err)
	tensors, err := nn.InitParams(cfg.Params(), 1)
	require.NoError(tb, err)
	tensors["rope.cos"], tensors["rope.sin"], err = nn.RopeTables(cfg.Ctx, cfg.HeadDim(), 10000)
	require.NoError(tb, err)
	p, err := model.New(model.Meta{Name: "15M"}, prog, tensors, nil)
	require.NoError(tb, err)
	return p
}

// BenchmarkDecode15M times greedy tokens of a 15M llama, float32 and int8 in turns on one thread, by CPU time.
func BenchmarkDecode15M(b *testing.B) {
	before := llama15M(b)
	after, _, err := Dynamic(before)
	require.NoError(b, err)
	cpu := func() float64 {
		var u syscall.Rusage
		require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
		return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
	}
	run := func(p *model.Package) *engine.Run {
		prompt, err := engine.FromI64([]int64{1}, 1)
		require.NoError(b, err)
		in, err := p.Program.BindInputs(map[string]*engine.Tensor{"prompt": prompt})
		require.NoError(b, err)
		r, err := engine.NewRun(p.Program, p.Weights, in, engine.RunOptions{Threads: 1})
		require.NoError(b, err)
		require.NoError(b, r.Step(context.Background()))
		return r
	}
	const tokens = 40
	var spent [2]float64
	rounds := 0
	for b.Loop() {
		for k, p := range []*model.Package{before, after} {
			r, start := run(p), cpu()
			for range tokens {
				require.NoError(b, r.Step(context.Background()))
			}
			spent[k] += cpu() - start
		}
		rounds++
	}
	n := float64(rounds * tokens)
	b.ReportMetric(n/spent[0], "f32-tok/s")
	b.ReportMetric(n/spent[1], "int8-tok/s")
	b.ReportMetric(spent[0]/spent[1], "ratio")
}
