package viz

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"slices"
)

// looks is what the options of all pictures of labelled points say.
type looks struct {
	title, method, note string

	classes       []string
	super         []int
	supers        []string
	byClass, grey bool

	names  []string
	thumbs []image.Image

	proxies    []float64
	proxyLabel []int

	size float64
}

// swarm is labelled points in the plane, in groups of one colour: what the disk
// and its neighbours have in common.
type swarm struct {
	kind string // of picture, for errors
	looks
	lay     layout
	xy      []float64
	label   []int
	groups  []group
	bySuper bool
	known   int // different labels among the points
}

// group is the points of one colour.
type group struct {
	name  string
	color color.RGBA
	mark  marker
	rows  []int // of xy
}

// newSwarm sorts points into groups. It keeps copies of the numbers and panics
// when the lengths do not fit.
func newSwarm(kind string, xy []float64, label []int, l looks) swarm {
	l.check(kind, xy, label)
	l.proxies = slices.Clone(l.proxies)
	s := swarm{kind: kind, looks: l, lay: whole, xy: slices.Clone(xy), label: slices.Clone(label)}
	ids := slices.Clone(label)
	slices.Sort(ids)
	ids = slices.Compact(ids)
	s.known = len(ids)
	if len(ids) > 0 && ids[0] < 0 {
		s.known = len(slices.DeleteFunc(slices.Clone(ids), func(l int) bool { return l < 0 }))
	}
	s.bySuper = l.super != nil && !l.byClass && s.known > len(okabe)
	s.gather()
	return s
}

// check panics when the slices do not fit together.
func (l looks) check(kind string, xy []float64, label []int) {
	n := len(xy) / 2
	switch {
	case len(xy)%2 != 0:
		panic(fmt.Sprintf("viz: %s: xy has %d numbers, want n×2", kind, len(xy)))
	case label != nil && len(label) != n:
		panic(fmt.Sprintf("viz: %s: %d labels for %d points", kind, len(label), n))
	case l.names != nil && len(l.names) != n:
		panic(fmt.Sprintf("viz: %s: %d names for %d points", kind, len(l.names), n))
	case l.thumbs != nil && len(l.thumbs) != n:
		panic(fmt.Sprintf("viz: %s: %d thumbnails for %d points", kind, len(l.thumbs), n))
	case len(l.proxies)%2 != 0:
		panic(fmt.Sprintf("viz: %s: Proxies has %d numbers, want m×2", kind, len(l.proxies)))
	case l.proxyLabel != nil && len(l.proxyLabel) != len(l.proxies)/2:
		panic(fmt.Sprintf("viz: %s: %d labels for %d proxies", kind, len(l.proxyLabel), len(l.proxies)/2))
	}
}

// gather sorts the points into groups of one colour.
func (s *swarm) gather() {
	rows := map[int][]int{}
	for i := range len(s.xy) / 2 {
		g := s.groupOf(s.labelOf(i))
		rows[g] = append(rows[g], i)
	}
	var ids []int
	for id := range rows {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	rank := 0
	for _, id := range ids {
		g := group{name: s.groupName(id), rows: rows[id]}
		g.color, g.mark = grey, circle
		if id >= 0 {
			g.color, g.mark = s.tint(s.place(id, rank))
			rank++
		}
		s.groups = append(s.groups, g)
	}
}

// tint is colour and form of the group at a place.
func (s *swarm) tint(place int) (color.RGBA, marker) {
	if s.grey {
		return greyLook(place)
	}
	return look(place)
}

// place is that of a group in the row of looks: its own number where all groups
// there can be have a colour, so that two pictures of the same classes agree;
// else its rank among those that are there.
func (s *swarm) place(id, rank int) int {
	known := len(s.classes)
	if s.bySuper {
		known = len(s.supers)
	}
	if id < known && known <= len(okabe) {
		return id
	}
	return rank
}

// labelOf is the class of point i; 0 where no labels were given.
func (s *swarm) labelOf(i int) int {
	if s.label == nil {
		return 0
	}
	return s.label[i]
}

// groupOf is the group of a class: itself or its superclass; below 0 means none.
func (s *swarm) groupOf(class int) int {
	if class >= 0 && s.bySuper {
		if class >= len(s.super) {
			return -1 // fault reports it
		}
		return max(s.super[class], -1)
	}
	return max(class, -1)
}

// groupName is the name of a group in the legend.
func (s *swarm) groupName(id int) string {
	switch {
	case s.label == nil:
		return "points"
	case id < 0:
		return "no label"
	case s.bySuper:
		return nameOf(s.supers, id, "superclass")
	}
	return nameOf(s.classes, id, "class")
}

// nameOf is the name of thing i.
func nameOf(names []string, i int, kind string) string {
	if i < len(names) && names[i] != "" {
		return names[i]
	}
	return fmt.Sprintf("%s %d", kind, i)
}

// hover is what the tooltip says of point i beside the name of its group.
func (s *swarm) hover(i int) string {
	class, name := "", ""
	if l := s.labelOf(i); s.bySuper && l >= 0 {
		class = nameOf(s.classes, l, "class")
	}
	if s.names != nil {
		name = s.names[i]
	}
	return join(" · ", class, name)
}

// proxyLook is the colour and the class name of proxy i: the colour of its
// group, darker to stand out among the points, where that has points; else
// black.
func (s *swarm) proxyLook(i int) (color.RGBA, string) {
	if s.label == nil || s.proxyLabel == nil || s.proxyLabel[i] < 0 {
		return ink, ""
	}
	class := s.proxyLabel[i]
	group, name := s.groupOf(class), nameOf(s.classes, class, "class")
	for _, g := range s.groups {
		if len(g.rows) > 0 && s.groupOf(s.labelOf(g.rows[0])) == group {
			return mix(g.color, color.RGBA{}, 0.35), name
		}
	}
	return ink, name
}

// fault returns the first row that cannot be drawn as an error.
func (s *swarm) fault() error {
	for _, g := range s.groups {
		for k, i := range g.rows {
			if err := s.faultAt(s.xy, i, fmt.Sprintf("series %q row %d (point %d)", g.name, k, i)); err != nil {
				return err
			}
		}
	}
	for i := range len(s.proxies) / 2 {
		if err := s.faultAt(s.proxies, i, fmt.Sprintf("series \"proxies\" row %d", i)); err != nil {
			return err
		}
	}
	for i, l := range s.label {
		if s.bySuper && l >= len(s.super) {
			return fmt.Errorf("viz: %s: point %d has label %d, but Super names the superclass of %d classes", s.kind, i, l, len(s.super))
		}
	}
	return nil
}

// faultAt returns an error when row i of xy is not a finite point, or on a disk
// is outside of it.
func (s *swarm) faultAt(xy []float64, i int, where string) error {
	x, y := xy[2*i], xy[2*i+1]
	if !finite(x) || !finite(y) {
		return fmt.Errorf("viz: %s: %s is (%g, %g); a picture needs finite numbers", s.kind, where, x, y)
	}
	if r := math.Hypot(x, y); r > 1+1e-6 && !s.lay.flat {
		return fmt.Errorf("viz: %s: %s lies at radius %.6g, outside the unit disk; scale points of a ball by √c", s.kind, where, r)
	}
	return nil
}

// counts is "300 points · 30 proxies" as parts.
func (s *swarm) counts() (points, proxies string) {
	points = count(len(s.xy)/2, "point")
	switch n := len(s.proxies) / 2; n {
	case 0:
	case 1:
		proxies = "1 proxy"
	default:
		proxies = thousands(n) + " proxies"
	}
	return points, proxies
}

// classCount is "5 classes", or "" where there are no labels.
func (s *swarm) classCount() string {
	if s.label == nil {
		return ""
	}
	return count(s.known, "class")
}

// diameter is that of a point in pixels: in a smaller picture less, too.
func (s *swarm) diameter() float64 {
	if s.size > 0 {
		return s.size
	}
	d := 3.0
	switch n := len(s.xy) / 2; {
	case n <= 2000:
		d = 5
	case n <= 6000:
		d = 4
	}
	return max(math.Round(2*d*float64(s.lay.side)/diskSide)/2, 1.5)
}

// entry is a line of the legend.
type entry struct {
	name string
	kind entryKind
	group
}

// entryKind says what the legend draws beside a name.
type entryKind int

const (
	entryPoint entryKind = iota
	entryProxy
	entryLine
	entryRing
)

// entries are the lines of the legend for groups and proxies.
func (s *swarm) entries() (all []entry) {
	for _, g := range s.groups {
		all = append(all, entry{g.name, entryPoint, g})
	}
	if len(s.proxies) > 0 {
		all = append(all, entry{name: "proxies", kind: entryProxy})
	}
	return all
}

// tells says whether a legend tells anything: not of one group without a name.
func (s *swarm) tells(entries []entry) bool {
	return s.lay.legend && (s.label != nil && len(entries) > 0 || len(entries) > 1)
}
