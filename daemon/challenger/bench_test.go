package challenger_test

import (
	"context"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"poaid/commit"
	"poaid/engine"
	"poaid/engine/nn"
)

func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// llamas are the shapes that the overhead is measured for: that of the story model (260K parameters), and 15M parameters.
var llamas = map[string]struct {
	cfg   nn.LlamaConfig
	steps uint64
}{
	"story":     {nn.LlamaConfig{Dim: 64, HiddenDim: 172, Layers: 5, Heads: 8, KVHeads: 4, Vocab: 512, Ctx: 512, EOS: nil}, 256},
	"llama-15M": {nn.LlamaConfig{Dim: 288, HiddenDim: 768, Layers: 6, Heads: 6, Vocab: 32000, Ctx: 256, EOS: nil}, 32},
}

// BenchmarkReady measures what it costs to be ready for a dispute, in CPU time and in one run: inference alone; with the result's root,
// which is all that a daemon does; with the root of the states after every step; and with every node of every step hashed.
func BenchmarkReady(b *testing.B) {
	for name, x := range llamas {
		b.Run(name, func(b *testing.B) {
			blobs = map[string][]byte{}
			reg := register(b, name, x.cfg)
			in := inputsOf(b, 1)
			bound, err := reg.prog.BindInputs(in)
			require.NoError(b, err)
			generate(b, reg, bound, x.steps, bare) // packs the weights
			var spent [4]time.Duration
			for b.Loop() {
				for _, mode := range []int{bare, withStates, withNodes} {
					start := cpu(b)
					run := generate(b, reg, bound, x.steps, mode)
					spent[mode] += cpu(b) - start
					if mode != bare {
						continue
					}
					start = cpu(b) // a clock of processor time is coarse
					for range resultRepeats {
						_, err := run.Result()
						require.NoError(b, err)
					}
					spent[withResult] += (cpu(b) - start) / resultRepeats
				}
			}
			spent[withResult] += spent[bare]
			per := func(d time.Duration) float64 { return d.Seconds() * 1e3 / float64(b.N) / float64(x.steps) }
			b.ReportMetric(per(spent[0]), "ms/token")
			for i, what := range []string{"%result-root", "%state-roots", "%full-trace"} {
				b.ReportMetric(100*(spent[i+1].Seconds()/spent[0].Seconds()-1), what)
			}
			b.ReportMetric(0, "ns/op")
			require.Zero(b, generate(b, reg, bound, x.steps, bare).Stopped(), "the run must not stop early")
		})
	}
}

// What is done besides inference.
const (
	bare       = iota
	withResult // the root of the result
	withStates // the root of the states after every step
	withNodes  // every node of every step, and the states
)

const resultRepeats = 50

// generate runs T steps.
func generate(b *testing.B, reg *registered, in *engine.Inputs, steps uint64, mode int) *engine.Run {
	b.Helper()
	run, err := engine.NewRun(reg.prog, reg.weights, in, engine.RunOptions{Threads: 1})
	require.NoError(b, err)
	hash := func(x *engine.Tensor) {
		_, err := commit.TensorRoot(uint8(x.DType()), x.Shape(), x.Bytes())
		require.NoError(b, err)
	}
	for range steps {
		if mode == withNodes {
			require.NoError(b, run.Trace(context.Background(), func(_ int, out *engine.Tensor) error { hash(out); return nil }))
		} else {
			require.NoError(b, run.Step(context.Background()))
		}
		if mode >= withStates {
			for _, s := range run.States() {
				hash(s)
			}
		}
	}
	return run
}
