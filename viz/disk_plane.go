package viz

import (
	"encoding/json"
	"image"

	"gonum.org/v1/plot/vg"
)

// PlaneOptions says how Plane draws. The zero value draws the points by class.
type PlaneOptions struct {
	Title  string // above the picture; "" means none
	Method string // how the points came to two dimensions, for the caption: "PCA"
	Note   string // a second line of the caption

	Classes []string // name of each class; a class without one is called "class 7"
	Super   []int    // superclass of each class; nil means none
	Supers  []string // name of each superclass
	ByClass bool     // colour by class where more than eight classes would be coloured by superclass
	Grey    bool     // shades of grey and forms in place of colours, for print

	Names  []string      // name of each point, shown on hover; nil means none
	Thumbs []image.Image // images of the points, shown small on hover, as in DiskOptions

	Proxies    []float64 // m×2, row-major, drawn as crosses; nil means none
	ProxyLabel []int     // class of each proxy; nil means none

	Size float64 // diameter of a point in pixels; 0 means 5, and less above 2,000 points
}

// PlaneFigure is a picture of points of the Euclidean plane.
type PlaneFigure struct {
	forms
	swarm
	bad error
}

// Plane draws points of the Euclidean plane in a square frame, such as PCA or
// UMAP of the Euclidean embeddings beside the Disk of the hyperbolic ones:
//
//	viz.SideBySide("CHEST, test classes", viz.Disk(h, label, …), viz.Plane(e, label, …))
//
// xy is n×2, row-major; label holds the class of each row, or is nil; below zero
// means that the class is not known. Both axes have the same unit and no
// numbers: what counts is who lies near whom. Colours, names and packing are
// those of Disk.
//
// Plane keeps copies of the numbers. A row that is not finite is an error of
// Option, PNG, SVG and PDF. Plane panics when lengths do not fit.
func Plane(xy []float64, label []int, o PlaneOptions) *PlaneFigure {
	f := &PlaneFigure{swarm: newSwarm("plane", xy, label, looks{
		title: o.Title, method: o.Method, note: o.Note,
		classes: o.Classes, super: o.Super, supers: o.Supers, byClass: o.ByClass, grey: o.Grey,
		names: o.Names, thumbs: o.Thumbs, proxies: o.Proxies, proxyLabel: o.ProxyLabel, size: o.Size,
	})}
	f.forms = forms{f}
	f.lay.flat = true
	if f.bad = f.fault(); f.bad == nil {
		f.fit()
	}
	return f
}

// bounds is the size of the picture.
func (f *PlaneFigure) bounds() (w, h int) { return f.boundsWith(f.caption()) }

// script is that of disks: it unpacks points and shows images.
func (f *PlaneFigure) script() bool { return true }

// caption says what the reader must know to trust the picture.
func (f *PlaneFigure) caption() string {
	points, proxies := f.counts()
	return join(" · ", f.method, points, proxies)
}

// Alt says in one line what the picture shows.
func (f *PlaneFigure) Alt() string {
	points, proxies := f.counts()
	return join("; ", join(": ", "Plane", f.title), points, f.classCount(), proxies, f.method, f.note)
}

// Option is the picture as an ECharts option. A row that is not finite is an
// error that names its series.
func (f *PlaneFigure) Option() ([]byte, error) {
	if f.bad != nil {
		return nil, f.bad
	}
	o := f.option(f.caption(), f.entries())
	o.Series = []any{frameLine(f.lay)}
	for _, g := range f.groups {
		o.Series = append(o.Series, f.points(g, false))
	}
	if len(f.proxies) > 0 {
		o.Series = append(o.Series, f.proxySeries(false))
	}
	return json.Marshal(o)
}

// paint draws the whole picture.
func (f *PlaneFigure) paint(s *sheet) error {
	if f.bad != nil {
		return f.bad
	}
	f.drawTexts(s, f.caption())
	if all := f.entries(); f.tells(all) {
		drawLegend(s, f.lay, all)
	}
	drawFrame(s, f.lay)
	f.drawPoints(s)
	f.drawProxies(s)
	return nil
}

// panel is the picture in a row of others.
func (f *PlaneFigure) panel(side int) panelled {
	g := *f
	g.forms, g.lay = forms{&g}, f.lay.panel(side)
	return &g
}

// frameLine is the frame of a plane.
func frameLine(l layout) lineOption {
	o := lineOption{Type: "line", Silent: true, Symbol: "none", Z: 1, Style: strokeOption{Color: hexOf(faint), Width: 1, Type: "solid"}}
	for _, c := range [][2]float64{{-1, -1}, {1, -1}, {1, 1}, {-1, 1}, {-1, -1}} {
		o.Data = append(o.Data, [2]float64{l.x + l.half*c[0], l.y + l.half*c[1]})
	}
	return o
}

// drawFrame draws it.
func drawFrame(s *sheet, l layout) {
	x, y, side := float64(l.left), float64(l.top), float64(l.side)
	path := []vg.Point{s.at(x, y), s.at(x+side, y), s.at(x+side, y+side), s.at(x, y+side), s.at(x, y)}
	s.StrokeLines(stroke(faint, 1, false), path)
}
