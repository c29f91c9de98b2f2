package features

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/chestlab/chest/internal/durable"
	"github.com/chestlab/chest/internal/safetensors"
)

// format names the files and their version.
const format = "chest features 1"

// Set is features with their labels. It is a model.Source of vectors, for models
// with the trunk "identity".
type Set struct {
	Record Record
	Shard  Shard
	X      []float32 // n×Width, row-major
	Labels []int
}

// Len is the number of items.
func (s *Set) Len() int { return len(s.Labels) }

// Shape is that of an item: a vector.
func (s *Set) Shape() (c, h, w int) { return s.Record.Width, 1, 1 }

// Label is the class of item i.
func (s *Set) Label(i int) int { return s.Labels[i] }

// Item writes the features of item i into dst. It panics if dst has another
// length.
func (s *Set) Item(dst []float32, i int) error {
	d := s.Record.Width
	if len(dst) != d {
		panic(fmt.Sprintf("features: Item: dst has length %d, want %d", len(dst), d))
	}
	copy(dst, s.X[i*d:(i+1)*d])
	return nil
}

// String says what the features are of.
func (s *Set) String() string {
	text := fmt.Sprintf("%d×%d features of %s by %s", s.Len(), s.Record.Width, s.Record.Data, s.Record.Backbone)
	if s.Shard.filled().Of > 1 {
		text += ", shard " + s.Shard.String()
	}
	return text
}

// write writes the file of the set.
func (s *Set) write(path string) error {
	label := make([]int64, len(s.Labels))
	for i, l := range s.Labels {
		label[i] = int64(l)
	}
	meta := map[string]string{"format": format, "record": s.Record.text(), "shard": s.Shard.String()}
	err := durable.Write(path, func(w io.Writer) error {
		return safetensors.Write(w, meta, []safetensors.Tensor{
			{Name: "features", Shape: []int{s.Len(), s.Record.Width}, F32: s.X}, {Name: "label", Shape: []int{s.Len()}, I64: label},
		})
	})
	if err != nil {
		return fmt.Errorf("features: writing %s: %w", path, err)
	}
	return nil
}

// Read reads a file of Extract or Join. want, as Describe makes it, is what the
// features must be of: another backbone, weights, transform, data set or labels
// is an error that names both. Empty fields of want match anything; program and
// level are not compared. A damaged file is an error.
func Read(path string, want Record) (*Set, error) {
	f, err := safetensors.Open(path)
	if err != nil {
		return nil, fmt.Errorf("features: %w", err)
	}
	defer f.Close()
	s, err := read(f)
	if err == nil {
		err = s.Record.differ(want, false)
	}
	if err != nil {
		return nil, fmt.Errorf("features: %s: %w", path, err)
	}
	return s, nil
}

func read(f *safetensors.File) (*Set, error) {
	if got := f.Meta["format"]; got != format {
		return nil, fmt.Errorf("its format is %q, this program reads %q", got, format)
	}
	if err := f.Verify(); err != nil {
		return nil, err
	}
	s := new(Set)
	if err := json.Unmarshal([]byte(f.Meta["record"]), &s.Record); err != nil {
		return nil, fmt.Errorf("its record: %w", err)
	}
	var err error
	if s.Shard, err = ParseShard(f.Meta["shard"]); err != nil {
		return nil, err
	}
	first, end := s.Shard.part(s.Record.Items)
	n := end - first
	_, shape, _ := f.Shape("features")
	_, labels, _ := f.Shape("label")
	if s.Record.Items < 0 || !slices.Equal(shape, []int{n, s.Record.Width}) || !slices.Equal(labels, []int{n}) {
		return nil, fmt.Errorf("its features are %v and its labels %v, its record says [%d %d]", shape, labels, n, s.Record.Width)
	}
	if s.X, err = f.Float32("features"); err != nil {
		return nil, err
	}
	label, err := f.Int64("label")
	if err != nil {
		return nil, err
	}
	s.Labels = make([]int, n)
	for i, l := range label {
		s.Labels[i] = int(l)
	}
	return s, s.checkLabels()
}

// checkLabels compares the labels with their checksum, if they are all there.
func (s *Set) checkLabels() error {
	if s.Shard.Of > 1 {
		return nil
	}
	if got := labelSum(s.Len(), s.Label); got != s.Record.Labels {
		return fmt.Errorf("its labels have the checksum %.19s…, its record says %.19s…", got, s.Record.Labels)
	}
	return nil
}

// Join writes the file of all items from those of all shards, given in any order.
// It has the bytes that one run would have written. Shards that are missing or
// there twice, or that were made in another way than the first, are an error.
func Join(path string, shards ...string) error {
	if len(shards) == 0 {
		return fmt.Errorf("features: Join: no shards")
	}
	sets := make(map[int]*Set)
	from := make(map[int]string)
	var first *Set
	for _, p := range shards {
		s, err := Read(p, Record{})
		if err != nil {
			return err
		}
		if first == nil {
			first = s
		}
		if err := s.Record.differ(first.Record, true); err != nil {
			return fmt.Errorf("features: Join: %s does not fit to %s: %w", p, shards[0], err)
		}
		if s.Shard.Of != first.Shard.Of {
			return fmt.Errorf("features: Join: %s is shard %v, %s is shard %v: they are of two cuts", p, s.Shard, shards[0], first.Shard)
		}
		if other, ok := from[s.Shard.Index]; ok {
			return fmt.Errorf("features: Join: %s and %s are both shard %v", other, p, s.Shard)
		}
		sets[s.Shard.Index], from[s.Shard.Index] = s, p
	}
	all := &Set{Record: first.Record, Shard: Shard{0, 1}}
	var missing []string
	for i := range first.Shard.Of {
		s, ok := sets[i]
		if !ok {
			missing = append(missing, Shard{i, first.Shard.Of}.String())
			continue
		}
		all.X, all.Labels = append(all.X, s.X...), append(all.Labels, s.Labels...)
	}
	if len(missing) > 0 {
		return fmt.Errorf("features: Join: no file holds shard %s", strings.Join(missing, ", "))
	}
	if err := all.checkLabels(); err != nil {
		return fmt.Errorf("features: Join: %w", err)
	}
	return all.write(path)
}
