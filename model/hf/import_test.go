package hf

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"poaid/engine"
	"poaid/model"
)

// smallTokenizer is a byte-level tokenizer.json of 260 tokens.
func smallTokenizer(t testing.TB) []byte {
	t.Helper()
	vocab := map[string]int{}
	next := rune(256)
	for b := range 256 {
		r := rune(b)
		if b < '!' || b > '~' && b < 0xa1 || b == 0xad {
			r, next = next, next+1
		}
		vocab[string(r)] = b
	}
	vocab["he"], vocab["ll"] = 256, 257
	raw, err := json.Marshal(map[string]any{
		"added_tokens":  []any{map[string]any{"id": 258, "content": "<bos>", "special": true}, map[string]any{"id": 259, "content": "<eos>", "special": true}},
		"pre_tokenizer": map[string]any{"type": "ByteLevel", "add_prefix_space": false, "use_regex": true},
		"post_processor": map[string]any{
			"type": "TemplateProcessing", "single": []any{
				map[string]any{"SpecialToken": map[string]any{"id": "<bos>"}}, map[string]any{"Sequence": map[string]any{"id": "A"}},
			}, "special_tokens": map[string]any{"<bos>": map[string]any{"ids": []int{258}}},
		},
		"decoder": map[string]any{"type": "ByteLevel"},
		"model":   map[string]any{"type": "BPE", "vocab": vocab, "merges": []string{"h e", "l l"}},
	})
	require.NoError(t, err)
	return raw
}

const smallVocab = 260

// folder is a small model: its config, and random tensors in the folder's order.
type folder struct {
	config  map[string]any
	tensors map[string]*engine.Tensor
}

func newFolder(t testing.TB, config map[string]any, dim, ff, layers, heads, kv, hd int64) *folder {
	t.Helper()
	f := &folder{tensors: map[string]*engine.Tensor{}, config: map[string]any{
		"model_type": "llama", "hidden_size": dim, "intermediate_size": ff, "num_hidden_layers": layers, "num_attention_heads": heads,
		"num_key_value_heads": kv, "vocab_size": smallVocab, "max_position_embeddings": 32, "rms_norm_eps": 1e-5, "rope_theta": 500.0,
		"eos_token_id": 259,
	}}
	for k, v := range config {
		f.config[k] = v
	}
	if hd*heads != dim {
		f.config["head_dim"] = hd
	}
	f.add(t, "model.embed_tokens.weight", smallVocab, dim)
	if f.config["tie_word_embeddings"] != true {
		f.add(t, "lm_head.weight", smallVocab, dim)
	}
	f.add(t, "model.norm.weight", dim)
	for l := range layers {
		p := fmt.Sprintf("model.layers.%d.", l)
		f.add(t, p+"input_layernorm.weight", dim)
		f.add(t, p+"post_attention_layernorm.weight", dim)
		f.add(t, p+"self_attn.q_proj.weight", heads*hd, dim)
		f.add(t, p+"self_attn.k_proj.weight", kv*hd, dim)
		f.add(t, p+"self_attn.v_proj.weight", kv*hd, dim)
		f.add(t, p+"self_attn.o_proj.weight", dim, heads*hd)
		f.add(t, p+"mlp.gate_proj.weight", ff, dim)
		f.add(t, p+"mlp.up_proj.weight", ff, dim)
		f.add(t, p+"mlp.down_proj.weight", dim, ff)
		if f.config["model_type"] == "qwen2" {
			f.add(t, p+"self_attn.q_proj.bias", heads*hd)
			f.add(t, p+"self_attn.k_proj.bias", kv*hd)
			f.add(t, p+"self_attn.v_proj.bias", kv*hd)
		}
		if f.config["model_type"] == "qwen3" {
			f.add(t, p+"self_attn.q_norm.weight", hd)
			f.add(t, p+"self_attn.k_norm.weight", hd)
		}
	}
	return f
}

// add makes a tensor of numbers that are bfloat16's, so that every type of file holds the same.
func (f *folder) add(t testing.TB, name string, shape ...int64) {
	t.Helper()
	x, err := engine.NewTensor(engine.F32, shape, 1<<30)
	require.NoError(t, err)
	seed := uint32(len(f.tensors)*7919 + 17)
	for i := range x.F32() {
		seed = seed*1664525 + 1013904223
		v := (float32(seed>>8)/(1<<24) - 0.5) * 0.9
		if strings.Contains(name, "norm") {
			v++
		}
		x.F32()[i] = math.Float32frombits(math.Float32bits(v) &^ 0xffff)
	}
	f.tensors[name] = x
}

// files gives the folder's files with tensors as F32 or BF16, in one file or two.
func (f *folder) files(t testing.TB, dtype string, shards int) fstest.MapFS {
	t.Helper()
	raw, err := json.Marshal(f.config)
	require.NoError(t, err)
	out := fstest.MapFS{FileConfig: {Data: raw}, FileTokenizer: {Data: smallTokenizer(t)}}
	if shards == 1 {
		out[FileWeights] = &fstest.MapFile{Data: f.safetensors(t, dtype, func(string) bool { return true })}
		return out
	}
	index := map[string]string{}
	for name := range f.tensors {
		index[name] = "model-1.safetensors"
		if strings.Contains(name, "layers") {
			index[name] = "model-2.safetensors"
		}
	}
	for _, file := range []string{"model-1.safetensors", "model-2.safetensors"} {
		out[file] = &fstest.MapFile{Data: f.safetensors(t, dtype, func(name string) bool { return index[name] == file })}
	}
	raw, err = json.Marshal(map[string]any{"weight_map": index})
	require.NoError(t, err)
	out[FileIndex] = &fstest.MapFile{Data: raw}
	return out
}

func (f *folder) safetensors(t testing.TB, dtype string, in func(name string) bool) []byte {
	t.Helper()
	head, data := map[string]any{}, []byte{}
	for name, x := range f.tensors {
		if !in(name) {
			continue
		}
		at := len(data)
		for _, v := range x.F32() {
			if dtype == "BF16" {
				data = binary.LittleEndian.AppendUint16(data, uint16(math.Float32bits(v)>>16))
			} else {
				data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
			}
		}
		head[name] = map[string]any{"dtype": dtype, "shape": x.Shape(), "data_offsets": []int{at, len(data)}}
	}
	raw, err := json.Marshal(head)
	require.NoError(t, err)
	return append(append(binary.LittleEndian.AppendUint64(nil, uint64(len(raw))), raw...), data...)
}

// generate runs greedily and gives the tokens and their log-probabilities.
func generate(t *testing.T, p *model.Package, prompt []int64, steps uint64) ([]int64, []float32) {
	t.Helper()
	in, err := engine.FromI64(prompt, int64(len(prompt)))
	require.NoError(t, err)
	res, err := engine.Execute(context.Background(), p.Program, p.Weights, map[string]*engine.Tensor{"prompt": in}, steps, engine.RunOptions{Threads: 1})
	require.NoError(t, err)
	n := res.Output("count").I64()[0]
	return res.Output("tokens").I64()[:n], res.Output("logprobs").F32()[:n]
}

// TestFamilies runs small models of each family and compares with the plain form.
func TestFamilies(t *testing.T) {
	llama3 := map[string]any{"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 16}
	linear := func(theta float64, i, hd int) float64 { return math.Pow(theta, -2*float64(i)/float64(hd)) / 4 }
	blended := func(theta float64, i, hd int) float64 {
		f := math.Pow(theta, -2*float64(i)/float64(hd))
		length := 2 * math.Pi / f
		switch {
		case length < 16.0/4:
			return f
		case length > 16.0/1:
			return f / 8
		}
		s := (16/length - 1) / (4 - 1)
		return (1-s)*f/8 + s*f //detlint:allow float64 reference
	}
	for _, c := range []struct {
		name                       string
		config                     map[string]any
		dim, ff, layers, heads, kv int64
		hd                         int64
		freq                       func(theta float64, i, hd int) float64
	}{
		{"llama", nil, 16, 24, 2, 4, 2, 4, nil},
		{"llama tied, one head of keys", map[string]any{"tie_word_embeddings": true}, 16, 24, 2, 4, 1, 4, nil},
		{"mistral with wide heads", map[string]any{"model_type": "mistral", "sliding_window": 20}, 12, 20, 2, 2, 2, 10, nil},
		{"qwen2", map[string]any{"model_type": "qwen2", "sliding_window": 4, "use_sliding_window": false}, 16, 24, 2, 2, 1, 8, nil},
		{"qwen3", map[string]any{"model_type": "qwen3", "rope_theta": 1e6}, 16, 24, 2, 4, 2, 6, nil},
		{"linear scaling", map[string]any{"rope_scaling": map[string]any{"type": "linear", "factor": 4.0}}, 16, 24, 1, 2, 2, 8, linear},
		{"llama 3.1 scaling", map[string]any{"rope_scaling": llama3, "rope_theta": 100.0}, 16, 24, 1, 2, 2, 8, blended},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFolder(t, c.config, c.dim, c.ff, c.layers, c.heads, c.kv, c.hd)
			p, err := Import(f.files(t, "F32", 1), Options{})
			require.NoError(t, err)
			prompt := []int64{258, 104, 256, 32, 7, 19}
			tokens, logprobs := generate(t, p, prompt, 14)
			require.NotEmpty(t, tokens)

			theta := f.config["rope_theta"].(float64)
			m := &plain{
				t: f.tensors, dim: int(c.dim), ff: int(c.ff), heads: int(c.heads), kv: int(c.kv), hd: int(c.hd), layers: int(c.layers),
				eps: 1e-5, tied: f.config["tie_word_embeddings"] == true,
				freq: func(i int) float64 {
					if c.freq != nil {
						return c.freq(theta, i, int(c.hd))
					}
					return math.Pow(theta, -2*float64(i)/float64(c.hd))
				},
			}
			var logits []float64
			for _, id := range prompt {
				logits = m.next(id)
			}
			for i, id := range tokens {
				most, z := math.Inf(-1), 0.0
				for _, v := range logits {
					most = max(most, v)
				}
				for _, v := range logits {
					z += math.Exp(v - most)
				}
				require.InDelta(t, most, logits[id], 1e-4, "token %d is the likeliest", i)
				require.InDelta(t, logits[id]-most-math.Log(z), logprobs[i], 1e-4, "token %d", i)
				logits = m.next(id)
			}
		})
	}
}

// TestFilesAlike: the type of the file and how many there are change no bit.
func TestFilesAlike(t *testing.T) {
	f := newFolder(t, nil, 16, 24, 2, 4, 2, 4)
	want, err := Import(f.files(t, "F32", 1), Options{})
	require.NoError(t, err)
	for _, c := range []struct {
		dtype  string
		shards int
	}{{"BF16", 1}, {"F32", 2}, {"BF16", 2}} {
		got, err := Import(f.files(t, c.dtype, c.shards), Options{})
		require.NoError(t, err)
		require.Equal(t, want.Meta, got.Meta)
	}
	require.Equal(t, "258", want.Meta.Settings["bos"])
	files, err := want.Files()
	require.NoError(t, err)
	back, err := model.FromFiles(files)
	require.NoError(t, err)
	require.Equal(t, "hello <3", back.Tokenizer.Decode(back.Tokenizer.Encode("hello <3", true, true)))
	raw, err := want.Artifact()
	require.NoError(t, err)
	_, err = model.FromArtifact(raw)
	require.NoError(t, err)
}

// TestStories260K saves a real llama2.c checkpoint as transformers would and gets the same tokens, and logits to rounding: products of
// queries and keys are the same sums in another order.
func TestStories260K(t *testing.T) {
	raw, tok := shared(t, "stories260K.bin"), shared(t, "tok512.bin")
	want, err := model.ImportLlama2c(raw, tok)
	require.NoError(t, err)
	const dim, heads, hd, layers = 64, 8, 8, 5
	back := map[string]string{"tok_embeddings.weight": "model.embed_tokens.weight", "norm.weight": "model.norm.weight"}
	rope := map[string]bool{}
	for i := range layers {
		for _, n := range names {
			ours := fmt.Sprintf("layers.%d.%s", i, n.ours)
			back[ours], rope[ours] = fmt.Sprintf("model.layers.%d.%s", i, n.theirs), n.rope
		}
	}
	f := &folder{tensors: map[string]*engine.Tensor{}, config: map[string]any{
		"model_type": "llama", "hidden_size": dim, "intermediate_size": 172, "num_hidden_layers": layers, "num_attention_heads": heads,
		"num_key_value_heads": 4, "vocab_size": 512, "max_position_embeddings": 512, "rms_norm_eps": 1e-5, "tie_word_embeddings": true,
		"eos_token_id": []int{1, 2},
	}}
	for i, s := range want.Program.WeightSpecs() {
		x := want.Weights.Tensors()[i]
		if strings.HasPrefix(s.Name, "rope.") {
			continue
		}
		if rope[s.Name] { // pairs of (2i, 2i+1) apart, as convert scripts do
			y := x.Clone()
			for row := range x.Shape()[0] {
				from := row/hd*hd + row%hd%(hd/2)*2 + row%hd/(hd/2)
				copy(y.F32()[row*dim:(row+1)*dim], x.F32()[from*dim:(from+1)*dim])
			}
			x = y
		}
		f.tensors[back[s.Name]] = x
	}
	got, err := Import(f.files(t, "F32", 1), Options{Tokenizer: tok})
	require.NoError(t, err)
	require.Equal(t, want.Meta.ProgramHash, got.Meta.ProgramHash)
	require.Equal(t, want.Meta.WeightsRoot, got.Meta.WeightsRoot, "the same weights, so the same bits of every result")
	tokens, logprobs := generate(t, got, []int64{1, 403, 407, 261, 378}, 24)
	require.Len(t, tokens, 20)
	require.InDelta(t, -0.031703, logprobs[0], 1e-3)
}

// shared reads a file of the folder with real models beside the checkout, and skips the test where it is not there.
func shared(t *testing.T, name string) []byte {
	t.Helper()
	for _, dir := range []string{os.Getenv("POAI_MODELS"), "../../../shared/models/stories260K"} {
		if raw, err := os.ReadFile(filepath.Join(dir, name)); err == nil {
			return raw
		}
	}
	t.Skipf("%s is not there", name)
	return nil
}

func TestImportRefuses(t *testing.T) {
	for _, c := range []struct {
		name, want string
		change     func(f *folder, files fstest.MapFS)
	}{
		{"no config", "config.json", func(_ *folder, files fstest.MapFS) { delete(files, FileConfig) }},
		{"no tokenizer", "there is no tokenizer.json", func(_ *folder, files fstest.MapFS) { delete(files, FileTokenizer) }},
		{"no weights", "model.safetensors", func(_ *folder, files fstest.MapFS) { delete(files, FileWeights) }},
		{"tensor", `tensor "model.norm.weight" is missing`, func(f *folder, _ fstest.MapFS) { delete(f.tensors, "model.norm.weight") }},
		{"another tensor", `"model.extra" is none`, func(f *folder, _ fstest.MapFS) { f.tensors["model.extra"] = f.tensors["model.norm.weight"] }},
		{"output bias", "o_proj.bias", func(f *folder, _ fstest.MapFS) {
			f.tensors["model.layers.0.self_attn.o_proj.bias"] = f.tensors["model.norm.weight"]
		}},
		{"shape", "config.json asks for", func(f *folder, _ fstest.MapFS) { f.config["intermediate_size"] = 25 }},
		{"family", `model_type: "gemma"`, func(f *folder, _ fstest.MapFS) { f.config["model_type"] = "gemma" }},
		{"huge", "hidden_size: 1099511627776, want 1 to", func(f *folder, _ fstest.MapFS) { f.config["hidden_size"] = 1 << 40 }},
		{"negative", "num_hidden_layers: -1", func(f *folder, _ fstest.MapFS) { f.config["num_hidden_layers"] = -1 }},
		{"activation", "hidden_act", func(f *folder, _ fstest.MapFS) { f.config["hidden_act"] = "gelu" }},
		{"quantised", "quantization_config", func(f *folder, _ fstest.MapFS) { f.config["quantization_config"] = map[string]any{"bits": 4} }},
		{"scaling", `rope_type: "yarn"`, func(f *folder, _ fstest.MapFS) { f.config["rope_scaling"] = map[string]any{"rope_type": "yarn"} }},
		{"vocabulary", "vocab_size: 100, the tokenizer has 260", func(f *folder, _ fstest.MapFS) { f.config["vocab_size"], f.config["eos_token_id"] = 100, 1 }},
		{"end token", "eos_token_id: 260", func(f *folder, _ fstest.MapFS) { f.config["eos_token_id"] = []int{1, 260} }},
		{"heads", "not a multiple of num_key_value_heads", func(f *folder, _ fstest.MapFS) { f.config["num_key_value_heads"] = 3 }},
		{"theta", "rope_theta: -1", func(f *folder, _ fstest.MapFS) { f.config["rope_theta"] = -1 }},
		{"index outside", "no file of the folder", func(_ *folder, files fstest.MapFS) {
			files[FileIndex] = &fstest.MapFile{Data: []byte(`{"weight_map":{"a":"../x.safetensors"}}`)}
		}},
		{"index without the file", "x.safetensors", func(_ *folder, files fstest.MapFS) {
			files[FileIndex] = &fstest.MapFile{Data: []byte(`{"weight_map":{"a":"x.safetensors"}}`)}
		}},
		{"index of other tensors", "not in the index", func(_ *folder, files fstest.MapFS) {
			files[FileIndex] = &fstest.MapFile{Data: []byte(`{"weight_map":{"a":"model.safetensors"}}`)}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFolder(t, nil, 16, 24, 1, 4, 2, 4)
			drop := fstest.MapFS{}
			c.change(f, drop)
			files := f.files(t, "F32", 1)
			before := len(files)
			c.change(f, files)
			_, err := Import(files, Options{})
			require.ErrorIs(t, err, ErrModel)
			require.ErrorContains(t, err, c.want)
			_ = before
		})
	}
	_, err := Import(newFolder(t, nil, 16, 24, 1, 4, 2, 4).files(t, "F32", 1), Options{Context: 33})
	require.ErrorContains(t, err, "context: 33, want 1 to 32")
}

// FuzzConfig: any config.json and index give a model or an error.
func FuzzConfig(f *testing.F) {
	small := newFolder(f, nil, 8, 8, 1, 2, 1, 4)
	base := small.files(f, "F32", 1)
	f.Add(base[FileConfig].Data, []byte(nil))
	f.Add([]byte(`{"model_type":"qwen2","num_attention_heads":-1,"hidden_size":9e18}`), []byte(`{"weight_map":{"a":"."}}`))
	f.Add([]byte(`{"model_type":"llama","rope_scaling":{"rope_type":"llama3","factor":1e999}}`), []byte(`{"weight_map":{"a":"model.safetensors"}}`))
	f.Fuzz(func(t *testing.T, config, index []byte) {
		files := fstest.MapFS{}
		for name, file := range base {
			files[name] = file
		}
		files[FileConfig] = &fstest.MapFile{Data: config}
		if len(index) > 0 {
			files[FileIndex] = &fstest.MapFile{Data: index}
		}
		if _, err := Import(fs.FS(files), Options{Context: 4}); err != nil {
			require.ErrorIs(t, err, ErrModel)
		}
	})
}
