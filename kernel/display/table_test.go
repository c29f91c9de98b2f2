package display

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

type person struct {
	Name   string
	Age    int
	secret string
	Tags   []string
}

type fruit int

func (f fruit) String() string { return "fruit" }

// plane is a matrix as gonum's are.
type plane struct{ r, c int }

func (p plane) Dims() (int, int)    { return p.r, p.c }
func (p plane) At(i, j int) float64 { return float64(i) + float64(j)/10 }

func TestTables(t *testing.T) {
	for _, c := range []struct {
		name string
		v    any
		want string // text; "" means that no table comes
		html string // a part of it
	}{
		{"structs", []person{{"Ada", 36, "x", nil}, {"Bo", 7, "y", []string{"a", "b"}}},
			"Name  Age  Tags\nAda    36  []\nBo      7  [a b]", `<td align="right">36</td>`},
		{"pointers", []*person{{Name: "Ada <i>"}, nil}, "Name     Age  Tags\nAda <i>    0  []\n<nil>", "Ada &lt;i&gt;"},
		{"structs of a cell", []struct {
			Xname string
			Xn    int
		}{{"a", 1}}, "name  n\na     1", "<th align=\"left\">name</th>"},
		{"coordinates", []struct{ Xmin, Ymin int }{{1, 2}}, "Xmin  Ymin\n   1     2", "Xmin"},
		{"maps", []map[string]any{{"a": 1, "b": "x"}, {"a": 2.5}}, "  a  b\n  1  x\n2.5", "<td align=\"right\">2.5</td>"},
		{"slices", [][]float64{{1, 2}, {3}}, "[[1 2] [3]]", `<td align="right">0</td>`},
		{"long slices", [][]int{{1, 20, 300}, {40000, 5, 6}, {7, 8, 9}, {1000000, 2000000, 3000000}, {4, 5, 6}},
			"         0        1        2\n0        1       20      300\n1    40000        5        6\n2        7        8        9\n3  1000000  2000000  3000000\n4        4        5        6", "<table>"},
		{"map", map[string]int{"b": 2, "a": 1}, "map[a:1 b:2]", "<tr><td align=\"left\">a</td><td align=\"right\">1</td></tr>"},
		{"map of structs", map[int]person{10: {"Ada", 36, "", nil}, 9: {"A long name of somebody, so that it is long", 1, "", nil}},
			"key  Name                                         Age  Tags\n  9  A long name of somebody, so that it is long    1  []\n 10  Ada                                           36  []", "<table>"},
		{"numbers", []int{1, 2}, "", ""},
		{"texts", []fruit{1}, "", ""},
		{"times", []time.Time{{}}, "", ""},
		{"empty", []person{}, "", ""},
		{"bytes", [][]byte{{1}}, "", ""},
		{"cubes", [][][]int{{{1}}}, "", ""},
	} {
		d := Render(c.v)
		h, ok := d.Data[MIMEHTML].(string)
		if ok != (c.want != "") || !strings.Contains(h, c.html) {
			t.Errorf("%s: %v", c.name, d.Data)
		}
		want := c.want
		if want == "" {
			want = fmt.Sprint(c.v)
		}
		if d.Text() != want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, d.Text(), want)
		}
	}
}

func TestLargeTable(t *testing.T) {
	d := Render(make([]person, 1000))
	if n := strings.Count(d.Text(), "\n"); n != maxRows+1 || !strings.HasSuffix(d.Text(), "… 940 more rows") {
		t.Errorf("%d lines: %s", n, d.Text())
	}
	if h := d.Data[MIMEHTML].(string); strings.Count(h, "<tr>") != maxRows+1 || !strings.HasSuffix(h, "<p>… 940 more rows</p>") {
		t.Error(h)
	}
	wide := make([][]int, 1)
	wide[0] = make([]int, 500)
	if s := Render(wide).Text(); !strings.HasSuffix(s, "… 481 more columns") {
		t.Error(s)
	}
}

func TestMatrix(t *testing.T) {
	if got, want := Render(plane{2, 3}).Text(), "2×3  0    1    2\n  0  0  0.1  0.2\n  1  1  1.1  1.2"; got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	d := Render(plane{1000000000, 1})
	if s := d.Text(); strings.Count(s, "\n") != 2*edge+1 || !strings.Contains(s, "\n           …      …\n   999999994  1e+09") {
		t.Error(s)
	}
	if !strings.Contains(d.Data[MIMEHTML].(string), "<th align=\"right\">1000000000×1</th>") {
		t.Error(d.Data[MIMEHTML])
	}
}

// TestTexts: what is no table is as fmt prints it.
func TestTexts(t *testing.T) {
	for _, c := range []struct {
		v    any
		want string
	}{
		{90 * time.Second, "1m30s"},
		{os.ErrNotExist, "file does not exist"},
		{&person{Name: "Ada"}, "&{Ada 0  []}"},
		{map[string]int{}, "map[]"},
		{struct{ A []int }{[]int{1}}, "{[1]}"},
	} {
		if d := Render(c.v); d.Text() != c.want || len(d.Data) != 1 {
			t.Errorf("%v, want %s", d.Data, c.want)
		}
	}
}
