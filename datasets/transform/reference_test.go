package transform

import (
	"encoding/json"
	"fmt"
	"image"
	"math"
	"os"
	"testing"
)

// drawn is a picture that the reference script draws, too.
type drawn struct {
	Kind string
	W, H int
	Pix  []byte // of the result
}

func (d drawn) picture(seed uint32) RGB {
	m := NewRGB(d.W, d.H)
	for j := range m.Pix {
		if d.Kind == "noise" {
			seed = seed*1664525 + 1013904223
			m.Pix[j] = uint8(seed >> 24)
			continue
		}
		x, y, c := j/3%d.W, j/3/d.W, j%3
		m.Pix[j] = uint8((x*7+y*3)*(c+1) + x*y/5)
	}
	return m
}

// reference is testdata/reference.json.
type reference struct {
	Seed   uint32
	Resize []struct {
		drawn
		Filter     string
		Size       int
		OutW, OutH int
	}
	Crop []struct {
		drawn
		Filter     string
		Size, Crop int
	}
	Box []struct {
		drawn
		Filter string
		Box    [4]int
		Size   int
	}
	Jitter []struct {
		drawn
		Op     string
		Factor float64
	}
	Normalise []struct {
		Name   string
		W, H   int
		Values []float64
	}
}

func readReference(t *testing.T) reference {
	t.Helper()
	data, err := os.ReadFile("testdata/reference.json")
	if err != nil {
		t.Fatal(err)
	}
	var r reference
	if err := json.Unmarshal(data, &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Resize) == 0 || len(r.Crop) == 0 || len(r.Box) == 0 || len(r.Jitter) == 0 || len(r.Normalise) == 0 {
		t.Fatal("the reference is empty")
	}
	return r
}

func filterOf(t *testing.T, name string) Filter {
	for _, f := range []Filter{Bicubic, Bilinear} {
		if f.String() == name {
			return f
		}
	}
	t.Fatalf("filter %q", name)
	return 0
}

// differs is the largest difference of m from the bytes of the reference.
func differs(t *testing.T, m RGB, pix []byte) int {
	t.Helper()
	if len(pix) != 3*m.W*m.H {
		t.Fatalf("%d×%d pixels, the reference has %d bytes", m.W, m.H, len(pix))
	}
	most := 0
	for y := range m.H {
		for j, v := range m.Row(y) {
			d := int(v) - int(pix[3*y*m.W+j])
			most = max(most, d, -d)
		}
	}
	return most
}

func TestResizeIsPillows(t *testing.T) {
	r := readReference(t)
	for _, c := range r.Resize {
		m := Resize{Size: c.Size, Filter: filterOf(t, c.Filter)}.Apply(c.picture(r.Seed), nil)
		if m.W != c.OutW || m.H != c.OutH {
			t.Errorf("%d×%d to %d: %d×%d, want %d×%d", c.W, c.H, c.Size, m.W, m.H, c.OutW, c.OutH)
		} else if d := differs(t, m, c.Pix); d > 0 {
			t.Errorf("%s %d×%d to %d, %s: differs by %d", c.Kind, c.W, c.H, c.Size, c.Filter, d)
		}
	}
}

// TestCentreCropIsPillows also compares the crop that is taken out of a resize
// with the one that is cut out after it.
func TestCentreCropIsPillows(t *testing.T) {
	r := readReference(t)
	for _, c := range r.Crop {
		resize, crop := Resize{Size: c.Size, Filter: filterOf(t, c.Filter)}, CentreCrop{Size: c.Crop}
		m := c.picture(r.Seed)
		at := fmt.Sprintf("%d×%d to %d, crop %d, %s", c.W, c.H, c.Size, c.Crop, c.Filter)
		if d := differs(t, crop.Apply(resize.Apply(m, nil), nil), c.Pix); d > 0 {
			t.Errorf("%s: differs by %d", at, d)
		}
		if d := differs(t, Recipe{Steps: []Step{resize, crop}}.Apply(m, nil), c.Pix); d > 0 {
			t.Errorf("%s: in one: differs by %d", at, d)
		}
	}
}

func TestBoxIsPillows(t *testing.T) {
	r := readReference(t)
	for _, c := range r.Box {
		m := c.picture(r.Seed).Crop(c.Box[0], c.Box[1], c.Box[2], c.Box[3])
		if d := differs(t, resample(m, c.Size, c.Size, image.Rect(0, 0, c.Size, c.Size), filterOf(t, c.Filter)), c.Pix); d > 0 {
			t.Errorf("box %v to %d, %s: differs by %d", c.Box, c.Size, c.Filter, d)
		}
	}
}

func TestJitterIsPillows(t *testing.T) {
	ops := map[string]func(RGB, float64){"brightness": brighten, "contrast": contrast, "saturation": saturate, "hue": turnHue}
	r := readReference(t)
	for _, c := range r.Jitter {
		m := c.picture(r.Seed)
		ops[c.Op](m, c.Factor)
		if d := differs(t, m, c.Pix); d > 0 {
			t.Errorf("%s by %g of %s: differs by %d", c.Op, c.Factor, c.Kind, d)
		}
	}
}

func TestNormaliseIsNumPys(t *testing.T) {
	presets := map[string]Normalise{"half": Half, "imagenet": ImageNet, "bninception": BNInception}
	r := readReference(t)
	for _, c := range r.Normalise {
		got := make([]float32, 3*c.W*c.H)
		presets[c.Name].Write(got, drawn{Kind: "noise", W: c.W, H: c.H}.picture(r.Seed))
		for j, v := range got {
			if math.Abs(float64(v)-c.Values[j]) > 1e-6 {
				t.Fatalf("%s: value %d is %g, want %g", c.Name, j, v, c.Values[j])
			}
		}
	}
}
