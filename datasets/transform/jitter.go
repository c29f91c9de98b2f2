package transform

import (
	"fmt"
	"math/rand/v2"
)

// ColourJitter changes brightness, contrast, saturation and hue, in random order:
//
//	brightness f·x                 f uniform in [max(0, 1-Brightness), 1+Brightness]
//	contrast   f·x + (1-f)·mean    the mean of the grey picture, rounded
//	saturation f·x + (1-f)·grey    of the same pixel
//	hue        turned by f circles f uniform in [-Hue, Hue], in steps of 1/255
//
// with bytes between them. Those that are 0 are left out.
//
// Source: torchvision's ColorJitter on Pillow pictures.
type ColourJitter struct {
	Brightness float64 // 0 or more
	Contrast   float64 // 0 or more
	Saturation float64 // 0 or more
	Hue        float64 // 0 to 0.5
}

// Apply implements Step.
func (s ColourJitter) Apply(m RGB, rng *rand.Rand) RGB {
	order := rng.Perm(4)
	var factor [4]float64
	for k, v := range []float64{s.Brightness, s.Contrast, s.Saturation} {
		factor[k] = uniform(rng, max(0, 1-v), 1+v)
	}
	factor[3] = uniform(rng, -s.Hue, s.Hue)
	out := m.Clone()
	for _, k := range order {
		switch {
		case k == 0 && s.Brightness > 0:
			brighten(out, factor[0])
		case k == 1 && s.Contrast > 0:
			contrast(out, factor[1])
		case k == 2 && s.Saturation > 0:
			saturate(out, factor[2])
		case k == 3 && s.Hue > 0:
			turnHue(out, factor[3])
		}
	}
	return out
}

// Check implements Step.
func (s ColourJitter) Check() error {
	for _, v := range []struct {
		name        string
		value, most float64
	}{{"Brightness", s.Brightness, 100}, {"Contrast", s.Contrast, 100}, {"Saturation", s.Saturation, 100}, {"Hue", s.Hue, 0.5}} {
		if !(v.value >= 0 && v.value <= v.most) {
			return fmt.Errorf("transform: ColourJitter: %s %g: want 0 to %g", v.name, v.value, v.most)
		}
	}
	return nil
}

// brighten multiplies every byte by f.
func brighten(m RGB, f float64) {
	table := blendTable(0, f)
	for y := range m.H {
		row := m.Row(y)
		for j, v := range row {
			row[j] = table[v]
		}
	}
}

// contrast moves every byte away from the mean of the grey picture, by f.
func contrast(m RGB, f float64) {
	sum := 0
	for y := range m.H {
		row := m.Row(y)
		for x := 0; x < len(row); x += 3 {
			sum += int(grey(row[x], row[x+1], row[x+2]))
		}
	}
	table := blendTable(uint8(float64(sum)/float64(m.W*m.H)+0.5), f)
	for y := range m.H {
		row := m.Row(y)
		for j, v := range row {
			row[j] = table[v]
		}
	}
}

// saturate moves every pixel away from its grey, by f.
func saturate(m RGB, f float64) {
	for y := range m.H {
		row := m.Row(y)
		for x := 0; x < len(row); x += 3 {
			p := row[x : x+3]
			g := grey(p[0], p[1], p[2])
			p[0], p[1], p[2] = blend(g, p[0], f), blend(g, p[1], f), blend(g, p[2], f)
		}
	}
}

// turnHue turns the hue of every pixel by f circles of 255 steps; a part of a
// step is cut off.
func turnHue(m RGB, f float64) {
	turn := uint8(int(f * 255)) // modulo 256, as the byte of a hue
	for y := range m.H {
		row := m.Row(y)
		for x := 0; x < len(row); x += 3 {
			p := row[x : x+3]
			h, s, v := toHSV(p[0], p[1], p[2])
			p[0], p[1], p[2] = fromHSV(h+turn, s, v)
		}
	}
}
