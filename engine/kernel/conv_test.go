package kernel

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// drawConv draws a small convolution that passes Check.
func drawConv(t *rapid.T) ConvShape {
	small := func(name string, lo, hi int) int { return rapid.IntRange(lo, hi).Draw(t, name) }
	g := rapid.SampledFrom([]int{1, 1, 2, 3}).Draw(t, "groups")
	s := ConvShape{
		N: small("n", 1, 3), C: g * small("c", 1, 5), H: small("h", 1, 12), W: small("w", 1, 40),
		OC: g * small("oc", 1, 17), KH: small("kh", 1, 4), KW: small("kw", 1, 4),
		StrideH: small("sh", 1, 3), StrideW: small("sw", 1, 3), DilH: small("dh", 1, 2), DilW: small("dw", 1, 3),
		PadTop: small("pt", 0, 3), PadLeft: small("pl", 0, 3), PadBottom: small("pb", 0, 3), PadRight: small("pr", 0, 3),
		Groups: g,
	}
	if s.Check() != nil {
		t.Skip("kernel larger than input")
	}
	return s
}

func TestConvMatchesReference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawConv(t)
		seed := rapid.Uint64().Draw(t, "seed")
		rare := rapid.SampledFrom([]int{0, 5, 1000}).Draw(t, "rare")
		threads := rapid.IntRange(1, 3).Draw(t, "threads")
		x, w, dy := fill(s.XLen(), seed, rare), fill(s.WLen(), seed+1, rare), fill(s.YLen(), seed+2, rare)
		run := func(threads int) (y, dx, dw []float32) {
			y, dx, dw = fill(s.YLen(), 1, 2), fill(s.XLen(), 1, 2), fill(s.WLen(), 1, 2)
			Conv2D(y, x, w, s, threads)
			Conv2DGradX(dx, dy, w, s, threads)
			Conv2DGradW(dw, dy, x, s, threads)
			return y, dx, dw
		}
		var y, dx, dw []float32
		withReference(func() { y, dx, dw = run(1) })
		eachKernel(func(name string) {
			y2, dx2, dw2 := run(threads)
			requireSameBits(t, y, y2, name+" y")
			requireSameBits(t, dx, dx2, name+" dx")
			requireSameBits(t, dw, dw2, name+" dw")
		})
	})
}

// TestConvDepthwise: one channel a group, whose rows and borders have ways of their own.
func TestConvDepthwise(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		small := func(name string, lo, hi int) int { return rapid.IntRange(lo, hi).Draw(t, name) }
		c := small("c", 1, 6)
		s := ConvShape{
			N: small("n", 1, 2), C: c, H: small("h", 1, 22), W: small("w", 1, 40), OC: c * small("per", 1, 2), KH: small("kh", 1, 5), KW: small("kw", 1, 5),
			StrideH: small("sh", 1, 3), StrideW: small("sw", 1, 3), DilH: small("dh", 1, 2), DilW: small("dw", 1, 2),
			PadTop: small("pt", 0, 6), PadLeft: small("pl", 0, 6), PadBottom: small("pb", 0, 6), PadRight: small("pr", 0, 6), Groups: c,
		}
		if s.Check() != nil {
			t.Skip("kernel larger than input")
		}
		seed, rare := rapid.Uint64().Draw(t, "seed"), rapid.SampledFrom([]int{0, 5, 1000}).Draw(t, "rare")
		threads := small("threads", 1, 3)
		x, w := fill(s.XLen(), seed, rare), fill(s.WLen(), seed+1, rare)
		want := fill(s.YLen(), 1, 2)
		withReference(func() { Conv2D(want, x, w, s, 1) })
		eachKernel(func(name string) {
			got := fill(s.YLen(), 2, 2)
			Conv2D(got, x, w, s, threads)
			requireSameBits(t, want, got, name)
		})
	})
}

// TestConvDeep has chains longer than one block of k.
func TestConvDeep(t *testing.T) {
	s := ConvShape{
		N: 3, C: 40, H: 13, W: 13, OC: 33, KH: 3, KW: 3, StrideH: 1, StrideW: 1, DilH: 1, DilW: 1,
		PadTop: 1, PadLeft: 1, PadBottom: 1, PadRight: 1, Groups: 1,
	}
	x, w, dy := fill(s.XLen(), 1, 0), fill(s.WLen(), 2, 0), fill(s.YLen(), 3, 0)
	y, dx, dw := make([]float32, s.YLen()), make([]float32, s.XLen()), make([]float32, s.WLen())
	withReference(func() {
		Conv2D(y, x, w, s, 2)
		Conv2DGradX(dx, dy, w, s, 2)
		Conv2DGradW(dw, dy, x, s, 2)
	})
	eachKernel(func(name string) {
		y2, dx2, dw2 := make([]float32, s.YLen()), make([]float32, s.XLen()), make([]float32, s.WLen())
		Conv2D(y2, x, w, s, 2)
		Conv2DGradX(dx2, dy, w, s, 2)
		Conv2DGradW(dw2, dy, x, s, 2)
		requireSameBits(t, y, y2, name+" y")
		requireSameBits(t, dx, dx2, name+" dx")
		requireSameBits(t, dw, dw2, name+" dw")
	})
}

// TestConvPaddingIsNotMultiplied: an infinite weight on a padded position must not
// turn the output into NaN.
func TestConvPaddingIsNotMultiplied(t *testing.T) {
	inf := specials[10]
	s := ConvShape{N: 1, C: 1, H: 1, W: 1, OC: 1, KH: 3, KW: 3, StrideH: 1, StrideW: 1, DilH: 1, DilW: 1, PadTop: 1, PadLeft: 1, PadBottom: 1, PadRight: 1, Groups: 1}
	eachKernel(func(name string) {
		y := make([]float32, 1)
		Conv2D(y, []float32{3}, []float32{inf, inf, inf, inf, 2, inf, inf, inf, inf}, s, 1)
		require.Equal(t, float32(6), y[0], name)
	})
}

func TestConvCheckNamesTheField(t *testing.T) {
	s := ConvShape{N: 1, C: 3, H: 4, W: 4, OC: 4, KH: 3, KW: 3, StrideH: 1, StrideW: 1, DilH: 1, DilW: 1, Groups: 2}
	require.ErrorIs(t, s.Check(), ErrConvShape)
	require.ErrorContains(t, s.Check(), "Groups = 2")
	s.Groups, s.StrideW = 1, 0
	require.ErrorContains(t, s.Check(), "StrideW = 0")
	s.StrideW, s.DilH = 1, 2
	require.ErrorContains(t, s.Check(), "larger than the padded input")
}

func BenchmarkConv(b *testing.B) {
	base := ConvShape{N: 8, C: 64, H: 28, W: 28, OC: 64, KH: 3, KW: 3, StrideH: 1, StrideW: 1, DilH: 1, DilW: 1, PadTop: 1, PadLeft: 1, PadBottom: 1, PadRight: 1, Groups: 1}
	first := base
	first.C, first.H, first.W, first.OC = 3, 64, 64, 32
	depth := base
	depth.Groups = 64
	digits, digits2 := base, base
	digits.N, digits.C, digits.OC = 64, 1, 16
	digits2.N, digits2.C, digits2.H, digits2.W, digits2.OC = 64, 16, 14, 14, 32
	for _, c := range []struct {
		name string
		s    ConvShape
	}{{"64x28x28", base}, {"3x64x64", first}, {"depthwise", depth}, {"1x28x28", digits}, {"16x14x14", digits2}} {
		s := c.s
		x, w, y := fill(s.XLen(), 1, 0), fill(s.WLen(), 2, 0), fill(s.YLen(), 3, 0)
		macs := float64(s.YLen()) * float64(s.C/s.Groups*s.KH*s.KW)
		for _, name := range Available()[1:] {
			run := func(what string, f func()) {
				b.Run(fmt.Sprintf("%s/%s/%s", c.name, name, what), func(b *testing.B) {
					require.NoError(b, Use(name))
					for b.Loop() {
						f()
					}
					b.ReportMetric(2*macs*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
				})
			}
			run("y", func() { Conv2D(y, x, w, s, 1) })
			run("dx", func() { Conv2DGradX(x, y, w, s, 1) })
			run("dw", func() { Conv2DGradW(w, y, x, s, 1) })
		}
	}
	_ = Use("auto")
}
