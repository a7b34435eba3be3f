package zoo

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"

	"poaid/engine"
)

// Limits of a picture of a digit.
const (
	maxPictureBytes = 8 << 20
	maxPictureSide  = 4096
	minPictureSide  = 8
)

// ErrPicture is wrapped by every error about a picture of a digit.
var ErrPicture = errors.New("invalid picture")

// grid is the side of the model's image.
const grid = 8

// inkLevels is the number of ink levels above paper that a pixel of the data set has.
const inkLevels = 16

// DigitsInput reads a PNG and gives the input "pixels" of the digits model: u8 [1,8,8], 0 (paper) to 16 (ink).
//
// Transparent pixels count as white. The paper is whatever the picture's border mostly is: a border that is mostly dark
// means light ink on dark paper, so that chalk on a board and a pen on paper read alike. Ink is stretched to the picture's
// own range of brightness. A picture that is square and whose ink already reaches the top and bottom eighth is taken as framed;
// otherwise the ink's bounding box is cut out, centred and scaled so that its longer side fills the grid, as the data set was made. Each
// grid cell is the mean ink over its area.
func DigitsInput(r io.Reader) (*engine.Tensor, error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxPictureBytes+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPicture, err)
	}
	if len(raw) > maxPictureBytes {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrPicture, maxPictureBytes)
	}
	cfg, err := png.DecodeConfig(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPicture, err)
	}
	if min(cfg.Width, cfg.Height) < minPictureSide || max(cfg.Width, cfg.Height) > maxPictureSide {
		return nil, fmt.Errorf("%w: %d×%d pixels, want sides of %d to %d", ErrPicture, cfg.Width, cfg.Height, minPictureSide, maxPictureSide)
	}
	img, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPicture, err)
	}
	p, err := inkOf(img)
	if err != nil {
		return nil, err
	}
	return engine.FromU8(p.toGrid(p.frame()), 1, grid, grid)
}

// picture is ink from 0 to 1, row by row.
type picture struct {
	w, h int
	ink  []float64
}

// box is a rectangle in pixels, which may reach outside the picture.
type box struct{ x0, y0, x1, y1 float64 }

// inkOf turns an image into ink: brightness over white, inverted if need be, stretched to 0…1.
func inkOf(img image.Image) (*picture, error) {
	b := img.Bounds()
	p := &picture{w: b.Dx(), h: b.Dy(), ink: make([]float64, b.Dx()*b.Dy())}
	lo, hi := math.Inf(1), math.Inf(-1)
	for y := range p.h {
		for x := range p.w {
			r, g, bl, a := img.At(b.Min.X+x, b.Min.Y+y).RGBA() // premultiplied, 0…65535
			v := (float64(0.299*float64(r))+float64(0.587*float64(g))+float64(0.114*float64(bl)))/65535 + 1 - float64(a)/65535
			p.ink[y*p.w+x] = v
			lo, hi = math.Min(lo, v), math.Max(hi, v)
		}
	}
	if hi-lo < 1.0/32 {
		return nil, fmt.Errorf("%w: one even shade, nothing is drawn on it", ErrPicture)
	}
	for i, v := range p.ink {
		p.ink[i] = (hi - v) / (hi - lo) // dark ink on light paper
	}
	if p.borderMean() > 0.5 {
		for i, v := range p.ink {
			p.ink[i] = 1 - v
		}
	}
	return p, nil
}

// borderMean gives the mean ink along the picture's edge.
func (p *picture) borderMean() float64 {
	sum := 0.0
	for x := range p.w {
		sum += p.ink[x] + p.ink[(p.h-1)*p.w+x]
	}
	for y := range p.h {
		sum += p.ink[y*p.w] + p.ink[y*p.w+p.w-1]
	}
	return sum / float64(2*(p.w+p.h))
}

// frame gives the square that becomes the grid.
func (p *picture) frame() box {
	x0, y0, x1, y1 := p.w, p.h, 0, 0
	for y := range p.h {
		for x := range p.w {
			if p.ink[y*p.w+x] > 0.25 {
				x0, y0, x1, y1 = min(x0, x), min(y0, y), max(x1, x+1), max(y1, y+1)
			}
		}
	}
	if p.w == p.h && y0*grid < p.h && (p.h-y1)*grid < p.h {
		return box{0, 0, float64(p.w), float64(p.h)}
	}
	side := float64(max(x1-x0, y1-y0))
	cx, cy := float64(x0+x1)/2, float64(y0+y1)/2
	return box{cx - side/2, cy - side/2, cx + side/2, cy + side/2}
}

// toGrid gives the mean ink of each cell of b, in levels; outside the picture is paper.
func (p *picture) toGrid(b box) []uint8 {
	out := make([]uint8, 0, grid*grid)
	cw, ch := (b.x1-b.x0)/grid, (b.y1-b.y0)/grid
	for gy := range grid {
		for gx := range grid {
			cell := box{
				b.x0 + float64(float64(gx)*cw), b.y0 + float64(float64(gy)*ch),
				b.x0 + float64(float64(gx+1)*cw), b.y0 + float64(float64(gy+1)*ch),
			}
			out = append(out, uint8(math.Round(inkLevels*p.mean(cell)/(cw*ch))))
		}
	}
	return out
}

// mean gives the ink in a cell times its area.
func (p *picture) mean(c box) float64 {
	sum := 0.0
	for y := max(0, int(math.Floor(c.y0))); y < min(p.h, int(math.Ceil(c.y1))); y++ {
		height := math.Min(c.y1, float64(y+1)) - math.Max(c.y0, float64(y))
		for x := max(0, int(math.Floor(c.x0))); x < min(p.w, int(math.Ceil(c.x1))); x++ {
			width := math.Min(c.x1, float64(x+1)) - math.Max(c.x0, float64(x))
			sum += float64(p.ink[y*p.w+x] * width * height)
		}
	}
	return sum
}

// DigitPNG draws the pixels of a digit, dark on white, each `scale` pixels wide. DigitsInput reads it back.
func DigitPNG(pixels []uint8, scale int) ([]byte, error) {
	if len(pixels) != grid*grid {
		return nil, fmt.Errorf("pixels: %d, want %d", len(pixels), grid*grid)
	}
	if scale < 1 || scale > maxPictureSide/grid {
		return nil, fmt.Errorf("scale: %d, want 1 to %d", scale, maxPictureSide/grid)
	}
	img := image.NewGray(image.Rect(0, 0, grid*scale, grid*scale))
	for y := range grid * scale {
		for x := range grid * scale {
			ink := min(int(pixels[y/scale*grid+x/scale]), inkLevels)
			img.SetGray(x, y, color.Gray{Y: uint8(255 - (255*ink+inkLevels/2)/inkLevels)})
		}
	}
	var buf bytes.Buffer
	if err := png.Encode(&buf, img); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}
