package selftest

import (
	"fmt"
	"math"

	"github.com/chestlab/chest/chestlib/engine/cuda/kernels"
	"github.com/chestlab/chest/chestlib/poincare"
)

// charts are the maps that are tried.
var charts = []struct {
	name  string
	chart kernels.Chart
}{
	{"sphere", kernels.Chart{Sphere: true}},
	{"ball", kernels.Chart{C: 0.1, R: 2.3}},
	{"ball without clip", kernels.Chart{C: 1, R: math.Inf(1)}},
	{"flat", kernels.Chart{C: 0, R: 2.3}},
	{"ball, rounded", kernels.Chart{C: 0.1, R: 2.3, Round: true}},
	{"sphere, rounded", kernels.Chart{Sphere: true, Round: true}},
}

func rowCases() (all []Case) {
	for _, c := range charts {
		for _, size := range [][2]int{{1, 1}, {5, 31}, {33, 33}, {2, 257}} {
			all = append(all, Case{
				Name:  fmt.Sprintf("rows to points of the %s, %d×%d", c.name, size[0], size[1]),
				Quick: size[0] == 33 && !c.chart.Round,
				run:   func(b *bed) { chartRows(b, c.chart, size[0], size[1]) },
			})
		}
	}
	for _, f := range []struct{ n, d, splits, parts, k int }{{1, 1, 1, 0, 0}, {6, 33, 3, 2, 0}, {12, 31, 1, 40, 3}, {9, 257, 2, 1, 1}} {
		for _, add := range []bool{false, true} {
			all = append(all, Case{
				Name: fmt.Sprintf("gradients by rows, %d×%d, %d splits, %d parts, merging %d, add %v", f.n, f.d, f.splits, f.parts, f.k, add),
				run:  func(b *bed) { finishRows(b, f.n, f.d, f.splits, f.parts, f.k, add) },
			})
		}
	}
	return all
}

// rows are n rows of many lengths, the first of them zero, the last long.
func (b *bed) rows(n, d int) []float32 {
	u := b.random(n*d, 1)
	for i := range n {
		scale := float32(math.Exp(2*b.rng.NormFloat64()) / math.Sqrt(float64(d)))
		if i == 0 && n > 1 {
			scale = 0
		}
		if i == n-1 && n > 1 {
			scale = 12 / float32(math.Sqrt(float64(d)))
		}
		for j := range d {
			u[i*d+j] *= scale
		}
	}
	return u
}

// points is memory for what ChartRows writes.
func (b *bed) points(n, d int) kernels.Points {
	return kernels.Points{X: b.room(4 * n * d), Alpha: b.room(8 * n), Beta: b.room(8 * n),
		Square: b.room(4 * n), Room: b.room(4 * n), Inverse: b.room(4 * n), Clipped: b.room(8 * n)}
}

// chartRows compares points with package poincare, and α and β by the gradient that they pull back.
func chartRows(b *bed, c kernels.Chart, n, d int) {
	u := b.rows(n, d)
	p := b.points(n, d)
	dU := b.floats(u)
	if b.err != nil {
		return
	}
	b.do(b.s.ChartRows(c, dU, n, d, p))
	x, square, room := b.getFloats(p.X, n*d), b.getFloats(p.Square, n), b.getFloats(p.Room, n)
	alpha, beta, clipped := b.getDoubles(p.Alpha, n), b.getDoubles(p.Beta, n), b.getDoubles(p.Clipped, n)
	for i := range n {
		row, got := widened(u[i*d:(i+1)*d]), x[i*d:(i+1)*d]
		want, g := make([]float64, d), widened(b.random(d, 1))
		pulled := make([]float64, d)
		norm := math.Sqrt(dot(u[i*d:(i+1)*d], u[i*d:(i+1)*d]))
		open := 1.0
		if c.Sphere {
			if norm > 0 {
				along := 0.0
				for j, v := range row {
					along += v * g[j] / norm
				}
				for j, v := range row {
					want[j], pulled[j] = v/norm, (g[j]-along*v/norm)/norm
				}
			}
		} else {
			short := make([]float64, d)
			poincare.Clip(short, row, c.R)
			poincare.ExpMap0(want, short, c.C)
			poincare.ExpMap0Grad(pulled, short, g, c.C)
			poincare.ClipGrad(pulled, row, pulled, c.R)
			cosh := math.Cosh(math.Sqrt(c.C) * min(norm, c.R))
			open = 1 / (cosh * cosh)
		}
		tolerance := 3e-7
		if c.Round {
			tolerance = 1.0 / (1 << 11)
			for j, v := range got {
				if b.err == nil && math.Float32bits(v)&0x1fff != 0 {
					b.do(fmt.Errorf("x[%d] is %g, which is not rounded", j, v))
				}
			}
			if !c.Sphere {
				open = 1 - c.C*dot(got, got)
			}
		}
		b.near("x", got, want, tolerance)
		uG, back := 0.0, make([]float64, d)
		for j, v := range row {
			uG += v * g[j]
		}
		for j, v := range row {
			back[j] = alpha[i]*g[j] + beta[i]*uG*v
		}
		b.nearAbout("gradient", back, pulled, 1e-3, 1e-5)
		if b.err == nil && math.Abs(float64(square[i])-dot(got, got)) > 1e-6*dot(got, got) {
			b.do(fmt.Errorf("‖x‖² of row %d is %g", i, square[i]))
		}
		if b.err == nil && math.Abs(float64(room[i])-open) > 1e-6*open {
			b.do(fmt.Errorf("room of row %d is %g, want %g", i, room[i], open))
		}
		if b.err == nil && !c.Sphere && (clipped[i] == 1) != (norm >= c.R) {
			b.do(fmt.Errorf("clipped of row %d is %g at length %g", i, clipped[i], norm))
		}
	}
}

func finishRows(b *bed, n, d, splits, parts, k int, add bool) {
	const c = 0.3
	u, x, dst := b.random(n*d, 1), b.random(n*d, 1), b.random(n*d, 1)
	g := b.random(splits*n*d, 1)
	alpha, beta := b.positive(n, 0.1), b.positive(n, 0.1)
	w, v, room := b.random(parts*n, 1), b.random(parts*n, 1), narrowed(b.positive(n, 0.2))
	coef, diag := b.random(n*k, 1), b.random(n*k, 1)
	want, norms := make([]float64, n*d), make([]float64, n)
	for i := range n {
		own := 0.0
		for p := range parts {
			own += float64(w[p*n+i]) + c*float64(v[p*n+i])/float64(room[i])
		}
		for l := range k {
			if other := i/k*k + l; other != i {
				own += float64(diag[i*k+l])
			}
		}
		sum := make([]float64, d)
		var along float64
		for t := range d {
			sum[t] = own * float64(x[i*d+t])
			for s := range splits {
				sum[t] += float64(g[s*n*d+i*d+t])
			}
			for l := range k {
				if other := i/k*k + l; other != i {
					sum[t] += float64(coef[i*k+l]) * float64(x[other*d+t])
				}
			}
			along += float64(u[i*d+t]) * sum[t]
		}
		for t := range d {
			y := alpha[i]*sum[t] + beta[i]*along*float64(u[i*d+t])
			if add {
				y += float64(dst[i*d+t])
			}
			want[i*d+t] = y
			norms[i] += y * y
		}
	}
	f := kernels.Finish{Dst: b.floats(dst), Add: add, U: b.floats(u), X: b.floats(x), G: b.floats(g), Splits: splits, N: n, D: d,
		Alpha: b.doubles(alpha), Beta: b.doubles(beta), Parts: parts, C: c, K: k, Norm: b.room(8 * n)}
	if parts > 0 {
		f.W, f.V, f.Room = b.floats(w), b.floats(v), b.floats(room)
	}
	if k > 0 {
		f.Coef, f.Diag = b.floats(coef), b.floats(diag)
	}
	if b.err != nil {
		return
	}
	b.do(b.s.FinishRows(f))
	b.near("gradient", b.getFloats(f.Dst, n*d), want, 1e-6)
	b.nearDoubles("norm", b.getDoubles(f.Norm, n), norms, 1e-6)
}
