package nn

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/engine"
)

// storiesDir holds a real checkpoint when the data folder is there.
func storiesDir(tb testing.TB) string {
	tb.Helper()
	dir := os.Getenv("POAI_MODELS")
	if dir == "" {
		dir = filepath.FromSlash("../../../shared/models") // beside the checkout
	}
	dir = filepath.Join(dir, "stories260K")
	if _, err := os.Stat(filepath.Join(dir, "stories260K.bin")); err != nil {
		tb.Skipf("no stories260K checkpoint in %s; set POAI_MODELS", dir)
	}
	return dir
}

// loadLlama2c reads a llama2.c checkpoint.
func loadLlama2c(tb testing.TB, path string) (LlamaConfig, map[string]*engine.Tensor) {
	tb.Helper()
	bz, err := os.ReadFile(path)
	require.NoError(tb, err)
	h := make([]int64, 7)
	for i := range h {
		h[i] = int64(int32(binary.LittleEndian.Uint32(bz[4*i:])))
	}
	cfg := LlamaConfig{
		Dim: h[0], HiddenDim: h[1], Layers: int(h[2]), Heads: h[3], KVHeads: h[4], Vocab: max(h[5], -h[5]),
		Ctx: h[6], TiedOutput: h[5] > 0, EOS: []int64{1, 2},
	}
	at := 28
	take := func(shape ...int64) *engine.Tensor {
		n, err := engine.ByteSize(engine.F32, shape)
		require.NoError(tb, err)
		x, err := engine.TensorFromBytes(engine.F32, shape, bz[at:at+int(n)])
		require.NoError(tb, err)
		at += int(n)
		return x
	}
	w := map[string]*engine.Tensor{"tok_embeddings.weight": take(cfg.Vocab, cfg.Dim)}
	layers := func(name string, shape ...int64) {
		for i := range cfg.Layers {
			w[fmt.Sprintf("layers.%d.%s.weight", i, name)] = take(shape...)
		}
	}
	layers("attention_norm", cfg.Dim)
	layers("attention.wq", cfg.Dim, cfg.Dim)
	layers("attention.wk", cfg.KVDim(), cfg.Dim)
	layers("attention.wv", cfg.KVDim(), cfg.Dim)
	layers("attention.wo", cfg.Dim, cfg.Dim)
	layers("ffn_norm", cfg.Dim)
	layers("feed_forward.w1", cfg.HiddenDim, cfg.Dim)
	layers("feed_forward.w2", cfg.Dim, cfg.HiddenDim)
	layers("feed_forward.w3", cfg.HiddenDim, cfg.Dim)
	w["norm.weight"] = take(cfg.Dim)
	w["rope.cos"] = take(cfg.Ctx, cfg.HeadDim()/2)
	w["rope.sin"] = take(cfg.Ctx, cfg.HeadDim()/2)
	if !cfg.TiedOutput {
		w["output.weight"] = take(cfg.Vocab, cfg.Dim)
	}
	return cfg, w
}

// loadTokens reads a llama2.c tokenizer's pieces.
func loadTokens(tb testing.TB, path string, vocab int64) []string {
	tb.Helper()
	bz, err := os.ReadFile(path)
	require.NoError(tb, err)
	at, pieces := 4, make([]string, vocab)
	for i := range pieces {
		n := int(binary.LittleEndian.Uint32(bz[at+4:]))
		pieces[i] = string(bz[at+8 : at+8+n])
		at += 8 + n
	}
	return pieces
}

// TestStories checks a real checkpoint against llama2.c's greedy text and log-probabilities.
func TestStories(t *testing.T) {
	dir := storiesDir(t)
	cfg, tensors := loadLlama2c(t, filepath.Join(dir, "stories260K.bin"))
	pieces := loadTokens(t, filepath.Join(dir, "tok512.bin"), cfg.Vocab)
	prog, err := Llama(cfg, engine.DefaultLimits())
	require.NoError(t, err)
	weights, err := engine.WeightsByName(prog, tensors)
	require.NoError(t, err)
	prompt := greedyTokens(pieces, "Once upon a time")
	in, err := engine.FromI64(prompt, int64(len(prompt)))
	require.NoError(t, err)
	res, err := engine.Execute(context.Background(), prog, weights, map[string]*engine.Tensor{"prompt": in},
		uint64(len(prompt)-1+20), engine.RunOptions{})
	require.NoError(t, err)
	count := res.Output("count").I64()[0]
	require.Equal(t, int64(20), count)
	var text strings.Builder
	for _, tok := range res.Output("tokens").I64()[:count] {
		text.WriteString(pieces[tok])
	}
	require.True(t, strings.HasPrefix(text.String(), ", there was a little g"), "%q", text.String())
	want := []float64{-0.031703, -0.068423, -0.015955, -0.000784, -0.493978, -0.445867}
	for i, w := range want {
		require.InDelta(t, w, float64(res.Output("logprobs").F32()[i]), 2e-3, "token %d", i)
	}
}

// greedyTokens joins the longest piece first, which is enough for a fixed English prompt.
func greedyTokens(pieces []string, s string) []int64 {
	out := []int64{1}
	s = " " + s
	for len(s) > 0 {
		best := -1
		for i, p := range pieces {
			if i > 2 && p != "" && strings.HasPrefix(s, p) && (best < 0 || len(p) > len(pieces[best])) {
				best = i
			}
		}
		out = append(out, int64(best))
		s = s[len(pieces[best]):]
	}
	return out
}
