// Package render shows the outputs of a result as people read them: labels, texts, numbers. It is no consensus code: queries and receipts use it.
package render

import (
	"strings"

	"poaid/engine/graphpb"
	"poaid/model/format"
	modelstypes "poaid/x/models/types"
	"poaid/x/tasks/types"
)

const (
	// maxValues bounds the elements shown of one output.
	maxValues = 256
	// firstPiece is the first token that stands for text: 0, 1 and 2 are unknown, begin and end.
	firstPiece = 3
)

// Outputs shows the inline outputs of a result. pieces are the model's vocabulary, for those that NeedsVocabulary.
func Outputs(model modelstypes.Model, pieces [][]byte, outputs []types.NamedTensor) []types.RenderedOutput {
	info := make(map[string]modelstypes.OutputInfo, len(model.Outputs))
	for _, o := range model.Outputs {
		info[o.Name] = o
	}
	out := make([]types.RenderedOutput, 0, len(outputs))
	for _, t := range outputs {
		r := types.RenderedOutput{Name: t.Name, Values: values(t)}
		switch how := info[t.Name]; how.Rendering {
		case modelstypes.RENDERING_LABEL:
			r.Text = labels(t, model.Labels)
		case modelstypes.RENDERING_TOKENS:
			r.Text = text(t, outputs, how.CountOutput, pieces)
		}
		out = append(out, r)
	}
	return out
}

// NeedsVocabulary tells whether an output of the model is text.
func NeedsVocabulary(model modelstypes.Model) bool {
	for _, o := range model.Outputs {
		if o.Rendering == modelstypes.RENDERING_TOKENS {
			return true
		}
	}
	return false
}

// values prints the first elements of a tensor.
func values(t types.NamedTensor) []string {
	size := format.ElementSize(t.Dtype)
	var out []string
	for data := t.Data; size > 0 && len(data) >= size && len(out) < maxValues; data = data[size:] {
		s, err := format.Element(t.Dtype, data)
		if err != nil {
			return out
		}
		out = append(out, s)
	}
	return out
}

// integers reads the elements of an integer tensor; none of an f32 one.
func integers(t types.NamedTensor) []int64 {
	size := format.ElementSize(t.Dtype)
	if size == 0 || t.Dtype == graphpb.DTYPE_F32 {
		return nil
	}
	out := make([]int64, 0, len(t.Data)/size)
	for data := t.Data; len(data) >= size; data = data[size:] {
		v, err := format.Integer(t.Dtype, data)
		if err != nil {
			return out
		}
		out = append(out, v)
	}
	return out
}

// labels names the classes of an output; a class without a label is left out.
func labels(t types.NamedTensor, names []string) string {
	var out []string
	for i, v := range integers(t) {
		if i == maxValues {
			break
		}
		if v >= 0 && v < int64(len(names)) {
			out = append(out, names[v])
		}
	}
	return strings.Join(out, ", ")
}

// text joins the pieces of the tokens, as many as the output named count says. Pieces may split a character, so only the whole is
// made valid UTF-8.
func text(t types.NamedTensor, outputs []types.NamedTensor, count string, pieces [][]byte) string {
	ids := integers(t)
	for _, o := range outputs {
		if n := integers(o); count != "" && o.Name == count && len(n) == 1 && n[0] >= 0 && n[0] < int64(len(ids)) {
			ids = ids[:n[0]]
		}
	}
	var b strings.Builder
	for _, id := range ids {
		if id >= firstPiece && id < int64(len(pieces)) {
			b.Write(pieces[id])
		}
	}
	return strings.ToValidUTF8(b.String(), "\uFFFD")
}
