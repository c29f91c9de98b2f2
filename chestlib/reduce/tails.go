package reduce

import (
	"math"

	"gonum.org/v1/gonum/floats"

	"github.com/chestlab/chest/internal/parallel"
)

const (
	tailGrain = 16 // points of a task
	tailTasks = 16 // of a gradient: each has its own sums
)

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
	gap   []float64 // 1 - ‖y‖²
	parts []part
}

// part is what the pairs of some rows with the rows above them add to the
// gradient.
type part struct {
	lo, hi int       // the rows
	pull   []float64 // n×2: Σ p d/(γ² + d²) u
	push   []float64 // n×2: Σ w d/(γ² + d²) u
	sum    float64   // Σ w, each pair once
}

func newTails(p, norm []float64, gamma float64) *tails {
	n := len(norm)
	t := &tails{p: p, norm: norm, gamma: gamma, gap: make([]float64, n), parts: make([]part, tailTasks)}
	for k := range t.parts { // of about as many pairs each
		until := func(k int) int { return int(math.Round(float64(n) * math.Sqrt(float64(k)/tailTasks))) }
		t.parts[k] = part{lo: until(k), hi: until(k + 1), pull: make([]float64, 2*n), push: make([]float64, 2*n)}
	}
	return t
}

// divergence is K, up to Σ p log p.
func (t *tails) divergence(y []float64) float64 {
	n := len(t.norm)
	logs, sums := make([]float64, (n+tailGrain-1)/tailGrain), make([]float64, (n+tailGrain-1)/tailGrain)
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
		sums[lo/tailGrain], logs[lo/tailGrain] = sum, log
	})
	return floats.Sum(logs) + math.Log(floats.Sum(sums))*floats.Sum(t.p)
}

// gradient sets g to that of K by each point, in the frame of the point (in
// which a vector is as long as the hyperbolic way it describes), with p taken
// times exaggeration. With the unit vectors u toward the other points,
//
//	gᵢ = -4 Σⱼ (p - q) d/(γ² + d²) u
func (t *tails) gradient(g, y []float64, exaggeration float64) {
	for i := range t.gap {
		t.gap[i] = gapOf(y[2*i], y[2*i+1])
	}
	parallel.For(len(t.parts), 1, func(k, _ int) {
		e := &t.parts[k]
		clear(e.pull)
		clear(e.push)
		e.sum = 0
		for i := e.lo; i < e.hi; i++ {
			t.row(e, y, i)
		}
	})
	whole := 0.0
	for _, e := range t.parts {
		whole += 2 * e.sum
	}
	clear(g)
	for _, e := range t.parts { // in order; nothing beyond the rows of e and those above
		for k, v := range e.pull[:2*e.hi] {
			g[k] -= 4 * (exaggeration*v - e.push[k]/whole)
		}
	}
}

// row adds the pairs of row i and the rows above it to e.
func (t *tails) row(e *part, y []float64, i int) {
	gg, p := t.gamma*t.gamma, t.p[i*len(t.norm):]
	x0, y0 := y[2*i], y[2*i+1]
	var ax, ay, bx, by, sum float64
	for j, gap := range t.gap[:i] {
		x1, y1 := y[2*j], y[2*j+1]
		dx, dy := x1-x0, y1-y0
		sq, gaps := dx*dx+dy*dy, t.gap[i]*gap
		if sq == 0 {
			sum++
			continue
		}
		d := 2 * asinh(math.Sqrt(sq/gaps))
		v := 1 / (gg + d*d)
		w := gg * v
		sum += w
		// u is (yⱼ-yᵢ)/(1-ȳᵢyⱼ), complex, over its size; |1-ȳᵢyⱼ|² = gaps + sq. From
		// the other end both the difference and the imaginary part change their sign.
		re, im := 1-x0*x1-y0*y1, y0*x1-x0*y1
		f := d * v / math.Sqrt(sq*(gaps+sq))
		ux, uy := f*(dx*re+dy*im), f*(dy*re-dx*im)
		vx, vy := f*(dy*im-dx*re), -f*(dy*re+dx*im)
		ax, ay = ax+p[j]*ux, ay+p[j]*uy
		bx, by = bx+w*ux, by+w*uy
		e.pull[2*j] += p[j] * vx
		e.pull[2*j+1] += p[j] * vy
		e.push[2*j] += w * vx
		e.push[2*j+1] += w * vy
	}
	e.sum += sum
	e.pull[2*i] += ax
	e.pull[2*i+1] += ay
	e.push[2*i] += bx
	e.push[2*i+1] += by
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
