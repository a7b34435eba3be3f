package hf

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"poaid/engine"
	"poaid/engine/nn"
	"poaid/model"
)

// Files of a model folder.
const (
	FileConfig     = "config.json"
	FileGeneration = "generation_config.json"
	FileWeights    = "model.safetensors"
	FileIndex      = "model.safetensors.index.json"
	FileTokenizer  = "tokenizer.json"
)

const (
	maxConfigBytes = 1 << 20
	maxIndexBytes  = 16 << 20
	maxShards      = 1 << 10
	// defaultContext bounds the positions where none are asked for: the caches are as long as the context.
	defaultContext = 2048
)

// ErrModel is wrapped by every error about a model folder.
var ErrModel = errors.New("invalid model folder")

// Options of an import.
type Options struct {
	// Name is what the model is called; empty: the family.
	Name string
	// Context is the number of positions, which is also the longest generation; 0: the model's, at most 2048.
	Context int64
	// Tokenizer is a tokenizer.json or tokenizer.bin; nil: FileTokenizer of the folder.
	Tokenizer []byte
}

// Import reads a model folder and gives a generation program (see nn.Llama) with its weights and tokenizer.
func Import(fsys fs.FS, o Options) (*model.Package, error) {
	c, err := readConfig(fsys)
	if err != nil {
		return nil, err
	}
	eos, err := readEOS(fsys, c)
	if err != nil {
		return nil, err
	}
	ctx, err := c.context(o.Context)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrModel, FileConfig, err)
	}
	tok, err := readTokenizer(fsys, o.Tokenizer, c)
	if err != nil {
		return nil, err
	}
	tensors, err := readWeights(fsys)
	if err != nil {
		return nil, err
	}
	if c.Tied {
		delete(tensors, "lm_head.weight") // some files repeat the embedding
	}
	cfg := nn.LlamaConfig{
		Dim: c.Hidden, HiddenDim: c.FeedForward, Layers: int(c.Layers), Heads: c.Heads, KVHeads: *c.KVHeads, Vocab: c.Vocab, Ctx: ctx,
		Eps: float32(c.Eps), EOS: eos, TiedOutput: c.Tied,
		QKVBias: tensors["model.layers.0.self_attn.q_proj.bias"] != nil, QKNorm: tensors["model.layers.0.self_attn.q_norm.weight"] != nil,
	}
	if *c.HeadDim*c.Heads != c.Hidden {
		cfg.HeadSize = *c.HeadDim
	}
	weights, err := mapWeights(cfg, tensors)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrModel, err)
	}
	if weights["rope.cos"], weights["rope.sin"], err = c.rope(ctx); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrModel, FileConfig, err)
	}
	prog, err := nn.Llama(cfg, engine.DefaultLimits())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrModel, err)
	}
	return model.New(meta(o.Name, c, ctx, tok), prog, weights, tok)
}

func meta(name string, c *config, ctx int64, tok *model.Tokenizer) model.Meta {
	if name == "" {
		name = c.ModelType
	}
	m := model.Meta{
		Name:        name,
		Description: fmt.Sprintf("%s: dim %d, %d layers, vocabulary %d, context %d", c.ModelType, c.Hidden, c.Layers, c.Vocab, ctx),
		Outputs:     []model.Output{{Name: "tokens", Render: model.RenderTokens, CountOutput: "count"}, {Name: "logprobs"}, {Name: "count"}, {Name: "stopped"}},
		Settings: map[string]string{
			"architecture": c.ModelType, "input": "prompt", "vocab": strconv.FormatInt(c.Vocab, 10), "context": strconv.FormatInt(ctx, 10),
			"dim": strconv.FormatInt(c.Hidden, 10), "layers": strconv.FormatInt(c.Layers, 10),
		},
	}
	if bos, ok := tok.BOS(); ok {
		m.Settings["bos"] = strconv.Itoa(int(bos))
	}
	return m
}

// read reads a file of bounded size.
func read(fsys fs.FS, name string, limit int64) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > limit {
		return nil, fmt.Errorf("%s: %d bytes, want a regular file of at most %d", name, info.Size(), limit)
	}
	data := make([]byte, info.Size())
	_, err = io.ReadFull(f, data)
	return data, err
}

func readConfig(fsys fs.FS) (*config, error) {
	raw, err := read(fsys, FileConfig, maxConfigBytes)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrModel, err)
	}
	c, err := parseConfig(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrModel, FileConfig, err)
	}
	return c, nil
}

// readEOS joins what config.json and generation_config.json say.
func readEOS(fsys fs.FS, c *config) ([]int64, error) {
	eos, err := eosOf(c.EOS, c.Vocab)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrModel, FileConfig, err)
	}
	raw, err := read(fsys, FileGeneration, maxConfigBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return eos, nil
	}
	var g struct {
		EOS json.RawMessage `json:"eos_token_id"`
	}
	if err == nil {
		err = json.Unmarshal(raw, &g)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrModel, FileGeneration, err)
	}
	more, err := eosOf(g.EOS, c.Vocab)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrModel, FileGeneration, err)
	}
	eos = append(eos, more...)
	slices.Sort(eos)
	return slices.Compact(eos), nil
}

func readTokenizer(fsys fs.FS, raw []byte, c *config) (*model.Tokenizer, error) {
	if raw == nil {
		var err error
		raw, err = read(fsys, FileTokenizer, model.MaxTokenizerBytes)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%w: there is no %s; save one with transformers (AutoTokenizer … save_pretrained), or name another tokenizer", ErrModel, FileTokenizer)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrModel, err)
		}
	}
	tok, err := model.ParseTokenizer(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: tokenizer: %w", ErrModel, err)
	}
	if int64(tok.VocabSize()) > c.Vocab {
		return nil, fmt.Errorf("%w: vocab_size: %d, the tokenizer has %d tokens", ErrModel, c.Vocab, tok.VocabSize())
	}
	return tok, nil
}

// readWeights reads the tensors of the one file, or of all that the index names.
func readWeights(fsys fs.FS) (map[string]*engine.Tensor, error) {
	out := map[string]*engine.Tensor{}
	raw, err := read(fsys, FileIndex, maxIndexBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return out, readShard(fsys, FileWeights, nil, out)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrModel, err)
	}
	shards, err := parseIndex(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrModel, FileIndex, err)
	}
	for _, file := range slices.Sorted(maps.Keys(shards)) {
		if err := readShard(fsys, file, shards[file], out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// parseIndex gives the tensors of each file.
func parseIndex(raw []byte) (map[string]map[string]bool, error) {
	var index struct {
		WeightMap map[string]string `json:"weight_map"`
	}
	if err := json.Unmarshal(raw, &index); err != nil {
		return nil, err
	}
	if len(index.WeightMap) == 0 || len(index.WeightMap) > model.MaxTensors {
		return nil, fmt.Errorf("weight_map: %d tensors, want 1 to %d", len(index.WeightMap), model.MaxTensors)
	}
	shards := map[string]map[string]bool{}
	for name, file := range index.WeightMap {
		if file == "" || file != path.Base(file) || !fs.ValidPath(file) || strings.Contains(file, `\`) || file == "." {
			return nil, fmt.Errorf("weight_map: %.80q is in %.80q, which is no file of the folder", name, file)
		}
		if shards[file] == nil {
			if len(shards) == maxShards {
				return nil, fmt.Errorf("weight_map: more than %d files", maxShards)
			}
			shards[file] = map[string]bool{}
		}
		shards[file][name] = true
	}
	return shards, nil
}

// readShard adds the tensors of a file, which must be those that the index says; nil: any.
func readShard(fsys fs.FS, file string, want map[string]bool, out map[string]*engine.Tensor) error {
	raw, err := read(fsys, file, model.MaxWeightsBytes)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrModel, err)
	}
	list, _, err := model.ParseSafetensorsWide(raw)
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrModel, file, err)
	}
	for _, n := range list {
		if out[n.Name] != nil || want != nil && !want[n.Name] {
			return fmt.Errorf("%w: %s: tensor %.80q is in another file too, or not in the index", ErrModel, file, n.Name)
		}
		out[n.Name] = n.Tensor
		delete(want, n.Name)
	}
	for name := range want {
		return fmt.Errorf("%w: %s: tensor %.80q is missing", ErrModel, file, name)
	}
	return nil
}
