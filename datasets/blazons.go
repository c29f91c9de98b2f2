package datasets

import (
	"context"
	"fmt"

	"github.com/chestlab/chest/internal/parallel"
	"github.com/chestlab/chest/kernel/display"
)

// BlazonsOptions controls Blazons. The zero value is 4 orders × 4 families × 6
// species × 20 images, half of the species for training: 48 classes and 960
// grey images of 32×32 in each part.
type BlazonsOptions struct {
	Orders    int     // 0 means 4; at most 8
	Families  int     // in each order; 0 means 4, at most 140
	Species   int     // in each family; 0 means 6, at most 64
	PerClass  int     // images of each species; 0 means 20, at most 100,000
	TestShare float64 // share of the species in Test, in (0, 1); 0 means 0.5
	ByFamily  bool    // Test gets whole families instead of species of each
	Size      int     // width and height in pixels; 0 means 32, 16 to 256
	RGB       bool    // three channels instead of one
	Nuisance  float64 // strength of what is not class, 0 means 1; negative: none, at most 2
	Seed      uint64  // designs, images and the cut are functions of it
}

// maxBytes bounds the pixels of one data set.
const maxBytes = 2 << 30

// Blazons makes an image set with a known taxonomy, without any file: shields
// in the manner of heraldry. The order is the outline of the shield; the family
// adds the division of the field and the kind of charge; the species adds their
// number and layout, whether a bordure (a band along the edge) surrounds them, and
// the tinctures. What is not class: rotation, shift, scale, background, clutter,
// light, blur, noise.
//
// Species are the classes, families the superclasses, orders the groups. Half
// of the species of each family, chosen at random, are the test classes; with
// another share a family gives it rounded up or down, so small families may
// fall into one part only. ByFamily cuts between the families of each order.
//
// An image is a function of seed, options of drawing (Size, RGB, Nuisance),
// place in the taxonomy and number alone: the same bits for any number of
// processors, and a larger set holds the smaller ones.
//
// Cost: about 0.1 ms an image of 32×32 on one core; C·Size² bytes each, at most
// 2 GiB in all. It stops with the context of the running cell. Options outside
// their bounds give an error.
func Blazons(o BlazonsOptions) (*Split, error) {
	o = o.filled()
	if err := o.check(); err != nil {
		return nil, err
	}
	ctx, done := context.WithCancel(display.Context()) // stays with the cell that called
	defer done()
	test := o.testSpecies()
	train, err := o.set(ctx, "Blazons train", test, false)
	if err != nil {
		return nil, err
	}
	held, err := o.set(ctx, "Blazons test", test, true)
	if err != nil {
		return nil, err
	}
	return &Split{Train: train, Test: held}, nil
}

// filled is o with its defaults.
func (o BlazonsOptions) filled() BlazonsOptions {
	for _, f := range []struct {
		field *int
		value int
	}{{&o.Orders, 4}, {&o.Families, 4}, {&o.Species, 6}, {&o.PerClass, 20}, {&o.Size, 32}} {
		if *f.field == 0 {
			*f.field = f.value
		}
	}
	if o.TestShare == 0 {
		o.TestShare = 0.5
	}
	if o.Nuisance == 0 {
		o.Nuisance = 1
	} else if o.Nuisance < 0 {
		o.Nuisance = 0
	}
	return o
}

// check says which option is out of bounds.
func (o BlazonsOptions) check() error {
	for _, f := range []struct {
		name             string
		value, low, high int
		why              string
	}{
		{"Orders", o.Orders, 1, maxOrders, "there are so many outlines"},
		{"Families", o.Families, 1, maxFamilies, "there are so many pairs of division and charge"},
		{"Species", o.Species, 1, maxSpecies, "there are so many layouts and tinctures of a charge"},
		{"PerClass", o.PerClass, 1, 100_000, "images of each species"},
		{"Size", o.Size, 16, 256, "pixels a side"},
	} {
		if f.value < f.low || f.value > f.high {
			return fmt.Errorf("datasets: Blazons: %s is %d: want %d to %d (%s)", f.name, f.value, f.low, f.high, f.why)
		}
	}
	if !(o.TestShare > 0 && o.TestShare < 1) {
		return fmt.Errorf("datasets: Blazons: TestShare is %g: want more than 0 and less than 1", o.TestShare)
	}
	if !(o.Nuisance <= 2) {
		return fmt.Errorf("datasets: Blazons: Nuisance is %g: want at most 2; 1 is the usual strength, negative means none", o.Nuisance)
	}
	if o.classes() < 2 || o.ByFamily && o.Orders*o.Families < 2 {
		return fmt.Errorf("datasets: Blazons: %d orders × %d families × %d species: want two or more to cut between", o.Orders, o.Families, o.Species)
	}
	if n := int64(o.classes()) * int64(o.PerClass) * int64(o.size()); n > maxBytes {
		return fmt.Errorf("datasets: Blazons: %d classes × %d images × %d bytes = %d MiB: want at most %d MiB; lower Size, PerClass or the taxonomy",
			o.classes(), o.PerClass, o.size(), n>>20, maxBytes>>20)
	}
	return nil
}

// classes is the number of species.
func (o BlazonsOptions) classes() int { return o.Orders * o.Families * o.Species }

// size is the bytes of an image.
func (o BlazonsOptions) size() int { return o.channels() * o.Size * o.Size }

// channels is 1 or 3.
func (o BlazonsOptions) channels() int {
	if o.RGB {
		return 3
	}
	return 1
}

// testSpecies says of each species whether it is in Test.
func (o BlazonsOptions) testSpecies() []bool {
	rng := newRand(o.Seed, streamTestSpecies)
	group := make([]int, o.classes())
	for i := range group {
		group[i] = i / o.Species
	}
	if !o.ByFamily {
		return drawLots(group, o.TestShare, rng)
	}
	orders := make([]int, o.Orders*o.Families)
	for i := range orders {
		orders[i] = i / o.Families
	}
	families := drawLots(orders, o.TestShare, rng)
	test := make([]bool, len(group))
	for i, f := range group {
		test[i] = families[f]
	}
	return test
}

// set draws one part: the species whose flag in test is part.
func (o BlazonsOptions) set(ctx context.Context, name string, test []bool, part bool) (*Set, error) {
	s := &Set{Name: name, C: o.channels(), H: o.Size, W: o.Size, Levels: []string{"families", "orders"}}
	var species []int
	for i, t := range test {
		if t == part {
			species = append(species, i)
			s.add(designOf(o.Seed, i/(o.Species*o.Families), i/o.Species%o.Families, i%o.Species))
		}
	}
	n := len(species) * o.PerClass
	s.Labels = make([]int, n)
	s.Pixels = make([]uint8, n*o.size())
	for i := range s.Labels {
		s.Labels[i] = i / o.PerClass
	}
	return s, o.drawAll(ctx, s.Pixels, species)
}

// add appends a species, and its family and order where they are new: species
// come in the order of the taxonomy.
func (s *Set) add(d design) {
	if n := len(s.Groups); n == 0 || s.Groups[n-1] != d.orderName() {
		s.Groups = append(s.Groups, d.orderName())
	}
	if n := len(s.Supers); n == 0 || s.Supers[n-1] != d.familyName() {
		s.Supers = append(s.Supers, d.familyName())
		s.Group = append(s.Group, len(s.Groups)-1)
	}
	s.Classes = append(s.Classes, d.name())
	s.Super = append(s.Super, len(s.Supers)-1)
}

// drawAll draws PerClass images of each species into dst, species by species.
func (o BlazonsOptions) drawAll(ctx context.Context, dst []uint8, species []int) error {
	n, d := len(species)*o.PerClass, o.size()
	return parallel.Try(n, 64, func(lo, hi int) error {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("datasets: Blazons: stopped near image %d of %d: %w", lo, n, err)
		}
		p := newPainter(o.channels(), o.Size)
		for i := lo; i < hi; i++ {
			at := species[i/o.PerClass]
			order, family, kind := at/(o.Species*o.Families), at/o.Species%o.Families, at%o.Species
			rng := newRand(o.Seed, streamImage, uint64(order), uint64(family), uint64(kind), uint64(i%o.PerClass))
			p.paint(designOf(o.Seed, order, family, kind), conditions(rng, o.Nuisance), rng)
			p.write(dst[i*d : (i+1)*d])
		}
		return nil
	})
}
