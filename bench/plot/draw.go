package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// look is what the caller wants it to look like.
type look struct {
	title      string
	logX, logY bool
}

const (
	width    = 18 * vg.Centimeter
	height   = 6 * vg.Centimeter // of a panel
	barWidth = 10 * vg.Millimeter
)

// save puts the panels of t below each other.
func save(t *table, l look, out string) error {
	tall := height
	if t.crowded() {
		tall *= 2
	}
	canvas, err := draw.NewFormattedCanvas(width, tall*vg.Length(len(t.panels)), strings.TrimPrefix(filepath.Ext(out), "."))
	if err != nil {
		return err
	}
	column := make([][]*plot.Plot, len(t.panels))
	for i, p := range t.panels {
		one, err := t.plot(p, l)
		if err != nil {
			return fmt.Errorf("panel %q: %w", p.unit, err)
		}
		if i == 0 {
			one.Title.Text = l.title
		}
		column[i] = []*plot.Plot{one}
	}
	tiles := draw.Tiles{Rows: len(column), Cols: 1, PadY: vg.Centimeter / 2, PadTop: vg.Centimeter / 4, PadBottom: vg.Centimeter / 4, PadRight: vg.Centimeter / 2}
	for i, row := range plot.Align(column, tiles, draw.New(canvas)) {
		column[i][0].Draw(row[0])
	}
	f, err := os.Create(out)
	if err != nil {
		return err
	}
	if _, err := canvas.WriteTo(f); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// crowded reports that the words have no room beside each other.
func (t *table) crowded() bool { return len(t.words) > 8 }

func (t *table) plot(p panel, l look) (*plot.Plot, error) {
	one := plot.New()
	one.X.Label.Text, one.Y.Label.Text = t.xName, p.unit
	one.Legend.Top, one.Legend.Left = true, true
	one.Add(plotter.NewGrid())
	add := t.addLine
	if t.words != nil {
		add = t.addBars
		if l.logY { // a bar begins at 0, which a logarithmic scale has not
			add = t.addDots
		}
		one.NominalX(t.words...)
		if t.crowded() {
			one.X.Tick.Label.Rotation, one.X.Tick.Label.XAlign, one.X.Tick.Label.YAlign = math.Pi/2, text.XRight, text.YCenter
		}
	}
	for i, c := range p.columns {
		if err := add(one, i, len(p.columns), c); err != nil {
			return nil, err
		}
	}
	if t.words != nil {
		one.X.Min, one.X.Max = -0.5, float64(len(t.words))-0.5
	}
	if l.logX && t.words == nil {
		one.X.Scale, one.X.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	}
	if l.logY {
		one.Y.Scale, one.Y.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
		if one.Y.Min > 0 && len(p.columns) > 1 { // room for the legend
			one.Y.Max *= math.Pow(one.Y.Max/one.Y.Min, 0.15*float64(len(p.columns)))
		}
		return one, nil
	}
	// A curve that begins anywhere but at 0 makes noise look like growth. Above it is room for the legend.
	one.Y.Min, one.Y.Max = min(0, one.Y.Min), one.Y.Max*1.3
	return one, nil
}

func (t *table) addLine(to *plot.Plot, i, _ int, c column) error {
	var points plotter.XYs
	for k, y := range c.ys {
		if !math.IsNaN(y) {
			points = append(points, plotter.XY{X: t.xs[k], Y: y})
		}
	}
	if len(points) == 0 {
		return nil
	}
	line, dots, err := plotter.NewLinePoints(points)
	if err != nil {
		return err
	}
	line.Color, dots.Color = plotutil.Color(i), plotutil.Color(i)
	dots.Shape, dots.Radius = draw.CircleGlyph{}, vg.Points(1.5)
	to.Add(line, dots)
	to.Legend.Add(c.name, line)
	return nil
}

// addDots puts a dot where a bar would end.
func (t *table) addDots(to *plot.Plot, i, of int, c column) error {
	var points plotter.XYs
	for k, y := range c.ys {
		if y > 0 {
			points = append(points, plotter.XY{X: float64(k) + 0.2*(float64(i)-float64(of-1)/2), Y: y})
		}
	}
	if len(points) == 0 {
		return nil
	}
	dots, err := plotter.NewScatter(points)
	if err != nil {
		return err
	}
	dots.Color, dots.Shape, dots.Radius = plotutil.Color(i), draw.CircleGlyph{}, vg.Points(3)
	to.Add(dots)
	if of > 1 {
		to.Legend.Add(c.name, dots)
	}
	return nil
}

func (t *table) addBars(to *plot.Plot, i, of int, c column) error {
	ys := make(plotter.Values, len(c.ys))
	for k, y := range c.ys {
		if !math.IsNaN(y) {
			ys[k] = y
		}
	}
	bars, err := plotter.NewBarChart(ys, barWidth/vg.Length(of))
	if err != nil {
		return err
	}
	bars.Color, bars.LineStyle.Width = plotutil.Color(i), 0
	bars.Offset = barWidth / vg.Length(of) * (vg.Length(i) - vg.Length(of-1)/2)
	to.Add(bars)
	if of > 1 {
		to.Legend.Add(c.name, bars)
	}
	return nil
}
