package display

import (
	"fmt"
	"strconv"
)

// edge is how many rows or columns are shown at each end of a large matrix.
const edge = 6

// matrix is what every matrix and vector of gonum is.
type matrix interface {
	Dims() (r, c int)
	At(i, j int) float64
}

// showMatrix shows a matrix as a table, with the indices at the edges. Of a
// large one it shows the corners.
func showMatrix(m matrix) Data {
	rows, columns := m.Dims()
	t := &table{header: []string{fmt.Sprintf("%d×%d", rows, columns)}, number: []bool{true}}
	across := excerpt(columns)
	for _, j := range across {
		t.header, t.number = append(t.header, index(j)), append(t.number, true)
	}
	for _, i := range excerpt(rows) {
		row := []string{index(i)}
		for _, j := range across {
			cell := "…"
			if i >= 0 && j >= 0 {
				cell = strconv.FormatFloat(m.At(i, j), 'g', 5, 64)
			}
			row = append(row, cell)
		}
		t.add(row...)
	}
	return t.data()
}

// excerpt lists the indices that are shown of n; -1 is a gap.
func excerpt(n int) (shown []int) {
	for i := range min(n, 2*edge) {
		if n > 2*edge && i >= edge {
			if i == edge {
				shown = append(shown, -1)
			}
			i += n - 2*edge
		}
		shown = append(shown, i)
	}
	return shown
}

func index(i int) string {
	if i < 0 {
		return "…"
	}
	return strconv.Itoa(i)
}
