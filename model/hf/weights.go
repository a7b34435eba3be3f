package hf

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"poaid/engine"
	"poaid/engine/nn"
)

// names are nn's names of a layer's weights and the folder's. rope marks those whose rows are in the order of rotation.
var names = []struct {
	ours, theirs string
	rope         bool
}{
	{"attention_norm.weight", "input_layernorm.weight", false},
	{"attention.wq.weight", "self_attn.q_proj.weight", true},
	{"attention.wk.weight", "self_attn.k_proj.weight", true},
	{"attention.wv.weight", "self_attn.v_proj.weight", false},
	{"attention.wo.weight", "self_attn.o_proj.weight", false},
	{"attention.wq.bias", "self_attn.q_proj.bias", true},
	{"attention.wk.bias", "self_attn.k_proj.bias", true},
	{"attention.wv.bias", "self_attn.v_proj.bias", false},
	{"attention.q_norm.weight", "self_attn.q_norm.weight", true},
	{"attention.k_norm.weight", "self_attn.k_norm.weight", true},
	{"ffn_norm.weight", "post_attention_layernorm.weight", false},
	{"feed_forward.w1.weight", "mlp.gate_proj.weight", false},
	{"feed_forward.w2.weight", "mlp.down_proj.weight", false},
	{"feed_forward.w3.weight", "mlp.up_proj.weight", false},
}

// mapWeights gives the program's weights. Every tensor of the folder must be one of them, but for rotary frequencies, which are
// computed from config.json.
func mapWeights(cfg nn.LlamaConfig, tensors map[string]*engine.Tensor) (map[string]*engine.Tensor, error) {
	theirs := map[string]string{
		"tok_embeddings.weight": "model.embed_tokens.weight", "norm.weight": "model.norm.weight", "output.weight": "lm_head.weight",
	}
	rope := map[string]bool{}
	for i := range cfg.Layers {
		for _, n := range names {
			ours := fmt.Sprintf("layers.%d.%s", i, n.ours)
			theirs[ours] = fmt.Sprintf("model.layers.%d.%s", i, n.theirs)
			rope[ours] = n.rope
		}
	}
	out, left := map[string]*engine.Tensor{}, maps.Clone(tensors)
	for _, p := range cfg.Params() {
		name := theirs[p.Name]
		t := tensors[name]
		switch {
		case t == nil:
			return nil, fmt.Errorf("tensor %q is missing", name)
		case t.DType() != engine.F32:
			return nil, fmt.Errorf("tensor %q: %s, want floats", name, t.DType())
		case !slices.Equal(t.Shape(), p.Shape):
			return nil, fmt.Errorf("tensor %q: shape %v, config.json asks for %v", name, t.Shape(), p.Shape)
		}
		if rope[p.Name] {
			t = interleaved(t, cfg.HeadDim())
		}
		out[p.Name] = t
		delete(left, name)
	}
	for _, name := range slices.Sorted(maps.Keys(left)) {
		if strings.HasSuffix(name, ".rotary_emb.inv_freq") {
			continue
		}
		return nil, fmt.Errorf("tensor %.80q is none that this architecture has", name)
	}
	return out, nil
}

// interleaved puts the rows of every head of width d from the order (0 … d/2−1, d/2 … d−1), in which i and i + d/2 are rotated
// together, into the order (0, d/2, 1, d/2+1, …).
func interleaved(t *engine.Tensor, d int64) *engine.Tensor {
	out := t.Clone()
	src, dst := t.F32(), out.F32()
	width := int64(1)
	for _, n := range t.Shape()[1:] {
		width *= n
	}
	for row := range t.Shape()[0] {
		head, i := row/d*d, row%d
		from := head + i/2 + i%2*(d/2)
		copy(dst[row*width:(row+1)*width], src[from*width:(from+1)*width])
	}
	return out
}
