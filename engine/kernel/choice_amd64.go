package kernel

// compareFast and chooseFast do Compare and Choose with the kernel in use; false when that is the reference.
func compareFast(pred Predicate, dst []uint8, a, b []float32, aStep, bStep int) bool {
	l := current()
	if l == levelReference {
		return false
	}
	call := compareAVX2
	if l == levelAVX512 {
		call = compareAVX512
	}
	n := len(dst) &^ (lanes - 1)
	for i := 0; i < n; i += vecChunk {
		call(int(pred), &dst[i], &a[i*aStep], &b[i*bStep], aStep, bStep, min(vecChunk, n-i))
	}
	if n < len(dst) {
		var x, y [lanes]float32
		var out [lanes]uint8
		copy(x[:], a[n*aStep:])
		copy(y[:], b[n*bStep:])
		call(int(pred), &out[0], &x[0], &y[0], aStep, bStep, lanes)
		copy(dst[n:], out[:])
	}
	return true
}

func chooseFast(dst []float32, cond []uint8, a, b []float32, aStep, bStep int) bool {
	l := current()
	if l == levelReference {
		return false
	}
	call := chooseAVX2
	if l == levelAVX512 {
		call = chooseAVX512
	}
	n := len(dst) &^ (lanes - 1)
	for i := 0; i < n; i += vecChunk {
		call(&dst[i], &cond[i], &a[i*aStep], &b[i*bStep], aStep, bStep, min(vecChunk, n-i))
	}
	if n < len(dst) {
		var x, y, out [lanes]float32
		var c [lanes]uint8
		copy(x[:], a[n*aStep:])
		copy(y[:], b[n*bStep:])
		copy(c[:], cond[n:len(dst)])
		call(&out[0], &c[0], &x[0], &y[0], aStep, bStep, lanes)
		copy(dst[n:], out[:])
	}
	return true
}

// poolFast reports whether maxPool2 and its gradient can be used.
func poolFast() bool { return current() != levelReference }
