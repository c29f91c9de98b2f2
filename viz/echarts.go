package viz

import (
	"encoding/json"
	"fmt"
	"html"
	"reflect"
	"regexp"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"

	"github.com/chestlab/chest/internal/echarts"
	"github.com/chestlab/chest/kernel/display"
)

// Chart is what every chart of go-echarts is.
type Chart interface {
	Validate()
	JSON() map[string]interface{}
}

// EChartsFigure is a chart of go-echarts as an output.
type EChartsFigure struct {
	chart Chart
}

// ECharts shows a chart made with go-echarts
// (github.com/go-echarts/go-echarts/v2/charts), without a network:
//
//	bar := charts.NewBar()
//	…
//	viz.ECharts(bar)
//
// The size is that of the chart's Initialization options. JavaScript functions
// (opts.FuncOpts) are sent as plain text and do not run; string templates such
// as "{a}: {c}" do. There is no PNG: where no script runs, a sentence stands
// in place of the chart.
func ECharts(c Chart) *EChartsFigure { return &EChartsFigure{c} }

// Option is the chart's option as JSON. A number that is not finite is an
// error that names its series and row, counted from 0.
func (f *EChartsFigure) Option() ([]byte, error) {
	f.chart.Validate()
	whole := f.chart.JSON()
	b, err := json.Marshal(whole)
	if err == nil {
		return b, nil
	}
	if all, ok := whole["series"].(charts.MultiSeries); ok {
		if where := unmarshalable(all); where != "" {
			return nil, fmt.Errorf("viz: echarts: %s: %w", where, err)
		}
	}
	return nil, fmt.Errorf("viz: echarts: %w", err)
}

// unmarshalable names the first series, and its first row, that has no JSON
// form; "" means that the fault is elsewhere.
func unmarshalable(all charts.MultiSeries) string {
	for i, s := range all {
		if _, err := json.Marshal(s); err == nil {
			continue
		}
		where := fmt.Sprintf("series %q", s.Name)
		if s.Name == "" {
			where = fmt.Sprintf("series %d", i)
		}
		data := reflect.ValueOf(s.Data)
		if data.Kind() != reflect.Slice {
			return where
		}
		for k := range data.Len() {
			if _, err := json.Marshal(data.Index(k).Interface()); err != nil {
				return fmt.Sprintf("%s row %d", where, k)
			}
		}
		return where
	}
	return ""
}

// Alt is the chart's title.
func (f *EChartsFigure) Alt() string {
	if t, ok := f.chart.JSON()["title"].(opts.Title); ok && t.Title != "" {
		return "Chart: " + t.Title
	}
	return "Chart"
}

// MIMEBundle is the chart as HTML, and a line of text.
func (f *EChartsFigure) MIMEBundle() map[string]any {
	option, err := f.Option()
	if err != nil {
		return failure(err)
	}
	id, alt := newID(), f.Alt()
	w, h := f.size()
	note := "<p>" + html.EscapeString(alt) + " (interactive: it needs scripts, and the chart library by viz.Inline() where the notebook does not serve it)</p>"
	return display.Bundle{
		display.MIMEHTML: fmt.Sprintf("<div id=\"%s\" style=\"width:%s;height:%s\">%s</div>\n<script>%s</script>", id, w, h, note, echarts.Loader(id, "", option)),
		display.MIMEText: alt,
	}
}

// length is a size as a style sheet writes it.
var length = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?(px|em|rem|%|vw|vh)$`)

// size is width and height of the chart's Initialization options. The Chart
// interface does not show them, so they are read by their name.
func (f *EChartsFigure) size() (w, h string) {
	w, h = "720px", "420px"
	v := reflect.Indirect(reflect.ValueOf(f.chart))
	if v.Kind() != reflect.Struct {
		return w, h
	}
	init := v.FieldByName("Initialization")
	if init.Kind() != reflect.Struct {
		return w, h
	}
	for name, to := range map[string]*string{"Width": &w, "Height": &h} {
		if s := init.FieldByName(name); s.Kind() == reflect.String && length.MatchString(s.String()) {
			*to = s.String()
		}
	}
	return w, h
}
