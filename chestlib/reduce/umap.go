package reduce

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
)

// UMAPOptions controls UMAP. The zero value is the default: that of the
// authors' program, but for Epochs.
type UMAPOptions struct {
	Neighbours int     // nearest others of a point that its edges go to; 0 means 15, cut to n-1
	MinDist    float64 // distance in the picture below which points are as near as can be; 0 means 0.1, negative means 0
	Spread     float64 // distance in the picture over which nearness falls to 1/e, above MinDist; 0 means 1
	Epochs     int     // 0 means 200; the authors take 500 up to 10,000 points
	Rate       float64 // of the first epoch, falls linearly to 0; 0 means 1
	Negatives  int     // random points that a sample of an edge pushes away; 0 means 5, negative means none
	Repulsion  float64 // weight γ of these; 0 means 1
	Cosine     bool    // compare rows by 1 - cos; with c = 0 only
	Seed       uint64  // the result is a function of Seed, the other options and x

	Progress Progress // where to say how far it is; nil means nowhere
}

// filled returns o with its defaults for n points, or what is wrong with it.
func (o UMAPOptions) filled(n int, c float64) (UMAPOptions, error) {
	o.Neighbours = cmp.Or(o.Neighbours, 15)
	o.MinDist = max(cmp.Or(o.MinDist, 0.1), 0)
	o.Spread = cmp.Or(o.Spread, 1)
	o.Epochs = cmp.Or(o.Epochs, 200)
	o.Rate = cmp.Or(o.Rate, 1)
	o.Negatives = max(cmp.Or(o.Negatives, 5), 0)
	o.Repulsion = cmp.Or(o.Repulsion, 1)
	err := wrong("UMAP", []requirement{
		{o.Neighbours > 0, "Neighbours", "a positive number", o.Neighbours},
		{o.Spread > 0 && !math.IsInf(o.Spread, 0), "Spread", "a positive number", o.Spread},
		{o.MinDist < 3*o.Spread, "MinDist", "below 3 Spread", o.MinDist},
		{o.Epochs > 0, "Epochs", "a positive number", o.Epochs},
		{o.Rate > 0 && !math.IsInf(o.Rate, 0), "Rate", "a positive number", o.Rate},
		{o.Repulsion > 0 && !math.IsInf(o.Repulsion, 0), "Repulsion", "a positive number; for none set Negatives to -1", o.Repulsion},
		{!o.Cosine || c == 0, "Cosine", "false for points of the ball, c > 0", o.Cosine},
	})
	o.Neighbours = min(o.Neighbours, n-1)
	return o, err
}

// requirement is what an option must be.
type requirement struct {
	ok         bool
	name, want string
	value      any
}

// wrong returns an error that names the first option that is not as it must be.
func wrong(method string, all []requirement) error {
	for _, r := range all {
		if !r.ok {
			return fmt.Errorf("reduce: %s: %s is %v: want %s", method, r.name, r.value, r.want)
		}
	}
	return nil
}

// UMAP draws points so that neighbours stay neighbours: classes become clumps.
// Distances of clumps mean little and their sizes nothing; for these take
// HMDS.
//
// The nearest others of each point make a fuzzy set of edges (fuzzy simplicial
// set); the picture is drawn by stochastic gradient descent, in which edges
// pull their ends together and random points push away:
//
//	w(d) = 1/(1 + a d^(2b)),  a and b fitted to MinDist and Spread
//
// c > 0: points of the Poincaré ball of curvature -c, their hyperbolic
// distances, drawn on the hyperboloid as the authors' program does with
// output_metric="hyperboloid", and then at (x, y)/(1+z) of the unit disk, with
// the Fréchet mean of the picture at the centre.
//
// c = 0: any rows, their plain distances (or 1 - cos), drawn in the plane, then
// centred and scaled so that the farthest is at radius 0.95 of the disk. The
// stress in Quality is by plain distances in both cases.
//
// The picture starts from HMDS's of least strain, for c = 0 from PCA, with a
// little noise by the seed. Where classes are hardly larger than Neighbours, few
// edges lead from one to another, and how classes lie to each other is left to
// the start: of 2,000 points in 100 classes of 20, grouped by ten, all on a
// sphere of 128 dimensions, all 15-NN had the class of their point, but of 60-NN
// 0.76 had its group; with Neighbours 30 it was 0.99.
//
// x is n×d, row-major; the result is n×2. Rows that are all equal are
// drawn at the centre.
//
// Neighbours are exact. Cost: n²d for them, on all processors, 0.3 s for 6,000
// points of 128 dimensions; then the epochs, whose moves are made one after the
// other by one processor, 25 ms each there: 5 s in all. So the bits do not
// depend on the number of processors. ctx is checked at
// every epoch.
//
// It returns an error as TangentPCA does, if an option is out of bounds, and
// when ctx ends; it panics as TangentPCA does.
//
// Source: L. McInnes, J. Healy, J. Melville, "UMAP: Uniform manifold
// approximation and projection for dimension reduction" (2018).
func UMAP(ctx context.Context, x []float32, d int, c float64, o UMAPOptions) ([]float64, Quality, error) {
	ctx, done := context.WithCancel(ctx) // stays with the cell that called
	defer done()
	w, err := start(x, d, c)
	if err != nil {
		return nil, Quality{}, err
	}
	n := len(x) / d
	if o, err = o.filled(n, c); err != nil {
		return nil, Quality{}, err
	}
	q := Quality{Method: "UMAP", Points: n, Curvature: c, Seed: o.Seed, Seeded: true, Scale: 1}
	if equalRows(w, d) {
		return make([]float64, 2*n), q, nil
	}
	r := newReport(ctx, o.Progress, "UMAP", o.Epochs)
	defer r.finish()
	if err := r.set(0, "neighbours"); err != nil {
		return nil, Quality{}, err
	}
	from, err := first(w, d, c)
	if err != nil {
		return nil, Quality{}, err
	}
	g, err := nearest(ctx, x, d, o.Neighbours, c, o.Cosine)
	if err != nil {
		return nil, Quality{}, err
	}
	xy, err := draw(r, fuzzy(g), from, c == 0, o)
	if err != nil {
		return nil, Quality{}, err
	}
	if c == 0 {
		return xy, judged(q, xy, w, d, plainShape), nil
	}
	return xy, judged(q, xy, w, d, hyperbolicShape), nil
}

// first is the picture to start from.
func first(x []float64, d int, c float64) ([]float64, error) {
	if c > 0 {
		return strain(x, d, c)
	}
	u := append([]float64(nil), x...)
	centre(u, d)
	xy, _, err := principal(u, d)
	return xy, err
}

// draw lays the edges out, from points of the disk to points of the disk.
func draw(r report, set []edge, start []float64, flat bool, o UMAPOptions) ([]float64, error) {
	l := newLayout(begin(start, flat, o.Seed), set, o.Epochs)
	l.flat, l.repulsion, l.negatives = flat, o.Repulsion, o.Negatives
	l.a, l.b = fitCurve(o.MinDist, o.Spread)
	l.rng = rand.NewPCG(o.Seed, 2)
	for e := range o.Epochs {
		if err := r.set(e, ""); err != nil {
			return nil, err
		}
		l.epoch(e+1, o.Rate*(1-float64(e)/float64(o.Epochs)))
	}
	xy := make([]float64, len(start))
	for i, p := range l.p {
		k := 1 + p.z
		if flat {
			k = 1
		}
		xy[2*i], xy[2*i+1] = p.x/k, p.y/k
	}
	if flat {
		centre(xy, 2)
		fitDisk(xy)
	} else {
		centreDisk(xy)
	}
	return xy, r.set(o.Epochs, "")
}

// begin is the places to start from: points of the disk, as far from the centre
// as they are there in the plane, in proportion to their hyperbolic radius on
// the hyperboloid, the farthest at 10; with a little noise. From a smaller
// start fewer classes find their place.
func begin(xy []float64, flat bool, seed uint64) []place {
	rng := rand.New(rand.NewPCG(seed, 1))
	p := make([]place, len(xy)/2)
	far := 0.0
	for i := range p {
		p[i].x, p[i].y = xy[2*i], xy[2*i+1]
		if !flat {
			if u := math.Hypot(p[i].x, p[i].y); u > 0 {
				k := math.Atanh(min(u, rim)) / u
				p[i].x, p[i].y = k*p[i].x, k*p[i].y
			}
		}
		far = max(far, math.Hypot(p[i].x, p[i].y))
	}
	k := 10 / cmp.Or(far, 1)
	for i := range p {
		p[i].x, p[i].y = k*p[i].x+1e-3*rng.NormFloat64(), k*p[i].y+1e-3*rng.NormFloat64()
		p[i].z = math.Sqrt(1 + p[i].x*p[i].x + p[i].y*p[i].y)
	}
	return p
}
