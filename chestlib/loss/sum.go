package loss

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/chestlab/chest/chestlib/optim"
)

// Sum is the recipe of w1·r1 + w2·r2. For more than two, nest it: a sum of sums
// is one sum of all their losses.
//
// Terms of the loss are weighted sums, field by field, of those of its losses,
// Total too, but for Clipped, which is the largest; Parts has each of them by
// itself. Its name joins theirs with the weights: "triplet+0.5·hier". Every loss
// gets the batch as it is, and its random numbers from the same Rand, one after the other.
//
// Their proxies begin from different seeds, and where two params have the same
// name the later one gets its place in the sum as a prefix: "2.proxies.E".
//
// Make returns an error for a weight that is negative or not finite, and the errors
// of the recipes.
func Sum(w1 float64, r1 Recipe, w2 float64, r2 Recipe) Recipe {
	return sumRecipe(append(summands(w1, r1), summands(w2, r2)...))
}

// sumRecipe is the losses of a sum, none of them a sum.
type sumRecipe []summand

type summand struct {
	weight float64
	recipe Recipe
}

// summands is weight·r as a list.
func summands(weight float64, r Recipe) []summand {
	inner, ok := r.(sumRecipe)
	if !ok {
		return []summand{{weight, r}}
	}
	var list []summand
	for _, s := range inner {
		list = append(list, summand{weight * s.weight, s.recipe})
	}
	return list
}

// Name implements Recipe.
func (r sumRecipe) Name() string {
	var names []string
	for _, s := range r {
		name := "nil"
		if s.recipe != nil {
			name = s.recipe.Name()
		}
		if s.weight != 1 {
			name = fmt.Sprintf("%g·%s", s.weight, name)
		}
		names = append(names, name)
	}
	return strings.Join(names, "+")
}

// MarshalJSON writes the losses with their names, weights and options.
func (r sumRecipe) MarshalJSON() ([]byte, error) {
	type part struct {
		Name    string
		Weight  float64
		Options Recipe
	}
	parts := []part{}
	for _, s := range r {
		parts = append(parts, part{s.recipe.Name(), s.weight, s.recipe})
	}
	return json.Marshal(parts)
}

// Make implements Recipe.
func (r sumRecipe) Make(s Setting) (Loss, error) {
	l := new(sum)
	taken := make(map[string]bool)
	for k, one := range r {
		if one.recipe == nil {
			return nil, fmt.Errorf("loss: Sum: loss %d is nil; want a recipe", k+1)
		}
		name := one.recipe.Name()
		if err := notNegative("Sum", "the weight of "+name, one.weight); err != nil {
			return nil, err
		}
		its := s
		its.Seed += uint64(k) << 32
		made, err := one.recipe.Make(its)
		if err != nil {
			return nil, err
		}
		for _, p := range made.Params() {
			if taken[p.Name] {
				p.Name = fmt.Sprintf("%d.%s", k+1, p.Name)
			}
			taken[p.Name] = true
		}
		l.losses = append(l.losses, made)
		l.parts = append(l.parts, Part{Name: name, Weight: one.weight})
	}
	return l, nil
}

// sum is the loss of Sum.
type sum struct {
	losses []Loss
	parts  []Part
}

// Params implements Loss.
func (l *sum) Params() []*optim.Param {
	var all []*optim.Param
	for _, one := range l.losses {
		all = slices.Concat(all, one.Params())
	}
	return all
}

// BeginEpoch implements Scheduled.
func (l *sum) BeginEpoch(done, of int) {
	for _, one := range l.losses {
		if s, ok := one.(Scheduled); ok {
			s.BeginEpoch(done, of)
		}
	}
}

// Uses implements Loss.
func (l *sum) Uses() Space {
	space := l.losses[0].Uses()
	for _, one := range l.losses[1:] {
		if one.Uses() != space {
			return Both
		}
	}
	return space
}

// Add implements Loss.
func (l *sum) Add(b Batch, weight float64) Terms {
	all := Terms{Parts: l.parts}
	for k, one := range l.losses {
		w, t := l.parts[k].Weight, one.Add(b, weight*l.parts[k].Weight)
		all.Total += w * t.Total
		all.E += w * t.E
		all.Merge += w * t.Merge
		all.H += w * t.H
		all.Tree += w * t.Tree
		all.Clipped = max(all.Clipped, t.Clipped)
		l.parts[k].Value = t.Total
	}
	return all
}
