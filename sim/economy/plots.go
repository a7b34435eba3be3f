package main

import (
	"bytes"
	"fmt"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	vgdraw "gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

const (
	plotWidth  = 17 * vg.Centimeter
	plotHeight = 11 * vg.Centimeter
	plotDPI    = 96
)

var (
	blue   = color.NRGBA{R: 0x1f, G: 0x4e, B: 0x79, A: 0xff}
	pale   = color.NRGBA{R: 0x9e, G: 0xb9, B: 0xd4, A: 0xff}
	orange = color.NRGBA{R: 0xd9, G: 0x6b, B: 0x1d, A: 0xff}
	grid   = color.NRGBA{R: 0xe4, G: 0xe4, B: 0xe4, A: 0xff}
	black  = color.NRGBA{A: 0xff}
)

// Names of the pictures.
const (
	pictureShares     = "economy-shares.png"
	pictureLorenz     = "economy-lorenz.png"
	pictureWash       = "economy-wash.png"
	pictureStrategies = "economy-strategies.png"
)

// draw writes all pictures into a folder.
func draw(dir string, fair, staked result, outcomes []outcome) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, p := range map[string]func() (*plot.Plot, error){
		pictureShares:     func() (*plot.Plot, error) { return plotShares(fair) },
		pictureLorenz:     func() (*plot.Plot, error) { return plotLorenz(fair, staked) },
		pictureWash:       plotWash,
		pictureStrategies: func() (*plot.Plot, error) { return plotStrategies(outcomes) },
	} {
		picture, err := p()
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		raw, err := png(picture)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), raw, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// frame is an empty picture.
func frame(title, x, y string) *plot.Plot {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = title, x, y
	p.Title.Padding = vg.Points(8)
	p.Legend.Top, p.Legend.Left, p.Legend.Padding = true, true, vg.Points(3)
	p.Legend.XOffs, p.Legend.YOffs = vg.Points(6), vg.Points(-4)
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
	g := plotter.NewGrid()
	g.Vertical.Color, g.Horizontal.Color = grid, grid
	p.Add(g)
	return p
}

// line adds a line with its name, which may be empty.
func line(p *plot.Plot, name string, xy plotter.XYs, c color.Color, dashed bool) error {
	l, err := plotter.NewLine(xy)
	if err != nil {
		return err
	}
	l.Color, l.Width = c, vg.Points(1.6)
	if dashed {
		l.Width, l.Dashes = vg.Points(1), []vg.Length{vg.Points(4), vg.Points(3)}
	}
	p.Add(l)
	if name != "" {
		p.Legend.Add(name, l)
	}
	return nil
}

func png(p *plot.Plot) ([]byte, error) {
	img := vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(plotWidth, plotHeight), vgimg.UseDPI(plotDPI))}
	p.Draw(vgdraw.Crop(vgdraw.New(img), vg.Points(6), vg.Points(-14), vg.Points(6), vg.Points(-6)))
	var buf bytes.Buffer
	if _, err := img.WriteTo(&buf); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// plotShares shows each participant's share of pay against its share of what was computed, in the run and in expectation, both logarithmic. Who computed
// nothing is left out.
func plotShares(r result) (*plot.Plot, error) {
	p := frame("Share of pay against share of computing", "share of what was computed, works and checks", "share of pay (fees and block reward)")
	done, got := computed(r), shares(pays(r))
	want, compute := expected(r.weights, r.tasks)
	least, most := compute[0]/3, compute[len(compute)-1]*3
	var dots, means plotter.XYs
	for i := range compute {
		if done[i] > least && got[i] > least {
			dots = append(dots, plotter.XY{X: done[i], Y: got[i]})
		}
		means = append(means, plotter.XY{X: compute[i], Y: want[i]})
	}
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = least, most, least, most
	p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
	p.X.Tick.Marker, p.Y.Tick.Marker = plot.LogTicks{Prec: -1}, plot.LogTicks{Prec: -1}
	run, err := plotter.NewScatter(dots)
	if err != nil {
		return nil, err
	}
	run.GlyphStyle = vgdraw.GlyphStyle{Color: pale, Radius: vg.Points(2.2), Shape: vgdraw.CircleGlyph{}}
	mean, err := plotter.NewScatter(means)
	if err != nil {
		return nil, err
	}
	mean.GlyphStyle = vgdraw.GlyphStyle{Color: orange, Radius: vg.Points(3), Shape: vgdraw.RingGlyph{}}
	p.Add(run)
	p.Legend.Add("in the run", run)
	p.Add(mean)
	p.Legend.Add("expected", mean)
	return p, line(p, "equal", plotter.XYs{{X: least, Y: least}, {X: most, Y: most}}, black, true)
}

// plotLorenz shows pay against compute, cumulated, the worst paid per compute first.
func plotLorenz(fair, staked result) (*plot.Plot, error) {
	p := frame("What a part of the compute is paid", "part of all compute, the worst paid first", "part of all pay")
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, 1, 0, 1
	for _, v := range []struct {
		name   string
		r      result
		c      color.Color
		run    bool
		dashed bool
	}{
		{"weight by proven compute, expected", fair, blue, false, false},
		{"the same in the run", fair, pale, true, false},
		{"weight by bond, expected", staked, orange, false, false},
	} {
		pay, _ := expected(v.r.weights, v.r.tasks)
		if v.run {
			pay = shares(pays(v.r))
		}
		x, y := lorenz(capacityShares(v.r), pay)
		xy := make(plotter.XYs, len(x))
		for i := range x {
			xy[i] = plotter.XY{X: x[i], Y: y[i]}
		}
		if err := line(p, v.name, xy, v.c, v.dashed); err != nil {
			return nil, err
		}
	}
	return p, line(p, "paid for compute alone", plotter.XYs{{X: 0, Y: 0}, {X: 1, Y: 1}}, black, true)
}

// plotWash shows what a unit asked of oneself brings, by weight.
func plotWash() (*plot.Plot, error) {
	p := frame("What a unit that one asks of oneself brings", "share of the weight that serves the model", "upoai a unit, beyond not asking")
	p.X.Min, p.X.Max = 0, 1
	for i, c := range cases() {
		if i > 1 && i != 3 {
			continue
		}
		for _, limited := range []bool{true, false} {
			w, name, shade := c.w, c.name, color.Color(blue)
			if !limited {
				w.rewards.MaxEmissionCostBps, name, shade = 0, name+", no limit", orange
			}
			xy := make(plotter.XYs, 101)
			for j := range xy {
				w.weight = float64(j) / 100
				xy[j] = plotter.XY{X: w.weight, Y: w.net()}
			}
			l, err := plotter.NewLine(xy)
			if err != nil {
				return nil, err
			}
			l.Color, l.Width = shade, vg.Points(1.6)
			l.Dashes = [][]vg.Length{nil, {vg.Points(2), vg.Points(2)}, nil, {vg.Points(7), vg.Points(3)}}[i]
			p.Add(l)
			p.Legend.Add(name, l)
		}
	}
	return p, line(p, "", plotter.XYs{{X: 0, Y: 0}, {X: 1, Y: 0}}, black, true)
}

// plotStrategies shows what groups net beside what honest work nets the same participants. A bar much longer than the others is cut; its label says how
// long it is.
func plotStrategies(outcomes []outcome) (*plot.Plot, error) {
	p := frame("What strategies net beyond honest work of the same participants", "poai", "")
	values := make(plotter.Values, len(outcomes))
	names := make([]string, len(outcomes))
	sizes := []float64{1, 1}
	for _, o := range outcomes {
		sizes = append(sizes, math.Abs(o.gain()/1e6))
	}
	slices.Sort(sizes)
	edge := 1.4 * sizes[len(sizes)-2] // room for the label of the longest but one
	labels := plotter.XYLabels{}
	for i, o := range outcomes {
		at := len(outcomes) - 1 - i
		gain := o.gain() / 1e6
		values[at], names[at] = min(max(gain, -edge), edge), short(o.name)
		labels.XYs = append(labels.XYs, plotter.XY{X: max(0, values[at]), Y: float64(at)})
		labels.Labels = append(labels.Labels, fmt.Sprintf("%+.1f", gain))
	}
	bars, err := plotter.NewBarChart(values, vg.Points(16))
	if err != nil {
		return nil, err
	}
	bars.Horizontal, bars.Color, bars.LineStyle.Width = true, blue, 0
	p.Add(bars)
	text, err := plotter.NewLabels(labels)
	if err != nil {
		return nil, err
	}
	text.Offset = vg.Point{X: vg.Points(4), Y: vg.Points(-4)}
	p.Add(text)
	p.NominalY(names...)
	p.Y.Tick.Label.Font.Size, p.Y.Tick.Label.Font.Variant = vg.Points(9), "Sans"
	p.X.Min, p.X.Max = -edge, edge
	return p, line(p, "", plotter.XYs{{X: 0, Y: -.6}, {X: 0, Y: float64(len(outcomes)) - .4}}, orange, true)
}

// short is the name of a strategy up to the colon.
func short(name string) string {
	for i, r := range name {
		if r == ':' {
			return name[:i]
		}
	}
	return name
}
