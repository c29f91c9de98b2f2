package kernels

import (
	"math"

	"github.com/chestlab/chest/chestlib/engine/cuda/driver"
)

// Sphere is the kind of assignment to proxies on the sphere; in the ball the kind is a
// loss.Similarity as int.
const Sphere = -1

// Assign is the soft assignment of n features to Proxies proxies of each of
// Classes, and the cross-entropy.
type Assign struct {
	N, Classes, Proxies  int
	Kind                 int
	Lambda, Delta, Gamma float64
	C, R                 float64 // of the ball
	Label                driver.Memory
	S                    driver.Memory // n×Classes·Proxies: dot products, then what the comments of the kernels say
	X, P                 Points
	D                    int
	Relaxed, Spread      driver.Memory // n×Classes
	LSE, Loss            driver.Memory // n; Loss is float64
	RowW, RowV           driver.Memory // Parts: of n each
	ColW, ColV           driver.Memory // Chunks: of Classes·Proxies each
	Scale                float64       // of the gradient: weight/n
}

// Parts is how many partial sums there are for each row: blocks of columns.
func (a Assign) Parts() int { return blocks(a.Classes*a.Proxies, 256) }

// Chunks is how many partial sums there are for each column: blocks of rows.
func (a Assign) Chunks() int { return blocks(a.N, 32) }

func (a Assign) ball() (c, root, quarter float32) {
	if a.Kind == Sphere {
		return 0, 0, 0
	}
	if a.C > 0 {
		root = float32(2 / math.Sqrt(a.C))
	}
	return float32(a.C), root, float32(1 / (4 * a.R))
}

// AssignForward queues the loss of each row.
func (s *Set) AssignForward(a Assign) error {
	c, root, quarter := a.ball()
	return s.launch("assign_forward", line(a.N), 256, a.S, a.Classes, a.Proxies, a.Label, a.Kind,
		float32(a.Lambda), float32(a.Lambda*a.Delta), float32(1/a.Gamma), a.X.X, a.P.X, a.D, a.X.Square, a.P.Square, a.X.Room, a.P.Inverse,
		c, root, quarter, a.Relaxed, a.Spread, a.LSE, a.Loss)
}

// AssignBackward queues the gradient, after AssignForward.
func (s *Set) AssignBackward(a Assign) error {
	c, root, quarter := a.ball()
	return s.launch("assign_backward", driver.Grid{X: a.Parts(), Y: a.Chunks(), Z: 1}, 256, a.S, a.N, a.Classes, a.Proxies, a.Label, a.Kind,
		float32(a.Lambda), float32(a.Lambda*a.Delta), float32(1/a.Gamma), float32(a.Scale*a.Lambda), a.X.Room, a.P.Inverse,
		c, root, quarter, a.Relaxed, a.Spread, a.LSE, a.RowW, a.RowV, a.ColW, a.ColV)
}

// Merge is the merging term of the proxies of each class.
type Merge struct {
	P                   driver.Memory // points
	Room                driver.Memory // of the ball
	Classes, Proxies, D int
	Sphere              bool
	C                   float64
	Scale, Weight       float64       // of a pair's value, of its gradient
	Coef, Diag          driver.Memory // Classes·Proxies²
	Value               driver.Memory // Pairs float64
}

// Pairs is how many pairs of proxies there are.
func (m Merge) Pairs() int { return m.Classes * m.Proxies * (m.Proxies - 1) / 2 }

// MergePairs queues it.
func (s *Set) MergePairs(m Merge) error {
	return s.launch("merge_pairs", line(blocks(m.Pairs(), 4)), 128, m.P, m.Room, m.Classes, m.Proxies, m.D, flag(m.Sphere),
		m.C, m.Scale, m.Weight, m.Coef, m.Diag, m.Value)
}
