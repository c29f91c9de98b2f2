package vmath

import (
	"fmt"
	"math"
)

// Assign is the soft assignment of one feature to k proxies of each of n
// classes. s and q are k×n: proxies of one number side by side, so that the
// loop over classes is the vector's. S has n entries. A q of nil is not written.
//
//	for c := range n {
//		m := max over k of s[k*n+c]
//		for k := range k { e[k] = exp((s[k*n+c] - m) * inverse) }
//		for k := range k { q[k*n+c] = e[k] / Σ e }
//		S[c] = Σ_k q[k*n+c] s[k*n+c]       computed as m + Σ q (s-m)
//	}
//
// inverse is 1/γ.
func Assign(q, S, s []float32, k, n int, inverse float32) {
	checkProxies("Assign", k, n, len(s), len(q), len(S))
	if t := vector(); t != nil && n > 0 {
		if q == nil {
			t.assignOnly(n, k, nil, &S[0], &s[0], inverse)
		} else {
			t.assign(n, k, &q[0], &S[0], &s[0], inverse)
		}
		return
	}
	for c := range n {
		top := s[c]
		for at := c + n; at < k*n; at += n {
			top = max(top, s[at])
		}
		var sum, mean float32
		for at := c; at < k*n; at += n {
			e := float32(math.Exp(float64((s[at] - top) * inverse)))
			sum += e
			mean += e * (s[at] - top)
			if q != nil {
				q[at] = e
			}
		}
		if q != nil {
			for at := c; at < k*n; at += n {
				q[at] /= sum
			}
		}
		S[c] = top + mean/sum
	}
}

// AssignGrad is the gradient of Assign: it overwrites q, which Assign wrote
// along with S, with the gradient by s, given gS, that by S.
//
//	for c := range n {
//		for k := range k { q[k*n+c] *= gS[c] * (1 + (s[k*n+c] - S[c]) * inverse) }
//	}
func AssignGrad(q, s, S, gS []float32, k, n int, inverse float32) {
	checkProxies("AssignGrad", k, n, len(s), len(q), len(S))
	check("AssignGrad", n, len(gS))
	if t := vector(); t != nil && n > 0 {
		t.assignGrad(n, k, &q[0], &s[0], &S[0], &gS[0], inverse)
		return
	}
	for r := range k {
		for c := range n {
			q[r*n+c] *= gS[c] * (1 + (s[r*n+c]-S[c])*inverse)
		}
	}
}

// least is what a squared number must exceed not to count as 0.
const least = 1.0 / (1 << 50) / (1 << 50)

func checkProxies(name string, k, n, s, q, S int) {
	if k < 1 || s != k*n || q != k*n && q != 0 || S != n {
		panic(fmt.Sprintf("vmath: %s: lengths s %d, q %d, S %d for k %d, n %d", name, s, q, S, k, n))
	}
}

// SquaredFromDots turns inner products x·y[j] into squared distances and tells
// whether one of them has lost digits and should be taken from the difference:
//
//	for j := range t {
//		both := xx + yy[j]
//		t[j] = max(both-2*t[j], 0)
//		near = near || t[j] < 1e-5*both
//	}
//
// xx is ‖x‖², yy[j] is ‖y[j]‖².
func SquaredFromDots(t []float32, xx float32, yy []float32) (near bool) {
	check("SquaredFromDots", len(t), len(yy))
	if v := vector(); v != nil && len(t) > 0 {
		return v.squaredFromDots(len(t), &t[0], xx, &yy[0]) != 0
	}
	for j, y := range yy {
		both := xx + y
		t[j] = max(both-2*t[j], 0)
		near = near || t[j] < 1e-5*both
	}
	return near
}

// BallDistance computes scaled distances in the Poincaré ball from squared
// Euclidean ones:
//
//	dst[j] = scale * asinh(√(sq[j] * a * b[j]))     0 where the radicand is ≤ 2⁻¹⁰⁰
//
// With a = c/(1-c‖x‖²) and b[j] = 1/(1-c‖y[j]‖²), scale 2/√c gives the distance.
func BallDistance(dst, sq []float32, a float32, b []float32, scale float32) {
	check("BallDistance", len(dst), len(sq), len(b))
	if t := vector(); t != nil && len(sq) > 0 {
		t.ballDistance(len(sq), &dst[0], &sq[0], a, &b[0], scale)
		return
	}
	for j, v := range sq {
		dst[j] = 0
		if zz := v * a * b[j]; zz > least {
			dst[j] = scale * float32(math.Asinh(math.Sqrt(float64(zz))))
		}
	}
}

// BallDistanceGrad turns the gradient g by distances into the weights of their
// gradient by points:
//
//	for j := range g {
//		root := √((A*B[j] + c*sq[j]) * sq[j])
//		w := 2*g[j]/root                  0 where root² ≤ 2⁻¹⁰⁰
//		v := w*sq[j]
//		g[j] = w
//		W += w;  V += v;  w_[j] += w;  v_[j] += v
//	}
//
// A = 1-c‖x‖², B[j] = 1-c‖y[j]‖². The gradient by x is then
// W x - Σ g[j] y[j] + c V/A x, that by y[j] is w_[j] y[j] - Σ g[j] x + c v_[j]/B[j] y[j].
func BallDistanceGrad(g, w_, v_, sq []float32, A float32, B []float32, c float32) (W, V float32) {
	check("BallDistanceGrad", len(g), len(w_), len(v_), len(sq), len(B))
	if t := vector(); t != nil && len(sq) > 0 {
		return t.ballGrad(len(sq), &g[0], &w_[0], &v_[0], &sq[0], A, &B[0], c)
	}
	for j, s := range sq {
		var w float32
		if qq := (A*B[j] + c*s) * s; qq > least {
			w = 2 * g[j] / float32(math.Sqrt(float64(qq)))
		}
		v := w * s
		g[j] = w
		W += w
		V += v
		w_[j] += w
		v_[j] += v
	}
	return W, V
}
