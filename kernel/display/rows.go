package display

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strconv"
)

// briefText is how long the usual text of a map or of rows may be to stand for
// the table where there is only text.
const briefText = 60

// tableOf is v as a table, when it is rows: a slice of structs, of pointers to
// structs, of maps or of slices, or a map.
func tableOf(v any) (*table, bool) {
	r := reflect.ValueOf(v)
	if !r.IsValid() {
		return nil, false
	}
	switch r.Kind() {
	case reflect.Map:
		return tableOfMap(r)
	case reflect.Slice, reflect.Array:
		if r.Len() == 0 {
			return nil, false
		}
	default:
		return nil, false
	}
	elem := r.Type().Elem()
	if tells(elem) {
		return nil, false
	}
	switch {
	case structOf(elem) != nil:
		return tableOfStructs(r, structOf(elem))
	case elem.Kind() == reflect.Map:
		return tableOfMaps(r)
	case elem.Kind() == reflect.Slice || elem.Kind() == reflect.Array:
		return tableOfSlices(r)
	}
	return nil, false
}

// tells says whether values of a type have a text of their own, and are no
// rows then.
func tells(t reflect.Type) bool {
	return t.Implements(reflect.TypeFor[fmt.Stringer]()) || t.Implements(reflect.TypeFor[error]()) ||
		t.Implements(reflect.TypeFor[fmt.Formatter]()) || t.Implements(reflect.TypeFor[Displayer]())
}

// structOf is the struct that t is or points to, or nil.
func structOf(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() == reflect.Struct {
		return t
	}
	return nil
}

// cut is the number of rows that are shown of n.
func (t *table) cut(n int) int {
	t.more = max(n-maxRows, 0)
	return n - t.more
}

// tableOfStructs has a column for each field.
func tableOfStructs(r reflect.Value, s reflect.Type) (*table, bool) {
	t := &table{}
	fields := t.fields(s)
	if len(fields) == 0 {
		return nil, false
	}
	for i := range t.cut(r.Len()) {
		t.add(structCells(r.Index(i), fields)...)
	}
	return t, true
}

// fields adds the columns of a struct and returns the fields that they show.
func (t *table) fields(s reflect.Type) (shown []int) {
	for i, name := range fieldNames(s) {
		if name != "" {
			shown = append(shown, i)
			t.header, t.number = append(t.header, name), append(t.number, isNumber(s.Field(i).Type))
		}
	}
	return shown
}

// structCells is a struct, or what a pointer points to, as cells.
func structCells(r reflect.Value, fields []int) []string {
	if r.Kind() == reflect.Pointer {
		if r.IsNil() {
			return []string{"<nil>"}
		}
		r = r.Elem()
	}
	cells := make([]string, len(fields))
	for i, f := range fields {
		cells[i] = cellText(r.Field(f))
	}
	return cells
}

// tableOfMaps has a column for each key.
func tableOfMaps(r reflect.Value) (*table, bool) {
	t := &table{}
	n := t.cut(r.Len())
	var keys []reflect.Value
	seen := map[any]bool{}
	for i := range n {
		for _, k := range r.Index(i).MapKeys() {
			if !seen[k.Interface()] {
				seen[k.Interface()] = true
				keys = append(keys, k)
			}
		}
	}
	if len(keys) == 0 {
		return nil, false
	}
	sortKeys(keys)
	for _, k := range keys {
		t.header = append(t.header, cellText(k))
		t.number = append(t.number, true)
	}
	for i := range n {
		row := make([]string, len(keys))
		for j, k := range keys {
			v := r.Index(i).MapIndex(k)
			row[j] = cellText(v)
			t.number[j] = t.number[j] && (!v.IsValid() || isNumber(concrete(v)))
		}
		t.add(row...)
	}
	return t, true
}

// concrete is the type of what v holds.
func concrete(v reflect.Value) reflect.Type {
	if v.Kind() == reflect.Interface && !v.IsNil() {
		v = v.Elem()
	}
	return v.Type()
}

// tableOfSlices has a column for each index.
func tableOfSlices(r reflect.Value) (*table, bool) {
	elem := r.Type().Elem().Elem()
	if tells(elem) || elem.Kind() == reflect.Slice || elem.Kind() == reflect.Array || elem.Kind() == reflect.Uint8 {
		return nil, false
	}
	t := &table{header: []string{""}, number: []bool{true}, brief: brief(r)}
	columns := 0
	n := t.cut(r.Len())
	for i := range n {
		columns = max(columns, r.Index(i).Len())
	}
	for j := range columns {
		t.header, t.number = append(t.header, fmt.Sprint(j)), append(t.number, isNumber(elem))
	}
	for i := range n {
		row := []string{fmt.Sprint(i)}
		for j := range min(r.Index(i).Len(), maxColumns) {
			row = append(row, cellText(r.Index(i).Index(j)))
		}
		t.add(row...)
	}
	return t, columns > 0
}

// tableOfMap has a row for each key; a value that is a struct fills a column
// for each field.
func tableOfMap(r reflect.Value) (*table, bool) {
	if r.Len() == 0 || tells(r.Type()) {
		return nil, false
	}
	t := &table{header: []string{"key"}, number: []bool{isNumber(r.Type().Key())}, brief: brief(r)}
	elem := r.Type().Elem()
	var fields []int
	if s := structOf(elem); s != nil && !tells(elem) {
		fields = t.fields(s)
	}
	if fields == nil {
		t.header, t.number = append(t.header, "value"), append(t.number, isNumber(elem))
	}
	keys := r.MapKeys()
	sortKeys(keys)
	for _, k := range keys[:t.cut(len(keys))] {
		row := []string{cellText(k)}
		if fields != nil {
			row = append(row, structCells(r.MapIndex(k), fields)...)
		} else {
			row = append(row, cellText(r.MapIndex(k)))
		}
		t.add(row...)
	}
	return t, true
}

// brief is the usual text of r when it is short.
func brief(r reflect.Value) string {
	if r.Len() > briefText {
		return ""
	}
	s := fmt.Sprint(r.Interface())
	if len(s) > briefText {
		return ""
	}
	return s
}

// sortKeys puts the keys of a map in order: numbers by value, others by text.
func sortKeys(keys []reflect.Value) {
	slices.SortStableFunc(keys, func(a, b reflect.Value) int {
		switch {
		case a.CanInt() && b.CanInt():
			return cmp.Compare(a.Int(), b.Int())
		case a.CanUint() && b.CanUint():
			return cmp.Compare(a.Uint(), b.Uint())
		case a.CanFloat() && b.CanFloat():
			return cmp.Compare(a.Float(), b.Float())
		}
		return cmp.Compare(fmt.Sprint(a.Interface()), fmt.Sprint(b.Interface()))
	})
}

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
