package recipe

import (
	"context"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/engine"
	"poaid/model"
	"poaid/model/zoo"
	"poaid/model/zoo/data"
)

// tell continues a prompt by n tokens; seed 0 is greedy.
func tell(t *testing.T, p *model.Package, prompt string, n int, seed int64) (string, []float32) {
	t.Helper()
	var ids []int64
	for _, id := range p.Tokenizer.Encode(prompt, true, false) {
		ids = append(ids, int64(id))
	}
	in, err := engine.FromI64(ids, int64(len(ids)))
	require.NoError(t, err)
	inputs := map[string]*engine.Tensor{"prompt": in}
	if seed != 0 {
		inputs["seed"], err = engine.FromI64([]int64{seed}, 1)
		require.NoError(t, err)
		inputs["temperature"], err = engine.FromI32([]int32{700_000}, 1)
		require.NoError(t, err)
		inputs["top_p"], err = engine.FromI32([]int32{900_000}, 1)
		require.NoError(t, err)
	}
	res, err := engine.Execute(context.Background(), p.Program, p.Weights, inputs, uint64(len(ids)-1+n), engine.RunOptions{Threads: 1})
	require.NoError(t, err)
	count := res.Output("count").I64()[0]
	var out []int32
	for _, id := range res.Output("tokens").I64()[:count] {
		out = append(out, int32(id))
	}
	return p.Tokenizer.Decode(out), res.Output("logprobs").F32()[:count]
}

// TestEmbeddedStory reads what the embedded model tells: nearly all of its words are words of the tales.
func TestEmbeddedStory(t *testing.T) {
	p, err := zoo.Story()
	require.NoError(t, err)
	text, err := data.Tales()
	require.NoError(t, err)
	letters := regexp.MustCompile(`[A-Za-z']+`)
	known := map[string]bool{}
	for _, w := range letters.FindAllString(strings.ToLower(text), -1) {
		known[w] = true
	}
	words, right := 0, 0
	for _, prompt := range zoo.Prompts() {
		for seed := range int64(2) {
			out, logprobs := tell(t, p, prompt, 80, seed)
			t.Logf("seed %d: %s|%s", seed, prompt, out)
			require.NotEmpty(t, out)
			found := letters.FindAllString(strings.ToLower(out), -1)
			for _, w := range found[:len(found)-1] { // the last word may be cut
				words++
				if known[w] {
					right++
				}
			}
			mean := float32(0)
			for _, l := range logprobs {
				mean += l / float32(len(logprobs))
			}
			require.Greater(t, mean, float32(-3), "mean log-probability")
		}
	}
	require.Greater(t, words, 300)
	require.Greater(t, float64(right)/float64(words), 0.95)
}

// TestStoryOnHeldBackTales measures the embedded model on tales that were held back from its training.
func TestStoryOnHeldBackTales(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	p, err := zoo.Story()
	require.NoError(t, err)
	_, _, held, err := storyTokens()
	require.NoError(t, err)
	loss, err := heldLoss(context.Background(), p, held, 2)
	require.NoError(t, err)
	t.Logf("%.4f nats a token", loss)
	require.Less(t, loss, 3.4)
}
