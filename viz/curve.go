package viz

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Series is one line of a Curve.
type Series struct {
	Name string
	X, Y []float64 // of equal length; a nil X means 0, 1, 2, …
	Std  []float64 // half height of a band around the line, as long as Y; nil means none
	// Right puts the line on the right axis, as for a recall beside a loss.
	Right bool
}

// CurveOptions says how Curve draws. The zero value draws linear axes without
// names.
type CurveOptions struct {
	Title   string // above the picture; "" means none
	Caption string // one line under the title
	X       string // name of the horizontal axis: "epoch"
	Left    string // name of the left axis
	Right   string // name of the right axis
	Log     bool   // the left axis is logarithmic
}

// CurveFigure is a picture of lines over a common horizontal axis.
type CurveFigure struct {
	forms
	o      CurveOptions
	series []Series
}

// Curve draws lines, such as a loss over epochs, each with a band of ± one
// standard deviation where Std is given. A series may stand on a second axis
// at the right. On a logarithmic axis a band that reaches below zero ends at a
// hundredth of its line.
//
// Curve keeps copies of the slices. A number that is not finite, a negative
// Std and a number that is not positive on a logarithmic axis are errors of
// Option and PNG that name series and row. Curve panics when the lengths of a
// series do not fit.
func Curve(series []Series, o CurveOptions) *CurveFigure {
	f := &CurveFigure{o: o}
	f.forms = forms{f}
	for i, s := range series {
		if s.X == nil {
			s.X = make([]float64, len(s.Y))
			for k := range s.X {
				s.X[k] = float64(k)
			}
		}
		if len(s.X) != len(s.Y) || s.Std != nil && len(s.Std) != len(s.Y) {
			panic(fmt.Sprintf("viz: curve: series %q has %d X, %d Y and %d Std", s.Name, len(s.X), len(s.Y), len(s.Std)))
		}
		if s.Name == "" {
			s.Name = "series " + strconv.Itoa(i+1)
		}
		s.X, s.Y, s.Std = slices.Clone(s.X), slices.Clone(s.Y), slices.Clone(s.Std)
		f.series = append(f.series, s)
	}
	return f
}

// check returns the first number that cannot be drawn as an error.
func (f *CurveFigure) check() error {
	for _, s := range f.series {
		for i := range s.Y {
			if why := f.fault(s, i); why != "" {
				return fmt.Errorf("viz: curve: series %q row %d: %s", s.Name, i, why)
			}
		}
	}
	return nil
}

// fault says what is wrong with row i of s, or "".
func (f *CurveFigure) fault(s Series, i int) string {
	switch {
	case !finite(s.X[i]):
		return fmt.Sprintf("X is %g; a picture needs finite numbers", s.X[i])
	case !finite(s.Y[i]):
		return fmt.Sprintf("Y is %g; a picture needs finite numbers", s.Y[i])
	case s.Std != nil && (!finite(s.Std[i]) || s.Std[i] < 0):
		return fmt.Sprintf("Std is %g; want a finite number that is not negative", s.Std[i])
	case f.logs(s) && s.Y[i] < tiny:
		return fmt.Sprintf("Y is %g, which has no place on a logarithmic axis", s.Y[i])
	}
	return ""
}

// tiny is the least number of a logarithmic axis.
const tiny = 1e-300

// logs says whether s stands on a logarithmic axis.
func (f *CurveFigure) logs(s Series) bool { return f.o.Log && !s.Right }

// band is the lower and upper edge of the band of s at row i.
func (f *CurveFigure) band(s Series, i int) (lo, hi float64) {
	lo, hi = s.Y[i]-s.Std[i], s.Y[i]+s.Std[i]
	if f.logs(s) {
		lo = max(lo, s.Y[i]/100, tiny)
	}
	return lo, hi
}

// twoSided says whether a series stands on the right axis.
func (f *CurveFigure) twoSided() bool {
	return slices.ContainsFunc(f.series, func(s Series) bool { return s.Right })
}

// domain is the range of X of all series; 0 to 1 where there is none.
func (f *CurveFigure) domain() (lo, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, s := range f.series {
		for _, x := range s.X {
			lo, hi = min(lo, x), max(hi, x)
		}
	}
	if lo == hi && math.Abs(lo) < 1e9 {
		return lo - 1, hi + 1
	}
	return widened(lo, hi)
}

// extent is the range of Y, with bands, of the series of one side.
func (f *CurveFigure) extent(right bool) (lo, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, s := range f.series {
		if s.Right != right {
			continue
		}
		for i, y := range s.Y {
			l, h := y, y
			if s.Std != nil {
				l, h = f.band(s, i)
			}
			lo, hi = min(lo, l), max(hi, h)
		}
	}
	return widened(lo, hi)
}

// widened makes a range that can be drawn of an empty one, or of one so narrow
// that it is a single number.
func widened(lo, hi float64) (float64, float64) {
	switch {
	case lo > hi:
		return 0, 1
	case hi-lo > 1e-9*max(math.Abs(lo), math.Abs(hi)):
		return lo, hi
	case lo == 0:
		return -1, 1
	case lo > 0:
		return lo * 0.5, lo * 1.5
	}
	return lo * 1.5, lo * 0.5
}

// Alt says in one line what the picture shows: the last value of each series.
func (f *CurveFigure) Alt() string {
	what := "Curve"
	if f.o.Title != "" {
		what += ": " + f.o.Title
	}
	var last []string
	for _, s := range f.series {
		if n := len(s.Y); n > 0 {
			last = append(last, fmt.Sprintf("%s %.4g at %.6g", s.Name, s.Y[n-1], s.X[n-1]))
		}
	}
	return join("; ", what, strings.Join(last, ", "), f.o.Caption)
}
