package loss

import (
	"cmp"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/floats"

	"github.com/chestlab/chest/internal/parallel"
)

// SupConOptions controls the supervised contrastive loss, with the sum over
// positives outside of the logarithm (L_out).
//
// With unit vectors, z_ij = x_i·x_j/τ and P_i the other rows of the class of i:
//
//	L = mean_i 1/|P_i| Σ_{p ∈ P_i} ( log Σ_{a≠i} exp z_ia - z_ip )
//
//	∂L/∂s_ia = ( exp z_ia / Σ exp z - [a ∈ P_i]/|P_i| ) / (τn)
//
// The mean is over the n rows with a positive; the paper adds them up, and has
// no others. Its positives count in the denominator of each other, so the
// loss does not go to 0. The factor τ/0.07 of the authors' code is left out. In the ball
// z_ij is -d(x_i, x_j)/τ, our extension: τ = 0.2 is then Hyp-ViT's.
//
// The paper is about classification, with a temperature of 0.1 and batches of
// thousands of augmented images; in metric learning it is used with the
// optimiser of the method that it is compared with.
//
// Source: P. Khosla et al., "Supervised Contrastive Learning" (2020), equation 2.
type SupConOptions struct {
	Temperature float64  // τ; 0 means 0.1
	Geometry    Geometry // 0 is Sphere
}

func (o SupConOptions) withDefaults() SupConOptions {
	o.Temperature = cmp.Or(o.Temperature, 0.1)
	o.Geometry = cmp.Or(o.Geometry, Sphere)
	return o
}

// Name implements Recipe: "supcon".
func (o SupConOptions) Name() string { return "supcon" + o.Geometry.suffix(Sphere) }

// Make implements Recipe.
func (o SupConOptions) Make(s Setting) (Loss, error) {
	o = o.withDefaults()
	if err := first(o.Geometry.check("SupCon"), s.check("SupCon", o.Geometry), positive("SupCon", "Temperature", o.Temperature)); err != nil {
		return nil, err
	}
	return newSingle("SupCon", s, o.Geometry, similarity(o.Geometry), &supCon{temperature: o.Temperature}), nil
}

// supCon is the criterion on similarities of pairs.
type supCon struct {
	temperature float64
	positives   []int // of each row
	rowLoss     []float64
}

func (l *supCon) step(t *table, label []int, g []float64, weight float64, _ *rand.Rand) float64 {
	rows := l.count(label)
	if rows == 0 {
		return 0
	}
	l.rowLoss = zeros(l.rowLoss, t.n)
	parallel.For(t.n, blockRows, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			if l.positives[i] > 0 {
				l.rowLoss[i] = l.row(i, t.row(t.s, i), label, t.row(g, i), weight/float64(rows))
			}
		}
	})
	return floats.Sum(l.rowLoss) / float64(rows)
}

// count fills positives and returns how many rows have one.
func (l *supCon) count(label []int) (rows int) {
	l.positives = resized(l.positives, len(label))
	for i, c := range label {
		l.positives[i] = -1 // the row itself
		for _, other := range label {
			if other == c {
				l.positives[i]++
			}
		}
		if l.positives[i] > 0 {
			rows++
		}
	}
	return rows
}

// row is the loss of row i, and adds weight times its gradient to g.
func (l *supCon) row(i int, s []float64, label []int, g []float64, weight float64) float64 {
	all, mean := noTerms(), 0.0
	for a, v := range s {
		if a == i {
			continue
		}
		all.add(v / l.temperature)
		if label[a] == label[i] {
			mean += v / l.temperature / float64(l.positives[i])
		}
	}
	log := all.value()
	for a := range g {
		if a == i {
			continue
		}
		g[a] += weight / l.temperature * math.Exp(s[a]/l.temperature-log)
		if label[a] == label[i] {
			g[a] -= weight / l.temperature / float64(l.positives[i])
		}
	}
	return log - mean
}
