package viz

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// flat is a plane with everything in it.
func flat() *PlaneFigure {
	return Plane([]float64{0, 10, 5, 20, -5, 12, 3, 17}, []int{0, 1, 1, -1}, PlaneOptions{
		Title: "D_E", Method: "PCA", Note: "15-NN agreement 0.9", Classes: []string{"lion", hostile}, Names: []string{"a.png", "b.png", "", "d.png"},
		Proxies: []float64{4, 18}, ProxyLabel: []int{1},
	})
}

// mosaic is a picture of images.
func mosaic() *ThumbnailFigure {
	return Thumbnails([]float64{0.5, 0.2, -0.3, 0.6, 0, -0.5}, []image.Image{tile(8, 8, okabe[3]), nil, tile(40, 20, okabe[4])}, []int{0, 1, 2}, ThumbnailOptions{Title: "Images", Method: "UMAP"})
}

// files are what is inside of data URIs.
var files = regexp.MustCompile(`base64,[A-Za-z0-9+/=]+`)

func TestRowGoldens(t *testing.T) {
	for name, f := range map[string]Figure{"plane": flat(), "thumbnails": mosaic(), "row": SideBySide("D_H and D_E", small(), flat())} {
		option, err := f.Option()
		if err != nil {
			t.Fatal(err)
		}
		svg, err := f.SVG()
		if err != nil {
			t.Fatal(err)
		}
		golden(t, name+".json", files.ReplaceAllString(lines(t, option), "base64,"))
		golden(t, name+".svg", files.ReplaceAllString(string(svg), "base64,"))
		golden(t, name+".txt", f.Alt()+"\n")
	}
}

func TestPlaneFits(t *testing.T) {
	for name, xy := range map[string][]float64{
		"nothing": nil, "one": {3, 4}, "far": {1e17, 1e17}, "wide": {-1e300, 0, 1e300, 1e-300}, "line": {0, 0, 0, 5},
	} {
		f := Plane(xy, nil, PlaneOptions{})
		if b := f.MIMEBundle(); b["image/png"] == nil || !strings.Contains(b["text/html"].(string), "<script>") {
			t.Errorf("%s: %v", name, b["text/plain"])
		}
		for i, v := range xy {
			if mid := []float64{f.lay.x, f.lay.y}[i%2]; !(math.Abs(v-mid) <= f.lay.half) {
				t.Errorf("%s: %g is not within %g of %g", name, v, f.lay.half, mid)
			}
		}
	}
	if _, err := Plane([]float64{0, math.NaN()}, nil, PlaneOptions{}).Option(); err == nil || !strings.Contains(err.Error(), "viz: plane:") {
		t.Errorf("error %v", err)
	}
}

// TestRowMerges checks that each series of a row stands in its own grid.
func TestRowMerges(t *testing.T) {
	o := decoded(t, SideBySide("Three", small(), two(), flat()))
	grids := o["grid"].([]any)
	if len(grids) != 3 || len(o["xAxis"].([]any)) != 3 || len(o["yAxis"].([]any)) != 4 {
		t.Fatalf("%d grids, %d and %d axes", len(grids), len(o["xAxis"].([]any)), len(o["yAxis"].([]any)))
	}
	index := func(m map[string]any, key string) int { v, _ := m[key].(float64); return int(v) }
	for i, want := range []int{0, 1, 1, 2} { // the curve has two vertical axes
		if got := index(o["yAxis"].([]any)[i].(map[string]any), "gridIndex"); got != want {
			t.Errorf("vertical axis %d stands in grid %d, want %d", i, got, want)
		}
	}
	seen, panel := map[int]int{}, map[int]int{}
	for _, s := range o["series"].([]any) {
		m := s.(map[string]any)
		seen[index(m, "xAxisIndex")]++
		y, grid := index(m, "yAxisIndex"), index(m, "xAxisIndex")
		if at := index(o["yAxis"].([]any)[y].(map[string]any), "gridIndex"); at != grid {
			t.Errorf("a series has its axes in grids %d and %d", grid, at)
		}
		if own, ok := m["chest"].(map[string]any); ok {
			panel[index(own, "panel")]++
		}
	}
	if seen[0] < 5 || seen[1] != 3+1 || seen[2] < 4 || panel[0] == 0 || panel[1] != 0 {
		t.Errorf("series by grid %v, by picture %v", seen, panel)
	}
	for i, zoom := range o["dataZoom"].([]any) {
		m := zoom.(map[string]any)
		if x, y := m["xAxisIndex"], m["yAxisIndex"]; i >= 2 && x != 2.0 && y != 3.0 {
			t.Errorf("zoom %d is of axes %v and %v", i, x, y)
		}
	}
	last := 0.0
	for i, g := range grids {
		left := g.(map[string]any)["left"].(float64)
		if left <= last && i > 0 {
			t.Errorf("grid %d begins at %g, left of %g", i, left, last)
		}
		last = left
	}
}

// TestRowsInRows counts pictures through a row in a row: each disk moves alone.
func TestRowsInRows(t *testing.T) {
	seen := map[any]int{}
	for _, s := range decoded(t, SideBySide("", SideBySide("", small(), grove()), small()))["series"].([]any) {
		if own, ok := s.(map[string]any)["chest"].(map[string]any); ok {
			seen[own["panel"]]++
		}
	}
	if len(seen) != 3 || seen[nil] != seen[2.0] || seen[1.0] <= seen[nil] {
		t.Errorf("series by picture: %v", seen)
	}
}

func TestRowLegend(t *testing.T) {
	a := Disk([]float64{0, 0, 0.1, 0}, []int{0, 1}, DiskOptions{Classes: []string{"lion", "bear", "fish"}})
	b := Disk([]float64{0, 0, 0.1, 0, 0.2, 0}, []int{1, 2, 0}, DiskOptions{Classes: []string{"eagle", "lion", "star"}, Proxies: []float64{0, 0}, Clip: 0.05})
	f := SideBySide("", a, b)
	looks, names := map[string]string{}, []string{}
	for _, e := range f.legend {
		names = append(names, e.name)
		if e.kind == entryPoint {
			key := fmt.Sprint(e.color, e.mark)
			if other, taken := looks[key]; taken {
				t.Errorf("%q and %q look the same", other, e.name)
			}
			looks[key] = e.name
		}
	}
	if want := []string{"lion", "bear", "eagle", "star", "proxies", "clipped"}; !slices.Equal(names, want) {
		t.Errorf("the legend is %q, want %q", names, want)
	}
	colour := map[string]map[any]bool{}
	for _, s := range seriesOf(decoded(t, f), "scatter") {
		name := s["name"].(string)
		if colour[name] == nil {
			colour[name] = map[any]bool{}
		}
		colour[name][s["itemStyle"].(map[string]any)["color"]] = true
	}
	for name, all := range colour {
		if len(all) != 1 {
			t.Errorf("%q has the colours %v", name, all)
		}
	}
	if before := decoded(t, b); seriesOf(before, "scatter")[0]["name"] != "eagle" || seriesOf(before, "scatter")[1]["itemStyle"].(map[string]any)["color"] != hexOf(okabe[1]) {
		t.Error("the row changed a figure that stands in it")
	}
}

func TestRowShapes(t *testing.T) {
	for n, want := range map[int][2]int{1: {1, 1}, 2: {2, 1}, 3: {3, 1}, 4: {2, 2}, 5: {3, 2}} {
		var all []Figure
		for range n {
			all = append(all, flat())
		}
		f := SideBySide("", all...)
		columns, rows := map[int]bool{}, map[int]bool{}
		for i, c := range f.corners {
			w, h := f.parts[i].bounds()
			if c[0]+w > f.width || c[1]+h > f.height {
				t.Errorf("%d figures: figure %d ends at (%d, %d) of (%d, %d)", n, i, c[0]+w, c[1]+h, f.width, f.height)
			}
			columns[c[0]], rows[c[1]] = true, true
		}
		if len(columns) != want[0] || len(rows) != want[1] || n > 1 && f.width > 1100 {
			t.Errorf("%d figures: %d columns, %d rows, %d pixels wide", n, len(columns), len(rows), f.width)
		}
	}
}

// TestRowPaints finds ink in the places of both pictures and the legend.
func TestRowPaints(t *testing.T) {
	f := SideBySide("Two", grove(), SideBySide("inside", two()))
	m, _ := pixels(t, f)
	if b := m.Bounds(); b.Dx() != f.width*sharp || b.Dy() != f.height*sharp {
		t.Fatalf("size %v", b)
	}
	for _, c := range f.corners {
		if inked(m, c[0]+100, c[1]+100, 200, 200) < 300 {
			t.Errorf("nothing at %v", c)
		}
	}
	if inked(m, f.width-rowLegend, 60, 100, 60) == 0 {
		t.Error("the legend is missing")
	}
	if pdf, err := f.PDF(); err != nil || len(pdf) < 10000 {
		t.Errorf("a PDF of %d bytes: %v", len(pdf), err)
	}
}

// foreign is a figure of another package.
type foreign struct{ Figure }

func TestRowRefuses(t *testing.T) {
	for name, all := range map[string][]Figure{"none": nil, "foreign": {small(), foreign{small()}}} {
		func() {
			defer func() {
				if r := recover(); r == nil || !strings.HasPrefix(fmt.Sprint(r), "viz: side by side: ") {
					t.Errorf("%s: panic %v", name, r)
				}
			}()
			SideBySide("", all...)
		}()
	}
	f := SideBySide("", small(), Disk([]float64{2, 0}, nil, DiskOptions{}))
	_, a := f.Option()
	_, b := f.PNG()
	if a == nil || b == nil || !strings.Contains(errors.Join(a, b).Error(), "outside the unit disk") {
		t.Errorf("errors %v and %v", a, b)
	}
}

// TestThumbnailsDoNotOverlap checks cells: no two the same, all inside of the
// circle, each near its point, and the nearest point in its own cell.
func TestThumbnailsDoNotOverlap(t *testing.T) {
	xy, label, _ := cloud(1000, 5)
	images := make([]image.Image, 1000)
	for i := range images {
		images[i] = tile(4, 4, color.Black)
	}
	images[17] = nil
	f := Thumbnails(xy, images, label, ThumbnailOptions{Cell: 20})
	pins := f.pin()
	half := float64(f.lay.side) / 2
	seen := map[[2]float64]bool{}
	for _, p := range pins {
		if seen[[2]float64{p.x, p.y}] || p.point == 17 {
			t.Errorf("point %d lies in a taken cell, or has no image", p.point)
		}
		seen[[2]float64{p.x, p.y}] = true
		x, y := half*(1+xy[2*p.point]/diskReach), half*(1-xy[2*p.point+1]/diskReach)
		if far := max(math.Abs(p.x-x), math.Abs(p.y-y)); far > 1.5*20+1e-9 {
			t.Errorf("point %d is %g pixels from its image", p.point, far)
		}
		if math.Hypot(math.Abs(p.x-half)+10, math.Abs(p.y-half)+10) > half/diskReach+1e-9 {
			t.Errorf("the image of point %d leaves the circle", p.point)
		}
	}
	if len(pins) < 100 || len(pins) >= 999 || !strings.Contains(f.caption(len(pins)), thousands(len(pins))+" of 1,000 images") {
		t.Errorf("%d of 1,000 have a place: %s", len(pins), f.caption(len(pins)))
	}
	alone := Thumbnails([]float64{0.3, 0.3, 0.301, 0.3}, images[:2], nil, ThumbnailOptions{}).pin()
	if len(alone) != 2 || math.Hypot(alone[0].x-alone[1].x, alone[0].y-alone[1].y) > 43 {
		t.Errorf("two points in one place lie at %v", alone)
	}
	if n := len(Thumbnails([]float64{1, 0}, images[:1], nil, ThumbnailOptions{}).pin()); n != 1 {
		t.Errorf("a point on the boundary has %d images", n)
	}
}

func TestThumbnailsPaint(t *testing.T) {
	f := mosaic()
	m, _ := pixels(t, f)
	for _, p := range f.pin() {
		x, y := (float64(f.lay.left)+p.x)*sharp, (float64(f.lay.top)+p.y)*sharp
		want := map[int]color.RGBA{0: okabe[3], 2: okabe[4]}[p.point]
		r, g, b, _ := m.At(int(x), int(y)).RGBA()
		if d := math.Abs(float64(r>>8)-float64(want.R)) + math.Abs(float64(g>>8)-float64(want.G)) + math.Abs(float64(b>>8)-float64(want.B)); d > 12 {
			t.Errorf("image of point %d is %x %x %x, want %v", p.point, r>>8, g>>8, b>>8, want)
		}
	}
	for _, xy := range [][]float64{nil, {0, 0, 0}} {
		func() {
			defer func() {
				if r := recover(); (r != nil) != (len(xy)%2 == 1) {
					t.Errorf("%v: panic %v", xy, r)
				}
			}()
			if b := Thumbnails(xy, nil, nil, ThumbnailOptions{}).MIMEBundle(); b["image/png"] == nil {
				t.Error("no picture of nothing")
			}
		}()
	}
}

func ExampleSideBySide() {
	disk := Disk([]float64{0.5, 0, -0.5, 0}, []int{0, 1}, DiskOptions{Title: "D_H", Method: "tangent PCA", Curvature: 0.1})
	plane := Plane([]float64{3, 1, 2, 5}, []int{0, 1}, PlaneOptions{Title: "D_E", Method: "PCA"})
	fmt.Println(SideBySide("Two spaces", disk, plane).Alt())
	// Output: Two spaces: Poincaré disk: D_H; 2 points; 2 classes; tangent PCA; c = 0.1 | Plane: D_E; 2 points; 2 classes; PCA
}
