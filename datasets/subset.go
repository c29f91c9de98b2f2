package datasets

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Subset is the items of the classes for which keep is true, in their order,
// as a set of its own memory. Classes, superclasses and groups are renumbered
// from 0 in their old order; those without items left are dropped.
//
//	latin := set.Subset(func(class int) bool { return set.Supers[set.Super[class]] == "Latin" })
func (s *Set) Subset(keep func(class int) bool) *Set {
	kept := make([]bool, len(s.Classes))
	for c := range kept {
		kept[c] = keep(c)
	}
	return s.subset(s.Name, kept)
}

// HoldOut cuts the set by class: held gets the nearest whole number to share
// of the classes, fit the others. Each superclass gives its share, rounded up
// or down, as far as it has so many classes; the choice is a function of seed.
//
// Share lies in (0, 1); both parts get at least one class. HoldOut panics if
// share does not or the set has fewer than two classes.
func (s *Set) HoldOut(share float64, seed uint64) (fit, held *Set) {
	n := len(s.Classes)
	if !(share > 0 && share < 1) {
		panic(fmt.Sprintf("datasets: HoldOut: share %g: want more than 0 and less than 1", share))
	}
	if n < 2 {
		panic(fmt.Sprintf("datasets: HoldOut: %s has %d classes: want two or more", s.Name, n))
	}
	group := s.Super
	if group == nil {
		group = make([]int, n)
	}
	out := drawLots(group, share, newRand(seed, streamHoldOut))
	in := make([]bool, n)
	for c := range in {
		in[c] = !out[c]
	}
	return s.subset(s.Name+" fit", in), s.subset(s.Name+" held out", out)
}

// drawLots picks round(share·n) of n things, at least one and not all, spread over
// their groups: each group gives share of its size, rounded up or down.
//
// It lays the things out group by group, groups and things in random order, and
// takes one wherever the running sum of shares passes a half.
func drawLots(group []int, share float64, rng *rand.Rand) []bool {
	n := len(group)
	order := rng.Perm(n)
	var groups []int
	members := map[int][]int{}
	for _, i := range order {
		g := group[i]
		if members[g] == nil {
			groups = append(groups, g)
		}
		members[g] = append(members[g], i)
	}
	want := min(max(math.Round(share*float64(n)), 1), float64(n-1))
	share = want / float64(n)
	picked := make([]bool, n)
	k := 0
	for _, g := range groups {
		for _, i := range members[g] {
			picked[i] = math.Floor(share*float64(k+1)+0.5) > math.Floor(share*float64(k)+0.5)
			k++
		}
	}
	return picked
}

// subset is the items of the kept classes under a new name.
func (s *Set) subset(name string, kept []bool) *Set {
	classOf, superKept := renumber(kept), make([]bool, len(s.Supers))
	for c, p := range s.Super {
		superKept[p] = superKept[p] || kept[c]
	}
	superOf, groupKept := renumber(superKept), make([]bool, len(s.Groups))
	for c, p := range s.Group {
		groupKept[p] = groupKept[p] || superKept[c]
	}
	groupOf := renumber(groupKept)
	t := &Set{
		Name: name, C: s.C, H: s.H, W: s.W,
		Classes: pick(s.Classes, classOf), Super: lift(s.Super, classOf, superOf),
		Supers: pick(s.Supers, superOf), Group: lift(s.Group, superOf, groupOf),
		Groups: pick(s.Groups, groupOf), Levels: s.Levels,
	}
	t.take(s, classOf)
	return t
}

// take copies the items of s whose class has a new number.
func (t *Set) take(s *Set, classOf []int) {
	n, d := 0, s.size()
	for _, c := range s.Labels {
		if classOf[c] >= 0 {
			n++
		}
	}
	t.Pixels, t.Labels = make([]uint8, 0, n*d), make([]int, 0, n)
	for i, c := range s.Labels {
		if classOf[c] < 0 {
			continue
		}
		t.Pixels = append(t.Pixels, s.Pixels[i*d:(i+1)*d]...)
		t.Labels = append(t.Labels, classOf[c])
		if s.Names != nil {
			t.Names = append(t.Names, s.Names[i])
		}
	}
}

// renumber numbers what is kept from 0; the others get -1.
func renumber(kept []bool) []int {
	to, n := make([]int, len(kept)), 0
	for i, k := range kept {
		to[i] = -1
		if k {
			to[i] = n
			n++
		}
	}
	return to
}

// pick is the names that have a new number.
func pick(names []string, to []int) []string {
	var out []string
	for i, name := range names {
		if to[i] >= 0 {
			out = append(out, name)
		}
	}
	return out
}

// lift is the map up in new numbers; nil stays nil.
func lift(up, nodeOf, upOf []int) []int {
	var out []int
	for i, p := range up {
		if nodeOf[i] >= 0 {
			out = append(out, upOf[p])
		}
	}
	return out
}
