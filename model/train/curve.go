package train

import (
	"bytes"
	"image/color"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

// Curve is a picture of a training: the loss of every batch, its running mean, and the loss of the data held back.
type Curve struct {
	Title, Label string
	Losses       []float32
	Measures     []Measure
	// Steps is how many the training has: the width of the picture.
	Steps uint64
}

// Size of the picture, and how many points a line has at most: more cannot be told apart.
const (
	curveWidth  = 18 * vg.Centimeter
	curveHeight = 10.5 * vg.Centimeter
	curveDPI    = 96
	curvePoints = 500
)

var (
	batchColor = color.NRGBA{R: 0x9e, G: 0xb9, B: 0xd4, A: 0xff}
	meanColor  = color.NRGBA{R: 0x1f, G: 0x4e, B: 0x79, A: 0xff}
	heldColor  = color.NRGBA{R: 0xd9, G: 0x6b, B: 0x1d, A: 0xff}
	gridColor  = color.NRGBA{R: 0xe4, G: 0xe4, B: 0xe4, A: 0xff}
)

// PNG draws the curve. The axis of the loss is logarithmic where the losses span more than a factor of 30.
func (c Curve) PNG() ([]byte, error) {
	p := plot.New()
	p.Title.Text = c.title()
	p.Title.Padding = vg.Points(8)
	p.X.Label.Text, p.Y.Label.Text = "step", c.Label
	p.X.Min, p.X.Max = 0, float64(max(c.Steps, 1))
	p.X.Tick.Marker, p.Y.Tick.Marker = plot.TickerFunc(niceTicks), plot.TickerFunc(niceTicks)
	p.Legend.Top, p.Legend.Padding = true, vg.Points(4)
	p.Legend.XOffs, p.Legend.YOffs = vg.Points(-4), vg.Points(-4)
	sans := func(s *text.Style, size float64) {
		s.Font.Variant, s.Font.Size = "Sans", vg.Points(size)
	}
	sans(&p.Title.TextStyle, 12)
	sans(&p.Legend.TextStyle, 9)
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		sans(&a.Label.TextStyle, 10)
		sans(&a.Tick.Label, 9)
		a.Padding = 0
	}
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = gridColor, gridColor
	p.Add(grid)

	lo, hi := c.span()
	y := func(loss float64) float64 { return loss }
	if lo > 0 && hi > 30*lo {
		y, p.Y.Tick.Marker = math.Log10, plot.TickerFunc(logTicks)
	}
	margin := max((y(hi)-y(lo))/20, 1e-6)
	p.Y.Min, p.Y.Max = y(lo)-margin, y(hi)+margin
	batches, smooth := c.lines(y)
	for _, l := range []struct {
		name  string
		xy    plotter.XYs
		color color.Color
		width float64
	}{{"each batch", batches, batchColor, 0.7}, {"running mean", smooth, meanColor, 1.8}} {
		if len(l.xy) == 0 {
			continue
		}
		line, err := plotter.NewLine(l.xy)
		if err != nil {
			return nil, err
		}
		line.Color, line.Width = l.color, vg.Points(l.width)
		p.Add(line)
		p.Legend.Add(l.name, line)
	}
	if err := c.addHeld(p, y); err != nil {
		return nil, err
	}
	img := vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(curveWidth, curveHeight), vgimg.UseDPI(curveDPI))}
	p.Draw(draw.Crop(draw.New(img), vg.Points(6), vg.Points(-14), vg.Points(6), vg.Points(-6)))
	var buf bytes.Buffer
	if _, err := img.WriteTo(&buf); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

func (c Curve) title() string {
	t := c.Title
	if n := len(c.Measures); n > 0 {
		m := c.Measures[n-1]
		t += ": held back " + strconv.FormatFloat(m.Loss, 'f', 4, 64)
		if m.Accuracy != nil {
			t += ", " + strconv.FormatFloat(100**m.Accuracy, 'f', 1, 64) + " % right"
		}
	}
	return t
}

// addHeld draws the data held back.
func (c Curve) addHeld(p *plot.Plot, y func(float64) float64) error {
	if len(c.Measures) == 0 {
		return nil
	}
	xy := make(plotter.XYs, len(c.Measures))
	for i, m := range c.Measures {
		xy[i] = plotter.XY{X: float64(m.Step), Y: y(m.Loss)}
	}
	line, points, err := plotter.NewLinePoints(xy)
	if err != nil {
		return err
	}
	line.Color, line.Width = heldColor, vg.Points(1.4)
	points.Color, points.Shape, points.Radius = heldColor, draw.CircleGlyph{}, vg.Points(2)
	p.Add(line, points)
	p.Legend.Add("held back", line, points)
	return nil
}

// span gives the smallest and the largest loss of the picture, 0 and 1 where there is none.
func (c Curve) span() (lo, hi float64) {
	lo, hi = math.MaxFloat64, -math.MaxFloat64
	for _, l := range c.Losses {
		if !finite(l) {
			break
		}
		lo, hi = math.Min(lo, float64(l)), math.Max(hi, float64(l))
	}
	for _, m := range c.Measures {
		lo, hi = math.Min(lo, m.Loss), math.Max(hi, m.Loss)
	}
	if lo > hi {
		return 0, 1
	}
	return lo, hi
}

// lines gives the loss of batches, thinned to curvePoints, and the mean over a window of a fiftieth of the
// steps before each. A loss that is no number ends both.
func (c Curve) lines(y func(float64) float64) (batches, smooth plotter.XYs) {
	n := len(c.Losses)
	every, window := (n+curvePoints-1)/curvePoints, max(n/50, 1)
	sum := 0.0
	for i, l := range c.Losses {
		sum += float64(l)
		if i >= window {
			sum -= float64(c.Losses[i-window])
		}
		if !finite(l) { // where it diverged
			break
		}
		if (i+1)%every == 0 || i == n-1 {
			x := float64(i + 1)
			batches = append(batches, plotter.XY{X: x, Y: y(float64(l))})
			smooth = append(smooth, plotter.XY{X: x, Y: y(sum / float64(min(i+1, window)))})
		}
	}
	return batches, smooth
}

// niceTicks gives four to eight multiples of 1, 2 or 5 times a power of ten.
func niceTicks(lo, hi float64) []plot.Tick {
	step := math.Pow(10, math.Floor(math.Log10((hi-lo)/4)))
	for _, m := range []float64{5, 2} {
		if (hi-lo)/(step*m) >= 4 {
			step *= m
			break
		}
	}
	digits := max(0, int(-math.Floor(math.Log10(step)*(1+1e-12))))
	var ticks []plot.Tick
	for i := math.Ceil(lo / step); i*step <= hi*(1+1e-12); i++ {
		ticks = append(ticks, plot.Tick{Value: i * step, Label: strconv.FormatFloat(i*step, 'f', digits, 64)})
	}
	return ticks
}

// logTicks are the ticks of an axis of logarithms: it labels 1, 2 and 5 times the powers of ten, over more than two decades only the
// powers.
func logTicks(lo, hi float64) []plot.Tick {
	labels := []int{1, 2, 5}
	if hi-lo > 2 {
		labels = labels[:1]
	}
	var ticks []plot.Tick
	for e := math.Floor(lo); e <= hi; e++ {
		for m := 1; m < 10; m++ {
			v := float64(m) * math.Pow(10, e)
			t := plot.Tick{Value: math.Log10(v)}
			if t.Value < lo || t.Value > hi {
				continue
			}
			if slices.Contains(labels, m) {
				t.Label = strconv.FormatFloat(v, 'g', 3, 64)
			}
			ticks = append(ticks, t)
		}
	}
	return ticks
}
