package vmath

import "math"

// Adam are the numbers of one AdamW step that are the same for all weights.
type Adam struct {
	Scale        float32 // of the gradient, for clipping
	Beta1, Beta2 float32
	Keep         float32 // 1 - rate·decay
	Step         float32 // rate/(1-β₁ᵗ)
	Root         float32 // 1/√(1-β₂ᵗ)
	Eps          float32
}

// AdamW moves the weights w with gradient g and moments m and v, and clears
// the gradient:
//
//	for i := range w {
//		x := Scale*g[i]
//		m[i] = x + Beta1*(m[i]-x)
//		v[i] = x*x + Beta2*(v[i]-x*x)
//		w[i] = Keep*w[i] - Step*m[i]/(Root*√v[i] + Eps)
//		g[i] = 0
//	}
func AdamW(w, g, m, v []float32, a Adam) {
	check("AdamW", len(w), len(g), len(m), len(v))
	if t := vector(); t != nil && len(w) > 0 {
		t.adamW(len(w), &w[0], &g[0], &m[0], &v[0], a.Scale, a.Beta1, a.Beta2, a.Keep, a.Step, a.Root, a.Eps)
		return
	}
	for i, x := range g {
		x *= a.Scale
		m[i] = x + a.Beta1*(m[i]-x)
		v[i] = x*x + a.Beta2*(v[i]-x*x)
		w[i] = a.Keep*w[i] - a.Step*m[i]/(a.Root*float32(math.Sqrt(float64(v[i])))+a.Eps)
		g[i] = 0
	}
}
