package hf

import (
	"math"

	"poaid/engine"
)

// plain is a llama as transformers computes it, in float64 and in the order of the files: element i of a head is rotated with element
// i + d/2. It is written from the papers, apart from the importer, so that a wrong order of rows shows.
type plain struct {
	t                      map[string]*engine.Tensor
	dim, ff, heads, kv, hd int
	layers                 int
	eps                    float64
	freq                   func(i int) float64 // radians a position of pair i
	tied                   bool
	keys, values           [][][]float64 // [layer][position]
}

func (m *plain) w(name string) []float32 { return m.t[name].F32() }

func (m *plain) linear(name string, x []float64) []float64 {
	w := m.w(name + ".weight")
	out := make([]float64, len(w)/len(x))
	for o := range out {
		for i, v := range x {
			out[o] += float64(w[o*len(x)+i]) * v //detlint:allow float64 reference
		}
		if b := m.t[name+".bias"]; b != nil {
			out[o] += float64(b.F32()[o])
		}
	}
	return out
}

func (m *plain) norm(name string, x []float64) []float64 {
	sum := 0.0
	for _, v := range x {
		sum += v * v //detlint:allow float64 reference
	}
	r := 1 / math.Sqrt(sum/float64(len(x))+m.eps)
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = v * r * float64(m.w(name + ".weight")[i])
	}
	return out
}

// rotate turns each head of x by the angles of position pos.
func (m *plain) rotate(prefix string, x []float64, pos int) []float64 {
	out := make([]float64, 0, len(x))
	for at := 0; at < len(x); at += m.hd {
		h := x[at : at+m.hd]
		if m.t[prefix+"_norm.weight"] != nil {
			h = m.norm(prefix+"_norm", h)
		}
		y := make([]float64, m.hd)
		for i := range m.hd / 2 {
			c, s := math.Cos(float64(pos)*m.freq(i)), math.Sin(float64(pos)*m.freq(i))
			a, b := h[i], h[i+m.hd/2]
			y[i], y[i+m.hd/2] = a*c-b*s, b*c+a*s //detlint:allow float64 reference
		}
		out = append(out, y...)
	}
	return out
}

// next gives the logits after one more token.
func (m *plain) next(token int64) []float64 {
	if m.keys == nil {
		m.keys, m.values = make([][][]float64, m.layers), make([][][]float64, m.layers)
	}
	pos := len(m.keys[0])
	x := make([]float64, m.dim)
	for i := range x {
		x[i] = float64(m.w("model.embed_tokens.weight")[int(token)*m.dim+i])
	}
	for l := range m.layers {
		p := "model.layers." + string(rune('0'+l)) + "."
		h := m.norm(p+"input_layernorm", x)
		q := m.rotate(p+"self_attn.q", m.linear(p+"self_attn.q_proj", h), pos)
		m.keys[l] = append(m.keys[l], m.rotate(p+"self_attn.k", m.linear(p+"self_attn.k_proj", h), pos))
		m.values[l] = append(m.values[l], m.linear(p+"self_attn.v_proj", h))
		add(x, m.linear(p+"self_attn.o_proj", m.attend(l, q)))
		h = m.norm(p+"post_attention_layernorm", x)
		gate, up := m.linear(p+"mlp.gate_proj", h), m.linear(p+"mlp.up_proj", h)
		for i, g := range gate {
			up[i] *= g / (1 + math.Exp(-g))
		}
		add(x, m.linear(p+"mlp.down_proj", up))
	}
	x = m.norm("model.norm", x)
	if m.tied {
		return m.linear("model.embed_tokens", x)
	}
	return m.linear("lm_head", x)
}

func add(x, y []float64) {
	for i := range x {
		x[i] += y[i]
	}
}

// attend gives the heads' sums of values, side by side.
func (m *plain) attend(l int, q []float64) []float64 {
	out := make([]float64, len(q))
	for h := range m.heads {
		kv := h / (m.heads / m.kv) * m.hd
		scores, z := make([]float64, len(m.keys[l])), 0.0
		for p, k := range m.keys[l] {
			for i := range m.hd {
				scores[p] += q[h*m.hd+i] * k[kv+i] //detlint:allow float64 reference
			}
			scores[p] = math.Exp(scores[p] / math.Sqrt(float64(m.hd)))
			z += scores[p]
		}
		for p, v := range m.values[l] {
			for i := range m.hd {
				out[h*m.hd+i] += scores[p] / z * v[kv+i] //detlint:allow float64 reference
			}
		}
	}
	return out
}
