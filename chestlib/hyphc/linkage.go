package hyphc

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/chestlab/chest/internal/parallel"
)

// Method says how far apart Linkage takes two clusters to be, by the distances
// of their leaves.
type Method int

const (
	Average  Method = iota // the mean over pairs of leaves
	Single                 // the least
	Complete               // the largest
	Ward                   // √(2|A||B|/(|A|+|B|)) times that of the means, were leaves points of flat space
)

// String returns "average", "single", "complete" or "Ward".
func (m Method) String() string {
	switch m {
	case Average:
		return "average"
	case Single:
		return "single"
	case Complete:
		return "complete"
	case Ward:
		return "Ward"
	}
	return fmt.Sprintf("hyphc.Method(%d)", int(m))
}

// Linkage builds a tree from the leaves upwards: it merges the two nearest
// clusters, again and again. The distance of leaves is 1-w, half the squared
// chord for Rows, and Ward's method too takes it for a distance, as the usual
// programs do with a given matrix. A merge's height is the distance.
//
// Ties are decided as scipy does: the nearest of several is the last on the
// chain of nearest neighbours, or else the cluster whose last leaf is lowest;
// merges of one height come in the order in which they were found.
//
// Single takes O(n²) calls of w.At and O(n) memory. The others take O(n²) time
// and 4n² bytes for the distances, 1.6 GB for 20,000 leaves.
//
// It gives an error if ctx ends, for an unknown method, and if a similarity is
// not finite.
//
// Source: D. Müllner, "Modern hierarchical, agglomerative clustering algorithms"
// (2011), for both algorithms.
func Linkage(ctx context.Context, w Similarities, m Method) (*Tree, error) {
	n := w.Len()
	if m < Average || m > Ward {
		return nil, fmt.Errorf("hyphc: unknown linkage %d: use Average, Single, Complete or Ward", int(m))
	}
	if err := checkFinite(ctx, w); err != nil {
		return nil, err
	}
	var bonds []bond
	var err error
	if m == Single {
		bonds, err = spanning(ctx, n, func(i, j int) float64 { return 1 - w.At(i, j) })
	} else {
		bonds, err = newClusters(w, m).chain(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("hyphc: %v linkage of %d leaves: stopped: %w", m, n, err)
	}
	return link(n, bonds, func(far float64) float64 { return far })
}

// clusters is the distances between clusters while they are merged. A cluster
// goes by its last leaf.
type clusters struct {
	m    Method
	far  []float64 // of i < j at base[i]+j: row by row, without the diagonal
	base []int
	size []float64 // leaves of cluster i
	left []int     // clusters that are left, in order
}

func newClusters(w Similarities, m Method) *clusters {
	n := w.Len()
	c := &clusters{m: m, far: make([]float64, n*(n-1)/2), base: make([]int, n), size: make([]float64, n), left: make([]int, n)}
	for i := range n {
		c.base[i], c.size[i], c.left[i] = n*i-i*(i+1)/2-i-1, 1, i
	}
	parallel.For(n, 16, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			for j := i + 1; j < n; j++ {
				*c.at(i, j) = 1 - w.At(i, j)
			}
		}
	})
	return c
}

func (c *clusters) at(i, j int) *float64 { return &c.far[c.base[min(i, j)]+max(i, j)] }

// chain follows nearest neighbours until two are each other's nearest, merges
// them and goes on from the rest of the chain.
func (c *clusters) chain(ctx context.Context) ([]bond, error) {
	var bonds []bond
	var chain []int
	for len(c.left) > 1 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if len(chain) == 0 {
			chain = append(chain, c.left[0])
		}
		before := -1
		if len(chain) > 1 {
			before = chain[len(chain)-2]
		}
		x := chain[len(chain)-1]
		y, far := c.nearest(x, before)
		if y != before {
			chain = append(chain, y)
			continue
		}
		chain = chain[:len(chain)-2]
		bonds = append(bonds, bond{min(x, y), max(x, y), far})
		c.merge(min(x, y), max(x, y), far)
	}
	return bonds, nil
}

// nearest returns the cluster nearest to x and its distance: the first one, if
// it is as near as any.
func (c *clusters) nearest(x, first int) (y int, far float64) {
	y, far = first, math.Inf(1)
	if first >= 0 {
		far = *c.at(x, first)
	}
	for _, i := range c.left {
		if i == x {
			continue
		}
		if d := *c.at(x, i); d < far || y < 0 {
			y, far = i, d
		}
	}
	return y, far
}

// merge puts x, the lower one, into y, which is far away. Distances to the
// rest follow from those of x and y (Lance and Williams, 1967).
func (c *clusters) merge(x, y int, far float64) {
	k, _ := slices.BinarySearch(c.left, x)
	c.left = slices.Delete(c.left, k, k+1)
	nx, ny := c.size[x], c.size[y]
	for _, i := range c.left {
		if i == y {
			continue
		}
		a, b := *c.at(x, i), c.at(y, i)
		switch c.m {
		case Average:
			*b = (nx*a + ny**b) / (nx + ny)
		case Complete:
			*b = max(a, *b)
		case Ward:
			ni := c.size[i]
			*b = math.Sqrt(max(0, ((ni+nx)*a*a+(ni+ny)**b**b-ni*far*far)/(nx+ny+ni)))
		}
	}
	c.size[y] = nx + ny
}
