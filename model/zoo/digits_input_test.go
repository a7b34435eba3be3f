package zoo

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/model/zoo/data"
)

func encode(t *testing.T, img image.Image) *bytes.Reader {
	t.Helper()
	var buf bytes.Buffer
	require.NoError(t, png.Encode(&buf, img))
	return bytes.NewReader(buf.Bytes())
}

// framed tells whether a digit's ink reaches the first and the last row, as nearly all of the data set's do.
func framed(d data.Digit) bool {
	first, last := uint8(0), uint8(0)
	for x := range grid {
		first, last = max(first, d.Pixels[x]), max(last, d.Pixels[(grid-1)*grid+x])
	}
	return first > 6 && last > 6
}

func TestDigitPNGReadsBack(t *testing.T) {
	all, err := data.Digits()
	require.NoError(t, err)
	n := 0
	for _, d := range all[:200] {
		full := uint8(0)
		for _, p := range d.Pixels {
			full = max(full, p)
		}
		if !framed(d) || full != inkLevels {
			continue
		}
		n++
		for _, scale := range []int{1, 3, 16} {
			raw, err := DigitPNG(d.Pixels[:], scale)
			require.NoError(t, err)
			got, err := DigitsInput(bytes.NewReader(raw))
			require.NoError(t, err)
			require.Equal(t, d.Pixels[:], got.U8(), "scale %d", scale)
		}
	}
	require.Greater(t, n, 100)
}

// stroke draws an upright bar of ink on paper, off centre, with a margin.
func stroke(paper, ink color.Color) image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, 100, 120))
	for y := range 120 {
		for x := range 100 {
			c := paper
			if x >= 60 && x < 70 && y >= 20 && y < 100 {
				c = ink
			}
			img.Set(x, y, c)
		}
	}
	return img
}

func TestInversionAndFraming(t *testing.T) {
	want := make([]uint8, 64)
	for y := range grid {
		want[y*grid+3], want[y*grid+4] = inkLevels/2, inkLevels/2 // ten pixels wide, centred over two cells of ten
	}
	for name, img := range map[string]image.Image{
		"pen on paper":   stroke(color.White, color.Black),
		"chalk on board": stroke(color.Black, color.White),
		"faint":          stroke(color.Gray{200}, color.Gray{150}),
		"colours":        stroke(color.NRGBA{255, 240, 200, 255}, color.NRGBA{40, 0, 120, 255}),
		"transparent":    stroke(color.Transparent, color.Black),
	} {
		got, err := DigitsInput(encode(t, img))
		require.NoError(t, err, name)
		require.Equal(t, want, got.U8(), name)
	}
}

func TestDigitsInputRefuses(t *testing.T) {
	for name, r := range map[string]*bytes.Reader{
		"empty":   bytes.NewReader(nil),
		"not png": bytes.NewReader([]byte("GIF89a")),
		"blank":   encode(t, image.NewGray(image.Rect(0, 0, 20, 20))),
		"small":   encode(t, image.NewGray(image.Rect(0, 0, 7, 20))),
		"wide":    encode(t, image.NewGray(image.Rect(0, 0, 4097, 8))),
	} {
		_, err := DigitsInput(r)
		require.ErrorIs(t, err, ErrPicture, name)
	}
	_, err := DigitPNG(make([]uint8, 63), 1)
	require.ErrorContains(t, err, "want 64")
	_, err = DigitPNG(make([]uint8, 64), 0)
	require.ErrorContains(t, err, "scale: 0")
}
