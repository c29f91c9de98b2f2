package reduce

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestPrincipalAgainstPowerIteration checks axes, order, signs and share.
func TestPrincipalAgainstPowerIteration(t *testing.T) {
	const n, d = 50, 5
	rng := rand.New(rand.NewPCG(5, 5))
	u := moved(rng, cloudOf(rng, n, d, 1), d, d, make([]float64, d), 0)
	centre(u, d)
	xy, explained, err := principal(u, d)
	if err != nil {
		t.Fatal(err)
	}
	var whole, kept float64
	for _, v := range u {
		whole += v * v
	}
	var first []float64
	for axis := range 2 {
		e := make([]float64, d)
		for k := range e {
			e[k] = 1 + float64(k)
		}
		for range 5000 {
			next := make([]float64, d)
			for i := range n {
				p := dot(e, u[i*d:(i+1)*d])
				for k := range next {
					next[k] += p * u[i*d+k]
				}
			}
			if axis == 1 {
				p := dot(next, first)
				for k := range next {
					next[k] -= p * first[k]
				}
			}
			s := math.Sqrt(dot(next, next))
			for k := range next {
				e[k] = next[k] / s
			}
		}
		largest := 0.0
		for _, v := range e {
			if math.Abs(v) > math.Abs(largest) {
				largest = v
			}
		}
		for i := range n {
			want := dot(e, u[i*d:(i+1)*d]) * math.Copysign(1, largest)
			kept += want * want
			if math.Abs(xy[2*i+axis]-want) > 1e-9 {
				t.Fatalf("row %d, axis %d: %g, want %g", i, axis, xy[2*i+axis], want)
			}
		}
		first = e
	}
	if math.Abs(explained-kept/whole) > 1e-10 {
		t.Errorf("explained %g, want %g", explained, kept/whole)
	}
}
