package datasets

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/chestlab/chest/internal/npy"
	"github.com/chestlab/chest/internal/numbers"
	"github.com/chestlab/chest/internal/safetensors"
	"github.com/chestlab/chest/internal/torchfile"
)

// arrays is the named arrays of a file. One that has no names has "".
type arrays struct {
	names []string
	shape func(name string) []int
	read  func(name string) (*numbers.Array, error)
	alone bool // a file of one array without a name
}

// openArrays opens a file of arrays by its ending.
func openArrays(path string, file io.ReaderAt, size int64) (*arrays, error) {
	switch ending := strings.ToLower(filepath.Ext(path)); ending {
	case ".npy":
		a, err := npy.ReadFile(file, size, 2*maxBytes)
		return ofOne(a), again(err)
	case ".npz":
		z, err := npy.OpenZip(file, size)
		if err != nil {
			return nil, again(err)
		}
		read := func(name string) (*numbers.Array, error) { return z.Array(name, 2*maxBytes) }
		return &arrays{names: z.Names, shape: z.Shape, read: read}, nil
	case ".safetensors":
		f, err := safetensors.Read(file, size)
		if err != nil {
			return nil, fmt.Errorf("%w; write the file again", err)
		}
		shape := func(name string) []int { _, s, _ := f.Shape(name); return s }
		return &arrays{names: f.Names, shape: shape, read: f.Array}, nil
	case ".pt", ".pth":
		f, err := torchfile.Read(file, size)
		if err != nil {
			return nil, again(err)
		}
		shape := func(name string) []int { _, s, _ := f.Shape(name); return s }
		return &arrays{names: f.Names, shape: shape, read: f.Array, alone: slices.Equal(f.Names, []string{""})}, nil
	case ".parquet":
		return nil, errors.New("files of Parquet are not read; write the table as .csv, or its arrays as .npz or .safetensors")
	default:
		return nil, fmt.Errorf("ending %s; want .csv, .npy, .npz, .safetensors, .pt or .pth", shown(ending))
	}
}

// again adds what to do to an error of a format that does not say it itself.
func again(err error) error {
	if err == nil || strings.Contains(err.Error(), ";") {
		return err
	}
	return fmt.Errorf("%w; write the file again", err)
}

// ofOne is an array that was read already.
func ofOne(a *numbers.Array) *arrays {
	return &arrays{
		names: []string{""}, alone: true,
		shape: func(string) []int { return a.Shape },
		read:  func(string) (*numbers.Array, error) { return a, nil },
	}
}

// Usual names of arrays and columns.
var (
	featureNames = []string{"features", "embeddings", "x"}
	labelNames   = []string{"labels", "label", "targets", "target", "class", "y"}
)

// find is the name that was asked for, or the first of the usual ones; ok is
// false if it is not there.
func (a *arrays) find(asked string, usual ...string) (name string, ok bool) {
	if asked != "" {
		usual = []string{asked}
	}
	for _, name := range usual {
		if slices.Contains(a.names, name) {
			return name, true
		}
	}
	return "", false
}

// listed is the names for a message.
func (a *arrays) listed() string {
	return fmt.Sprintf("the file has %.200q", some(a.names, 8))
}

// features reads features, labels and split.
func (a *arrays) features(ctx context.Context, path string, o FeatureOptions) (*Features, error) {
	name, err := a.matrix(o.Features)
	if err != nil {
		return nil, err
	}
	shape := a.shape(name)
	if len(shape) != 2 || shape[0] < 1 || shape[1] < 1 {
		return nil, fmt.Errorf("array %q has the shape %v; want n×D, a row for each item", name, shape)
	}
	if n, err := numbers.Count(shape, 4, maxBytes); err != nil {
		return nil, fmt.Errorf("array %q: %d numbers: %w; cut the file into parts", name, n, err)
	}
	x, err := a.read(name)
	if err != nil {
		return nil, again(err)
	}
	if !x.Kind.Float() && !x.Kind.Integer() {
		return nil, fmt.Errorf("array %q has texts; want numbers", name)
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("stopped while it was read: %w", err)
	}
	f := &Features{D: shape[1], X: x.Float32s()}
	if k := finite(f.X); k >= 0 {
		return nil, fmt.Errorf("array %q: row %d, column %d is %g; want finite numbers: correct or delete the row", name, k/f.D, k%f.D, f.X[k])
	}
	labels, err := a.labels(path, o, shape[0])
	if err != nil {
		return nil, err
	}
	f.named(labels)
	return f, a.splits(f, o)
}

// matrix is the name of the features.
func (a *arrays) matrix(asked string) (string, error) {
	if a.alone {
		return "", nil
	}
	if name, ok := a.find(asked, featureNames...); ok {
		return name, nil
	}
	if asked != "" {
		return "", fmt.Errorf("there is no array %s; %s", shown(asked), a.listed())
	}
	var flat []string
	for _, name := range a.names {
		if len(a.shape(name)) == 2 {
			flat = append(flat, name)
		}
	}
	if len(flat) != 1 {
		return "", fmt.Errorf("%d arrays of two dimensions and none is called %s; name it in FeatureOptions.Features: %s", len(flat), strings.Join(featureNames, ", "), a.listed())
	}
	return flat[0], nil
}

// labels are n labels, from this file or another.
func (a *arrays) labels(path string, o FeatureOptions, n int) ([]string, error) {
	from := a
	if a.alone || o.LabelsFile != "" {
		beside, err := openLabels(path, o.LabelsFile)
		if err != nil {
			return nil, err
		}
		from = beside
	}
	name, ok := from.find(o.Labels, labelNames...)
	if from.alone {
		name, ok = "", true
	}
	if !ok {
		return nil, fmt.Errorf("there is no array %s; name it in FeatureOptions.Labels: %s", shown(orAny(o.Labels, labelNames)), from.listed())
	}
	return from.texts(name, n)
}

// orAny is the name asked for or the usual ones.
func orAny(asked string, usual []string) string {
	if asked != "" {
		return asked
	}
	return strings.Join(usual, ", ")
}

// openLabels reads the other file that holds labels.
func openLabels(path, other string) (*arrays, error) {
	if other == "" {
		other = strings.TrimSuffix(path, filepath.Ext(path)) + ".labels.npy"
		if _, err := os.Stat(other); errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("no labels: there is no %s; write it, or name another file in FeatureOptions.LabelsFile", other)
		}
	}
	file, size, err := openFeatures(other)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("no labels: there is no %s; write it, or name another file in FeatureOptions.LabelsFile", other)
	}
	if err != nil {
		return nil, fmt.Errorf("labels: %s: %w", other, err)
	}
	defer file.Close()
	a, err := openArrays(other, file, size)
	if err != nil {
		return nil, fmt.Errorf("labels: %s: %w", other, err)
	}
	if len(a.names) != 1 {
		return nil, fmt.Errorf("labels: %s: %d arrays; want a file of one", other, len(a.names))
	}
	x, err := a.read(a.names[0]) // while the file is open
	if err != nil {
		return nil, fmt.Errorf("labels: %s: %w", other, err)
	}
	return ofOne(x), nil
}

// texts are the n elements of an array as texts; numbers have to be whole.
func (a *arrays) texts(name string, n int) ([]string, error) {
	shape := a.shape(name)
	if rows, err := numbers.Count(shape, 1, maxBytes); err != nil || rows != n || len(shape) == 0 || shape[0] != n {
		return nil, fmt.Errorf("array %q has the shape %v; want %d, one for each row of the features", name, shape, n)
	}
	x, err := a.read(name)
	if err != nil {
		return nil, again(err)
	}
	out := make([]string, n)
	switch {
	case x.Kind == numbers.None:
		for i, s := range x.Texts {
			if !plain(s) || len(s) > maxName {
				return nil, fmt.Errorf("array %q: element %d is %s; want a plain name of 1 to %d bytes", name, i, shown(s), maxName)
			}
			out[i] = s
		}
	case x.Kind.Integer():
		for i, v := range x.Int64s() {
			out[i] = strconv.FormatInt(v, 10)
		}
	default:
		return nil, fmt.Errorf("array %q has numbers of type %s; want whole numbers: save it as int64", name, x.Kind)
	}
	return out, nil
}

// splits reads the split, where there is one.
func (a *arrays) splits(f *Features, o FeatureOptions) error {
	name, ok := a.find(o.Split, "split")
	if !ok {
		if o.Split != "" {
			return fmt.Errorf("there is no array %s; %s", shown(o.Split), a.listed())
		}
		return nil
	}
	texts, err := a.texts(name, f.Len())
	if err != nil {
		return err
	}
	f.Splits = texts
	for i, s := range texts {
		if f.Splits[i] = splitName(s); f.Splits[i] == "" {
			return fmt.Errorf("array %q: element %d is %s; want train, query, test or gallery, or 0, 1 or 2", name, i, shown(s))
		}
	}
	return nil
}
