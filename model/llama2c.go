package model

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"strconv"

	"poaid/engine"
	"poaid/engine/nn"
)

// ErrLlama2c is wrapped by every error about a llama2.c checkpoint.
var ErrLlama2c = errors.New("invalid llama2.c checkpoint")

// Limits of a llama2.c checkpoint.
const (
	maxLlamaDim    = 1 << 15
	maxLlamaHidden = 1 << 17
	maxLlamaLayers = 1 << 8
	maxLlamaHeads  = 1 << 8
	maxLlamaSeq    = 1 << 17
	maxLlamaFile   = MaxWeightsBytes
)

// LlamaConfig is the header of a llama2.c checkpoint.
type LlamaConfig struct {
	Dim, Hidden, Layers, Heads, KVHeads, Vocab, SeqLen int
	// Shared tells that the classifier is the token embedding; the file says it by a positive vocabulary size.
	Shared bool
}

// HeadDim gives the width of one head.
func (c LlamaConfig) HeadDim() int { return c.Dim / c.Heads }

// KVDim gives the width of keys and values.
func (c LlamaConfig) KVDim() int { return c.HeadDim() * c.KVHeads }

// llamaHeader reads the seven i32 of the header and checks them.
func llamaHeader(data []byte) (LlamaConfig, error) {
	const n = 7 * 4
	if len(data) < n {
		return LlamaConfig{}, fmt.Errorf("%w: header: %d bytes, want %d", ErrLlama2c, len(data), n)
	}
	var h [7]int64
	for i := range h {
		h[i] = int64(int32(binary.LittleEndian.Uint32(data[4*i:])))
	}
	c := LlamaConfig{Shared: h[5] > 0}
	if h[5] < 0 {
		h[5] = -h[5]
	}
	for i, f := range []struct {
		name  string
		to    *int
		limit int64
	}{
		{"dim", &c.Dim, maxLlamaDim},
		{"hidden_dim", &c.Hidden, maxLlamaHidden},
		{"n_layers", &c.Layers, maxLlamaLayers},
		{"n_heads", &c.Heads, maxLlamaHeads},
		{"n_kv_heads", &c.KVHeads, maxLlamaHeads},
		{"vocab_size", &c.Vocab, MaxVocab},
		{"seq_len", &c.SeqLen, maxLlamaSeq},
	} {
		if h[i] < 1 || h[i] > f.limit {
			return LlamaConfig{}, fmt.Errorf("%w: %s: %d, want 1 to %d", ErrLlama2c, f.name, h[i], f.limit)
		}
		*f.to = int(h[i])
	}
	switch {
	case c.Dim%c.Heads != 0:
		return LlamaConfig{}, fmt.Errorf("%w: dim: %d is not a multiple of n_heads %d", ErrLlama2c, c.Dim, c.Heads)
	case c.HeadDim()%2 != 0:
		return LlamaConfig{}, fmt.Errorf("%w: dim: head width %d is odd", ErrLlama2c, c.HeadDim())
	case c.Heads%c.KVHeads != 0:
		return LlamaConfig{}, fmt.Errorf("%w: n_heads: %d is not a multiple of n_kv_heads %d", ErrLlama2c, c.Heads, c.KVHeads)
	}
	return c, nil
}

// llamaPart is one array of the checkpoint; per-layer arrays are stacked over their first dimension.
type llamaPart struct {
	name  string
	shape []int64
}

// llamaParts lists the arrays behind the header, in file order (export version 0). The two RoPE tables are skipped by readers.
func llamaParts(c LlamaConfig) []llamaPart {
	l, d, h := int64(c.Layers), int64(c.Dim), int64(c.Hidden)
	kv, v, half := int64(c.KVDim()), int64(c.Vocab), int64(c.HeadDim()/2)
	parts := []llamaPart{
		{"tok_embeddings", []int64{v, d}},
		{"attention_norm", []int64{l, d}},
		{"wq", []int64{l, d, d}},
		{"wk", []int64{l, kv, d}},
		{"wv", []int64{l, kv, d}},
		{"wo", []int64{l, d, d}},
		{"ffn_norm", []int64{l, d}},
		{"w1", []int64{l, h, d}},
		{"w2", []int64{l, d, h}},
		{"w3", []int64{l, h, d}},
		{"norm", []int64{d}},
		{"freq_cos", []int64{int64(c.SeqLen), half}},
		{"freq_sin", []int64{int64(c.SeqLen), half}},
	}
	if !c.Shared {
		parts = append(parts, llamaPart{"output", []int64{v, d}})
	}
	return parts
}

// llamaCheckpoint is a parsed checkpoint: f32 arrays by name, views of the file.
type llamaCheckpoint struct {
	cfg   LlamaConfig
	parts map[string]*engine.Tensor
}

// parseLlama2c checks the header and that the file is exactly as long as it says before anything else.
func parseLlama2c(data []byte) (*llamaCheckpoint, error) {
	cfg, err := llamaHeader(data)
	if err != nil {
		return nil, err
	}
	data = data[7*4:]
	want := uint64(0)
	for _, p := range llamaParts(cfg) {
		size := uint64(4)
		for _, d := range p.shape { // each is at most 2^20 and there are at most three
			var hi uint64
			if hi, size = bits.Mul64(size, uint64(d)); hi != 0 {
				return nil, fmt.Errorf("%w: %s: size overflows", ErrLlama2c, p.name)
			}
		}
		if want += size; want > maxLlamaFile {
			return nil, fmt.Errorf("%w: weights: more than %d bytes", ErrLlama2c, uint64(maxLlamaFile))
		}
	}
	if uint64(len(data)) != want {
		return nil, fmt.Errorf("%w: weights: %d bytes, the header asks for %d", ErrLlama2c, len(data), want)
	}
	ck := &llamaCheckpoint{cfg: cfg, parts: map[string]*engine.Tensor{}}
	for _, p := range llamaParts(cfg) {
		size, err := engine.ByteSize(engine.F32, p.shape)
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrLlama2c, p.name, err)
		}
		if ck.parts[p.name], err = engine.TensorFromBytes(engine.F32, p.shape, data[:size:size]); err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrLlama2c, p.name, err)
		}
		data = data[size:]
	}
	return ck, nil
}

// layer gives layer i of a stacked array [layers, …], as a view.
func (ck *llamaCheckpoint) layer(name string, i int) (*engine.Tensor, error) {
	all := ck.parts[name]
	size := len(all.Bytes()) / ck.cfg.Layers
	return engine.TensorFromBytes(engine.F32, all.Shape()[1:], all.Bytes()[i*size:(i+1)*size:(i+1)*size])
}

// llamaLayerNames are nn's names of the per-layer arrays.
var llamaLayerNames = [][2]string{
	{"attention_norm", "attention_norm"},
	{"attention.wq", "wq"},
	{"attention.wk", "wk"},
	{"attention.wv", "wv"},
	{"attention.wo", "wo"},
	{"ffn_norm", "ffn_norm"},
	{"feed_forward.w1", "w1"},
	{"feed_forward.w2", "w2"},
	{"feed_forward.w3", "w3"},
}

// weights gives the arrays under nn's names, with rotary tables computed anew.
func (ck *llamaCheckpoint) weights() (map[string]*engine.Tensor, error) {
	w := map[string]*engine.Tensor{"tok_embeddings.weight": ck.parts["tok_embeddings"], "norm.weight": ck.parts["norm"]}
	if !ck.cfg.Shared {
		w["output.weight"] = ck.parts["output"]
	}
	var err error
	for i := range ck.cfg.Layers {
		for _, n := range llamaLayerNames {
			if w[fmt.Sprintf("layers.%d.%s.weight", i, n[0])], err = ck.layer(n[1], i); err != nil {
				return nil, fmt.Errorf("%w: layer %d: %s: %w", ErrLlama2c, i, n[1], err)
			}
		}
	}
	w["rope.cos"], w["rope.sin"], err = nn.RopeTables(int64(ck.cfg.SeqLen), int64(ck.cfg.HeadDim()), 10000)
	return w, err
}

// ImportLlama2c turns a checkpoint of llama2.c (the legacy format that run.c reads, export version 0) and its tokenizer.bin into a
// package. The header's fields are bounded and the file's length must be exactly what they say before anything is allocated. A
// negative vocabulary size means a classifier of its own. The file's rotary tables are skipped, as run.c does; those of the package are
// computed in float64 and rounded once: they are weights, so what is committed is the table and the platform does not matter.
// Generation ends at the begin or the end token, as in run.c. Callers may rename the package.
func ImportLlama2c(checkpoint, tokenizer []byte) (*Package, error) {
	ck, err := parseLlama2c(checkpoint)
	if err != nil {
		return nil, err
	}
	tok, err := ParseTokenizer(tokenizer)
	if err != nil {
		return nil, err
	}
	c := ck.cfg
	if tok.VocabSize() != c.Vocab {
		return nil, fmt.Errorf("%w: vocab_size: %d, the tokenizer has %d tokens", ErrLlama2c, c.Vocab, tok.VocabSize())
	}
	prog, err := nn.Llama(nn.LlamaConfig{
		Dim: int64(c.Dim), HiddenDim: int64(c.Hidden), Layers: c.Layers, Heads: int64(c.Heads), KVHeads: int64(c.KVHeads),
		Vocab: int64(c.Vocab), Ctx: int64(c.SeqLen), TiedOutput: c.Shared, EOS: []int64{int64(TokenBOS), int64(TokenEOS)},
	}, engine.DefaultLimits())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrLlama2c, err)
	}
	weights, err := ck.weights()
	if err != nil {
		return nil, err
	}
	return New(Meta{
		Name:        "llama2c",
		Description: fmt.Sprintf("llama2.c checkpoint: dim %d, %d layers, vocabulary %d, context %d", c.Dim, c.Layers, c.Vocab, c.SeqLen),
		Outputs:     []Output{{Name: "tokens", Render: RenderTokens, CountOutput: "count"}, {Name: "logprobs"}, {Name: "count"}, {Name: "stopped"}},
		Settings: map[string]string{
			"architecture": "llama", "input": "prompt", "vocab": strconv.Itoa(c.Vocab), "context": strconv.Itoa(c.SeqLen),
			"dim": strconv.Itoa(c.Dim), "layers": strconv.Itoa(c.Layers), "bos": "1",
		},
	}, prog, weights, tok)
}
