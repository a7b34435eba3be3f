package fusion

import "math"

type real interface{ ~float32 | ~float64 }

const scale = 2.0*3.0 + 1 // constants are exact

func direct(x, y, z float32) float32 {
	return x*y + z // want `product feeds an addition`
}

func right(x, y, z float64) float64 {
	return z - (x * y) // want `product feeds an addition`
}

func negated(x, y, z float64) float64 {
	return -(x * y) + z // want `product feeds an addition`
}

func converted(x, y, z float32) float32 { return float32(x*y) + z }

func integers(x, y, z int) int { return x*y + z }

func quotient(x, y, z float32) float32 { return x/y + z }

func local(x, y, z float32) float32 {
	p := x * y
	q := p
	return q + z // want `product feeds an addition`
}

func localConverted(x, y, z float32) float32 {
	p := float32(x * y)
	return p + z
}

func accumulate(xs, ys []float32) (sum float32) {
	for i := range xs {
		sum += xs[i] * ys[i] // want `product feeds an addition`
	}
	return sum
}

func mulAssign(x, y, z float64) float64 {
	x *= y
	z -= x // want `product feeds an addition`
	return z
}

func generic[T real](x, y, z T) T {
	return x*y + z // want `product feeds an addition`
}

func fma(x, y, z float64) float64 {
	return math.FMA(x, y, z) // want `math.FMA outside`
}

func returned(x, y float32) float32 { return x * y }

func allowed(x, y, z float64) float64 {
	return x*y + z //detlint:allow a progress bar
}

func unreasoned(x, y, z float64) float64 {
	return x*y + z /* want `product feeds an addition` `needs a reason` */ //detlint:allow
}
