package datasets

import (
	"cmp"
	"fmt"

	"github.com/chestlab/chest/datasets/transform"
	"github.com/chestlab/chest/kernel/display"
)

// ImageOptions controls Images. The zero value has the recipes of ViT, no cache,
// and damaged files are errors.
type ImageOptions struct {
	Recipe string            // a name of transform.Names; "" means "vit"
	Item   *transform.Recipe // what Item does; nil means transform.Test of Recipe
	Draw   *transform.Recipe // what Draw does; nil means transform.Train of Recipe
	Seed   uint64            // what recipes leave to chance is a function of Seed, the item and the draw

	Damaged   Damaged // what to do about files that cannot be decoded; the zero value is FatalDamage
	MaxPixels int     // width × height that a file may have; 0 means 33554432

	Cache string // folder of decoded pictures, see Images; "" means none
	Side  int    // pixels of the shorter side of cached pictures; 0 means 256

	Workers int // goroutines that Prefetch decodes on; 0 means GOMAXPROCS
	Ahead   int // pictures that Prefetch holds at most, 150 kB each at 224×224; 0 means 512

	Progress Progress     // where Images says how far it is; nil means a display.Progress
	Silent   bool         // no progress at all
	OnWarn   func(string) // called with a warning, each kind once, from any goroutine; nil writes to standard error unless Silent
}

// Damaged is what to do about files that cannot be decoded.
type Damaged int

const (
	// FatalDamage makes them errors that name the file: of Images if it builds a
	// cache, else of Item and Draw.
	FatalDamage Damaged = iota

	// SkipDamage leaves them, and files that are not there, out of the set and
	// names them in ImageSet.Skipped. To find them Images decodes every file once; a
	// cache remembers them. A file that the system fails to read, for want of
	// permission or by a fault of the disk, is an error all the same.
	SkipDamage
)

// Progress is what Images reports to; *display.Progress is one.
type Progress interface {
	Start(total int, what string)
	Set(done int, status string)
	Finish(status string)
}

func (o ImageOptions) withDefaults() ImageOptions {
	o.Recipe = cmp.Or(o.Recipe, "vit")
	o.MaxPixels = cmp.Or(o.MaxPixels, defaultMaxPixels)
	o.Side = cmp.Or(o.Side, 256)
	o.Ahead = cmp.Or(o.Ahead, 512)
	switch {
	case o.Silent:
		o.Progress = quiet{}
	case o.Progress == nil:
		o.Progress = new(display.Progress)
	}
	return o
}

// quiet is the Progress that shows nothing.
type quiet struct{}

func (quiet) Start(int, string) {}
func (quiet) Set(int, string)   {}
func (quiet) Finish(string)     {}

// recipes checks the options and settles what Item and Draw do.
func (s *ImageSet) recipes() error {
	o := s.o
	for _, v := range []struct {
		name  string
		value int
	}{{"MaxPixels", o.MaxPixels}, {"Side", o.Side}, {"Ahead", o.Ahead}, {"Workers", o.Workers}} {
		if v.value < 0 {
			return fmt.Errorf("ImageOptions.%s is %d: want a positive number, or 0 for its default", v.name, v.value)
		}
	}
	if o.Damaged != FatalDamage && o.Damaged != SkipDamage {
		return fmt.Errorf("ImageOptions.Damaged is %d: want FatalDamage or SkipDamage", o.Damaged)
	}
	if err := settle(&s.item, o.Item, o.Recipe, transform.Test); err != nil {
		return fmt.Errorf("ImageOptions.Item: %w", err)
	}
	if err := settle(&s.draw, o.Draw, o.Recipe, transform.Train); err != nil {
		return fmt.Errorf("ImageOptions.Draw: %w", err)
	}
	s.w, s.h = s.item.Size()
	if w, h := s.draw.Size(); w != s.w || h != s.h {
		return fmt.Errorf("ImageOptions.Item gives pictures of %d×%d, Draw of %d×%d: want one size", s.w, s.h, w, h)
	}
	return nil
}

// settle is the recipe that is given, or that of name.
func settle(to *transform.Recipe, given *transform.Recipe, name string, preset func(string) (transform.Recipe, error)) (err error) {
	if given != nil {
		*to = *given
	} else if *to, err = preset(name); err != nil {
		return err
	}
	return to.Check()
}
