package nn

import (
	"fmt"
	"math"

	"poaid/engine"
	"poaid/engine/num"
)

// ParamSpec is one trained weight: its name, its shape and what it starts from.
type ParamSpec struct {
	Name  string
	Shape []int64
	Init  Init
}

// Init says what a parameter starts from.
type Init struct {
	kind  initKind
	scale float32
}

type initKind uint8

const (
	initZeros initKind = iota
	initOnes
	initNormal
)

// Zeros starts from 0.
func Zeros() Init { return Init{} }

// Ones starts from 1.
func Ones() Init { return Init{kind: initOnes} }

// Normal starts from a normal distribution, as the sum of twelve uniform ones (Irwin–Hall), which needs no elementary
// functions.
func Normal(std float32) Init { return Init{kind: initNormal, scale: std} }

// InitParams returns starting weights, a function of the specs' order and the seed.
func InitParams(specs []ParamSpec, seed uint64) (map[string]*engine.Tensor, error) {
	out := make(map[string]*engine.Tensor, len(specs))
	for i, s := range specs {
		t, err := engine.NewTensor(engine.F32, s.Shape, 1<<40)
		if err != nil {
			return nil, fmt.Errorf("parameter %q: %w", s.Name, err)
		}
		v := t.F32()
		for j := range v {
			switch s.Init.kind {
			case initOnes:
				v[j] = 1
			case initNormal:
				v[j] = num.Mul(normal(seed, uint64(i), uint64(j)), s.Init.scale)
			}
		}
		out[s.Name] = t
	}
	return out, nil
}

// normal is the sum of twelve 16-bit uniforms less 6: exact in float32 (22 bits), so without any rounding.
func normal(seed, i, j uint64) float32 {
	sum := int64(-6 << 16)
	for w := range uint64(3) {
		u := num.Rand64(seed, i, j*3+w)
		sum += int64(u&0xffff) + int64(u>>16&0xffff) + int64(u>>32&0xffff) + int64(u>>48)
	}
	return num.Div(num.I64ToF32(sum), 1<<16)
}

// RopeTables returns cos and sin of pos·theta^(−2i/headDim), [ctx, headDim/2]. They are computed in float64 once, when
// a model is made; the chain only ever sees them as weights.
func RopeTables(ctx, headDim int64, theta float64) (cos, sin *engine.Tensor, err error) {
	half := headDim / 2
	if cos, err = engine.NewTensor(engine.F32, []int64{ctx, half}, 1<<36); err != nil {
		return nil, nil, fmt.Errorf("rope tables: %w", err)
	}
	if sin, err = engine.NewTensor(engine.F32, []int64{ctx, half}, 1<<36); err != nil {
		return nil, nil, fmt.Errorf("rope tables: %w", err)
	}
	for p := range ctx {
		for i := range half {
			angle := float64(float64(p) * math.Pow(theta, float64(-2*i)/float64(headDim)))
			cos.F32()[p*half+i], sin.F32()[p*half+i] = float32(math.Cos(angle)), float32(math.Sin(angle))
		}
	}
	return cos, sin, nil
}
