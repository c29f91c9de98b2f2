package viz

import (
	"math/cmplx"
	"strings"
	"testing"
)

// grove is a disk with a tree of four leaves, edges, a clip and images.
func grove() *DiskFigure {
	return Disk([]float64{0.6, 0.6, 0.8, 0.1, -0.7, 0.3, -0.5, -0.6}, []int{0, 0, 1, 1}, DiskOptions{
		Title: "Grove", Tree: []int{4, 4, 5, 5, 6, 6, -1}, Edges: [][2]int{{0, 2}}, Clip: 0.8, Centre: []float64{0.1, 0}, Grey: true,
	})
}

func TestDiskTreeGolden(t *testing.T) {
	f := grove()
	option, err := f.Option()
	if err != nil {
		t.Fatal(err)
	}
	svg, err := f.SVG()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "grove.json", lines(t, option))
	golden(t, "grove.svg", string(svg))
	golden(t, "grove.txt", f.Alt()+"\n"+f.caption()+"\n")
}

// TestTreePlaces compares the places of inner nodes with ancestors taken by
// hand, in the disk as it was before another point came to the centre.
func TestTreePlaces(t *testing.T) {
	f := grove()
	z := complexes([]float64{0.6, 0.6, 0.8, 0.1, -0.7, 0.3, -0.5, -0.6})
	a, b := ancestor(z[0], z[1]), ancestor(z[2], z[3])
	for i, want := range []complex128{a, b, ancestor(a, b)} {
		if got := f.inner[i]; cmplx.Abs(got-towards(0.1, want)) > 1e-12 {
			t.Errorf("inner node %d at %v, want %v", i, got, towards(0.1, want))
		}
	}
	if len(f.tree) != 6 || len(f.edges) != 1 || cmplx.Abs(f.edges[0][1]-towards(0.1, z[2])) > 1e-12 {
		t.Errorf("%d edges of the tree, %d others: %v", len(f.tree), len(f.edges), f.edges)
	}
	star := Disk([]float64{0.6, 0.6, 0.8, 0.1, -0.7, 0.3}, nil, DiskOptions{Tree: []int{3, 3, 3, -1}})
	if want := ancestor(z[1], z[2]); cmplx.Abs(star.inner[0]-want) > 1e-12 {
		t.Errorf("three children meet at %v, want %v, where the second and the third do", star.inner[0], want)
	}
	given := Disk([]float64{0.5, 0, 0, 0.5}, nil, DiskOptions{Tree: []int{2, 2, -1}, Inner: []float64{0.1, 0.2}})
	if given.inner[0] != 0.1+0.2i {
		t.Errorf("the given place became %v", given.inner[0])
	}
}

func TestTreeErrors(t *testing.T) {
	xy := []float64{0.5, 0, 0, 0.5}
	for _, c := range []struct {
		name string
		o    DiskOptions
		want string
	}{
		{"circle", DiskOptions{Tree: []int{2, 2, 3, 2}}, "2 of 4 nodes lead to no root"},
		{"no such parent", DiskOptions{Tree: []int{2, 9, -1}}, "node 1 has parent 9, but there are 3"},
		{"inner leaf", DiskOptions{Tree: []int{2, 2, -1, 2}}, "inner node 3 without children"},
		{"inner outside", DiskOptions{Tree: []int{2, 2, -1}, Inner: []float64{2, 0}}, "inner node 2 lies at radius 2"},
		{"centre", DiskOptions{Centre: []float64{1, 0}}, "Centre is (1, 0)"},
		{"clip", DiskOptions{Clip: 2.3}, "Clip is 2.3; want a radius in the disk"},
		{"fine", DiskOptions{Tree: []int{2, 2, -1}, CentreMean: true, Clip: 1}, ""},
	} {
		_, err := Disk(xy, nil, c.o).Option()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
}

func TestDiskClipped(t *testing.T) {
	xy := []float64{0.5, 0, 0, 0.7, 0.1, 0, 0.699, 0}
	for _, c := range []struct {
		name string
		o    DiskOptions
		want int
		says string
	}{
		{"by radius", DiskOptions{Clip: 0.7}, 1, "1 clipped at radius 0.7"},
		{"by hand", DiskOptions{Clipped: []bool{true, false, true, false}}, 2, "2 clipped"},
		{"both", DiskOptions{Clip: 0.9, Clipped: []bool{true, false, false, false}}, 1, "1 clipped at radius 0.9"},
		{"none", DiskOptions{}, 0, ""},
	} {
		f := Disk(xy, nil, c.o)
		if len(f.clipped) != c.want || !strings.Contains(f.caption(), c.says) || strings.Contains(f.caption(), "clipped") != (c.says != "") {
			t.Errorf("%s: %d clipped, caption %q", c.name, len(f.clipped), f.caption())
		}
		if got := len(seriesOf(decoded(t, f), "scatter")); got != 1+min(c.want, 1) {
			t.Errorf("%s: %d series", c.name, got)
		}
	}
}

// TestDiskCentre moves a point and the mean to the centre.
func TestDiskCentre(t *testing.T) {
	xy := []float64{0.5, 0.2, 0.4, 0.7, 0.8, -0.3}
	at := Disk(xy, nil, DiskOptions{Centre: []float64{0.4, 0.7}, Proxies: []float64{0.4, 0.7}})
	if z := complexes(at.xy); cmplx.Abs(z[1]) > 1e-12 || cmplx.Abs(complexes(at.proxies)[0]) > 1e-12 || distance(z[0], z[2])-distance(0.5+0.2i, 0.8-0.3i) > 1e-9 {
		t.Errorf("the points are %v", z)
	}
	mean := Disk(xy, nil, DiskOptions{CentreMean: true})
	if m := frechetMean(complexes(mean.xy)); cmplx.Abs(m) > 1e-9 {
		t.Errorf("the mean of the moved points is %v", m)
	}
}
