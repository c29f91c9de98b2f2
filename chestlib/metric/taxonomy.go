package metric

import "fmt"

// Taxonomy is a tree of classes over items: levels of labels, from the coarsest
// to the finest. Make one by NewTaxonomy.
type Taxonomy struct {
	Levels [][]int  // Levels[l][i] is the class of item i at level l
	Names  []string // of the levels, for text; may be nil

	path map[int][]int // of each finest class: its class at every level
}

// NewTaxonomy makes a taxonomy of label columns, the coarsest first, all of
// the same length. Columns are not copied and must not change.
//
// It returns an error if no column is given, or where a class has two parents:
// two items of one class must have the same class at all coarser levels. It
// panics if lengths differ.
func NewTaxonomy(levels ...[]int) (*Taxonomy, error) {
	if len(levels) == 0 {
		return nil, fmt.Errorf("metric: a taxonomy of no level: give at least one column of labels")
	}
	t := &Taxonomy{Levels: levels, path: make(map[int][]int)}
	for l, column := range levels {
		if len(column) != len(levels[0]) {
			panic(fmt.Sprintf("metric: taxonomy: %d labels at level %d, %d at level 0", len(column), l, len(levels[0])))
		}
	}
	for l := 1; l < len(levels); l++ {
		if err := nested(levels, l); err != nil {
			return nil, err
		}
	}
	for i, class := range t.Finest() {
		if t.path[class] == nil {
			for _, column := range levels {
				t.path[class] = append(t.path[class], column[i])
			}
		}
	}
	return t, nil
}

// nested returns an error that names two items of one class at level l and of
// two at the level above.
func nested(levels [][]int, l int) error {
	first := make(map[int]int)
	for i, class := range levels[l] {
		j, ok := first[class]
		if !ok {
			first[class] = i
			continue
		}
		if a, b := levels[l-1][j], levels[l-1][i]; a != b {
			return fmt.Errorf("metric: taxonomy: class %d of level %d is part of class %d at item %d and of class %d at item %d: give it two numbers",
				class, l, a, j, b, i)
		}
	}
	return nil
}

// Finest returns the labels of the last level: the classes that Depth and
// Relevance are about.
func (t *Taxonomy) Finest() []int { return t.Levels[len(t.Levels)-1] }

// Depth returns the depth of the common ancestor of two finest classes: the
// number of levels, from the coarsest on, at which they are the same. It is the
// number of levels for a = b and 0 for classes that share nothing. It panics
// for a class that no item has.
func (t *Taxonomy) Depth(a, b int) int {
	pa, pb := t.path[a], t.path[b]
	if pa == nil || pb == nil {
		panic(fmt.Sprintf("metric: taxonomy: classes %d and %d: no item has one of them", a, b))
	}
	for l := range pa {
		if pa[l] != pb[l] {
			return l
		}
	}
	return len(pa)
}

// Relevance is Depth as a float64, for NDCGOptions.Relevance.
func (t *Taxonomy) Relevance(a, b int) float64 { return float64(t.Depth(a, b)) }

// name of a level, for text.
func (t *Taxonomy) name(l int) string {
	if l < len(t.Names) {
		return t.Names[l]
	}
	return fmt.Sprintf("level %d", l)
}
