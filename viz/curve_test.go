package viz

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

// two is a curve with everything in it.
func two() *CurveFigure {
	return Curve([]Series{
		{Name: "loss", X: []float64{1, 2, 3}, Y: []float64{2, 1, 0.5}, Std: []float64{0.1, 1.5, 0.25}},
		{Name: "R@1 </script>", Y: []float64{0.25, 1.0 / 3, 0.75}, Right: true},
	}, CurveOptions{Title: "CHEST", Caption: "mean ± std over 5 seeds", X: "epoch", Left: "loss", Right: "recall"})
}

func TestCurveGolden(t *testing.T) {
	b, err := two().Option()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "curve.json", lines(t, b))
	golden(t, "curve.txt", two().Alt()+"\n")
}

func TestCurveErrors(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		name string
		s    Series
		o    CurveOptions
		want string
	}{
		{"NaN", Series{Name: "loss", Y: []float64{1, nan}}, CurveOptions{}, `series "loss" row 1: Y is NaN`},
		{"infinite X", Series{X: []float64{math.Inf(-1)}, Y: []float64{1}}, CurveOptions{}, `series "series 1" row 0: X is -Inf`},
		{"too large", Series{Name: "a", Y: []float64{1e301}}, CurveOptions{}, `series "a" row 0: Y is 1e+301`},
		{"NaN band", Series{Name: "a", Y: []float64{1}, Std: []float64{nan}}, CurveOptions{}, `series "a" row 0: Std is NaN`},
		{"negative band", Series{Name: "a", Y: []float64{1}, Std: []float64{-1}}, CurveOptions{}, `series "a" row 0: Std is -1`},
		{"zero on a log axis", Series{Name: "a", Y: []float64{1, 0}}, CurveOptions{Log: true}, `series "a" row 1: Y is 0, which has no place`},
		{"zero beside a log axis", Series{Name: "a", Y: []float64{1, 0}, Right: true}, CurveOptions{Log: true}, ""},
	} {
		f := Curve([]Series{c.s}, c.o)
		_, optionErr := f.Option()
		_, pngErr := f.PNG()
		if c.want == "" {
			if optionErr != nil || pngErr != nil {
				t.Errorf("%s: %v, %v", c.name, optionErr, pngErr)
			}
			continue
		}
		if optionErr == nil || pngErr == nil || !strings.Contains(optionErr.Error(), c.want) {
			t.Errorf("%s: errors %v and %v, want %q", c.name, optionErr, pngErr, c.want)
		}
	}
}

func TestCurvePanics(t *testing.T) {
	for _, s := range []Series{
		{X: []float64{1}, Y: []float64{1, 2}},
		{X: []float64{}, Y: []float64{1}},
		{Y: []float64{1, 2}, Std: []float64{1}},
	} {
		func() {
			defer func() {
				if r := recover(); r == nil || !strings.HasPrefix(fmt.Sprint(r), "viz: curve: ") {
					t.Errorf("%v: panic %v", s, r)
				}
			}()
			Curve([]Series{s}, CurveOptions{})
		}()
	}
}

// TestCurveBands follows a band through zero and on a logarithmic axis: the
// hidden lower edge plus the height must be the upper edge.
func TestCurveBands(t *testing.T) {
	s := Series{Name: "a", Y: []float64{0.5, 2}, Std: []float64{2, 0.5}}
	for _, c := range []struct {
		log  bool
		want [2][2]float64
	}{
		{false, [2][2]float64{{-1.5, 2.5}, {1.5, 2.5}}},
		{true, [2][2]float64{{0.005, 2.5}, {1.5, 2.5}}},
	} {
		all := seriesOf(decoded(t, Curve([]Series{s}, CurveOptions{Log: c.log})), "line")
		if len(all) != 3 {
			t.Fatalf("%d series for a line with a band", len(all))
		}
		for i := range 2 {
			lo, height := value(all[1], i), value(all[2], i)
			if math.Abs(lo-c.want[i][0]) > 1e-9 || math.Abs(lo+height-c.want[i][1]) > 1e-9 {
				t.Errorf("log %v row %d: band %g to %g, want %v", c.log, i, lo, lo+height, c.want[i])
			}
		}
		if all[1]["stackStrategy"] != "all" || all[0]["stackStrategy"] != nil || all[1]["name"] != "a" {
			t.Error("the band does not stack on negative numbers, or has another name")
		}
	}
}

// value is y of row i of a series of an option.
func value(s map[string]any, i int) float64 {
	return s["data"].([]any)[i].([]any)[1].(float64)
}

func TestCurvePNG(t *testing.T) {
	m, n := pixels(t, two())
	if b := m.Bounds(); b.Dx() != curveWidth*sharp || b.Dy() != curveHeight*sharp || n > heavy {
		t.Fatalf("size %v, %d bytes", b, n)
	}
	// the lines end at x = 3 and x = 2 of 0 … 3, at 0.5 of -0.5 … 2.5 and 0.75 of 0.25 … 0.75
	top, left := 84, curveLeft
	w, h := curveWidth-curveLeft-64, curveHeight-84-curveFloor
	for _, at := range [][2]float64{{0, 1}, {2.0 / 3, 0}} {
		x, y := left+int(at[0]*float64(w)), top+int(at[1]*float64(h))
		if inked(m, x-3, y-3, 6, 6) < 30 {
			t.Errorf("no mark at (%g, %g) of the plot area", at[0], at[1])
		}
	}
	if inked(m, curveLeft+w+6, top, 30, h) == 0 || inked(m, curveLeft, 52, 200, 24) == 0 {
		t.Error("the right axis or the legend is missing")
	}
}

func TestCurveOfNothing(t *testing.T) {
	for name, f := range map[string]*CurveFigure{
		"no series": Curve(nil, CurveOptions{}),
		"no points": Curve([]Series{{}}, CurveOptions{Log: true}),
		"one point": Curve([]Series{{Y: []float64{0}}, {Y: []float64{-2}, Right: true}}, CurveOptions{}),
		"constant":  Curve([]Series{{Y: []float64{3, 3, 3}}}, CurveOptions{Log: true}),
		"minute":    Curve([]Series{{Y: []float64{1e-300, 1e300}, Std: []float64{1, 1}}}, CurveOptions{Log: true}),
		"wide":      Curve([]Series{{X: []float64{-1e300, 1e300}, Y: []float64{-1e300, 1e300}}}, CurveOptions{}),
		"narrow":    Curve([]Series{{X: []float64{1, 1 + 1e-15}, Y: []float64{3, 3 + 1e-15}}}, CurveOptions{}),
		"far":       Curve([]Series{{X: []float64{1e18}, Y: []float64{-1e18}}}, CurveOptions{}),
	} {
		if b := f.MIMEBundle(); b["image/png"] == nil || !strings.Contains(b["text/html"].(string), "<script>") {
			t.Errorf("%s: %v", name, b["text/plain"])
		}
	}
}

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		lo, hi, from, to float64
		n                int
	}{
		{0, 1, 0, 1, 6},
		{0.31, 3.94, 0, 4, 9},
		{-1.2, 1.2, -1.5, 1.5, 7},
		{1, 40, 0, 40, 9},
		{1e-9, 3e-9, 1e-9, 3e-9, 5},
		{990, 1010, 990, 1010, 5},
	} {
		from, to, ticks := nice(c.lo, c.hi)
		if math.Abs(from-c.from) > 1e-9*c.hi || math.Abs(to-c.to) > 1e-9*c.hi || len(ticks) != c.n {
			t.Errorf("nice(%g, %g) = %g, %g, %v; want %g, %g and %d ticks", c.lo, c.hi, from, to, ticks, c.from, c.to, c.n)
		}
	}
	for _, c := range []struct {
		lo, hi float64
		want   []float64
	}{
		{0.3, 4, []float64{0.1, 0.2, 0.5, 1, 2, 5, 10}},
		{1, 10, []float64{1, 2, 5, 10}},
		{1, 1, []float64{1, 2, 5, 10}},
		{0.002, 90, []float64{0.001, 0.01, 0.1, 1, 10, 100}},
	} {
		_, _, ticks := decades(c.lo, c.hi)
		if !slices.EqualFunc(ticks, c.want, func(a, b float64) bool { return math.Abs(a-b) < 1e-9*b }) {
			t.Errorf("decades(%g, %g) = %v, want %v", c.lo, c.hi, ticks, c.want)
		}
	}
}
