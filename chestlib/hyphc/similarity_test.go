package hyphc

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
)

func TestStandardised(t *testing.T) {
	// columns: a ramp, the same in other units, a constant, one that is nearly so large that squares overflow
	x := []float64{
		1, 1001, 0.1, 1e200,
		2, 1002, 0.1, -1e200,
		3, 1003, 0.1, 1e200,
		4, 1004, 0.1, -1e200,
	}
	before := fmt.Sprint(x)
	r, err := Standardised(x, 4)
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(x) != before {
		t.Error("x was changed")
	}
	// by hand: a ramp of 4 has deviation √1.25
	column := [][]float64{{-1.5, -0.5, 0.5, 1.5}, {-1.5, -0.5, 0.5, 1.5}, {0, 0, 0, 0}, {math.Sqrt(1.25), -math.Sqrt(1.25), math.Sqrt(1.25), -math.Sqrt(1.25)}}
	for i := range 4 {
		var a [4]float64
		for j := range a {
			a[j] = column[j][i]
		}
		for k := range 4 {
			var b [4]float64
			for j := range b {
				b[j] = column[j][k]
			}
			want := Similarity(a[:], b[:])
			if got := r.At(i, k); !closeTo(got, want, 1e-12) || i == k && got != 1 {
				t.Errorf("rows %d and %d: %.15g, want %.15g", i, k, got, want)
			}
		}
	}
}

func TestCosine(t *testing.T) {
	x := []float32{1, 2, 2, 4, -1, -2, -2, 1, 0, 0, 0, 0, 3e38, 3e38, 1e-44, 0}
	r, err := Cosine(x, 2)
	if err != nil {
		t.Fatal(err)
	}
	for i := range r.Len() {
		for j := range r.Len() {
			want := Similarity([]float64{float64(x[2*i]), float64(x[2*i+1])}, []float64{float64(x[2*j]), float64(x[2*j+1])})
			if i == j {
				want = 1
			}
			if got := r.At(i, j); !closeTo(got, want, 1e-12) || got < 0 || got > 1 {
				t.Errorf("rows %d and %d: %g, want %g", i, j, got, want)
			}
		}
	}
}

func TestSimilaritiesRefuse(t *testing.T) {
	_, nan := Standardised([]float64{1, 2, 3, math.NaN()}, 2)
	_, inf := Cosine([]float32{1, 2, float32(math.Inf(1)), 4}, 2)
	_, hole := NewMatrix([]float64{1, math.NaN(), math.NaN(), 1}, 2)
	_, lopsided := NewMatrix([]float64{1, 0.25, 0.5, 1}, 2)
	tree := randomTree(newRand(9), 9, false)
	_, cost := tree.Cost(context.Background(), constantly(math.NaN()))
	_, large := tree.Cost(context.Background(), constantly(math.MaxFloat64))
	for _, c := range []struct {
		name string
		err  error
		want string
	}{
		{"NaN", nan, "row 1, column 1 is NaN: want a finite number"},
		{"infinite", inf, "row 1, column 0 is +Inf"},
		{"hole", hole, "similarity of leaves 1 and 0 is NaN"},
		{"lopsided", lopsided, "leaves 1 and 0 is 0.5, of 0 and 1 0.25: want a symmetric matrix"},
		{"cost", cost, "similarity of leaves 1 and 0 is NaN"},
		{"large", large, "too large"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, c.err, c.want)
		}
	}
	if r, err := Standardised(nil, 3); err != nil || r.Len() != 0 {
		t.Errorf("no row: %v", err)
	}
}
