package model

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/chestlab/chest/kernel/display"

	"github.com/chestlab/chest/chestlib/poincare"
)

// source is n random items.
type source struct {
	shape Shape
	x     []float32
	bad   int // Item(bad) fails; -1: none
}

func newSource(s Shape, n int) *source {
	return &source{s, gaussian(rand.New(rand.NewPCG(1, 9)), n*s.Size()), -1}
}

func (s *source) Len() int             { return len(s.x) / s.shape.Size() }
func (s *source) Shape() (c, h, w int) { return s.shape.C, s.shape.H, s.shape.W }
func (s *source) Label(i int) int      { return i % 3 }
func (s *source) Item(d []float32, i int) error {
	if i == s.bad {
		return errors.New("cannot be read")
	}
	copy(d, item(s.x, i, s.shape))
	return nil
}

// TestEmbed compares with Forward, item by item, for batches that do and do not
// divide the number of items, for all kinds of spaces.
func TestEmbed(t *testing.T) {
	in := Shape{1, 6, 5}
	src := newSource(in, 23)
	for _, o := range []Options{
		{}, {Trunk: "conv", Width: 8}, {Clip: 0.9}, {Curvature: 3, Clip: 0.05}, {Flat: true, Clip: 0.9}, {Flat: true, Clip: -1}, {Clip: -1},
		{SoftClip: true, Clip: 0.9}, {LearnCurvature: true, LearnClip: true, Clip: 0.9}, {SoftClip: true, LearnClip: true, Flat: true, Separate: true},
	} {
		o.DE, o.DH, o.Seed = 7, 5, 4
		m := mustNew(t, in, o)
		o = m.Options()
		if p := m.Ball().Param(); p != nil {
			p.Value[0] = 0.5
			o.Curvature, o.Clip = m.Ball().Curvature(), m.Ball().Clip()
		}
		for _, batch := range []int{0, 1, 10, 23} {
			e, err := m.Embed(context.Background(), src, batch)
			if err != nil {
				t.Fatal(err)
			}
			var clipped, sum, squares float64
			for i := range src.Len() {
				uE, uH := m.Forward(item(src.x, i, in), 1, false)
				compare(t, "E", e.E[i*7:(i+1)*7], wide(uE))
				u := wide(uH)
				if o.Clip > 0 {
					if length(u) >= o.Clip {
						clipped++
					}
					if o.SoftClip {
						u = poincare.SoftClip(nil, u, o.Clip)
					} else {
						u = poincare.Clip(nil, u, o.Clip)
					}
				}
				p := poincare.ExpMap0(nil, u, o.Curvature)
				compare(t, "H", e.H[i*5:(i+1)*5], p)
				sum += length(p)
				squares += length(p) * length(p)
				if e.Label[i] != i%3 {
					t.Fatalf("label %d is %d", i, e.Label[i])
				}
			}
			n := float64(src.Len())
			mean := sum / n
			std := math.Sqrt(squares/n - mean*mean)
			if e.Clipped != clipped/n || math.Abs(e.NormHMean-mean) > 1e-5 || math.Abs(e.NormHStd-std) > 1e-4 ||
				e.Curvature != o.Curvature || e.DE != 7 || e.DH != 5 {
				t.Fatalf("%+v, batch %d: clipped %g, norm %g ± %g; want %g, %g ± %g",
					o, batch, e.Clipped, e.NormHMean, e.NormHStd, clipped/n, mean, std)
			}
		}
	}
}

// TestEmbedInside: points stay inside the ball in float32, however long the
// tangent vectors.
func TestEmbedInside(t *testing.T) {
	in := Shape{6, 1, 1}
	m := mustNew(t, in, Options{Trunk: "identity", DH: 40, Curvature: 1, Clip: -1})
	for i := range m.headH.w.Value {
		m.headH.w.Value[i] *= 1e4
	}
	e, err := m.Embed(context.Background(), newSource(in, 50), 0)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 50 {
		if r := length(wide(e.H[i*40 : (i+1)*40])); !(r < 1 && r > 0.99999) {
			t.Fatalf("item %d has norm %.9g", i, r)
		}
	}
}

func TestEmbedEmpty(t *testing.T) {
	in := Shape{6, 1, 1}
	e, err := mustNew(t, in, Options{}).Embed(context.Background(), newSource(in, 0), 0)
	if err != nil || len(e.E) != 0 || len(e.H) != 0 || len(e.Label) != 0 || e.Clipped != 0 || e.DE != 128 {
		t.Errorf("%+v, error %v", e, err)
	}
}

// hooked is a source that calls a function before each item.
type hooked struct {
	*source
	before func(i int)
}

func (h hooked) Item(dst []float32, i int) error {
	h.before(i)
	return h.source.Item(dst, i)
}

// TestEmbedStaysWithItsCell: when its cell is interrupted and another one runs,
// Embed stops all the same.
func TestEmbedStaysWithItsCell(t *testing.T) {
	cell, interrupt := context.WithCancel(context.Background())
	display.SetContext(cell)
	defer display.SetContext(context.Background())
	in := Shape{6, 1, 1}
	src := hooked{newSource(in, 9), func(i int) {
		if i == 3 {
			interrupt()
			display.SetContext(context.Background())
		}
	}}
	if _, err := mustNew(t, in, Options{}).Embed(display.Context(), src, 2); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context canceled", err)
	}
}

func TestEmbedErrors(t *testing.T) {
	in := Shape{1, 6, 5}
	m := mustNew(t, in, Options{})
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	bad, nan := newSource(in, 9), newSource(in, 9)
	bad.bad = 7
	nan.x[5*30+3] = float32(math.NaN())
	for _, c := range []struct {
		name string
		ctx  context.Context
		src  *source
		want string
	}{
		{"shape", context.Background(), newSource(Shape{1, 5, 6}, 3), "takes items of 1×6×5, these are 1×5×6"},
		{"item", context.Background(), bad, "item 7: cannot be read"},
		{"NaN", context.Background(), nan, "item 5 has an embedding that is not finite"},
		{"context", ended, newSource(in, 3), "after 0 of 3"},
	} {
		_, err := m.Embed(c.ctx, c.src, 2)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
	}
	if _, err := m.Embed(ended, newSource(in, 3), 0); !errors.Is(err, context.Canceled) {
		t.Errorf("the context's error is lost: %v", err)
	}
}

// TestGiven: what is nil is an error and no crash.
func TestGiven(t *testing.T) {
	in := Shape{2, 1, 1}
	m, src := mustNew(t, in, Options{}), newSource(in, 3)
	if err := Given(m, src); err != nil {
		t.Error(err)
	}
	for want, err := range map[string]error{
		"the model is nil": Given(nil, src), "the items are nil": Given(m, nil),
		"the items are nil;": Given(m, (*source)(nil)),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if _, err := (*Model)(nil).Embed(t.Context(), src, 0); err == nil {
		t.Error("Embed of no model: no error")
	}
}
