package loss

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
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

// Decode returns the recipe of that name with options from JSON, as json.Marshal
// writes them: fields that are missing are as in Recipes, unknown ones are an
// error. The values are checked by Make.
func Decode(name string, options []byte) (Recipe, error) {
	r, err := Named(name)
	if err != nil {
		return nil, err
	}
	p := reflect.New(reflect.TypeOf(r))
	p.Elem().Set(reflect.ValueOf(r))
	d := json.NewDecoder(bytes.NewReader(options))
	d.DisallowUnknownFields()
	if err := d.Decode(p.Interface()); err != nil {
		return nil, fmt.Errorf("loss: options of %s: %w", name, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("loss: options of %s: text after the object", name)
	}
	return p.Elem().Interface().(Recipe), nil
}
