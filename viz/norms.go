package viz

import (
	"fmt"
	"slices"

	"gonum.org/v1/plot/text"
)

// NormsOptions says how Norms draws. The zero value draws the histogram alone.
type NormsOptions struct {
	Title   string  // above the picture; "" means none
	Caption string  // one line under the title; "" means rows, clip radius and share
	X       string  // name of the horizontal axis; "" means "norm"
	Clip    float64 // clip radius, in the unit of the norms; 0 means there is none
	Clipped float64 // share of rows at the radius, for NormBins; Norms counts them
	Bins    int     // 0 means 40; not for NormBins
}

// NormsFigure is a histogram of norms with the clip radius.
type NormsFigure struct {
	forms
	o      NormsOptions
	edges  []float64
	counts []int
	rows   int
	err    error // about the values
}

// Norms draws how long the rows of an embedding are, and how many of them were
// shortened to the clip radius: those with a norm of Clip or more, up to 1e-4
// of it. Where many are, distances tell no more than angles.
//
// A norm that is negative or not finite is an error of the picture's forms,
// which names its row. Norms panics if Bins is negative.
func Norms(norm []float64, o NormsOptions) *NormsFigure {
	if o.Bins < 0 {
		panic(fmt.Sprintf("viz: norms: Bins is %d, want 0 or more", o.Bins))
	}
	if o.Bins == 0 {
		o.Bins = 40
	}
	f := newNorms(o)
	f.rows = len(norm)
	if f.err = checkNorms(norm); f.err != nil || f.rows == 0 {
		return f
	}
	f.edges = evenEdges(slices.Min(norm), slices.Max(norm), o.Bins)
	f.counts = counted(norm, f.edges)
	clipped := 0
	for _, v := range norm {
		if o.Clip > 0 && v >= o.Clip*(1-1e-4) {
			clipped++
		}
	}
	f.o.Clipped = float64(clipped) / float64(f.rows)
	return f
}

// NormBins is Norms for rows that were counted already: counts[i] of them from
// edges[i] to edges[i+1], as a metric.Diagnosis d has them:
//
//	viz.NormBins(d.Norms.Edges, d.Norms.Counts, viz.NormsOptions{Clip: d.Clip, Clipped: d.Clipped})
//
// NormBins panics unless edges do not fall and are one more than counts, which
// are not negative.
func NormBins(edges []float64, counts []int, o NormsOptions) *NormsFigure {
	if len(edges) != len(counts)+1 && len(edges)+len(counts) > 0 {
		panic(fmt.Sprintf("viz: norms: %d edges for %d counts, want one more", len(edges), len(counts)))
	}
	f := newNorms(o)
	if f.err = checkNorms(edges); f.err != nil {
		return f
	}
	for i, c := range counts {
		if c < 0 || edges[i+1] < edges[i] {
			panic(fmt.Sprintf("viz: norms: bin %d has %d rows from %g to %g", i, c, edges[i], edges[i+1]))
		}
		f.rows += c
	}
	f.edges, f.counts = slices.Clone(edges), slices.Clone(counts)
	return f
}

// newNorms is a figure without rows.
func newNorms(o NormsOptions) *NormsFigure {
	if o.X == "" {
		o.X = "norm"
	}
	f := &NormsFigure{o: o}
	f.forms = forms{f}
	return f
}

// checkNorms returns the first number that is no norm as an error.
func checkNorms(norm []float64) error {
	if err := firstBad("norms", "norms", norm); err != nil {
		return err
	}
	for i, v := range norm {
		if v < 0 {
			return fmt.Errorf("viz: norms: series %q row %d is %g; a norm is not negative", "norms", i, v)
		}
	}
	return nil
}

// checkClip returns an error when the radius cannot be drawn.
func (f *NormsFigure) checkClip() error {
	switch {
	case f.err != nil:
		return f.err
	case !finite(f.o.Clip) || f.o.Clip < 0:
		return fmt.Errorf("viz: norms: Clip is %g; want a radius, or 0 for none", f.o.Clip)
	case !(f.o.Clipped >= 0 && f.o.Clipped <= 1):
		return fmt.Errorf("viz: norms: Clipped is %g; want a share from 0 to 1", f.o.Clipped)
	}
	return nil
}

// caption is that of the options, or what the histogram counts.
func (f *NormsFigure) caption() string {
	if f.o.Caption != "" {
		return f.o.Caption
	}
	return join(" · ", count(f.rows, "row"), f.clip())
}

// clip says in words how many rows are clipped; "" without a radius.
func (f *NormsFigure) clip() string {
	if f.o.Clip <= 0 {
		return ""
	}
	return fmt.Sprintf("clip radius %.4g, %s %% at it", f.o.Clip, number(float64(int(f.o.Clipped*1000+0.5))/10))
}

// Alt says in one line what the picture shows.
func (f *NormsFigure) Alt() string {
	what := "Norms"
	if f.o.Title != "" {
		what += ": " + f.o.Title
	}
	span := ""
	if len(f.counts) > 0 {
		span = fmt.Sprintf("from %.4g to %.4g", f.edges[0], f.edges[len(f.counts)])
	}
	return join("; ", what, count(f.rows, "row"), span, f.clip(), f.o.Caption)
}

// Places of the picture of norms, in pixels.
const (
	normsHeight = 380
	normsLeft   = 68
	normsBelow  = 52
)

// bounds is the size of the picture.
func (f *NormsFigure) bounds() (w, h int) { return chartWidth, normsHeight }

// area is the plot area; above it is room for the words of the clip line.
func (f *NormsFigure) area() place {
	top := heading{f.o.Title, f.caption()}.room() + 24
	return place{normsLeft, top, chartWidth - normsLeft - 28, normsHeight - top - normsBelow}
}

// scales are the axes; the horizontal one begins at 0 and shows the radius.
func (f *NormsFigure) scales() (x, y scale, heights []float64) {
	hi := f.o.Clip
	if len(f.counts) > 0 {
		hi = max(hi, f.edges[len(f.counts)])
	}
	heights = make([]float64, len(f.counts))
	for i, c := range f.counts {
		heights[i] = float64(c)
	}
	return scaleOf(f.o.X, 0, hi*1.02, true), scaleOf("rows", 0, max(highest(heights), 1), false), heights
}

// Option is the picture as an ECharts option. A number that is no norm is an
// error that names its row.
func (f *NormsFigure) Option() ([]byte, error) {
	if err := f.checkClip(); err != nil {
		return nil, err
	}
	x, y, heights := f.scales()
	at := f.area()
	series := []obj{}
	if len(heights) > 0 {
		series = append(series, steps{f.edges, heights}.option("rows", 0, okabe[0], false))
	}
	titles := heading{f.o.Title, f.caption()}.option(chartWidth)
	if f.o.Clip > 0 {
		series = append(series, obj{
			"type": "line", "name": "clip radius", "silent": true, "symbol": "none", "tooltip": obj{"show": false},
			"lineStyle": obj{"color": hexOf(okabe[3]), "width": 1.5, "type": "dashed"}, "itemStyle": obj{"color": hexOf(okabe[3])},
			"data": [][2]float64{{digits6(f.o.Clip), 0}, {digits6(f.o.Clip), y.hi}},
			"endLabel": obj{
				"show": true, "formatter": "clip radius", "color": hexOf(okabe[3]), "fontSize": 11, "offset": []float64{f.labelShift(at, x), -8}, "align": "center",
			},
		})
	}
	return with(obj{
		"title":   titles,
		"tooltip": obj{"trigger": "axis", "confine": true},
		"grid":    at.gridOption(), "xAxis": x.option(0, 28, false), "yAxis": y.option(0, 48, true), "series": series,
	})
}

// labelShift moves the words above the clip line so that they stay inside the
// picture.
func (f *NormsFigure) labelShift(at place, x scale) float64 {
	return min(0, chartWidth-chartEdge-34-(at.x+at.w*x.part(f.o.Clip)))
}

// paint draws the whole picture.
func (f *NormsFigure) paint(s *sheet) error {
	if err := f.checkClip(); err != nil {
		return err
	}
	heading{f.o.Title, f.caption()}.paint(s)
	x, y, heights := f.scales()
	at := f.area()
	s.axisY(at, y, 56, true)
	if len(heights) > 0 {
		steps{f.edges, heights}.paint(s, at, x, y, okabe[0], false)
	}
	if f.o.Clip > 0 {
		cx := at.x + at.w*x.part(f.o.Clip)
		s.trace(okabe[3], 1.5, true, [2]float64{cx, at.y}, [2]float64{cx, at.y + at.h})
		s.text(cx+f.labelShift(at, x), at.y-16, anchored(sans(11, okabe[3], false), text.XCenter, text.YTop), "clip radius")
	}
	s.axisX(at, x)
	return nil
}
