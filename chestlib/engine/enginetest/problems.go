package enginetest

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/chestlab/chest/chestlib/ball"
	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/chestlib/optim"
)

// problem is one configuration and batch.
type problem struct {
	name          string
	rows, classes int
	dE, dH        int
	o             loss.CHESTOptions
	length        float64 // of features before the heads' maps; 0 means 1.5
	stretch       float32 // of the first proxies; 0 means 1
	twins         bool    // features and proxies nearly coincide
	parallel      bool    // some proxies are parallel, some zero
	learn         ball.Options
	epoch         int  // of 10
	zero          bool // every other row of the features is zero
}

// problems cover every option and the limits of blocks, chunks and lanes.
func problems() []problem {
	k := func(n int) loss.CHESTOptions {
		return loss.CHESTOptions{E: loss.SoftTripleOptions{Proxies: n}, H: loss.HyperSoftTripleOptions{Proxies: n}}
	}
	with := func(n int, f func(o *loss.CHESTOptions)) loss.CHESTOptions { o := k(n); f(&o); return o }
	list := []problem{
		{name: "defaults", rows: 32, classes: 20, dE: 16, dH: 16, o: k(3)},
		{name: "one class", rows: 3, classes: 1, dE: 5, dH: 4, o: k(3)},
		{name: "one row", rows: 1, classes: 7, dE: 3, dH: 2, o: k(1)},
		{name: "one proxy", rows: 9, classes: 30, dE: 17, dH: 33, o: k(1)},
		{name: "one dimension", rows: 9, classes: 4, dE: 1, dH: 1, o: k(2)},
		{name: "no rows", rows: 0, classes: 4, dE: 3, dH: 3, o: k(2)},
		{name: "many rows", rows: 300, classes: 5, dE: 8, dH: 12, o: k(2)},
		{name: "many classes", rows: 20, classes: 1203, dE: 24, dH: 20, o: k(2)},
		{name: "many proxies", rows: 10, classes: 17, dE: 24, dH: 20, o: k(50)},
		{name: "more blocks than lanes", rows: 5, classes: 290, dE: 6, dH: 7, o: k(33)},
		{name: "only E", rows: 12, classes: 40, dE: 16, dH: 8, o: with(2, func(o *loss.CHESTOptions) { o.Space = loss.OnlyE })},
		{name: "only H", rows: 12, classes: 40, dE: 16, dH: 8, o: with(2, func(o *loss.CHESTOptions) { o.Space = loss.OnlyH })},
		{name: "no tree", rows: 12, classes: 40, dE: 16, dH: 8, o: with(2, func(o *loss.CHESTOptions) { o.NoTree = true })},
		{name: "no margin or merging", rows: 12, classes: 9, dE: 16, dH: 8, o: with(2, func(o *loss.CHESTOptions) { o.E.Delta, o.H.Delta, o.E.NoMerge = -1, -1, true })},
		{name: "merging in the ball", rows: 12, classes: 9, dE: 16, dH: 8, o: with(4, func(o *loss.CHESTOptions) { o.H.Tau = 0.3 })},
		{name: "weights", rows: 12, classes: 9, dE: 16, dH: 8, o: with(4, func(o *loss.CHESTOptions) { o.WeightE, o.WeightH, o.WeightTree = 0.5, 2, 3 })},
		{name: "batch classes", rows: 12, classes: 60, dE: 16, dH: 8, o: with(2, func(o *loss.CHESTOptions) { o.Tree.Sampling, o.Tree.Triplets = loss.BatchTriplets, 50 })},
		{name: "label aware", rows: 12, classes: 6, dE: 16, dH: 8, o: with(2, func(o *loss.CHESTOptions) { o.Tree.LabelAware = true })},
		{name: "different K", rows: 12, classes: 6, dE: 16, dH: 8, o: loss.CHESTOptions{NoTree: true, E: loss.SoftTripleOptions{Proxies: 3}, H: loss.HyperSoftTripleOptions{Proxies: 5}}},
		{name: "flat", rows: 12, classes: 9, dE: 16, dH: 8, o: with(3, func(o *loss.CHESTOptions) { o.H.Flat = true })},
		{name: "curved", rows: 12, classes: 9, dE: 16, dH: 8, o: with(3, func(o *loss.CHESTOptions) { o.H.Curvature, o.H.Clip = 1, 1 })},
		{name: "free proxies", rows: 12, classes: 9, dE: 16, dH: 8, stretch: 4, o: with(3, func(o *loss.CHESTOptions) { o.H.FreeProxies = true })},
		{name: "clipped proxies", rows: 12, classes: 9, dE: 16, dH: 8, stretch: 2, o: k(3)},
		{name: "clipped", rows: 12, classes: 9, dE: 16, dH: 8, length: 6, o: k(3)},
		{name: "no clip, towards the boundary", rows: 12, classes: 9, dE: 16, dH: 8, length: 12, o: with(3, func(o *loss.CHESTOptions) { o.H.Clip = -1 })},
		{name: "near-duplicates", rows: 12, classes: 9, dE: 8, dH: 8, twins: true, o: k(3)},
		{name: "parallel and zero", rows: 12, classes: 9, dE: 8, dH: 8, parallel: true, o: k(3)},
	}
	list = append(list, trees()...)
	list = append(list, balls()...)
	for _, s := range []loss.Similarity{loss.NegativeSquared, loss.Exponential, loss.Rescaled} {
		list = append(list, problem{name: "similarity " + s.String(), rows: 12, classes: 9, dE: 16, dH: 8, o: with(3, func(o *loss.CHESTOptions) { o.H.Similarity = s })},
			problem{name: "flat similarity " + s.String(), rows: 12, classes: 9, dE: 16, dH: 8, o: with(3, func(o *loss.CHESTOptions) { o.H.Similarity, o.H.Flat = s, true })})
	}
	return list
}

// trees are problems of other leaves, triplets and temperatures of the tree.
func trees() (list []problem) {
	with := func(name string, f func(o *loss.CHESTOptions)) {
		p := problem{name: name, rows: 12, classes: 40, dE: 16, dH: 8}
		p.o.E.Proxies, p.o.Tree.Triplets = 3, 100
		f(&p.o)
		list = append(list, p)
	}
	with("class means", func(o *loss.CHESTOptions) { o.Tree.Leaves = loss.MeanLeaves })
	with("class means, other K", func(o *loss.CHESTOptions) { o.Tree.Leaves, o.H.Proxies = loss.MeanLeaves, 2 })
	with("class means, only H", func(o *loss.CHESTOptions) {
		o.Tree.Leaves, o.Space, o.Tree.LabelAware = loss.MeanLeaves, loss.OnlyH, true
	})
	with("near triplets", func(o *loss.CHESTOptions) { o.Tree.Sampling = loss.NearTriplets })
	with("near class means", func(o *loss.CHESTOptions) { o.Tree.Sampling, o.Tree.Leaves = loss.NearTriplets, loss.MeanLeaves })
	with("near, only H", func(o *loss.CHESTOptions) {
		o.Tree.Sampling, o.Tree.Candidates, o.Tree.LabelAware, o.Space = loss.NearTriplets, 2, true, loss.OnlyH
	})
	with("annealed", func(o *loss.CHESTOptions) { o.Tree.Temperature, o.Tree.Anneal, o.Tree.AnnealEvery = 0.5, 0.7, 2 })
	list[len(list)-1].epoch = 5
	for _, k := range []int{1, 3} { // one class, one leaf: no triplets
		list = append(list, problem{name: fmt.Sprintf("mean of %d", k), rows: 5, classes: 1, dE: 4, dH: 4,
			o: loss.CHESTOptions{E: loss.SoftTripleOptions{Proxies: k}, Tree: loss.HypHCOptions{Leaves: loss.MeanLeaves}}})
	}
	list = append(list, problem{name: "means of many classes", rows: 20, classes: 603, dE: 24, dH: 20,
		o: loss.CHESTOptions{E: loss.SoftTripleOptions{Proxies: 2}, Tree: loss.HypHCOptions{Leaves: loss.MeanLeaves}}})
	return list
}

// balls are problems of soft clips and of balls that are learned.
func balls() (list []problem) {
	add := func(name string, learn ball.Options, length float64, f func(p *problem)) {
		p := problem{name: name, rows: 12, classes: 9, dE: 16, dH: 8, length: length, learn: learn}
		p.o.E.Proxies, p.o.Tree.Triplets = 3, 200
		if f != nil {
			f(&p)
		}
		list = append(list, p)
	}
	soft := ball.Options{Curvature: 0.1, Clip: 2.3, Soft: true}
	c, r := ball.Options{Curvature: 0.5, Clip: 1.5, LearnCurvature: true}, ball.Options{Curvature: 0.5, Clip: 1.5, LearnClip: true}
	both := ball.Options{Curvature: 0.5, Clip: 1.5, LearnCurvature: true, LearnClip: true}
	all := both
	all.Soft = true
	flat := ball.Options{Clip: 1.2, Soft: true, LearnClip: true}
	add("soft clip", soft, 0, nil)
	add("soft clip, long rows", soft, 9, nil)
	add("soft clip, free proxies", soft, 2, func(p *problem) { p.o.H.FreeProxies, p.stretch = true, 3 })
	add("learned c", c, 0, nil)
	add("learned c without a tree", c, 0, func(p *problem) { p.o.NoTree = true })
	add("learned c without a clip", ball.Options{Curvature: 0.5, Clip: -1, LearnCurvature: true}, 2, nil)
	add("learned r", r, 2, nil)
	add("learned r, none clipped", r, 0.5, func(p *problem) { p.stretch = 0.5 })
	add("learned r, all clipped", r, 9, func(p *problem) { p.stretch = 4 })
	add("learned c and r", both, 2, nil)
	add("learned c and soft r", all, 2, nil)
	add("learned soft r, flat", flat, 2, nil)
	add("learned, small c", ball.Options{Curvature: 0.02, Clip: 2.3, LearnCurvature: true, LearnClip: true}, 4, nil)
	add("learned, tiny c", ball.Options{Curvature: 1e-6, Clip: 2.3, LearnCurvature: true, LearnClip: true}, 4, nil)
	add("learned, large c", ball.Options{Curvature: 4, Clip: 2, LearnCurvature: true, LearnClip: true}, 2.5, nil)
	add("learned, zero rows", all, 0, func(p *problem) { p.zero = true })
	add("learned, one proxy", all, 0, func(p *problem) { p.o.E.Proxies = 1 })
	add("learned, one class", all, 0, func(p *problem) { p.classes = 1 })
	add("learned, no rows", all, 0, func(p *problem) { p.rows = 0 })
	add("learned, only H", both, 2, func(p *problem) { p.o.Space = loss.OnlyH })
	add("learned, only E", both, 2, func(p *problem) { p.o.Space = loss.OnlyE })
	add("learned, merging", all, 2, func(p *problem) { p.o.H.Tau, p.o.WeightH, p.o.WeightTree = 0.4, 1.5, 2 })
	add("learned, free proxies", both, 2, func(p *problem) { p.o.H.FreeProxies, p.stretch = true, 2 })
	add("learned, class means", all, 2, func(p *problem) { p.o.Tree.Leaves, p.stretch = loss.MeanLeaves, 2 })
	add("learned, class means of free proxies", both, 2, func(p *problem) {
		p.o.Tree.Leaves, p.o.H.FreeProxies, p.stretch = loss.MeanLeaves, true, 2
	})
	add("learned, many rows", all, 2, func(p *problem) { p.rows = 300 })
	add("learned, many classes", both, 2, func(p *problem) { p.rows, p.classes = 20, 1203 })
	for _, s := range []loss.Similarity{loss.NegativeSquared, loss.Exponential, loss.Rescaled} {
		add("learned, similarity "+s.String(), both, 2, func(p *problem) { p.o.H.Similarity = s })
		add("learned soft, similarity "+s.String(), all, 2, func(p *problem) { p.o.H.Similarity = s })
	}
	return list
}

// make makes the loss of a problem; the ball's numbers have moved a little.
func (p problem) make() *loss.CHEST {
	if p.learn == (ball.Options{}) {
		l := loss.NewCHEST(p.classes, p.dE, p.dH, p.o)
		l.BeginEpoch(p.epoch, 10)
		return l
	}
	b, err := ball.New(p.learn)
	if err != nil {
		panic(err)
	}
	if q := b.Param(); q != nil {
		for i := range q.Value {
			q.Value[i] = 0.1 * float32(i+1)
		}
	}
	l, err := p.o.Make(loss.Setting{Classes: p.classes, DE: p.dE, DH: p.dH, Curvature: b.Curvature(), Clip: b.Clip(), Ball: b})
	if err != nil {
		panic(err)
	}
	return l.(*loss.CHEST)
}

// ballParams are the params of l's ball: none, or the one that it learns.
func ballParams(l *loss.CHEST) []*optim.Param {
	if h := l.Hyperbolic(); h != nil && h.Ball().Param() != nil {
		return []*optim.Param{h.Ball().Param()}
	}
	return nil
}

// batch makes the loss and the batch of a problem, the same in each call.
func (p problem) batch() (l *loss.CHEST, uE, uH []float32, label []int) {
	p.o.Seed = 7
	l = p.make()
	rng := rand.New(rand.NewPCG(1, 2))
	length := cmp.Or(p.length, 1.5)
	features := func(d int) []float32 {
		u := make([]float32, p.rows*d)
		for i := range u {
			u[i] = float32(rng.NormFloat64() * length / math.Sqrt(float64(d)))
		}
		return u
	}
	uE, uH = features(p.dE), features(p.dH)
	for range p.rows {
		label = append(label, rng.IntN(p.classes))
	}
	stretch := cmp.Or(p.stretch, 1)
	for _, q := range l.Params() {
		d := q.Shape[1]
		for i := range q.Value {
			q.Value[i] *= stretch * (0.5 + rng.Float32())
		}
		if p.parallel {
			clear(q.Value[:d])
			copy(q.Value[d:2*d], q.Value[2*d:3*d])
			for i := range d {
				q.Value[4*d+i] = -2 * q.Value[3*d+i]
			}
		}
	}
	for i := 0; p.zero && i < p.rows; i += 2 {
		clear(uE[i*p.dE : (i+1)*p.dE])
		clear(uH[i*p.dH : (i+1)*p.dH])
	}
	if p.twins { // rows at, or nearly at, their proxies
		e, h := l.Euclidean().Proxies(), l.Hyperbolic().Proxies()
		for i := range p.rows {
			copy(uE[i*p.dE:(i+1)*p.dE], e.Value[i*p.dE:])
			copy(uH[i*p.dH:(i+1)*p.dH], h.Value[i*p.dH:])
			if i%2 == 0 {
				uH[i*p.dH] += 1e-4
			}
		}
	}
	return l, uE, uH, label
}
