package sweep

import (
	"math"
	"strings"
	"testing"
)

// scored is a line whose seeds have these MAP@R in E, in percent.
func scored(row string, mapr ...float64) Result {
	l := Result{Cell: Cell{Row: row}}
	for s, v := range mapr {
		r := Record{Asked: &Config{Seed: uint64(s + 1)}}
		r.E.MAPR = v / 100
		l.Seeds = append(l.Seeds, r)
	}
	return l
}

func TestCompare(t *testing.T) {
	r := Results{Lines: []Result{scored("a", 10, 12, 14), scored("b", 9, 10.5, 13.5), scored("c", 11, 12, 13), scored("d", 50)}}
	c, err := r.Compare(0, 1, "MAP@R E")
	if err != nil {
		t.Fatal(err)
	}
	if p := Paired("a", "b", "MAP@R E", []float64{10, 12, 14}, []float64{9, 10.5, 13.5}); math.Abs(p.Half-c.Half) > 1e-9 || math.Abs(p.Mean-c.Mean) > 1e-9 {
		t.Errorf("of numbers %+v, of records %+v", p, c)
	}
	// differences 1, 1.5, 0.5: mean 1, std 0.5; t of two degrees of freedom 4.302653
	if want := 4.302653 * 0.5 / math.Sqrt(3); math.Abs(c.Mean-1) > 1e-9 || math.Abs(c.Half-want) > 1e-6 || c.Seeds != 3 || c.Measurable() {
		t.Errorf("%+v, want 1 ± %g of 3 seeds", c, want)
	}
	if !strings.Contains(c.String(), "a against b: +1.0 ± 1.2 over 3 seeds: nothing measurable") {
		t.Error(c)
	}
	if c, _ := r.Compare(3, 0, "MAP@R E"); c.Seeds != 1 || !math.IsInf(c.Half, 1) || !strings.Contains(c.String(), "no verdict") {
		t.Errorf("one seed: %+v, %s", c, c)
	}
	r.Lines[1] = scored("b", 5, 7.1, 8.9)
	if c, _ := r.Compare(0, 1, "MAP@R E"); !c.Measurable() || strings.Contains(c.String(), "nothing") {
		t.Errorf("5 ± 0.1: %+v", c)
	}
	if _, err := r.Compare(0, 1, "R@5"); err == nil {
		t.Error("an unknown measure: no error")
	}
	if c, _ := (Results{Lines: []Result{scored("a", 1), {}}}).Compare(0, 1, "MAP@R E"); c.Seeds != 0 || !strings.Contains(c.String(), "no seed in common") {
		t.Errorf("%+v", c)
	}
}
