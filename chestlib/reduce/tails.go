package reduce

import (
	"math"

	"gonum.org/v1/gonum/floats"

	"github.com/chestlab/chest/internal/parallel"
)

const tailGrain = 16 // points of a task

// tails is what CO-SNE minimises over points y of the unit disk:
//
//	K + λH,  K = Σ p log(p/q),  q = w/Σw,  w = 1/(1 + d(yᵢ,yⱼ)²/γ²)  over i ≠ j
//	         H = (1/n) Σ (‖yᵢ‖² - rᵢ²)²
//
// K is the Kullback-Leibler divergence of the affinities p, n×n, from those of
// a Cauchy distribution in the picture; H holds the points at their norms.
type tails struct {
	p     []float64
	norm  []float64 // r²
	gamma float64
	sums  []float64 // Σ w of each task
	pull  []float64 // n×2
	push  []float64 // n×2
}

func newTails(p, norm []float64, gamma float64) *tails {
	n := len(norm)
	return &tails{p: p, norm: norm, gamma: gamma, sums: make([]float64, (n+tailGrain-1)/tailGrain), pull: make([]float64, 2*n), push: make([]float64, 2*n)}
}

// divergence is K, up to Σ p log p.
func (t *tails) divergence(y []float64) float64 {
	n := len(t.norm)
	logs := make([]float64, len(t.sums))
	parallel.For(n, tailGrain, func(lo, hi int) {
		var sum, log float64
		for i := lo; i < hi; i++ {
			for j := range n {
				if j == i {
					continue
				}
				d := chordDistance(y, i, j)
				u := 1 + d*d/(t.gamma*t.gamma)
				sum += 1 / u
				log += t.p[i*n+j] * math.Log(u)
			}
		}
		t.sums[lo/tailGrain], logs[lo/tailGrain] = sum, log
	})
	return floats.Sum(logs) + math.Log(floats.Sum(t.sums))*floats.Sum(t.p)
}

// gradient sets g to that of K by each point, in the frame of the point (in
// which a vector is as long as the hyperbolic way it describes), with p taken
// times exaggeration. With the unit vectors u toward the other points,
//
//	gᵢ = -4 Σⱼ (p - q) d/(γ² + d²) u
func (t *tails) gradient(g, y []float64, exaggeration float64) {
	n := len(t.norm)
	gg := t.gamma * t.gamma
	gap := make([]float64, n)
	for i := range gap {
		gap[i] = gapOf(y[2*i], y[2*i+1])
	}
	parallel.For(n, tailGrain, func(lo, hi int) {
		var sum float64
		for i := lo; i < hi; i++ {
			x0, y0, p := y[2*i], y[2*i+1], t.p[i*n:(i+1)*n]
			var ax, ay, bx, by float64
			for j := range gap {
				x1, y1 := y[2*j], y[2*j+1]
				dx, dy := x1-x0, y1-y0
				sq := dx*dx + dy*dy
				if sq == 0 {
					if j != i {
						sum++
					}
					continue
				}
				z := sq / (gap[i] * gap[j])
				d := 2 * asinh(math.Sqrt(z))
				v := 1 / (gg + d*d)
				w := gg * v
				sum += w
				// (y₁-y₀)/(1-ȳ₀y₁), complex, whose size is d's tanh: |1-ȳ₀y₁|² = gap gap + sq
				re, im := 1-x0*x1-y0*y1, y0*x1-x0*y1
				f := d * v / math.Sqrt(sq*(gap[i]*gap[j]+sq))
				ux, uy := f*(dx*re+dy*im), f*(dy*re-dx*im)
				ax, ay = ax+p[j]*ux, ay+p[j]*uy
				bx, by = bx+w*ux, by+w*uy
			}
			t.pull[2*i], t.pull[2*i+1] = ax, ay
			t.push[2*i], t.push[2*i+1] = bx, by
		}
		t.sums[lo/tailGrain] = sum
	})
	whole := floats.Sum(t.sums)
	for k := range g {
		g[k] = -4 * (exaggeration*t.pull[k] - t.push[k]/whole)
	}
}

// held is H.
func (t *tails) held(y []float64) (h float64) {
	n := float64(len(t.norm))
	for i, r := range t.norm {
		e := y[2*i]*y[2*i] + y[2*i+1]*y[2*i+1] - r
		h += e * e / n
	}
	return h
}

// heldGradient adds f times the gradient of H to g, in the frames:
// 4/n (‖y‖² - r²) y in coordinates, times (1-‖y‖²)/2.
func (t *tails) heldGradient(g, y []float64, f float64) {
	n := float64(len(t.norm))
	for i, r := range t.norm {
		yy := y[2*i]*y[2*i] + y[2*i+1]*y[2*i+1]
		k := f * 4 / n * (yy - r) * (1 - yy) / 2
		g[2*i] += k * y[2*i]
		g[2*i+1] += k * y[2*i+1]
	}
}

// chordDistance is the hyperbolic distance of two rows of y.
func chordDistance(y []float64, i, j int) float64 {
	x0, y0, x1, y1 := y[2*i], y[2*i+1], y[2*j], y[2*j+1]
	return 2 * asinh(math.Sqrt(((x1-x0)*(x1-x0)+(y1-y0)*(y1-y0))/(gapOf(x0, y0)*gapOf(x1, y1))))
}
