package datasets

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/chestlab/chest/kernel/display"
)

// ErrNoData says that the files of a data set are not there. The error that
// wraps it tells where to get them and where to put them.
//
//	split, err := datasets.Omniglot("", datasets.OmniglotOptions{})
//	if errors.Is(err, datasets.ErrNoData) {
//		split, err = datasets.Blazons(datasets.BlazonsOptions{})
//	}
var ErrNoData = errors.New("datasets: no data")

// DataVariable is the environment variable that names the folder of data sets.
const DataVariable = "CHEST_DATA"

// OmniglotOptions controls Omniglot. The zero value trains on the characters
// of images_background_small1.zip (136, in 5 alphabets) and tests on those of
// images_background_small2.zip that are not among them (106 of 156).
type OmniglotOptions struct {
	Train      []string // archives; nil means images_background_small1.zip
	Test       []string // archives; nil means images_background_small2.zip
	Size       int      // width and height in pixels; 0 means 28, 8 to 256; 105 is the original
	KeepShared bool     // keep test characters that occur in training too
	Validation float64  // share of training characters to hold out, in [0, 1); 0 means none
	Seed       uint64   // the choice of Validation is a function of it
}

// Omniglot reads handwritten characters, 20 drawings of each, from the zip
// files as published: images_background_small1.zip and …_small2.zip, or
// images_background.zip and images_evaluation.zip by the options. Characters
// are the classes, alphabets the superclasses. Pictures of 105×105 become
// Size×Size by the mean over areas, ink 255 (1 from Item) on 0 (-1).
//
// The files lie in dir or in dir/omniglot; dir "" means the folder that the
// environment variable CHEST_DATA names. A missing file gives an error that
// wraps ErrNoData and says where to get it.
//
// The two small archives both hold all of Greek and Latin, 50 characters, with
// the same drawings. So that test classes are unseen, a test character whose
// alphabet and number occur in the training archives is left out; Split.Note
// says how many were. KeepShared keeps them. Characters that stand in several
// archives of one part are read once.
//
// It stops with the context of the running cell. The files are not trusted:
// a broken or hostile one gives an error that names file, entry and finding.
//
// Source: Lake, Salakhutdinov, Tenenbaum, "Human-level concept learning through
// probabilistic program induction", Science 350, 2015.
func Omniglot(dir string, o OmniglotOptions) (*Split, error) {
	o = o.filled()
	if err := o.check(); err != nil {
		return nil, err
	}
	dir, err := dataDir(dir)
	if err != nil {
		return nil, err
	}
	ctx, done := context.WithCancel(display.Context()) // stays with the cell that called
	defer done()
	train, err := readSet(ctx, dir, "Omniglot train", o.Train, o.Size)
	if err != nil {
		return nil, err
	}
	test, err := readSet(ctx, dir, "Omniglot test", o.Test, o.Size)
	if err != nil {
		return nil, err
	}
	split := &Split{Train: train, Test: test}
	if err := split.separate(o.KeepShared); err != nil {
		return nil, err
	}
	if err := split.validate(o.Validation, o.Seed); err != nil {
		return nil, err
	}
	return split, nil
}

// filled is o with its defaults.
func (o OmniglotOptions) filled() OmniglotOptions {
	if o.Train == nil {
		o.Train = []string{"images_background_small1.zip"}
	}
	if o.Test == nil {
		o.Test = []string{"images_background_small2.zip"}
	}
	if o.Size == 0 {
		o.Size = 28
	}
	return o
}

// check says which option is out of bounds.
func (o OmniglotOptions) check() error {
	if len(o.Train) == 0 || len(o.Test) == 0 {
		return fmt.Errorf("datasets: Omniglot: no archive for Train or for Test: name one, or leave nil for the default")
	}
	for _, name := range append(o.Train[:len(o.Train):len(o.Train)], o.Test...) {
		if name != filepath.Base(name) || !strings.HasSuffix(name, ".zip") || len(name) > maxName {
			return fmt.Errorf("datasets: Omniglot: archive %s: want the plain name of a .zip file; its folder is the argument dir", shown(name))
		}
	}
	if o.Size < 8 || o.Size > 256 {
		return fmt.Errorf("datasets: Omniglot: Size is %d: want 8 to 256 pixels", o.Size)
	}
	if !(o.Validation >= 0 && o.Validation < 1) {
		return fmt.Errorf("datasets: Omniglot: Validation is %g: want 0 (none) to less than 1", o.Validation)
	}
	return nil
}

// dataDir is dir, or the folder that the environment names.
func dataDir(dir string) (string, error) {
	if dir == "" {
		dir = os.Getenv(DataVariable)
	}
	if dir == "" {
		return "", fmt.Errorf("%w: Omniglot: no folder given and %s is not set. %s", ErrNoData, DataVariable,
			whence("images_background_small1.zip and images_background_small2.zip"))
	}
	return dir, nil
}

// whence tells how to get some files.
func whence(files string) string {
	return fmt.Sprintf("Download %s from the folder python of https://github.com/brendenlake/omniglot (MIT licence), "+
		"put them into a folder or its subfolder omniglot, and set %s to that folder or give it as the argument dir", files, DataVariable)
}

// open opens an archive in dir or in dir/omniglot.
func open(dir, name string) (*os.File, error) {
	for _, d := range []string{dir, filepath.Join(dir, "omniglot")} {
		f, err := os.Open(filepath.Join(d, name))
		if !errors.Is(err, fs.ErrNotExist) {
			return f, err
		}
	}
	return nil, fmt.Errorf("%w: Omniglot: no %s in %s or its subfolder omniglot. %s", ErrNoData, name, dir, whence(name))
}

// readSet reads archives into one set; of a character that stands in several,
// the drawings of the first.
func readSet(ctx context.Context, dir, name string, archives []string, size int) (*Set, error) {
	s := &Set{Name: name, C: 1, H: size, W: size, Super: []int{}, Levels: []string{"alphabets", "groups"}}
	class, super := map[string]int{}, map[string]int{}
	for _, archive := range archives {
		glyphs, err := readArchive(ctx, dir, archive, size)
		if err != nil {
			return nil, err
		}
		before := len(s.Classes)
		for _, g := range glyphs {
			if c, ok := class[g.class()]; ok && c < before {
				continue
			}
			s.addGlyph(g, class, super)
		}
	}
	return s, nil
}

// readArchive reads one archive in dir.
func readArchive(ctx context.Context, dir, name string, size int) ([]glyph, error) {
	f, err := open(dir, name)
	if errors.Is(err, ErrNoData) {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("datasets: Omniglot: %w", err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("datasets: Omniglot: %w", err)
	}
	if !st.Mode().IsRegular() {
		return nil, fmt.Errorf("datasets: Omniglot: %s: not a file: want the zip archive as downloaded", f.Name())
	}
	return readGlyphs(ctx, f, st.Size(), f.Name(), size)
}

// addGlyph appends a drawing, and its class and alphabet where they are new.
func (s *Set) addGlyph(g glyph, class, super map[string]int) {
	a, ok := super[g.alphabet]
	if !ok {
		a = len(s.Supers)
		super[g.alphabet] = a
		s.Supers = append(s.Supers, g.alphabet)
	}
	c, ok := class[g.class()]
	if !ok {
		c = len(s.Classes)
		class[g.class()] = c
		s.Classes = append(s.Classes, g.class())
		s.Super = append(s.Super, a)
	}
	s.Labels = append(s.Labels, c)
	s.Names = append(s.Names, g.name)
	s.Pixels = append(s.Pixels, g.pix...)
}

// separate leaves out the test classes that occur in training, by name, or
// only notes them.
func (s *Split) separate(keep bool) error {
	seen := map[string]bool{}
	for _, c := range s.Train.Classes {
		seen[c] = true
	}
	all, shared := len(s.Test.Classes), 0
	for _, c := range s.Test.Classes {
		if seen[c] {
			shared++
		}
	}
	switch {
	case shared == 0:
	case keep:
		s.Note = fmt.Sprintf("%d of %d test characters occur in training too: the test classes are not all unseen", shared, all)
	case shared == all:
		return fmt.Errorf("datasets: Omniglot: all %d characters of the test archives occur in the training archives: name another archive in Test, or set KeepShared", all)
	default:
		s.Test = s.Test.Subset(func(c int) bool { return !seen[s.Test.Classes[c]] })
		s.Note = fmt.Sprintf("%d of %d test characters occur in training too and were left out", shared, all)
	}
	return nil
}

// validate holds out training classes, if asked for.
func (s *Split) validate(share float64, seed uint64) error {
	if share == 0 {
		return nil
	}
	if n := len(s.Train.Classes); n < 2 {
		return fmt.Errorf("datasets: Omniglot: Validation is %g, but there is only %d training character: want two or more", share, n)
	}
	fit, held := s.Train.HoldOut(share, seed)
	fit.Name, held.Name = "Omniglot train", "Omniglot validation"
	s.Train, s.Validation = fit, held
	return nil
}
