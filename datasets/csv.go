package datasets

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// maxColumns bounds the columns of a CSV file.
const maxColumns = 1 << 20

// passedOver are columns that are neither numbers nor labels.
var passedOver = []string{"path", "name", "id"}

// csvTable reads features from text, a row an item.
type csvTable struct {
	features Features
	labels   []string
	label    int // its column
	split    int // its column; -1: none
	skip     []bool
	head     []string
}

// readCSV reads a CSV file of features.
func readCSV(ctx context.Context, r io.Reader, o FeatureOptions) (*Features, error) {
	in := bufio.NewReaderSize(r, 1<<16)
	if begin, err := in.Peek(3); err == nil && bytes.Equal(begin, []byte("\xef\xbb\xbf")) {
		in.Discard(3)
	} else if len(begin) > 1 && (begin[0] == 0xff && begin[1] == 0xfe || begin[0] == 0xfe && begin[1] == 0xff) {
		return nil, errors.New("the text is UTF-16; save it as UTF-8")
	}
	c := csv.NewReader(in)
	c.ReuseRecord = true
	t := &csvTable{}
	head, err := c.Read()
	if err == nil {
		err = t.header(head, o)
	}
	if errors.Is(err, io.EOF) {
		err = errors.New("no header; write a line with the names of the columns")
	}
	if err != nil {
		return nil, located(c, err)
	}
	for n := 0; ; n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return nil, fmt.Errorf("stopped at row %d: %w", n, ctx.Err())
		}
		record, err := c.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = t.row(record)
		}
		if err != nil {
			return nil, located(c, err)
		}
	}
	if len(t.labels) == 0 {
		return nil, errors.New("no row below the header; write the items there")
	}
	t.features.named(t.labels)
	return &t.features, nil
}

// located names the line of an error.
func located(c *csv.Reader, err error) error {
	var p *csv.ParseError
	if errors.As(err, &p) {
		remedy := "write a field in quotes whole: \"a \"\"b\"\" c\""
		if errors.Is(p.Err, csv.ErrFieldCount) {
			remedy = "want one for each column of the header, separated by commas"
		}
		return fmt.Errorf("line %d, column %d: %w; %s", p.Line, p.Column, p.Err, remedy)
	}
	var at columnError
	if errors.As(err, &at) {
		line, _ := c.FieldPos(at.column)
		return fmt.Errorf("line %d: %w", line, at.err)
	}
	return err
}

// columnError is an error in a column of a row.
type columnError struct {
	column int
	err    error
}

func (e columnError) Error() string { return e.err.Error() }

// at is an error in column k.
func (t *csvTable) at(k int, format string, args ...any) error {
	return columnError{k, fmt.Errorf("column %d (%s): %w", k+1, shown(t.head[k]), fmt.Errorf(format, args...))}
}

// header finds the columns.
func (t *csvTable) header(head []string, o FeatureOptions) error {
	if len(head) > maxColumns {
		return fmt.Errorf("line 1: %d columns; want at most %d", len(head), maxColumns)
	}
	t.head = slices.Clone(head)
	seen := map[string]int{}
	for k, name := range head {
		if !plain(name) {
			return t.at(k, "no plain name; write the header in UTF-8, a name for each column")
		}
		if before, ok := seen[name]; ok {
			return t.at(k, "column %d has this name, too; give each a name of its own", before+1)
		}
		seen[name] = k
	}
	column := func(asked string, usual []string) int {
		if asked != "" {
			usual = []string{asked}
		}
		for _, name := range usual {
			if k, ok := seen[name]; ok {
				return k
			}
		}
		return -1
	}
	t.label, t.split = column(o.Labels, labelNames), column(o.Split, []string{"split"})
	if k := slices.IndexFunc(head, func(s string) bool { _, err := strconv.ParseFloat(s, 64); return err == nil }); t.label < 0 && k >= 0 {
		return fmt.Errorf("line 1: %q is a number where the name of a column should be; write a header above the numbers, such as a,b,label", head[k])
	}
	if t.label < 0 {
		return fmt.Errorf("line 1: no column %s among the %d of the header, %.200q; name it in FeatureOptions.Labels, and separate columns by commas", orAny(o.Labels, labelNames), len(head), some(t.head, 8))
	}
	if t.split < 0 && o.Split != "" {
		return fmt.Errorf("line 1: no column %s; the header has %.200q", shown(o.Split), some(t.head, 8))
	}
	t.skip = make([]bool, len(head))
	for k, name := range head {
		t.skip[k] = k == t.label || k == t.split || slices.Contains(passedOver, name)
		if !t.skip[k] {
			t.features.D++
		}
	}
	if t.features.D == 0 {
		return fmt.Errorf("line 1: no column of numbers; the header has %.200q", some(t.head, 8))
	}
	return nil
}

// row reads one item.
func (t *csvTable) row(record []string) error {
	f := &t.features
	if int64(len(f.X)+f.D)*4 > maxBytes {
		return columnError{0, fmt.Errorf("more than %d MiB of numbers; cut the file into parts", maxBytes>>20)}
	}
	for k, field := range record {
		if t.skip[k] {
			continue
		}
		v, err := strconv.ParseFloat(strings.TrimSpace(field), 32)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return t.at(k, "%s is no finite number; correct it or delete the row", shown(field))
		}
		f.X = append(f.X, float32(v))
	}
	label := record[t.label]
	if !plain(label) || len(label) > maxName {
		return t.at(t.label, "%s is no label; want a plain name of 1 to %d bytes or a number", shown(label), maxName)
	}
	t.labels = append(t.labels, strings.Clone(label))
	if t.split >= 0 {
		s := splitName(record[t.split])
		if s == "" {
			return t.at(t.split, "%s is no split; want train, query, test or gallery", shown(record[t.split]))
		}
		f.Splits = append(f.Splits, s)
	}
	return nil
}
