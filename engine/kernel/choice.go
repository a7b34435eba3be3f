package kernel

import "poaid/engine/num"

// Predicate is a comparison by num.Key.
type Predicate int

// The predicates of Compare.
const (
	Equal Predicate = iota
	Before
	BeforeOrEqual
)

// Compare writes 1 to dst where key(a) pred key(b), else 0. An operand with step 0 is one value, a[0] or b[0].
func Compare(pred Predicate, dst []uint8, a, b []float32, aStep, bStep int) {
	if len(dst) == 0 {
		return
	}
	x, y := stepped(a, aStep, len(dst)), stepped(b, bStep, len(dst))
	if compareFast(pred, dst, x, y, aStep, bStep) {
		return
	}
	// Without branches: signs of activations cannot be predicted.
	var table [4]uint8 // by 1 + the sign of a − b
	for sign := range 3 {
		if sign == 1 && pred != Before || sign == 0 && pred != Equal {
			table[sign] = 1
		}
	}
	sign := func(p, q int64) uint64 { return (1 + uint64(q-p)>>63 - uint64(p-q)>>63) & 3 }
	p, q := int64(num.Key(a[0])), int64(num.Key(b[0]))
	switch {
	case aStep == 0 && bStep == 1:
		for i, v := range y[:len(dst)] {
			dst[i] = table[sign(p, int64(num.Key(v)))]
		}
	case aStep == 1 && bStep == 0:
		for i, v := range x[:len(dst)] {
			dst[i] = table[sign(int64(num.Key(v)), q)]
		}
	default:
		for i := range dst {
			dst[i] = table[sign(int64(num.Key(a[i*aStep])), int64(num.Key(b[i*bStep])))]
		}
	}
}

// Choose copies to dst the bits of a where cond is not 0, else those of b. An operand with step 0 is one value.
func Choose(dst []float32, cond []uint8, a, b []float32, aStep, bStep int) {
	if len(dst) == 0 {
		return
	}
	cond = cond[:len(dst)]
	if chooseFast(dst, cond, stepped(a, aStep, len(dst)), stepped(b, bStep, len(dst)), aStep, bStep) {
		return
	}
	for i, c := range cond {
		v := b[i*bStep]
		if c != 0 {
			v = a[i*aStep]
		}
		dst[i] = v
	}
}

// stepped is what the vector routines take of an operand.
func stepped(x []float32, step, n int) []float32 {
	if step == 0 {
		return repeat(x[0])
	}
	return x[:n]
}

// MaxPool2 pools windows of 2×2 side by side: dst[i] is the canonical largest element, by num.Key, of columns 2i and 2i + 1 of two
// rows. It reports false, having done nothing, when there is no routine for it.
func MaxPool2(dst, top, bottom []float32) bool {
	n := len(dst)
	if n < 4 || !poolFast() {
		return false
	}
	need("MaxPool2", "top", len(top), 2*n)
	need("MaxPool2", "bottom", len(bottom), 2*n)
	maxPool2(&dst[0], &top[0], &bottom[0], n)
	return true
}

// MaxPool2Grad is the gradient of MaxPool2: 0 + dy goes to the first largest element of a window, row by row, and +0 to the others. It
// reports false, having done nothing, when there is no routine for it.
func MaxPool2Grad(dTop, dBottom, top, bottom, dy []float32) bool {
	n := len(dy)
	if n < 4 || !poolFast() {
		return false
	}
	for _, x := range [][]float32{dTop, dBottom, top, bottom} {
		need("MaxPool2Grad", "a row", len(x), 2*n)
	}
	maxPool2Grad(&dTop[0], &dBottom[0], &top[0], &bottom[0], &dy[0], n)
	return true
}
