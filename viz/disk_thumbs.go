package viz

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"image"
	"math"
	"slices"

	"gonum.org/v1/plot/vg"
)

// ThumbnailOptions says how Thumbnails draws. The zero value draws on the
// Poincaré disk, in cells of 30 pixels.
type ThumbnailOptions struct {
	Title  string // above the picture; "" means none
	Method string // how the points came to two dimensions, for the caption: "UMAP"
	Note   string // a second line of the caption

	Classes []string // name of each class; a class without one is called "class 7"
	Super   []int    // superclass of each class; nil means none
	Supers  []string // name of each superclass
	ByClass bool     // colour by class where more than eight classes would be coloured by superclass
	Grey    bool     // shades of grey in place of colours, for print

	Names []string // name of each point, shown on hover; nil means none

	Cell int  // side of a cell in pixels, at least 8; 0 means 30
	Flat bool // the points are of the Euclidean plane, not of the disk
}

// ThumbnailFigure is a picture of images where their points lie.
type ThumbnailFigure struct {
	forms
	swarm
	images []image.Image
	cell   int
	bad    error
}

// Thumbnails draws images at the places of their points, each in a cell of a
// grid, so that none covers another; its frame has the colour of its class. A
// cell shows the point nearest to its middle. Other points take a free cell
// beside their own; those that find none are left out and counted in the
// caption.
//
// xy is n×2, row-major, in the unit disk or with Flat in the plane; images holds
// the image of each row, nil for none; label holds the class of each row, or is
// nil.
//
// Thumbnails keeps copies of the numbers, and the images themselves. A row that
// is not finite or lies outside the disk is an error of Option, PNG, SVG and
// PDF. Thumbnails panics when lengths do not fit.
func Thumbnails(xy []float64, images []image.Image, label []int, o ThumbnailOptions) *ThumbnailFigure {
	f := &ThumbnailFigure{swarm: newSwarm("thumbnails", xy, label, looks{
		title: o.Title, method: o.Method, note: o.Note,
		classes: o.Classes, super: o.Super, supers: o.Supers, byClass: o.ByClass, grey: o.Grey, names: o.Names,
		thumbs: append([]image.Image{}, images...),
	}), cell: 30}
	f.forms, f.images, f.thumbs = forms{f}, f.thumbs, nil
	if o.Cell > 0 {
		f.cell = max(o.Cell, 8)
	}
	f.lay.flat = o.Flat
	for i := range f.groups {
		f.groups[i].mark = square
	}
	if f.bad = f.fault(); f.bad == nil && o.Flat {
		f.fit()
	}
	return f
}

// pinned is a point in its cell: the middle of that, in pixels from the corner
// of the square.
type pinned struct {
	point int
	x, y  float64
}

// pin finds the cell of each image: of all pairs of a point and a cell within
// reach the nearest first, if both are free.
func (f *ThumbnailFigure) pin() []pinned {
	type pair struct {
		pinned
		cell int
		far  float64
	}
	side, cell := float64(f.lay.side), float64(f.cell)
	n := f.lay.side / f.cell
	margin := (side - float64(n)*cell) / 2
	var pairs []pair
	for i, m := range f.images {
		if m == nil {
			continue
		}
		x := side/2 + side/2/f.lay.half*(f.xy[2*i]-f.lay.x)
		y := side/2 - side/2/f.lay.half*(f.xy[2*i+1]-f.lay.y)
		column, row := int(math.Floor((x-margin)/cell)), int(math.Floor((y-margin)/cell))
		for r := max(row-1, 0); r <= min(row+1, n-1); r++ {
			for c := max(column-1, 0); c <= min(column+1, n-1); c++ {
				p := pinned{i, margin + (float64(c)+0.5)*cell, margin + (float64(r)+0.5)*cell}
				if f.inside(p) {
					pairs = append(pairs, pair{p, r*n + c, math.Hypot(p.x-x, p.y-y)})
				}
			}
		}
	}
	slices.SortFunc(pairs, func(a, b pair) int {
		return cmp.Or(cmp.Compare(a.far, b.far), cmp.Compare(a.point, b.point), cmp.Compare(a.cell, b.cell))
	})
	taken, placed := make([]bool, n*n), make([]bool, len(f.images))
	var all []pinned
	for _, p := range pairs {
		if !taken[p.cell] && !placed[p.point] {
			taken[p.cell], placed[p.point] = true, true
			all = append(all, p.pinned)
		}
	}
	slices.SortFunc(all, func(a, b pinned) int { return cmp.Compare(a.point, b.point) })
	return all
}

// inside says whether a cell lies wholly in the picture: its farthest corner in
// the circle.
func (f *ThumbnailFigure) inside(p pinned) bool {
	half := float64(f.lay.side) / 2
	return f.lay.flat || math.Hypot(math.Abs(p.x-half)+float64(f.cell)/2, math.Abs(p.y-half)+float64(f.cell)/2) <= half/f.lay.half
}

// bounds is the size of the picture.
func (f *ThumbnailFigure) bounds() (w, h int) { return f.boundsWith(f.caption(len(f.pin()))) }

// script is that of disks: it shows names.
func (f *ThumbnailFigure) script() bool { return true }

// photographic says that 256 colours are too few.
func (f *ThumbnailFigure) photographic() bool { return true }

// caption says how many images there are.
func (f *ThumbnailFigure) caption(shown int) string {
	return join(" · ", f.method, thousands(shown)+" of "+count(len(f.xy)/2, "image"), "each at most 1.5 cells from its point")
}

// Alt says in one line what the picture shows.
func (f *ThumbnailFigure) Alt() string {
	return join("; ", join(": ", "Images", f.title), count(len(f.xy)/2, "image"), f.classCount(), f.method, f.note)
}

// panel is the picture in a row of others.
func (f *ThumbnailFigure) panel(side int) panelled {
	g := *f
	g.forms, g.lay = forms{&g}, f.lay.panel(side)
	return &g
}

// frameWidth is that of the frame of an image, in pixels.
const frameWidth = 2

// Option is the picture as an ECharts option: frames, and upon them images. A
// row that is not finite or not in the disk is an error that names its series.
func (f *ThumbnailFigure) Option() ([]byte, error) {
	if f.bad != nil {
		return nil, f.bad
	}
	pins := f.pin()
	o := f.option(f.caption(len(pins)), f.entries())
	o.Series = []any{f.border()}
	for _, g := range f.groups {
		frames := scatterOption{
			Type: "scatter", Name: g.name, Symbol: "rect", Size: float64(f.cell - 1), Z: 2,
			Style:   itemOption{Color: hexOf(g.color), Opacity: 1},
			Tooltip: tooltipOption{Trigger: "item", Formatter: "{a}<br>{b}"}, Encode: encode{X: 0, Y: 1},
		}
		images := frames
		images.Silent, images.Z = true, 3
		places, inner := []imagePoint{}, f.cell-1-2*frameWidth
		for _, p := range pins {
			if !slices.Contains(g.rows, p.point) {
				continue
			}
			m := thumbnail(f.images[p.point], inner)
			places = append(places, imagePoint{
				Value: [2]float64{digits6(f.lay.x + (p.x/float64(f.lay.side)*2-1)*f.lay.half), digits6(f.lay.y + (1-p.y/float64(f.lay.side)*2)*f.lay.half)},
				Name:  f.hover(p.point), Size: [2]int{m.Rect.Dx(), m.Rect.Dy()},
				Symbol: "image://data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(thumbFile(f.images[p.point], 2*inner)),
			})
		}
		rows := []markedPlace{}
		for _, p := range places {
			rows = append(rows, markedPlace{p.Value, p.Name})
		}
		frames.Data, images.Data = rows, places
		o.Series = append(o.Series, frames, images)
	}
	return json.Marshal(o)
}

// border is the circle of the disk, or the square of the plane.
func (f *ThumbnailFigure) border() lineOption {
	if f.lay.flat {
		return frameLine(f.lay)
	}
	return circleLine(1, ink, 1.5, "solid")
}

// imagePoint is a point that is an image.
type imagePoint struct {
	Value  [2]float64 `json:"value"`
	Name   string     `json:"name"`
	Symbol string     `json:"symbol"`
	Size   [2]int     `json:"symbolSize"`
}

// markedPlace is a point with a name.
type markedPlace struct {
	Value [2]float64 `json:"value"`
	Name  string     `json:"name"`
}

// paint draws the whole picture.
func (f *ThumbnailFigure) paint(s *sheet) error {
	if f.bad != nil {
		return f.bad
	}
	pins := f.pin()
	f.drawTexts(s, f.caption(len(pins)))
	if all := f.entries(); f.tells(all) {
		drawLegend(s, f.lay, all)
	}
	if f.lay.flat {
		drawFrame(s, f.lay)
	} else {
		f.curve(s, ring(1), stroke(ink, 1.5, false))
	}
	colors := make([]group, len(f.images))
	for _, g := range f.groups {
		for _, i := range g.rows {
			colors[i] = g
		}
	}
	frame, inner := float64(f.cell-1), f.cell-1-2*frameWidth
	for _, p := range pins {
		x, y := float64(f.lay.left)+p.x, float64(f.lay.top)+p.y
		s.FillPolygon(colors[p.point].color, corners(s.at(x, y), vg.Length(frame/2)*px, vg.Length(frame/2)*px))
		m := thumbnail(f.images[p.point], inner)
		w, h := float64(m.Rect.Dx()), float64(m.Rect.Dy())
		s.image(x-w/2, y-h/2, w, h, thumbnail(f.images[p.point], sharp*inner))
	}
	return nil
}
