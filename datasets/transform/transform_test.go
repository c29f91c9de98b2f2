package transform

import (
	"bytes"
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 7)) }

// noise is a picture in the middle of a larger one, so that rows have gaps and
// reads beside it would show.
func noise(rng *rand.Rand, w, h int) RGB {
	m := NewRGB(w+5, h+4)
	for j := range m.Pix {
		m.Pix[j] = uint8(rng.Uint32())
	}
	return m.Crop(2, 1, w, h)
}

func same(a, b RGB) bool {
	if a.W != b.W || a.H != b.H {
		return false
	}
	for y := range a.H {
		if !bytes.Equal(a.Row(y), b.Row(y)) {
			return false
		}
	}
	return true
}

// twin is resample of the whole in float64, a pixel after the other, without
// bytes between the passes.
func twin(m RGB, w, h, x, y, c int, f Filter) float64 {
	along := func(n, size, at int) (weight []float64) {
		scale := float64(n) / float64(size)
		wide := max(scale, 1)
		sum := 0.0
		for k := range n {
			v := f.at((float64(k) + 0.5 - (float64(at)+0.5)*scale) / wide)
			weight = append(weight, v)
			sum += v
		}
		for k := range weight {
			weight[k] /= sum
		}
		return weight
	}
	v := 0.0
	for j, wy := range along(m.H, h, y) {
		for i, wx := range along(m.W, w, x) {
			v += wx * wy * float64(m.Row(j)[3*i+c])
		}
	}
	return v
}

// TestResampleTwin: within the rounding of the two passes, and bytes that the
// cubic overshoots are cut; the second pass may double a cut or a rounding.
func TestResampleTwin(t *testing.T) {
	rng := newRand(1)
	for range 60 {
		w, h, f := 1+rng.IntN(30), 1+rng.IntN(30), Filter(rng.IntN(2))
		m := noise(rng, 1+rng.IntN(30), 1+rng.IntN(30))
		for j := range m.Pix {
			m.Pix[j] = 64 + m.Pix[j]/2 // no overshoot between the passes
		}
		out := resample(m, w, h, image.Rect(0, 0, w, h), f)
		for range 50 {
			x, y, c := rng.IntN(w), rng.IntN(h), rng.IntN(3)
			want := min(max(twin(m, w, h, x, y, c, f), 0), 255)
			if got := float64(out.Row(y)[3*x+c]); math.Abs(got-want) > 1.4 {
				t.Fatalf("%v %d×%d to %d×%d at (%d,%d,%d): %g, want %g", f, m.W, m.H, w, h, x, y, c, got, want)
			}
		}
	}
}

// TestResampleParts: a part is the part of the whole.
func TestResampleParts(t *testing.T) {
	rng := newRand(2)
	for range 100 {
		m, w, h, f := noise(rng, 1+rng.IntN(40), 1+rng.IntN(40)), 1+rng.IntN(40), 1+rng.IntN(40), Filter(rng.IntN(2))
		if rng.IntN(4) == 0 {
			w = m.W
		}
		if rng.IntN(4) == 0 {
			h = m.H
		}
		before := m.Clone()
		whole := resample(m, w, h, image.Rect(0, 0, w, h), f)
		x, y := rng.IntN(w), rng.IntN(h)
		part := image.Rect(x, y, x+1+rng.IntN(w-x), y+1+rng.IntN(h-y))
		if !same(resample(m, w, h, part, f), whole.Crop(x, y, part.Dx(), part.Dy())) {
			t.Fatalf("%d×%d to %d×%d, part %v differs", m.W, m.H, w, h, part)
		}
		if !same(m, before) {
			t.Fatal("the picture was changed")
		}
	}
}

// TestFlatStaysFlat: a picture of one colour keeps it under every resize.
func TestFlatStaysFlat(t *testing.T) {
	for _, v := range []uint8{0, 1, 127, 255} {
		m := NewRGB(13, 9)
		for j := range m.Pix {
			m.Pix[j] = v
		}
		for _, size := range []int{1, 3, 9, 40} {
			for _, p := range (Resize{Size: size}).Apply(m, nil).Pix {
				if p != v {
					t.Fatalf("%d became %d at size %d", v, p, size)
				}
			}
		}
	}
}

// TestResizeBounds: the shorter side is Size, the longer in proportion, but
// never beyond 64·Size.
func TestResizeBounds(t *testing.T) {
	for _, c := range []struct{ w, h, size, wantW, wantH int }{
		{500, 375, 256, 341, 256}, {375, 500, 256, 256, 341}, {256, 300, 256, 256, 300},
		{1, 1, 0, 256, 256}, {100000, 1, 256, 64 * 256, 256}, {1, 1 << 24, 10, 10, 640}, {4 * 256 * 64, 256, 256, 64 * 256, 256},
	} {
		if w, h := (Resize{Size: c.size}).size(c.w, c.h); w != c.wantW || h != c.wantH {
			t.Errorf("%d×%d to %d: %d×%d, want %d×%d", c.w, c.h, c.size, w, h, c.wantW, c.wantH)
		}
	}
}

// TestCropLaw: parts lie in the picture, their area and aspect in the bounds but
// for rounding; means are those of the uniform laws.
func TestCropLaw(t *testing.T) {
	rng := newRand(3)
	s := RandomResizedCrop{Scale: [2]float64{0.2, 0.5}}
	const n, w, h = 4000, 600, 500
	var share, logAspect, x float64
	for range n {
		b := s.box(w, h, rng)
		if !b.In(image.Rect(0, 0, w, h)) || b.Empty() {
			t.Fatalf("part %v", b)
		}
		a, r := float64(b.Dx()*b.Dy())/(w*h), float64(b.Dx())/float64(b.Dy())
		if a < 0.198 || a > 0.502 || r < 0.745 || r > 1.342 {
			t.Fatalf("part %v: share %g, aspect %g", b, a, r)
		}
		share += a / n
		logAspect += math.Log(r) / n
		x += float64(b.Min.X) / float64(w-b.Dx()) / n
	}
	if math.Abs(share-0.35) > 0.007 || math.Abs(logAspect) > 0.013 || math.Abs(x-0.5) > 0.025 {
		t.Errorf("means: share %g, log aspect %g, place %g", share, logAspect, x)
	}
}

// TestCropFallsBack: what no try fits gets the middle, by torchvision's rule.
func TestCropFallsBack(t *testing.T) {
	for _, c := range []struct {
		w, h int
		want image.Rectangle
	}{
		{100, 3, image.Rect(48, 0, 52, 3)}, {3, 100, image.Rect(0, 48, 3, 52)}, {1, 5000, image.Rect(0, 2499, 1, 2500)}, {1, 1, image.Rect(0, 0, 1, 1)},
	} {
		if got := (RandomResizedCrop{}).withDefaults().middle(c.w, c.h); got != c.want {
			t.Errorf("%d×%d: %v, want %v", c.w, c.h, got, c.want)
		}
		s := RandomResizedCrop{Size: 8, Scale: [2]float64{1, 1}}
		if got := s.box(c.w, c.h, newRand(1)); got != c.want {
			t.Errorf("%d×%d: drew %v, want %v", c.w, c.h, got, c.want)
		}
		if m := s.Apply(NewRGB(c.w, c.h), newRand(1)); m.W != 8 || m.H != 8 {
			t.Errorf("%d×%d: %d×%d", c.w, c.h, m.W, m.H)
		}
	}
}

func TestFlip(t *testing.T) {
	rng := newRand(4)
	m := noise(rng, 7, 3)
	flipped := mirror(m)
	for y := range m.H {
		for x := range m.W {
			if !bytes.Equal(m.Row(y)[3*x:3*x+3], flipped.Row(y)[3*(m.W-1-x):][:3]) {
				t.Fatalf("pixel (%d,%d)", x, y)
			}
		}
	}
	for _, c := range []struct {
		p      float64
		lo, hi int
	}{{0, 440, 560}, {1, 1000, 1000}, {-1, 0, 0}, {0.1, 60, 140}} {
		n := 0
		for range 1000 {
			if same((Flip{P: c.p}).Apply(m, rng), flipped) {
				n++
			}
		}
		if n < c.lo || n > c.hi {
			t.Errorf("P %g: %d of 1000 were flipped", c.p, n)
		}
	}
}

// TestJitterLaws: no strength is no change; the picture that was given stays;
// one seed is one result; greys keep grey under saturation and hue.
func TestJitterLaws(t *testing.T) {
	rng := newRand(5)
	m := noise(rng, 9, 8)
	before := m.Clone()
	if !same((ColourJitter{}).Apply(m, rng), before) {
		t.Error("no strength changed the picture")
	}
	s := ColourJitter{0.4, 0.4, 0.4, 0.1}
	a, b := s.Apply(m, newRand(9)), s.Apply(m, newRand(9))
	if !same(a, b) || same(a, before) || !same(m, before) {
		t.Error("the jitter is not a function of picture and seed, or changed its picture")
	}
	flat := NewRGB(4, 4)
	for j := range flat.Pix {
		flat.Pix[j] = uint8(j / 3 * 16)
	}
	if got := (ColourJitter{Saturation: 1, Hue: 0.5}).Apply(flat, rng); !same(got, flat) {
		t.Error("greys were coloured")
	}
	if got := (ColourJitter{Brightness: 1}).Apply(before, rng); same(got, before) {
		t.Error("brightness does nothing")
	}
}

// TestHSVRoundTrip: back from HSV every channel is within the steps of a byte.
func TestHSVRoundTrip(t *testing.T) {
	for v := 0; v < 1<<24; v += 977 {
		r, g, b := uint8(v>>16), uint8(v>>8), uint8(v)
		r2, g2, b2 := fromHSV(toHSV(r, g, b))
		for _, d := range [][2]uint8{{r, r2}, {g, g2}, {b, b2}} {
			if diff := int(d[0]) - int(d[1]); diff > 7 || diff < -7 {
				t.Fatalf("%d,%d,%d became %d,%d,%d", r, g, b, r2, g2, b2)
			}
		}
	}
}

func TestPresets(t *testing.T) {
	for _, name := range Names() {
		for _, of := range []func(string) (Recipe, error){Train, Test} {
			r, err := of(name)
			if err != nil {
				t.Fatal(err)
			}
			if w, h := r.Size(); w != 224 || h != 224 || r.Check() != nil {
				t.Errorf("%v: %d×%d, %v", r, w, h, r.Check())
			}
			m := r.Apply(noise(newRand(6), 60, 40), newRand(6))
			if m.W != 224 || m.H != 224 {
				t.Errorf("%v gave %d×%d", r, m.W, m.H)
			}
		}
	}
	if _, err := Train("vgg"); err == nil || !strings.Contains(err.Error(), "want one of vit, deit") {
		t.Errorf("error %v", err)
	}
	r, _ := Test("dino")
	if want := "dino test: Resize{Size:256 Filter:bicubic} → CentreCrop{Size:224} → Normalise{Mean:[0.485 0.456 0.406] Std:[0.229 0.224 0.225] Scale:0 BGR:false}"; r.String() != want {
		t.Errorf("%v, want %s", r, want)
	}
}

func TestChecks(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		word string
		r    Recipe
	}{
		{"no step gives", Recipe{}},
		{"no step gives", Recipe{Steps: []Step{Resize{}}}},
		{"step 0 is nil", Recipe{Steps: []Step{nil}}},
		{"Size -1", Recipe{Steps: []Step{Resize{Size: -1}, CentreCrop{}}}},
		{"Filter 7", Recipe{Steps: []Step{Resize{Filter: 7}, CentreCrop{}}}},
		{"Size 9999", Recipe{Steps: []Step{CentreCrop{Size: 9999}}}},
		{"Scale", Recipe{Steps: []Step{RandomResizedCrop{Scale: [2]float64{0.5, 0.2}}}}},
		{"Scale", Recipe{Steps: []Step{RandomResizedCrop{Scale: [2]float64{nan, 1}}}}},
		{"Ratio", Recipe{Steps: []Step{RandomResizedCrop{Ratio: [2]float64{1, math.Inf(1)}}}}},
		{"Filter -1", Recipe{Steps: []Step{RandomResizedCrop{Filter: -1}}}},
		{"P 2", Recipe{Steps: []Step{CentreCrop{}, Flip{P: 2}}}},
		{"P NaN", Recipe{Steps: []Step{CentreCrop{}, Flip{P: nan}}}},
		{"Hue 0.6", Recipe{Steps: []Step{CentreCrop{}, ColourJitter{Hue: 0.6}}}},
		{"Contrast -1", Recipe{Steps: []Step{CentreCrop{}, ColourJitter{Contrast: -1}}}},
		{"Scale -1", Recipe{Steps: []Step{CentreCrop{}}, Normalise: Normalise{Scale: -1}}},
		{"channel 1", Recipe{Steps: []Step{CentreCrop{}}, Normalise: Normalise{Std: [3]float32{1, -1, 1}}}},
	} {
		if err := c.r.Check(); err == nil || !strings.Contains(err.Error(), c.word) {
			t.Errorf("%v: error %v, want one with %q", c.r, err, c.word)
		}
	}
}

// TestPanics: wrong shapes are the caller's bug.
func TestPanics(t *testing.T) {
	m := NewRGB(4, 3)
	for name, f := range map[string]func(){
		"empty":  func() { NewRGB(0, 1) },
		"beside": func() { m.Crop(2, 0, 3, 1) },
		"short":  func() { Half.Write(make([]float32, 35), m) },
	} {
		func() {
			defer func() {
				if text := fmt.Sprint(recover()); !strings.HasPrefix(text, "transform: ") {
					t.Errorf("%s: panic %q", name, text)
				}
			}()
			f()
		}()
	}
}

func BenchmarkTransform(b *testing.B) {
	m := noise(newRand(1), 500, 375)
	dst := make([]float32, 3*224*224)
	for _, name := range []string{"train", "test"} {
		r, err := Train("vit")
		if name == "test" {
			r, err = Test("vit")
		}
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			rng := newRand(2)
			for b.Loop() {
				r.Normalise.Write(dst, r.Apply(m, rng))
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "images/s")
		})
	}
}
