package viz

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

// hostile could end a script, a tag, an attribute or a line.
const hostile = "</script><b onload=\"x\"> <!-- é \u2028 {a}"

// small is a disk with everything in it.
func small() *DiskFigure {
	return Disk([]float64{0, 0, 0.5, 0, -0.25, 0.75, 0.12345678, -0.9}, []int{0, 1, 1, -1}, DiskOptions{
		Title: "Four points", Method: "tangent PCA", Note: "15-NN agreement 0.9", Curvature: 0.1,
		Classes: []string{"lion", hostile}, Names: []string{"a.png", "b.png", "", "d.png"},
		Proxies: []float64{0.4, 0.1, 0, 0.9}, ProxyLabel: []int{1, 7},
	})
}

func TestDiskGolden(t *testing.T) {
	b, err := small().Option()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "disk.json", lines(t, b))
	golden(t, "disk.txt", small().Alt()+"\n"+small().caption()+"\n")
}

func TestDiskErrors(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range []struct {
		name  string
		xy    []float64
		label []int
		o     DiskOptions
		want  []string
	}{
		{"NaN", []float64{0, 0, 0, nan}, []int{0, 0}, DiskOptions{Classes: []string{"cat"}}, []string{`series "cat"`, "row 1", "point 1", "NaN"}},
		{"second class", []float64{0, 0, inf, 0}, []int{0, 3}, DiskOptions{}, []string{`series "class 3"`, "row 0", "point 1", "Inf"}},
		{"outside", []float64{0.8, 0.8}, nil, DiskOptions{}, []string{`series "points"`, "1.13", "outside", "√c"}},
		{"proxy", []float64{0, 0}, nil, DiskOptions{Proxies: []float64{0, 0, nan, 0}}, []string{`series "proxies"`, "row 1", "NaN"}},
		{"superclass", make([]float64, 18), []int{0, 1, 2, 3, 4, 5, 6, 7, 8}, DiskOptions{Super: []int{0}}, []string{"label 1", "1 classes"}},
	} {
		f := Disk(c.xy, c.label, c.o)
		_, optionErr := f.Option()
		_, pngErr := f.PNG()
		if optionErr == nil || pngErr == nil {
			t.Errorf("%s: Option error %v, PNG error %v", c.name, optionErr, pngErr)
			continue
		}
		b := f.MIMEBundle()
		for _, w := range c.want {
			if !strings.Contains(optionErr.Error(), w) || !strings.Contains(b["text/plain"].(string), w) {
				t.Errorf("%s: no %q in %v", c.name, w, optionErr)
			}
		}
		if b["image/png"] != nil || !strings.HasPrefix(b["text/html"].(string), "<p>") {
			t.Errorf("%s: the output of an error has a picture", c.name)
		}
	}
}

func TestDiskPanics(t *testing.T) {
	for _, c := range []struct {
		name  string
		xy    []float64
		label []int
		o     DiskOptions
	}{
		{"odd", []float64{1}, nil, DiskOptions{}},
		{"labels", []float64{0, 0}, []int{1, 2}, DiskOptions{}},
		{"names", []float64{0, 0}, nil, DiskOptions{Names: []string{}}},
		{"proxies", nil, nil, DiskOptions{Proxies: []float64{0}}},
		{"proxy labels", nil, nil, DiskOptions{Proxies: []float64{0, 0}, ProxyLabel: []int{}}},
	} {
		func() {
			defer func() {
				if r := recover(); r == nil || !strings.HasPrefix(fmt.Sprint(r), "viz: disk: ") {
					t.Errorf("%s: panic %v", c.name, r)
				}
			}()
			Disk(c.xy, c.label, c.o)
		}()
	}
}

func TestDiskKeepsCopies(t *testing.T) {
	xy, label, proxies := []float64{0.5, 0}, []int{3}, []float64{0, 0.5}
	f := Disk(xy, label, DiskOptions{Proxies: proxies})
	before, _ := f.Option()
	xy[0], label[0], proxies[0] = math.NaN(), 9, math.NaN()
	if after, err := f.Option(); err != nil || string(before) != string(after) {
		t.Errorf("the picture changed with the caller's slices: %v", err)
	}
}

func TestDiskColours(t *testing.T) {
	xy, label, _ := cloud(120, 60)
	super := make([]int, 60)
	for c := range super {
		super[c] = c % 3
	}
	for _, c := range []struct {
		name    string
		label   []int
		o       DiskOptions
		legend  int
		first   string
		ofFirst string
	}{
		{"60 classes", label, DiskOptions{}, 60, "class 0", "#0072b2"},
		{"by superclass", label, DiskOptions{Super: super, Supers: []string{"A", "B", "C"}}, 3, "A", "#0072b2"},
		{"by class all the same", label, DiskOptions{Super: super, ByClass: true}, 60, "class 0", "#0072b2"},
		{"few classes of a known list", modulo(label, 2, 5), DiskOptions{Classes: []string{"a", "b", "c", "d", "e", "f", "g"}, Super: super}, 2, "f", "#cc79a7"},
		{"no labels", nil, DiskOptions{}, 1, "points", "#0072b2"},
		{"unknown labels", modulo(label, 1, -1), DiskOptions{}, 1, "no label", "#999999"},
	} {
		o := decoded(t, Disk(xy, c.label, c.o))
		names := o["legend"].(map[string]any)["data"].([]any)
		groups := seriesOf(o, "scatter")
		if len(names) != c.legend || len(groups) != c.legend || names[0] != c.first {
			t.Errorf("%s: %d in the legend, %d series, first %v; want %d, %s", c.name, len(names), len(groups), names[0], c.legend, c.first)
			continue
		}
		if got := groups[0]["itemStyle"].(map[string]any)["color"]; got != c.ofFirst {
			t.Errorf("%s: first colour %v, want %s", c.name, got, c.ofFirst)
		}
	}
}

// modulo maps labels to k classes from a first one on.
func modulo(label []int, k, first int) []int {
	out := make([]int, len(label))
	for i, l := range label {
		out[i] = first + l%k
	}
	return out
}

func TestLooksDiffer(t *testing.T) {
	seen := map[string]int{}
	for i := range 96 {
		c, m := look(i)
		key := fmt.Sprint(c, m)
		if j, ok := seen[key]; ok {
			t.Errorf("groups %d and %d look the same: %s", j, i, key)
		}
		seen[key] = i
	}
}

func TestDiskLarge(t *testing.T) {
	xy, _, _ := cloud(largeFrom+1, 3)
	for n, want := range map[int]any{largeFrom: nil, largeFrom + 1: true} {
		s := seriesOf(decoded(t, Disk(xy[:2*n], nil, DiskOptions{})), "scatter")[0]
		if s["large"] != want || len(s["data"].([]any)) != n {
			t.Errorf("%d points: large %v, want %v", n, s["large"], want)
		}
	}
}

func TestDiskHover(t *testing.T) {
	xy, label, _ := cloud(20, 10)
	names := make([]string, 20)
	for i := range names {
		names[i] = fmt.Sprintf("%d.png", i)
	}
	super := make([]int, 10)
	for _, c := range []struct {
		name, want string
		o          DiskOptions
	}{
		{"class only", "", DiskOptions{}},
		{"class and name", "0.png", DiskOptions{Names: names}},
		{"superclass and class", "class 0", DiskOptions{Super: super}},
		{"all", "class 0 · 0.png", DiskOptions{Super: super, Names: names}},
	} {
		if got := Disk(xy, label, c.o).hover(0); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestDiskPNG(t *testing.T) {
	xy, label, centres := cloud(300, 5)
	m, n := pixels(t, Disk(xy, label, DiskOptions{Title: "Test", Method: "PCA", Proxies: centres}))
	if b := m.Bounds(); b.Dx() != diskWidth*sharp || b.Dy() != diskHeight*sharp {
		t.Fatalf("size %v", b)
	}
	if n > heavy {
		t.Errorf("%d bytes", n)
	}
	if k := inked(m, diskLeft+diskSide/2-200, diskTop+diskSide/2-200, 400, 400); k < 2000 {
		t.Errorf("%d pixels inside of the circle", k)
	}
	if inked(m, legendLeft, diskTop, 100, 100) == 0 || inked(m, diskLeft, 0, 200, diskTop-4) == 0 || inked(m, diskLeft, diskTop+diskSide+4, 200, 30) == 0 {
		t.Error("legend, title or caption is missing")
	}
	if empty := inked(m, legendLeft, diskTop+200, 100, 300); empty != 0 {
		t.Errorf("%d pixels where nothing should be", empty)
	}
}

// TestDiskIsRound follows the boundary: it must be at the same distance from
// the centre in every direction.
func TestDiskIsRound(t *testing.T) {
	m, _ := pixels(t, Disk(nil, nil, DiskOptions{NoRings: true}))
	cx, cy := float64(diskLeft+diskSide/2.0)*sharp, float64(diskTop+diskSide/2.0)*sharp
	want := diskSide / 2.0 * sharp / diskReach
	for k := range 64 {
		s, c := math.Sincos(2 * math.Pi * float64(k) / 64)
		for _, d := range []struct {
			r    float64
			want bool
		}{{want, true}, {want - 4, false}, {want + 4, false}} {
			if got := dark(m, int(cx+d.r*c), int(cy+d.r*s)); got != d.want {
				t.Fatalf("direction %d, radius %.1f of %.1f: dark %v, want %v", k, d.r, want, got, d.want)
			}
		}
	}
}

func TestDiskPointsStandWhereTheyShould(t *testing.T) {
	at := []float64{0.5, 0.25, -0.9, 0, 0, -0.6}
	m, _ := pixels(t, Disk(at, nil, DiskOptions{NoRings: true}))
	for i := range 3 {
		x := (float64(diskLeft) + diskSide/2.0*(1+at[2*i]/diskReach)) * sharp
		y := (float64(diskTop) + diskSide/2.0*(1-at[2*i+1]/diskReach)) * sharp
		if !dark(m, int(x), int(y)) || dark(m, int(x)+9, int(y)) || dark(m, int(x), int(y)+9) {
			t.Errorf("no point at (%g, %g)", at[2*i], at[2*i+1])
		}
	}
}

func TestDiskOfManyIsStillLight(t *testing.T) {
	xy, label, _ := cloud(6000, 60)
	b := Disk(xy, label, DiskOptions{}).MIMEBundle()
	if n := len(b["image/png"].([]byte)); n > heavy {
		t.Errorf("6,000 points: %d bytes of PNG in the message", n)
	}
}

func TestDiskEmpty(t *testing.T) {
	f := Disk(nil, nil, DiskOptions{})
	decoded(t, f)
	pixels(t, f)
	if want := "Poincaré disk; 0 points"; f.Alt() != want {
		t.Errorf("Alt %q, want %q", f.Alt(), want)
	}
}
