package viz

import (
	"fmt"
	"image/color"
	"slices"
)

// DendrogramOptions says how Dendrogram and Taxonomy draw. The zero value draws
// a tree that stands on its leaves, without colours.
type DendrogramOptions struct {
	Title    string // above the picture; "" means none
	Caption  string // one line under the title; "" means the number of leaves and classes
	Height   string // name of the axis of heights; "" means "height"
	Circular bool   // leaves on a circle, the root at its centre

	Names   []string // name of each leaf (Taxonomy: of each node); nil means numbers
	Label   []int    // class of each leaf (Taxonomy: of each node); nil means none; below 0: not known
	Classes []string // name of each class

	// Cut colours branches by the clusters that are left when the Cut-1 highest
	// merges are undone; Label then colours leaves only. 0 means by Label.
	Cut int
}

// DendrogramFigure is a picture of a tree.
type DendrogramFigure struct {
	forms
	o      DendrogramOptions
	t      *tree
	leaf   []int   // class of each node, of leaves if they are coloured by Label
	branch []int   // group of each node; -1 means grey
	floor  float64 // height of the cut
	outer  float64 // radius of a circular tree; names stand outside
	err    error   // about the tree
}

// Dendrogram draws a tree by its merges, as clustering makes it: a node stands
// at its height, above the nodes that it merges. A merge of two nodes of one
// class has the colour of that class, others are grey, so that it shows where
// the tree and the classes agree. Leaves are marked in the colour of their
// class, and named if they are few.
//
// merges has n-1 entries for n leaves; A is drawn left of B. They are those of
// a hyphc.Tree, one for one:
//
//	for _, m := range t.Merges() {
//		merges = append(merges, viz.Merge{A: m.A, B: m.B, Height: m.Height})
//	}
//
// Up to 5,000 leaves stay quick in the interactive form, whose data are some 100
// bytes a leaf.
//
// Dendrogram keeps copies. A merge of nodes that are not there or were merged
// already, and a height that is not finite, are errors of the picture's forms
// that name the merge. Dendrogram panics if Names or Label have not n entries,
// or if Cut is not from 0 to n.
func Dendrogram(merges []Merge, o DendrogramOptions) *DendrogramFigure {
	n := len(merges) + 1
	if n == 1 && (o.Label != nil && len(o.Label) == 0 || o.Names != nil && len(o.Names) == 0) {
		n = 0
	}
	checkLeaves(n, n, o)
	for k, m := range merges {
		if !finite(m.Height) {
			err := fmt.Errorf("viz: dendrogram: series %q row %d: the height is %g; a picture needs finite numbers", "merges", k, m.Height)
			return newDendrogram(nil, err, o)
		}
	}
	t, err := mergeTree(n, merges)
	return newDendrogram(t, err, o)
}

// Taxonomy draws a tree by the parent of each node, -1 for the root: a taxonomy
// of classes, or a tree whose nodes have more than two children. Leaves are the
// nodes that are no parent. height holds that of each node; nil means the number
// of levels below it. Children stand in the order of their numbers.
//
// Names and Label have an entry for each node; those of inner nodes are not
// read. Otherwise it is as Dendrogram.
func Taxonomy(parent []int, height []float64, o DendrogramOptions) *DendrogramFigure {
	if height != nil && len(height) != len(parent) {
		panic(fmt.Sprintf("viz: dendrogram: %d heights for %d nodes", len(height), len(parent)))
	}
	checkLeaves(len(parent), len(parent), o)
	if err := firstBad("dendrogram", "heights", height); err != nil {
		return newDendrogram(nil, err, o)
	}
	t, err := parentTree(parent, height)
	return newDendrogram(t, err, o)
}

// checkLeaves panics when the options do not fit a tree of n entries.
func checkLeaves(n, most int, o DendrogramOptions) {
	switch {
	case o.Names != nil && len(o.Names) != n:
		panic(fmt.Sprintf("viz: dendrogram: %d names for %d leaves", len(o.Names), n))
	case o.Label != nil && len(o.Label) != n:
		panic(fmt.Sprintf("viz: dendrogram: %d labels for %d leaves", len(o.Label), n))
	case o.Cut < 0 || o.Cut > most:
		panic(fmt.Sprintf("viz: dendrogram: Cut is %d, want 0 to %d", o.Cut, most))
	}
}

// newDendrogram colours a tree.
func newDendrogram(t *tree, err error, o DendrogramOptions) *DendrogramFigure {
	if o.Height == "" {
		o.Height = "height"
	}
	o.Names, o.Label = slices.Clone(o.Names), slices.Clone(o.Label)
	f := &DendrogramFigure{o: o, t: t, err: err}
	f.forms = forms{f}
	if err != nil {
		return f
	}
	if len(t.height) > 0 {
		t.lo, t.hi = slices.Min(t.height), slices.Max(t.height)
	}
	f.outer = 1
	if f.named() {
		f.outer -= f.nameRoom() * 2 * treeReach / treeSide
	}
	f.leaf, f.branch = f.classes(), f.classes()
	f.t.spread(f.branch)
	if o.Cut > 0 {
		f.branch, f.floor = f.t.cut(o.Cut)
		if o.Label == nil {
			f.leaf = f.branch
		}
	}
	return f
}

// classes is the class of each node; -1 for what has none.
func (f *DendrogramFigure) classes() []int {
	class := make([]int, len(f.t.parent))
	for i := range class {
		class[i] = -1
		if i < len(f.o.Label) {
			class[i] = max(f.o.Label[i], -1)
		}
	}
	return class
}

// byCluster says whether groups are clusters and not classes.
func (f *DendrogramFigure) byCluster() bool { return f.o.Label == nil && f.o.Cut > 0 }

// groups are the different groups of leaves.
func (f *DendrogramFigure) groups() []int {
	var ids []int
	for _, leaf := range f.t.leaves {
		if f.leaf[leaf] >= 0 {
			ids = append(ids, f.leaf[leaf])
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// tints is the colour of each group.
func (f *DendrogramFigure) tints() map[int]key {
	ids := f.groups()
	tint := map[int]key{-1: {"no label", grey, circle}}
	for rank, id := range ids {
		at := rank
		if len(f.o.Classes) <= len(okabe) && id < len(f.o.Classes) {
			at = id // the same class has the same colour in every picture
		}
		c, m := look(at)
		name := nameOf(f.o.Classes, id, "class")
		if f.byCluster() {
			name = fmt.Sprintf("cluster %d", id)
		}
		tint[id] = key{name, c, m}
	}
	return tint
}

// branchColor is the colour of the branches of a group. Clusters beside classes
// have the palette's colours in turn.
func (f *DendrogramFigure) branchColor(id int, tints map[int]key) color.RGBA {
	switch {
	case id < 0:
		return grey
	case f.o.Cut > 0 && !f.byCluster():
		c, _ := look(id)
		return c
	}
	return tints[id].color
}

// keys is the legend: one entry for each group of leaves; none without groups.
func (f *DendrogramFigure) keys() (all []key) {
	tints := f.tints()
	for _, id := range f.groups() {
		all = append(all, tints[id])
	}
	return all
}

// name is the name of a leaf.
func (f *DendrogramFigure) name(leaf int) string { return nameOf(f.o.Names, leaf, "leaf") }

// caption is that of the options, or what the tree has.
func (f *DendrogramFigure) caption() string {
	if f.o.Caption != "" || f.err != nil {
		return f.o.Caption
	}
	n := len(f.t.leaves)
	leaves := thousands(n) + " leaves"
	if n == 1 {
		leaves = "1 leaf"
	}
	classes, clusters := "", ""
	if f.o.Label != nil {
		classes = count(len(f.groups()), "class")
	}
	if f.o.Cut > 0 {
		clusters = "cut into " + count(f.o.Cut, "cluster")
	}
	return join(" · ", leaves, classes, clusters)
}

// Alt says in one line what the picture shows.
func (f *DendrogramFigure) Alt() string {
	what := "Dendrogram"
	if f.o.Title != "" {
		what += ": " + f.o.Title
	}
	span := ""
	if f.err == nil && len(f.t.order) > 0 {
		span = fmt.Sprintf("root at %s %.4g", f.o.Height, f.t.hi)
	}
	return join("; ", what, f.caption(), span)
}
