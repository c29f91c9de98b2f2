package loss

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/chestlab/chest/chestlib/ball"
)

// learning makes the recipe's loss for a ball that learns c and r, beginning
// at those of o, but not quite there.
func learning(t *testing.T, classes, dE, dH int, o CHESTOptions) *CHEST {
	t.Helper()
	h := o.H.withDefaults()
	b, err := ball.New(ball.Options{Curvature: h.Curvature, Clip: h.Clip, Soft: h.SoftClip, LearnCurvature: h.Curvature > 0, LearnClip: h.Clip > 0})
	if err != nil {
		t.Fatal(err)
	}
	for i := range b.Param().Value {
		b.Param().Value[i] = 0.1 - 0.25*float32(i)
	}
	o.H.Curvature, o.H.Flat, o.H.Clip = 0, false, 0
	l, err := o.Make(Setting{Classes: classes, DE: dE, DH: dH, Curvature: b.Curvature(), Clip: b.Clip(), Ball: b})
	if err != nil {
		t.Fatal(err)
	}
	return l.(*CHEST)
}

// TestBallGradient: by c and r, and by features and proxies beside them, of the
// loss in the ball with every similarity, kind of clip and of tree.
func TestBallGradient(t *testing.T) {
	trees := []HypHCOptions{
		{Triplets: 20}, {Leaves: MeanLeaves}, {Sampling: NearTriplets, Triplets: 20, Anneal: 0.5}, {LabelAware: true, Sampling: BatchTriplets},
	}
	for _, space := range []Space{Both, OnlyH} {
		for at, h := range hyperVariants {
			const n, classes, dE, dH = 9, 4, 6, 5
			h.Lambda, h.Gamma = 1, 1
			if h.Clip == 0 {
				h.Clip = 1.2 // some rows above, some below
			}
			if h.Curvature == 1e-6 {
				h.Curvature = 1e-3 // differences see nothing below
			}
			o := CHESTOptions{Space: space, H: h, Tree: trees[at%len(trees)], WeightH: 1.3, WeightTree: 0.7}
			o.E.Lambda, o.E.Gamma, o.E.Proxies, o.Tree.Temperature = 3, 0.6, 3, 1
			l, rng := learning(t, classes, dE, dH, o), rand.New(rand.NewPCG(10, 0))
			l.BeginEpoch(2, 5)
			uE, uH, label := normal(rng, n*dE, 1), normal(rng, n*dH, 0.5), labels(rng, n, classes)
			for i := range l.h.proxies.Value {
				l.h.proxies.Value[i] *= 0.5 + rng.Float32()
			}
			gE, gH := make([]float32, n*dE), make([]float32, n*dH)
			seeded := func() *rand.Rand { return rand.New(rand.NewPCG(11, 0)) }
			l.Step(uE, uH, label, gE, gH, seeded())
			f := func() float64 { return l.Step(uE, uH, label, nil, nil, seeded()).Total }
			name := fmt.Sprintf("%v %+v %+v: ", space, h, o.Tree)
			checkGradient(t, name+"uH", f, uH, gH)
			if space == Both { // else the similarities of the tree move, too, without a gradient
				checkGradient(t, name+"proxies.H", f, l.h.proxies.Value, l.h.proxies.Grad)
			}
			if p := l.h.ball.Param(); p != nil {
				for i := range p.Value {
					if p.Grad[i] == 0 {
						t.Errorf("%sno gradient by number %d of the ball", name, i)
					}
					checkGradient(t, fmt.Sprint(name, "ball ", i), f, p.Value[i:i+1], p.Grad[i:i+1])
				}
			}
		}
	}
}

// TestBallGradientAdds: the gradient by the ball is added to what is there, in
// proportion to the weight, and a step without gradients leaves it.
func TestBallGradientAdds(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 5))
	l := learning(t, 3, 4, 4, CHESTOptions{E: SoftTripleOptions{Proxies: 2}, H: HyperSoftTripleOptions{SoftClip: true}})
	u, label := normal(rng, 5*4, 1), labels(rng, 5, 3)
	add := func(weight float64, g []float32) {
		l.Add(Batch{E: u, H: u, Label: label, GE: g, GH: g}, weight)
	}
	p := l.h.ball.Param()
	add(1, make([]float32, len(u)))
	once := slices.Clone(p.Grad)
	add(2, make([]float32, len(u)))
	add(1, nil)
	for i, g := range p.Grad {
		if !closeTo(float64(g), 3*float64(once[i]), 1e-6) || once[i] == 0 {
			t.Errorf("number %d: %g after weights 1 and 2, %g after 1", i, g, once[i])
		}
	}
}

// TestFixedIsLearnedAtRest: a ball that may learn but has not moved gives the
// bits of a fixed one, and its numbers are not among the loss's params.
func TestFixedIsLearnedAtRest(t *testing.T) {
	for _, soft := range []bool{false, true} {
		o := CHESTOptions{E: SoftTripleOptions{Proxies: 2}, Tree: HypHCOptions{Leaves: MeanLeaves}, Seed: 3}
		learned := learning(t, 4, 3, 3, CHESTOptions{E: o.E, Tree: o.Tree, Seed: 3, H: HyperSoftTripleOptions{SoftClip: soft}})
		clear(learned.h.ball.Param().Value)
		o.H.SoftClip = soft
		fixed := NewCHEST(4, 3, 3, o)
		copy(learned.h.proxies.Value, fixed.h.proxies.Value) // their first length is by r
		rng := rand.New(rand.NewPCG(1, 6))
		u, label := normal(rng, 7*3, 2), labels(rng, 7, 4)
		gF, gL := make([]float32, len(u)), make([]float32, len(u))
		a, b := fixed.Step(u, u, label, make([]float32, len(u)), gF, nil), learned.Step(u, u, label, make([]float32, len(u)), gL, nil)
		if a.Total != b.Total || !slices.Equal(gF, gL) || !slices.Equal(fixed.h.proxies.Grad, learned.h.proxies.Grad) {
			t.Errorf("soft %v: fixed %+v, learned %+v", soft, a, b)
		}
		if len(learned.Params()) != 2 || fixed.h.ball.Param() != nil {
			t.Errorf("soft %v: %d params", soft, len(learned.Params()))
		}
	}
}

// TestBallDeterminism: the bits of the gradient by the ball do not depend on the
// number of processors.
func TestBallDeterminism(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	const n, classes, d = 70, 20, 24
	var first []float32
	for _, procs := range []int{1, 2, 7} {
		runtime.GOMAXPROCS(procs)
		rng := rand.New(rand.NewPCG(2, 1))
		l := learning(t, classes, d, d, CHESTOptions{E: SoftTripleOptions{Proxies: 4}, H: HyperSoftTripleOptions{Tau: 0.1, SoftClip: true}, Tree: HypHCOptions{Leaves: MeanLeaves}})
		u, g := normal(rng, n*d, 0.5), make([]float32, n*d)
		l.Step(u, u, labels(rng, n, classes), make([]float32, n*d), g, rng)
		all := slices.Concat(g, l.h.proxies.Grad, l.h.ball.Param().Grad)
		if first == nil {
			first = all
		}
		if !slices.Equal(all, first) {
			t.Errorf("%d processors: other bits", procs)
		}
	}
}

// TestBallEdges: gradients by the ball are finite, and 0 where nothing can
// change, where formulas divide by zero or leave float64.
func TestBallEdges(t *testing.T) {
	const n, d = 5, 3
	scale := func(f float32) func(l *CHEST, u []float32) {
		return func(l *CHEST, u []float32) {
			for i := range u {
				u[i] *= f
			}
			for i := range l.h.proxies.Value {
				l.h.proxies.Value[i] *= f
			}
		}
	}
	for _, k := range []struct {
		name             string
		classes, proxies int
		h                HyperSoftTripleOptions
		change           func(l *CHEST, u []float32)
		still            []int // numbers without a gradient
	}{
		{"all clipped", 4, 2, HyperSoftTripleOptions{}, scale(1e5), nil},
		{"none clipped", 4, 2, HyperSoftTripleOptions{}, scale(0.1), []int{1}},
		{"zero rows", 4, 2, HyperSoftTripleOptions{}, scale(0), []int{0, 1}},
		{"tiny c", 4, 2, HyperSoftTripleOptions{Curvature: 1e-14}, scale(1), nil},
		{"large c", 4, 2, HyperSoftTripleOptions{Curvature: 30}, scale(1), nil},
		{"large c, long rows", 4, 2, HyperSoftTripleOptions{Curvature: 30}, scale(100), nil},
		{"short r", 4, 2, HyperSoftTripleOptions{Clip: 1e-4}, scale(1), nil},
		{"one proxy", 4, 1, HyperSoftTripleOptions{}, scale(1), nil},
		{"one class", 1, 2, HyperSoftTripleOptions{}, scale(1), nil},
		{"one of both", 1, 1, HyperSoftTripleOptions{}, scale(1), []int{0, 1}},
		{"flat", 4, 2, HyperSoftTripleOptions{Flat: true}, scale(4), nil},
		{"no clip", 4, 2, HyperSoftTripleOptions{Clip: -1}, scale(4), nil},
		{"far similarities", 4, 2, HyperSoftTripleOptions{Similarity: Exponential, Clip: -1, Flat: true}, scale(1e3), nil},
		{"underflow", 4, 2, HyperSoftTripleOptions{Similarity: Exponential, Clip: 900, Curvature: 1e-6}, scale(1e4), nil},
	} {
		for _, soft := range []bool{false, true} {
			if k.h.Flat && k.h.Clip < 0 {
				continue // nothing to learn
			}
			k.h.SoftClip = soft
			rng := rand.New(rand.NewPCG(1, 7))
			l := learning(t, k.classes, d, d, CHESTOptions{E: SoftTripleOptions{Proxies: k.proxies}, H: k.h})
			u, label := normal(rng, n*d, 1), labels(rng, n, k.classes)
			k.change(l, u)
			g := make([]float32, n*d)
			got := l.Step(normal(rng, n*d, 1), u, label, make([]float32, n*d), g, nil)
			p := l.h.ball.Param()
			if math.IsNaN(got.Total) || math.IsInf(got.Total, 0) || !finite(g) || !finite(l.h.proxies.Grad) || !finite(p.Grad) {
				t.Errorf("%s, soft %v: %+v, gradients %v, %v, %v", k.name, soft, got, g, l.h.proxies.Grad, p.Grad)
			}
			for _, at := range k.still {
				if g := p.Grad[at]; g != 0 && !soft || math.Abs(float64(g)) > 1e-2 {
					t.Errorf("%s, soft %v: gradient %g by number %d", k.name, soft, g, at)
				}
			}
		}
	}
}

// TestMakeBall: what a setting and the options say of the ball must agree.
func TestMakeBall(t *testing.T) {
	b, err := ball.New(ball.Options{Curvature: 0.1, Clip: 2, LearnCurvature: true})
	if err != nil {
		t.Fatal(err)
	}
	s := Setting{Classes: 3, DE: 2, DH: 2, Curvature: 0.1, Clip: 2, Ball: b}
	for _, k := range []struct {
		s    func(s *Setting)
		o    CHESTOptions
		want string
	}{
		{func(*Setting) {}, CHESTOptions{}, ""},
		{func(*Setting) {}, CHESTOptions{H: HyperSoftTripleOptions{Curvature: 0.1, Clip: 2}}, ""},
		{func(s *Setting) { s.Curvature = 0.2 }, CHESTOptions{}, "are not those of its Ball, 0.1 and 2"},
		{func(s *Setting) { s.Clip = -1 }, CHESTOptions{}, "are not those of its Ball"},
		{func(*Setting) {}, CHESTOptions{H: HyperSoftTripleOptions{SoftClip: true}}, "H.SoftClip is set"},
		{func(s *Setting) { s.Ball = nil }, CHESTOptions{H: HyperSoftTripleOptions{SoftClip: true}}, "H.SoftClip is set"},
	} {
		s := s
		k.s(&s)
		l, err := k.o.Make(s)
		switch {
		case k.want == "" && err != nil, k.want != "" && (err == nil || !strings.Contains(err.Error(), k.want)):
			t.Errorf("%+v, %+v: error %v, want one with %q", s, k.o, err, k.want)
		case err == nil && l.(*CHEST).Hyperbolic().Ball() != b:
			t.Errorf("%+v: another ball", s)
		}
	}
}

// TestBaselinesInABall: losses of pairs and of single proxies read the ball as it
// is, clip as it does, and give it its gradient.
func TestBaselinesInABall(t *testing.T) {
	const n, classes, d = 12, 4, 5
	rng := rand.New(rand.NewPCG(20, 0))
	u, label := normal(rng, n*d, 0.8), make([]int, n)
	for i := range label {
		label[i] = i % classes
	}
	for _, o := range []ball.Options{
		{Curvature: 0.4, Clip: 1.5, LearnCurvature: true, LearnClip: true},
		{Curvature: 0.4, Clip: 1.5, Soft: true, LearnCurvature: true, LearnClip: true},
	} {
		for _, r := range []Recipe{
			ProxyNCAOptions{Geometry: Ball, Temperature: 1}, ProxyAnchorOptions{Geometry: Ball, Alpha: 2}, SupConOptions{Geometry: Ball, Temperature: 1},
			MultiSimilarityOptions{Geometry: Ball, Beta: 2, Base: -1, NoMining: true}, PairCrossEntropyOptions{Temperature: 1},
			TripletOptions{Geometry: Ball, Miner: AllTriplets, Distance: SquaredDistance}, ContrastiveOptions{Geometry: Ball},
			HIEROptions{Ancestors: 6, Neighbours: 4, Triplets: 5, NoStraightThrough: true},
			Sum(0.5, ProxyAnchorOptions{Geometry: Ball, Alpha: 2}, 2, CHESTOptions{Space: OnlyH, E: SoftTripleOptions{Proxies: 2}}),
		} {
			b, err := ball.New(o)
			if err != nil {
				t.Fatal(err)
			}
			l, err := r.Make(Setting{Classes: classes, DE: 3, DH: d, Curvature: b.Curvature(), Clip: b.Clip(), Ball: b})
			if err != nil {
				t.Fatal(err)
			}
			gu := make([]float32, len(u))
			batch := func() Batch { return Batch{H: u, Label: label, Rand: rand.New(rand.NewPCG(3, 3))} }
			with := batch()
			with.GH = gu
			l.Add(with, 1.5)
			f := func() float64 { return 1.5 * l.Add(batch(), 0).Total }
			name := fmt.Sprintf("%s, %+v: ", r.Name(), o)
			if before := f(); true {
				b.Param().Value[0] += 0.5
				if f() == before {
					t.Error(name + "another curvature, the same loss")
				}
				b.Param().Value[0] -= 0.5
			}
			checkGradient(t, name+"features", f, u, gu)
			checkGradient(t, name+"ball", f, b.Param().Value, b.Param().Grad)
		}
	}
}
