// Package datasets brings labelled images: Blazons, made by code from a seed,
// and Omniglot, read from the archives as published. Both come as a Split
// whose training and test classes are disjoint, with the tree above the
// classes, so that retrieval of unseen classes and the hierarchy can be scored.
// UCI reads three small tables for clustering.
//
// The benchmarks of the field, CUB, Cars196, SOP and InShop, and own folders come
// as a Benchmark of image files, split as published; MakeToy writes small copies
// of them to try things with. ReadFeatures reads precomputed embeddings.
package datasets

import (
	"fmt"
	"image"
	"image/color"
	"slices"
)

// Set is labelled images of one shape, in memory, with the tree above their
// classes: classes stand in superclasses, and these may stand in groups.
//
// Its methods only read, so it may be used from many goroutines. A Set filled
// by hand should pass Validate.
type Set struct {
	Name    string
	C, H, W int      // channels (1 grey, 3 RGB), height, width
	Pixels  []uint8  // n×C×H×W, row-major: item, channel, row, column
	Labels  []int    // class of each item, in [0, len(Classes))
	Names   []string // of each item; nil: none

	Classes []string // name of each class
	Super   []int    // superclass of each class; nil: none known
	Supers  []string // name of each superclass
	Group   []int    // group of each superclass; nil: none known
	Groups  []string // name of each group
	Levels  []string // what superclasses and groups are called, plural; nil: just so
}

// Split is a data set cut by class: no class of Train is in Test or
// Validation, unless the reader was told to keep such classes. The labels of
// each part count from 0, so label 3 of Train and label 3 of Test are different
// classes; their names tell.
type Split struct {
	Train, Test *Set
	Validation  *Set   // held-out training classes; nil unless asked for
	Note        string // what the reader should know about this cut; may be empty
}

// Len is the number of items.
func (s *Set) Len() int { return len(s.Labels) }

// Shape is channels, height and width of every item.
func (s *Set) Shape() (c, h, w int) { return s.C, s.H, s.W }

// Label is the class of item i. It panics if there is no item i.
func (s *Set) Label(i int) int { return s.Labels[i] }

// Item writes item i into dst, C×H×W, row-major: pixel/127.5 - 1, so that 0
// becomes -1 and 255 becomes 1.
//
// Item panics if there is no item i or dst is not C·H·W long. It gives an
// error if the set itself is too short, which only a set filled by hand can be.
func (s *Set) Item(dst []float32, i int) error {
	d := s.size()
	if i < 0 || i >= len(s.Labels) {
		panic(fmt.Sprintf("datasets: Item: no item %d among %d", i, len(s.Labels)))
	}
	if len(dst) != d {
		panic(fmt.Sprintf("datasets: Item: dst has length %d, want %d×%d×%d = %d", len(dst), s.C, s.H, s.W, d))
	}
	if len(s.Pixels) < (i+1)*d {
		return fmt.Errorf("datasets: %s: item %d of %d: Pixels has %d bytes and ends before it: see Validate", s.Name, i, s.Len(), len(s.Pixels))
	}
	scale(dst, s.Pixels[i*d:(i+1)*d])
	return nil
}

// Floats is all items as one array, n×(C·H·W), row-major, scaled as Item does:
// the input of a baseline on raw pixels. It takes four bytes a pixel. It panics
// if the set does not pass Validate.
func (s *Set) Floats() []float32 {
	if err := s.Validate(); err != nil {
		panic(err.Error())
	}
	x := make([]float32, len(s.Pixels))
	scale(x, s.Pixels)
	return x
}

// scale maps bytes to [-1, 1].
func scale(dst []float32, src []uint8) {
	for j, p := range src {
		dst[j] = float32(p)/127.5 - 1
	}
}

// Image is item i as a picture of its own memory. It panics if there is none.
func (s *Set) Image(i int) image.Image {
	d, plane := s.size(), s.H*s.W
	p := s.Pixels[i*d : (i+1)*d]
	r := image.Rect(0, 0, s.W, s.H)
	if s.C == 1 {
		m := image.NewGray(r)
		copy(m.Pix, p)
		return m
	}
	m := image.NewNRGBA(r)
	for j := range plane {
		m.SetNRGBA(j%s.W, j/s.W, color.NRGBA{R: p[j], G: p[plane+j], B: p[2*plane+j], A: 255})
	}
	return m
}

// size is the number of values of an item.
func (s *Set) size() int { return s.C * s.H * s.W }

// Validate says whether the parts of the set fit each other: lengths, labels in
// range, every class with an item, the tree within its names.
func (s *Set) Validate() error {
	n := s.Len()
	if s.C != 1 && s.C != 3 || s.H < 1 || s.W < 1 {
		return fmt.Errorf("datasets: %s: shape %d×%d×%d: want 1 or 3 channels and at least one pixel", s.Name, s.C, s.H, s.W)
	}
	if len(s.Pixels) != n*s.size() {
		return fmt.Errorf("datasets: %s: Pixels has %d bytes, want %d items × %d = %d", s.Name, len(s.Pixels), n, s.size(), n*s.size())
	}
	if s.Names != nil && len(s.Names) != n {
		return fmt.Errorf("datasets: %s: %d Names for %d items: want one for each, or nil", s.Name, len(s.Names), n)
	}
	counts := make([]int, len(s.Classes))
	for i, c := range s.Labels {
		if c < 0 || c >= len(counts) {
			return fmt.Errorf("datasets: %s: item %d: label %d: want 0 to %d, as there are %d Classes", s.Name, i, c, len(counts)-1, len(counts))
		}
		counts[c]++
	}
	if c := slices.Index(counts, 0); c >= 0 {
		return fmt.Errorf("datasets: %s: class %d (%s) has no item: leave it out with Subset", s.Name, c, s.Classes[c])
	}
	if err := s.checkLevel("Super", s.Super, len(s.Classes), len(s.Supers)); err != nil {
		return err
	}
	return s.checkLevel("Group", s.Group, len(s.Supers), len(s.Groups))
}

// checkLevel checks one level of the tree: up maps n nodes to one of m.
func (s *Set) checkLevel(name string, up []int, n, m int) error {
	if up == nil && m == 0 {
		return nil
	}
	if len(up) != n {
		return fmt.Errorf("datasets: %s: %s has length %d, want %d, one for each node below", s.Name, name, len(up), n)
	}
	for i, p := range up {
		if p < 0 || p >= m {
			return fmt.Errorf("datasets: %s: %s[%d] = %d: want 0 to %d, as there are %d %ss", s.Name, name, i, p, m-1, m, name)
		}
	}
	return nil
}
