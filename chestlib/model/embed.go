package model

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"

	"github.com/chestlab/chest/chestlib/poincare"
	"github.com/chestlab/chest/internal/vmath"
)

// Source is a set of labelled items. Item writes item i into dst, which has
// c·h·w entries.
type Source interface {
	Len() int
	Shape() (c, h, w int)
	Label(i int) int
	Item(dst []float32, i int) error
}

// Embedding is n items in both spaces, in the order of their source.
type Embedding struct {
	E     []float32 // n×DE, raw: compare by the cosine
	H     []float32 // n×DH, points of the ball: expmap₀(clip(uH)); compare by the hyperbolic distance
	DE    int
	DH    int
	Label []int

	Curvature float64 // c of the ball, as it is now; 0 for a flat model, where H is clip(uH)
	Clipped   float64 // share of items with ‖uH‖ ≥ r; near 1, distances tell no more than angles
	NormHMean float64 // mean of the norms of H
	NormHStd  float64 // their standard deviation, over n
}

// Embed maps all items of src, batch at a time; batch 0 means 256. It runs the
// model: what Forward returned before is overwritten.
//
// Items of another shape than the model's, an item that cannot be read, and an
// embedding that is not finite are errors. When ctx ends, Embed returns its
// error after the present batch.
func (m *Model) Embed(ctx context.Context, src Source, batch int) (Embedding, error) {
	ctx, done := context.WithCancel(ctx) // stays with the cell that called
	defer done()
	if err := Given(m, src); err != nil {
		return Embedding{}, fmt.Errorf("model: Embed: %w", err)
	}
	if c, h, w := src.Shape(); m.in != (Shape{c, h, w}) {
		return Embedding{}, fmt.Errorf("model: Embed: the model takes items of %v, these are %v; make the model with the shape of the source", m.in, Shape{c, h, w})
	}
	if batch <= 0 {
		batch = 256
	}
	n := src.Len()
	e := Embedding{
		E: make([]float32, n*m.o.DE), H: make([]float32, n*m.o.DH), DE: m.o.DE, DH: m.o.DH,
		Label: make([]int, n), Curvature: m.ball.Curvature(),
	}
	x := make([]float32, min(batch, n)*m.in.Size())
	var s spread
	defer announce(src, 0, 0)
	for first := 0; first < n; first += batch {
		if err := ctx.Err(); err != nil {
			return Embedding{}, fmt.Errorf("model: Embed: stopped after %d of %d items: %w", first, n, err)
		}
		announce(src, first, 2*batch)
		count := min(batch, n-first)
		if err := m.load(x, e.Label, src, first, count); err != nil {
			return Embedding{}, err
		}
		uE, uH := m.Forward(x[:count*m.in.Size()], count, false)
		copy(e.E[first*e.DE:], uE)
		if err := m.toBall(e.H[first*e.DH:], uE, uH, first, count, &s); err != nil {
			return Embedding{}, err
		}
	}
	e.Clipped, e.NormHMean, e.NormHStd = s.result(n)
	return e, nil
}

// load reads count items, from first on, and their labels.
func (m *Model) load(x []float32, label []int, src Source, first, count int) error {
	for i := range count {
		if err := src.Item(item(x, i, m.in), first+i); err != nil {
			return fmt.Errorf("model: Embed: item %d: %w", first+i, err)
		}
		label[first+i] = src.Label(first + i)
	}
	return nil
}

// roundingEps keeps points inside the ball when they are rounded to float32,
// which changes norms by up to 6e-8 of them. It acts on points with √c‖x‖ above
// 1-1e-6 only: never for √c r < 7.2.
const roundingEps = 1e-6

// toBall writes the points of count tangent vectors uH and notes their spread.
func (m *Model) toBall(h, uE, uH []float32, first, count int, s *spread) error {
	d, on := m.o.DH, m.ball.Map()
	u, x := make([]float64, d), make([]float64, d)
	for i := range count {
		for j, v := range uH[i*d : (i+1)*d] {
			u[j] = float64(v)
		}
		norm := length(u)
		if !finite(norm) || !finite(vmath.Sum64(uE[i*m.o.DE:(i+1)*m.o.DE])) {
			return fmt.Errorf("model: Embed: item %d has an embedding that is not finite; if its pixels are, training diverged: lower the rate", first+i)
		}
		if norm >= on.R {
			s.clipped++
		}
		on.Point(x, u)
		if on.C > 0 {
			poincare.Project(x, x, on.C, roundingEps)
		}
		for j, v := range x {
			h[i*d+j] = float32(v)
		}
		s.add(length(x))
	}
	return nil
}

func length(x []float64) float64 {
	var s float64
	for _, v := range x {
		s += v * v
	}
	return math.Sqrt(s)
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// spread gathers mean and deviation of norms by Welford's recurrence.
type spread struct {
	n, clipped     int
	mean, deviance float64
}

func (s *spread) add(v float64) {
	s.n++
	d := v - s.mean
	s.mean += d / float64(s.n)
	s.deviance += d * (v - s.mean)
}

func (s *spread) result(n int) (clipped, mean, std float64) {
	if n == 0 {
		return 0, 0, 0
	}
	return float64(s.clipped) / float64(n), s.mean, math.Sqrt(s.deviance / float64(n))
}

// String says what the embedding holds, without its numbers.
func (e Embedding) String() string {
	return fmt.Sprintf("%d items: E %d, H %d (c %g), |H| %.2f ± %.2f, clipped %.0f %%",
		len(e.Label), e.DE, e.DH, e.Curvature, e.NormHMean, e.NormHStd, 100*e.Clipped)
}

// Given is an error if the model or the source of items is nil, as after an error
// that nobody looked at.
func Given(m *Model, src Source) error {
	if m == nil {
		return errors.New("the model is nil; look at the error of NewModel or LoadModel")
	}
	return CheckSource(src)
}

// CheckSource is an error if the source of items is nil.
func CheckSource(src Source) error {
	if v := reflect.ValueOf(src); !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
		return errors.New("the items are nil; look at the error of what should have read them")
	}
	return nil
}
