package loss

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/chestlab/chest/chestlib/optim"
)

// criterion is a loss as a function of a table: of rows against proxies, or of
// rows against each other.
type criterion interface {
	// step returns the loss of the table t.s, whose row i has the class label[i],
	// and, unless g is nil, adds weight times its gradient to g, n×m of zeros.
	// rng is for random choices.
	step(t *table, label []int, g []float64, weight float64, rng *rand.Rand) float64
}

// single is a loss of one space: features and proxies are placed, compared in
// a table, and a criterion is applied to that.
type single struct {
	name      string
	classes   int
	seed      uint64 // of the random choices, where the batch has no Rand
	geometry  Geometry
	criterion criterion
	table     table
	proxies   *optim.Param // nil: the rows are compared with each other
	x, p      placed
}

// newSingle makes a loss of the pairs of a batch. g is not UsualGeometry.
func newSingle(name string, s Setting, g Geometry, m measure, c criterion) *single {
	return &single{name: name, classes: s.Classes, seed: s.Seed, geometry: g, criterion: c,
		table: table{measure: m}, x: newPlaced(g, s), p: newPlaced(g, s)}
}

// withProxies gives the loss one proxy a class, in random directions of that
// length on the sphere. In the ball they begin at tangent length 1, or half of
// r if that is shorter.
func (l *single) withProxies(seed uint64, length float64) *single {
	name, stream := "proxies.E", uint64('E')
	if l.geometry != Sphere {
		name, stream = "proxies.H", 'H'
	}
	if l.geometry == Ball {
		length = min(1, l.x.chart.R/2)
	}
	l.proxies = newProxies(name, l.classes, l.x.chart.d, length, rand.New(rand.NewPCG(seed, stream)))
	return l
}

// Params implements Loss.
func (l *single) Params() []*optim.Param {
	if l.proxies == nil {
		return nil
	}
	return []*optim.Param{l.proxies}
}

// Uses implements Loss.
func (l *single) Uses() Space {
	if l.geometry == Sphere {
		return OnlyE
	}
	return OnlyH
}

// Add implements Loss.
func (l *single) Add(b Batch, weight float64) Terms {
	u, gu := b.of(l.Uses())
	checkBatch(l.name, u, gu, b.Label, l.x.chart.d, l.classes)
	l.x.put(u)
	y := &l.x
	if l.proxies != nil {
		l.p.put(l.proxies.Value)
		y = &l.p
	}
	l.table.fill(&l.x, y)
	rng := cmp.Or(b.Rand, rand.New(rand.NewPCG(l.seed, 'M')))
	if gu == nil {
		return l.terms(l.criterion.step(&l.table, b.Label, nil, 0, rng))
	}
	l.table.g = zeros(l.table.g, l.table.n*l.table.m)
	value := l.criterion.step(&l.table, b.Label, l.table.g, weight, rng)
	l.table.backward(&l.x, y)
	sums := l.x.pull(gu, u)
	if l.proxies != nil {
		sums.Add(l.p.pull(l.proxies.Grad, l.proxies.Value))
	}
	sums.Length = l.table.length()
	l.x.addGrad(sums)
	return l.terms(value)
}

// of returns the features of one space and the place for their gradient, nil
// if only values are wanted.
func (b Batch) of(s Space) (u, gu []float32) {
	train := b.GE != nil || b.GH != nil
	if s == OnlyE {
		return b.E, wanted(b.GE, train)
	}
	return b.H, wanted(b.GH, train)
}

// terms puts the value where the space has it.
func (l *single) terms(value float64) Terms {
	if l.geometry == Sphere {
		return Terms{Total: value, E: value}
	}
	return Terms{Total: value, H: value, Clipped: share(l.x.clipped, l.x.rows())}
}

// share is part/of, 0 of nothing.
func share(part, of int) float64 {
	if of == 0 {
		return 0
	}
	return float64(part) / float64(of)
}

// logSum is log Σ exp of what was added, without overflow: -Inf of nothing.
type logSum struct {
	top, sum float64 // Σ = sum exp(top)
}

func noTerms() logSum { return logSum{top: math.Inf(-1)} }

func (l *logSum) add(v float64) {
	switch {
	case math.IsInf(v, -1):
	case v <= l.top:
		l.sum += math.Exp(v - l.top)
	default:
		l.sum = l.sum*math.Exp(l.top-v) + 1
		l.top = v
	}
}

func (l logSum) value() float64 { return l.top + math.Log(l.sum) }

// margin returns an error unless v is finite; negative ones mean none.
func margin(name, option string, v float64) error {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return fmt.Errorf("loss: %s: %s is %g; want a number (0 means its default, negative means none)", name, option, v)
	}
	return nil
}

// first returns the first error that is not nil.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
