package kernel

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"poaid/engine/num"
)

func TestCompareAndChooseMatchDefinition(t *testing.T) {
	holds := map[Predicate]func(a, b int32) bool{
		Equal:         func(a, b int32) bool { return a == b },
		Before:        func(a, b int32) bool { return a < b },
		BeforeOrEqual: func(a, b int32) bool { return a <= b },
	}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 100).Draw(t, "n")
		seed, rare := rapid.Uint64().Draw(t, "seed"), rapid.SampledFrom([]int{1, 2, 5}).Draw(t, "rare")
		as, bs := rapid.IntRange(0, 1).Draw(t, "aStep"), rapid.IntRange(0, 1).Draw(t, "bStep")
		a, b := fill(n*as+1, seed, rare), fill(n*bs+1, seed+1, rare)
		for i := range b {
			if i%3 == 0 && i < len(a) {
				b[i] = a[i]
			}
		}
		cond := make([]uint8, n)
		for i := range cond {
			cond[i] = uint8(seed>>(i%57)) & 0x81
		}
		eachKernel(func(name string) {
			for pred, want := range holds {
				got := make([]uint8, n+1)
				got[n] = 7
				Compare(pred, got[:n], a, b, as, bs)
				for i := range n {
					require.Equal(t, want(num.Key(a[i*as]), num.Key(b[i*bs])), got[i] == 1, "%s: predicate %d, element %d", name, pred, i)
					require.LessOrEqual(t, got[i], uint8(1))
				}
				require.Equal(t, uint8(7), got[n], name)
			}
			want, got := make([]float32, n), make([]float32, n)
			for i := range want {
				want[i] = b[i*bs]
				if cond[i] != 0 {
					want[i] = a[i*as]
				}
			}
			Choose(got, cond, a, b, as, bs)
			requireSameBits(t, want, got, name+" choose")
		})
	})
}

func TestMaxPool2MatchesDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 40).Draw(t, "n")
		seed, rare := rapid.Uint64().Draw(t, "seed"), rapid.SampledFrom([]int{1, 2, 5}).Draw(t, "rare")
		top, bottom, dy := fill(2*n, seed, rare), fill(2*n, seed+1, rare), fill(n, seed+2, rare)
		for i := range top { // ties
			if seed>>(i%61)&1 == 1 {
				bottom[i] = top[i]
			}
			if i%2 == 1 && seed>>(i%59)&1 == 1 {
				top[i] = top[i-1]
			}
		}
		want, wantTop, wantBottom := make([]float32, n), make([]float32, 2*n), make([]float32, 2*n)
		for i := range want {
			best, to := top[2*i], &wantTop[2*i]
			for _, c := range []struct {
				v  float32
				to *float32
			}{{top[2*i+1], &wantTop[2*i+1]}, {bottom[2*i], &wantBottom[2*i]}, {bottom[2*i+1], &wantBottom[2*i+1]}} {
				if num.Less(best, c.v) {
					best, to = c.v, c.to
				}
			}
			want[i], *to = num.CanonNaN(best), num.Add(0, dy[i])
		}
		eachKernel(func(name string) {
			got, gotTop, gotBottom := fill(n, 1, 2), fill(2*n, 2, 2), fill(2*n, 3, 2)
			if MaxPool2(got, top, bottom) {
				requireSameBits(t, want, got, name)
			}
			if MaxPool2Grad(gotTop, gotBottom, top, bottom, dy) {
				requireSameBits(t, wantTop, gotTop, name+" top")
				requireSameBits(t, wantBottom, gotBottom, name+" bottom")
			}
		})
	})
}

// TestFramedSigns: zeros and NaN that the frame of an image could turn into something else.
func TestFramedSigns(t *testing.T) {
	tiny, inf := float32(-1e-30), float32(math.Inf(1))
	s := ConvShape{N: 2, C: 1, H: 4, W: 5, OC: 3, KH: 3, KW: 3, StrideH: 1, StrideW: 1, DilH: 1, DilW: 1, PadTop: 1, PadLeft: 1, PadBottom: 1, PadRight: 1, Groups: 1}
	for _, c := range []struct {
		name      string
		x, dy, w  float32
		at, image int // where dy has another value
		other     float32
	}{
		{"underflow to -0", 1e-30, tiny, tiny, -1, 0, 0},
		{"underflow beside a zero", 1e-30, 0, tiny, 7, 1, tiny},
		{"infinite", 1, inf, inf, 0, 0, 1},
		{"infinite at a border", 1, 1, 1, 0, 0, inf},
		{"NaN at a border", 1, 1, 1, 19, 1, float32(math.NaN())},
		{"all zero", 0, 1, 1, 3, 0, -1},
	} {
		x, w, dy := make([]float32, s.XLen()), make([]float32, s.WLen()), make([]float32, s.YLen())
		for i := range x {
			x[i] = c.x
		}
		for i := range w {
			w[i] = c.w
		}
		for i := range dy {
			dy[i] = c.dy
		}
		if c.at >= 0 {
			dy[c.image*s.OC*20+c.at] = c.other
		}
		y, dx, dw := make([]float32, s.YLen()), make([]float32, s.XLen()), make([]float32, s.WLen())
		withReference(func() {
			Conv2D(y, x, w, s, 1)
			Conv2DGradX(dx, dy, w, s, 1)
			Conv2DGradW(dw, dy, x, s, 1)
		})
		eachKernel(func(name string) {
			y2, dx2, dw2 := fill(s.YLen(), 1, 2), fill(s.XLen(), 1, 2), fill(s.WLen(), 1, 2)
			Conv2D(y2, x, w, s, 1)
			Conv2DGradX(dx2, dy, w, s, 1)
			Conv2DGradW(dw2, dy, x, s, 1)
			requireSameBits(t, y, y2, c.name+" y "+name)
			requireSameBits(t, dx, dx2, c.name+" dx "+name)
			requireSameBits(t, dw, dw2, c.name+" dw "+name)
		})
	}
}
