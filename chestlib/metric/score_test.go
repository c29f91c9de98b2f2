package metric

import (
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
)

// TestEqualRowsTie: copies of a row score the same wherever they lie, at every
// length modulo the widths of vector registers.
func TestEqualRowsTie(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for _, d := range []int{1, 2, 3, 5, 7, 13, 127, 130} {
		for _, o := range []Options{{}, {Space: Hyperbolic, Curvature: 1e-3}} {
			const n = 41
			x := normal(rng, n, d)
			for i := 1; i < n; i++ {
				copy(x[i*d:], x[(1+i%2)*d:(2+i%2)*d]) // rows 1.. are copies of two vectors
			}
			rows, values, err := Neighbours(ctx, x, d, n-1, o)
			if err != nil {
				t.Fatal(err)
			}
			for r := 2; r < n-1; r++ {
				if a, b := rows[r-1], rows[r]; a > b && values[r-1] == values[r] {
					t.Fatalf("d = %d, %v: equal rows %d and %d out of order", d, o.Space, a, b)
				}
			}
			turns := 0
			for r := 1; r < n-1; r++ {
				if rows[r] < rows[r-1] {
					turns++
				}
			}
			if turns > 1 {
				t.Fatalf("d = %d, %v: equal rows do not tie: %v", d, o.Space, rows[:n-1])
			}
		}
	}
}

// TestZeroVectors: similarity 0 to everything, so a zero query sees the
// gallery in order and a zero row stands between acute and obtuse ones.
func TestZeroVectors(t *testing.T) {
	x := []float32{0, 0, -1, 0, 1, 0, 0, 0, 2, 0.1}
	rows, values, err := Neighbours(ctx, x, 2, 4, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if want := []int{1, 2, 3, 4}; !reflect.DeepEqual(rows[:4], want) || values[0] != 0 {
		t.Errorf("zero query: %v %v, want rows %v and 0", rows[:4], values[:4], want)
	}
	if want := []int{4, 0, 3, 1}; !reflect.DeepEqual(rows[8:12], want) {
		t.Errorf("query (1,0): %v, want %v", rows[8:12], want)
	}
}

// TestSmallCosines: values far below 1e-8 are still told apart.
func TestSmallCosines(t *testing.T) {
	x := []float32{1, 0, 1e-12, 1, 2e-12, 1, -1e-12, 1, -2e-12, 1}
	rows, _, err := Neighbours(ctx, x, 2, 4, Options{})
	if want := []int{2, 1, 3, 4}; err != nil || !reflect.DeepEqual(rows[:4], want) {
		t.Errorf("got %v (%v), want %v", rows[:4], err, want)
	}
}

// TestParallel: rows that differ by a factor tie, also where the factor has no
// finite binary form; a row that is only nearly parallel comes after them.
func TestParallel(t *testing.T) {
	line := []float32{1, 3, -2, 5, 7}
	for q := 1; q < 60; q++ {
		var x []float32
		for _, factor := range []int{q, 14, 0, 3, 7, 11, 1, 33} {
			for k, v := range line {
				if factor == 0 && k == 1 {
					v = math.Nextafter32(v, 4)
				}
				x = append(x, v*float32(max(factor, 1)))
			}
		}
		rows, values, err := Neighbours(ctx, x, 5, 7, Options{})
		if want := []int{1, 3, 4, 5, 6, 7, 2}; err != nil || !reflect.DeepEqual(rows[:7], want) || values[5] != 1 {
			t.Fatalf("query %d times the line: got %v, %v (%v), want %v", q, rows[:7], values[:7], err, want)
		}
	}
}

// TestCloseBy: distances that the inner product form would lose.
func TestCloseBy(t *testing.T) {
	x := []float32{1, 0, 1, 3e-10, 1, 1e-10, 1, -2e-10, 1, 0}
	for _, o := range []Options{ball, {Space: Hyperbolic, Flat: true}, {}} {
		rows, _, err := Neighbours(ctx, x, 2, 4, o)
		if want := []int{4, 2, 3, 1}; err != nil || !reflect.DeepEqual(rows[:4], want) {
			t.Errorf("%v: got %v (%v), want %v", o.Space, rows[:4], err, want)
		}
	}
}

// TestExtremes: the largest and smallest float32 neither overflow nor vanish.
func TestExtremes(t *testing.T) {
	for _, s := range []float32{math.MaxFloat32, 0x1p-140} {
		x := []float32{s, 0, s, s, s / 2, s / 4, -s, 0}
		rows, values, err := Neighbours(ctx, x, 2, 3, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if want := []int{2, 1, 3}; !reflect.DeepEqual(rows[:3], want) || !almost(values[0], 2/math.Sqrt(5)) || !almost(values[2], -1) {
			t.Errorf("scale %g: %v %v, want rows %v", s, rows[:3], values[:3], want)
		}
	}
}
