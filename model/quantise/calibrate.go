package quantise

import (
	"context"
	"fmt"

	"poaid/engine"
	"poaid/engine/graphpb"
	"poaid/model"
)

// span is the smallest and largest value seen; it always holds 0.
type span struct{ lo, hi float32 }

func (s *span) add(t *engine.Tensor) error {
	for _, v := range t.F32() {
		if v-v != 0 {
			return fmt.Errorf("%w: a value is NaN or Inf on a calibration sample", ErrQuantise)
		}
		s.lo, s.hi = min(s.lo, v), max(s.hi, v)
	}
	return nil
}

// params are scale and zero point of an activation: value = (q − zero)·scale.
type params struct {
	scale float32
	zero  int8
}

// params covers the span: a value that is never negative has all 256 levels.
func (s span) params() params {
	switch {
	case s.lo == 0 && s.hi == 0:
		return params{1, 0}
	case s.lo == 0:
		return params{atLeastTiny(s.hi / 255), -128}
	default:
		return params{atLeastTiny(max(-s.lo, s.hi) / levels), 0}
	}
}

// atLeastTiny keeps scales normal.
func atLeastTiny(v float32) float32 { return max(v, 0x1p-100) }

// spans holds what values the nodes of the step graph and the inputs took.
type spans struct {
	node   []span
	inputs []span
}

// calibrate runs the first step of every sample.
func calibrate(ctx context.Context, p *model.Package, samples []map[string]*engine.Tensor, threads int) (*spans, error) {
	prog := p.Program
	if len(samples) == 0 {
		return nil, fmt.Errorf("%w: no calibration samples", ErrQuantise)
	}
	s := &spans{node: make([]span, len(prog.Proto().Step.Nodes)), inputs: make([]span, len(prog.InputSpecs()))}
	for i, sample := range samples {
		in, err := prog.BindInputs(sample)
		if err != nil {
			return nil, fmt.Errorf("calibration sample %d: %w", i, err)
		}
		run, err := engine.NewRun(prog, p.Weights, in, engine.RunOptions{Threads: threads})
		if err != nil {
			return nil, fmt.Errorf("calibration sample %d: %w", i, err)
		}
		for j, t := range in.Tensors() {
			if err := s.inputs[j].add(t); err != nil {
				return nil, fmt.Errorf("calibration sample %d, input %d: %w", i, j, err)
			}
		}
		err = run.Trace(ctx, func(node int, out *engine.Tensor) error { return s.node[node].add(out) })
		if err != nil {
			return nil, fmt.Errorf("calibration sample %d: %w", i, err)
		}
	}
	return s, nil
}

// of returns the span of a reference.
func (s *spans) of(ref *graphpb.Ref) span {
	switch ref.Kind {
	case graphpb.REF_KIND_NODE:
		return s.node[ref.Index]
	case graphpb.REF_KIND_INPUT:
		return s.inputs[ref.Index]
	default:
		return span{}
	}
}
