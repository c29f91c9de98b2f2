package viz

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// awkward names what the pictures hold: it could end a script or a string, and
// has letters that fonts lack.
var awkward = []string{hostile, `"é" 'quoted' \`, "猫 & 犬"}

// bell is n numbers around mean.
func bell(n int, mean, deviation float64, seed uint64) []float64 {
	rng := rand.New(rand.NewPCG(seed, 7))
	x := make([]float64, n)
	for i := range x {
		x[i] = mean + deviation*rng.NormFloat64()
	}
	return x
}

// oneColor is an image of one colour.
func oneColor(w, h int, c color.RGBA) image.Image {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for i := 0; i < len(m.Pix); i += 4 {
		copy(m.Pix[i:], []uint8{c.R, c.G, c.B, 0xff})
	}
	return m
}

// samples is a small figure of each kind; the names are those of the golden
// files.
func samples() map[string]Figure {
	return map[string]Figure{
		"disk":  small(),
		"curve": two(),
		"pairs": Pairs([]PairSet{
			{"hyperbolic only", bell(60, 0.5, 0.2, 1), bell(200, 0.1, 0.2, 2)},
			{awkward[0], bell(60, 0.7, 0.1, 3), bell(200, 0, 0.1, 4)},
		}, PairsOptions{Title: awkward[1], Bins: 12}),
		"pairs_overlay":     Pairs([]PairSet{{"", []float64{1, 2, 2}, []float64{0, 1}}, {awkward[2], []float64{3}, nil}}, PairsOptions{Bins: 4, Overlay: true, X: "distance", Caption: "a caption"}),
		"norms":             Norms([]float64{0.5, 1, 1.5, 2.3, 2.3 * (1 - 5e-5), 2.2}, NormsOptions{Title: awkward[0], Clip: 2.3, Bins: 6}),
		"norm_bins":         NormBins([]float64{1, 2, 4}, []int{3, 1}, NormsOptions{X: awkward[2]}),
		"retrieval":         birds(),
		"dendrogram":        Dendrogram(five, DendrogramOptions{Title: awkward[1], Names: []string{"a", awkward[0], "c", awkward[2], "e"}, Label: []int{0, 0, 1, 1, -1}, Classes: awkward}),
		"dendrogram_cut":    Dendrogram(five, DendrogramOptions{Cut: 3, Label: []int{0, 0, 0, 1, 1}}),
		"dendrogram_circle": Dendrogram(five, DendrogramOptions{Circular: true, Cut: 2, Names: []string{"a", "b", "c", "d", "e"}}),
		"taxonomy":          Taxonomy([]int{-1, 0, 0, 1, 1, 1, 2}, nil, DendrogramOptions{Height: "levels"}),
		"confusions": Confusions([]float64{0, 1, 3, 1, 0, 3, 3, 3, 0}, ConfusionsOptions{
			Title: awkward[0], Classes: awkward, Order: []int{2, 0, 1}, Group: []int{0, 0, 1}, Groups: []string{awkward[1]},
		}),
		"heatmap": HeatMap([]string{"1", awkward[2]}, []string{"0.1", awkward[0], "10"}, []float64{71.25, 70, math.NaN(), 69, 73.04, 72}, HeatMapOptions{
			Title: awkward[1], X: "c", Y: "clip radius", Measure: "R@1", Missing: []bool{false, false, true, false, false, false},
		}),
		"parallel": Parallel([]Setting{
			{Name: "loss", Words: []string{awkward[0], "b", awkward[0]}}, {Name: "rate", Values: []float64{1e-5, 1e-3, 1e-4}, Log: true}, {Name: awkward[2], Values: []float64{64, 64, 512}},
		}, []float64{0.5, 0.25, 0.75}, ParallelOptions{Title: awkward[1], Measure: "MAP@R"}),
		"tour": Tour([]Stop{
			{"epoch 0", []float64{0, 0, 0.1, 0, 0, -0.1}, []float64{0, 0.2}}, {"", []float64{0.1, 0, 0.3, 0, 0, -0.3}, []float64{0, 0.3}}, {awkward[0], []float64{0.2, 0, 0.6, 0, 0, -0.7}, []float64{0, 0.8}},
		}, []int{0, 1, 1}, DiskOptions{Title: awkward[1], Classes: awkward, ProxyLabel: []int{0}}),
	}
}

// five is a tree of five leaves: ((0,1),(2,(3,4))).
var five = []Merge{{0, 1, 1}, {3, 4, 2}, {2, 6, 2.5}, {5, 7, 4}}

// birds is two queries with three hits and one.
func birds() *RetrievalFigure {
	blue, orange := oneColor(30, 20, okabe[0]), oneColor(20, 30, okabe[1])
	return Retrieval([]Query{
		{blue, awkward[0], []Hit{{blue, awkward[0], 0.123456}, {orange, awkward[2], 0.5}, {nil, "{c}", 2}}},
		{orange, "two words", []Hit{{orange, "two words", 0}}},
	}, RetrievalOptions{Title: awkward[1], Measure: "d_H", Size: 32})
}

// TestFigureGoldens holds every figure to its option, its line of text and its
// vector file. Disk and Curve have tests of their own.
func TestFigureGoldens(t *testing.T) {
	for name, f := range samples() {
		if name == "disk" || name == "curve" {
			continue
		}
		option, err := f.Option()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		golden(t, name+".json", lines(t, option))
		golden(t, name+".txt", f.Alt()+"\n")
		svg, err := f.SVG()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		golden(t, name+".svg", string(svg))
	}
}

// TestFigureForms checks what holds for every figure: the same bytes each time,
// names that come through whole, one script, and a picture in every format.
func TestFigureForms(t *testing.T) {
	again := samples()
	for name, f := range samples() {
		first, err := f.Option()
		second, _ := again[name].Option()
		if err != nil || string(first) != string(second) {
			t.Errorf("%s: two options of the same figure differ: %v", name, err)
		}
		svg, err := f.SVG()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		wellFormed(t, svg)
		if pdf, err := f.PDF(); err != nil || !strings.HasPrefix(string(pdf), "%PDF-") {
			t.Errorf("%s: no PDF: %v", name, err)
		}
		b := f.MIMEBundle()
		page, _ := b["text/html"].(string)
		if strings.Count(strings.ToLower(page), "</script") != 1 || !strings.HasSuffix(page, "</script>") || strings.Contains(page, "<b onload") {
			t.Errorf("%s: the HTML has another end of a script: %.200s", name, page)
		}
		if b["image/png"] == nil || b["text/plain"] != f.Alt() || strings.Contains(f.Alt(), "\n") {
			t.Errorf("%s: no picture, or text %q", name, b["text/plain"])
		}
		w, h := f.(painter).bounds()
		if m, _ := pixels(t, f); m.Bounds().Dx() != w*sharp || m.Bounds().Dy() != h*sharp {
			t.Errorf("%s: %v pixels for %d×%d", name, m.Bounds(), w, h)
		}
	}
}

// TestAwkwardNames looks for names in what a reader gets: no letter is lost.
func TestAwkwardNames(t *testing.T) {
	for name, want := range map[string][]string{
		"pairs": awkward[:2], "norms": awkward[:1], "norm_bins": awkward[2:], "dendrogram": awkward,
		"confusions": awkward, "heatmap": awkward, "parallel": awkward, "tour": awkward[:2], "retrieval": awkward,
	} {
		whole := fmt.Sprint(decoded(t, samples()[name]))
		for _, w := range want {
			if !strings.Contains(whole, w) {
				t.Errorf("%s: the option does not hold %q", name, w)
			}
		}
	}
}

// TestFigureErrors gives each figure a number that cannot be drawn.
func TestFigureErrors(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range []struct {
		name string
		f    Figure
		want []string
	}{
		{"pairs, positive", Pairs([]PairSet{{"m", []float64{1, nan}, nil}}, PairsOptions{}), []string{"viz: pairs", `"m, positive"`, "row 1", "NaN"}},
		{"pairs, negative", Pairs([]PairSet{{"", nil, nil}, {"m", nil, []float64{inf}}}, PairsOptions{}), []string{`"m, negative"`, "row 0", "Inf"}},
		{"norms", Norms([]float64{1, 2, nan}, NormsOptions{}), []string{"viz: norms", `"norms"`, "row 2", "NaN"}},
		{"negative norm", Norms([]float64{1, -2}, NormsOptions{}), []string{"row 1", "-2", "not negative"}},
		{"clip", Norms([]float64{1}, NormsOptions{Clip: nan}), []string{"Clip is NaN"}},
		{"clip below zero", Norms(nil, NormsOptions{Clip: -1}), []string{"Clip is -1"}},
		{"share", NormBins([]float64{0, 1}, []int{1}, NormsOptions{Clip: 1, Clipped: 1.5}), []string{"Clipped is 1.5"}},
		{"edges", NormBins([]float64{0, inf}, []int{1}, NormsOptions{}), []string{"row 1", "Inf"}},
		{"retrieval", Retrieval([]Query{{Class: "wren", Hits: []Hit{{}, {Distance: nan}}}}, RetrievalOptions{}), []string{"viz: retrieval", `"wren"`, "row 0", "hit 2", "NaN"}},
		{"height", Dendrogram([]Merge{{0, 1, nan}}, DendrogramOptions{}), []string{"viz: dendrogram", `"merges"`, "row 0", "NaN"}},
		{"merge of what is not there", Dendrogram([]Merge{{0, 2, 1}}, DendrogramOptions{}), []string{"merge 0", "node 2", "0 to 1"}},
		{"merge of what was merged", Dendrogram([]Merge{{0, 1, 1}, {0, 2, 2}}, DendrogramOptions{}), []string{"merge 1", "node 0", "merge 0"}},
		{"heights", Taxonomy([]int{-1, 0}, []float64{1, nan}, DendrogramOptions{}), []string{`"heights"`, "row 1", "NaN"}},
		{"parent", Taxonomy([]int{-1, 2}, nil, DendrogramOptions{}), []string{"node 1", "parent 2"}},
		{"two roots", Taxonomy([]int{-1, 0, -1}, nil, DendrogramOptions{}), []string{"nodes 0 and 2", "one root"}},
		{"a circle", Taxonomy([]int{-1, 2, 1}, nil, DendrogramOptions{}), []string{"1 of 3 nodes", "own ancestors"}},
		{"no root", Taxonomy([]int{1, 0}, nil, DendrogramOptions{}), []string{"0 of 2 nodes"}},
		{"confusions", Confusions([]float64{0, 1, nan, 0}, ConfusionsOptions{Classes: []string{"a", "b"}}), []string{"viz: confusions", `"distance"`, "row 1 (b)", "column 0 (a)", "NaN"}},
		{"heat map", HeatMap([]string{"r", "s"}, []string{"x"}, []float64{1, inf}, HeatMapOptions{Measure: "loss"}), []string{"viz: heat map", `"loss"`, "row 1 (s)", "column 0 (x)", "Inf", "Missing"}},
		{"parallel", Parallel([]Setting{{Name: "rate", Values: []float64{1, nan}}}, []float64{0, 0}, ParallelOptions{}), []string{"viz: parallel", `"rate"`, "row 1", "NaN"}},
		{"parallel, log", Parallel([]Setting{{Name: "rate", Values: []float64{1, 0}, Log: true}}, []float64{0, 0}, ParallelOptions{}), []string{`"rate"`, "row 1 is 0", "logarithmic"}},
		{"parallel, result", Parallel(nil, []float64{nan}, ParallelOptions{Measure: "R@1"}), []string{`"R@1"`, "row 0", "NaN"}},
		{"tour", Tour([]Stop{{"a", []float64{0, 0}, nil}, {"b", []float64{0, nan}, nil}}, nil, DiskOptions{}), []string{"row 0", "NaN", "(b)"}},
	} {
		_, optionErr := c.f.Option()
		_, pngErr := c.f.PNG()
		_, svgErr := c.f.SVG()
		if optionErr == nil || pngErr == nil || svgErr == nil {
			t.Errorf("%s: errors %v, %v, %v", c.name, optionErr, pngErr, svgErr)
			continue
		}
		b := c.f.MIMEBundle()
		for _, w := range c.want {
			if !strings.Contains(optionErr.Error(), w) || !strings.Contains(b["text/plain"].(string), w) {
				t.Errorf("%s: no %q in %v", c.name, w, optionErr)
			}
		}
		if b["image/png"] != nil || !strings.HasPrefix(b["text/html"].(string), "<p>") {
			t.Errorf("%s: the output of an error has a picture", c.name)
		}
		if c.f.Alt() == "" {
			t.Errorf("%s: no line of text", c.name)
		}
	}
}

// TestFigurePanics gives each function lengths that do not fit.
func TestFigurePanics(t *testing.T) {
	disk := []float64{0, 0}
	for name, call := range map[string]func(){
		"pairs: no set":           func() { Pairs(nil, PairsOptions{}) },
		"pairs: bins":             func() { Pairs(make([]PairSet, 1), PairsOptions{Bins: -1}) },
		"norms: bins":             func() { Norms(nil, NormsOptions{Bins: -1}) },
		"norms: edges":            func() { NormBins([]float64{1}, []int{1}, NormsOptions{}) },
		"norms: falling":          func() { NormBins([]float64{2, 1}, []int{1}, NormsOptions{}) },
		"norms: count":            func() { NormBins([]float64{1, 2}, []int{-1}, NormsOptions{}) },
		"retrieval: hits":         func() { Retrieval(nil, RetrievalOptions{Hits: -1}) },
		"retrieval: size":         func() { Retrieval(nil, RetrievalOptions{Size: 8}) },
		"dendrogram: names":       func() { Dendrogram(five, DendrogramOptions{Names: []string{"a"}}) },
		"dendrogram: labels":      func() { Dendrogram(five, DendrogramOptions{Label: make([]int, 4)}) },
		"dendrogram: cut":         func() { Dendrogram(five, DendrogramOptions{Cut: 6}) },
		"dendrogram: heights":     func() { Taxonomy([]int{-1}, []float64{}, DendrogramOptions{}) },
		"confusions: matrix":      func() { Confusions(make([]float64, 3), ConfusionsOptions{}) },
		"confusions: names":       func() { Confusions(make([]float64, 4), ConfusionsOptions{Classes: []string{"a"}}) },
		"confusions: groups":      func() { Confusions(make([]float64, 4), ConfusionsOptions{Group: []int{1}}) },
		"confusions: order":       func() { Confusions(make([]float64, 4), ConfusionsOptions{Order: []int{1, 1}}) },
		"confusions: long order":  func() { Confusions(make([]float64, 4), ConfusionsOptions{Order: []int{0, 1, 2}}) },
		"confusions: short order": func() { Confusions(make([]float64, 4), ConfusionsOptions{Order: []int{0}}) },
		"heat map: values":        func() { HeatMap([]string{"a"}, []string{"b"}, nil, HeatMapOptions{}) },
		"heat map: missing":       func() { HeatMap([]string{"a"}, []string{"b"}, []float64{1}, HeatMapOptions{Missing: []bool{}}) },
		"heat map: digits":        func() { HeatMap(nil, nil, nil, HeatMapOptions{Digits: -1}) },
		"parallel: values":        func() { Parallel([]Setting{{Values: []float64{1}}}, nil, ParallelOptions{}) },
		"parallel: values and words": func() {
			Parallel([]Setting{{Values: []float64{1}, Words: []string{"a"}}}, []float64{1, 2}, ParallelOptions{})
		},
		"tour: one stop": func() { Tour([]Stop{{XY: disk}}, nil, DiskOptions{}) },
		"tour: points":   func() { Tour([]Stop{{XY: disk}, {}}, nil, DiskOptions{}) },
		"tour: proxies":  func() { Tour([]Stop{{XY: disk}, {XY: disk, Proxies: disk}}, nil, DiskOptions{}) },
	} {
		func() {
			defer func() {
				prefix := "viz: " + name[:strings.Index(name, ":")+1]
				if r := recover(); r == nil || !strings.HasPrefix(fmt.Sprint(r), prefix) {
					t.Errorf("%s: panic %v", name, r)
				}
			}()
			call()
		}()
	}
}

// TestFiguresOfLittle draws figures of nothing, of one thing and of equal
// things in all forms.
func TestFiguresOfLittle(t *testing.T) {
	for name, f := range map[string]Figure{
		"no pairs":           Pairs([]PairSet{{}}, PairsOptions{}),
		"equal pairs":        Pairs([]PairSet{{"", []float64{2, 2}, []float64{2}}}, PairsOptions{}),
		"wide pairs":         Pairs([]PairSet{{"", []float64{-1e300, 1e300}, nil}}, PairsOptions{}),
		"no norms":           Norms(nil, NormsOptions{Clip: 1}),
		"nothing":            Norms(nil, NormsOptions{}),
		"zero norms":         Norms([]float64{0, 0}, NormsOptions{}),
		"no bins":            NormBins(nil, nil, NormsOptions{}),
		"no queries":         Retrieval(nil, RetrievalOptions{}),
		"no hits":            Retrieval([]Query{{}}, RetrievalOptions{}),
		"one leaf":           Dendrogram(nil, DendrogramOptions{}),
		"one leaf, circular": Dendrogram(nil, DendrogramOptions{Circular: true, Cut: 1, Names: []string{"a"}, Label: []int{3}}),
		"no leaf":            Dendrogram(nil, DendrogramOptions{Label: []int{}}),
		"no node":            Taxonomy(nil, nil, DendrogramOptions{Circular: true}),
		"flat tree":          Dendrogram([]Merge{{0, 1, 0}, {2, 3, 0}}, DendrogramOptions{Circular: true}),
		"every leaf cut":     Dendrogram(five, DendrogramOptions{Cut: 5}),
		"no class":           Confusions(nil, ConfusionsOptions{Group: []int{}}),
		"one class":          Confusions([]float64{0}, ConfusionsOptions{Group: []int{-1}}),
		"no cells":           HeatMap(nil, nil, nil, HeatMapOptions{}),
		"no columns":         HeatMap([]string{"a"}, nil, nil, HeatMapOptions{}),
		"no result":          HeatMap([]string{"a"}, []string{"b"}, []float64{0}, HeatMapOptions{Missing: []bool{true}}),
		"one result":         HeatMap([]string{"a"}, []string{"b"}, []float64{0}, HeatMapOptions{}),
		"no trial":           Parallel(nil, nil, ParallelOptions{}),
		"no setting":         Parallel(nil, []float64{1, 2}, ParallelOptions{}),
		"equal trials":       Parallel([]Setting{{Name: "a", Values: []float64{1, 1}, Log: true}}, []float64{3, 3}, ParallelOptions{Lower: true}),
		"no points":          Tour(make([]Stop, 2), nil, DiskOptions{}),
	} {
		if _, err := f.SVG(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if b := f.MIMEBundle(); b["image/png"] == nil || !strings.Contains(b["text/html"].(string), "<script>") {
			t.Errorf("%s: %v", name, b["text/plain"])
		}
	}
}

// TestFiguresKeepCopies changes the caller's slices after the call.
func TestFiguresKeepCopies(t *testing.T) {
	a, b := []float64{1, 2, 3, 4}, []int{0, 1}
	names, missing := []string{"p", "q"}, make([]bool, 4)
	hits, stop := []Hit{{Class: "a"}}, []float64{0, 0}
	queries := []Query{{Hits: hits}}
	parent := []int{-1, 0}
	all := []Figure{
		Pairs([]PairSet{{"", a, a}}, PairsOptions{}), Norms(a, NormsOptions{}), NormBins(a[:3], b, NormsOptions{}),
		Retrieval(queries, RetrievalOptions{}), Taxonomy(parent, a[:2], DendrogramOptions{Label: b, Names: names}),
		Confusions(a, ConfusionsOptions{Order: b}), HeatMap(names, names, a, HeatMapOptions{Missing: missing}),
		Parallel([]Setting{{Name: "s", Words: names}, {Name: "t", Values: a[:2]}}, a[2:], ParallelOptions{}),
		Tour([]Stop{{XY: stop}, {XY: stop}}, nil, DiskOptions{}),
	}
	var before []string
	for _, f := range all {
		o, err := f.Option()
		if err != nil {
			t.Fatal(err)
		}
		before = append(before, string(o)+f.Alt())
	}
	a[0], a[1], a[2], a[3], b[0], b[1] = math.NaN(), 9, 9, 9, 1, 0
	names[0], missing[1], hits[0].Distance, stop[0], parent[1] = "z", true, math.NaN(), 0.5, -1
	queries[0].Class = "z"
	for i, f := range all {
		if o, err := f.Option(); err != nil || string(o)+f.Alt() != before[i] {
			t.Errorf("%T changed with the caller's slices: %v", f, err)
		}
	}
}

func TestBest(t *testing.T) {
	value := []float64{2, 5, 5, 1}
	for _, c := range []struct {
		lower   bool
		missing []bool
		want    int
	}{{false, nil, 1}, {true, nil, 3}, {true, []bool{false, false, false, true}, 0}, {false, []bool{true, true, true, true}, -1}} {
		f := HeatMap([]string{"a", "b"}, []string{"c", "d"}, value, HeatMapOptions{Lower: c.lower, Missing: c.missing})
		if got := f.best(); got != c.want {
			t.Errorf("lower %v: best %d, want %d", c.lower, got, c.want)
		}
		if p := Parallel(nil, value, ParallelOptions{Lower: c.lower}); c.missing == nil && p.best() != c.want {
			t.Errorf("lower %v: best trial %d, want %d", c.lower, p.best(), c.want)
		}
	}
}

// TestRetrievalFrames reads the picture: green around a right hit, red around a
// wrong one, and the image inside.
func TestRetrievalFrames(t *testing.T) {
	f := birds()
	m, _ := pixels(t, f)
	at := func(row, column int, dx, dy float64) color.Color {
		p := f.tile(row, column)
		return m.At(int((p.x+dx)*sharp), int((p.y+dy)*sharp))
	}
	for _, c := range []struct {
		row, column   int
		frame, inside color.RGBA
	}{{0, 0, ink, okabe[0]}, {0, 1, rightFrame, okabe[0]}, {0, 2, wrongFrame, okabe[1]}, {0, 3, wrongFrame, pale}, {1, 1, rightFrame, okabe[1]}} {
		if got := at(c.row, c.column, -1.5, 16); !same(got, c.frame) {
			t.Errorf("row %d column %d: frame %v, want %v", c.row, c.column, got, c.frame)
		}
		if got := at(c.row, c.column, 16, 16); !same(got, c.inside) {
			t.Errorf("row %d column %d: image %v, want %v", c.row, c.column, got, c.inside)
		}
	}
	if f := Retrieval([]Query{{Hits: make([]Hit, 40)}}, RetrievalOptions{}); f.columns != 19 {
		t.Errorf("%d hits by default", f.columns)
	}
}

// same says whether two colours are the same, up to rounding.
func same(a, b color.Color) bool {
	r, g, bl, _ := a.RGBA()
	r2, g2, bl2, _ := b.RGBA()
	off := func(x, y uint32) bool { return max(x>>8, y>>8)-min(x>>8, y>>8) > 3 }
	return !off(r, r2) && !off(g, g2) && !off(bl, bl2)
}

func TestTwoLines(t *testing.T) {
	style := sans(10, ink, false)
	for name, want := range map[string][2]string{
		"wren":                   {"wren", ""},
		"Black-footed Albatross": {"Black-footed", "Albatross"},
		"a b c d e f g h i j k l m n o p q r s t": {"a b c d e f g h i", "j k l m n o p …"},
		"Hippopotamusandmore":                     {"Hippopotam…", ""},
	} {
		if got := twoLines(style, name, 66); got[0] != want[0] || got[1] != want[1] {
			t.Errorf("%q breaks into %q, want %q", name, got, want)
		}
	}
}
