package datasets

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/chestlab/chest/datasets/transform"
	"github.com/chestlab/chest/kernel/display"
)

// ImageSet is labelled image files that are decoded and transformed when they
// are asked for. It is a model.Source, with Draw a model.Drawer and with Prefetch
// a model.Prefetcher.
//
// Its methods may be called from many goroutines. What they return does not
// depend on the number of threads, on Prefetch, nor on what else was asked for.
type ImageSet struct {
	Name    string
	Classes []string
	Super   []int // superclass of each class; nil: none known
	Supers  []string
	Skipped []SkippedFile // files that SkipDamage left out, in their order

	root       string
	paths      []string // of each item
	labels     []int
	item, draw transform.Recipe
	w, h       int
	o          ImageOptions
	cache      *pictureCache // nil for none
	place      []int         // of each item in the cache
	ahead      *ahead
	warned     sync.Map // kinds of warnings that were given
}

// SkippedFile is a file that is not in the set.
type SkippedFile struct {
	Path   string // as in Files.Paths
	Reason string
}

// Images makes a set of image files: JPEG, PNG, GIF and WebP, told by their
// contents. Files are decoded when an item is asked for; transform says with
// whose pixels.
//
//	set, err := datasets.Images(files, datasets.ImageOptions{Recipe: "dino", Cache: "/data/cache"})
//	defer set.Close()
//
// With ImageOptions.Cache every file is decoded once, resized (bicubic) to a
// shorter side of Side pixels unless it is smaller, and kept as bytes in a folder
// of Cache whose name is a hash of paths, sizes and times of the files and of the
// resize. Item then gives the same as without a cache if its recipe begins with
// a Resize to Side, as the test recipes do; Draw crops from the smaller picture.
// A cache that was broken off goes on where it was; one that is damaged or cannot
// be written is told by OnWarn, and the files are decoded instead, to the same
// bits. Folders of files that have changed since are left for you to delete. One
// program at a time may build a cache; any number may read it.
//
// Cost: a cached picture of 4:3 takes 3·Side²·4/3 bytes, 262 kB at 256.
//
// Files whose paths leave Root, labels out of range, recipes of two sizes, and a
// missing file are errors. Images stops with the context of the running cell.
func Images(files *Files, o ImageOptions) (*ImageSet, error) {
	ctx, done := context.WithCancel(display.Context()) // stays with the cell that called
	defer done()
	return openImages(ctx, files, o)
}

func openImages(ctx context.Context, files *Files, o ImageOptions) (*ImageSet, error) {
	if err := files.check(); err != nil {
		return nil, err
	}
	s := &ImageSet{
		Name: files.Name, Classes: files.Classes, Super: files.Super, Supers: files.Supers,
		root: files.Root, o: o.withDefaults(),
	}
	if err := s.recipes(); err != nil {
		return nil, fmt.Errorf("datasets: %s: %w", s.Name, err)
	}
	stats, err := files.stat(ctx, s.o.Damaged)
	if err != nil {
		return nil, err
	}
	reasons, err := s.survey(ctx, files, stats)
	if err != nil {
		return nil, err
	}
	for i, path := range files.Paths {
		if reasons != nil && reasons[i] != "" {
			s.Skipped = append(s.Skipped, SkippedFile{path, reasons[i]})
			continue
		}
		s.paths, s.labels, s.place = append(s.paths, path), append(s.labels, files.Labels[i]), append(s.place, i)
	}
	if len(s.paths) == 0 {
		s.Close()
		return nil, fmt.Errorf("datasets: %s: all %d files are damaged, the first, %s: %s", s.Name, len(s.Skipped), shown(s.Skipped[0].Path), s.Skipped[0].Reason)
	}
	s.ahead = newAhead(s.o.Workers, s.o.Ahead, s.applied)
	return s, nil
}

// Len is the number of items.
func (s *ImageSet) Len() int { return len(s.paths) }

// Shape is channels, which are 3, height and width of every item.
func (s *ImageSet) Shape() (c, h, w int) { return 3, s.h, s.w }

// Label is the class of item i. It panics if there is no item i. Classes keep
// the numbers of Files, also where SkipDamage left none of a class.
func (s *ImageSet) Label(i int) int { return s.labels[i] }

// Path is the file of item i, as in Files.Paths.
func (s *ImageSet) Path(i int) string { return s.paths[i] }

// Item decodes item i and writes it into dst, 3×H×W: the recipe
// ImageOptions.Item. What that recipe leaves to chance, which those of
// transform.Test do not, is a function of Seed and i.
//
// A file that cannot be decoded is an error that names it. Item panics if there
// is no item i or dst is not 3·H·W long.
func (s *ImageSet) Item(dst []float32, i int) error {
	return s.write(dst, drawKey{item: i, plain: true})
}

// Draw decodes item i and writes one draw of it into dst, 3×H×W: the recipe
// ImageOptions.Draw. It is a function of Seed, i and draw. Errors and panics are
// those of Item.
func (s *ImageSet) Draw(dst []float32, i int, draw uint64) error {
	return s.write(dst, drawKey{item: i, draw: draw})
}

// Prefetch announces the draws to come, in their order, so that they are decoded
// while other work is done: item items[k] by draw draws[k]. With nil draws it
// announces calls of Item. It returns at once.
//
// Each call replaces the one before: what it does not name again is dropped.
// ImageOptions.Ahead bounds what is held; further draws begin as others are
// fetched. What is asked for without having been announced is decoded then.
//
// Prefetch panics if there is no such item or the lengths differ.
func (s *ImageSet) Prefetch(items []int, draws []uint64) {
	if draws != nil && len(draws) != len(items) {
		panic(fmt.Sprintf("datasets: Prefetch: %d items and %d draws", len(items), len(draws)))
	}
	keys := make([]drawKey, len(items))
	for k, i := range items {
		s.mustHave("Prefetch", i)
		keys[k] = drawKey{item: i, plain: draws == nil}
		if draws != nil {
			keys[k].draw = draws[k]
		}
	}
	s.ahead.announce(keys)
}

// Recipe says on one line what Item does to a picture: equal for equal recipes,
// whatever their names. Where a cache changes the pixels it says so, and so it
// does of a Seed.
func (s *ImageSet) Recipe() string {
	r := s.item
	r.Name = ""
	if first := (transform.Resize{Size: s.o.Side}); s.o.Cache != "" && (len(r.Steps) == 0 || r.Steps[0] != transform.Step(first)) {
		r.Steps = append([]transform.Step{first}, r.Steps...)
	}
	text := r.String()
	if s.o.Seed != 0 {
		text += fmt.Sprintf(", seed %d", s.o.Seed)
	}
	return text
}

// Close forgets what was announced, waits for what is being decoded and lets go
// of the cache. The set can still be read, from its files.
func (s *ImageSet) Close() error {
	if s.ahead != nil {
		s.ahead.close()
	}
	if s.cache != nil {
		return s.cache.close()
	}
	return nil
}

// Image is item i as a picture, as it comes from its file or from the cache.
func (s *ImageSet) Image(i int) (image.Image, error) {
	s.mustHave("Image", i)
	m, err := s.picture(i)
	if err != nil {
		return nil, err
	}
	return m.Image(), nil
}

// CacheSize is the bytes of the cache on the disk; 0 without one.
func (s *ImageSet) CacheSize() int64 {
	if s.cache == nil {
		return 0
	}
	return s.cache.bytes
}

// String is one line: "cub train: 5864 image files as 3×224×224, 100 classes".
func (s *ImageSet) String() string {
	text := fmt.Sprintf("%s: %d image files as 3×%d×%d, %d classes", s.Name, s.Len(), s.h, s.w, len(s.Classes))
	if n := len(s.Supers); n > 0 {
		text += fmt.Sprintf(", %d superclasses", n)
	}
	if n := len(s.Skipped); n > 0 {
		text += fmt.Sprintf(", %d damaged files left out", n)
	}
	if s.cache != nil {
		text += fmt.Sprintf(", cache %.1f MB in %s", float64(s.cache.bytes)/1e6, s.cache.dir)
	}
	return text
}

func (s *ImageSet) mustHave(method string, i int) {
	if i < 0 || i >= len(s.paths) {
		panic(fmt.Sprintf("datasets: ImageSet.%s: no item %d among %d", method, i, len(s.paths)))
	}
}

// write is Item and Draw.
func (s *ImageSet) write(dst []float32, k drawKey) error {
	s.mustHave("Item", k.item)
	if len(dst) != 3*s.h*s.w {
		panic(fmt.Sprintf("datasets: ImageSet.Item: dst has length %d, want 3×%d×%d = %d", len(dst), s.h, s.w, 3*s.h*s.w))
	}
	m, err := s.ahead.take(k)
	if err != nil {
		return err
	}
	s.recipe(k).Normalise.Write(dst, m)
	return nil
}

// Streams of random numbers, apart from those of other sets.
const (
	streamImageItem uint64 = 1<<32 + iota
	streamImageDraw
)

// applied is the picture of k after the steps of its recipe.
func (s *ImageSet) applied(k drawKey) (transform.RGB, error) {
	m, err := s.picture(k.item)
	if err != nil {
		return m, err
	}
	var rng *rand.Rand
	if k.plain {
		rng = newRand(s.o.Seed, streamImageItem, uint64(k.item))
	} else {
		rng = newRand(s.o.Seed, streamImageDraw, uint64(k.item), k.draw)
	}
	m = s.recipe(k).Apply(m, rng)
	if m.W != s.w || m.H != s.h {
		return m, fmt.Errorf("datasets: %s: %s: recipe %q gave %d×%d pixels, want %d×%d: no step after the last Sized one may change the size",
			s.Name, shown(s.paths[k.item]), s.recipe(k).Name, m.W, m.H, s.w, s.h)
	}
	return m, nil
}

func (s *ImageSet) recipe(k drawKey) *transform.Recipe {
	if k.plain {
		return &s.item
	}
	return &s.draw
}

// picture is item i, from the cache if there is one, else from its file, with the
// same pixels.
func (s *ImageSet) picture(i int) (transform.RGB, error) {
	if s.cache != nil {
		m, err := s.cache.picture(s.place[i])
		if err == nil {
			return m, nil
		}
		if !errors.Is(err, errCacheClosed) {
			s.warn("damaged", fmt.Sprintf("datasets: %s: the cache in %s is damaged (%s: %v): such pictures are decoded from their files; delete the folder to have it built again",
				s.Name, s.cache.dir, shown(s.paths[i]), err))
		}
	}
	m, err := s.fresh(s.paths[i])
	if err != nil {
		return m, s.damage(s.paths[i], err)
	}
	return m, nil
}

// fresh decodes a file; where a cache is asked for, to what that would hold.
func (s *ImageSet) fresh(path string) (transform.RGB, error) {
	m, err := readPicture(filepath.Join(s.root, filepath.FromSlash(path)), s.o.MaxPixels)
	if err == nil && s.o.Cache != "" && min(m.W, m.H) > s.o.Side {
		m = transform.Resize{Size: s.o.Side}.Apply(m, nil)
	}
	return m, err
}

// damage is the error of a file that cannot be decoded.
func (s *ImageSet) damage(path string, err error) error {
	remedy := "get the file again, or set ImageOptions.Damaged to SkipDamage"
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = errors.New("the file is not there")
	case unreadable(err):
		remedy = "see to its permissions and its disk, or take it out of Files"
	}
	return fmt.Errorf("datasets: %s: %s in %s: %w; %s", s.Name, shown(path), s.root, err, remedy)
}

// warn says something, each kind once.
func (s *ImageSet) warn(kind, text string) {
	if _, again := s.warned.LoadOrStore(kind, true); again {
		return
	}
	switch {
	case s.o.OnWarn != nil:
		s.o.OnWarn(text)
	case !s.o.Silent:
		fmt.Fprintln(os.Stderr, strings.TrimSpace(text))
	}
}
