package loss

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Recipes returns every loss of the package in the setting of its paper, sorted
// by name. CHEST in one space only is there as "softtriple" and
// "hyper-softtriple".
func Recipes() []Recipe {
	all := []Recipe{
		CHESTOptions{}, CHESTOptions{Space: OnlyE}, CHESTOptions{Space: OnlyH},
		ProxyNCAOptions{}, ProxyAnchorOptions{}, MultiSimilarityOptions{}, PairCrossEntropyOptions{},
		TripletOptions{}, ContrastiveOptions{}, SupConOptions{}, HIEROptions{},
	}
	slices.SortFunc(all, func(a, b Recipe) int { return cmp.Compare(a.Name(), b.Name()) })
	return all
}

// Named returns the recipe of that name from Recipes. The error of an unknown
// name lists the known ones.
func Named(name string) (Recipe, error) {
	var names []string
	for _, r := range Recipes() {
		if r.Name() == name {
			return r, nil
		}
		names = append(names, r.Name())
	}
	return nil, fmt.Errorf("loss: there is no loss %q; want one of %s", name, strings.Join(names, ", "))
}
