package viz

import (
	"image"
	"image/color"
	"math"

	"gonum.org/v1/plot/text"
)

// ramp is the colours of a scale from its light to its dark end. Lightness
// falls all the way, so it reads the same in print and to every eye.
var ramp = [...]color.RGBA{
	{0xf5, 0xf8, 0xfa, 0xff},
	{0xa9, 0xd3, 0xea, 0xff},
	{0x4d, 0xa3, 0xd4, 0xff},
	{0x00, 0x66, 0xa6, 0xff},
	{0x00, 0x2b, 0x4d, 0xff},
}

// shade is the colour at the part t of the ramp, linear between its colours.
func shade(t float64) color.RGBA {
	at := min(max(t, 0), 1) * float64(len(ramp)-1)
	i := min(int(at), len(ramp)-2)
	return mix(ramp[i], ramp[i+1], at-float64(i))
}

// tones is a scale from values to colours.
type tones struct {
	name     string
	lo, hi   float64
	darkLow  bool    // the low end is the dark one
	from, to float64 // the part of the ramp that is used
}

// newTones is a scale over the whole ramp.
func newTones(name string, lo, hi float64, darkLow bool) tones {
	lo, hi = widened(lo, hi)
	return tones{name, lo, hi, darkLow, 0, 1}
}

// depth is how dark v is, as a part of the ramp.
func (c tones) depth(v float64) float64 {
	t := (v - c.lo) / (c.hi - c.lo)
	if c.darkLow {
		t = 1 - t
	}
	return c.from + t*(c.to-c.from)
}

// at is the colour of v.
func (c tones) at(v float64) color.RGBA { return shade(c.depth(v)) }

// over is a colour of letters that can be read on that of v.
func (c tones) over(v float64) color.RGBA {
	if c.depth(v) > 0.62 {
		return white
	}
	return ink
}

// option is the scale as a bar in the box at, for dimension dim of series
// number series.
func (c tones) option(at place, dim, series int) obj {
	colors := make([]string, 9)
	for i := range colors {
		colors[i] = hexOf(c.at(c.lo + (c.hi-c.lo)*float64(i)/8))
	}
	return obj{
		"type": "continuous", "min": digits6(c.lo), "max": digits6(c.hi), "dimension": dim, "seriesIndex": series,
		"calculable": true, "orient": "vertical", "left": at.x, "top": at.y, "itemWidth": at.w, "itemHeight": at.h, "padding": 0,
		"precision": c.precision(),
		"textStyle": obj{"color": hexOf(quiet), "fontSize": 11}, "inRange": obj{"color": colors},
	}
}

// precision is how many decimals tell a hundredth of the scale.
func (c tones) precision() int {
	return int(min(max(math.Ceil(2-math.Log10(c.hi-c.lo)), 0), 10))
}

// paint draws the scale as a bar in the box at, its name above.
func (c tones) paint(s *sheet, at place) {
	bar := image.NewRGBA(image.Rect(0, 0, 1, 256))
	for y := range 256 {
		bar.SetRGBA(0, y, c.at(c.hi-(c.hi-c.lo)*float64(y)/255))
	}
	s.image(at.x, at.y, at.w, at.h, enlarged(bar, 16, 1))
	s.edge(faint, 0.5, at)
	style := anchored(sans(11, quiet, false), text.XLeft, text.YCenter)
	for _, v := range scaleOf("", c.lo, c.hi, true).ticks {
		y := at.y + at.h*(c.hi-v)/(c.hi-c.lo)
		s.line(stroke(grey, 1, false), at.x+at.w, y, at.x+at.w+4, y)
		s.text(at.x+at.w+7, y-1.5, style, number(v))
	}
	name := anchored(sans(11, quiet, false), text.XRight, text.YTop)
	s.text(s.w-chartEdge, at.y-20, name, cut(name, c.name, toneName))
}

// toneName is the width of the name of a scale in pixels.
const toneName = 110

// title is the name of the scale as a title of the picture, above the bar at.
func (c tones) title(at place) obj {
	t := words(c.name, chartWidth-chartEdge, at.y-20, 11, quiet, obj{"width": toneName})
	t["textAlign"] = "right"
	return t
}

// enlarged is m with w×h pixels for each of its own.
func enlarged(m *image.RGBA, w, h int) *image.RGBA {
	b := m.Bounds()
	big := image.NewRGBA(image.Rect(0, 0, b.Dx()*w, b.Dy()*h))
	for y := range b.Dy() * h {
		for x := range b.Dx() * w {
			big.SetRGBA(x, y, m.RGBAAt(b.Min.X+x/w, b.Min.Y+y/h))
		}
	}
	return big
}

// categories is an axis of named cells; names that would not fit are left out.
func categories(name string, names []string, show bool, wide float64, more obj) obj {
	axis := obj{
		"type": "category", "data": names, "name": name, "nameLocation": "middle",
		"nameTextStyle": obj{"color": hexOf(quiet), "fontSize": 12},
		"axisLine":      obj{"show": false}, "axisTick": obj{"show": false}, "splitLine": obj{"show": false},
		"axisLabel": obj{"show": show, "interval": 0, "color": hexOf(ink), "fontSize": 11, "width": wide, "overflow": "truncate"},
	}
	for k, v := range more {
		axis[k] = v
	}
	return axis
}

// hidden is an axis from 0 to n that is not drawn: lines between cells stand
// on it.
func hidden(n int, more obj) obj {
	axis := obj{"type": "value", "min": 0, "max": n, "show": false}
	for k, v := range more {
		axis[k] = v
	}
	return axis
}
