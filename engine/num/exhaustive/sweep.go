package main

import (
	"fmt"
	"math"
	"sync"

	"poaid/engine/kernel"
	"poaid/engine/num"
)

// block is how many inputs are computed before the kernels are compared on them.
const block = 1 << 20

// sweep is one way to run over the inputs.
type sweep struct {
	stride   int64
	threads  int
	accuracy bool
	kernels  []string // names for kernel.Use
}

// result is what a run over a function found.
type result struct {
	inputs      int64
	ulp, abs    float64
	ulpAt       uint32
	falls       int64
	worstFall   int64
	nans        int64             // wrong NaN in or out
	signs       int64             // an odd function was not
	differ      map[string]int64  // by kernel: elements with other bits
	firstDiffer map[string]uint32 // by kernel: an input of one
}

// input is the i-th float32 pattern in the order of num.Key: NaNs with the sign set,
// −Inf … −0, +0 … +Inf, the other NaNs.
func input(i int64) float32 {
	k := int32(i + math.MinInt32) // #nosec G115 -- i is below 2^32
	return math.Float32frombits(uint32(k) ^ uint32(k>>31)>>1)
}

// run sweeps f; progress is told the share that is done.
func (s sweep) run(f function, progress func(done float64)) *result {
	r := &result{differ: map[string]int64{}, firstDiffer: map[string]uint32{}}
	total := (1<<32 + s.stride - 1) / s.stride
	x, want, got := make([]float32, block), make([]float32, block), make([]float32, block)
	var mu sync.Mutex
	for from := int64(0); from < total; from += block {
		n := int(min(block, total-from))
		kernel.Parallel(s.threads, n, func(lo, hi int) {
			part := &result{}
			for i := lo; i < hi; i++ {
				x[i] = input((from + int64(i)) * s.stride)
				want[i] = f.scalar(x[i])
			}
			s.specials(f, part, x[lo:hi], want[lo:hi])
			if s.accuracy {
				part.errors(f, x[lo:hi], want[lo:hi])
				if lo+int(from) > 0 {
					part.fall(f, x[lo], f.scalar(input((from+int64(lo)-1)*s.stride)), want[lo])
				}
			}
			mu.Lock()
			defer mu.Unlock()
			r.add(part)
		})
		if f.vector != nil {
			for _, name := range s.kernels {
				s.compare(f, r, name, x[:n], want[:n], got[:n])
			}
		}
		r.inputs += int64(n)
		progress(float64(from+int64(n)) / float64(total))
	}
	return r
}

func (r *result) add(p *result) {
	if p.ulp > r.ulp {
		r.ulp, r.ulpAt = p.ulp, p.ulpAt
	}
	r.abs = max(r.abs, p.abs)
	r.falls += p.falls
	r.worstFall = max(r.worstFall, p.worstFall)
	r.nans += p.nans
	r.signs += p.signs
}

// specials checks NaNs and signs.
func (s sweep) specials(f function, r *result, x, y []float32) {
	for i, v := range y {
		b := math.Float32bits(v)
		if (x[i] != x[i] || v != v) && b != math.Float32bits(num.NaN()) {
			r.nans++
		}
		if f.odd && v == v && math.Float32bits(x[i])>>31 == 0 && b^math.Float32bits(f.scalar(num.Neg(x[i]))) != 1<<31 {
			r.signs++
		}
	}
}

// errors measures the error of y = f(x) and where f falls.
func (r *result) errors(f function, x, y []float32) {
	for i, v := range y {
		if v != v {
			continue
		}
		exact := f.exact(float64(x[i]))
		if d := math.Abs(float64(v) - exact); d > r.abs && !math.IsInf(d, 0) {
			r.abs = d
		}
		if w := float64(x[i]); w >= f.lo && w <= f.hi {
			if e := ulps(v, exact); e > r.ulp || e != e {
				r.ulp, r.ulpAt = e, math.Float32bits(x[i])
			}
		}
		if i > 0 {
			r.fall(f, x[i], y[i-1], v)
		}
	}
}

// fall counts a step down of a function that should rise.
func (r *result) fall(f function, x, before, y float32) {
	if !f.rises || before != before || y != y || x != x || before <= y {
		return
	}
	r.falls++
	r.worstFall = max(r.worstFall, int64(num.Key(before))-int64(num.Key(y)))
}

// ulps returns |got − exact| in units in the last place of exact.
func ulps(got float32, exact float64) float64 {
	if float64(got) == exact || math.IsInf(float64(got), 0) && got == float32(exact) {
		return 0
	}
	e := min(max(int(math.Float64bits(exact)<<1>>53)-1023, -126), 127)
	scale := math.Float64frombits(uint64(1023-(e-23)) << 52) // #nosec G115 -- e is in −126 … 127
	g := float64(got)
	if math.IsInf(g, 0) {
		g = math.Copysign(0x1p128, g)
	}
	return math.Abs(g-exact) * scale //detlint:allow float64 reference
}

// compare counts where a kernel's bits are not the definition's.
func (s sweep) compare(f function, r *result, name string, x, want, got []float32) {
	if err := kernel.Use(name); err != nil {
		panic(err) // the name came from kernel.Available
	}
	kernel.Parallel(s.threads, len(x), func(lo, hi int) { f.vector(got[lo:hi], x[lo:hi]) })
	for i, v := range got {
		if math.Float32bits(v) != math.Float32bits(want[i]) {
			if r.differ[name]++; r.differ[name] == 1 {
				r.firstDiffer[name] = math.Float32bits(x[i])
			}
		}
	}
}

// row formats the measured columns of the table.
func (s sweep) row(f function, r *result) string {
	errs, at, abs, falls, equal := "–", "–", "–", "–", "–"
	if s.accuracy {
		errs = fmt.Sprintf("%.4f ulp", r.ulp)
		at = fmt.Sprintf("%08x (%g)", r.ulpAt, math.Float32frombits(r.ulpAt))
		abs = fmt.Sprintf("%.3g", r.abs)
		if f.rises {
			falls = fmt.Sprintf("%d (%d ulp)", r.falls, r.worstFall)
		}
	}
	if f.vector != nil {
		equal = ""
		for _, name := range s.kernels {
			word := name
			if n := r.differ[name]; n > 0 {
				word = fmt.Sprintf("%s: %d DIFFER", name, n)
			}
			if equal != "" {
				equal += ", "
			}
			equal += word
		}
	}
	return errs + " | " + at + " | " + abs + " | " + falls + " | " + equal
}

// faults lists what is wrong in plain words.
func (r *result) faults(f function) []string {
	var out []string
	if !(r.ulp <= f.limit) {
		out = append(out, fmt.Sprintf("error %.4f ulp, limit %g", r.ulp, f.limit))
	}
	if r.nans > 0 {
		out = append(out, fmt.Sprintf("%d inputs with a NaN that is not the canonical one", r.nans))
	}
	if r.signs > 0 {
		out = append(out, fmt.Sprintf("%d inputs where f(−x) is not −f(x)", r.signs))
	}
	for name, n := range r.differ {
		out = append(out, fmt.Sprintf("kernel %s differs at %d inputs, first %08x", name, n, r.firstDiffer[name]))
	}
	return out
}
