package viz

import (
	"encoding/json"
	"image/color"
	"math"
	"strconv"
	"strings"
)

// bounds is the size of the picture.
func (f *DiskFigure) bounds() (w, h int) { return f.boundsWith(f.caption()) }

// script is that of moving disks.
func (f *DiskFigure) script() bool { return true }

// Option is the picture as an ECharts option. A row that is not finite or not
// in the disk is an error that names its series.
func (f *DiskFigure) Option() ([]byte, error) {
	if f.bad != nil {
		return nil, f.bad
	}
	o := f.option(f.caption(), f.entries())
	o.Series = []any{circleLine(1, ink, 1.5, "solid")}
	if !f.o.NoRings {
		for r := 1.0; r <= 3; r++ {
			o.Series = append(o.Series, circleLine(ringRadius(r), faint, 1, "dashed"))
		}
		o.Series = append(o.Series, ringLabels())
	}
	o.Series = append(o.Series, f.clipRing()...)
	o.Series = append(o.Series, f.lines()...)
	for _, g := range f.groups {
		o.Series = append(o.Series, f.points(g, true))
	}
	if len(f.clipped) > 0 {
		o.Series = append(o.Series, f.clippedMarks())
	}
	if len(f.proxies) > 0 {
		o.Series = append(o.Series, f.proxySeries(true))
	}
	return json.Marshal(o)
}

// option is all of a square picture but its series.
func (s *swarm) option(caption string, entries []entry) option {
	l := s.lay
	return option{
		Background: "#ffffff",
		Title:      s.titles(caption),
		Legend:     legendFor(l, entries, s.tells(entries)),
		Tooltip:    tooltipOption{Trigger: "item", Confine: true},
		Grid:       boxOption{l.left, l.top, l.side, l.side},
		X:          axisOption{Type: "value", Min: l.x - l.half, Max: l.x + l.half},
		Y:          axisOption{Type: "value", Min: l.y - l.half, Max: l.y + l.half},
		Zoom:       shiftZoom(),
	}
}

// titles are the title above and the caption below.
func (s *swarm) titles(caption string) []titleOption {
	l := s.lay
	return []titleOption{
		{s.title, l.left, 8, textOption{Color: hexOf(ink), Size: 16, Weight: "bold", Width: l.width - 2*l.left, Overflow: "truncate"}},
		{strings.Join(s.foot(caption), "\n"), l.left, l.top + l.side + 4, textOption{Color: hexOf(quiet), Size: 12, Line: footLine, Weight: "normal"}},
	}
}

// lineIcon is the legend's mark of lines.
const lineIcon = "path://M0,5L12,5L12,6.5L0,6.5Z"

// legendFor stands at the right and scrolls when it is long.
func legendFor(l layout, entries []entry, show bool) legendOption {
	left := l.left + l.side + 10
	o := legendOption{
		Show: show, Type: "scroll", Orient: "vertical",
		Left: left, Top: l.top, Height: l.side, Width: 12, Tall: 14,
		Style:   textOption{Color: hexOf(ink), Size: 12, Width: l.width - left - 34, Overflow: "truncate"},
		Tooltip: showOption{true}, Data: []any{},
	}
	for _, e := range entries {
		if e.kind == entryLine {
			o.Data = append(o.Data, legendItem{e.name, lineIcon})
		} else {
			o.Data = append(o.Data, e.name)
		}
	}
	return o
}

// shiftZoom zooms both axes at once, so that the disk stays round.
func shiftZoom() []zoomOption {
	zero := 0
	z := zoomOption{Type: "inside", Filter: "none", Wheel: "shift", Move: "shift"}
	x, y := z, z
	x.X, y.Y = &zero, &zero
	return []zoomOption{x, y}
}

// circleLine is a circle around the centre, as 120 chords: they leave it by at
// most a tenth of a pixel.
func circleLine(r float64, c color.RGBA, width float64, dash string) lineOption {
	l := lineOption{Type: "line", Silent: true, Symbol: "none", Z: 1, Style: strokeOption{Color: hexOf(c), Width: width, Type: dash}}
	for k := range 121 {
		s, c := math.Sincos(2 * math.Pi * float64(k) / 120)
		l.Data = append(l.Data, [2]float64{round4(r * c), round4(r * s)})
	}
	return l
}

// ringLabels are the numbers of the rings, below the centre.
func ringLabels() labelsOption {
	l := labels()
	for r := 1.0; r <= 3; r++ {
		l.Data = append(l.Data, []any{0, round4(-ringRadius(r)), strconv.Itoa(int(r))})
	}
	return l
}

// labels is a series of texts without any.
func labels() labelsOption {
	name := 2
	return labelsOption{
		Type: "scatter", Silent: true, Z: 1, Encode: encode{0, 1, &name},
		Label: textLabel{Show: true, Position: "inside", Formatter: "{b}", Color: hexOf(grey), Size: 10, Background: "#ffffff", Padding: [2]int{1, 3}},
	}
}

// clipRing is the ring of the clip and its name at the top.
func (f *DiskFigure) clipRing() []any {
	if f.ring == nil {
		return nil
	}
	l := lineOption{Type: "line", Silent: true, Symbol: "none", Z: 1, Style: strokeOption{Color: hexOf(clipColor), Width: 1.5, Type: "dotted"}, Chest: &chestOption{Move: "points"}}
	for _, z := range f.ring {
		l.Data = append(l.Data, fine(z))
	}
	name := labels()
	at := fine(f.ring[0])
	name.Data = append(name.Data, []any{at[0], at[1], "clip"})
	name.Label.Color, name.Z, name.Chest = hexOf(clipColor), 4, &chestOption{Move: "points"}
	return []any{l, name}
}

// clippedMarks are circles around the points that were clipped.
func (f *DiskFigure) clippedMarks() scatterOption {
	s := scatterOption{
		Type: "scatter", Name: "clipped", Symbol: "circle", Size: f.diameter() + 4, Z: 2, Silent: true,
		Style:   itemOption{Color: "transparent", Opacity: 1, BorderColor: hexOf(clipColor), BorderWidth: 1},
		Tooltip: tooltipOption{Trigger: "item"}, Encode: encode{X: 0, Y: 1}, Chest: &chestOption{Move: "points"},
	}
	rows := make([][2]float64, len(f.clipped))
	for k, i := range f.clipped {
		rows[k] = fine(complex(f.xy[2*i], f.xy[2*i+1]))
	}
	s.Data = rows
	return s
}

// lines are the edges, the edges of the tree and its inner nodes.
func (f *DiskFigure) lines() (all []any) {
	for _, e := range []struct {
		name  string
		ends  [][2]complex128
		style strokeOption
	}{{"edges", f.edges, edgeStroke}, {"tree", f.tree, treeStroke}} {
		if len(e.ends) == 0 {
			continue
		}
		l := linesOption{Type: "lines", System: "cartesian2d", Polyline: true, Name: e.name, Silent: true, Z: 1, Style: e.style, Chest: &chestOption{Move: "arcs"}}
		for _, ends := range e.ends {
			var path [][2]float64
			for _, z := range arc(ends[0], ends[1]) {
				path = append(path, fine(z))
			}
			l.Data = append(l.Data, path)
		}
		all = append(all, l)
	}
	if len(f.inner) > 0 {
		s := scatterOption{
			Type: "scatter", Name: "tree", Symbol: "circle", Size: innerSize, Z: 1, Silent: true,
			Style: itemOption{Color: hexOf(ink), Opacity: 1}, Tooltip: tooltipOption{Trigger: "item"}, Encode: encode{X: 0, Y: 1}, Chest: &chestOption{Move: "points"},
		}
		rows := make([][2]float64, len(f.inner))
		for i, z := range f.inner {
			rows[i] = fine(z)
		}
		s.Data = rows
		all = append(all, s)
	}
	return all
}

// The looks of what is neither a point nor a ring.
var (
	clipColor  = ink
	edgeStroke = strokeOption{Color: hexOf(quiet), Width: 0.8, Type: "solid", Opacity: 0.5}
	treeStroke = strokeOption{Color: hexOf(ink), Width: 0.8, Type: "solid", Opacity: 0.7}
)

// innerSize is the diameter of an inner node in pixels.
const innerSize = 2.5

// fine rounds a point to a fortieth of a pixel at the centre, and finer towards
// the boundary: also after another point comes to the centre.
func fine(z complex128) [2]float64 {
	room := 1 - real(z)*real(z) - imag(z)*imag(z)
	digits := 4.0
	if room > 0 && room < 1 {
		digits = min(4-math.Floor(math.Log10(room)), 9)
	}
	at := func(x float64) float64 { s := math.Pow(10, digits); return math.Round(x*s)/s + 0 }
	return [2]float64{at(real(z)), at(imag(z))}
}
