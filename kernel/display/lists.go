package display

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

const (
	wholeList = 1000 // elements of a slice that are shown all
	headList  = 20   // of a longer one, so many at its begin
	tailList  = 3    // and so many at its end
)

// OfResults is how the results of one expression are shown, those of a call for
// example: one as Of shows it, several as their texts. A nil at the end, an error
// that did not happen, is left out where something is before it, and before an
// error that did happen what is nil or zero.
func OfResults(values []any) Bundle {
	if n := len(values); n > 1 {
		_, failed := values[n-1].(error)
		switch {
		case values[n-1] == nil:
			values = values[:n-1]
		case failed:
			values = slices.DeleteFunc(slices.Clone(values), func(v any) bool {
				r := reflect.ValueOf(v)
				return !r.IsValid() || r.IsZero()
			})
		}
	}
	switch len(values) {
	case 0:
		return nil
	case 1:
		return Of(values[0])
	}
	texts, between := make([]string, len(values)), " "
	for i, v := range values {
		texts[i] = fmt.Sprint(Of(v)[MIMEText])
		if strings.Contains(texts[i], "\n") {
			between = "\n"
		}
	}
	return Bundle{MIMEText: strings.Join(texts, between)}
}

// listText is the text of a slice that fmt would print as one long line: of many
// numbers or texts those at the ends, of values with a text of their own a line
// for each. False: v is no such slice, or a short one.
func listText(v any) (string, bool) {
	r := reflect.ValueOf(v)
	if r.Kind() != reflect.Slice {
		return "", false
	}
	if tells(r.Type().Elem()) {
		return listLines(r)
	}
	switch k := r.Type().Elem().Kind(); {
	case r.Len() <= wholeList:
		return "", false
	case k >= reflect.Bool && k <= reflect.Complex128, k == reflect.String:
		head, tail := r.Slice(0, headList), r.Slice(r.Len()-tailList, r.Len())
		return fmt.Sprintf("%s … %s %d of %s", strings.TrimSuffix(fmt.Sprint(head), "]"), strings.TrimPrefix(fmt.Sprint(tail), "["), r.Len(), r.Type().Elem()), true
	}
	return "", false
}

// listLines is a line for each of the first maxRows elements, unless all fit on
// one.
func listLines(r reflect.Value) (string, bool) {
	var lines []string
	length := 0
	for i := range min(r.Len(), maxRows) {
		lines = append(lines, fmt.Sprint(r.Index(i).Interface()))
		length += len(lines[i]) + 1
	}
	if length <= briefText {
		return "", false
	}
	if more := r.Len() - len(lines); more > 0 {
		lines = append(lines, fmt.Sprintf("… and %d more", more))
	}
	return strings.Join(lines, "\n"), true
}
