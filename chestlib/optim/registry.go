package optim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
)

// Recipes returns the recipe of every optimiser here, with the defaults.
func Recipes() []Recipe {
	return []Recipe{AdamWOptions{}, AdamOptions{}, SGDOptions{}, RiemannianAdamOptions{}, RiemannianSGDOptions{}}
}

// Named returns the recipe of that name, with the defaults.
func Named(name string) (Recipe, error) { return named("optimiser", name, Recipes()) }

// Decode returns the recipe of that name with options from JSON, as json.Marshal
// wrote them: fields that are missing have their defaults, unknown ones are an
// error. The values are checked by Make.
func Decode(name string, options []byte) (Recipe, error) {
	r, err := Named(name)
	if err != nil {
		return nil, err
	}
	return decode(name, r, options)
}

// Schedules returns every schedule here, with the defaults.
func Schedules() []Schedule { return []Schedule{Constant{}, StepDecay{}, Cosine{}} }

// NamedSchedule returns the schedule of that name, with the defaults.
func NamedSchedule(name string) (Schedule, error) { return named("schedule", name, Schedules()) }

// DecodeSchedule is Decode for schedules. The values are checked by Check.
func DecodeSchedule(name string, options []byte) (Schedule, error) {
	s, err := NamedSchedule(name)
	if err != nil {
		return nil, err
	}
	return decode(name, s, options)
}

// named finds the one of that name, or names all in its error.
func named[T interface{ Name() string }](kind, name string, all []T) (T, error) {
	var names []string
	for _, v := range all {
		if v.Name() == name {
			return v, nil
		}
		names = append(names, v.Name())
	}
	var none T
	return none, fmt.Errorf("optim: there is no %s %q; there are %s", kind, name, strings.Join(names, ", "))
}

// decode fills a copy of the struct in zero from JSON.
func decode[T any](name string, zero T, options []byte) (T, error) {
	p := reflect.New(reflect.TypeOf(zero))
	d := json.NewDecoder(bytes.NewReader(options))
	d.DisallowUnknownFields()
	err := d.Decode(p.Interface())
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("text after the object")
		}
	}
	if err != nil {
		var none T
		return none, fmt.Errorf("optim: options of %s: %w", name, err)
	}
	return p.Elem().Interface().(T), nil
}
