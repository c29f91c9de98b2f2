package sweep

import (
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/parquet-go/parquet-go"
)

// WriteParquet writes the table of WriteCSV as a Parquet file, for data frames:
// a column is of numbers (double) if all values that it has are numbers, else of
// texts; what a run does not have is null.
func WriteParquet(w io.Writer, all []Entry) error {
	table := map[string][]string{}
	for k, c := range columns {
		table[c] = column(all, func(e Entry) string { return e.row()[k] })
	}
	for _, g := range byColumn(Paths(all, false)) {
		table[g.name] = column(all, g.of)
	}
	group, numeric := parquet.Group{}, map[string]bool{}
	for name, values := range table {
		kind := parquet.String()
		if numeric[name] = numbers(values) && !slices.Contains(texts, name); numeric[name] {
			kind = parquet.Leaf(parquet.DoubleType)
		}
		group[name] = parquet.Optional(parquet.Compressed(kind, &parquet.Snappy))
	}
	out := parquet.NewGenericWriter[any](w, parquet.NewSchema("runs", group))
	var names []string // in the order of the file
	for _, f := range group.Fields() {
		names = append(names, f.Name())
	}
	for i := range all {
		var row parquet.Row
		for k, name := range names {
			v, level := parquet.Value{}, 0
			if text := table[name][i]; text != "" {
				v, level = value(text, numeric[name]), 1
			}
			row = append(row, v.Level(0, level, k))
		}
		if _, err := out.WriteRows([]parquet.Row{row}); err != nil {
			return fmt.Errorf("sweep: parquet: %w", err)
		}
	}
	if err := out.Close(); err != nil {
		return fmt.Errorf("sweep: parquet: %w", err)
	}
	return nil
}

// texts are columns that are texts also where they look like numbers.
var texts = []string{"id", "state", "began", "host", "go", "chest", "failed"}

// column is a value of each entry.
func column(all []Entry, of func(Entry) string) (values []string) {
	for _, e := range all {
		values = append(values, of(e))
	}
	return values
}

// numbers says that there are values, and that all are numbers.
func numbers(values []string) bool {
	some := false
	for _, v := range values {
		if v == "" {
			continue
		}
		if _, err := strconv.ParseFloat(v, 64); err != nil {
			return false
		}
		some = true
	}
	return some
}

func value(text string, numeric bool) parquet.Value {
	if numeric {
		v, _ := strconv.ParseFloat(text, 64) // numbers has looked
		return parquet.DoubleValue(v)
	}
	return parquet.ByteArrayValue([]byte(text))
}
