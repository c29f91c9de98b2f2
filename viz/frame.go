package viz

import (
	"encoding/json"
	"image/color"
	"math"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	vgdraw "gonum.org/v1/plot/vg/draw"
)

// The parts that pictures with axes have in common, each in both forms: as a
// part of an option and painted on a sheet.

// obj is a part of an option. Its keys are written in order, so the same figure
// gives the same bytes.
type obj = map[string]any

// with is what all options begin with, and further parts, as JSON. The font is
// that of the still pictures, so that what fits there fits here.
func with(parts obj) ([]byte, error) {
	whole := obj{
		"animation": false, "backgroundColor": "#ffffff",
		"textStyle": obj{"fontFamily": "Liberation Sans, Arial, Helvetica, sans-serif"},
	}
	for k, v := range parts {
		whole[k] = v
	}
	return json.Marshal(whole)
}

// chartWidth is the width of most pictures in pixels, chartEdge their margin.
const (
	chartWidth = 720
	chartEdge  = 12
)

// heading is what stands above a picture: a title and one line under it.
type heading struct{ title, caption string }

// room is the height of the heading in pixels.
func (h heading) room() float64 {
	tall := 8.0
	if h.title != "" {
		tall += 26
	}
	if h.caption != "" {
		tall += 20
	}
	return tall
}

// option is the heading as titles of a picture of a width in pixels.
func (h heading) option(width int) []obj {
	titles := []obj{}
	if h.title != "" {
		titles = append(titles, words(h.title, chartEdge, 10, 16, ink, obj{"fontWeight": "bold", "width": width - 2*chartEdge}))
	}
	if h.caption != "" {
		titles = append(titles, words(h.caption, chartEdge, h.room()-18, 12, quiet, obj{"width": width - 2*chartEdge}))
	}
	return titles
}

// words is a text with its upper left corner at (x, y) as a title; more is
// further style.
func words(txt string, x, y float64, size int, c color.RGBA, more obj) obj {
	style := obj{"color": hexOf(c), "fontSize": size, "fontWeight": "normal", "overflow": "truncate"}
	for k, v := range more {
		style[k] = v
	}
	return obj{"text": txt, "left": x, "top": y, "padding": 0, "textStyle": style}
}

// paint writes the heading on s.
func (h heading) paint(s *sheet) {
	bold, small := sans(16, ink, true), sans(12, quiet, false)
	s.text(chartEdge, 10, bold, cut(bold, h.title, s.w-2*chartEdge))
	s.text(chartEdge, h.room()-18, small, cut(small, h.caption, s.w-2*chartEdge))
}

// scale is one axis: its name, its range, and where it has numbers.
type scale struct {
	name   string
	lo, hi float64
	ticks  []float64
}

// scaleOf is an axis over the values from lo to hi, which widens to round
// numbers unless tight.
func scaleOf(name string, lo, hi float64, tight bool) scale {
	lo, hi = widened(lo, hi)
	from, to, ticks := nice(lo, hi)
	if !tight {
		return scale{name, from, to, ticks}
	}
	var inside []float64
	for _, v := range ticks {
		if v >= lo-1e-9*(hi-lo) && v <= hi+1e-9*(hi-lo) {
			inside = append(inside, v)
		}
	}
	return scale{name, lo, hi, inside}
}

// part is where v lies on the axis: 0 at its begin, 1 at its end.
func (a scale) part(v float64) float64 { return (v - a.lo) / (a.hi - a.lo) }

// option is the axis of grid number grid, its name gap pixels away; net draws
// lines across the grid.
func (a scale) option(grid, gap int, net bool) obj {
	label, tick := obj{"color": hexOf(quiet), "fontSize": 11}, obj{"show": true}
	o := obj{
		"type": "value", "gridIndex": grid, "min": digits6(a.lo), "max": digits6(a.hi),
		"name": a.name, "nameLocation": "middle", "nameGap": gap,
		"nameTextStyle": obj{"color": hexOf(quiet), "fontSize": 12},
		"axisLine":      obj{"show": true, "onZero": false, "lineStyle": obj{"color": hexOf(grey), "width": 1}},
		"axisTick":      tick,
		"axisLabel":     label,
		"splitLine":     obj{"show": net, "lineStyle": obj{"color": hexOf(pale), "width": 1}},
	}
	if n := len(a.ticks); n > 1 && a.ticks[0] == a.lo && a.ticks[n-1] == a.hi {
		o["interval"] = digits6(a.ticks[1] - a.ticks[0])
	} else if n > 0 { // the library counts its own from the end of the axis
		at := make([]float64, n)
		for i, v := range a.ticks {
			at[i] = digits6(v)
		}
		label["customValues"], tick["customValues"] = at, at
	}
	return o
}

// gridOption is the plot area at.
func (at place) gridOption() obj {
	return obj{"left": at.x, "top": at.y, "width": at.w, "height": at.h}
}

// axisX paints a horizontal axis below the plot area at.
func (s *sheet) axisX(at place, a scale) {
	floor := at.y + at.h
	style := anchored(sans(11, quiet, false), text.XCenter, text.YTop)
	for _, v := range a.ticks {
		x := at.x + at.w*a.part(v)
		s.line(stroke(grey, 1, false), x, floor, x, floor+4)
		s.text(x, floor+8, style, number(v))
	}
	s.line(stroke(grey, 1, false), at.x, floor, at.x+at.w, floor)
	s.text(at.x+at.w/2, floor+28, anchored(sans(12, quiet, false), text.XCenter, text.YTop), a.name)
}

// axisY paints a vertical axis at the left of the plot area at, its name gap
// pixels away; net draws lines across the area.
func (s *sheet) axisY(at place, a scale, gap float64, net bool) {
	style := anchored(sans(11, quiet, false), text.XRight, text.YCenter)
	for _, v := range a.ticks {
		y := at.y + at.h*(1-a.part(v))
		if net {
			s.line(stroke(pale, 1, false), at.x, y, at.x+at.w, y)
		}
		s.line(stroke(grey, 1, false), at.x-4, y, at.x, y)
		s.text(at.x-8, y-1.5, style, number(v))
	}
	s.line(stroke(grey, 1, false), at.x, at.y, at.x, at.y+at.h)
	turned := anchored(sans(12, quiet, false), text.XCenter, text.YCenter)
	turned.Rotation = quarter
	s.text(at.x-gap, at.y+at.h/2, turned, a.name)
}

// key is one entry of a legend: a name with a colour and a marker.
type key struct {
	name  string
	color color.RGBA
	mark  marker
}

// legendColumn is a scrolling legend at the right of a picture, in the box at.
func legendColumn(keys []key, at place) obj {
	names := []string{}
	for _, k := range keys {
		names = append(names, k.name)
	}
	return obj{
		"show": len(keys) > 0, "type": "scroll", "orient": "vertical",
		"left": at.x, "top": at.y, "height": at.h, "padding": 0, "itemWidth": 12, "itemHeight": 12, "data": names,
		"textStyle": obj{"color": hexOf(ink), "fontSize": 12, "width": at.w - 22, "overflow": "truncate"},
		"tooltip":   obj{"show": true},
	}
}

// legendRow is a legend above a plot area, from (x, y) on.
func legendRow(names []string, x, y float64) obj {
	return obj{
		"show": true, "type": "scroll", "orient": "horizontal", "left": x, "top": y, "right": chartEdge, "padding": 0,
		"itemWidth": 22, "itemHeight": 10, "itemGap": 16, "icon": "rect", "data": names, "textStyle": obj{"color": hexOf(ink), "fontSize": 12},
	}
}

// keys paints a legend into the box at: in one column, or in more and narrow
// ones when it is long; what does not fit is counted in the last line.
func (s *sheet) keys(keys []key, at place, columns int) {
	size, step := 12.0, 18.0
	if per := int(at.h / step); len(keys) > per*columns {
		columns, size, step = columns*2, 10, 15
	}
	per := max(int(at.h/step), 1)
	if columns > 1 {
		per = min(per, (len(keys)+columns-1)/columns)
	}
	width := at.w / float64(columns)
	style := anchored(sans(size, ink, false), text.XLeft, text.YCenter)
	for i, k := range keys {
		x, y := at.x+width*float64(i/per), at.y+step*(float64(i%per)+0.5)
		if i == columns*per-1 && len(keys) > columns*per {
			s.text(x, y-1.5, style, "+ "+thousands(len(keys)-i)+" more")
			return
		}
		s.mark(k.color, k.mark, 4, x+6, y)
		s.text(x+15, y-1.5, style, cut(style, k.name, width-18))
	}
}

// mark paints a marker of a radius in pixels at (x, y).
func (s *sheet) mark(c color.Color, m marker, radius, x, y float64) {
	s.DrawGlyph(glyph(c, m, radius), s.at(x, y))
}

// fill paints a polygon of corners in pixels.
func (s *sheet) fill(c color.Color, corners ...[2]float64) {
	s.FillPolygon(c, s.points(corners))
}

// trace paints a line through corners in pixels.
func (s *sheet) trace(c color.Color, width float64, dashed bool, corners ...[2]float64) {
	s.StrokeLines(stroke(c, width, dashed), s.points(corners))
}

// points are the corners on the canvas.
func (s *sheet) points(corners [][2]float64) []vg.Point {
	p := make([]vg.Point, len(corners))
	for i, c := range corners {
		p[i] = s.at(c[0], c[1])
	}
	return p
}

// rect paints a filled box.
func (s *sheet) rect(c color.Color, at place) {
	s.fill(c, [2]float64{at.x, at.y}, [2]float64{at.x + at.w, at.y}, [2]float64{at.x + at.w, at.y + at.h}, [2]float64{at.x, at.y + at.h})
}

// edge paints the line around a box.
func (s *sheet) edge(c color.Color, width float64, at place) {
	s.trace(c, width, false, [2]float64{at.x, at.y}, [2]float64{at.x + at.w, at.y}, [2]float64{at.x + at.w, at.y + at.h}, [2]float64{at.x, at.y + at.h}, [2]float64{at.x, at.y}, [2]float64{at.x + at.w, at.y})
}

// glyph is the style of a marker of a radius in pixels.
func glyph(c color.Color, m marker, radius float64) vgdraw.GlyphStyle {
	return vgdraw.GlyphStyle{Color: c, Radius: vg.Length(radius) * px, Shape: dot{m}}
}

// halo writes a text on a white rim, to be read among lines.
func (s *sheet) halo(x, y float64, style text.Style, txt string) {
	rim := style
	rim.Color = white
	for _, d := range [][2]float64{{-1.2, 0}, {1.2, 0}, {0, -1.2}, {0, 1.2}, {-0.9, -0.9}, {-0.9, 0.9}, {0.9, -0.9}, {0.9, 0.9}} {
		s.text(x+d[0], y+d[1], rim, txt)
	}
	s.text(x, y, style, txt)
}

// quarter is the rotation of text that reads from below upwards.
const quarter = math.Pi / 2

// white is the colour of paper.
var white = color.RGBA{0xff, 0xff, 0xff, 0xff}
