package loss

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/chestlab/chest/chestlib/ball"
	"github.com/chestlab/chest/chestlib/optim"
)

// Space says which spaces CHEST trains.
type Space int

// Spaces.
const (
	Both  Space = iota // sphere and ball
	OnlyE              // the sphere: plain SoftTriple
	OnlyH              // the ball, with the tree unless NoTree is set
)

// String returns the name of the constant.
func (s Space) String() string {
	names := [...]string{"Both", "OnlyE", "OnlyH"}
	if s < 0 || int(s) >= len(names) {
		return fmt.Sprintf("Space(%d)", int(s))
	}
	return names[s]
}

// CHESTOptions controls CHEST. The weights' defaults are ours.
type CHESTOptions struct {
	E    SoftTripleOptions      // Proxies 0 means H.Proxies, 10 if that is 0 too
	H    HyperSoftTripleOptions // Proxies 0 means E.Proxies, 10 if that is 0 too
	Tree HypHCOptions

	// Weights are not negative; to leave a part out, set Space or NoTree.
	WeightE    float64 // of the whole loss on the sphere; 0 means 1
	WeightH    float64 // of the whole loss in the ball; 0 means 1
	WeightTree float64 // of the tree of the ball's proxies; 0 means 0.5

	Space  Space  // 0 is Both
	NoTree bool   // no tree, whatever WeightTree is
	Seed   uint64 // of the first proxies, where E.Seed and H.Seed are 0
}

func (o CHESTOptions) withDefaults() CHESTOptions {
	o.E.Proxies, o.H.Proxies = cmp.Or(o.E.Proxies, o.H.Proxies), cmp.Or(o.H.Proxies, o.E.Proxies)
	o.E.Seed, o.H.Seed = cmp.Or(o.E.Seed, o.Seed), cmp.Or(o.H.Seed, o.Seed)
	o.E, o.H, o.Tree = o.E.withDefaults(), o.H.withDefaults(), o.Tree.withDefaults()
	o.WeightE = cmp.Or(o.WeightE, 1)
	o.WeightH = cmp.Or(o.WeightH, 1)
	o.WeightTree = cmp.Or(o.WeightTree, 0.5)
	o.NoTree = o.NoTree || o.Space == OnlyE
	return o
}

// Terms are the parts of one step's loss, before weighting.
//
//	Total = WeightE (E + Merge) + WeightH H + WeightTree Tree
//
// Other losses than CHEST have their value in E or H, by the space they work in.
type Terms struct {
	Total   float64
	E       float64 // classification on the sphere
	Merge   float64 // τR of the sphere's proxies
	H       float64 // the whole loss in the ball: classification, and τR if there is one
	Tree    float64 // hierarchical clustering of the ball's proxies
	Clipped float64 // share of rows with ‖uH‖ ≥ r; not a part of Total

	Parts []Part // of a Sum: what it adds up; nil for a single loss. Valid until the next step
}

// String is the total and what it is made of, on one line: parts that are 0 are
// left out.
func (t Terms) String() string {
	var parts []string
	for _, p := range t.Parts {
		parts = append(parts, fmt.Sprintf("%g·%s %.4g", p.Weight, p.Name, p.Value))
	}
	for _, v := range []struct {
		name  string
		value float64
	}{{"E", t.E}, {"merge", t.Merge}, {"H", t.H}, {"tree", t.Tree}} {
		if v.value != 0 && t.Parts == nil {
			parts = append(parts, fmt.Sprintf("%s %.4g", v.name, v.value))
		}
	}
	text := fmt.Sprintf("%.4g", t.Total)
	if len(parts) > 0 {
		text += " (" + strings.Join(parts, ", ") + ")"
	}
	if t.Clipped > 0 {
		text += fmt.Sprintf(", clipped %.0f %%", 100*t.Clipped)
	}
	return text
}

// Part is one loss of a Sum.
type Part struct {
	Name   string
	Weight float64
	Value  float64 // Total of the part, not weighted
}

// CHEST is combined hyperbolic and Euclidean SoftTriple: the same batch is
// classified by cosines to proxies on the sphere and by distances to proxies in
// the ball, and the ball's proxies are drawn to a tree.
//
//	L = w_E L_E(uE, P_E) + w_H L_H(uH, P_H) + w_T L_tree(P_H; similarities from P_E)
type CHEST struct {
	classes int
	o       CHESTOptions
	e       *SoftTriple      // nil for OnlyH
	h       *HyperSoftTriple // nil for OnlyE
	tree    *HypHC           // nil for no tree
	gTree   []float64        // gradient of the tree by the points
}

// String is one line: the classes, and what is trained with its shape.
func (c *CHEST) String() string {
	text := fmt.Sprintf("chest of %d classes", c.classes)
	for _, p := range c.Params() {
		text += fmt.Sprintf(", %s %v", p.Name, p.Shape)
	}
	return text
}

// NewCHEST makes the loss for features of dE and dH dimensions. Only the
// spaces in use have proxies. It panics on sizes below 1, on options that make
// no sense (see CHESTOptions.Check), and for Both spaces with a tree of
// ProxyLeaves on E.Proxies ≠ H.Proxies: leaf and similarity belong to the same
// proxy.
func NewCHEST(classes, dE, dH int, o CHESTOptions) *CHEST {
	return newCHEST(classes, dE, dH, o, nil)
}

// newCHEST makes the loss for a ball, nil for a fixed one of the options.
func newCHEST(classes, dE, dH int, o CHESTOptions, b *ball.Ball) *CHEST {
	must(o.Check())
	o = o.withDefaults()
	l := &CHEST{classes: classes, o: o}
	if o.Space != OnlyH {
		l.e = NewSoftTriple(classes, dE, o.E)
	}
	if o.Space != OnlyE {
		l.h = newHyperSoftTriple(classes, dH, o.H, b)
	}
	if !o.NoTree {
		l.tree = NewHypHC(classes, o.H.Proxies, o.Tree)
	}
	return l
}

// Options returns the options with the defaults filled in.
func (l *CHEST) Options() CHESTOptions { return l.o }

// Euclidean returns the loss on the sphere, nil for OnlyH.
func (l *CHEST) Euclidean() *SoftTriple { return l.e }

// Hyperbolic returns the loss in the ball, nil for OnlyE.
func (l *CHEST) Hyperbolic() *HyperSoftTriple { return l.h }

// Tree returns the loss on the tree of proxies, nil if there is none.
func (l *CHEST) Tree() *HypHC { return l.tree }

// TreeRand returns what Step draws triplets with if it is given no rng.
func (l *CHEST) TreeRand() *rand.Rand { return rand.New(rand.NewPCG(l.o.Seed, 'T')) }

// Params returns the proxies of the spaces in use.
func (l *CHEST) Params() []*optim.Param {
	var params []*optim.Param
	if l.e != nil {
		params = append(params, l.e.proxies)
	}
	if l.h != nil {
		params = append(params, l.h.proxies)
	}
	return params
}

// Name implements Recipe.
func (o CHESTOptions) Name() string {
	switch o.Space {
	case OnlyE:
		return "softtriple"
	case OnlyH:
		return "hyper-softtriple"
	}
	return "chest"
}

// Make implements Recipe. Curvature, Flat, Clip and SoftClip of o.H are the
// model's: if they are given and say otherwise, that is an error.
func (o CHESTOptions) Make(s Setting) (Loss, error) {
	if err := s.checkBall(); err != nil {
		return nil, err
	}
	if c := o.H.Curvature; c != 0 && c != s.Curvature {
		return nil, fmt.Errorf("loss: CHEST: H.Curvature is %g, the model's Curvature %g; set the model's only", c, s.Curvature)
	}
	if r := o.H.Clip; r != 0 && r != s.Clip {
		return nil, fmt.Errorf("loss: CHEST: H.Clip is %g, the model's Clip %g; set the model's only", r, s.Clip)
	}
	if o.H.Flat && s.Curvature != 0 {
		return nil, fmt.Errorf("loss: CHEST: H.Flat is set, but the model's Curvature is %g; set Flat of the model only", s.Curvature)
	}
	soft := s.Ball != nil && s.Ball.Options().Soft
	if o.H.SoftClip && !soft {
		return nil, fmt.Errorf("loss: CHEST: H.SoftClip is set, but the model clips hard; set SoftClip of the model only")
	}
	o.H.Curvature, o.H.Flat, o.H.Clip, o.H.SoftClip = s.Curvature, s.Curvature == 0, s.Clip, soft
	o.Seed = cmp.Or(o.Seed, s.Seed)
	if err := o.Check(); err != nil {
		return nil, err
	}
	return newCHEST(s.Classes, s.DE, s.DH, o, s.Ball), nil
}

// BeginEpoch implements Scheduled: it anneals the temperature of the tree.
func (l *CHEST) BeginEpoch(done, of int) {
	if l.tree != nil {
		l.tree.BeginEpoch(done, of)
	}
}

// Uses implements Loss.
func (l *CHEST) Uses() Space { return l.o.Space }

// Step is Add of weight 1 that overwrites gE and gH with the gradients of Total
// by uE and uH; the gradients by the proxies are added to their Grad. With gE
// and gH both nil it computes the terms only.
//
// uE is B×dE, uH is B×dH; the features of a space not in use may be nil, and
// its gradient is cleared. rng draws the tree's triplets; nil draws the same
// ones in every step.
func (l *CHEST) Step(uE, uH []float32, label []int, gE, gH []float32, rng *rand.Rand) Terms {
	clear(gE)
	clear(gH)
	return l.Add(Batch{E: uE, H: uH, Label: label, GE: gE, GH: gH, Rand: rng}, 1)
}

// Add implements Loss.
func (l *CHEST) Add(b Batch, weight float64) Terms {
	train := b.GE != nil || b.GH != nil
	var t Terms
	if l.e != nil {
		t.E, t.Merge = l.e.Step(b.E, b.Label, wanted(b.GE, train), weight*l.o.WeightE)
	}
	if l.h != nil {
		cls, merge, clipped := l.h.Step(b.H, b.Label, wanted(b.GH, train), weight*l.o.WeightH)
		t.H, t.Clipped = cls+merge, clipped
	}
	if l.tree != nil {
		t.Tree = l.stepTree(b.Label, train, weight, b.Rand)
	}
	if l.e != nil {
		t.Total += l.o.WeightE * (t.E + t.Merge)
	}
	if l.h != nil {
		t.Total += l.o.WeightH * t.H
	}
	if l.tree != nil {
		t.Total += l.o.WeightTree * t.Tree
	}
	return t
}

// wanted returns g, but not nil if train is set: a missing gradient then fails
// the check of its length instead of leaving the proxies out.
func wanted(g []float32, train bool) []float32 {
	if g == nil && train {
		return []float32{}
	}
	return g
}

// stepTree is the tree's part of Add, on the points that h.Step left in h.p.
func (l *CHEST) stepTree(label []int, train bool, weight float64, rng *rand.Rand) float64 {
	if rng == nil {
		rng = l.TreeRand()
	}
	like := l.tree.Like(l.h.proxies.Value, l.h.o.Proxies) // a tangent vector and its point have one direction
	if l.e != nil {
		like = l.tree.Like(l.e.proxies.Value, l.e.o.Proxies)
	}
	points, pull := l.h.p, l.h.pullProxies
	if l.tree.o.Leaves == MeanLeaves {
		points, pull = l.h.meanPoints(), l.h.pullMeans
	}
	if !train {
		return l.tree.Step(points, like, l.h.space.C, label, nil, 0, rng)
	}
	l.gTree = zeros(l.gTree, len(points))
	loss := l.tree.Step(points, like, l.h.space.C, label, l.gTree, weight*l.o.WeightTree, rng)
	sums := pull(l.gTree)
	sums.Length += l.tree.length
	l.h.ball.AddGrad(sums)
	return loss
}
