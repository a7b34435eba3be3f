package sprint_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"poaid/engine"
	"poaid/game"
	"poaid/sprint"
)

// machine is a program with its weights.
type machine struct {
	prog    *engine.Program
	weights *engine.Weights
}

func tiny(tb testing.TB) machine {
	tb.Helper()
	return load(tb, sprint.Tiny())
}

func load(tb testing.TB, c sprint.Config) machine {
	tb.Helper()
	prog, err := sprint.Program(c)
	require.NoError(tb, err)
	w, err := sprint.Weights(prog, [32]byte{7})
	require.NoError(tb, err)
	return machine{prog, w}
}

func (m machine) run(tb testing.TB, key [32]byte, leaves []uint64, period uint64) [][]byte {
	tb.Helper()
	v, err := sprint.Run(context.Background(), m.prog, m.weights, key, leaves, period)
	require.NoError(tb, err)
	return v
}

func key(participant string) [32]byte { return sprint.Key("chain", []byte("random"), 3, participant) }

// TestLeafAlone draws sets of leaves: a value is that of the leaf alone, whatever ran before it and in whichever row.
func TestLeafAlone(t *testing.T) {
	m := tiny(t)
	k := key("a")
	alone := make(map[string][]byte)
	rapid.Check(t, func(rt *rapid.T) {
		period := rapid.Uint64Range(1, 8).Draw(rt, "period")
		leaves := rapid.SliceOfN(rapid.Uint64Range(0, 20), 1, 8).Draw(rt, "leaves")
		values := m.run(t, k, leaves, period)
		for i, leaf := range leaves {
			id := fmt.Sprint(period, leaf)
			if alone[id] == nil {
				alone[id] = m.run(t, k, []uint64{leaf}, period)[0]
			}
			require.Equal(t, alone[id], values[i], "leaf %d in row %d of %v", leaf, i, leaves)
		}
	})
}

// TestEveryTokenCounts changes one token of a leaf at a time.
func TestEveryTokenCounts(t *testing.T) {
	m := tiny(t)
	const period = 8
	inputs, err := sprint.Inputs(m.prog, key("a"), []uint64{0, 1, 2}, period)
	require.NoError(t, err)
	result := func() []byte {
		r, err := engine.Execute(context.Background(), m.prog, m.weights, inputs, 3*period, engine.RunOptions{Threads: 1})
		require.NoError(t, err)
		return r.Output("leaves").Bytes()
	}
	right := slices.Clone(result())
	tokens := inputs["tokens"].I32()
	for i := range tokens {
		was := tokens[i]
		tokens[i] = (was + 1) % 32
		got := result()
		tokens[i] = was
		for leaf := range 3 {
			same := slices.Equal(right[leaf*sprint.ValueSize:(leaf+1)*sprint.ValueSize], got[leaf*sprint.ValueSize:(leaf+1)*sprint.ValueSize])
			require.Equal(t, leaf != i/period, same, "token %d, leaf %d", i, leaf)
		}
	}
}

// TestSequential shows that a step reads what the step before picked: a head that picks something else changes every value of more than
// one token, and none of one.
func TestSequential(t *testing.T) {
	m := tiny(t)
	tensors := slices.Clone(m.weights.Tensors())
	for i, w := range m.prog.WeightSpecs() {
		if w.Name == "head" {
			tensors[i] = tensors[i].Clone()
			for j := range tensors[i].F32() {
				tensors[i].F32()[j] *= -1
			}
		}
	}
	w, err := engine.NewWeights(m.prog, tensors)
	require.NoError(t, err)
	other := machine{m.prog, w}
	for n := range uint64(20) {
		require.Equal(t, m.run(t, key("a"), []uint64{n}, 1), other.run(t, key("a"), []uint64{n}, 1))
		require.NotEqual(t, m.run(t, key("a"), []uint64{n}, 2), other.run(t, key("a"), []uint64{n}, 2))
	}
}

// TestValuesDiffer keeps the values of leaves, participants, windows and chains apart.
func TestValuesDiffer(t *testing.T) {
	m := tiny(t)
	seen := make(map[string]string)
	for _, k := range [][32]byte{
		sprint.Key("chain", []byte("random"), 3, "a"), sprint.Key("chain", []byte("random"), 3, "b"), sprint.Key("chain", []byte("random"), 4, "a"),
		sprint.Key("chain", []byte("randon"), 3, "a"), sprint.Key("chain2", []byte("random"), 3, "a"), sprint.Key("chai", []byte("nrandom"), 3, "a"),
	} {
		for leaf, v := range m.run(t, k, []uint64{0, 1, 2, 3, 4, 5, 6, 7}, 8) {
			id := fmt.Sprintf("%x leaf %d", k[:4], leaf)
			require.Empty(t, seen[string(v)], id)
			seen[string(v)] = id
		}
	}
}

func TestReference(t *testing.T) {
	m := tiny(t)
	inputs, err := sprint.Inputs(m.prog, key("a"), []uint64{4, 9}, 5)
	require.NoError(t, err)
	in, err := m.prog.BindInputs(inputs)
	require.NoError(t, err)
	run, err := engine.NewRun(m.prog, m.weights, in, engine.RunOptions{Threads: 1})
	require.NoError(t, err)
	for step := range uint64(10) {
		states := make([]*engine.Tensor, len(run.States()))
		for i, s := range run.States() {
			states[i] = s.Clone()
		}
		var want []*engine.Tensor
		_, err := engine.ReferenceStep(m.prog, m.weights, in, step, states, func(_ int, out *engine.Tensor) error {
			want = append(want, out.Clone())
			return nil
		})
		require.NoError(t, err)
		require.NoError(t, run.Trace(context.Background(), func(node int, out *engine.Tensor) error {
			require.True(t, want[node].Equal(out), "step %d node %d", step, node)
			return nil
		}))
	}
}

func TestProgramIsJudgeable(t *testing.T) {
	for _, c := range []sprint.Config{sprint.Tiny(), sprint.Default()} {
		prog, err := sprint.Program(c)
		require.NoError(t, err)
		require.NoError(t, game.Judgeable(prog))
		l, err := sprint.LayoutOf(prog)
		require.NoError(t, err)
		require.Equal(t, sprint.Layout{Vocab: c.Vocab, MaxTokens: c.MaxTokens, Sample: c.Sample}, l)
		params := int64(0)
		for _, w := range prog.WeightSpecs() {
			n, err := engine.Elements(w.Shape)
			require.NoError(t, err)
			params += n
		}
		t.Logf("%d parameters, %d nodes, %d bytes", params, len(prog.Proto().Step.Nodes), len(prog.Bytes()))
	}
}

func TestConfigErrors(t *testing.T) {
	for name, change := range map[string]func(c *sprint.Config){
		"layers: 0":       func(c *sprint.Config) { c.Layers = 0 },
		"dim: 8":          func(c *sprint.Config) { c.Dim = 8 },
		"heads: 5":        func(c *sprint.Config) { c.Heads = 5 },
		"vocab: 33":       func(c *sprint.Config) { c.Vocab = 33 },
		"vocab: 1":        func(c *sprint.Config) { c.Vocab = 1 },
		"max tokens: -1":  func(c *sprint.Config) { c.MaxTokens = -1 },
		"sample: 1000000": func(c *sprint.Config) { c.Sample = 1000000 },
	} {
		c := sprint.Tiny()
		change(&c)
		_, err := sprint.Program(c)
		require.ErrorIs(t, err, sprint.ErrProgram)
		require.ErrorContains(t, err, name)
	}
}
