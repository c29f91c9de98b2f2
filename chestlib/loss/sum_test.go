package loss

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/chestlab/chest/chestlib/ball"
	"github.com/chestlab/chest/internal/gradcheck"
)

func TestSum(t *testing.T) {
	s := Setting{Classes: 4, DE: 5, DH: 4, Curvature: 0.1, Clip: 2.3, Seed: 9}
	r := Sum(2, SupConOptions{}, 0.5, Sum(1, CHESTOptions{E: SoftTripleOptions{Proxies: 2}}, 3, PairCrossEntropyOptions{}))
	if want := "2·supcon+0.5·chest+1.5·pair-cross-entropy"; r.Name() != want {
		t.Errorf("name %q, want %q", r.Name(), want)
	}
	l := made(t, r, s)
	b := random(rand.New(rand.NewPCG(40, 0)), s, 12)
	got := l.Add(b, 2)

	// the parts by themselves, from the same seeds
	weights := []float64{2, 0.5, 1.5}
	parts := []Recipe{SupConOptions{}, CHESTOptions{E: SoftTripleOptions{Proxies: 2}}, PairCrossEntropyOptions{}}
	want := Terms{}
	gE, gH := make([]float64, len(b.GE)), make([]float64, len(b.GH))
	for k, w := range weights {
		its := s
		its.Seed += uint64(k) << 32
		one := b
		one.GE, one.GH = make([]float32, len(b.GE)), make([]float32, len(b.GH))
		t := made(t, parts[k], its).Add(one, 1)
		want.Total += w * t.Total
		want.E += w * t.E
		want.Merge += w * t.Merge
		want.H += w * t.H
		want.Tree += w * t.Tree
		want.Clipped = max(want.Clipped, t.Clipped)
		want.Parts = append(want.Parts, Part{parts[k].Name(), w, t.Total})
		for i, g := range one.GE {
			gE[i] += 2 * w * float64(g)
		}
		for i, g := range one.GH {
			gH[i] += 2 * w * float64(g)
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("terms %+v, want %+v", got, want)
	}
	for i, g := range slices.Concat(b.GE, b.GH) {
		if w := slices.Concat(gE, gH)[i]; !closeTo(float64(g), w, 1e-6) {
			t.Fatalf("gradient %d: %g, want %g", i, g, w)
		}
	}
	if l.Uses() != Both {
		t.Errorf("uses %v, want Both", l.Uses())
	}
	for want, r := range map[Space]Recipe{OnlyE: Sum(1, SupConOptions{}, 1, TripletOptions{}), OnlyH: Sum(1, PairCrossEntropyOptions{}, 1, HIEROptions{Ancestors: 3})} {
		if got := made(t, r, s).Uses(); got != want {
			t.Errorf("%s uses %v, want %v", r.Name(), got, want)
		}
	}
}

// TestSumGradient: proxies in both spaces, by finite differences.
func TestSumGradient(t *testing.T) {
	s := Setting{Classes: 4, DE: 5, DH: 4, Curvature: 0.1, Clip: 2.3}
	l := made(t, Sum(0.7, ProxyNCAOptions{Temperature: 2}, 1.3, ProxyAnchorOptions{Geometry: Ball, Alpha: 1}), s)
	b := random(rand.New(rand.NewPCG(41, 0)), s, 9)
	l.Add(b, 1)
	f := func() float64 { return l.Add(without(b), 1).Total }
	checkGradient(t, "E", f, b.E, b.GE)
	checkGradient(t, "H", f, b.H, b.GH)
	for _, p := range l.Params() {
		checkGradient(t, p.Name, f, p.Value, p.Grad)
	}
}

// TestSumParams: equal names are told apart, and proxies of equal shape differ.
func TestSumParams(t *testing.T) {
	s := Setting{Classes: 3, DE: 4, DH: 4}
	r := Sum(1, ProxyNCAOptions{}, 1, Sum(1, ProxyAnchorOptions{}, 1, Sum(1, ProxyAnchorOptions{Geometry: Angle}, 1, CHESTOptions{NoTree: true})))
	params := made(t, r, s).Params()
	var names []string
	for _, p := range params {
		names = append(names, p.Name)
		if p.Group != "proxies" || !p.Plain {
			t.Errorf("%s: group %q, plain %v", p.Name, p.Group, p.Plain)
		}
	}
	if want := []string{"proxies.E", "2.proxies.E", "proxies.H", "4.proxies.E", "4.proxies.H"}; !slices.Equal(names, want) {
		t.Errorf("params %v, want %v", names, want)
	}
	if a, b := params[0].Value, params[1].Value; closeTo(float64(a[0]/a[1]), float64(b[0]/b[1]), 1e-3) {
		t.Error("two losses begin with the same proxies")
	}
	if p := made(t, HIEROptions{Ancestors: 5}, s).Params()[0]; p.Name != "ancestors.H" || p.Group != "proxies" || !p.Plain || !slices.Equal(p.Shape, []int{5, 4}) {
		t.Errorf("ancestors: %+v", p)
	}
}

// TestFirstProxies: seeds, directions and lengths.
func TestFirstProxies(t *testing.T) {
	s := Setting{Classes: 8, DE: 16, DH: 16, Curvature: 0.1, Clip: 1, Seed: 1}
	for _, k := range []struct {
		r    Recipe
		want float64
	}{
		{ProxyNCAOptions{}, 0.5}, {ProxyAnchorOptions{}, 2}, {ProxyAnchorOptions{Geometry: Angle}, 2},
		{ProxyAnchorOptions{Geometry: Ball}, 0.5}, {HIEROptions{}, 0.9},
	} {
		v := made(t, k.r, s).Params()[0].Value
		norm := 0.0
		for _, x := range v[:16] {
			norm += float64(x) * float64(x)
		}
		if !closeTo(math.Sqrt(norm), k.want, 1e-5) {
			t.Errorf("%s: proxies of length %g, want %g", k.r.Name(), math.Sqrt(norm), k.want)
		}
		other := s
		other.Seed = 2
		if slices.Equal(v, made(t, k.r, other).Params()[0].Value) {
			t.Errorf("%s: two seeds give the same proxies", k.r.Name())
		}
	}
	if a, b := made(t, ProxyNCAOptions{Seed: 2}, s), made(t, ProxyNCAOptions{Seed: 2}, Setting{Classes: 8, DE: 16, DH: 16, Seed: 5}); !slices.Equal(a.Params()[0].Value, b.Params()[0].Value) {
		t.Error("a recipe's own seed does not come before the setting's")
	}
}

func TestRecipes(t *testing.T) {
	var names []string
	for _, r := range Recipes() {
		names = append(names, r.Name())
		if got, err := Named(r.Name()); err != nil || !reflect.DeepEqual(got, r) {
			t.Errorf("Named(%q) is %+v, %v", r.Name(), got, err)
		}
		made(t, r, Setting{Classes: 2, DE: 2, DH: 2, Curvature: 0.1, Clip: 2.3})
	}
	want := []string{"chest", "contrastive", "hier", "hyper-softtriple", "multi-similarity", "pair-cross-entropy",
		"proxy-anchor", "proxy-nca", "softtriple", "supcon", "triplet"}
	if !slices.Equal(names, want) {
		t.Errorf("names %v, want %v", names, want)
	}
	if _, err := Named("arcface"); err == nil || !strings.Contains(err.Error(), strings.Join(want, ", ")) || !strings.Contains(err.Error(), `"arcface"`) {
		t.Errorf("error of an unknown name: %v", err)
	}
	for want, r := range map[string]Recipe{
		"proxy-nca/classic": ProxyNCAOptions{Classic: true}, "proxy-anchor/angle": ProxyAnchorOptions{Geometry: Angle},
		"pair-cross-entropy/sphere": PairCrossEntropyOptions{Geometry: Sphere}, "pair-cross-entropy": PairCrossEntropyOptions{Geometry: Ball},
		"triplet/ball": TripletOptions{Geometry: Ball}, "supcon": SupConOptions{Geometry: Sphere},
	} {
		if r.Name() != want {
			t.Errorf("name %q, want %q", r.Name(), want)
		}
	}
}

// filled sets every field of a struct to something other than its zero.
func filled(v reflect.Value) {
	for i := range v.NumField() {
		switch f := v.Field(i); f.Kind() {
		case reflect.Struct:
			filled(f)
		case reflect.Bool:
			f.SetBool(true)
		case reflect.Int:
			f.SetInt(int64(i + 1))
		case reflect.Uint64:
			f.SetUint(uint64(i + 1))
		case reflect.Float64:
			f.SetFloat(float64(i) + 0.1)
		default:
			panic(fmt.Sprintf("loss: field %s of %v is a %v", v.Type().Field(i).Name, v.Type(), f.Kind()))
		}
	}
}

// TestOptionsJSON: options come back from JSON as they were.
func TestOptionsJSON(t *testing.T) {
	for _, r := range Recipes() {
		want := reflect.New(reflect.TypeOf(r))
		filled(want.Elem())
		data, err := json.Marshal(want.Interface())
		if err != nil {
			t.Fatal(err)
		}
		got := reflect.New(reflect.TypeOf(r))
		if err := json.Unmarshal(data, got.Interface()); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got.Interface(), want.Interface()) {
			t.Errorf("%s: %+v became %+v", r.Name(), want.Elem(), got.Elem())
		}
	}
}

func TestMakeErrors(t *testing.T) {
	s := Setting{Classes: 2, DE: 2, DH: 2, Curvature: 0.1, Clip: 2.3}
	nan, inf := math.NaN(), math.Inf(1)
	for _, k := range []struct {
		want string // in the message
		r    Recipe
		s    Setting
	}{
		{"0 classes", SupConOptions{}, Setting{DE: 2, DH: 2}},
		{"DE is 0", SupConOptions{}, Setting{Classes: 2, DH: 2}},
		{"DH is 0", SupConOptions{Geometry: Angle}, Setting{Classes: 2, DE: 2}},
		{"Curvature is -1", PairCrossEntropyOptions{}, Setting{Classes: 2, DH: 2, Curvature: -1}},
		{"Clip is NaN", HIEROptions{}, Setting{Classes: 2, DH: 2, Clip: nan}},
		{"Geometry(7)", SupConOptions{Geometry: 7}, s},
		{"Geometry(-1)", ProxyNCAOptions{Geometry: -1}, s},
		{"Temperature is -1", ProxyNCAOptions{Temperature: -1}, s},
		{"Temperature is NaN", SupConOptions{Temperature: nan}, s},
		{"Temperature is +Inf", PairCrossEntropyOptions{Temperature: inf}, s},
		{"Alpha is -1", ProxyAnchorOptions{Alpha: -1}, s},
		{"Delta is NaN", ProxyAnchorOptions{Delta: nan}, s},
		{"Beta is -2", MultiSimilarityOptions{Beta: -2}, s},
		{"Base is +Inf", MultiSimilarityOptions{Base: inf}, s},
		{"Epsilon is NaN", MultiSimilarityOptions{Epsilon: nan}, s},
		{"Margin is +Inf", TripletOptions{Margin: inf}, s},
		{"Distance(9)", TripletOptions{Distance: 9}, s},
		{"no CosineDistance", ContrastiveOptions{Distance: CosineDistance, Geometry: Ball}, s},
		{"Miner(8)", ContrastiveOptions{Miner: 8}, s},
		{"on a sphere only", TripletOptions{Miner: DistanceWeighted, Geometry: Ball}, s},
		{"Ancestors is -1", HIEROptions{Ancestors: -1}, s},
		{"Neighbours is -1", HIEROptions{Neighbours: -1}, s},
		{"Triplets is -1", HIEROptions{Triplets: -1}, s},
		{"Temperature is -1", HIEROptions{Temperature: -1}, s},
		{"weight of supcon is -1", Sum(1, TripletOptions{}, -1, SupConOptions{}), s},
		{"weight of triplet is NaN", Sum(nan, TripletOptions{}, 1, SupConOptions{}), s},
		{"loss 2 is nil", Sum(1, TripletOptions{}, 1, nil), s},
		{"Margin is NaN", Sum(1, SupConOptions{}, 1, TripletOptions{Margin: nan}), s},
	} {
		if l, err := k.r.Make(k.s); err == nil || l != nil || !strings.Contains(err.Error(), k.want) || !strings.HasPrefix(err.Error(), "loss: ") {
			t.Errorf("%s %+v: error %v, want one with %q", k.r.Name(), k.r, err, k.want)
		}
	}
}

func TestBaselinePanics(t *testing.T) {
	s := Setting{Classes: 2, DE: 3, DH: 3, Curvature: 0.1, Clip: 2.3}
	x, g := make([]float32, 3), make([]float32, 3)
	for _, r := range []Recipe{ProxyAnchorOptions{Geometry: Ball}, PairCrossEntropyOptions{}, HIEROptions{Ancestors: 2}} {
		l := made(t, r, s)
		for name, b := range map[string]Batch{
			"label too large":  {H: x, Label: []int{2}},
			"label negative":   {H: x, Label: []int{-1}},
			"features":         {H: x[:2], Label: []int{0}},
			"gradient missing": {E: x, H: x, Label: []int{0}, GE: g},
			"gradient short":   {H: x, Label: []int{0}, GH: g[:2]},
		} {
			func() {
				defer func() {
					if m, ok := recover().(string); !ok || !strings.HasPrefix(m, "loss: ") {
						t.Errorf("%s: %s: no panic with a message, but %q", r.Name(), name, m)
					}
				}()
				l.Add(b, 1)
			}()
		}
	}
}

// TestNames: every constant of an option has a name of its own.
func TestNames(t *testing.T) {
	for g := UsualGeometry; g <= Angle+1; g++ {
		if s := g.String(); (g > Angle) != (s == fmt.Sprintf("Geometry(%d)", int(g))) {
			t.Errorf("%d is called %s", int(g), s)
		}
	}
	for m := UsualMiner; m <= DistanceWeighted+1; m++ {
		if s := m.String(); (m > DistanceWeighted) != (s == fmt.Sprintf("Miner(%d)", int(m))) {
			t.Errorf("%d is called %s", int(m), s)
		}
	}
	for d := UsualDistance; d <= CosineDistance+1; d++ {
		if s := d.String(); (d > CosineDistance) != (s == fmt.Sprintf("Distance(%d)", int(d))) {
			t.Errorf("%d is called %s", int(d), s)
		}
	}
}

// TestLogSum: no overflow, and nothing added is -Inf.
func TestLogSum(t *testing.T) {
	for _, k := range []struct {
		add  []float64
		want float64
	}{
		{nil, math.Inf(-1)}, {[]float64{math.Inf(-1)}, math.Inf(-1)}, {[]float64{math.Inf(-1), 2}, 2}, {[]float64{2, math.Inf(-1)}, 2},
		{[]float64{1e8, 1e8}, 1e8 + math.Ln2}, {[]float64{-1e8, -1e8}, -1e8 + math.Ln2}, {[]float64{1, 2, 3}, 3.40760596444438},
		{[]float64{3, 1, 2}, 3.40760596444438},
	} {
		l := noTerms()
		for _, v := range k.add {
			l.add(v)
		}
		if got := l.value(); got != k.want && !closeTo(got, k.want, 1e-14) {
			t.Errorf("log Σ exp %v = %.15g, want %.15g", k.add, got, k.want)
		}
	}
}

// TestTableCoincident: the plain distance of rows that nearly coincide keeps
// its digits, which 2 - 2x·y loses.
func TestTableCoincident(t *testing.T) {
	x := placed{geometry: Sphere, chart: chart{2, ball.Map{R: math.Inf(1)}}}
	x.put([]float32{1, 0, 1, 1e-10, 1, 0})
	tb := table{measure: PlainDistance.measure()}
	tb.fill(&x, &x)
	if got := tb.s[1]; !closeTo(got/1e-10, 1, 1e-6) || tb.s[2] != 0 || tb.s[0] != 0 {
		t.Errorf("distances %v, want 0, 1e-10, 0", tb.s[:3])
	}
	f := func() float64 { tb.fill(&x, &x); return tb.s[1] }
	x.x = []float64{1, 0, 0.9, 0.3, 1, 0} // off the sphere: what backward does is not bound to it
	tb.fill(&x, &x)
	tb.g = []float64{0, 1, 0, 0, 0, 0, 0, 0, 0}
	tb.backward(&x, &x)
	if err := gradcheck.Directional(f, x.x, x.g, 1e-6, 1e-7, 4, rand.New(rand.NewPCG(42, 0))); err != nil {
		t.Error(err)
	}
}

// The method of HIER: Proxy-Anchor on the cosines of the ball's points, and half
// of the hierarchy above them. Angle is what makes it that of the paper: with
// the zero options Proxy-Anchor would train the other space.
func ExampleSum() {
	hier := Sum(1, ProxyAnchorOptions{Geometry: Angle}, 0.5, HIEROptions{Ancestors: 16, Neighbours: 3})
	l, err := hier.Make(Setting{Classes: 3, DE: 2, DH: 2, Curvature: 0.1, Clip: 2.3, Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	b := Batch{
		H:     []float32{2, 0, 1.5, 0.2, -1, 1, -1, 1.5, 0, -2, 0.3, -1},
		Label: []int{0, 0, 1, 1, 2, 2},
		GH:    make([]float32, 12),
	}
	terms := l.Add(b, 1)
	fmt.Println(hier.Name(), "trains", l.Params()[0].Name, "and", l.Params()[1].Name)
	for _, p := range terms.Parts {
		fmt.Printf("%-18s %.1f × %.3f\n", p.Name, p.Weight, p.Value)
	}
	fmt.Printf("%-18s       %.3f\n", "total", terms.Total)
	// Output:
	// proxy-anchor/angle+0.5·hier trains proxies.H and ancestors.H
	// proxy-anchor/angle 1.0 × 43.247
	// hier               0.5 × 0.235
	// total                    43.364
}

func ExampleNamed() {
	_, err := Named("arcface")
	fmt.Println(err)
	// Output:
	// loss: there is no loss "arcface"; want one of chest, contrastive, hier, hyper-softtriple, multi-similarity, pair-cross-entropy, proxy-anchor, proxy-nca, softtriple, supcon, triplet
}
