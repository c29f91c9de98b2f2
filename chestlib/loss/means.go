package loss

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"

	"github.com/chestlab/chest/chestlib/ball"
	"github.com/chestlab/chest/internal/parallel"
	"github.com/chestlab/chest/internal/vmath"
)

// Leaves says what the leaves of HypHC's tree are.
type Leaves int

// Kinds of leaves.
const (
	// ProxyLeaves: every proxy is a leaf.
	ProxyLeaves Leaves = iota
	// MeanLeaves: every class is one, at the mean of its proxies as tangent
	// vectors, mapped to the ball as a proxy is. Its vector for similarities is the
	// mean of its proxies of the other space, each scaled to length 1.
	//
	//	p_c = expmap₀(clip(1/K Σ_k v_ck)),  e_c = 1/K Σ_k e_ck/‖e_ck‖
	MeanLeaves
)

// String returns the name of the constant.
func (s Leaves) String() string {
	names := [...]string{"ProxyLeaves", "MeanLeaves"}
	if s < 0 || int(s) >= len(names) {
		return fmt.Sprintf("Leaves(%d)", int(s))
	}
	return names[s]
}

// Like returns the vectors whose cosines are the similarities of the leaves,
// given the proxies of the other space, k a class: these themselves, or for
// MeanLeaves their means, which are valid until the next Like. A zero proxy adds
// nothing to the mean.
func (l *HypHC) Like(proxies []float32, k int) []float32 {
	if l.o.Leaves == ProxyLeaves {
		return proxies
	}
	d := len(proxies) / (l.classes * k)
	l.mean, l.sum = resized(l.mean, l.classes*d), resized(l.sum, d)
	for c := range l.classes {
		clear(l.sum)
		for r := c * k; r < (c+1)*k; r++ {
			row := proxies[r*d : (r+1)*d]
			norm := math.Sqrt(vmath.Dot64(row, row))
			if norm == 0 {
				continue
			}
			for i, v := range row {
				l.sum[i] += float64(v) / norm
			}
		}
		for i, v := range l.sum {
			l.mean[c*d+i] = float32(v / float64(k))
		}
	}
	return l.mean
}

// means are the MeanLeaves of a loss in the ball.
type means struct {
	u, x []float64 // C×D: mean tangent vectors and their points
}

// meanPoints returns the points of the classes' means, C×D.
func (l *HyperSoftTriple) meanPoints() []float64 {
	m, d, k := &l.mean, l.dim, l.o.Proxies
	m.u, m.x = zeros(m.u, l.classes*d), resized(m.x, l.classes*d)
	parallel.For(l.classes, blockRows, func(lo, hi int) {
		for c := lo; c < hi; c++ {
			u := m.u[c*d : (c+1)*d]
			for i, v := range l.proxies.Value[c*k*d : (c+1)*k*d] {
				u[i%d] += float64(v) / float64(k)
			}
			l.free.Point(m.x[c*d:(c+1)*d], u)
		}
	})
	return m.x
}

// pullMeans adds the gradient g by meanPoints to that of the proxies, and
// returns what the means add to the gradient by the ball.
func (l *HyperSoftTriple) pullMeans(g []float64) (all ball.Sums) {
	d, k := l.dim, l.o.Proxies
	grad := make([]float64, d)
	for c := range l.classes {
		all.Add(l.free.Pull(grad, l.mean.u[c*d:(c+1)*d], g[c*d:(c+1)*d]))
		floats.Scale(1/float64(k), grad)
		for r := c * k; r < (c+1)*k; r++ {
			for i, v := range grad {
				l.proxies.Grad[r*d+i] += float32(v)
			}
		}
	}
	return all
}
