package selftest

import (
	"fmt"
	"math"

	"github.com/chestlab/chest/chestlib/engine/cuda/driver"
	"github.com/chestlab/chest/chestlib/engine/cuda/kernels"
)

func assignCases() (all []Case) {
	names := map[int]string{kernels.Sphere: "cosine", 0: "-d", 1: "-d²", 2: "exp(-d)", 3: "-d/4r"}
	for kind := kernels.Sphere; kind <= 3; kind++ {
		for _, s := range []assignShape{{1, 1, 1, 3, 0.1, false}, {3, 7, 2, 5, 0.1, false}, {33, 130, 2, 17, 0.1, false}, {5, 17, 10, 8, 1, false},
			{40, 300, 1, 9, 0.1, false}, {6, 9, 3, 8, 0, false}, {6, 9, 3, 8, 0.1, true}} {
			all = append(all, Case{
				Name:  fmt.Sprintf("assignment by %s, %d rows, %d×%d proxies, c %g, twins %v", names[kind], s.n, s.classes, s.k, s.c, s.twins),
				Quick: s.n == 33 && kind <= 0,
				run:   func(b *bed) { assign(b, kind, s) },
			})
		}
	}
	for _, sphere := range []bool{true, false} {
		for _, c := range []float64{0, 0.1} {
			if sphere && c > 0 {
				continue
			}
			for _, s := range [][3]int{{1, 2, 3}, {7, 3, 33}, {2, 10, 5}, {3, 1, 4}} {
				all = append(all, Case{
					Name:  fmt.Sprintf("merging, sphere %v, c %g, %d×%d proxies of %d", sphere, c, s[0], s[1], s[2]),
					Quick: s[0] == 7,
					run:   func(b *bed) { merge(b, sphere, c, s[0], s[1], s[2]) },
				})
			}
		}
	}
	return all
}

type assignShape struct {
	n, classes, k, d int
	c                float64
	twins            bool // rows at their proxies
}

// inBall is n points of norm about half the radius of the ball of curvature -c.
func (b *bed) inBall(n, d int, c float64) []float32 {
	return b.random(n*d, 0.5/math.Sqrt(max(c, 0.1)*float64(d)))
}

// spread is the points as the device needs them.
func (b *bed) given(x []float32, d int, c float64) (kernels.Points, []float64) {
	n := len(x) / d
	square, room, inverse := make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range n {
		square[i] = dot(x[i*d:(i+1)*d], x[i*d:(i+1)*d])
		room[i] = 1 - c*square[i]
		inverse[i] = 1 / room[i]
	}
	return kernels.Points{X: b.floats(x), Square: b.floats(narrowed(square)), Room: b.floats(narrowed(room)), Inverse: b.floats(narrowed(inverse))}, room
}

func assign(b *bed, kind int, s assignShape) {
	n, columns, d := s.n, s.classes*s.k, s.d
	x, p := b.inBall(n, d, s.c), b.inBall(columns, d, s.c)
	if s.twins {
		copy(x, p[:n*d])
	}
	label := make([]int32, n)
	for i := range label {
		label[i] = int32(b.rng.IntN(s.classes))
	}
	const scale, r = 0.7, 2.3
	lambda, gamma, delta := 5.0, 0.4, 0.1
	dots := make([]float64, n*columns)
	for i := range n {
		for j := range columns {
			dots[i*columns+j] = dot(x[i*d:(i+1)*d], p[j*d:(j+1)*d])
		}
	}
	X, roomX := b.given(x, d, s.c)
	P, roomP := b.given(p, d, s.c)
	a := kernels.Assign{N: n, Classes: s.classes, Proxies: s.k, Kind: kind, Lambda: lambda, Delta: delta, Gamma: gamma, C: s.c, R: r,
		Label: b.ints(label), S: b.floats(narrowed(dots)), X: X, P: P, D: d, Relaxed: b.room(4 * n * s.classes), Spread: b.room(4 * n * s.classes),
		LSE: b.room(4 * n), Loss: b.room(8 * n), Scale: scale}
	a.RowW, a.RowV = b.room(4*a.Parts()*n), b.room(4*a.Parts()*n)
	a.ColW, a.ColV = b.room(4*a.Chunks()*columns), b.room(4*a.Chunks()*columns)
	if b.err != nil {
		return
	}
	b.do(b.s.AssignForward(a))
	loss, S := b.getDoubles(a.Loss, n), b.getFloats(a.Relaxed, n*s.classes)
	b.do(b.s.AssignBackward(a))
	got := b.getFloats(a.S, n*columns)

	want := assignment{kind: kind, shape: s, r: r, lambda: lambda, gamma: gamma, delta: delta, scale: scale}
	want.compute(x, p, dots, roomX, roomP, label)
	b.nearAbout("loss", loss, want.loss, 0.1, 3e-6)
	b.near("S", S, want.relaxed, 3e-6)
	if s.twins {
		return // weights at distance 0 are of any size
	}
	b.near("gradient", got, want.g, 2e-4)
	if kind == kernels.Sphere {
		return
	}
	size := 1e-6
	for _, w := range want.g {
		size = max(size, math.Abs(w))
	}
	sums := func(m driver.Memory, parts, n int) []float64 {
		all := b.getFloats(m, parts*n)
		sum := make([]float64, n)
		for i, v := range all {
			sum[i%n] += float64(v)
		}
		return sum
	}
	b.nearAbout("Σw of rows", sums(a.RowW, a.Parts(), n), want.rowW, size, 2e-4)
	b.nearAbout("Σv of rows", sums(a.RowV, a.Parts(), n), want.rowV, size, 2e-4)
	b.nearAbout("Σw of columns", sums(a.ColW, a.Chunks(), columns), want.colW, size, 2e-4)
	b.nearAbout("Σv of columns", sums(a.ColV, a.Chunks(), columns), want.colV, size, 2e-4)
}

// assignment is the reference.
type assignment struct {
	kind                           int
	shape                          assignShape
	r, lambda, gamma, delta, scale float64

	loss, relaxed, g       []float64
	rowW, rowV, colW, colV []float64
}

func (a *assignment) compute(x, p []float32, dots, roomX, roomP []float64, label []int32) {
	n, classes, k, d, c := a.shape.n, a.shape.classes, a.shape.k, a.shape.d, a.shape.c
	columns := classes * k
	a.loss, a.relaxed, a.g = make([]float64, n), make([]float64, n*classes), make([]float64, n*columns)
	a.rowW, a.rowV, a.colW, a.colV = make([]float64, n), make([]float64, n), make([]float64, columns), make([]float64, columns)
	sim, slope, sq := make([]float64, columns), make([]float64, columns), make([]float64, columns)
	for i := range n {
		for j := range columns {
			sim[j], slope[j] = dots[i*columns+j], 1
			if a.kind != kernels.Sphere {
				sq[j] = squared(x[i*d:(i+1)*d], p[j*d:(j+1)*d])
				dist := 2 * math.Sqrt(sq[j])
				if c > 0 {
					dist = 2 / math.Sqrt(c) * math.Asinh(math.Sqrt(c*sq[j]/(roomX[i]*roomP[j])))
				}
				sim[j], slope[j] = similar(a.kind, dist, a.r)
			}
		}
		a.row(i, int(label[i]), sim)
		for j := range columns {
			g := a.g[i*columns+j] * slope[j]
			if a.kind != kernels.Sphere {
				g = 2 * g / math.Sqrt((roomX[i]*roomP[j]+c*sq[j])*sq[j])
				a.rowW[i] += g
				a.rowV[i] += g * sq[j]
				a.colW[j] += g
				a.colV[j] += g * sq[j]
			}
			a.g[i*columns+j] = g
		}
	}
}

// similar is the similarity at a distance, and its slope.
func similar(kind int, d, r float64) (s, slope float64) {
	switch kind {
	case 1:
		return -d * d, -2 * d
	case 2:
		return math.Exp(-d), -math.Exp(-d)
	case 3:
		return -d / (4 * r), -1 / (4 * r)
	}
	return -d, -1
}

// row is the loss of row i and the gradient by its similarities.
func (a *assignment) row(i, label int, sim []float64) {
	classes, k := a.shape.classes, a.shape.k
	z, q, sum := make([]float64, classes), make([]float64, len(sim)), 0.0
	for cl := range classes {
		var all, mean float64
		for l := cl * k; l < (cl+1)*k; l++ {
			q[l] = math.Exp(sim[l] / a.gamma)
			all += q[l]
		}
		for l := cl * k; l < (cl+1)*k; l++ {
			q[l] /= all
			mean += q[l] * sim[l]
		}
		a.relaxed[i*classes+cl] = mean
		z[cl] = a.lambda * mean
		if cl == label {
			z[cl] -= a.lambda * a.delta
		}
		sum += math.Exp(z[cl])
	}
	a.loss[i] = math.Log(sum) - z[label]
	for cl := range classes {
		gS := math.Exp(z[cl]) / sum
		if cl == label {
			gS--
		}
		for l := cl * k; l < (cl+1)*k; l++ {
			a.g[i*len(sim)+l] = a.scale * a.lambda * gS * q[l] * (1 + (sim[l]-a.relaxed[i*classes+cl])/a.gamma)
		}
	}
}

func merge(b *bed, sphere bool, c float64, classes, k, d int) {
	p := b.inBall(classes*k, d, c)
	if sphere {
		for i := range classes * k {
			row := p[i*d : (i+1)*d]
			norm := math.Sqrt(dot(row, row))
			for j := range row {
				row[j] = float32(float64(row[j]) / norm)
			}
		}
	}
	if k > 1 {
		copy(p[d:2*d], p[:d]) // twins
	}
	P, room := b.given(p, d, c)
	const scale, weight = 0.3, 0.5
	size := classes * k * k
	m := kernels.Merge{P: P.X, Room: P.Room, Classes: classes, Proxies: k, D: d, Sphere: sphere, C: c, Scale: scale, Weight: weight,
		Coef: b.floats(make([]float32, size)), Diag: b.floats(make([]float32, size))}
	m.Value = b.room(8 * m.Pairs())
	if b.err != nil {
		return
	}
	b.do(b.s.MergePairs(m))
	coef, diag, value := make([]float64, size), make([]float64, size), make([]float64, m.Pairs())
	for i := range classes * k {
		for l := range k {
			j, at := i/k*k+l, i*k+l
			if i == j {
				continue
			}
			sq := squared(p[i*d:(i+1)*d], p[j*d:(j+1)*d])
			var v float64
			if sphere {
				v = math.Sqrt(sq + 1e-5)
				coef[at] = -weight / v
			} else {
				v = 2 * math.Sqrt(sq)
				if c > 0 {
					v = 2 / math.Sqrt(c) * math.Asinh(math.Sqrt(c*sq/(room[i]*room[j])))
				}
				if sq > 0 {
					coef[at] = -2 * weight / math.Sqrt((room[i]*room[j]+c*sq)*sq)
					diag[at] = -coef[at] * (1 + c*sq/room[i])
				}
			}
			if i < j {
				value[i/k*(k*(k-1)/2)+l*(l-1)/2+i%k] = scale * v
			}
		}
	}
	b.nearDoubles("value", b.getDoubles(m.Value, m.Pairs()), value, 1e-6)
	b.near("coef", b.getFloats(m.Coef, size), coef, 1e-5)
	b.near("diag", b.getFloats(m.Diag, size), diag, 1e-5)
}
