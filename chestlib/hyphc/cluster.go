package hyphc

import (
	"cmp"
	"context"
	"fmt"
	"math"
)

// Options controls Cluster. The zero value finds, from every one of 20 seeds
// tried, trees of cost up to 281,000 on zoo, 791,000 on iris and 2,910,000 on
// glass, about what the authors' implementation finds. These defaults are ours: they
// start hotter and look at more trees than the published scripts, which have
//
//	             zoo      iris    glass
//	Rate         1e-3     5e-4    1e-4
//	Batch        256      512     512
//	Temperature  0.1      0.05    0.05
//	AnnealEvery  50       30      10
//	Triplets     100,000  50,000  900,000
//	Every        391      98      1758      once an epoch
//
// and Dim 2, Epochs 50, Anneal 0.5, Init 0.05 throughout.
type Options struct {
	Dim         int     // of the ball; 0 means 2
	Epochs      int     // passes over Triplets; 0 means 50
	Triplets    int     // triplets an epoch; 0 means 500 a leaf
	Batch       int     // triplets a step; 0 means 256, or one a leaf if these are more
	Rate        float64 // Adam's rate; 0 means 1e-3
	Temperature float64 // of the softmax over depths at first, a distance; 0 means 0.8
	Anneal      float64 // factor of the temperature, up to 1; 0 means 0.5
	AnnealEvery int     // epochs from one cooling to the next; 0 means 10, negative means never
	Init        float64 // first norm, and half the width of the cube that first points are drawn from; 0 means 0.05
	Every       int     // steps from one tree that is read off to the next; 0 means 10, more where that would take long
	Seed        uint64  // the result is a function of Seed, the other options and the similarities

	Progress Progress // where to say how far it is; nil means nowhere
}

// Progress is what Cluster reports to; *display.Progress is one.
type Progress interface {
	Start(total int, what string)
	Set(done int, status string)
	Finish(status string)
}

// filled returns o with its defaults for similarities w, or what is wrong with it.
func (o Options) filled(w Similarities) (Options, error) {
	n := w.Len()
	o.Dim = cmp.Or(o.Dim, 2)
	o.Epochs = cmp.Or(o.Epochs, 50)
	o.Triplets = cmp.Or(o.Triplets, max(500*n, 1))
	o.Batch = cmp.Or(o.Batch, max(256, n))
	o.Rate = cmp.Or(o.Rate, 1e-3)
	o.Temperature = cmp.Or(o.Temperature, 0.8)
	o.Anneal = cmp.Or(o.Anneal, 0.5)
	o.AnnealEvery = cmp.Or(o.AnnealEvery, 10)
	o.Init = cmp.Or(o.Init, 0.05)
	for _, c := range []struct {
		ok         bool
		name, want string
		value      any
	}{
		{o.Dim >= 2, "Dim", "at least 2", o.Dim},
		{o.Epochs > 0, "Epochs", "a positive number", o.Epochs},
		{o.Triplets > 0, "Triplets", "a positive number", o.Triplets},
		{o.Batch > 0 && o.Batch < 1<<30, "Batch", "a positive number below 2^30", o.Batch},
		{o.Rate > 0 && !math.IsInf(o.Rate, 1), "Rate", "a positive number", o.Rate},
		{o.Temperature > 0 && !math.IsInf(o.Temperature, 1), "Temperature", "a positive number", o.Temperature},
		{o.Anneal > 0 && o.Anneal <= 1, "Anneal", "above 0, up to 1", o.Anneal},
		{o.Init > 0 && o.Init*math.Sqrt(float64(o.Dim)) < 1, "Init", "above 0, and below 1/√Dim to stay in the ball", o.Init},
		{o.Every >= 0, "Every", "a positive number, or 0 for the default", o.Every},
	} {
		if !c.ok {
			return o, fmt.Errorf("hyphc: Cluster: %s is %v: want %s", c.name, c.value, c.want)
		}
	}
	if o.Every == 0 {
		o.Every = every(w, o)
	}
	return o, nil
}

// every is the default of Options.Every. Where a tree costs a look at all
// pairs, it is read off so seldom that this takes about a fifth of the time: a
// triplet takes as long as 60 pairs or more.
func every(w Similarities, o Options) int {
	if _, rows := w.(*Rows); rows && o.Dim == 2 {
		return 10
	}
	n := float64(w.Len())
	return max(10, int(n*n/(24*float64(o.Batch))))
}

// Clustering is what Cluster found.
type Clustering struct {
	Tree *Tree   // the cheapest tree that was read off
	Cost float64 // its Cost
	Step int     // after which it was read off, from 1; 0 if nothing was trained

	Points []float64 // leaves at that step, n×Dim, row-major, in the ball of curvature -1
	Dim    int
	Radius float64 // the norm of all Points

	Loss []float64 // mean TripletLoss of each epoch, at its temperature
}

// Cluster finds a binary tree of low Cost over leaves of similarities w, by
// hyperbolic hierarchical clustering.
//
// Leaves are points of the ball of curvature -1 at one common norm,
// clamp(scale, 0.01, 0.999). Their directions are those of free points of the
// ball under Riemannian Adam, the scale is a number under Adam; both descend
// the mean TripletLoss of batches while its temperature falls. Triplets are all
// ordered pairs of leaves in random order, again and again, each with a third
// leaf drawn from the others. Every so many steps the tree is read off as
// Decode does, and the cheapest is returned. Fewer than three leaves need no
// training.
//
// Time: about 0.2 µs a triplet on one processor, with all that goes with it,
// so the default takes half a second for 100 leaves, growing with their
// number. Above 1024 leaves w is asked three times a triplet: rows of 128 make
// that 1 µs. All processors are used where a batch has more than 512 triplets.
// Memory: 160 bytes a leaf in two dimensions, 40 a triplet of a batch, and up to
// 1024 leaves a copy of the similarities, 4n² bytes. The result is the same bit
// for bit for any number of processors.
//
// Random triplets seldom have two leaves of one class when classes are many and
// small: of 256 classes of 20 rows the default found the upper levels, at 0.2 %
// more cost than average linkage, but few classes. For such data cluster the
// classes' means, or take Linkage.
//
// It gives an error if an option is out of bounds, if a similarity is not
// finite, and when ctx ends.
//
// Source: HypHC, section 4.
func Cluster(ctx context.Context, w Similarities, o Options) (*Clustering, error) {
	o, err := o.filled(w)
	if err != nil {
		return nil, err
	}
	t, err := newTrainer(ctx, w, o)
	if err != nil {
		return nil, err
	}
	if o.Progress != nil {
		o.Progress.Start(o.Epochs*o.Triplets, "triplets")
		defer o.Progress.Finish("")
	}
	c := &Clustering{Cost: math.Inf(1), Dim: o.Dim}
	if w.Len() >= 3 {
		err = c.train(ctx, t)
	} else {
		err = c.look(ctx, t)
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

// train runs all epochs.
func (c *Clustering) train(ctx context.Context, t *trainer) error {
	for epoch := range t.o.Epochs {
		if t.o.AnnealEvery > 0 && epoch > 0 && epoch%t.o.AnnealEvery == 0 {
			t.temperature *= t.o.Anneal
		}
		if err := c.epoch(ctx, t, epoch); err != nil {
			return err
		}
	}
	return nil
}

// epoch trains on Triplets triplets and looks at trees.
func (c *Clustering) epoch(ctx context.Context, t *trainer, epoch int) error {
	var sum float64
	for left := t.o.Triplets; left > 0; {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("hyphc: Cluster: stopped in epoch %d of %d, step %d, with a tree of cost %.6g: %w", epoch+1, t.o.Epochs, t.steps, c.Cost, err)
		}
		size, loss := t.step(left)
		if math.IsNaN(loss) || math.IsInf(loss, 0) {
			return fmt.Errorf("hyphc: Cluster: loss %g in step %d: %w", loss, t.steps, cmp.Or(checkFinite(ctx, t.w), errTooLarge))
		}
		left -= size
		sum += loss
		if t.steps%t.o.Every != 0 && (left > 0 || epoch < t.o.Epochs-1) {
			continue
		}
		if err := c.look(ctx, t); err != nil {
			return err
		}
		if t.o.Progress != nil {
			t.o.Progress.Set((epoch+1)*t.o.Triplets-left, fmt.Sprintf("epoch %d · loss %.4f · cost %.6g", epoch+1, loss/float64(size), c.Cost))
		}
	}
	c.Loss = append(c.Loss, sum/float64(t.o.Triplets))
	return nil
}

// look reads the tree off and keeps it if it is the cheapest so far.
func (c *Clustering) look(ctx context.Context, t *trainer) error {
	tree, err := decode(ctx, t.u, t.d, t.ring)
	if err != nil {
		return err
	}
	cost, err := tree.Cost(ctx, t.w)
	if err != nil || cost >= c.Cost {
		return err
	}
	c.Tree, c.Cost, c.Step, c.Radius = tree, cost, t.steps, t.radius()
	c.Points = append(c.Points[:0], t.u...)
	for i := range c.Points {
		c.Points[i] *= c.Radius
	}
	return nil
}
