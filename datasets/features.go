package datasets

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Features is precomputed embeddings of labelled items, such as the output of a
// frozen backbone: the input of heads that are trained on them. It is a source
// of items as Set is, of shape D×1×1.
type Features struct {
	Name    string
	D       int       // numbers of an item
	X       []float32 // n×D, row-major, finite
	Labels  []int     // class of each item, in [0, len(Classes))
	Classes []string
	Splits  []string // part of each item: train, query or gallery; nil: none known
}

// FeatureOptions says where things lie in a file. The zero value finds them by
// their usual names.
type FeatureOptions struct {
	Features   string // name of the array; "" means features, embeddings or x, or the only one of two dimensions. Not for CSV
	Labels     string // name of the array or column; "" means labels, label, targets, target, class or y
	Split      string // name of the array or column; "" means split
	LabelsFile string // another file that holds the labels, .npy or .pt with one array; "" means NAME.labels.npy beside a NAME.npy
}

// maxFeatures bounds the bytes of a file of features.
const maxFeatures = 8 << 30

// ReadFeatures reads features from a file, by its ending:
//
//	.csv           a header; columns label and, if there, split; path, name and id are
//	               passed over; all other columns are the numbers
//	.npy           NumPy, n×D, with the labels in another .npy: see LabelsFile
//	.npz           NumPy, arrays features, labels and, if there, split
//	.safetensors   tensors of these names
//	.pt, .pth      torch.save of a dict of tensors of these names: known kinds of
//	               tensors only, nothing in the file is run
//
// Numbers may be of 16 to 64 bits and become float32. Labels are whole numbers,
// or texts where the format has them; classes are numbered in their order.
// Split is train, query (or test, the same) or gallery, or 0, 1 or 2 for these.
//
// Parquet is not read: the library for it takes gigabytes for a broken file of a
// kilobyte and would make chest larger by more than five megabytes.
//
// The file is not trusted: sizes are checked before memory is taken, and what
// does not fit gives an error that names file, line or array, finding and
// remedy; a number that is not finite does, too. Cost: up to three times the
// file in memory while it is read.
func ReadFeatures(ctx context.Context, path string, o FeatureOptions) (*Features, error) {
	f, err := readFeatures(ctx, path, o)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%w: features: there is no %s; check the path", ErrNoData, path)
		}
		return nil, fmt.Errorf("datasets: features: %s: %w", path, err)
	}
	f.Name = strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	return f, nil
}

func readFeatures(ctx context.Context, path string, o FeatureOptions) (*Features, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("stopped before it was read: %w", err)
	}
	file, size, err := openFeatures(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if strings.EqualFold(filepath.Ext(path), ".csv") {
		return readCSV(ctx, file, o)
	}
	arrays, err := openArrays(path, file, size)
	if err != nil {
		return nil, err
	}
	return arrays.features(ctx, path, o)
}

// openFeatures opens an ordinary file that is not too large.
func openFeatures(path string) (*os.File, int64, error) {
	if st, err := os.Stat(path); err != nil {
		return nil, 0, err
	} else if !st.Mode().IsRegular() { // before it is opened: a pipe would wait
		return nil, 0, errors.New("not a file; name a file of features")
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	st, err := file.Stat()
	if err == nil && (!st.Mode().IsRegular() || st.Size() > maxFeatures) {
		err = fmt.Errorf("not a file of at most %d bytes but %s of %d; cut it into parts", int64(maxFeatures), st.Mode().Type(), st.Size())
	}
	if err == nil && st.Size() == 0 {
		err = errors.New("the file is empty; write it again")
	}
	if err != nil {
		file.Close()
		return nil, 0, err
	}
	return file, st.Size(), nil
}

// Len is the number of items.
func (f *Features) Len() int { return len(f.Labels) }

// Shape is D×1×1.
func (f *Features) Shape() (c, h, w int) { return f.D, 1, 1 }

// Label is the class of item i. It panics if there is no item i.
func (f *Features) Label(i int) int { return f.Labels[i] }

// Row is item i, a part of X. It panics if there is none.
func (f *Features) Row(i int) []float32 { return f.X[i*f.D : (i+1)*f.D] }

// Item copies item i into dst. It panics if there is no item i or dst is not D
// long. It gives an error if X is too short, which only Features filled by hand
// can be.
func (f *Features) Item(dst []float32, i int) error {
	if i < 0 || i >= len(f.Labels) {
		panic(fmt.Sprintf("datasets: Item: no item %d among %d", i, len(f.Labels)))
	}
	if len(dst) != f.D {
		panic(fmt.Sprintf("datasets: Item: dst has length %d, want %d", len(dst), f.D))
	}
	if len(f.X) < (i+1)*f.D {
		return fmt.Errorf("datasets: %s: item %d of %d: X has %d numbers and ends before it", f.Name, i, f.Len(), len(f.X))
	}
	copy(dst, f.Row(i))
	return nil
}

// String is one line, such as "cub: 11788 items of 384 numbers, 200 classes".
func (f *Features) String() string {
	return fmt.Sprintf("%s: %d items of %d numbers, %d classes", f.Name, f.Len(), f.D, len(f.Classes))
}

// Part is the items of a split (train, query or gallery), with memory of their
// own. Classes are numbered anew in their old order; query and gallery share one
// numbering. A split without items gives Features without items.
func (f *Features) Part(split string) *Features {
	var rows []int
	used := make([]bool, len(f.Classes))
	for i, s := range f.Splits {
		if s == split {
			rows = append(rows, i)
		}
		if (s == "train") == (split == "train") {
			used[f.Labels[i]] = true
		}
	}
	to := renumber(used)
	part := &Features{Name: f.Name + " " + split, D: f.D, Classes: pick(f.Classes, to), X: make([]float32, 0, len(rows)*f.D)}
	for _, i := range rows {
		part.X = append(part.X, f.Row(i)...)
		part.Labels = append(part.Labels, to[f.Labels[i]])
		part.Splits = append(part.Splits, split)
	}
	return part
}

// named numbers classes by the order of their names: as whole numbers if all
// are, as texts otherwise.
func (f *Features) named(labels []string) {
	seen := map[string]int{}
	whole := true
	for _, l := range labels {
		if _, ok := seen[l]; !ok {
			seen[l] = 0
			f.Classes = append(f.Classes, l)
			n, err := strconv.ParseInt(l, 10, 64)
			whole = whole && err == nil && strconv.FormatInt(n, 10) == l
		}
	}
	slices.SortFunc(f.Classes, func(a, b string) int {
		if whole {
			m, _ := strconv.ParseInt(a, 10, 64)
			n, _ := strconv.ParseInt(b, 10, 64)
			return cmp.Compare(m, n)
		}
		return cmp.Compare(a, b)
	})
	for c, l := range f.Classes {
		seen[l] = c
	}
	f.Labels = make([]int, len(labels))
	for i, l := range labels {
		f.Labels[i] = seen[l]
	}
}

// splitName is the split that a text or number means, "" if it means none.
func splitName(s string) string {
	switch s {
	case "train", "0":
		return "train"
	case "query", "test", "1":
		return "query"
	case "gallery", "2":
		return "gallery"
	}
	return ""
}

// finite is the first number that is not, -1 if all are.
func finite(x []float32) int {
	return slices.IndexFunc(x, func(v float32) bool { return math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) })
}
