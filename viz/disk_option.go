package viz

import (
	"encoding/json"
	"image/color"
	"math"
	"strconv"
)

// Places of the disk's picture, in pixels. The plot area is a square, so that
// the disk is a circle; both axes reach to ±diskReach.
const (
	diskWidth  = 720
	diskHeight = 620
	diskLeft   = 12
	diskTop    = 40
	diskSide   = 540
	diskReach  = 1.02
	legendLeft = diskLeft + diskSide + 10

	largeFrom = 3000 // points of one series that are drawn in the fast way
	opacity   = 0.75 // of points
)

// cross is a diagonal cross as an outline: ECharts has no such symbol.
const cross = "path://M3,0L0,3L3,6L0,9L3,12L6,9L9,12L12,9L9,6L12,3L9,0L6,3Z"

// Option is the picture as an ECharts option. A row that is not finite or not
// in the disk is an error that names its series.
func (f *DiskFigure) Option() ([]byte, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	o := option{
		Background: "#ffffff",
		Title:      f.titles(),
		Legend:     f.legend(),
		Tooltip:    tooltipOption{Trigger: "item", Confine: true},
		Grid:       boxOption{diskLeft, diskTop, diskSide, diskSide},
		X:          axisOption{Type: "value", Min: -diskReach, Max: diskReach},
		Y:          axisOption{Type: "value", Min: -diskReach, Max: diskReach},
		Zoom:       shiftZoom(),
		Series:     []any{circleLine(1, ink, 1.5, "solid")},
	}
	if !f.o.NoRings {
		for r := 1.0; r <= 3; r++ {
			o.Series = append(o.Series, circleLine(ringRadius(r), faint, 1, "dashed"))
		}
		o.Series = append(o.Series, ringLabels())
	}
	for _, g := range f.groups {
		o.Series = append(o.Series, f.points(g))
	}
	if len(f.o.Proxies) > 0 {
		o.Series = append(o.Series, f.proxies())
	}
	return json.Marshal(o)
}

// titles are the title above and the caption below.
func (f *DiskFigure) titles() []titleOption {
	t := []titleOption{
		{f.o.Title, diskLeft, 8, textOption{Color: hexOf(ink), Size: 16, Weight: "bold"}},
		{f.caption(), diskLeft, diskTop + diskSide + 4, textOption{Color: hexOf(quiet), Size: 12, Weight: "normal"}},
	}
	if f.o.Note != "" {
		t = append(t, titleOption{f.o.Note, diskLeft, diskTop + diskSide + 20, t[1].Style})
	}
	return t
}

// legend stands at the right and scrolls when it is long.
func (f *DiskFigure) legend() legendOption {
	l := legendOption{
		Show: f.label != nil || len(f.o.Proxies) > 0, Type: "scroll", Orient: "vertical",
		Left: legendLeft, Top: diskTop, Height: diskSide, Width: 12, Tall: 14,
		Style:   textOption{Color: hexOf(ink), Size: 12, Width: diskWidth - legendLeft - 34, Overflow: "truncate"},
		Tooltip: showOption{true}, Data: []string{},
	}
	for _, g := range f.groups {
		l.Data = append(l.Data, g.name)
	}
	if len(f.o.Proxies) > 0 {
		l.Data = append(l.Data, "proxies")
	}
	return l
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
	l := lineOption{Type: "line", Silent: true, Symbol: "none", Z: 1, Style: strokeOption{hexOf(c), width, dash}}
	for k := range 121 {
		s, c := math.Sincos(2 * math.Pi * float64(k) / 120)
		l.Data = append(l.Data, [2]float64{round4(r * c), round4(r * s)})
	}
	return l
}

// ringLabels are the numbers of the rings, below the centre.
func ringLabels() labelsOption {
	name := 2
	l := labelsOption{
		Type: "scatter", Silent: true, Z: 1, Encode: encode{0, 1, &name},
		Label: textLabel{Show: true, Position: "inside", Formatter: "{b}", Color: hexOf(grey), Size: 10, Background: "#ffffff", Padding: [2]int{1, 3}},
	}
	for r := 1.0; r <= 3; r++ {
		l.Data = append(l.Data, []any{0, round4(-ringRadius(r)), strconv.Itoa(int(r))})
	}
	return l
}

// points is the series of one group. A row is [x, y] or [x, y, hover text].
func (f *DiskFigure) points(g group) scatterOption {
	s := scatterOption{
		Type: "scatter", Name: g.name, Symbol: symbols[g.mark], Size: f.size(), Z: 2,
		Style: itemOption{Color: hexOf(g.color), Opacity: opacity}, Emphasis: &focusOption{"series"},
		Tooltip: tooltipOption{Trigger: "item", Formatter: "{a}"}, Encode: encode{X: 0, Y: 1},
	}
	if len(g.rows) > largeFrom {
		s.Large, s.Threshold = true, largeFrom
	}
	named := f.o.Names != nil || f.bySuper
	if named {
		name := 2
		s.Encode.Name, s.Tooltip.Formatter = &name, "{a}<br>{b}"
	}
	rows := make([][]any, len(g.rows))
	for k, i := range g.rows {
		rows[k] = []any{round4(f.xy[2*i]), round4(f.xy[2*i+1])}
		if named {
			rows[k] = append(rows[k], f.hover(i))
		}
	}
	s.Data = rows
	return s
}

// hover is what the tooltip says of point i beside the name of its group.
func (f *DiskFigure) hover(i int) string {
	class, name := "", ""
	if l := f.labelOf(i); f.bySuper && l >= 0 {
		class = nameOf(f.o.Classes, l, "class")
	}
	if f.o.Names != nil {
		name = f.o.Names[i]
	}
	return join(" · ", class, name)
}

// proxies are crosses in a darker shade of their class.
func (f *DiskFigure) proxies() scatterOption {
	s := scatterOption{
		Type: "scatter", Name: "proxies", Symbol: cross, Size: 11, Z: 3,
		Style:   itemOption{Color: hexOf(ink), Opacity: 1, BorderColor: "#ffffff", BorderWidth: 1},
		Tooltip: tooltipOption{Trigger: "item", Formatter: "proxy<br>{b}"}, Encode: encode{X: 0, Y: 1},
	}
	data := make([]markedPoint, len(f.o.Proxies)/2)
	for i := range data {
		c, name := f.proxyLook(i)
		style := s.Style
		style.Color = hexOf(c)
		data[i] = markedPoint{[2]float64{round4(f.o.Proxies[2*i]), round4(f.o.Proxies[2*i+1])}, name, style}
	}
	s.Data = data
	return s
}

// proxyLook is the colour and the class name of proxy i: the colour of its
// group, darker to stand out among the points, where that has points; else
// black.
func (f *DiskFigure) proxyLook(i int) (color.RGBA, string) {
	if f.label == nil || f.o.ProxyLabel == nil || f.o.ProxyLabel[i] < 0 {
		return ink, ""
	}
	class := f.o.ProxyLabel[i]
	name := f.groupName(f.groupOf(class))
	for _, g := range f.groups {
		if g.name == name {
			return mix(g.color, color.RGBA{}, 0.35), nameOf(f.o.Classes, class, "class")
		}
	}
	return ink, nameOf(f.o.Classes, class, "class")
}
