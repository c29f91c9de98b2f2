package viz

import (
	"fmt"
	"slices"

	"gonum.org/v1/plot/vg"
	vgdraw "gonum.org/v1/plot/vg/draw"
)

// panelled is a picture that can stand in a row of others of its kind: smaller,
// and without a legend of its own.
type panelled interface {
	painter
	panel(side int) panelled
	entries() []entry
	base() *swarm
}

// base is the swarm of a picture.
func (s *swarm) base() *swarm { return s }

// RowFigure is several pictures side by side.
type RowFigure struct {
	forms
	title         string
	parts         []painter
	corners       [][2]int // upper left corner of each part
	width, height int
	legend        []entry
	lay           layout // where the legend stands
}

// Places of a row of pictures, in pixels.
const (
	rowGap    = 8   // between pictures
	rowTitle  = 36  // height of the title
	rowLegend = 156 // width of the legend
)

// SideBySide is several figures as one: training and test classes on the disk,
// or the disk of D_H beside the plane of D_E.
//
//	viz.SideBySide("CHEST on CUB", viz.Disk(train, …), viz.Disk(test, …))
//
// Disks, planes and thumbnails become smaller and have one legend together, at
// the right, in which equal names have equal colours and others have others.
// Other figures keep their size. Up to three stand in a
// row, four are two rows of two, more are rows of three.
//
// SideBySide panics for no figure, and for one that is not of this package.
func SideBySide(title string, figures ...Figure) *RowFigure {
	f := &RowFigure{title: title}
	f.forms = forms{f}
	if len(figures) == 0 {
		panic("viz: side by side: no figure")
	}
	columns := min(len(figures), 3)
	if len(figures) == 4 {
		columns = 2
	}
	side := [...]int{diskSide, 400, 280}[columns-1]
	var squares []panelled
	for i, fig := range figures {
		p, ok := fig.(painter)
		if !ok {
			panic(fmt.Sprintf("viz: side by side: figure %d is a %T, which is not of this package", i+1, fig))
		}
		if s, ok := p.(panelled); ok {
			s = s.panel(side)
			squares = append(squares, s)
			p = s
		}
		f.parts = append(f.parts, p)
	}
	f.legend = together(squares)
	f.place(columns, len(squares) > 0)
	return f
}

// together is the common legend, in which a look stands for one name: a group
// keeps its look, or takes that of its name in an earlier picture, or the next
// free one.
func together(squares []panelled) (all []entry) {
	for _, s := range squares {
		b := s.base()
		b.groups = slices.Clone(b.groups)
		taken := slices.Clone(all)
		for i := range b.groups {
			g := &b.groups[i]
			b.dress(g, taken)
			taken = append(taken, entry{g.name, entryPoint, *g})
		}
		for _, e := range s.entries() {
			if !slices.ContainsFunc(all, func(o entry) bool { return o.name == e.name }) {
				all = append(all, e)
			}
		}
	}
	// what is no group stands last, once
	slices.SortStableFunc(all, func(a, b entry) int { return int(a.kind) - int(b.kind) })
	return all
}

// dress gives a group a look beside those that are taken.
func (s *swarm) dress(g *group, taken []entry) {
	free := func() bool {
		return !slices.ContainsFunc(taken, func(e entry) bool { return e.kind == entryPoint && e.color == g.color && e.mark == g.mark })
	}
	if k := slices.IndexFunc(taken, func(e entry) bool { return e.kind == entryPoint && e.name == g.name }); k >= 0 {
		g.color, g.mark = taken[k].color, taken[k].mark
		return
	}
	for i := 0; !free() && i < 96; i++ {
		g.color, g.mark = s.tint(i)
	}
}

// place finds the corners of the parts and the size of the whole.
func (f *RowFigure) place(columns int, legend bool) {
	y := 0
	if f.title != "" {
		y = rowTitle
	}
	top := y
	for from := 0; from < len(f.parts); from += columns {
		x, tall := 0, 0
		for _, p := range f.parts[from:min(from+columns, len(f.parts))] {
			w, h := p.bounds()
			f.corners = append(f.corners, [2]int{x, y})
			x, tall = x+w+rowGap, max(tall, h)
		}
		f.width, y = max(f.width, x-rowGap), y+tall
	}
	f.height = y
	if legend && (len(f.legend) > 1 || f.legend[0].name != "points") {
		f.lay = layout{left: 0, top: top + diskTop, side: max(y-top-diskTop-60, 120), legend: true}
		f.lay.width = f.width + rowLegend
		f.width = f.lay.width
	}
}

// bounds is the size of the picture.
func (f *RowFigure) bounds() (w, h int) { return f.width, f.height }

// script says whether a part needs the script of disks.
func (f *RowFigure) script() bool {
	return slices.ContainsFunc(f.parts, func(p painter) bool {
		s, ok := p.(interface{ script() bool })
		return ok && s.script()
	})
}

// photographic says whether a part has photographs.
func (f *RowFigure) photographic() bool {
	return slices.ContainsFunc(f.parts, photographic)
}

// Alt says in one line what the pictures show.
func (f *RowFigure) Alt() string {
	var all []string
	for _, p := range f.parts {
		all = append(all, p.Alt())
	}
	return join(": ", f.title, join(" | ", all...))
}

// paint draws the title, the parts and the legend.
func (f *RowFigure) paint(s *sheet) error {
	bold := sans(18, ink, true)
	s.text(diskLeft, 10, bold, cut(bold, f.title, float64(f.width-2*diskLeft)))
	for i, p := range f.parts {
		if err := s.part(p, float64(f.corners[i][0]), float64(f.corners[i][1])); err != nil {
			return err
		}
	}
	if f.lay.legend {
		drawLegend(s, f.legendLayout(), f.legend)
	}
	return nil
}

// legendLayout is a layout whose square ends where the legend begins.
func (f *RowFigure) legendLayout() layout {
	l := f.lay
	l.left = f.width - rowLegend - l.side
	return l
}

// part paints p with its upper left corner at (x, y).
func (s *sheet) part(p painter, x, y float64) error {
	w, h := p.bounds()
	to := &sheet{w: float64(w), h: float64(h), vector: s.vector}
	to.Canvas = vgdraw.Canvas{Canvas: s.Canvas.Canvas, Rectangle: vg.Rectangle{Max: vg.Point{X: vg.Length(w) * px, Y: vg.Length(h) * px}}}
	s.Push()
	defer s.Pop()
	s.Translate(s.at(x, y+to.h))
	return p.paint(to)
}
