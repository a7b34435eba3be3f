package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"

	"poaid/engine"
	"poaid/engine/nn"
)

// benchShape is the 15M llama shape of the tinyllamas; the weights are random.
func benchShape() nn.LlamaConfig {
	return nn.LlamaConfig{Dim: 288, HiddenDim: 768, Layers: 6, Heads: 6, KVHeads: 6, Vocab: 32000, Ctx: 512, TiedOutput: true}
}

// promptTokens are what llama2.c makes of the prompt "a" with the vocabulary of writeTokenizer.
var promptTokens = []int64{1, 259, 260}

// benchWeights returns the weights of a shape by name.
func benchWeights(cfg nn.LlamaConfig) (map[string]*engine.Tensor, error) {
	w, err := nn.InitParams(cfg.Params(), 1)
	if err != nil {
		return nil, err
	}
	w["rope.cos"], w["rope.sin"], err = nn.RopeTables(cfg.Ctx, cfg.HeadDim(), 10000)
	return w, err
}

// token is the text of a token of the vocabulary: 0 to 2 are control tokens, then bytes, " ", "a" and words.
func token(i int64) string {
	switch {
	case i == 0:
		return "<unk>"
	case i == 1:
		return "<s>"
	case i == 2:
		return "</s>"
	case i < 259:
		return fmt.Sprintf("<0x%02X>", i-3)
	case i == 259:
		return " "
	case i == 260:
		return "a"
	default:
		return fmt.Sprintf("word%d", i)
	}
}

// writeLlama2c writes model.bin and tokenizer.bin as llama2.c reads them.
func writeLlama2c(dir string, cfg nn.LlamaConfig, w map[string]*engine.Tensor) error {
	var b bytes.Buffer
	for _, v := range []int64{cfg.Dim, cfg.HiddenDim, int64(cfg.Layers), cfg.Heads, cfg.KVHeads, cfg.Vocab, cfg.Ctx} {
		b.Write(binary.LittleEndian.AppendUint32(nil, uint32(v))) // #nosec G115 -- of benchShape
	}
	b.Write(w["tok_embeddings.weight"].Bytes())
	for _, name := range []string{
		"attention_norm", "attention.wq", "attention.wk", "attention.wv", "attention.wo",
		"ffn_norm", "feed_forward.w1", "feed_forward.w2", "feed_forward.w3",
	} {
		for i := range cfg.Layers {
			b.Write(w[fmt.Sprintf("layers.%d.%s.weight", i, name)].Bytes())
		}
	}
	for _, name := range []string{"norm.weight", "rope.cos", "rope.sin"} {
		b.Write(w[name].Bytes())
	}
	if err := os.WriteFile(filepath.Join(dir, "model.bin"), b.Bytes(), 0o600); err != nil {
		return err
	}
	b.Reset()
	b.Write(binary.LittleEndian.AppendUint32(nil, 16))
	for i := range cfg.Vocab {
		s := token(i)
		b.Write(binary.LittleEndian.AppendUint32(nil, 0)) // score
		b.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(s))))
		b.WriteString(s)
	}
	return os.WriteFile(filepath.Join(dir, "tokenizer.bin"), b.Bytes(), 0o600)
}
