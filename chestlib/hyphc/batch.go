package hyphc

import "math"

// ring is leaves at one common norm ρ of the ball of curvature -1, as unit
// vectors u. There LCA has a short form: with t = cos ∠(u,v) and
// κ = 2ρ/(1+ρ²), the radius in Klein's model, whose geodesics are chords,
//
//	LCA(ρu, ρv) = artanh(p),  p = κ √((1+t)/2)  the height of the chord's middle
//	1 - p² = ((1-ρ²)² + ρ²‖u-v‖²)/(1+ρ²)²,      which keeps its digits at the boundary
//
// The foot is always the middle, so this is the segment's value as well as the
// line's.
type ring struct {
	kappa float64 // 2ρ/(1+ρ²)
	floor float64 // 1 - κ²
	rise  float64 // (ρ/(1+ρ²))²
	slope float64 // ∂κ/∂ρ
}

func newRing(rho float64) ring {
	k := 1 / (1 + rho*rho)
	a := (1 - rho*rho) * k
	return ring{kappa: 2 * rho * k, floor: a * a, rise: rho * rho * k * k, slope: 2 * a * k}
}

// at returns p and 1-p² of two leaves from s = ‖u-v‖².
func (r ring) at(s float64) (p, gap float64) {
	return r.kappa * math.Sqrt(max(0, 1-s/4)), r.floor + r.rise*s
}

// depth returns LCA from s = ‖u-v‖².
func (r ring) depth(s float64) float64 {
	p, gap := r.at(s)
	return math.Log((1+p)*(1+p)/gap) / 2
}

// pull is a triplet of a batch and how it draws its leaves together: the
// gradient of the loss by u of leaf 0 is pair[0] (u₁-u₀) + pair[1] (u₂-u₀), and
// so on for the others, up to a part along u.
type pull struct {
	leaf [3]int32
	pair [3]float64 // of leaves (0,1), (0,2), (1,2)
}

// set fills the pull of three leaves, with similarities w, squared chords s and
// softmax temperature T, and returns TripletLoss and its derivative by κ.
//
// By TripletLoss's gradient g of the depth of a pair,
//
//	pair = g κ²/(4 p (1-p²)),   ∂loss/∂κ = Σ g p/(κ (1-p²))
//
// At p = 0, opposite leaves, the depth has a kink and its gradient is 0.
func (t *pull) set(r ring, s, w *[3]float64, temperature float64) (loss, byKappa float64) {
	var p, gap, sigma [3]float64
	for m, sm := range s {
		p[m], gap[m] = r.at(sm)
		sigma[m] = (1 + p[m]) * (1 + p[m]) / gap[m] // exp(2 depth)
	}
	top := max(sigma[0], sigma[1], sigma[2])
	var sum, mean float64
	for m, e := range sigma {
		sigma[m] = share(e, top, temperature)
		sum += sigma[m]
		mean += w[m] * sigma[m]
	}
	mean /= sum
	for m := range sigma {
		g := -sigma[m] / sum * (w[m] - mean) / temperature
		t.pair[m] = 0
		if p[m] > 0 {
			t.pair[m] = g * r.kappa * r.kappa / (4 * p[m] * gap[m])
		}
		byKappa += g * p[m] / (r.kappa * gap[m])
	}
	return w[0] + w[1] + w[2] - mean, byKappa
}

// share returns exp((depth-deepest)/T) from exp(2 depth) and exp(2 deepest).
func share(e, top, temperature float64) float64 {
	if e == top {
		return 1
	}
	x := math.Log(e/top) / (2 * temperature)
	if x < -40 {
		return 0 // 4e-18 beside 1
	}
	return math.Exp(x)
}
