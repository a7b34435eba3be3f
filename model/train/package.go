package train

import (
	"fmt"
	"strconv"
	"strings"

	"poaid/engine"
	"poaid/engine/graphpb"
	"poaid/engine/nn"
	"poaid/model"
	"poaid/model/runner"
)

// netPackage is the package of a trained mlp or cnn: a program of one step.
//
//	inputs   package.input, one sample as the data have it
//	outputs  label i64[1] and scores f32[classes], a softmax; with mse y f32[outputs]
func (s *Spec) netPackage(net nn.Net, d *samples, params map[string]*engine.Tensor) (*model.Package, error) {
	b := nn.NewBuilder(1)
	p := make(map[string]nn.Value)
	for _, spec := range net.Params() {
		p[spec.Name] = b.Weight(spec.Name, engine.F32, spec.Shape...)
	}
	in := b.Input(s.Package.Input, d.x.DType(), d.x.Shape()[1:]...)
	g, width := b.Step(), engine.Const(net.Classes())
	x := g.Reshape(g.Scaled(in, float32(s.Data.Scale)), engine.ConstShape(append([]int64{1}, net.Input()...)...)...)
	y := net.Apply(g, p, x)
	meta := s.meta()
	if s.Loss == "mse" {
		out := b.State("y", engine.F32, net.Classes())
		g.Update(out, g.Reshape(y, width))
		b.Output(out)
		meta.Outputs = []model.Output{{Name: "y"}}
	} else {
		label, scores := b.State("label", engine.I64, 1), b.State("scores", engine.F32, net.Classes())
		g.Update(label, g.ArgMax(y, -1, false))
		g.Update(scores, g.Reshape(g.Softmax(y, false), width))
		b.Output(label)
		b.Output(scores)
		if meta.Labels = s.Package.Labels; meta.Labels == nil {
			meta.Labels = d.names
		}
		for i := len(meta.Labels); i < int(net.Classes()); i++ { // what has no name is called by its number
			meta.Labels = append(meta.Labels, strconv.Itoa(i))
		}
		meta.Outputs = []model.Output{{Name: "label", Render: model.RenderLabel}, {Name: "scores"}}
	}
	meta.Settings = map[string]string{"architecture": s.Model.Architecture, "input": s.Package.Input}
	prog, err := b.Build(engine.DefaultLimits())
	if err != nil {
		return nil, err
	}
	return model.New(meta, prog, params, nil)
}

// meta is what the spec says about the package.
func (s *Spec) meta() model.Meta {
	p := s.Package
	return model.Meta{Name: s.Name, Description: p.Description, License: p.License, Provenance: p.Provenance}
}

// programNet makes a net of the model that the spec names.
func (s *Spec) programNet(j *Job, d *samples) (*builtNet, error) {
	m, err := s.openModel()
	if err != nil {
		return nil, fmt.Errorf("model.path: %w", err)
	}
	net, err := nn.Inline(m.Program, nn.InlineOptions{
		Input: s.Model.Input, Output: s.Model.Output, Rows: s.Model.Rows, Probabilities: s.Model.Probabilities,
	})
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	if d.width != net.Classes() && (s.Loss == "mse" || d.width > net.Classes()) {
		return nil, fmt.Errorf("%w: data: %d classes or targets, output %q gives %d", ErrData, d.width, s.Model.Output, net.Classes())
	}
	n := &builtNet{net: net, weights: map[string]*engine.Tensor{}}
	if m.Weights == nil {
		if n.weights, err = nn.InitParams(net.Params(), uint64(s.Seed)); err != nil {
			return nil, err
		}
		if len(n.weights) != len(m.Program.WeightSpecs()) {
			return nil, fmt.Errorf("%w: model.weights: missing, and some weights are not f32", ErrSpec)
		}
	} else {
		for i, w := range m.Program.WeightSpecs() {
			n.weights[w.Name] = m.Weights.Tensors()[i]
		}
	}
	j.pack = func(params map[string]*engine.Tensor) (*model.Package, error) { return s.tuned(m, n.weights, params) }
	return n, nil
}

// openModel opens the model of architecture program. A graph file that needs weights and comes without has none.
func (s *Spec) openModel() (*runner.Model, error) {
	ref := s.Model.Path
	if !strings.HasPrefix(ref, "zoo:") {
		ref = s.path(ref)
	}
	if s.Model.Weights != "" || !runner.IsGraphFile(ref) {
		return runner.Open(ref, s.path(s.Model.Weights))
	}
	raw, err := readFile(ref, runner.MaxGraphBytes)
	if err != nil {
		return nil, err
	}
	prog, err := runner.ParseGraph(ref, raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ref, err)
	}
	return &runner.Model{Name: s.Name, Program: prog}, nil
}

// tuned is the package of a program whose parameters were trained: the same program, and what people need around it.
func (s *Spec) tuned(m *runner.Model, start, params map[string]*engine.Tensor) (*model.Package, error) {
	all := make(map[string]*engine.Tensor, len(start))
	for _, w := range m.Program.WeightSpecs() {
		if all[w.Name] = params[w.Name]; all[w.Name] == nil {
			all[w.Name] = start[w.Name]
		}
	}
	meta, own := s.meta(), s.meta()
	if m.Meta != nil {
		meta = *m.Meta
		meta.Name = own.Name
		for to, from := range map[*string]string{&meta.Description: own.Description, &meta.License: own.License, &meta.Provenance: own.Provenance} {
			if from != "" {
				*to = from
			}
		}
	}
	if s.Package.Labels != nil {
		meta.Labels = s.Package.Labels
	}
	return model.New(meta, m.Program, all, m.Tokenizer)
}

// decoder is a llama with what its training needs.
type decoder struct {
	cfg         nn.LlamaConfig
	weights     map[string]*engine.Tensor
	train, held []int32
}

// decoder makes a new llama, or opens the one that the spec names.
func (s *Spec) decoder(j *Job) (*decoder, error) {
	if s.Model.Architecture == "program" {
		return s.tunedDecoder(j)
	}
	m := s.Model
	tok, train, held, err := loadTokens(s, nil)
	if err != nil {
		return nil, err
	}
	n := &decoder{train: train, held: held, cfg: nn.LlamaConfig{
		Dim: m.Dim, HiddenDim: m.FeedForward, Layers: m.Layers, Heads: m.Heads, KVHeads: m.KVHeads, Vocab: int64(tok.VocabSize()),
		Ctx: m.Context, TiedOutput: *m.TiedOutput, EOS: endTokens(),
	}}
	params := n.cfg.WithInit(float32(m.InitStd))
	if n.weights, err = nn.InitParams(params, uint64(s.Seed)); err != nil {
		return nil, err
	}
	cos, sin, err := nn.RopeTables(n.cfg.Ctx, n.cfg.HeadDim(), ropeBase)
	if err != nil {
		return nil, err
	}
	n.weights["rope.cos"], n.weights["rope.sin"] = cos, sin
	j.pack = func(params map[string]*engine.Tensor) (*model.Package, error) {
		prog, err := nn.Llama(n.cfg, engine.DefaultLimits())
		if err != nil {
			return nil, err
		}
		meta := s.meta()
		meta.Outputs = []model.Output{{Name: "tokens", Render: model.RenderTokens, CountOutput: "count"}, {Name: "logprobs"}, {Name: "count"}, {Name: "stopped"}}
		meta.Settings = map[string]string{
			"architecture": "llama", "input": "prompt", "vocab": strconv.FormatInt(n.cfg.Vocab, 10),
			"context": strconv.FormatInt(n.cfg.Ctx, 10), "dim": strconv.FormatInt(n.cfg.Dim, 10), "layers": strconv.Itoa(n.cfg.Layers),
			"bos": strconv.Itoa(int(model.TokenBOS)),
		}
		all := map[string]*engine.Tensor{"rope.cos": cos, "rope.sin": sin}
		for name, t := range params { // into a map
			all[name] = t
		}
		return model.New(meta, prog, all, tok)
	}
	return n, nil
}

// ropeBase is the base of the rotary frequencies of a new llama.
const ropeBase = 10000

func endTokens() []int64 { return []int64{int64(model.TokenBOS), int64(model.TokenEOS)} }

// tunedDecoder opens a package with a generation program of nn.Llama.
func (s *Spec) tunedDecoder(j *Job) (*decoder, error) {
	m, err := s.openModel()
	if err != nil {
		return nil, fmt.Errorf("model.path: %w", err)
	}
	if m.Tokenizer == nil || m.Weights == nil {
		return nil, fmt.Errorf("%w: model.path: %s has no tokenizer or no weights", ErrSpec, m.Name)
	}
	n := &decoder{weights: map[string]*engine.Tensor{}}
	if n.cfg, err = llamaConfig(m.Program); err != nil {
		return nil, fmt.Errorf("%w: model.path: %w", ErrSpec, err)
	}
	if s.Model.Context > n.cfg.Ctx {
		return nil, fmt.Errorf("%w: model.context: %d, the model's is %d", ErrSpec, s.Model.Context, n.cfg.Ctx)
	}
	if _, n.train, n.held, err = loadTokens(s, m.Tokenizer); err != nil {
		return nil, err
	}
	for i, w := range m.Program.WeightSpecs() {
		n.weights[w.Name] = m.Weights.Tensors()[i]
	}
	j.pack = func(params map[string]*engine.Tensor) (*model.Package, error) { return s.tuned(m, n.weights, params) }
	return n, nil
}

// llamaConfig finds the configuration that nn.Llama makes exactly this program of, so that what is trained is what is run. Sizes
// follow from the weights; what they do not say is tried.
func llamaConfig(prog *engine.Program) (nn.LlamaConfig, error) {
	shape := map[string][]int64{}
	for _, w := range prog.WeightSpecs() {
		shape[w.Name] = w.Shape
	}
	none := fmt.Errorf("the program is not one of nn.Llama, which alone can be trained on text")
	emb, w1, wk, cos := shape["tok_embeddings.weight"], shape["layers.0.feed_forward.w1.weight"], shape["layers.0.attention.wk.weight"], shape["rope.cos"]
	if len(emb) != 2 || len(w1) != 2 || len(wk) != 2 || len(cos) != 2 || cos[1] < 1 || wk[0] < 1 {
		return nn.LlamaConfig{}, none
	}
	head := 2 * cos[1]
	cfg := nn.LlamaConfig{
		Vocab: emb[0], Dim: emb[1], HiddenDim: w1[0], Heads: emb[1] / head, KVHeads: wk[0] / head, Ctx: cos[0],
		TiedOutput: shape["output.weight"] == nil, MaxNew: maxNew(prog.Proto()),
	}
	for shape[fmt.Sprintf("layers.%d.ffn_norm.weight", cfg.Layers)] != nil {
		cfg.Layers++
	}
	for _, eps := range []float32{1e-5, 1e-6} {
		for _, eos := range [][]int64{endTokens(), {int64(model.TokenEOS)}, nil} {
			cfg.Eps, cfg.EOS = eps, eos
			if p, err := nn.Llama(cfg, engine.DefaultLimits()); err == nil && p.Hash() == prog.Hash() {
				return cfg, nil
			}
		}
	}
	return nn.LlamaConfig{}, none
}

// maxNew is the length of the tokens output, 0 where there is none.
func maxNew(pb *graphpb.Program) int64 {
	for _, s := range pb.States {
		if s.Name == "tokens" && len(s.Shape) == 1 {
			return s.Shape[0]
		}
	}
	return 0
}

// Package gives the model that a checkpoint's parameters make: trained after the last step, as it starts out after the first.
func (j *Job) Package(c *Checkpoint) (*model.Package, error) {
	states := make(map[string]*engine.Tensor, len(c.States))
	for i, s := range j.Program.StateSpecs() {
		states[s.Name] = c.States[i]
	}
	params := map[string]*engine.Tensor{}
	for i, w := range j.Program.WeightSpecs() {
		if notParams[w.Name] {
			continue
		}
		if params[w.Name] = j.Weights.Tensors()[i]; states[w.Name] != nil {
			params[w.Name] = states[w.Name].Clone()
		}
	}
	return j.pack(params)
}

// notParams are the weights of a training program that are no parameters of a model.
var notParams = map[string]bool{"data": true, "labels": true, "targets": true, nn.RateTable: true, "rope.cos": true, "rope.sin": true}
