package viz

import (
	"encoding/json"
	"strconv"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
)

// Places of the curve's picture, in pixels.
const (
	curveWidth  = 720
	curveHeight = 420
	curveLeft   = 64
	curveFloor  = 52 // below the plot area
	legendTall  = 32 // from the top of the legend to the plot area
)

// bandOpacity is that of the band of ± one standard deviation.
const bandOpacity = 0.18

// Option is the picture as an ECharts option. A number that cannot be drawn is
// an error that names its series and row.
func (f *CurveFigure) Option() ([]byte, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	line := charts.NewLine()
	f.frame(line)
	f.axes(line)
	for i, s := range f.series {
		c, _ := look(i)
		f.addLine(line, s, hexOf(c))
	}
	line.Validate()
	whole := line.JSON()
	whole["series"] = f.stacked(line.MultiSeries)
	return json.Marshal(whole)
}

// frame sets title, legend, tooltip and margins; nothing is left to defaults,
// which differ between versions of ECharts.
func (f *CurveFigure) frame(line *charts.Line) {
	names := []string{}
	for _, s := range f.series {
		names = append(names, s.Name)
	}
	line.SetGlobalOptions(
		charts.WithInitializationOpts(opts.Initialization{BackgroundColor: "#ffffff", ChartID: "curve"}),
		charts.WithAnimation(false),
		charts.WithTitleOpts(opts.Title{
			Title: f.o.Title, Left: "12", Top: "8",
			TitleStyle: &opts.TextStyle{Color: hexOf(ink), FontSize: 16, FontWeight: "bold"},
			Subtitle:   f.o.Caption, SubtitleStyle: &opts.TextStyle{Color: hexOf(quiet), FontSize: 12},
		}),
		charts.WithLegendOpts(opts.Legend{
			Show: opts.Bool(true), Type: "scroll", Left: "56", Top: strconv.Itoa(f.legendTop()), Right: "24", Orient: "horizontal", ItemWidth: 22, ItemHeight: 8,
			Data: names, TextStyle: &opts.TextStyle{Color: hexOf(ink), FontSize: 12},
		}),
		charts.WithTooltipOpts(opts.Tooltip{Show: opts.Bool(true), Trigger: "axis"}),
		charts.WithGridOpts(opts.Grid{
			Left: strconv.Itoa(curveLeft), Top: strconv.Itoa(f.legendTop() + legendTall), Right: strconv.Itoa(f.rightMargin()), Bottom: strconv.Itoa(curveFloor),
		}),
	)
}

// legendTop is where the legend begins, below title and caption.
func (f *CurveFigure) legendTop() int {
	switch {
	case f.o.Caption != "":
		return 52
	case f.o.Title != "":
		return 36
	}
	return 8
}

// rightMargin leaves room for the numbers of a right axis.
func (f *CurveFigure) rightMargin() int {
	if f.twoSided() {
		return 64
	}
	return 28
}

// axes sets the horizontal axis and one or two vertical ones.
func (f *CurveFigure) axes(line *charts.Line) {
	lo, hi := f.domain()
	rule := &opts.AxisLine{Show: opts.Bool(true), OnZero: opts.Bool(false), LineStyle: &opts.LineStyle{Color: hexOf(grey), Width: 1}}
	label := &opts.AxisLabel{Show: opts.Bool(true), Color: hexOf(quiet), FontSize: 11}
	net := &opts.SplitLine{Show: opts.Bool(true), LineStyle: &opts.LineStyle{Color: hexOf(pale), Width: 1, Type: "solid"}}
	none := &opts.SplitLine{Show: opts.Bool(false)}
	kind := "value"
	if f.o.Log {
		kind = "log"
	}
	line.SetGlobalOptions(
		charts.WithXAxisOpts(opts.XAxis{
			Type: "value", Name: f.o.X, NameLocation: "middle", NameGap: 28, Min: digits6(lo), Max: digits6(hi),
			AxisLine: rule, AxisLabel: label, SplitLine: none,
		}),
		charts.WithYAxisOpts(opts.YAxis{
			Type: kind, Name: f.o.Left, NameLocation: "middle", NameGap: 46, Position: "left", Scale: opts.Bool(true),
			AxisLine: rule, AxisLabel: label, SplitLine: net,
		}),
	)
	if f.twoSided() {
		line.ExtendYAxis(opts.YAxis{
			Type: "value", Name: f.o.Right, NameLocation: "middle", NameGap: 46, Position: "right", Scale: opts.Bool(true),
			AxisLine: rule, AxisLabel: label, SplitLine: none,
		})
	}
}

// addLine adds the line of s, and its band as two more series of the same
// name, so that the legend hides them together: the lower edge, not drawn, and
// on top of it the height of the band, filled.
func (f *CurveFigure) addLine(line *charts.Line, s Series, c string) {
	axis := 0
	if s.Right {
		axis = 1
	}
	symbol := "none"
	if len(s.Y) <= 60 {
		symbol = "circle"
	}
	set := func(g *charts.SingleSeries) {
		g.YAxisIndex, g.Symbol, g.SymbolSize = axis, symbol, 4
		g.LineStyle, g.ItemStyle = &opts.LineStyle{Color: c, Width: 2}, &opts.ItemStyle{Color: c}
	}
	line.AddSeries(s.Name, nil, charts.WithSeriesOpts(set), charts.WithSeriesOpts(func(g *charts.SingleSeries) { g.Data = rows(s.X, s.Y) }))
	if s.Std == nil {
		return
	}
	low, height := make([]float64, len(s.Y)), make([]float64, len(s.Y))
	for i := range s.Y {
		lo, hi := f.band(s, i)
		low[i], height[i] = lo, hi-lo
	}
	hidden := func(g *charts.SingleSeries) {
		set(g)
		g.Symbol, g.Stack = "none", "band of "+s.Name
		g.LineStyle = &opts.LineStyle{Color: c, Opacity: opts.Float(0)}
	}
	line.AddSeries(s.Name, nil, charts.WithSeriesOpts(hidden), charts.WithSeriesOpts(func(g *charts.SingleSeries) { g.Data = rows(s.X, low) }))
	line.AddSeries(s.Name, nil, charts.WithSeriesOpts(hidden), charts.WithSeriesOpts(func(g *charts.SingleSeries) {
		g.Data, g.AreaStyle = rows(s.X, height), &opts.AreaStyle{Color: c, Opacity: opts.Float(bandOpacity)}
	}))
}

// rows are pairs of six digits.
func rows(x, y []float64) [][2]float64 {
	r := make([][2]float64, len(x))
	for i := range r {
		r[i] = [2]float64{digits6(x[i]), digits6(y[i])}
	}
	return r
}

// stackedSeries is a series with what go-echarts has no field for.
type stackedSeries struct {
	charts.SingleSeries
	Strategy string      `json:"stackStrategy,omitempty"`
	Tooltip  *showOption `json:"tooltip,omitempty"`
}

// stacked lets bands stack on negative edges too (ECharts' default stacks only
// numbers of one sign) and keeps them out of the tooltip.
func (f *CurveFigure) stacked(all []charts.SingleSeries) []stackedSeries {
	s := make([]stackedSeries, len(all))
	for i := range s {
		s[i].SingleSeries = all[i]
		if all[i].Stack != "" {
			s[i].Strategy, s[i].Tooltip = "all", &showOption{}
		}
	}
	return s
}
