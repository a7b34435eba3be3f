package model

import (
	"context"
	"encoding/binary"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/engine"
)

// header makes the header of a llama2.c file.
func header(fields ...int32) []byte {
	var b []byte
	for _, v := range fields {
		b = binary.LittleEndian.AppendUint32(b, uint32(v))
	}
	return b
}

// checkpoint makes a llama2.c file whose array elements count up, and gives what follows the header.
func checkpoint(dim, hidden, layers, heads, kv, vocab, seq int32) []byte {
	b := header(dim, hidden, layers, heads, kv, vocab, seq)
	cfg, err := llamaHeader(b)
	if err != nil {
		return b
	}
	n := 0
	for _, p := range llamaParts(cfg) {
		size, _ := engine.Elements(p.shape)
		n += int(size)
	}
	for i := range n {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(i%97)/970))
	}
	return b
}

func TestImportLayout(t *testing.T) {
	tok := trained(t)
	for _, vocab := range []int32{330, -330} {
		p, err := ImportLlama2c(checkpoint(8, 12, 2, 4, 2, vocab, 16), tok.Bytes())
		require.NoError(t, err)
		byName := map[string]*engine.Tensor{}
		for i, s := range p.Program.WeightSpecs() {
			byName[s.Name] = p.Weights.Tensors()[i]
		}
		// Offsets in floats, counted by hand: embeddings 330·8, then two layers of each array.
		at := 330 * 8
		for _, c := range []struct {
			name string
			size int
		}{
			{"attention_norm", 8},
			{"attention.wq", 64},
			{"attention.wk", 32},
			{"attention.wv", 32},
			{"attention.wo", 64},
			{"ffn_norm", 8},
			{"feed_forward.w1", 96},
			{"feed_forward.w2", 96},
			{"feed_forward.w3", 96},
		} {
			for _, layer := range []string{"layers.0.", "layers.1."} {
				w := byName[layer+c.name+".weight"]
				require.Equal(t, int64(c.size), w.Len(), c.name)
				require.Equal(t, float32(at%97)/970, w.F32()[0], "%s%s", layer, c.name)
				at += c.size
			}
		}
		require.Equal(t, float32(at%97)/970, byName["norm.weight"].F32()[0])
		at += 8 + 2*16*1 // the rotary tables are skipped: heads of 2, so one angle a position
		require.Equal(t, vocab < 0, byName["output.weight"] != nil)
		if vocab < 0 {
			require.Equal(t, float32(at%97)/970, byName["output.weight"].F32()[0])
		}
		require.InDelta(t, math.Cos(3), byName["rope.cos"].F32()[3], 1e-7)
		require.InDelta(t, math.Sin(3), byName["rope.sin"].F32()[3], 1e-7)
	}
}

func TestImportRefuses(t *testing.T) {
	tok := trained(t).Bytes()
	good := checkpoint(8, 12, 2, 4, 2, 330, 16)
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "header: 0 bytes"},
		{"short", good[:len(good)-4], "the header asks for"},
		{"long", append(append([]byte{}, good...), 0), "the header asks for"},
		{"zero layers", header(8, 12, 0, 4, 2, 330, 16), "n_layers: 0"},
		{"negative dim", header(-8, 12, 2, 4, 2, 330, 16), "dim: -8"},
		{"huge vocab", header(8, 12, 2, 4, 2, math.MinInt32, 16), "vocab_size: 2147483648"},
		{"huge", header(32768, 131072, 256, 256, 256, 1<<20, 131072), "more than"},
		{"heads", header(8, 12, 2, 3, 3, 330, 16), "not a multiple of n_heads"},
		{"odd heads", header(12, 12, 2, 4, 2, 330, 16), "head width 3 is odd"},
		{"kv heads", header(24, 12, 2, 4, 3, 330, 16), "not a multiple of n_kv_heads"},
		{"other tokenizer", checkpoint(8, 12, 2, 4, 2, 331, 16), "the tokenizer has 330"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ImportLlama2c(c.data, tok)
			require.ErrorIs(t, err, ErrLlama2c)
			require.ErrorContains(t, err, c.want)
		})
	}
	_, err := ImportLlama2c(good, tok[:100])
	require.ErrorIs(t, err, ErrTokenizer)
}

// TestStories260K runs a real model from the shared folder: greedy text and the log-probabilities that other engines give.
func TestStories260K(t *testing.T) {
	p, err := ImportLlama2c(sharedModel(t, "stories260K.bin"), sharedModel(t, "tok512.bin"))
	require.NoError(t, err)
	text, logprobs := generate(t, p, "Once upon a time", 20)
	require.Equal(t, ", there was a little g", text[:22])
	for i, want := range []float64{-0.031703, -0.068423, -0.015955, -0.000784, -0.493978, -0.445867} {
		require.InDelta(t, want, logprobs[i], 1e-3, "token %d", i)
	}
	raw, err := p.Artifact()
	require.NoError(t, err)
	q, err := FromArtifact(raw)
	require.NoError(t, err)
	require.Equal(t, p.Meta, q.Meta)
}

// generate continues a prompt greedily by n tokens.
func generate(t *testing.T, p *Package, prompt string, n int) (string, []float32) {
	t.Helper()
	var ids []int64
	for _, id := range p.Tokenizer.Encode(prompt, true, false) {
		ids = append(ids, int64(id))
	}
	in, err := engine.FromI64(ids, int64(len(ids)))
	require.NoError(t, err)
	res, err := engine.Execute(context.Background(), p.Program, p.Weights, map[string]*engine.Tensor{"prompt": in}, uint64(len(ids)-1+n), engine.RunOptions{Threads: 1})
	require.NoError(t, err)
	var out []int32
	for _, id := range res.Output("tokens").I64()[:res.Output("count").I64()[0]] {
		out = append(out, int32(id))
	}
	return p.Tokenizer.Decode(out), res.Output("logprobs").F32()
}

func FuzzImportLlama2c(f *testing.F) {
	tok, err := TrainTokenizer(story+story, 330)
	if err != nil {
		f.Fatal(err)
	}
	raw := tok.Bytes()
	f.Add(checkpoint(2, 1, 1, 1, 1, 330, 1))
	f.Add(checkpoint(4, 2, 2, 2, 1, -330, 3))
	f.Add(checkpoint(1, 1, 1, 1, 1, math.MinInt32, 1))
	f.Fuzz(func(_ *testing.T, data []byte) {
		_, _ = ImportLlama2c(data, raw)
	})
}
