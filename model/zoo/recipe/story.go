package recipe

import (
	"context"
	"strconv"
	"strings"

	"poaid/engine"
	"poaid/engine/nn"
	"poaid/model"
	"poaid/model/zoo/data"
)

// Sizes of the story model and its training.
const (
	storyVocab  = 1024
	storyCtx    = 256
	storySteps  = 3600
	storyBatch  = 8
	storyWarmup = 200
	storyRate   = 3e-3
)

func storyConfig() nn.LlamaConfig {
	return nn.LlamaConfig{
		Dim: 128, HiddenDim: 320, Layers: 4, Heads: 4, KVHeads: 2, Vocab: storyVocab, Ctx: storyCtx, TiedOutput: true,
		EOS: []int64{int64(model.TokenBOS), int64(model.TokenEOS)},
	}
}

// storyInit is nn's start with matrices of a size that fits the width: standard deviation 0.05, and a third of it for what writes into
// the residual stream.
func storyInit(seed uint64) (map[string]*engine.Tensor, error) {
	specs := storyConfig().Params()
	for i, s := range specs {
		switch {
		case strings.HasSuffix(s.Name, "wo.weight"), strings.HasSuffix(s.Name, "w2.weight"):
			specs[i].Init = nn.Normal(0.017)
		case strings.HasPrefix(s.Name, "layers.") && len(s.Shape) == 2:
			specs[i].Init = nn.Normal(0.05)
		}
	}
	return nn.InitParams(specs, seed)
}

// storyTokens gives the tokenizer and the tokens of the tales: for training, and every 36th tale held back.
func storyTokens() (tok *model.Tokenizer, train, held []int32, err error) {
	text, err := data.Tales()
	if err != nil {
		return nil, nil, nil, err
	}
	if tok, err = model.TrainTokenizer(text, storyVocab); err != nil {
		return nil, nil, nil, err
	}
	for i, tale := range strings.Split(text, "\n\n") {
		ids := tok.Encode(strings.TrimRight(tale, "\n"), true, false)
		if i%36 == 17 {
			held = append(held, ids...)
		} else {
			train = append(train, ids...)
		}
	}
	return tok, train, held, nil
}

// storyTrainer is the training program over n tokens.
func storyTrainer(n int, o nn.Optimizer) (*engine.Program, error) {
	return nn.LlamaTrainer(storyConfig(), nn.TrainConfig{
		Batch: storyBatch, Seq: storyCtx, Steps: storySteps, LR: storyRate, DataLen: int64(n), DataDType: engine.I32, Optimizer: o,
	}, engine.DefaultLimits())
}

// bindStory joins parameters with the rotary tables and tokens.
func bindStory(prog *engine.Program, params map[string]*engine.Tensor, tokens []int32) (*engine.Weights, error) {
	all := make(map[string]*engine.Tensor, len(params)+3)
	for name, t := range params {
		all[name] = t
	}
	var err error
	if all["rope.cos"], all["rope.sin"], err = storyRope(); err != nil {
		return nil, err
	}
	if all["data"], err = engine.FromI32(tokens, int64(len(tokens))); err != nil {
		return nil, err
	}
	return engine.WeightsByName(prog, all)
}

func storyRope() (cos, sin *engine.Tensor, err error) {
	return nn.RopeTables(storyCtx, storyConfig().HeadDim(), 10000)
}

// Story trains a small llama on fairy tales.
func Story() (*Recipe, error) {
	tok, train, held, err := storyTokens()
	if err != nil {
		return nil, err
	}
	prog, err := storyTrainer(len(train), warmupLinear{nn.Adam{Beta1: 0.9, Beta2: 0.99, Eps: 1e-8, Decay: 0.1}, storyWarmup, storySteps})
	if err != nil {
		return nil, err
	}
	start, err := storyInit(1812)
	if err != nil {
		return nil, err
	}
	weights, err := bindStory(prog, start, train)
	if err != nil {
		return nil, err
	}
	return &Recipe{
		Name: "story", Program: prog, Weights: weights, Steps: storySteps,
		Package: func(params map[string]*engine.Tensor) (*model.Package, error) { return storyPackage(params, tok) },
		Score: func(ctx context.Context, p *model.Package, threads int) (string, float64, error) {
			loss, err := heldLoss(ctx, p, held, threads)
			return "cross-entropy in nats a token on tales held back", loss, err
		},
	}, nil
}

func storyPackage(params map[string]*engine.Tensor, tok *model.Tokenizer) (*model.Package, error) {
	cfg := storyConfig()
	prog, err := nn.Llama(cfg, engine.DefaultLimits())
	if err != nil {
		return nil, err
	}
	if params["rope.cos"], params["rope.sin"], err = storyRope(); err != nil {
		return nil, err
	}
	return model.New(model.Meta{
		Name:        "story",
		Description: "Continues a fairy tale.",
		Outputs:     []model.Output{{Name: "tokens", Render: model.RenderTokens, CountOutput: "count"}, {Name: "logprobs"}, {Name: "count"}, {Name: "stopped"}},
		License:     "CC0-1.0",
		Provenance: "Trained by go run ./model/zoo/train story on public-domain tales: Grimms' Fairy Tales (translated by E. Taylor and " +
			"M. Edwardes) and Andrew Lang's Blue and Red Fairy Books.",
		Settings: map[string]string{
			"architecture": "llama", "input": "prompt", "vocab": strconv.Itoa(storyVocab), "context": strconv.Itoa(storyCtx),
			"dim": strconv.FormatInt(cfg.Dim, 10), "layers": strconv.Itoa(cfg.Layers), "bos": "1",
		},
	}, prog, params, tok)
}

// heldLoss gives the mean loss over random windows of tokens: steps of the trainer at a learning rate of zero.
func heldLoss(ctx context.Context, p *model.Package, tokens []int32, threads int) (float64, error) {
	prog, err := storyTrainer(len(tokens), nn.SGD{})
	if err != nil {
		return 0, err
	}
	params := make(map[string]*engine.Tensor)
	for i, s := range p.Program.WeightSpecs() {
		if !strings.HasPrefix(s.Name, "rope.") {
			params[s.Name] = p.Weights.Tensors()[i]
		}
	}
	weights, err := bindStory(prog, params, tokens)
	if err != nil {
		return 0, err
	}
	zero, err := engine.FromF32([]float32{0}, 1)
	if err != nil {
		return 0, err
	}
	in, err := prog.BindInputs(map[string]*engine.Tensor{"lr": zero})
	if err != nil {
		return 0, err
	}
	run, err := engine.NewRun(prog, weights, in, engine.RunOptions{Threads: threads})
	if err != nil {
		return 0, err
	}
	const batches = 12
	sum := 0.0
	for range batches {
		if err := run.Step(ctx); err != nil {
			return 0, err
		}
		sum += float64(run.State("loss").F32()[0])
	}
	return sum / batches, nil
}
