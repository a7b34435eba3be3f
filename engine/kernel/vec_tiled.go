//go:build amd64 || arm64

package kernel

// lanes is the number of elements the vector routines take at a time; vecChunk
// bounds one assembly call.
const (
	lanes    = 16
	vecChunk = 1 << 14
)

// unaryFast applies operation op to every element with the kernel in use; it
// reports false when that is the reference.
func unaryFast(op int, dst, a []float32) bool {
	l := current()
	if l == levelReference {
		return false
	}
	n := len(dst) &^ (lanes - 1)
	for i := 0; i < n; i += vecChunk {
		unaryAsm(l, op, &dst[i], &a[i], min(vecChunk, n-i))
	}
	if n < len(dst) {
		var tail [lanes]float32
		copy(tail[:], a[n:len(dst)])
		unaryAsm(l, op, &tail[0], &tail[0], lanes)
		copy(dst[n:], tail[:])
	}
	return true
}

// binaryFast applies operation op to pairs of elements with the kernel in use. An
// operand with step 0 is one value repeated lanes times.
func binaryFast(op int, dst, a, b []float32, aStep, bStep int) bool {
	l := current()
	if l == levelReference {
		return false
	}
	n := len(dst) &^ (lanes - 1)
	for i := 0; i < n; i += vecChunk {
		binaryAsm(l, op, &dst[i], &a[i*aStep], &b[i*bStep], aStep, bStep, min(vecChunk, n-i))
	}
	if n < len(dst) {
		var x, y, out [lanes]float32 // out apart: a step of 0 reads x or y twice
		copy(x[:], a[n*aStep:])
		copy(y[:], b[n*bStep:])
		binaryAsm(l, op, &out[0], &x[0], &y[0], aStep, bStep, lanes)
		copy(dst[n:], out[:])
	}
	return true
}

// reduction is one of the sixteen-lane reductions.
type reduction uint8

const (
	reduceSum reduction = iota
	reduceSumSq
)

// reduceFast folds the whole groups of 16 of x into acc with the kernel in use and
// returns how many elements it took.
func reduceFast(r reduction, acc *[16]float32, x []float32, mean float32) int {
	l := current()
	n := len(x) &^ (lanes - 1)
	if l == levelReference {
		return 0
	}
	for i := 0; i < n; i += vecChunk {
		if r == reduceSum {
			sumAsm(l, acc, &x[i], min(vecChunk, n-i))
		} else {
			sumSqAsm(l, acc, &x[i], min(vecChunk, n-i), &mean)
		}
	}
	return n
}

// maxKeyFast raises keys to the largest order key of its lane over the whole
// groups of 16 of x and returns how many elements it took.
func maxKeyFast(keys *[16]int32, x []float32) int {
	l := current()
	n := len(x) &^ (lanes - 1)
	if l == levelReference {
		return 0
	}
	for i := 0; i < n; i += vecChunk {
		maxKeyAsm(l, keys, &x[i], min(vecChunk, n-i))
	}
	return n
}
