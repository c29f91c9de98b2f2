package datasets

import (
	"image"
	"image/png"
	"os"
	"testing"
	"time"
)

func TestScratch(t *testing.T) {
	for _, v := range []struct {
		f string
		o BlazonsOptions
	}{{"gray", BlazonsOptions{}}, {"clean", BlazonsOptions{Nuisance: -1, Size: 64}}, {"rgb", BlazonsOptions{RGB: true}}} {
		s, err := Blazons(v.o)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Train.Validate(); err != nil {
			t.Fatal(err)
		}
		os.WriteFile("/tmp/scratch/"+v.f+".png", s.MIMEBundle()["image/png"].([]byte), 0o644)
		t.Log(s)
		if v.f != "clean" {
			t.Logf("raw %.3f", rawRecall(s.Test))
		}
	}
	// glyph chart
	p := newPainter(1, 40)
	m := image.NewGray(image.Rect(0, 0, 42*14, 42*12))
	put := func(r, c int, d design) {
		cc := condition{cos: 1, zoom: 1, gain: 1, back: [3]float64{.5, .5, .5}}
		p.paint(d, cc, newRand(1, 1))
		b := make([]uint8, 1600)
		p.write(b)
		for i := range b {
			m.Pix[(r*42+i/40)*m.Stride+c*42+i%40] = b[i]
		}
	}
	for i := range outlines {
		put(0, i, design{outline: i, division: 1, charge: 0})
		put(1, i, design{outline: i, division: 1, charge: 0, arrangement: 7})
	}
	for i := range divisions {
		put(2, i, design{outline: 3, division: i, charge: 0, arrangement: 5})
		put(3, i, design{outline: 0, division: i, charge: 0, arrangement: 1})
	}
	for i := range charges {
		put(4, i, design{outline: 3, charge: i, division: 0})
		put(5, i, design{outline: 3, charge: i, division: 0, bordure: true})
		put(6, i, design{outline: 3, charge: i, arrangement: 3})
		put(7, i, design{outline: 3, charge: i, arrangement: 3, bordure: true})
	}
	for i := range arrangements {
		put(8, i, design{outline: 3, arrangement: i, charge: 1})
		put(9, i, design{outline: 0, arrangement: i, charge: 1, scheme: 1})
	}
	for i := range schemes {
		put(10, i, design{outline: 3, scheme: i})
		put(10, i+5, design{outline: 3, scheme: i, bordure: true})
	}
	f, _ := os.Create("/tmp/scratch/chart.png")
	png.Encode(f, stack([]image.Image{big(m)}))
	f.Close()
	t0 := time.Now()
	Blazons(BlazonsOptions{PerClass: 100})
	t.Logf("%.0f images/s", 9600/time.Since(t0).Seconds())
}
func big(m image.Image) image.Image {
	r := image.NewRGBA(image.Rect(0, 0, m.Bounds().Dx()*2, m.Bounds().Dy()*2))
	enlarge(r, m, 0, 0, 2)
	return r
}
func TestScratchOmni(t *testing.T) {
	t0 := time.Now()
	s, err := Omniglot("/work/shared/data", OmniglotOptions{Validation: .1})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(s, time.Since(t0))
	for _, x := range []*Set{s.Train, s.Test, s.Validation} {
		if err := x.Validate(); err != nil {
			t.Fatal(err)
		}
	}
	os.WriteFile("/tmp/scratch/omni.png", s.MIMEBundle()["image/png"].([]byte), 0o644)
	t.Logf("raw %.3f", rawRecall(s.Test))
	_, err = Omniglot("/tmp", OmniglotOptions{})
	t.Log(err)
	_, err = Omniglot("", OmniglotOptions{})
	t.Log(err)
}

func TestScratchSeeds(t *testing.T) {
	for seed := range uint64(6) {
		s, _ := Blazons(BlazonsOptions{Seed: seed})
		r, _ := Blazons(BlazonsOptions{Seed: seed, Nuisance: .5})
		t.Logf("%d %.3f half %.3f", seed, rawRecall(s.Test), rawRecall(r.Test))
	}
}
