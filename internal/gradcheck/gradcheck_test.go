package gradcheck

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestDirectionalSeesAWrongGradient: a right gradient passes, one that is off
// by a hundredth in one entry does not.
func TestDirectionalSeesAWrongGradient(t *testing.T) {
	x := []float64{0.3, -1.2, 2}
	f := func() float64 { return math.Sin(x[0]) + x[1]*x[1]*x[2] }
	g := []float64{math.Cos(0.3), 2 * -1.2 * 2, 1.44}
	rng := rand.New(rand.NewPCG(1, 2))
	if err := Directional(f, x, g, 1e-5, 1e-8, 5, rng); err != nil {
		t.Fatal(err)
	}
	g[2] += 0.01
	if err := Directional(f, x, g, 1e-5, 1e-8, 5, rng); err == nil {
		t.Fatal("a wrong gradient passed")
	}
	// where the gradient is zero almost nothing is allowed
	tilted := func() float64 { return 1e-9 * x[0] }
	if err := Directional(tilted, x, make([]float64, 3), 1e-3, 1e-3, 5, rng); err == nil {
		t.Fatal("a gradient of zero passed for a slope of 1e-9")
	}
	if x[0] != 0.3 || x[2] != 2 {
		t.Fatalf("x was not restored: %v", x)
	}
}
