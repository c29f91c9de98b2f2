package reduce

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// method is any of the reductions, with few steps.
type method struct {
	name   string
	flat   bool // takes c = 0
	seeded bool
	steps  int // that its progress has
	run    func(ctx context.Context, x []float32, d int, c float64, seed uint64, p Progress) ([]float64, Quality, error)
}

var methods = []method{
	{"h-MDS", true, false, 12, func(ctx context.Context, x []float32, d int, c float64, _ uint64, p Progress) ([]float64, Quality, error) {
		return HMDS(ctx, x, d, c, HMDSOptions{Steps: 12, Progress: p})
	}},
	{"UMAP", true, true, 12, func(ctx context.Context, x []float32, d int, c float64, seed uint64, p Progress) ([]float64, Quality, error) {
		return UMAP(ctx, x, d, c, UMAPOptions{Epochs: 12, Seed: seed, Progress: p})
	}},
	{"CO-SNE", false, true, 12, func(ctx context.Context, x []float32, d int, c float64, seed uint64, p Progress) ([]float64, Quality, error) {
		return COSNE(ctx, x, d, c, COSNEOptions{Steps: 12, Seed: seed, Progress: p})
	}},
	{"HoroPCA", false, true, 36, func(ctx context.Context, x []float32, d int, c float64, seed uint64, p Progress) ([]float64, Quality, error) {
		return HoroPCA(ctx, x, d, c, HoroPCAOptions{Steps: 12, Seed: seed, Progress: p})
	}},
}

// TestMethodsSameBits: a picture is a function of the points and the seed, for
// any number of processors.
func TestMethodsSameBits(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	x, _ := treeSet(2, 4, 5, 40, 33, 0.1) // 800 points: pairs are a sample
	for _, m := range methods {
		for _, c := range []float64{0.1, 0} {
			if c == 0 && !m.flat {
				continue
			}
			runtime.GOMAXPROCS(1)
			want, wantQ, err := m.run(ctx, x, 33, c, 5, nil)
			if err != nil {
				t.Fatal(m.name, err)
			}
			for _, procs := range []int{2, 5} {
				runtime.GOMAXPROCS(procs)
				got, q, err := m.run(ctx, x, 33, c, 5, nil)
				if err != nil || !slices.Equal(got, want) || q != wantQ {
					t.Errorf("%s, c = %g, %d processors: another picture, or %v instead of %v (%v)", m.name, c, procs, q, wantQ, err)
				}
			}
		}
	}
}

// TestMethodsFewPoints: few, equal and far points give finite points of the
// disk; equal ones all go to the centre.
func TestMethodsFewPoints(t *testing.T) {
	const near = 1 - 0x1p-24
	rng := rand.New(rand.NewPCG(7, 7))
	cases := []struct {
		name string
		x    []float32
		d    int
	}{
		{"one point", []float32{0.3, 0.4, 0.5}, 3},
		{"two points", []float32{0.3, 0.4, 0.5, -0.1, 0, 0.2}, 3},
		{"three points", []float32{0.3, 0.4, 0.5, -0.1, 0, 0.2, 0, 0, 0.1}, 3},
		{"three points, two equal", []float32{0.3, 0.4, 0.5, 0.3, 0.4, 0.5, 0, 0, 0.1}, 3},
		{"two places", slices.Repeat([]float32{0.3, 0.4, -0.2, 0.1}, 20), 2},
		{"equal points", slices.Repeat([]float32{0.1, -0.7, 0.3}, 20), 3},
		{"the origin", make([]float32, 12), 4},
		{"one dimension", []float32{-0.5, 0.5, 0.25, 0.9, -0.3}, 1},
		{"a line", []float32{-0.5, 0, 0.5, 0, 0.25, 0, 0.9, 0, -0.3, 0}, 2},
		{"at the boundary", []float32{near, 0, 0, 0, -near, 0, 0, 0, near, 0, 0, -near, 0, 0, 0.5, near, 0, 0}, 3},
		{"twelve points", narrow(cloudOf(rng, 12, 5, 1)), 5},
		{"far points", narrow(cloudOf(rng, 12, 5, 0.05))[:60], 5},
	}
	for _, m := range methods {
		for _, k := range cases {
			for _, c := range []float64{0, 0.01, 1} {
				if c == 0 && !m.flat || k.name == "far points" && c == 1 {
					continue
				}
				xy, q, err := m.run(ctx, k.x, k.d, c, 0, nil)
				if err != nil {
					t.Errorf("%s, %s, c = %g: %v", m.name, k.name, c, err)
					continue
				}
				n := len(k.x) / k.d
				if len(xy) != 2*n || q.Points != n || q.Method != m.name || q.Curvature != c || q.Seeded != m.seeded {
					t.Errorf("%s, %s, c = %g: %d coordinates and %+v", m.name, k.name, c, len(xy), q)
				}
				if math.IsNaN(q.Stress) || math.IsNaN(q.Distortion) || math.IsNaN(q.Scale) {
					t.Errorf("%s, %s, c = %g: %+v", m.name, k.name, c, q)
				}
				for i := range n {
					if r := math.Hypot(xy[2*i], xy[2*i+1]); !(r < 1) {
						t.Errorf("%s, %s, c = %g: point %d at radius %g", m.name, k.name, c, i, r)
					}
				}
				same := equalRows(wide(k.x), k.d)
				if same && !reflect.DeepEqual(xy, make([]float64, 2*n)) {
					t.Errorf("%s, %s, c = %g: %v, want all at the centre", m.name, k.name, c, xy)
				}
			}
		}
	}
}

// TestMethodsBadData: errors name the method's package, the row and the remedy;
// wrong shapes panic.
func TestMethodsBadData(t *testing.T) {
	nan := float32(math.NaN())
	cases := []struct {
		name string
		x    []float32
		c    float64
		want string
	}{
		{"NaN", []float32{0, 0, 0, nan}, 1, "row 1, column 1 is NaN"},
		{"outside", []float32{0, 0, 2, 3}, 0.1, "row 1 is not on the ball: c‖x‖² = 1.3"},
		{"no points", nil, 1, "no points"},
		{"negative c", []float32{0, 0}, -1, "curvature -1"},
		{"NaN c", []float32{0, 0}, math.NaN(), "curvature NaN"},
	}
	for _, m := range methods {
		for _, c := range cases {
			if _, _, err := m.run(ctx, c.x, 2, c.c, 0, nil); err == nil || !strings.HasPrefix(err.Error(), "reduce: ") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s, %s: error %v, want one with %q", m.name, c.name, err, c.want)
			}
		}
		func() {
			defer func() {
				if msg, ok := recover().(string); !ok || !strings.HasPrefix(msg, "reduce: ") {
					t.Errorf("%s: panic %q, want one that starts with reduce:", m.name, msg)
				}
			}()
			m.run(ctx, make([]float32, 5), 2, 1, 0, nil)
		}()
	}
}

// TestMethodsBadOptions: the error names the option and what it must be.
func TestMethodsBadOptions(t *testing.T) {
	x := []float32{0.1, 0.2, 0.3, 0.4}
	umap := func(o UMAPOptions) error { _, _, err := UMAP(ctx, x, 2, 1, o); return err }
	cosne := func(o COSNEOptions) error { _, _, err := COSNE(ctx, x, 2, 1, o); return err }
	_, _, horo := HoroPCA(ctx, x, 2, 1, HoroPCAOptions{Steps: -1})
	_, _, flat := HoroPCA(ctx, x, 2, 0, HoroPCAOptions{})
	for want, err := range map[string]error{
		"reduce: UMAP: Neighbours is -1: want a positive number": umap(UMAPOptions{Neighbours: -1}),
		"UMAP: Spread is -1":               umap(UMAPOptions{Spread: -1}),
		"UMAP: MinDist is 3: want below":   umap(UMAPOptions{MinDist: 3}),
		"UMAP: Epochs is -2":               umap(UMAPOptions{Epochs: -2}),
		"UMAP: Rate is NaN":                umap(UMAPOptions{Rate: math.NaN()}),
		"UMAP: Repulsion is -1":            umap(UMAPOptions{Repulsion: -1}),
		"CO-SNE: Perplexity is 0.5":        cosne(COSNEOptions{Perplexity: 0.5}),
		"CO-SNE: Gamma is +Inf":            cosne(COSNEOptions{Gamma: math.Inf(1)}),
		"CO-SNE: Norm is +Inf":             cosne(COSNEOptions{Norm: math.Inf(1)}),
		"CO-SNE: Steps is -1":              cosne(COSNEOptions{Steps: -1}),
		"CO-SNE: Rate is -1":               cosne(COSNEOptions{Rate: -1}),
		"CO-SNE: Exaggeration is 0.1":      cosne(COSNEOptions{Exaggeration: 0.1}),
		"HoroPCA: Steps is -1":             horo,
		"HoroPCA: c is 0: want a positive": flat,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

// watch is a Progress that cancels at a step.
type watch struct {
	cancel       context.CancelFunc
	at           int
	what         string
	total, last  int
	sets, starts int
	finished     int
}

func (w *watch) Start(total int, what string) { w.total, w.what, w.starts = total, what, w.starts+1 }
func (w *watch) Finish(string)                { w.finished++ }
func (w *watch) Set(done int, _ string) {
	if done < w.last {
		w.sets = -1000 // backwards
	}
	w.last, w.sets = done, w.sets+1
	if done == w.at {
		w.cancel()
	}
}

// TestMethodsProgress: progress starts once, rises to the total and finishes;
// when the context ends in between, the reduction ends with the next step and
// says where it was.
func TestMethodsProgress(t *testing.T) {
	x, _ := treeSet(2, 3, 3, 12, 8, 0.1)
	for _, m := range methods {
		w := &watch{at: -1}
		if _, _, err := m.run(ctx, x, 8, 0.1, 0, w); err != nil {
			t.Fatal(m.name, err)
		}
		if w.starts != 1 || w.finished != 1 || w.what != m.name || w.total != m.steps || w.last != m.steps || w.sets < 3 {
			t.Errorf("%s: progress %+v", m.name, w)
		}
		inner, cancel := context.WithCancel(ctx)
		w = &watch{at: 2, cancel: cancel}
		xy, _, err := m.run(inner, x, 8, 0.1, 0, w)
		want := fmt.Sprintf("reduce: %s: stopped after step 3 of %d", m.name, m.steps)
		if xy != nil || !errors.Is(err, context.Canceled) || !strings.HasPrefix(err.Error(), want) || w.last != 2 || w.finished != 1 {
			t.Errorf("%s: cancelled at step 2: %v, progress %+v; want %q", m.name, err, w, want)
		}
		ended, cancel := context.WithCancel(ctx)
		cancel()
		if _, _, err := m.run(ended, x, 8, 0.1, 0, nil); !errors.Is(err, context.Canceled) || !strings.HasPrefix(err.Error(), "reduce: ") {
			t.Errorf("%s: ended context: error %v", m.name, err)
		}
	}
}

// TestStressDefinitions: the stress of a scaled picture is 0 where lengths do
// not count, and what the formula says where they do.
func TestStressDefinitions(t *testing.T) {
	x := []float64{0, 0, 0.3, 0, 0, 0.4}
	p := newPairs(3, mostPairs, 0)
	p.measure(x, 2, 0)
	half := []float64{0, 0, 0.15, 0, 0, 0.2}
	scale, stress, distortion := p.compare(half, plainShape)
	if math.Abs(scale-2) > 1e-12 || stress > 1e-12 || distortion > 1e-12 {
		t.Errorf("half as large: scale %g, stress %g, distortion %g", scale, stress, distortion)
	}
	p.measure(x, 2, 1)
	if scale, stress, distortion = p.compare(make([]float64, 6), hyperbolicLengths); scale != 1 || stress != 1 || distortion != 1 {
		t.Errorf("one place: scale %g, stress %g, distortion %g, want 1", scale, stress, distortion)
	}
	if _, stress, distortion = p.compare(x, hyperbolicLengths); stress != 0 || distortion != 0 {
		t.Errorf("unchanged: stress %g, distortion %g", stress, distortion)
	}
	p.measure(make([]float64, 6), 2, 1)
	if _, stress, distortion = p.compare(x, hyperbolicLengths); !math.IsInf(stress, 1) || distortion != 0 {
		t.Errorf("equal points drawn apart: stress %g, distortion %g", stress, distortion)
	}
}

func ExampleQuality_Line() {
	q := Quality{Method: "UMAP", Points: 6000, Curvature: 0.1, Seeded: true, Stress: 0.24, Distortion: 0.19, KNN: 15, AgreementDisk: 0.95, AgreementBall: 0.96}
	fmt.Println(q.Line())
	// Output: UMAP; 6000 points; c = 0.1; stress 0.24, distortion 0.19, 15-NN agreement 0.95 in the plane, 0.96 before, seed 0
}
