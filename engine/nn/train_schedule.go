package nn

import (
	"fmt"

	"poaid/engine"
	"poaid/engine/num"
)

// Schedule is how the learning rate goes over the steps of a training: up in a straight line from rate/warmup at the first
// step to rate at step warmup−1, then as Decay says.
type Schedule struct {
	Decay  Decay
	Warmup int64
	// Final is the part of the rate that is left at the last step; linear and cosine only.
	Final float32
	// Every and Factor: the rate is multiplied by Factor after every so many steps past the warm-up; stairs only.
	Every  int64
	Factor float32
}

// Decay is the form of a schedule after its warm-up.
type Decay uint8

const (
	// Constant keeps the rate.
	Constant Decay = iota
	// Linear goes down in a straight line.
	Linear
	// Cosine goes down by half a period of a cosine (Loshchilov and Hutter 2016, without restarts).
	Cosine
	// Stairs goes down by a factor every so many steps.
	Stairs
)

// Table returns the learning rate of every step, f32 [steps]: the weight RateTable. It is computed with num's arithmetic,
// so that every machine gets the same bits.
func (s Schedule) Table(rate float32, steps int64) (*engine.Tensor, error) {
	if s.Warmup < 0 || s.Warmup > steps {
		return nil, fmt.Errorf("schedule: warmup %d must be in 0..%d (steps)", s.Warmup, steps)
	}
	if s.Decay == Stairs && s.Every < 1 {
		return nil, fmt.Errorf("schedule: every %d must be 1 or more", s.Every)
	}
	t, err := engine.NewTensor(engine.F32, []int64{steps}, 1<<40)
	if err != nil {
		return nil, fmt.Errorf("schedule: %w", err)
	}
	v, left := t.F32(), num.I64ToF32(max(steps-1-s.Warmup, 1))
	stair := float32(1)
	for i := range v {
		step := int64(i)
		if step < s.Warmup {
			v[i] = num.Mul(rate, num.Div(num.I64ToF32(step+1), num.I64ToF32(s.Warmup)))
			continue
		}
		past := step - s.Warmup
		part := num.Div(num.I64ToF32(past), left) // 0 … 1
		factor := float32(1)
		switch s.Decay {
		case Linear:
			factor = num.Sub(1, num.Mul(num.Sub(1, s.Final), part))
		case Cosine:
			const pi = 3.1415927410125732 // float32's
			wave := num.Mul(0.5, num.Add(1, num.Cos(num.Mul(pi, part))))
			factor = num.Add(s.Final, num.Mul(num.Sub(1, s.Final), wave))
		case Stairs:
			if past > 0 && past%s.Every == 0 {
				stair = num.Mul(stair, s.Factor)
			}
			factor = stair
		case Constant:
		}
		v[i] = num.Mul(rate, factor)
	}
	return t, nil
}
