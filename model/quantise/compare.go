package quantise

import (
	"context"
	"fmt"
	"math"

	"poaid/engine"
	"poaid/engine/graphpb"
	"poaid/model"
)

// Loss is how far a quantised model is from its original on samples.
type Loss struct {
	Samples int `json:"samples"`
	// Agreement is the part of samples on which both name the same class: the i64[1] output, or the index of the largest
	// element of the first f32 output.
	Agreement float64 `json:"agreement"`
	// Labelled says that Before and After are accuracies on labels.
	Labelled bool    `json:"labelled"`
	Before   float64 `json:"accuracy_before"`
	After    float64 `json:"accuracy_after"`
	// MaxDifference is the largest difference of an f32 output, MaxOutput the largest magnitude of the original's.
	MaxDifference float64 `json:"max_difference"`
	MaxOutput     float64 `json:"max_output"`
}

// Compare runs both models for one step on samples (inputs by name). labels, if there are any, are the right classes.
func Compare(ctx context.Context, before, after *model.Package, samples []map[string]*engine.Tensor, labels []int64, threads int) (*Loss, error) {
	if len(labels) != 0 && len(labels) != len(samples) {
		return nil, fmt.Errorf("labels: %d for %d samples", len(labels), len(samples))
	}
	if len(samples) == 0 {
		return nil, fmt.Errorf("samples: none")
	}
	l := &Loss{Samples: len(samples), Labelled: len(labels) > 0}
	same, right := 0, [2]int{}
	for i, in := range samples {
		label := int64(-1) // no class
		if i < len(labels) {
			label = labels[i]
		}
		a, err := engine.Execute(ctx, before.Program, before.Weights, in, 1, engine.RunOptions{Threads: threads})
		if err != nil {
			return nil, fmt.Errorf("sample %d: %w", i, err)
		}
		b, err := engine.Execute(ctx, after.Program, after.Weights, in, 1, engine.RunOptions{Threads: threads})
		if err != nil {
			return nil, fmt.Errorf("sample %d, quantised: %w", i, err)
		}
		was, is := classOf(a), classOf(b)
		same += count(was == is)
		right[0] += count(l.Labelled && was == label)
		right[1] += count(l.Labelled && is == label)
		l.differences(a, b)
	}
	n := float64(len(samples))
	l.Agreement, l.Before, l.After = float64(same)/n, float64(right[0])/n, float64(right[1])/n
	return l, nil
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (l *Loss) differences(a, b *engine.Result) {
	for i, o := range a.Outputs {
		other := b.Outputs[i].Tensor.F32()
		for j, v := range o.Tensor.F32() {
			l.MaxOutput = max(l.MaxOutput, math.Abs(float64(v)))
			l.MaxDifference = max(l.MaxDifference, math.Abs(float64(v)-float64(other[j])))
		}
	}
}

// classOf is the class that a result names, −1 for none.
func classOf(r *engine.Result) int64 {
	for _, o := range r.Outputs {
		if v := o.Tensor.I64(); len(v) == 1 {
			return v[0]
		}
	}
	for _, o := range r.Outputs {
		if v := o.Tensor.F32(); len(v) > 0 {
			return argmax(v)
		}
	}
	return -1
}

func argmax(v []float32) int64 {
	best := 0
	for i, x := range v {
		if x > v[best] {
			best = i
		}
	}
	return int64(best)
}

// TextLoss is how well two language models predict a text.
type TextLoss struct {
	Tokens int `json:"tokens"`
	// Before and After are mean negative log-likelihoods in nats a token; perplexity is their exponential.
	Before           float64 `json:"loss_before"`
	After            float64 `json:"loss_after"`
	PerplexityBefore float64 `json:"perplexity_before"`
	PerplexityAfter  float64 `json:"perplexity_after"`
	// Agreement is the part of positions where both find the same token likeliest.
	Agreement float64 `json:"agreement"`
}

// CompareText measures both models on the tokens of a text, in windows as long as their context.
func CompareText(ctx context.Context, before, after *model.Package, tokens []int64, threads int) (*TextLoss, error) {
	var loss [2][]float64
	var best [2][]int64
	for k, p := range []*model.Package{before, after} {
		var err error
		if loss[k], best[k], err = predict(ctx, p, tokens, threads); err != nil {
			return nil, err
		}
	}
	if len(loss[0]) == 0 {
		return nil, fmt.Errorf("text: %d tokens, want at least 2", len(tokens))
	}
	t, same := &TextLoss{Tokens: len(loss[0])}, 0
	for i := range loss[0] {
		t.Before += loss[0][i]
		t.After += loss[1][i]
		if best[0][i] == best[1][i] {
			same++
		}
	}
	n := float64(t.Tokens)
	t.Before, t.After, t.Agreement = t.Before/n, t.After/n, float64(same)/n
	t.PerplexityBefore, t.PerplexityAfter = math.Exp(t.Before), math.Exp(t.After)
	return t, nil
}

// predict returns −log p of every token but the first of each window, and the likeliest token in its place.
func predict(ctx context.Context, p *model.Package, tokens []int64, threads int) (loss []float64, best []int64, err error) {
	pb := *p.Program.Proto()
	pb.Forced, pb.ForcedInput = nil, "" // every position computes logits
	prompt := p.Program.ForcedInput()
	prog, err := engine.New(&pb, engine.DefaultLimits())
	if err != nil {
		return nil, nil, err
	}
	logits, err := logitsOf(prog)
	if err != nil {
		return nil, nil, err
	}
	if prompt == "" {
		return nil, nil, fmt.Errorf("%w: the program has no forced input: it is no language model", ErrQuantise)
	}
	weights, err := engine.NewWeights(prog, p.Weights.Tensors())
	if err != nil {
		return nil, nil, err
	}
	window := int(min(prog.MaxSteps(), uint64(len(tokens))))
	for at := 0; at+1 < len(tokens); at += window - 1 {
		part := tokens[at:min(at+window, len(tokens))]
		x, err := engine.FromI64(part, int64(len(part)))
		if err != nil {
			return nil, nil, err
		}
		in, err := prog.BindInputs(map[string]*engine.Tensor{prompt: x})
		if err != nil {
			return nil, nil, err
		}
		run, err := engine.NewRun(prog, weights, in, engine.RunOptions{Threads: threads})
		if err != nil {
			return nil, nil, err
		}
		for _, next := range part[1:] {
			err := run.Trace(ctx, func(node int, out *engine.Tensor) error {
				if node == logits {
					v := out.F32()
					loss, best = append(loss, surprise(v, next)), append(best, argmax(v))
				}
				return nil
			})
			if err != nil {
				return nil, nil, err
			}
		}
	}
	return loss, best, nil
}

// surprise is −log softmax(v)[i].
func surprise(v []float32, i int64) float64 {
	if i < 0 || i >= int64(len(v)) {
		return math.Inf(1)
	}
	high, sum := float64(v[argmax(v)]), 0.0
	for _, x := range v {
		sum += math.Exp(float64(x) - high)
	}
	return math.Log(sum) + high - float64(v[i])
}

// logitsOf finds the node whose largest element greedy decoding takes: the operand of the last argmax.
func logitsOf(p *engine.Program) (int, error) {
	nodes := p.Proto().Step.Nodes
	for i := len(nodes) - 1; i >= 0; i-- {
		if in := nodes[i].Inputs; nodes[i].Op == "argmax@1" && in[0].Kind == graphpb.REF_KIND_NODE {
			return int(in[0].Index), nil
		}
	}
	return 0, fmt.Errorf("%w: the program has no argmax over logits: it is no language model", ErrQuantise)
}
