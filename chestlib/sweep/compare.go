package sweep

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Comparison is the difference of two lines of a table in one measure, over the
// seeds that both have.
type Comparison struct {
	A, B    string // names of the lines
	Measure string
	Seeds   int
	Mean    float64 // of A - B, seed by seed
	Half    float64 // half the width of its 95 % confidence interval; infinite for one seed
}

// Measurable says that 0 lies outside of the confidence interval: if A and B did
// not differ, one of twenty such comparisons would say so by chance.
func (c Comparison) Measurable() bool { return math.Abs(c.Mean) > c.Half }

// String is the comparison in words.
func (c Comparison) String() string {
	what := fmt.Sprintf("%s, %s against %s: ", c.Measure, c.A, c.B)
	switch {
	case c.Seeds == 0:
		return what + "no seed in common"
	case c.Seeds == 1:
		return what + fmt.Sprintf("%+.1f, one seed: no verdict", c.Mean)
	case c.Measurable():
		return what + fmt.Sprintf("%+.1f ± %.1f over %d seeds", c.Mean, c.Half, c.Seeds)
	}
	return what + fmt.Sprintf("%+.1f ± %.1f over %d seeds: nothing measurable", c.Mean, c.Half, c.Seeds)
}

// Compare compares two lines, by their places, in one of Measures, in percent:
//
//	d_s = A_s - B_s,  Mean = mean(d),  Half = t · std(d)/√n
//
// over the n seeds s of both, with t the 97.5 % quantile of Student's distribution
// of n-1 degrees of freedom. Runs of one seed share their batches and, as far as
// shapes agree, their first weights, so that differences vary less than runs do.
// With few seeds t is large, 12.7 for two and 4.3 for three.
//
// It gives an error for a measure that is not there. It panics if there is no such
// line.
func (r Results) Compare(a, b int, measure string) (Comparison, error) {
	x, y := r.Lines[a], r.Lines[b]
	c := Comparison{A: r.name(x), B: r.name(y), Measure: measure}
	var ofA, ofB []float64
	for _, s := range x.Seeds {
		for _, t := range y.Seeds {
			if seedOf(s) != seedOf(t) {
				continue
			}
			v, inA, err := score(s, measure)
			if err != nil {
				return c, err
			}
			w, inB, err := score(t, measure)
			if err != nil {
				return c, err
			}
			if inA && inB {
				ofA, ofB = append(ofA, v), append(ofB, w)
			}
		}
	}
	return Paired(c.A, c.B, measure, ofA, ofB), nil
}

// Paired is Compare for numbers that are no records: those of a and of b, one for
// each seed, in the same order and of a size for which one decimal tells enough,
// such as percent. It panics if they are not as many.
func Paired(a, b, measure string, ofA, ofB []float64) Comparison {
	if len(ofA) != len(ofB) {
		panic(fmt.Sprintf("sweep: comparing %d numbers of %s with %d of %s: want one of each for every seed", len(ofA), a, len(ofB), b))
	}
	c := Comparison{A: a, B: b, Measure: measure, Seeds: len(ofA)}
	if c.Seeds == 0 {
		return c
	}
	d := make([]float64, len(ofA))
	for i, v := range ofA {
		d[i] = v - ofB[i]
	}
	if c.Mean, c.Half = stat.Mean(d, nil), math.Inf(1); c.Seeds > 1 {
		t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(c.Seeds - 1)}.Quantile(0.975)
		c.Half = t * stat.StdErr(stat.StdDev(d, nil), float64(c.Seeds))
	}
	return c
}

func seedOf(r Record) uint64 {
	if r.Asked == nil {
		return 0
	}
	return r.Asked.Seed
}

// name is a line's row and the values of its grid.
func (r Results) name(l Result) string {
	text := l.Row
	for i, v := range l.Values {
		if text != "" {
			text += ", "
		}
		text += fmt.Sprintf("%s %v", r.Grid[i].Path, v)
	}
	if text == "" {
		return l.Data
	}
	return text
}
