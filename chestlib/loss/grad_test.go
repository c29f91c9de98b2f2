package loss

import (
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/chestlab/chest/chestlib/optim"
	"github.com/chestlab/chest/internal/gradcheck"
)

// checkGradient compares g with finite differences of f by x. float32 features
// step in units of 6e-8 of themselves, which Directional takes into account.
func checkGradient(t *testing.T, name string, f func() float64, x, g []float32) {
	t.Helper()
	rng := rand.New(rand.NewPCG(7, uint64(len(x))))
	if err := gradcheck.Directional(f, x, g, 3e-4, 1e-5, 4, rng); err != nil {
		t.Errorf("%s: %v", name, err)
	}
}

func TestSoftTripleGradient(t *testing.T) {
	for _, z := range sizes {
		rng := rand.New(rand.NewPCG(4, uint64(z.n)))
		// a soft setting: λ = 20, γ = 0.1 bend so fast that differences need smaller steps
		l := NewSoftTriple(z.classes, z.dim, SoftTripleOptions{Proxies: z.proxies, Lambda: 4, Gamma: 0.5, Delta: 0.1})
		x, label, gx := normal(rng, z.n*z.dim, 1), labels(rng, z.n, z.classes), make([]float32, z.n*z.dim)
		l.Step(x, label, gx, 1.5)
		f := func() float64 { cls, merge := l.Step(x, label, nil, 0); return 1.5 * (cls + merge) }
		if z.dim > 1 { // on the line a unit vector cannot move
			checkGradient(t, "features", f, x, gx)
			checkGradient(t, "proxies", f, l.proxies.Value, l.proxies.Grad)
		}
	}
}

func TestHyperSoftTripleGradient(t *testing.T) {
	for _, z := range sizes[1:] {
		for _, o := range hyperVariants {
			rng := rand.New(rand.NewPCG(5, uint64(z.n)))
			o.Proxies, o.Lambda, o.Gamma = z.proxies, 1, 1
			l := NewHyperSoftTriple(z.classes, z.dim, o)
			u, label, gu := normal(rng, z.n*z.dim, 0.7), labels(rng, z.n, z.classes), make([]float32, z.n*z.dim)
			l.Step(u, label, gu, 1.5)
			f := func() float64 { cls, merge, _ := l.Step(u, label, nil, 0); return 1.5 * (cls + merge) }
			name := l.o.Similarity.String()
			checkGradient(t, name+" features", f, u, gu)
			checkGradient(t, name+" proxies", f, l.proxies.Value, l.proxies.Grad)
		}
	}
}

// TestHypHCGradient: by the points, in float64, over the triplets of one seed.
func TestHypHCGradient(t *testing.T) {
	for _, c := range []float64{0, 0.1, 1} {
		l := NewHypHC(5, 2, HypHCOptions{Triplets: 50, Temperature: 0.5})
		h := NewHyperSoftTriple(5, 3, HyperSoftTripleOptions{Proxies: 2, Curvature: max(c, 0.1)})
		points, like := h.Points(), normal(rand.New(rand.NewPCG(6, 0)), 10*4, 1)
		f := func() float64 {
			return 2 * l.Step(points, like, c, nil, nil, 0, rand.New(rand.NewPCG(8, 0)))
		}
		g := make([]float64, len(points))
		l.Step(points, like, c, nil, g, 2, rand.New(rand.NewPCG(8, 0)))
		if err := gradcheck.Directional(f, points, g, 1e-6, 1e-6, 5, rand.New(rand.NewPCG(9, 0))); err != nil {
			t.Errorf("c=%g: %v", c, err)
		}
	}
}

// TestCHESTGradient: the whole loss by features and proxies of both spaces.
// similarities of the tree come from the proxies on the sphere without a
// gradient, so these are checked with the tree off.
func TestCHESTGradient(t *testing.T) {
	for _, o := range []CHESTOptions{
		{}, {NoTree: true, WeightE: 2, WeightH: 0.3}, {Space: OnlyE}, {Space: OnlyH, NoTree: true},
		{Tree: HypHCOptions{LabelAware: true, Sampling: BatchTriplets}, H: HyperSoftTripleOptions{Curvature: 1, Tau: 0.1}},
		{Tree: HypHCOptions{Leaves: MeanLeaves}, H: HyperSoftTripleOptions{SoftClip: true, Clip: 1}},
		{Tree: HypHCOptions{Sampling: NearTriplets, Triplets: 20}, H: HyperSoftTripleOptions{FreeProxies: true, Clip: 0.5}},
		{Tree: HypHCOptions{Leaves: MeanLeaves}, H: HyperSoftTripleOptions{Proxies: 2}},
	} {
		const n, classes, dE, dH = 9, 4, 6, 5
		o.E.Lambda, o.E.Gamma, o.H.Lambda, o.H.Gamma, o.Tree.Temperature, o.E.Proxies = 3, 0.6, 1, 1, 1, 3
		l, rng := NewCHEST(classes, dE, dH, o), rand.New(rand.NewPCG(10, 0))
		uE, uH, label := normal(rng, n*dE, 1), normal(rng, n*dH, 0.7), labels(rng, n, classes)
		gE, gH := normal(rng, n*dE, 1), normal(rng, n*dH, 1) // must be overwritten
		seeded := func() *rand.Rand { return rand.New(rand.NewPCG(11, 0)) }
		with := l.Step(uE, uH, label, gE, gH, seeded())
		if without := l.Step(uE, uH, label, nil, nil, seeded()); !reflect.DeepEqual(with, without) {
			t.Errorf("%+v: terms %+v with the gradient, %+v without", o, with, without)
		}
		f := func() float64 { return l.Step(uE, uH, label, nil, nil, seeded()).Total }
		if o.Space != OnlyH {
			checkGradient(t, "uE", f, uE, gE)
		}
		if o.Space != OnlyE {
			checkGradient(t, "uH", f, uH, gH)
			checkGradient(t, "proxies.H", f, l.h.proxies.Value, l.h.proxies.Grad)
		}
		if l.tree == nil && l.e != nil {
			checkGradient(t, "proxies.E", f, l.e.proxies.Value, l.e.proxies.Grad)
		}
		for i, g := range append(append([]float32{}, gE...), gH...) {
			if unused := o.Space == OnlyE && i >= len(gE) || o.Space == OnlyH && i < len(gE); unused && g != 0 {
				t.Fatalf("%v: the space not in use has a gradient", o.Space)
			}
		}
	}
}

// TestGradientAdds: Step adds to gx and Grad, in proportion to weight.
func TestGradientAdds(t *testing.T) {
	rng := rand.New(rand.NewPCG(12, 0))
	x, label := normal(rng, 4*3, 1), []int{0, 1, 1, 0}
	e, h := NewSoftTriple(2, 3, SoftTripleOptions{Proxies: 2}), NewHyperSoftTriple(2, 3, HyperSoftTripleOptions{Proxies: 2})
	for name, step := range map[string]func(gx []float32, weight float64){
		"SoftTriple":      func(gx []float32, weight float64) { e.Step(x, label, gx, weight) },
		"HyperSoftTriple": func(gx []float32, weight float64) { h.Step(x, label, gx, weight) },
	} {
		p := map[string]*optim.Param{"SoftTriple": e.Proxies(), "HyperSoftTriple": h.Proxies()}[name]
		once := make([]float32, len(x))
		step(once, 1)
		grad := append([]float32(nil), p.Grad...)
		gx := append([]float32(nil), once...)
		step(gx, 2)
		for i := range gx {
			if !closeTo(float64(gx[i]), 3*float64(once[i]), 1e-6) {
				t.Fatalf("%s: features: %g, want 3 times %g", name, gx[i], once[i])
			}
		}
		for i := range grad {
			if !closeTo(float64(p.Grad[i]), 3*float64(grad[i]), 1e-6) {
				t.Fatalf("%s: proxies: %g, want 3 times %g", name, p.Grad[i], grad[i])
			}
		}
		saved := append([]float32(nil), p.Grad...)
		step(nil, 1)
		for i := range saved {
			if p.Grad[i] != saved[i] || math.IsNaN(float64(saved[i])) {
				t.Fatalf("%s: a value-only step changed the gradient", name)
			}
		}
	}
}
