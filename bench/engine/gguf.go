package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"

	"poaid/engine"
	"poaid/engine/nn"
)

// Value types of GGUF (github.com/ggml-org/ggml, docs/gguf.md).
const (
	ggufU32    = 4
	ggufI32    = 5
	ggufF32    = 6
	ggufString = 8
	ggufArray  = 9
	ggufAlign  = 32
)

// gguf collects a file of version 3 with float32 tensors.
type gguf struct {
	meta, infos, data bytes.Buffer
	keys, tensors     uint64
}

func (g *gguf) u32(b *bytes.Buffer, v uint32) { b.Write(binary.LittleEndian.AppendUint32(nil, v)) }
func (g *gguf) u64(b *bytes.Buffer, v uint64) { b.Write(binary.LittleEndian.AppendUint64(nil, v)) }

func (g *gguf) text(b *bytes.Buffer, s string) {
	g.u64(b, uint64(len(s)))
	b.WriteString(s)
}

func (g *gguf) key(name string, kind uint32) {
	g.keys++
	g.text(&g.meta, name)
	g.u32(&g.meta, kind)
}

func (g *gguf) number(name string, v int64) {
	g.key(name, ggufU32)
	g.u32(&g.meta, uint32(v)) // #nosec G115 -- of benchShape
}

func (g *gguf) real(name string, v float32) {
	g.key(name, ggufF32)
	_ = binary.Write(&g.meta, binary.LittleEndian, v) // a buffer
}

func (g *gguf) str(name, v string) {
	g.key(name, ggufString)
	g.text(&g.meta, v)
}

// array writes n elements of a kind with put.
func (g *gguf) array(name string, kind uint32, n int64, put func(i int64)) {
	g.key(name, ggufArray)
	g.u32(&g.meta, kind)
	g.u64(&g.meta, uint64(n)) // #nosec G115 -- a count
	for i := range n {
		put(i)
	}
}

// tensor adds a tensor; the format counts dimensions from the innermost.
func (g *gguf) tensor(name string, t *engine.Tensor) {
	g.tensors++
	g.text(&g.infos, name)
	shape := t.Shape()
	g.u32(&g.infos, uint32(len(shape))) // #nosec G115 -- 1 or 2
	for i := range shape {
		g.u64(&g.infos, uint64(shape[len(shape)-1-i])) // #nosec G115 -- a dimension
	}
	g.u32(&g.infos, 0) // float32
	g.u64(&g.infos, uint64(g.data.Len()))
	g.data.Write(t.Bytes())
	pad(&g.data)
}

func pad(b *bytes.Buffer) { b.Write(make([]byte, (ggufAlign-b.Len()%ggufAlign)%ggufAlign)) }

// writeGGUF writes a llama as llama.cpp reads it.
func writeGGUF(path string, cfg nn.LlamaConfig, w map[string]*engine.Tensor) error {
	g := &gguf{}
	g.str("general.architecture", "llama")
	g.str("general.name", "bench")
	g.number("llama.context_length", cfg.Ctx)
	g.number("llama.embedding_length", cfg.Dim)
	g.number("llama.block_count", int64(cfg.Layers))
	g.number("llama.feed_forward_length", cfg.HiddenDim)
	g.number("llama.attention.head_count", cfg.Heads)
	g.number("llama.attention.head_count_kv", cfg.KVHeads)
	g.number("llama.rope.dimension_count", cfg.HeadDim())
	g.real("llama.attention.layer_norm_rms_epsilon", 1e-5)
	g.str("tokenizer.ggml.model", "llama")
	g.array("tokenizer.ggml.tokens", ggufString, cfg.Vocab, func(i int64) { g.text(&g.meta, token(i)) })
	g.array("tokenizer.ggml.scores", ggufF32, cfg.Vocab, func(int64) { g.u32(&g.meta, 0) })
	g.array("tokenizer.ggml.token_type", ggufI32, cfg.Vocab, func(i int64) { g.u32(&g.meta, tokenType(i)) })
	g.number("tokenizer.ggml.bos_token_id", 1)
	g.number("tokenizer.ggml.eos_token_id", 2)
	g.number("tokenizer.ggml.unknown_token_id", 0)

	g.tensor("token_embd.weight", w["tok_embeddings.weight"])
	for i := range cfg.Layers {
		for _, n := range [][2]string{
			{"attn_norm", "attention_norm"},
			{"attn_q", "attention.wq"},
			{"attn_k", "attention.wk"},
			{"attn_v", "attention.wv"},
			{"attn_output", "attention.wo"},
			{"ffn_norm", "ffn_norm"},
			{"ffn_gate", "feed_forward.w1"},
			{"ffn_down", "feed_forward.w2"},
			{"ffn_up", "feed_forward.w3"},
		} {
			g.tensor(fmt.Sprintf("blk.%d.%s.weight", i, n[0]), w[fmt.Sprintf("layers.%d.%s.weight", i, n[1])])
		}
	}
	g.tensor("output_norm.weight", w["norm.weight"])

	var head bytes.Buffer
	head.WriteString("GGUF")
	g.u32(&head, 3)
	g.u64(&head, g.tensors)
	g.u64(&head, g.keys)
	head.Write(g.meta.Bytes())
	head.Write(g.infos.Bytes())
	pad(&head)
	head.Write(g.data.Bytes())
	return os.WriteFile(path, head.Bytes(), 0o600)
}

// tokenType is normal, unknown, control or byte.
func tokenType(i int64) uint32 {
	switch {
	case i == 0:
		return 2
	case i < 3:
		return 3
	case i < 259:
		return 6
	default:
		return 1
	}
}
