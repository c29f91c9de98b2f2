package hyphc

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/floats"

	"github.com/chestlab/chest/internal/parallel"
)

const (
	least, most = 1e-2, 1 - 1e-3 // of the leaves' common norm

	pullGrain = 512  // triplets of a task
	moveGrain = 2048 // leaves of a task
	denseUpTo = 1024 // leaves whose similarities are copied
)

var errTooLarge = errors.New("the similarities are too large: scale them to [0,1]")

// trainer is leaves in training. A step allocates nothing.
type trainer struct {
	o     Options
	n, d  int
	w     Similarities
	dense []float32 // n×n, the same; nil where they are too many
	deal  *triplets
	team  *parallel.Team

	x, m, v []float64 // n×d points, n×d mean gradients, n mean squares: each a leaf
	u       []float64 // n×d, directions of x
	scale   number
	ring    ring // of the scale

	temperature float64
	steps       int    // done
	dealt       uint64 // triplets of those

	pulls []pull    // of the step in progress
	size  int       // how many
	sums  []float64 // loss and its derivative by κ of each task
	g, y  []float64 // n×d, gradient by u, zero between steps; scratch
	now   step

	pullTask, moveTask func(task, worker int) // the methods, made once
}

func newTrainer(ctx context.Context, w Similarities, o Options) (*trainer, error) {
	n, d := w.Len(), o.Dim
	t := &trainer{o: o, n: n, d: d, w: w, team: parallel.NewTeam(0), temperature: o.Temperature}
	if n <= denseUpTo {
		if err := checkFinite(ctx, w); err != nil {
			return nil, err
		}
		t.copySimilarities()
	}
	if n >= 3 {
		t.deal = newTriplets(n, o.Seed)
	}
	for _, s := range []*[]float64{&t.x, &t.m, &t.u, &t.g, &t.y} {
		*s = make([]float64, n*d)
	}
	t.v = make([]float64, n)
	t.pulls, t.sums = make([]pull, o.Batch), make([]float64, 2*tasks(o.Batch, pullGrain))
	t.pullTask, t.moveTask = t.pull, t.move
	t.place()
	return t, nil
}

// tasks is the number of tasks of n things.
func tasks(n, grain int) int { return (n + grain - 1) / grain }

// copySimilarities fills dense.
func (t *trainer) copySimilarities() {
	t.dense = make([]float32, t.n*t.n)
	parallel.For(t.n, 16, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			for j := range t.n {
				t.dense[i*t.n+j] = float32(t.w.At(i, j))
			}
		}
	})
}

// place draws the first points.
func (t *trainer) place() {
	rng := rand.New(rand.NewPCG(t.o.Seed, 1<<63)) // a stream that no pass of triplets has
	for i := range t.x {
		t.x[i] = t.o.Init * (2*rng.Float64() - 1)
	}
	for i := range t.n {
		t.direct(i)
	}
	t.scale.x = t.o.Init
	t.ring = newRing(t.radius())
}

// radius is the norm of all leaves.
func (t *trainer) radius() float64 { return min(max(t.scale.x, least), most) }

// direct sets the direction of leaf i.
func (t *trainer) direct(i int) {
	u := t.u[i*t.d : (i+1)*t.d]
	copy(u, t.x[i*t.d:(i+1)*t.d])
	floats.Scale(1/math.Sqrt(floats.Dot(u, u)), u)
}

// step takes one step by at most that many triplets, a batch, and what is left
// of the pass. It returns how many and the sum of their losses before the step.
func (t *trainer) step(most int) (size int, loss float64) {
	loss, byRadius := t.gradient(most)
	t.steps++
	t.now = newStep(t.o.Rate, t.steps)
	t.team.Tasks(tasks(t.n, moveGrain), t.moveTask)
	t.scale.move(t.now, byRadius)
	t.ring = newRing(t.radius())
	t.dealt += uint64(t.size)
	return t.size, loss
}

// gradient deals out the next triplets and sets g to the gradient of their
// summed loss by u, up to parts along u. It returns the sum, and the
// derivative of the mean by the scale.
func (t *trainer) gradient(most int) (loss, byScale float64) {
	pass, left := t.deal.until(t.dealt)
	if pass != t.deal.pass {
		t.deal.turn(pass)
	}
	t.size = int(min(uint64(most), uint64(len(t.pulls)), left))
	t.team.Tasks(tasks(t.size, pullGrain), t.pullTask)
	for k := range tasks(t.size, pullGrain) { // in order, whoever did which
		loss += t.sums[2*k]
		byScale += t.sums[2*k+1]
	}
	t.scatter()
	byScale *= t.ring.slope / float64(t.size)
	if t.scale.x != t.radius() {
		byScale = 0 // clamped
	}
	return loss, byScale
}

// pull sets the pulls of a task.
func (t *trainer) pull(task, _ int) {
	d := t.d
	var loss, byKappa float64
	for k := task * pullGrain; k < min((task+1)*pullGrain, t.size); k++ {
		a, b, c := t.deal.at(t.dealt + uint64(k))
		p := &t.pulls[k]
		p.leaf = [3]int32{int32(a), int32(b), int32(c)}
		ua, ub, uc := t.u[a*d:(a+1)*d], t.u[b*d:(b+1)*d], t.u[c*d:(c+1)*d]
		s := [3]float64{chord(ua, ub), chord(ua, uc), chord(ub, uc)}
		w := [3]float64{t.at(a, b), t.at(a, c), t.at(b, c)}
		l, g := p.set(t.ring, &s, &w, t.temperature)
		loss += l
		byKappa += g
	}
	t.sums[2*task], t.sums[2*task+1] = loss, byKappa
}

// at is the similarity of leaves i and j.
func (t *trainer) at(i, j int) float64 {
	if t.dense != nil {
		return float64(t.dense[i*t.n+j])
	}
	return t.w.At(i, j)
}

// scatter adds the pulls to g, in order.
func (t *trainer) scatter() {
	d := t.d
	for k := range t.pulls[:t.size] {
		p := &t.pulls[k]
		a, b, c := int(p.leaf[0])*d, int(p.leaf[1])*d, int(p.leaf[2])*d
		for j := range d {
			ua, ub, uc := t.u[a+j], t.u[b+j], t.u[c+j]
			x, y, z := p.pair[0]*(ub-ua), p.pair[1]*(uc-ua), p.pair[2]*(uc-ub)
			t.g[a+j] += x + y
			t.g[b+j] += z - x
			t.g[c+j] -= y + z
		}
	}
}

// move moves the leaves of a task by the mean gradient and clears it.
func (t *trainer) move(task, _ int) {
	for i := task * moveGrain; i < min((task+1)*moveGrain, t.n); i++ {
		lo, hi := i*t.d, (i+1)*t.d
		g := t.g[lo:hi]
		t.byPoint(i, g)
		leaf{t.x[lo:hi], t.m[lo:hi], &t.v[i]}.move(t.now, g, t.y[lo:hi])
		t.direct(i)
		clear(g)
	}
}

// byPoint turns the gradient g of the summed loss by u, of leaf i, into that
// of the mean by x: u = x/‖x‖, so (g - (g·u) u)/‖x‖.
func (t *trainer) byPoint(i int, g []float64) {
	x, u := t.x[i*t.d:(i+1)*t.d], t.u[i*t.d:(i+1)*t.d]
	floats.AddScaled(g, -floats.Dot(g, u), u)
	floats.Scale(1/(math.Sqrt(floats.Dot(x, x))*float64(t.size)), g)
}
