package viz

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestConfusionsMeans compares the cells of a large matrix with the definition.
func TestConfusionsMeans(t *testing.T) {
	const n = 300
	rng := rand.New(rand.NewPCG(6, 6))
	x, order := make([]float64, n*n), rng.Perm(n)
	for i := range x {
		x[i] = rng.Float64()
	}
	f := Confusions(x, ConfusionsOptions{Order: order})
	if f.cell != 3 || f.side != 100 || !strings.Contains(f.Alt(), "mean over 3×3 classes") {
		t.Fatalf("%d cells of %d classes, %s", f.side, f.cell, f.Alt())
	}
	for range 100 {
		i, j, sum := rng.IntN(100), rng.IntN(100), 0.0
		for a := range 3 {
			for b := range 3 {
				sum += x[order[3*i+a]*n+order[3*j+b]]
			}
		}
		if got := f.m[i*100+j]; math.Abs(got-sum/9) > 1e-12 {
			t.Errorf("cell %d, %d is %g, want %g", i, j, got, sum/9)
		}
	}
}

// TestConfusionsDark reads the picture: near classes are dark, a border is
// where the group changes.
func TestConfusionsDark(t *testing.T) {
	f := Confusions([]float64{0, 1, 1, 0}, ConfusionsOptions{Group: []int{0, 1}})
	m, _ := pixels(t, f)
	at := f.area()
	lightness := func(x, y float64) uint32 {
		r, g, b, _ := m.At(int((at.x+x*at.w)*sharp), int((at.y+y*at.h)*sharp)).RGBA()
		return (r + g + b) / 3 >> 8
	}
	if near, far := lightness(0.25, 0.25), lightness(0.75, 0.25); near > 0x60 || far < 0xe0 {
		t.Errorf("near is %x, far is %x", near, far)
	}
	r, _, b, _ := m.At(int((at.x+at.w/2)*sharp), int((at.y+at.h/4)*sharp)).RGBA()
	if r < b {
		t.Errorf("no border between the groups")
	}
}

func TestRampFalls(t *testing.T) {
	last := 256.0
	for i := range 101 {
		c := shade(float64(i) / 100)
		if l := 0.2126*float64(c.R) + 0.7152*float64(c.G) + 0.0722*float64(c.B); l >= last {
			t.Errorf("colour %d is not darker than the one before", i)
		} else {
			last = l
		}
	}
}

func TestHeatMapNumbers(t *testing.T) {
	for _, c := range []struct {
		value  []float64
		digits int
		want   []string
	}{
		{[]float64{71.25, 9.5}, 0, []string{"71.2", "9.5"}},
		{[]float64{0.71, 0.5}, 2, []string{"0.71", "0.50"}},
		{[]float64{12345, 2}, 3, []string{"12345", "2"}},
		{[]float64{1e-9, 0}, 0, []string{"1e-09", "0"}},
		{[]float64{0, 0}, 0, []string{"0.00", "0.00"}},
	} {
		f := HeatMap([]string{"a"}, []string{"b", "c"}, c.value, HeatMapOptions{Digits: c.digits})
		for i, want := range c.want {
			if got := f.words(i); got != want {
				t.Errorf("%v: cell %d says %q, want %q", c.value, i, got, want)
			}
		}
	}
}
