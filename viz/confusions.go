package viz

import (
	"fmt"
	"math"
	"slices"
)

// ConfusionsOptions says how Confusions draws. The zero value draws the matrix
// as it is, with numbers for names.
type ConfusionsOptions struct {
	Title   string // above the picture; "" means none
	Caption string // one line under the title; "" means numbers of classes and groups
	Measure string // what the entries are, at the scale; "" means "distance"

	Classes []string // name of each class; nil means numbers
	Order   []int    // classes from the top, as the leaves of a tree stand (Order of a hyphc.Tree); nil means as they are
	Group   []int    // superclass or cluster of each class; nil means none
	Groups  []string // name of each group

	DarkHigh bool // the largest entries are the dark ones, as for counts; else the smallest, as for distances
}

// ConfusionsFigure is a picture of a matrix over classes.
type ConfusionsFigure struct {
	forms
	o     ConfusionsOptions
	n     int       // classes
	cell  int       // classes a cell, each way
	m     []float64 // of cells, row-major
	side  int       // cells each way
	order []int
	err   error // about the entries
}

// mostCells is how many cells a side can have: as many as pixels can show.
const mostCells = 128

// Confusions draws a matrix over classes, such as the mean distances between
// them or how often one is taken for another, in the order of a tree over the
// classes: where the tree and the matrix agree, dark squares stand along the
// diagonal. Lines part neighbours of different groups.
//
// x is n×n, row-major, a row for each true class; it need not be symmetric.
// Above 128 classes a cell is the mean over a square of neighbours, as many as
// needed, which the caption says.
//
// Confusions keeps a copy. An entry that is not finite is an error of the
// picture's forms, which names row and column. Confusions panics if x is not
// n×n, if Classes, Order or Group have another length than n, or if Order does
// not name each class once.
func Confusions(x []float64, o ConfusionsOptions) *ConfusionsFigure {
	n := int(math.Round(math.Sqrt(float64(len(x)))))
	checkMatrix(len(x), n, o)
	if o.Measure == "" {
		o.Measure = "distance"
	}
	f := &ConfusionsFigure{o: o, n: n, cell: 1, order: slices.Clone(o.Order)}
	f.forms = forms{f}
	if f.order == nil {
		for i := range n {
			f.order = append(f.order, i)
		}
	}
	for i, v := range x {
		if !finite(v) {
			f.err = fmt.Errorf("viz: confusions: series %q row %d (%s) column %d (%s) is %g; a picture needs finite numbers",
				o.Measure, i/n, f.class(i/n), i%n, f.class(i%n), v)
			return f
		}
	}
	f.cell = (n + mostCells - 1) / mostCells
	f.pool(x)
	return f
}

// checkMatrix panics when the slices do not fit together.
func checkMatrix(entries, n int, o ConfusionsOptions) {
	switch {
	case entries != n*n:
		panic(fmt.Sprintf("viz: confusions: %d entries are no square matrix", entries))
	case o.Classes != nil && len(o.Classes) != n:
		panic(fmt.Sprintf("viz: confusions: %d names for %d classes", len(o.Classes), n))
	case o.Group != nil && len(o.Group) != n:
		panic(fmt.Sprintf("viz: confusions: %d groups for %d classes", len(o.Group), n))
	case o.Order == nil:
		return
	}
	sorted := slices.Sorted(slices.Values(o.Order))
	for i, c := range sorted {
		if c != i || len(sorted) != n {
			panic(fmt.Sprintf("viz: confusions: Order has %d entries and does not name each of %d classes once", len(sorted), n))
		}
	}
	if len(sorted) != n {
		panic(fmt.Sprintf("viz: confusions: Order has %d entries for %d classes", len(sorted), n))
	}
}

// pool orders the matrix and takes means over the classes of each cell.
func (f *ConfusionsFigure) pool(x []float64) {
	if f.n == 0 {
		return
	}
	f.side = (f.n + f.cell - 1) / f.cell
	f.m = make([]float64, f.side*f.side)
	count := make([]float64, len(f.m))
	for i, a := range f.order {
		for j, b := range f.order {
			k := i/f.cell*f.side + j/f.cell
			count[k]++
			f.m[k] += (x[a*f.n+b] - f.m[k]) / count[k]
		}
	}
}

// class is the name of class i.
func (f *ConfusionsFigure) class(i int) string { return nameOf(f.o.Classes, i, "class") }

// names are those of the cells: of the class, or of the first and last one.
func (f *ConfusionsFigure) names() []string {
	names := make([]string, f.side)
	for i := range names {
		first, last := i*f.cell, min((i+1)*f.cell, f.n)-1
		names[i] = f.class(f.order[first])
		if last > first {
			names[i] += " … " + f.class(f.order[last])
		}
	}
	return names
}

// run is neighbours of one group, from a place to another, in cells.
type run struct {
	name     string
	from, to float64
}

// runs are the groups as they follow each other; nil without groups.
func (f *ConfusionsFigure) runs() (all []run) {
	if f.o.Group == nil {
		return nil
	}
	for i, c := range f.order {
		at := float64(i) / float64(f.cell)
		if i == 0 || f.o.Group[c] != f.o.Group[f.order[i-1]] {
			all = append(all, run{f.group(f.o.Group[c]), at, at})
		}
		all[len(all)-1].to = float64(i+1) / float64(f.cell)
	}
	return all
}

// group is the name of a group.
func (f *ConfusionsFigure) group(g int) string {
	if g < 0 {
		return "no group"
	}
	return nameOf(f.o.Groups, g, "group")
}

// caption is that of the options, or what the matrix has.
func (f *ConfusionsFigure) caption() string {
	if f.o.Caption != "" {
		return f.o.Caption
	}
	groups, pooled := "", ""
	if f.o.Group != nil {
		groups = count(f.groups(), "group")
	}
	if f.cell > 1 {
		pooled = fmt.Sprintf("a cell is the mean over %d×%d classes", f.cell, f.cell)
	}
	return join(" · ", count(f.n, "class"), groups, pooled)
}

// groups is how many there are.
func (f *ConfusionsFigure) groups() int {
	ids := slices.Sorted(slices.Values(f.o.Group))
	return len(slices.Compact(ids))
}

// tones is the scale of colours.
func (f *ConfusionsFigure) tones() tones {
	lo, hi := 0.0, 1.0
	if len(f.m) > 0 {
		lo, hi = slices.Min(f.m), slices.Max(f.m)
	}
	return newTones(f.o.Measure, lo, hi, !f.o.DarkHigh)
}

// Alt says in one line what the picture shows.
func (f *ConfusionsFigure) Alt() string {
	what := "Class matrix, " + f.o.Measure
	if f.o.Title != "" {
		what += ": " + f.o.Title
	}
	span := ""
	if c := f.tones(); len(f.m) > 0 {
		span = fmt.Sprintf("from %.4g to %.4g", c.lo, c.hi)
	}
	return join("; ", what, f.caption(), span)
}
