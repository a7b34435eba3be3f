package engine

import (
	"fmt"
	"math/bits"
	"slices"
)

// Dim is one dimension that may depend on the step: min(A + B·t, C), where C = 0 means no upper limit.
// A valid Dim is canonical: A ≥ 1, B ≥ 0; C = 0, or B > 0 and C > A. So it never shrinks over a run, and two Dims
// are the same function of t exactly when they are equal as structs.
type Dim struct{ A, B, C int64 }

// Shape is a list of dimensions.
type Shape []Dim

// Const returns the Dim that is n at every step.
func Const(n int64) Dim { return Dim{A: n} }

// ConstShape returns the Shape that is shape at every step.
func ConstShape(shape ...int64) Shape {
	s := make(Shape, len(shape))
	for i, n := range shape {
		s[i] = Const(n)
	}
	return s
}

// Static reports whether d is the same at every step.
func (d Dim) Static() bool { return d.B == 0 }

// At returns the dimension at step t. d must be valid for a run that reaches t.
func (d Dim) At(t uint64) int64 {
	if d.B == 0 {
		return d.A
	}
	hi, lo := bits.Mul64(uint64(d.B), t)
	sum, carry := bits.Add64(lo, uint64(d.A), 0)
	if d.C > 0 && (hi != 0 || carry != 0 || sum > uint64(d.C)) {
		return d.C
	}
	return int64(sum)
}

// check refuses a Dim that is not canonical or that exceeds limit at step maxT.
func (d Dim) check(maxT uint64, limit int64) error {
	switch {
	case d.A < 1 || d.B < 0 || d.C < 0:
		return fmt.Errorf("min(%d + %d·t, %d): want a ≥ 1, b ≥ 0, c ≥ 0", d.A, d.B, d.C)
	case d.C > 0 && (d.B == 0 || d.C <= d.A):
		return fmt.Errorf("min(%d + %d·t, %d) is not canonical: c needs b > 0 and c > a", d.A, d.B, d.C)
	case d.A > limit || d.C > limit:
		return fmt.Errorf("min(%d + %d·t, %d) exceeds the limit of %d", d.A, d.B, d.C, limit)
	}
	if d.B > 0 && d.C == 0 {
		hi, lo := bits.Mul64(uint64(d.B), maxT)
		if hi != 0 || lo > uint64(limit-d.A) {
			return fmt.Errorf("%d + %d·t exceeds the limit of %d at step %d", d.A, d.B, limit, maxT)
		}
	}
	return nil
}

// plus returns the Dim that is n more than d at every step.
func (d Dim) plus(n int64) Dim {
	d.A += n
	if d.C > 0 {
		d.C += n
	}
	return d
}

// atMost reports whether d(t) + n ≤ e(t) for every t in 0..maxT. Both are piecewise linear in t with at most one
// break each, so the extremes of the difference lie at the ends or next to a break.
func (d Dim) atMost(n int64, e Dim, maxT uint64) bool {
	ts := []uint64{0, maxT}
	for _, x := range []Dim{d, e} {
		if x.C > 0 {
			brk := uint64((x.C - x.A) / x.B)
			ts = append(ts, brk, brk+1)
		}
	}
	for _, t := range ts {
		if t <= maxT && d.At(t)+n > e.At(t) {
			return false
		}
	}
	return true
}

// Static reports whether no dimension depends on the step.
func (s Shape) Static() bool {
	for _, d := range s {
		if !d.Static() {
			return false
		}
	}
	return true
}

// At returns the shape at step t.
func (s Shape) At(t uint64) []int64 {
	out := make([]int64, len(s))
	for i, d := range s {
		out[i] = d.At(t)
	}
	return out
}

// Equal reports whether both are the same at every step.
func (s Shape) Equal(o Shape) bool { return slices.Equal(s, o) }

func (s Shape) clone() Shape { return slices.Clone(s) }

// String gives the dimensions, such as [4 min(1+1t,512) 64].
func (s Shape) String() string {
	out := "["
	for i, d := range s {
		if i > 0 {
			out += " "
		}
		switch {
		case d.B == 0:
			out += fmt.Sprint(d.A)
		case d.C == 0:
			out += fmt.Sprintf("%d+%dt", d.A, d.B)
		default:
			out += fmt.Sprintf("min(%d+%dt,%d)", d.A, d.B, d.C)
		}
	}
	return out + "]"
}

// sameProduct reports whether two shapes have the same number of elements at every step: equal products of the static
// dimensions and the same multiset of the others.
func sameProduct(a, b Shape) bool {
	pa, da := splitProduct(a)
	pb, db := splitProduct(b)
	return pa == pb && pa >= 0 && slices.Equal(da, db)
}

func splitProduct(s Shape) (static int64, dynamic []Dim) {
	p := uint64(1)
	for _, d := range s {
		if !d.Static() {
			dynamic = append(dynamic, d)
			continue
		}
		hi, lo := bits.Mul64(p, uint64(d.A))
		if hi != 0 || lo > 1<<56 {
			return -1, nil
		}
		p = lo
	}
	slices.SortFunc(dynamic, func(x, y Dim) int {
		if x.A != y.A {
			return cmpInt(x.A, y.A)
		}
		if x.B != y.B {
			return cmpInt(x.B, y.B)
		}
		return cmpInt(x.C, y.C)
	})
	return int64(p), dynamic
}

func cmpInt[E int32 | int64](a, b E) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
