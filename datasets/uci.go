package datasets

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Table is labelled rows of numbers, one item a row.
type Table struct {
	Name    string
	Columns []string  // name of each column
	X       []float64 // n×len(Columns), row-major
	Labels  []int     // class of each row, in [0, len(Classes))
	Names   []string  // of each row; not always different
	Classes []string  // name of each class, as in the file
}

// Len is the number of rows.
func (t *Table) Len() int { return len(t.Labels) }

// Dim is the number of columns.
func (t *Table) Dim() int { return len(t.Columns) }

// Row is row i, a part of X. It panics if there is none.
func (t *Table) Row(i int) []float64 { return t.X[i*t.Dim() : (i+1)*t.Dim()] }

// String is one line, such as "zoo: 101 rows of 16 columns, 7 classes".
func (t *Table) String() string {
	return fmt.Sprintf("%s: %d rows of %d columns, %d classes", t.Name, t.Len(), t.Dim(), len(t.Classes))
}

// uciSet describes a file of the UCI Machine Learning Repository: lines of
// fields, first a name where the rows have one, then columns, then the class.
type uciSet struct {
	name    string
	title   string
	page    string
	paper   string
	rows    int
	named   bool
	columns []string
	classes []string
}

var uciSets = []uciSet{
	{"zoo", "UCI Zoo", "https://archive.ics.uci.edu/dataset/111/zoo", "Forsyth, Zoo, UCI Machine Learning Repository, 1990", 101, true,
		[]string{"hair", "feathers", "eggs", "milk", "airborne", "aquatic", "predator", "toothed", "backbone", "breathes", "venomous", "fins", "legs", "tail", "domestic", "catsize"},
		[]string{"1", "2", "3", "4", "5", "6", "7"}},
	{"iris", "UCI Iris", "https://archive.ics.uci.edu/dataset/53/iris", "Fisher, The Use of Multiple Measurements in Taxonomic Problems, 1936", 150, false,
		[]string{"sepal length", "sepal width", "petal length", "petal width"},
		[]string{"Iris-setosa", "Iris-versicolor", "Iris-virginica"}},
	{"glass", "UCI Glass Identification", "https://archive.ics.uci.edu/dataset/42/glass+identification", "German, Glass Identification, UCI Machine Learning Repository, 1987", 214, true,
		[]string{"RI", "Na", "Mg", "Al", "Si", "K", "Ca", "Ba", "Fe"},
		[]string{"1", "2", "3", "5", "6", "7"}},
}

const (
	maxTable = 1 << 20 // bytes of a file: fifty times the largest
	maxField = 40      // bytes of a field
)

// UCI reads one of three small tables with classes, as published by the UCI
// Machine Learning Repository (CC BY 4.0), which clustering is often tried on:
//
//	"zoo"    101 animals, 16 properties, 7 kinds;        Names are the animals, frog twice
//	"iris"   150 flowers, 4 lengths in cm, 3 species;    Names are the numbers of the lines
//	"glass"  214 splinters, 9 measurements, 6 origins;   Names are the Ids
//
// The file, such as zoo.data, lies in dir, in dir/zoo or in dir/uci/zoo; dir ""
// means the folder that the environment variable CHEST_DATA names. A missing
// file gives an error that wraps ErrNoData and says where to get it.
//
// The file is not trusted: unless it has the published number of rows of the
// right length, with finite numbers and known classes, an error names file, line
// and finding.
func UCI(dir, name string) (*Table, error) {
	k := slices.IndexFunc(uciSets, func(s uciSet) bool { return s.name == name })
	if k < 0 {
		return nil, fmt.Errorf("datasets: UCI: no table %s: use zoo, iris or glass", shown(name))
	}
	s := uciSets[k]
	path, data, err := s.read(dir)
	if err != nil {
		return nil, err
	}
	t, err := s.parse(data)
	if err != nil {
		return nil, fmt.Errorf("datasets: UCI: %s: %w; download the file again from %s", path, err, s.page)
	}
	return t, nil
}

// source describes the table among the other data sets.
func (s uciSet) source() Source {
	return Source{
		Name: s.name, Title: s.title,
		Folders: []string{"uci/" + s.name, s.name}, Marks: []string{s.name + ".data"}, Layout: s.name + ".data",
		Page: s.page, Licence: "CC BY 4.0", Paper: s.paper,
		Counts: []Count{{"table", s.rows, len(s.classes)}},
	}
}

// read finds the file and reads it.
func (s uciSet) read(dir string) (path string, data []byte, err error) {
	if dir == "" {
		dir = os.Getenv(DataVariable)
	}
	if dir == "" {
		return "", nil, fmt.Errorf("%w: UCI %s: no folder given and %s is not set. %s", ErrNoData, s.name, DataVariable, s.whence())
	}
	file := s.name + ".data"
	for _, d := range []string{dir, filepath.Join(dir, "uci", s.name), filepath.Join(dir, s.name)} {
		path = filepath.Join(d, file)
		f, err := os.Open(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", nil, fmt.Errorf("datasets: UCI: %w", err)
		}
		defer f.Close()
		data, err = io.ReadAll(io.LimitReader(f, maxTable+1))
		if err != nil {
			return "", nil, fmt.Errorf("datasets: UCI: %w", err)
		}
		return path, data, nil
	}
	return "", nil, fmt.Errorf("%w: UCI %s: no %s in %s or its subfolders %s and uci/%[2]s. %[6]s", ErrNoData, s.name, file, dir, s.name, s.whence())
}

// whence tells how to get the file.
func (s uciSet) whence() string {
	return fmt.Sprintf("Download %s.data from %s (CC BY 4.0), put it into a folder uci/%s, and set %s to the folder above uci or give it as the argument dir",
		s.name, s.page, s.name, DataVariable)
}

// parse reads the lines of the file. Empty lines at the end do not count.
func (s uciSet) parse(data []byte) (*Table, error) {
	if len(data) > maxTable {
		return nil, fmt.Errorf("more than %d bytes: want a table of %d lines", maxTable, s.rows)
	}
	lines := bytes.Split(bytes.TrimRight(data, "\r\n"), []byte{'\n'})
	if len(lines) != s.rows {
		return nil, fmt.Errorf("%d lines, want %d", len(lines), s.rows)
	}
	t := &Table{Name: s.name, Columns: slices.Clone(s.columns), Classes: slices.Clone(s.classes)}
	for i, line := range lines {
		if err := s.row(t, i, strings.Split(strings.TrimSuffix(string(line), "\r"), ",")); err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	return t, nil
}

// row appends line i.
func (s uciSet) row(t *Table, i int, fields []string) error {
	name, want := strconv.Itoa(i+1), len(s.columns)+1
	if s.named {
		want++
	}
	if len(fields) != want {
		return fmt.Errorf("%d fields, want %d", len(fields), want)
	}
	if s.named {
		name, fields = fields[0], fields[1:]
		if name == "" || len(name) > maxField || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
			return fmt.Errorf("name %s: want a plain one of 1 to %d bytes", shown(name), maxField)
		}
	}
	for j, column := range s.columns {
		v, err := number(fields[j])
		if err != nil {
			return fmt.Errorf("column %s is %s: %w", column, shown(fields[j]), err)
		}
		t.X = append(t.X, v)
	}
	class := fields[len(s.columns)]
	c := slices.Index(s.classes, class)
	if c < 0 {
		return fmt.Errorf("class %s: want one of %s", shown(class), strings.Join(s.classes, ", "))
	}
	t.Names, t.Labels = append(t.Names, name), append(t.Labels, c)
	return nil
}

// number reads a decimal number.
func number(field string) (float64, error) {
	v, err := strconv.ParseFloat(field, 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) || len(field) > maxField || strings.ContainsAny(field, "xX_") {
		return 0, errors.New("want a decimal number")
	}
	return v, nil
}
