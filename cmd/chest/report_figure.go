package main

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/chestlab/chest/chestlib/metric"
	"github.com/chestlab/chest/viz"
)

// figureLines is how many lines a figure of rows has at most: as many as colours
// are told apart.
const figureLines = 6

// figure is Recall@K over K of the best rows by MAP@R, a line for each space
// that was trained, with a band of ± std; nil when there is nothing to draw.
func (g *dataGroup) figure() *viz.CurveFigure {
	type line struct {
		mapr   float64
		series viz.Series
	}
	ks := g.ks()
	var all []line
	for _, r := range g.rows {
		if r.failures() == len(r.records) {
			continue
		}
		for _, space := range r.spaces() {
			l := line{mapr: r.stat(space, func(m metric.Result) float64 { return m.MAPR }).Mean, series: viz.Series{Name: r.name + ", " + space}}
			for _, k := range ks {
				s := r.stat(space, func(m metric.Result) float64 { return m.At(k) })
				l.series.X, l.series.Y, l.series.Std = append(l.series.X, float64(k)), append(l.series.Y, 100*s.Mean), append(l.series.Std, 100*s.Std)
			}
			all = append(all, l)
		}
	}
	if len(all) == 0 || len(ks) < 2 {
		return nil
	}
	slices.SortStableFunc(all, func(a, b line) int { return cmp.Compare(b.mapr, a.mapr) })
	caption := "band: ± std over seeds"
	if len(all) > figureLines {
		caption += fmt.Sprintf("; the %d best of %d by MAP@R", figureLines, len(all))
		all = all[:figureLines]
	}
	var series []viz.Series
	for _, l := range all {
		series = append(series, l.series)
	}
	return viz.Curve(series, viz.CurveOptions{Title: "Recall@K, " + g.data, Caption: caption, X: "K", Left: "Recall@K, %"})
}
