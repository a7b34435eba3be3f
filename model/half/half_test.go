package half

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestFloat16 compares all 2^16 with the definition: (−1)^s·2^(e−15)·(1 + f/1024), subnormals, infinities and NaN.
func TestFloat16(t *testing.T) {
	for i := range 1 << 16 {
		h := uint16(i)
		e, f := int(h>>10&31), float64(h&1023)
		want := math.Ldexp(1+f/1024, e-15)
		switch e {
		case 0:
			want = math.Ldexp(f, -24)
		case 31:
			want = math.Inf(1)
			if f != 0 {
				require.True(t, math.IsNaN(float64(FromFloat16(h))), "%04x", h)
				continue
			}
		}
		if h>>15 == 1 {
			want = math.Copysign(want, -1)
		}
		require.Equal(t, math.Float32bits(float32(want)), math.Float32bits(FromFloat16(h)), "%04x", h)
	}
}

func TestBFloat16(t *testing.T) {
	require.Equal(t, float32(1), FromBFloat16(0x3f80))
	require.Equal(t, float32(-2.5), FromBFloat16(0xc020))
	require.Equal(t, float32(math.Inf(-1)), FromBFloat16(0xff80))
	require.Equal(t, uint32(0x00010000), math.Float32bits(FromBFloat16(1)))
}
