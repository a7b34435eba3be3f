//go:build amd64 || arm64

package kernel

// packSlack is how far past the end of its buffer packA may write: transpose8
// stores eight floats for the last, narrower, group of rows.
const packSlack = 8

func ceilDiv(a, b int) int { return (a + b - 1) / b }

func roundUp(a, b int) int { return ceilDiv(a, b) * b }

// packA writes rows [i0, i1), depths [k0, k1) of op(A) as consecutive panels of
// height rows (the last may be lower), each k-major: panel[k·h + r].
func (t *tiler) packA(dst []float32, i0, i1, height, k0, k1 int) {
	depth := k1 - k0
	for i := i0; i < i1; i += height {
		h := min(height, i1-i)
		panel := dst[(i-i0)*depth:]
		src := t.a[i*t.as0+k0*t.as1:]
		if t.as0 == 1 {
			for k := range depth {
				copy(panel[k*h:k*h+h], src[k*t.as1:])
			}
			continue
		}
		// Groups from the last to the first: what a narrow group writes past
		// the panel's width is overwritten by the groups before it.
		for r := (h - 1) / 8 * 8; r >= 0; r -= 8 {
			transposeRows(panel[r:], h, src[r*t.as0:], t.as0, min(8, h-r), depth)
		}
		transposeTail(panel, h, src, t.as0, h, depth)
	}
}

// packB writes columns [j, j+cols), depths [k0, k1) of op(B) as one k-major panel
// of width columns; what lies past cols is unspecified.
func (t *tiler) packB(dst []float32, j, cols, width, k0, k1 int) {
	depth := k1 - k0
	src := t.b[k0*t.bs0+j*t.bs1:]
	if t.bs1 != 1 {
		for r := 0; r < cols; r += 8 {
			transposeRows(dst[r:], width, src[r*t.bs1:], t.bs1, min(8, cols-r), depth)
		}
		transposeTail(dst, width, src, t.bs1, cols, depth)
		return
	}
	if cols == width {
		copyPanel(&dst[0], width*4, &src[0], t.bs0*4, width/16, depth)
		return
	}
	for k := range depth {
		copy(dst[k*width:k*width+cols], src[k*t.bs0:])
	}
}

// transposeRows writes dst[k·stride + r] = src[r·rowStride + k] for rows ≤ 8 and
// the multiple of 8 of k below depth; it stores eight columns whatever rows is.
func transposeRows(dst []float32, stride int, src []float32, rowStride, rows, depth int) {
	if depth < 8 {
		return
	}
	var p [8]*float32
	for r := range p {
		p[r] = &src[min(r, rows-1)*rowStride]
	}
	transpose8(&dst[0], stride*4, &p, depth/8)
}

// transposeTail does the depths that transposeRows leaves.
func transposeTail(dst []float32, stride int, src []float32, rowStride, rows, depth int) {
	for k := depth &^ 7; k < depth; k++ {
		for r := range rows {
			dst[k*stride+r] = src[r*rowStride+k]
		}
	}
}
