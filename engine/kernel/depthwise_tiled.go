//go:build amd64 || arm64

package kernel

// rowBlock is how many outputs convRow needs at least, and how many rows a border takes at once.
const rowBlock = 8

// depthwise is a convolution with one channel a group. Its chains are short, so that what counts is what surrounds them: the columns
// whose taps are all members are one convRow a row, straight from the source; the others are computed for eight rows at once, from a
// small panel of gathered elements. Nothing is padded, so every chain has its members only.
type depthwise struct {
	s ConvShape
	// rows are runs of output rows with the same row taps, cols the output columns.
	rows []rowRun
	// Columns from, …, to − 1 have all taps.
	from, to int
	// A row of the source is pitch floats: of a stride above 1, its columns 0, s, 2s, … lie together, then 1, s + 1, …
	pitch, phase int
	offs         []int // of tap (kh, kw) from tap (0, 0), in the source
	panel        []int // of tap k in a gathered panel
}

// rowRun is rows r0, …, r1 − 1, whose taps are k0, …, k1 − 1.
type rowRun struct{ r0, r1, k0, k1 int }

func planDepthwise(s ConvShape) *depthwise {
	d := &depthwise{s: s, phase: ceilDiv(s.W, s.StrideW)}
	d.pitch = d.phase * s.StrideW
	for r := range s.OutH() {
		k0, k1 := taps(r*s.StrideH-s.PadTop, s.KH, s.DilH, s.H)
		if n := len(d.rows); n > 0 && d.rows[n-1].k0 == k0 && d.rows[n-1].k1 == k1 {
			d.rows[n-1].r1++
			continue
		}
		d.rows = append(d.rows, rowRun{r, r + 1, k0, k1})
	}
	ow := s.OutW()
	for d.from < ow && d.from*s.StrideW < s.PadLeft {
		d.from++
	}
	d.to = d.from
	for d.to < ow && d.to*s.StrideW-s.PadLeft+(s.KW-1)*s.DilW < s.W {
		d.to++
	}
	if d.to-d.from < rowBlock {
		d.from, d.to = ow, ow // too few for convRow: all are borders
	}
	for kh := range s.KH {
		for kw := range s.KW {
			d.offs = append(d.offs, kh*s.DilH*d.pitch+d.column(kw*s.DilW-s.PadLeft)-d.column(-s.PadLeft))
			d.panel = append(d.panel, len(d.panel)*rowBlock)
		}
	}
	return d
}

// taps gives the taps of a position that are members: at + k·dil in 0, …, n − 1.
func taps(at, kernel, dil, n int) (k0, k1 int) {
	for k0 < kernel && at+k0*dil < 0 {
		k0++
	}
	k1 = k0
	for k1 < kernel && at+k1*dil < n {
		k1++
	}
	return k0, k1
}

// column gives the place of column q·stride + t of a row relative to q.
func (d *depthwise) column(t int) int {
	q, p := t/d.s.StrideW, t%d.s.StrideW
	if p < 0 {
		q, p = q-1, p+d.s.StrideW
	}
	return p*d.phase + q
}

// run computes the whole map; threads share the planes.
func (d *depthwise) run(y, x, w []float32, threads int) {
	s := d.s
	per, size, out := s.OC/s.Groups, s.H*s.W, s.OutH()*s.OutW()
	if s.N*s.OC*out*s.KH*s.KW <= smallMACs {
		threads = 1
	}
	Parallel(threads, s.N*s.C, func(lo, hi int) {
		buf := buffer(s.H*d.pitch + s.KH*s.KW*(rowBlock+1) + rowBlock)
		defer buffers.Put(buf)
		scratch, rest := (*buf)[:s.H*d.pitch], (*buf)[s.H*d.pitch:]
		for plane := lo; plane < hi; plane++ {
			src := x[plane*size : (plane+1)*size]
			if s.StrideW > 1 {
				d.deinterleave(scratch, src)
				src = scratch
			}
			for m := range per {
				oc := plane*per + m
				filter := w[oc%s.OC*s.KH*s.KW : (oc%s.OC+1)*s.KH*s.KW]
				dst := y[oc*out : (oc+1)*out]
				for _, run := range d.rows {
					d.inner(dst, src, filter, run)
					d.border(dst, src, filter, run, 0, d.from, rest)
					d.border(dst, src, filter, run, d.to, s.OutW(), rest)
				}
			}
		}
	})
}

// deinterleave puts each row's columns of one phase together.
func (d *depthwise) deinterleave(dst, src []float32) {
	s := d.s
	for r := range s.H {
		row, to := src[r*s.W:(r+1)*s.W], dst[r*d.pitch:(r+1)*d.pitch]
		for p := range s.StrideW {
			at := to[p*d.phase : (p+1)*d.phase]
			for i, c := 0, p; c < s.W; i, c = i+1, c+s.StrideW {
				at[i] = row[c]
			}
		}
	}
}

// inner computes the columns that have all taps.
func (d *depthwise) inner(dst, src, w []float32, run rowRun) {
	s := d.s
	if d.from == d.to || run.k0 == run.k1 {
		if run.k0 == run.k1 {
			clear(dst[run.r0*s.OutW() : run.r1*s.OutW()])
		}
		return
	}
	for r := run.r0; r < run.r1; r++ {
		at := (r*s.StrideH-s.PadTop+run.k0*s.DilH)*d.pitch + d.from + d.column(-s.PadLeft)
		convRow(&dst[r*s.OutW()+d.from], &src[at], &d.offs[0], &w[run.k0*s.KW], (run.k1-run.k0)*s.KW, d.to-d.from)
	}
}

// border computes columns q0, …, q1 − 1, eight rows at once.
func (d *depthwise) border(dst, src, w []float32, run rowRun, q0, q1 int, rest []float32) {
	s := d.s
	all := s.KH * s.KW
	b, weights, out := rest[:all*rowBlock], rest[all*rowBlock:all*(rowBlock+1)], rest[all*(rowBlock+1):]
	ow, step := s.OutW(), s.StrideH*d.pitch
	for q := q0; q < q1; q++ {
		k0, k1 := taps(q*s.StrideW-s.PadLeft, s.KW, s.DilW, s.W)
		n := 0
		for kh := run.k0; kh < run.k1; kh++ {
			n += copy(weights[n:], w[kh*s.KW+k0:kh*s.KW+k1])
		}
		if n == 0 {
			for r := run.r0; r < run.r1; r++ {
				dst[r*ow+q] = 0
			}
			continue
		}
		for r := run.r0; r < run.r1; r += rowBlock {
			count, k := min(rowBlock, run.r1-r), 0
			for kh := run.k0; kh < run.k1; kh++ {
				row := (r*s.StrideH - s.PadTop + kh*s.DilH) * d.pitch
				for kw := k0; kw < k1; kw++ {
					at, to := row+q+d.column(kw*s.DilW-s.PadLeft), b[k*rowBlock:k*rowBlock+rowBlock]
					for i := range count { // what is left of the block is computed and not read
						to[i] = src[at]
						at += step
					}
					k++
				}
			}
			convRow(&out[0], &b[0], &d.panel[0], &weights[0], n, rowBlock)
			for i, v := range out[:count] {
				dst[(r+i)*ow+q] = v
			}
		}
	}
}
