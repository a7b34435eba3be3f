package golden

import (
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/engine/kernel"
)

//go:embed roots.json
var rootsFile []byte

var update = flag.Bool("update", false, "write roots.json from this machine's reference kernel")

// cases are the results by name; a case fails its test on any error.
var cases = map[string]func(t *testing.T, threads int) []byte{
	"num/unary":             func(*testing.T, int) []byte { return numUnary() },
	"num/fma":               func(*testing.T, int) []byte { return numFMA() },
	"num/casts":             func(*testing.T, int) []byte { return numCasts() },
	"kernel/vector":         kernelVector,
	"kernel/gemm":           kernelGemm,
	"kernel/gemm_i8":        kernelGemmI8,
	"kernel/conv":           kernelConv,
	"kernel/conv_depthwise": kernelDepthwise,
	"zoo/digits":            zooDigits,
	"zoo/story/greedy":      zooGreedy,
	"zoo/story/sampled":     zooSampled,
	"train/cnn_adam":        trainCNN,
	"train/mlp_momentum":    trainMLP,
	"train/llama_adam":      trainLlama,
	"program/int8_softmax":  int8Program,
}

// kernels are those to try: all of the processor's, or the one the environment forces.
func kernels() []string {
	if name := os.Getenv("POAI_KERNEL"); name != "" && name != "auto" {
		return []string{name}
	}
	return kernel.Available()
}

func TestRoots(t *testing.T) {
	want := map[string]string{}
	require.NoError(t, json.Unmarshal(rootsFile, &want))
	threads := []int{1, 2, max(3, runtime.GOMAXPROCS(0))}
	if *update {
		writeRoots(t)
		return
	}
	require.Len(t, want, len(cases), "roots.json: one entry a case")
	t.Logf("%s/%s, kernels %v, threads %v", runtime.GOOS, runtime.GOARCH, kernels(), threads)
	for name, run := range cases {
		t.Run(name, func(t *testing.T) {
			for _, k := range kernels() {
				require.NoError(t, kernel.Use(k))
				for _, n := range threads {
					require.Equal(t, want[name], hex.EncodeToString(run(t, n)), "kernel %s, %d threads", k, n)
				}
			}
		})
	}
	require.NoError(t, kernel.Use(kernels()[len(kernels())-1]))
}

// writeRoots computes every case with the reference kernel on one thread.
func writeRoots(t *testing.T) {
	t.Helper()
	require.NoError(t, kernel.Use("reference"))
	got := map[string]string{}
	for name, run := range cases {
		got[name] = hex.EncodeToString(run(t, 1))
	}
	raw, err := json.MarshalIndent(got, "", "  ") // keys are sorted
	require.NoError(t, err)
	require.NoError(t, os.WriteFile("roots.json", append(raw, '\n'), 0o600))
	require.NoError(t, kernel.Use("auto"))
}

// TestForcedKernel: the environment's choice is honoured.
func TestForcedKernel(t *testing.T) {
	if name := os.Getenv("POAI_KERNEL"); name != "" && name != "auto" {
		require.Equal(t, name, kernel.Name())
		return
	}
	best := map[string][]string{"amd64": {"reference", "avx2", "avx512"}, "arm64": {"neon"}}[runtime.GOARCH]
	if best == nil {
		best = []string{"reference"}
	}
	require.True(t, slices.Contains(best, kernel.Name()), kernel.Name())
}
