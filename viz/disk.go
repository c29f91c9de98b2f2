package viz

import (
	"fmt"
	"image/color"
	"math"
	"slices"
)

// DiskOptions says how Disk draws. The zero value draws the points by class,
// with rings and without names.
type DiskOptions struct {
	Title     string  // above the picture; "" means none
	Method    string  // how the points came to two dimensions, for the caption: "tangent PCA"
	Note      string  // a second line of the caption
	Curvature float64 // c of the ball the points come from, for the caption; 0 means not said

	Classes []string // name of each class; a class without one is called "class 7"
	Super   []int    // superclass of each class; nil means none
	Supers  []string // name of each superclass
	ByClass bool     // colour by class where more than eight classes would be coloured by superclass

	Names []string // name of each point, shown on hover; nil means none

	Proxies    []float64 // m×2, row-major, drawn as crosses; nil means none
	ProxyLabel []int     // class of each proxy; nil means none

	Size    float64 // diameter of a point in pixels; 0 means 5, and less above 2,000 points
	NoRings bool    // no rings of hyperbolic radius 1, 2, 3
}

// DiskFigure is a picture of points on the Poincaré disk.
type DiskFigure struct {
	forms
	o       DiskOptions
	xy      []float64
	label   []int
	groups  []group
	bySuper bool
	classes int // different labels among the points
}

// group is the points of one colour.
type group struct {
	name  string
	color color.RGBA
	mark  marker
	rows  []int // of xy
}

// Disk draws points of the unit disk, the Poincaré model of the plane of
// curvature -1: a point x of a ball of curvature -c belongs at √c x.
//
// xy is n×2, row-major; label holds the class of each row, or is nil. A label
// below zero means that the class is not known. Colours: up to eight classes by
// the palette of Okabe and Ito; more classes by superclass where Super is
// given, else by repeated shades with other markers. Dashed rings stand at
// distance 1, 2 and 3 from the centre, which is radius tanh(r/2); in a ball of
// curvature -c these are the distances r/√c. In the interactive form a wheel
// turned with shift zooms, and the legend shows and hides groups.
//
// Disk keeps copies of xy, label and Proxies. A row that is not finite or lies
// outside the disk is an error of Option and PNG. Disk panics when the lengths
// of xy, label, Names, Proxies and ProxyLabel do not fit.
func Disk(xy []float64, label []int, o DiskOptions) *DiskFigure {
	checkShapes(xy, label, o)
	o.Proxies = slices.Clone(o.Proxies)
	f := &DiskFigure{o: o, xy: slices.Clone(xy), label: slices.Clone(label)}
	f.forms = forms{f}
	ids := slices.Clone(label)
	slices.Sort(ids)
	ids = slices.Compact(ids)
	f.classes = len(ids)
	if len(ids) > 0 && ids[0] < 0 {
		f.classes = len(slices.DeleteFunc(slices.Clone(ids), func(l int) bool { return l < 0 }))
	}
	f.bySuper = o.Super != nil && !o.ByClass && f.classes > len(okabe)
	f.gather()
	return f
}

// checkShapes panics when the slices do not fit together.
func checkShapes(xy []float64, label []int, o DiskOptions) {
	n := len(xy) / 2
	switch {
	case len(xy)%2 != 0:
		panic(fmt.Sprintf("viz: disk: xy has %d numbers, want n×2", len(xy)))
	case label != nil && len(label) != n:
		panic(fmt.Sprintf("viz: disk: %d labels for %d points", len(label), n))
	case o.Names != nil && len(o.Names) != n:
		panic(fmt.Sprintf("viz: disk: %d names for %d points", len(o.Names), n))
	case len(o.Proxies)%2 != 0:
		panic(fmt.Sprintf("viz: disk: Proxies has %d numbers, want m×2", len(o.Proxies)))
	case o.ProxyLabel != nil && len(o.ProxyLabel) != len(o.Proxies)/2:
		panic(fmt.Sprintf("viz: disk: %d labels for %d proxies", len(o.ProxyLabel), len(o.Proxies)/2))
	}
}

// gather sorts the points into groups of one colour.
func (f *DiskFigure) gather() {
	rows := map[int][]int{}
	for i := range len(f.xy) / 2 {
		g := f.groupOf(f.labelOf(i))
		rows[g] = append(rows[g], i)
	}
	var ids []int
	for id := range rows {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	rank := 0
	for _, id := range ids {
		g := group{name: f.groupName(id), rows: rows[id]}
		g.color, g.mark = grey, circle
		if id >= 0 {
			g.color, g.mark = look(f.tint(id, rank))
			rank++
		}
		f.groups = append(f.groups, g)
	}
}

// tint is the place of a group in the row of looks: its own number where all
// groups there can be have a colour, so that two pictures of the same classes
// agree; else its rank among those that are there.
func (f *DiskFigure) tint(id, rank int) int {
	known := len(f.o.Classes)
	if f.bySuper {
		known = len(f.o.Supers)
	}
	if id < known && known <= len(okabe) {
		return id
	}
	return rank
}

// labelOf is the class of point i; 0 where no labels were given.
func (f *DiskFigure) labelOf(i int) int {
	if f.label == nil {
		return 0
	}
	return f.label[i]
}

// groupOf is the group of a class: itself or its superclass; below 0 means none.
func (f *DiskFigure) groupOf(class int) int {
	if class >= 0 && f.bySuper {
		if class >= len(f.o.Super) {
			return -1 // check reports it
		}
		return max(f.o.Super[class], -1)
	}
	return max(class, -1)
}

// groupName is the name of a group in the legend.
func (f *DiskFigure) groupName(id int) string {
	switch {
	case f.label == nil:
		return "points"
	case id < 0:
		return "no label"
	case f.bySuper:
		return nameOf(f.o.Supers, id, "superclass")
	}
	return nameOf(f.o.Classes, id, "class")
}

// nameOf is the name of thing i.
func nameOf(names []string, i int, kind string) string {
	if i < len(names) && names[i] != "" {
		return names[i]
	}
	return fmt.Sprintf("%s %d", kind, i)
}

// check returns the first row that cannot be drawn as an error.
func (f *DiskFigure) check() error {
	for _, g := range f.groups {
		for k, i := range g.rows {
			if err := checkPoint(f.xy, i, fmt.Sprintf("series %q row %d (point %d)", g.name, k, i)); err != nil {
				return err
			}
		}
	}
	for i := range len(f.o.Proxies) / 2 {
		if err := checkPoint(f.o.Proxies, i, fmt.Sprintf("series \"proxies\" row %d", i)); err != nil {
			return err
		}
	}
	for i, l := range f.label {
		if f.bySuper && l >= len(f.o.Super) {
			return fmt.Errorf("viz: disk: point %d has label %d, but Super names the superclass of %d classes", i, l, len(f.o.Super))
		}
	}
	return nil
}

// checkPoint returns an error when row i of xy is not a point of the disk.
func checkPoint(xy []float64, i int, where string) error {
	x, y := xy[2*i], xy[2*i+1]
	if !finite(x) || !finite(y) {
		return fmt.Errorf("viz: disk: %s is (%g, %g); a picture needs finite numbers", where, x, y)
	}
	if r := math.Hypot(x, y); r > 1+1e-6 {
		return fmt.Errorf("viz: disk: %s lies at radius %.6g, outside the unit disk; scale points of a ball by √c", where, r)
	}
	return nil
}

// caption says what the reader must know to trust the picture.
func (f *DiskFigure) caption() string {
	c, rings := "", ""
	if f.o.Curvature > 0 {
		c = fmt.Sprintf("c = %g", f.o.Curvature)
	}
	if !f.o.NoRings {
		rings = "rings at distance 1, 2, 3"
		if f.o.Curvature > 0 && f.o.Curvature != 1 {
			rings = "rings at √c·d = 1, 2, 3"
		}
	}
	return join(" · ", f.o.Method, count(len(f.xy)/2, "point"), f.proxyCount(), c, rings)
}

// proxyCount is "30 proxies", or "" where there are none.
func (f *DiskFigure) proxyCount() string {
	switch n := len(f.o.Proxies) / 2; n {
	case 0:
		return ""
	case 1:
		return "1 proxy"
	default:
		return thousands(n) + " proxies"
	}
}

// Alt says in one line what the picture shows.
func (f *DiskFigure) Alt() string {
	what := "Poincaré disk"
	if f.o.Title != "" {
		what += ": " + f.o.Title
	}
	classes, c := "", ""
	if f.label != nil {
		classes = count(f.classes, "class")
	}
	if f.o.Curvature > 0 {
		c = fmt.Sprintf("c = %g", f.o.Curvature)
	}
	return join("; ", what, count(len(f.xy)/2, "point"), classes, f.proxyCount(), f.o.Method, c, f.o.Note)
}

// size is the diameter of a point in pixels.
func (f *DiskFigure) size() float64 {
	switch n := len(f.xy) / 2; {
	case f.o.Size > 0:
		return f.o.Size
	case n <= 2000:
		return 5
	case n <= 6000:
		return 4
	default:
		return 3
	}
}

// ringRadius is the Euclidean radius of the circle of hyperbolic radius r in
// the unit disk of curvature -1.
//
//	d(0, x) = 2 artanh ‖x‖
func ringRadius(r float64) float64 { return math.Tanh(r / 2) }
