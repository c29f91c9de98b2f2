package viz

import (
	"fmt"
	"image"
	"math"
	"math/cmplx"
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
	Grey    bool     // shades of grey and forms in place of colours, for print

	Names []string // name of each point, shown on hover; nil means none
	// Thumbs are images of the points, shown small on hover: one for each point,
	// nil for a point without. At most 500 travel with the picture, 0.5 MB; of
	// more images an even choice.
	Thumbs []image.Image

	Proxies    []float64 // m×2, row-major, drawn as crosses; nil means none
	ProxyLabel []int     // class of each proxy; nil means none

	Edges [][2]int // pairs of points joined by geodesics; nil means none
	// Tree is the parent of each node of a tree whose leaves are the points:
	// nodes 0 to n-1 are the points, inner nodes follow, the root has -1, as
	// hyphc.Tree numbers them. Its edges are drawn as geodesics. nil means none.
	Tree []int
	// Inner holds the inner nodes of Tree, k×2, row-major. nil means that each is
	// the lowest common ancestor of its children, as HypHC has it; of more than
	// two children, that of the neighbours that part nearest to the centre.
	Inner []float64

	// Clip is the radius in the disk at which embeddings were clipped, drawn as a
	// ring: tanh(√c r) for tangent vectors clipped at norm r. 0 means none.
	Clip float64
	// Clipped says of each point whether it was clipped; those get a circle
	// around them. nil means that points on the ring or outside of it were, which
	// holds where the points keep their distance from the centre.
	Clipped []bool

	Centre     []float64 // a point, (x, y), that comes to the centre by a Möbius translation; nil means none
	CentreMean bool      // the Fréchet mean of the points comes to the centre

	Size    float64 // diameter of a point in pixels; 0 means 5, and less above 2,000 points
	NoRings bool    // no rings of hyperbolic radius 1, 2, 3
}

// DiskFigure is a picture of points on the Poincaré disk.
type DiskFigure struct {
	forms
	swarm
	o       DiskOptions
	bad     error           // why it cannot be drawn
	centre  complex128      // where the centre of the picture lies in the disk of the points
	inner   []complex128    // inner nodes of the tree
	edges   [][2]complex128 // ends of Edges
	tree    [][2]complex128 // ends of the tree's edges
	ring    []complex128    // the clip's ring, from its top on
	clipped []int           // points
}

// Disk draws points of the unit disk, the Poincaré model of the plane of
// curvature -1: a point x of a ball of curvature -c belongs at √c x.
//
// xy is n×2, row-major; label holds the class of each row, or is nil. A label
// below zero means that the class is not known. Colours: up to eight classes by
// the palette of Okabe and Ito; more classes by superclass where Super is
// given, else by repeated shades with other markers. Dashed rings stand at
// distance 1, 2 and 3 from the centre of the picture, which is radius tanh(r/2);
// in a ball of curvature -c these are the distances r/√c.
//
// In the interactive form a click on a point brings it to the centre, by a
// Möbius translation of all that lies in the disk, and a double click brings
// the first view back. A wheel turned with shift zooms, and the legend shows
// and hides groups. Above 20,000 points coordinates travel packed, four bytes a
// point, which chest's own pages read and ECharts alone does not, and in SVG and
// PDF the points are one image.
//
// Disk keeps copies of the numbers. A row that is not finite or lies outside the
// disk, and a Tree that is none, are errors of Option, PNG, SVG and PDF. Disk
// panics when lengths do not fit or Edges name points that are not there.
func Disk(xy []float64, label []int, o DiskOptions) *DiskFigure {
	f := &DiskFigure{o: o, swarm: newSwarm("disk", xy, label, looks{
		title: o.Title, method: o.Method, note: o.Note,
		classes: o.Classes, super: o.Super, supers: o.Supers, byClass: o.ByClass, grey: o.Grey,
		names: o.Names, thumbs: o.Thumbs, proxies: o.Proxies, proxyLabel: o.ProxyLabel, size: o.Size,
	})}
	f.forms = forms{f}
	f.checkShapes()
	if f.bad = f.fault(); f.bad == nil {
		f.bad = f.faultOfOptions()
	}
	if f.bad == nil {
		f.bad = f.arrange()
	}
	return f
}

// checkShapes panics when the options do not fit to the points.
func (f *DiskFigure) checkShapes() {
	o, n := f.o, len(f.xy)/2
	for k, e := range o.Edges {
		if min(e[0], e[1]) < 0 || max(e[0], e[1]) >= n {
			panic(fmt.Sprintf("viz: disk: edge %d joins points %d and %d of %d", k, e[0], e[1], n))
		}
	}
	switch {
	case o.Clipped != nil && len(o.Clipped) != n:
		panic(fmt.Sprintf("viz: disk: Clipped says %d of %d points", len(o.Clipped), n))
	case o.Centre != nil && len(o.Centre) != 2:
		panic(fmt.Sprintf("viz: disk: Centre has %d numbers, want 2", len(o.Centre)))
	case o.Tree != nil && len(o.Tree) < n:
		panic(fmt.Sprintf("viz: disk: Tree has %d nodes for %d points", len(o.Tree), n))
	case o.Inner != nil && len(o.Inner) != 2*(len(o.Tree)-n):
		panic(fmt.Sprintf("viz: disk: Inner has %d numbers for %d inner nodes, want two each", len(o.Inner), len(o.Tree)-n))
	}
}

// faultOfOptions returns the first number of the options that is not a point of
// the disk as an error.
func (f *DiskFigure) faultOfOptions() error {
	for i := range len(f.o.Inner) / 2 {
		if err := f.faultAt(f.o.Inner, i, fmt.Sprintf("inner node %d", i+len(f.xy)/2)); err != nil {
			return err
		}
	}
	if f.o.Centre != nil {
		if r := math.Hypot(f.o.Centre[0], f.o.Centre[1]); !(r < 1) {
			return fmt.Errorf("viz: disk: Centre is (%g, %g); want a point inside the unit disk", f.o.Centre[0], f.o.Centre[1])
		}
	}
	if !(f.o.Clip >= 0 && f.o.Clip <= 1) {
		return fmt.Errorf("viz: disk: Clip is %g; want a radius in the disk, 0 to 1: tanh(√c r) for a clip at norm r", f.o.Clip)
	}
	return nil
}

// arrange finds what hangs on the points, then moves all to the centre asked
// for.
func (f *DiskFigure) arrange() error {
	z := complexes(f.xy)
	if err := f.plant(z); err != nil {
		return err
	}
	for i := range z {
		if f.o.Clipped != nil && f.o.Clipped[i] || f.o.Clipped == nil && f.o.Clip > 0 && cmplx.Abs(z[i]) >= f.o.Clip-1e-6 {
			f.clipped = append(f.clipped, i)
		}
	}
	if f.o.Clip > 0 {
		for k := range 121 {
			f.ring = append(f.ring, cmplx.Rect(f.o.Clip, math.Pi/2+2*math.Pi*float64(k)/120))
		}
	}
	switch {
	case f.o.Centre != nil:
		f.centre = inside(complex(f.o.Centre[0], f.o.Centre[1]))
	case f.o.CentreMean:
		f.centre = frechetMean(z)
	}
	if f.centre != 0 {
		f.move(z)
	}
	for _, e := range f.o.Edges {
		f.edges = append(f.edges, [2]complex128{z[e[0]], z[e[1]]})
	}
	nodes := slices.Concat(z, f.inner)
	for i, p := range f.o.Tree {
		if p >= 0 {
			f.tree = append(f.tree, [2]complex128{nodes[i], nodes[p]})
		}
	}
	return nil
}

// move brings the centre asked for to the middle: z, the points, and all else.
func (f *DiskFigure) move(z []complex128) {
	proxies := complexes(f.proxies)
	for _, all := range [][]complex128{z, proxies, f.inner, f.ring} {
		for i, p := range all {
			all[i] = towards(f.centre, inside(p))
		}
	}
	f.xy, f.proxies = rowsOf(z), rowsOf(proxies)
}

// caption says what the reader must know to trust the picture.
func (f *DiskFigure) caption() string {
	points, proxies := f.counts()
	rings, clip := "", ""
	if !f.o.NoRings {
		rings = "rings at distance 1, 2, 3"
		if f.o.Curvature > 0 && f.o.Curvature != 1 {
			rings = "rings at √c·d = 1, 2, 3"
		}
	}
	if f.o.Clip > 0 || f.o.Clipped != nil {
		clip = thousands(len(f.clipped)) + " clipped"
	}
	if f.o.Clip > 0 {
		clip += fmt.Sprintf(" at radius %.3g", f.o.Clip)
	}
	return join(" · ", f.method, points, proxies, f.curvature(), rings, clip, f.centred())
}

// curvature is "c = 0.1", or "" where it is not said.
func (f *DiskFigure) curvature() string {
	if f.o.Curvature > 0 {
		return fmt.Sprintf("c = %g", f.o.Curvature)
	}
	return ""
}

// centred says what lies at the centre, if that was moved.
func (f *DiskFigure) centred() string {
	switch {
	case f.o.Centre != nil:
		return fmt.Sprintf("centred at (%.3g, %.3g)", f.o.Centre[0], f.o.Centre[1])
	case f.o.CentreMean:
		return "centred at the Fréchet mean"
	}
	return ""
}

// Alt says in one line what the picture shows.
func (f *DiskFigure) Alt() string {
	points, proxies := f.counts()
	tree := ""
	if f.o.Tree != nil {
		tree = "a tree of " + count(len(f.o.Tree), "node")
	}
	return join("; ", join(": ", "Poincaré disk", f.title), points, f.classCount(), proxies, tree, f.method, f.curvature(), f.centred(), f.note)
}

// entries are the lines of the legend.
func (f *DiskFigure) entries() []entry {
	all := f.swarm.entries()
	if len(f.clipped) > 0 {
		all = append(all, entry{name: "clipped", kind: entryRing})
	}
	if len(f.edges) > 0 {
		all = append(all, entry{name: "edges", kind: entryLine})
	}
	if len(f.tree) > 0 {
		all = append(all, entry{name: "tree", kind: entryLine})
	}
	return all
}

// ringRadius is the Euclidean radius of the circle of hyperbolic radius r in
// the unit disk of curvature -1.
//
//	d(0, x) = 2 artanh ‖x‖
func ringRadius(r float64) float64 { return math.Tanh(r / 2) }

// panel is the picture in a row of others.
func (f *DiskFigure) panel(side int) panelled {
	g := *f
	g.forms, g.lay = forms{&g}, f.lay.panel(side)
	return &g
}
