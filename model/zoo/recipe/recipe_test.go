package recipe

import (
	"bytes"
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/model/zoo"
	"poaid/model/zoo/data"
)

// prefixRoots are the state roots after the first steps of each recipe. A change of the engine, of the recipe or of the data that
// changes a single bit of training changes them: then the models must be trained again and these recorded anew.
var prefixRoots = map[string]struct {
	steps int
	root  string
}{
	"digits": {5, "d6f3f6d9cea9f01fffb7d66f9077ef326d7486f35b6e4605a9e16b7435538c7f"},
	"story":  {2, "3afcb0032f4fc861f17881ffbe6e21b3263d0ab484044855dec3745b4a0881e6"},
}

func TestTrainingPrefix(t *testing.T) {
	for name, want := range prefixRoots {
		t.Run(name, func(t *testing.T) {
			if name == "story" && testing.Short() {
				t.Skip("two steps of the story take seconds")
			}
			r, err := Get(name)
			require.NoError(t, err)
			root, err := r.PrefixRoot(context.Background(), want.steps, 2)
			require.NoError(t, err)
			require.Equal(t, want.root, root.String())
		})
	}
}

func TestPrefixDoesNotDependOnThreads(t *testing.T) {
	r, err := Digits()
	require.NoError(t, err)
	for _, threads := range []int{1, 3} {
		root, err := r.PrefixRoot(context.Background(), prefixRoots["digits"].steps, threads)
		require.NoError(t, err)
		require.Equal(t, prefixRoots["digits"].root, root.String(), "%d threads", threads)
	}
}

// TestEmbeddedDigits measures the embedded weights on the digits that were held back from their training.
func TestEmbeddedDigits(t *testing.T) {
	p, err := zoo.Digits()
	require.NoError(t, err)
	all, err := data.Digits()
	require.NoError(t, err)
	_, held := data.SplitDigits(all)
	require.Len(t, held, 450)
	acc, err := Accuracy(context.Background(), p, held, 1)
	require.NoError(t, err)
	require.GreaterOrEqual(t, acc, 0.97)
	t.Logf("accuracy on %d digits held back: %.4f", len(held), acc)
}

func TestFinishWantsAllSteps(t *testing.T) {
	r, err := Digits()
	require.NoError(t, err)
	run, err := r.Start(1)
	require.NoError(t, err)
	_, _, err = r.Finish(run)
	require.ErrorContains(t, err, "0 of 1500 steps done")
	_, err = Get("other")
	require.ErrorContains(t, err, `"other" does not exist`)
}

func TestSamplesAreHeldBack(t *testing.T) {
	samples, err := zoo.Samples()
	require.NoError(t, err)
	digits, err := SampleDigits()
	require.NoError(t, err)
	for i, d := range digits {
		require.Equal(t, uint8(i), d.Label)
		raw, err := zoo.DigitPNG(d.Pixels[:], 16)
		require.NoError(t, err)
		want, err := zoo.DigitsInput(bytes.NewReader(raw))
		require.NoError(t, err)
		got, err := zoo.DigitsInput(bytes.NewReader(samples[i].PNG))
		require.NoError(t, err)
		require.True(t, want.Equal(got), samples[i].Name)
	}
}
