// Package stock is CHEST as a graph of Gorgonia's own nodes, as one would write it
// without a custom one: the slow twin of graph.Loss for tests, and what the
// benchmark compares with. It is for CHEST's default options on features of any
// length, with fixed c and r; the common ancestor of leaves is that of the line
// through them, which is the one of the segment for leaves of one norm, as proxies
// have it to begin with.
//
// Softmaxes are composed from Exp and Sum, since Gorgonia's SoftMax is wrong and
// much slower; the default temperatures keep Exp in range without a maximum.
package stock

import (
	"fmt"
	"math"
	"math/rand/v2"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/chestlab/chest/chestlib/hyphc"
	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/chestlib/optim"
	"github.com/chestlab/chest/internal/vmath"
)

// CHEST is the loss in a graph.
type CHEST struct {
	Node    *gorgonia.Node // the value, a scalar
	Proxies gorgonia.Nodes // of sphere and ball: learnables in the memory of the loss's params

	l             *loss.CHEST
	rows, classes int
	hot           *gorgonia.Node // B×C
	triplets      int
	leaves        [3]*gorgonia.Node // triplets
	likeness      *gorgonia.Node    // triplets×3
	hotOf, likeOf []float32
}

// New adds l to the graph of uE and uH. Options that it does not know, and
// nodes that do not fit, are an error.
func New(uE, uH *gorgonia.Node, l *loss.CHEST) (c *CHEST, err error) {
	if l.Euclidean() == nil || l.Hyperbolic() == nil || l.Tree() == nil {
		return nil, fmt.Errorf("stock: CHEST in one space or without a tree; want both spaces and a tree")
	}
	e, h := l.Euclidean().Options(), l.Hyperbolic().Options()
	if l.Hyperbolic().Ball().Param() != nil || h.SoftClip || h.FreeProxies || h.Flat || h.Tau != 0 || h.Similarity != loss.Negative || l.Tree().Options().Leaves != loss.ProxyLeaves {
		return nil, fmt.Errorf("stock: options of the ball or the tree that this graph does not have; want the defaults")
	}
	defer func() { // gorgonia.Must
		if r := recover(); r != nil {
			c, err = nil, fmt.Errorf("stock: %v", r)
		}
	}()
	rows, k := uE.Shape()[0], e.Proxies
	c = &CHEST{l: l, rows: rows, classes: l.Params()[0].Shape[0] / k}
	g := uE.Graph()
	c.hotOf = make([]float32, rows*c.classes)
	c.hot = array(g, "hot", c.hotOf, rows, c.classes)
	for _, p := range l.Params() {
		c.Proxies = append(c.Proxies, array(g, p.Name, p.Value, p.Shape...))
	}
	m := l.Hyperbolic().Ball().Map()
	x, p := unit(uE), unit(c.Proxies[0])
	cosines := must(gorgonia.Mul(x, must(gorgonia.Transpose(p, 1, 0))))
	points := ballPoints(c.Proxies[1], m.C, m.R)
	distances := ballDistances(ballPoints(uH, m.C, m.R), points, m.C)
	o := l.Options()
	c.Node = add(
		times(o.WeightE, add(c.classify(cosines, k, e.Lambda, e.Gamma, e.Delta), times(e.Tau, c.merge(p, k)))),
		times(o.WeightH, c.classify(must(gorgonia.Neg(distances)), k, h.Lambda, h.Gamma, h.Delta)),
		times(o.WeightTree, c.tree(g, points, m.C)))
	return c, nil
}

// Batch says what the rows of the next run are, and draws the triplets.
func (c *CHEST) Batch(label []int, rng *rand.Rand) error {
	if len(label) != c.rows {
		return fmt.Errorf("stock: %d labels for %d rows", len(label), c.rows)
	}
	clear(c.hotOf)
	for i, l := range label {
		if l < 0 || l >= c.classes {
			return fmt.Errorf("stock: label %d of row %d, want one in [0, %d)", l, i, c.classes)
		}
		c.hotOf[i*c.classes+l] = 1
	}
	like := c.l.Tree().Like(c.l.Params()[0].Value, c.l.Euclidean().Options().Proxies)
	drawn := c.l.Tree().Draw(label, like, rng)
	if len(drawn) != c.triplets {
		return fmt.Errorf("stock: %d triplets, the graph has %d", len(drawn), c.triplets)
	}
	d := c.l.Params()[0].Shape[1]
	row := func(leaf int) []float32 { return like[leaf*d : (leaf+1)*d] }
	for t, three := range drawn {
		for i, leaf := range three {
			c.leaves[i].Value().Data().([]int)[t] = leaf
		}
		for i, pair := range pairs {
			x, y := row(three[pair[0]]), row(three[pair[1]])
			c.likeOf[3*t+i] = float32(hyphc.SimilarityOf(vmath.Dot64(x, x), vmath.Dot64(y, y), vmath.Dot64(x, y)))
		}
	}
	return nil
}

// Params are the loss's.
func (c *CHEST) Params() []*optim.Param { return c.l.Params() }

// classify is the mean cross-entropy of S, the similarities s relaxed over the k
// proxies of each class.
func (c *CHEST) classify(s *gorgonia.Node, k int, lambda, gamma, delta float64) *gorgonia.Node {
	s = must(gorgonia.Reshape(s, tensor.Shape{c.rows, c.classes, k}))
	e := must(gorgonia.Exp(times(1/gamma, s)))
	S := must(gorgonia.HadamardDiv(must(gorgonia.Sum(product(e, s), 2)), must(gorgonia.Sum(e, 2))))
	z := times(lambda, must(gorgonia.Sub(S, times(delta, c.hot))))
	all := must(gorgonia.Log(must(gorgonia.Sum(must(gorgonia.Exp(z)), 1))))
	own := must(gorgonia.Sum(product(z, c.hot), 1))
	return must(gorgonia.Mean(must(gorgonia.Sub(all, own))))
}

// merge is R of unit proxies.
func (c *CHEST) merge(p *gorgonia.Node, k int) *gorgonia.Node {
	mask := make([]float32, c.classes*k*k)
	for i := range mask {
		if i/k%k > i%k {
			mask[i] = float32(1 / float64(c.classes*k*max(k-1, 1)))
		}
	}
	p = must(gorgonia.Reshape(p, tensor.Shape{c.classes, k, p.Shape()[1]}))
	gram := must(gorgonia.BatchedMatMul(p, p, false, true))
	root := must(gorgonia.Sqrt(must(gorgonia.Sub(constant(2+1e-5), times(2, gram)))))
	return must(gorgonia.Sum(product(root, array(p.Graph(), "mask", mask, c.classes, k, k))))
}

// pairs are those of a triplet, in the order of hyphc.TripletLoss.
var pairs = [3][2]int{{0, 1}, {0, 2}, {1, 2}}

// tree is HypHC of the drawn triplets of leaves.
func (c *CHEST) tree(g *gorgonia.ExprGraph, points *gorgonia.Node, curvature float64) *gorgonia.Node {
	c.triplets = len(c.l.Tree().Draw(nil, c.l.Tree().Like(c.l.Params()[0].Value, c.l.Euclidean().Options().Proxies), rand.New(rand.NewPCG(0, 0))))
	c.likeOf = make([]float32, 3*c.triplets)
	c.likeness = array(g, "likeness", c.likeOf, c.triplets, 3)
	var p [3]*gorgonia.Node
	for i := range p {
		c.leaves[i] = gorgonia.NewVector(g, tensor.Int, gorgonia.WithName(fmt.Sprint("leaf ", i)), gorgonia.WithShape(c.triplets),
			gorgonia.WithValue(tensor.New(tensor.WithShape(c.triplets), tensor.WithBacking(make([]int, c.triplets)))))
		p[i] = must(gorgonia.ByIndices(points, c.leaves[i], 0))
	}
	var depths gorgonia.Nodes
	for _, pair := range pairs {
		d := depth(p[pair[0]], p[pair[1]], curvature)
		depths = append(depths, must(gorgonia.Reshape(d, tensor.Shape{c.triplets, 1})))
	}
	e := must(gorgonia.Exp(times(1/c.l.Tree().Temperature(), must(gorgonia.Concat(1, depths...)))))
	mean := must(gorgonia.HadamardDiv(must(gorgonia.Sum(product(e, c.likeness), 1)), must(gorgonia.Sum(e, 1))))
	return must(gorgonia.Mean(must(gorgonia.Sub(must(gorgonia.Sum(c.likeness, 1)), mean))))
}

// depth is the distance from the origin of the line through the rows of a and b.
//
//	asinh( 2√c √(aa bb - ab²) / (‖a-b‖ √(1 - 2c ab + c² aa bb)) )/√c
func depth(a, b *gorgonia.Node, c float64) *gorgonia.Node {
	dot := func(a, b *gorgonia.Node) *gorgonia.Node { return must(gorgonia.Sum(product(a, b), 1)) }
	difference := must(gorgonia.Sub(a, b))
	aa, bb, ab, dd := dot(a, a), dot(b, b), dot(a, b), dot(difference, difference)
	aabb := product(aa, bb)
	gram := must(gorgonia.Sub(aabb, must(gorgonia.Square(ab))))
	q := must(gorgonia.Sub(add(constant(1), times(c*c, aabb)), times(2*c, ab)))
	z2 := times(4*c, must(gorgonia.HadamardDiv(gram, product(dd, q))))
	asinh := must(gorgonia.Log(add(must(gorgonia.Sqrt(z2)), must(gorgonia.Sqrt(add(constant(1), z2))))))
	return times(1/math.Sqrt(c), asinh)
}
