package datasets

import (
	"bytes"
	"context"
	"errors"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/chestlab/chest/kernel/display"
	"gonum.org/v1/gonum/mat"
)

// blazons is Blazons for options that are known to be good.
func blazons(t testing.TB, o BlazonsOptions) *Split {
	t.Helper()
	s, err := Blazons(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []*Set{s.Train, s.Test} {
		if err := part.Validate(); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func TestBlazonsDefault(t *testing.T) {
	s := blazons(t, BlazonsOptions{})
	want := "Blazons train: 960 images 1×32×32, 48 classes, 16 families, 4 orders\n" +
		"Blazons test: 960 images 1×32×32, 48 classes, 16 families, 4 orders"
	if s.String() != want {
		t.Errorf("got\n%s\nwant\n%s", s, want)
	}
	if !slices.Equal(s.Train.Supers, s.Test.Supers) {
		t.Errorf("families differ:\n%q\n%q", s.Train.Supers, s.Test.Supers)
	}
	for _, c := range s.Train.Classes {
		if slices.Contains(s.Test.Classes, c) {
			t.Errorf("class %q is in both parts", c)
		}
	}
}

func TestBlazonsCut(t *testing.T) {
	for _, c := range []struct {
		name                     string
		o                        BlazonsOptions
		train, test              int // classes
		trainFamily, testFamily  int
		familiesShared, onlyGrey bool
	}{
		{"a third", BlazonsOptions{TestShare: 1.0 / 3}, 64, 32, 16, 16, true, true},
		{"few", BlazonsOptions{TestShare: 0.01}, 95, 1, 16, 1, true, true},
		{"nearly all", BlazonsOptions{TestShare: 0.99}, 1, 95, 1, 16, true, true},
		{"one species each", BlazonsOptions{Species: 1}, 8, 8, 8, 8, false, true},
		{"by family", BlazonsOptions{ByFamily: true}, 48, 48, 8, 8, false, true},
		{"two in all", BlazonsOptions{Orders: 1, Families: 1, Species: 2}, 1, 1, 1, 1, true, true},
		{"colour", BlazonsOptions{RGB: true}, 48, 48, 16, 16, true, false},
	} {
		c.o.PerClass, c.o.Size = 2, 16
		s := blazons(t, c.o)
		got := []int{len(s.Train.Classes), len(s.Test.Classes), len(s.Train.Supers), len(s.Test.Supers)}
		if want := []int{c.train, c.test, c.trainFamily, c.testFamily}; !slices.Equal(got, want) {
			t.Errorf("%s: classes and families of train and test %v, want %v", c.name, got, want)
		}
		shared := slices.ContainsFunc(s.Train.Supers, func(f string) bool { return slices.Contains(s.Test.Supers, f) })
		if shared != c.familiesShared || (s.Train.C == 1) != c.onlyGrey {
			t.Errorf("%s: families shared %v, channels %d", c.name, shared, s.Train.C)
		}
	}
}

func TestBlazonsBounds(t *testing.T) {
	for _, c := range []struct {
		name string
		o    BlazonsOptions
		want string // part of the error
	}{
		{"orders", BlazonsOptions{Orders: 9}, "Orders is 9: want 1 to 8"},
		{"families", BlazonsOptions{Families: 141}, "want 1 to 140"},
		{"species", BlazonsOptions{Species: 65}, "want 1 to 64"},
		{"negative", BlazonsOptions{Species: -1}, "Species is -1"},
		{"images", BlazonsOptions{PerClass: 100_001}, "want 1 to 100000"},
		{"small", BlazonsOptions{Size: 8}, "Size is 8"},
		{"share", BlazonsOptions{TestShare: 1}, "TestShare is 1"},
		{"not a share", BlazonsOptions{TestShare: math.NaN()}, "TestShare is NaN"},
		{"strong", BlazonsOptions{Nuisance: 2.5}, "Nuisance is 2.5"},
		{"not a strength", BlazonsOptions{Nuisance: math.NaN()}, "Nuisance is NaN"},
		{"one class", BlazonsOptions{Orders: 1, Families: 1, Species: 1}, "two or more"},
		{"one family", BlazonsOptions{Orders: 1, Families: 1, ByFamily: true}, "two or more"},
		{"memory", BlazonsOptions{PerClass: 100_000, Size: 256}, "want at most 2048 MiB"},
	} {
		if s, err := Blazons(c.o); s != nil || err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an error with %q", c.name, err, c.want)
		}
	}
}

// all draws every species of a taxonomy, whatever the cut.
func all(t testing.TB, o BlazonsOptions) (pix [][]uint8, designs []design) {
	t.Helper()
	o = o.filled()
	species := make([]int, o.classes())
	for i := range species {
		species[i] = i
		designs = append(designs, designOf(o.Seed, i/(o.Species*o.Families), i/o.Species%o.Families, i%o.Species))
	}
	buffer := make([]uint8, len(species)*o.PerClass*o.size())
	if err := o.drawAll(context.Background(), buffer, species); err != nil {
		t.Fatal(err)
	}
	for b := range slices.Chunk(buffer, o.size()) {
		pix = append(pix, b)
	}
	return pix, designs
}

// TestBlazonsPure: an image does not depend on processors, on the number of
// images, or on the size of the taxonomy around it.
func TestBlazonsPure(t *testing.T) {
	small := BlazonsOptions{Orders: 2, Families: 2, Species: 2, PerClass: 3, RGB: true, Seed: 7}
	large := BlazonsOptions{Orders: 3, Families: 4, Species: 5, PerClass: 30, RGB: true, Seed: 7}
	x, dx := all(t, small)
	before := runtime.GOMAXPROCS(1)
	y, dy := all(t, large)
	runtime.GOMAXPROCS(before)
	for i, p := range x {
		class, k := i/3, i%3
		at := (class/4*4+class/2%2)*5 + class%2
		if dx[class] != dy[at] || !bytes.Equal(p, y[at*30+k]) {
			t.Fatalf("image %d of class %d differs in the larger set", k, class)
		}
	}
	other, _ := all(t, BlazonsOptions{Orders: 2, Families: 2, Species: 2, PerClass: 3, RGB: true, Seed: 8})
	if bytes.Equal(slices.Concat(x...), slices.Concat(other...)) {
		t.Error("another seed gives the same images")
	}
}

func TestBlazonsWithoutNuisance(t *testing.T) {
	x, _ := all(t, BlazonsOptions{PerClass: 3, Nuisance: -1})
	for i := range x {
		if !bytes.Equal(x[i], x[i/3*3]) {
			t.Fatalf("image %d differs from the first of its class", i)
		}
	}
}

// TestDesignsDiffer: in the clean picture at the usual size any two designs
// differ, so that no class is a twin of another.
func TestDesignsDiffer(t *testing.T) {
	for _, c := range []struct {
		name    string
		designs int
		of      func(i int) design
	}{
		{"outlines", maxOrders, func(i int) design { return design{outline: i, division: 1} }},
		{"families on a heater", maxFamilies, func(i int) design { return pair(0, i) }},
		{"families on a kite", maxFamilies, func(i int) design { return pair(6, i) }},
		{"species of discs", maxSpecies, func(i int) design { return designOf(1, 0, 0, i) }},
		{"species of an oval", maxSpecies, func(i int) design { return designOf(2, 4, 1, i) }},
		{"species of a kite", maxSpecies, func(i int) design { return designOf(3, 6, 2, i) }},
	} {
		var x [][]uint8
		names := map[string]bool{}
		least := math.Inf(1)
		for i := range c.designs {
			d := c.of(i)
			names[d.name()] = true
			x = append(x, clean(d))
			for j := range i {
				least = min(least, apart(x[i], x[j]))
				if apart(x[i], x[j]) < 100 {
					t.Errorf("%s: %q and %q are %.0f grey levels apart", c.name, d.name(), c.of(j).name(), apart(x[i], x[j]))
				}
			}
		}
		if len(names) != c.designs {
			t.Errorf("%s: %d names for %d designs", c.name, len(names), c.designs)
		}
		t.Logf("%s: nearest pair %.0f grey levels apart", c.name, least)
	}
}

// pair is one of all families on an outline, with one fixed species.
func pair(outline, i int) design {
	division, charge := familyOf(3, outline, i)
	return design{outline: outline, division: division, charge: charge, arrangement: 3, scheme: 1}
}

// clean is a design without nuisance, grey, 32×32.
func clean(d design) []uint8 {
	p, rng, pix := newPainter(1, 32), newRand(0, 0), make([]uint8, 32*32)
	p.paint(d, conditions(rng, 0), rng)
	p.write(pix)
	return pix
}

// apart is the Euclidean distance of two images.
func apart(x, y []uint8) float64 {
	sum := 0
	for i := range x {
		d := int(x[i]) - int(y[i])
		sum += d * d
	}
	return math.Sqrt(float64(sum))
}

// TestBlazonsHardness: raw pixels find the class of an unseen species often,
// but far from always, and what linear discriminants learn of the nuisance from
// the training species helps on the test species: the classes can be learnt.
func TestBlazonsHardness(t *testing.T) {
	s := blazons(t, BlazonsOptions{Orders: 4, Families: 4, Species: 5, TestShare: 0.5})
	raw := rawRecall(s.Test)
	many := blazons(t, BlazonsOptions{Orders: 4, Families: 4, Species: 5, TestShare: 0.5, PerClass: 40})
	learnt := discriminant(many.Train, s.Test)
	t.Logf("recall at 1 on %d test species: raw %.3f, linear discriminants %.3f", len(s.Test.Classes), raw, learnt)
	if raw < 0.25 || raw > 0.5 {
		t.Errorf("raw recall at 1 is %.3f, want 0.25 to 0.5", raw)
	}
	if learnt < raw+0.05 {
		t.Errorf("recall of linear discriminants is %.3f, want more than raw %.3f by 0.05", learnt, raw)
	}
}

// discriminant is recall at 1 on test in the metric that makes the scatter
// within the classes of train white.
func discriminant(train, test *Set) float64 {
	x, d := train.Floats(), train.size()
	scatter := mat.NewSymDense(d, nil)
	mean := make([][]float64, len(train.Classes))
	count := make([]float64, len(train.Classes))
	for i, c := range train.Labels {
		if mean[c] == nil {
			mean[c] = make([]float64, d)
		}
		count[c]++
		for j := range d {
			mean[c][j] += float64(x[i*d+j])
		}
	}
	within := mat.NewDense(train.Len(), d, nil)
	for i, c := range train.Labels {
		for j := range d {
			within.Set(i, j, float64(x[i*d+j])-mean[c][j]/count[c])
		}
	}
	scatter.SymOuterK(1/float64(train.Len()), within.T())
	ridge := mat.Trace(scatter) / float64(d)
	for j := range d {
		scatter.SetSym(j, j, scatter.At(j, j)+ridge)
	}
	var chol mat.Cholesky
	if !chol.Factorize(scatter) {
		panic("scatter is not positive definite")
	}
	var l mat.TriDense
	chol.LTo(&l)
	y := mat.NewDense(d, test.Len(), nil)
	for i, v := range test.Floats() {
		y.Set(i%d, i/d, float64(v))
	}
	var white mat.Dense
	if err := white.Solve(&l, y); err != nil {
		panic(err)
	}
	z := make([]float32, test.Len()*d)
	for i := range z {
		z[i] = float32(white.At(i%d, i/d))
	}
	return recall(z, d, test.Labels)
}

func TestBlazonsStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	display.SetContext(ctx)
	defer display.SetContext(context.Background())
	if _, err := Blazons(BlazonsOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's error", err)
	}
}

func BenchmarkBlazons(b *testing.B) {
	o := BlazonsOptions{PerClass: 20}.filled()
	species := []int{0, 20, 40, 60, 80}
	dst := make([]uint8, len(species)*o.PerClass*o.size())
	for b.Loop() {
		if err := o.drawAll(context.Background(), dst, species); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*len(species)*o.PerClass)/b.Elapsed().Seconds(), "images/s")
}
