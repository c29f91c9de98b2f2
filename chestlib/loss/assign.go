package loss

import (
	"math"

	"github.com/chestlab/chest/internal/parallel"
)

// assignment is the classification by soft assignment to proxies that both
// SoftTriple losses share. s_ick is the similarity of feature i and proxy k of
// class c:
//
//	q_ick = softmax over k of s_ick/γ
//	S_ic  = Σ_k q_ick s_ick
//	z_ic  = λ (S_ic - δ [c = yᵢ])
//	L     = mean_i ( log Σ_c exp z_ic - z_iy )
type assignment struct {
	classes, proxies     int
	lambda, gamma, delta float64

	rowLoss []float64
}

// step returns L of the similarities s, B×CK, and, unless g is nil, writes
// weight ∂L/∂s into g, B×CK.
func (a *assignment) step(s []float64, label []int, g []float64, weight float64) float64 {
	n, width := len(label), a.classes*a.proxies
	if n == 0 {
		return 0
	}
	a.rowLoss = resized(a.rowLoss, n)
	parallel.For(n, blockRows, func(lo, hi int) {
		relaxed, p := make([]float64, a.classes), make([]float64, a.classes)
		q := make([]float64, width)
		for i := lo; i < hi; i++ {
			if g != nil {
				q = g[i*width : (i+1)*width]
			}
			row := s[i*width : (i+1)*width]
			a.rowLoss[i] = a.forward(row, label[i], q, relaxed, p)
			if g != nil {
				a.backward(row, label[i], q, relaxed, p, weight/float64(n))
			}
		}
	})
	var sum float64
	for _, l := range a.rowLoss {
		sum += l
	}
	return sum / float64(n)
}

// forward returns the loss of one row s of CK similarities, and writes q (CK),
// S as relaxed (C) and p = softmax z (C).
func (a *assignment) forward(s []float64, label int, q, relaxed, p []float64) float64 {
	k := a.proxies
	for c := range relaxed {
		relaxed[c] = softMax(q[c*k:(c+1)*k], s[c*k:(c+1)*k], a.gamma)
	}
	top := math.Inf(-1)
	for c, S := range relaxed {
		p[c] = a.lambda * S
		if c == label {
			p[c] -= a.lambda * a.delta
		}
		top = max(top, p[c])
	}
	own, sum := p[label]-top, 0.0
	for c, z := range p {
		p[c] = math.Exp(z - top)
		sum += p[c]
	}
	for c := range p {
		p[c] /= sum
	}
	return math.Log(sum) - own
}

// backward overwrites q with the gradient by s.
//
//	∂L/∂S_ic  = λ (p_ic - [c = yᵢ])
//	∂S_ic/∂s_ick = q_ick (1 + (s_ick - S_ic)/γ)
func (a *assignment) backward(s []float64, label int, q, relaxed, p []float64, weight float64) {
	for c, S := range relaxed {
		gS := weight * a.lambda * p[c]
		if c == label {
			gS -= weight * a.lambda
		}
		for at := c * a.proxies; at < (c+1)*a.proxies; at++ {
			q[at] *= gS * (1 + (s[at]-S)/a.gamma)
		}
	}
}

// softMax writes the softmax of s/gamma into q and returns Σ q s.
func softMax(q, s []float64, gamma float64) float64 {
	top := s[0]
	for _, v := range s[1:] {
		top = max(top, v)
	}
	var sum, mean float64
	for k, v := range s {
		q[k] = math.Exp((v - top) / gamma)
		sum += q[k]
	}
	for k, v := range s {
		q[k] /= sum
		mean += q[k] * v
	}
	return mean
}
