package transform

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// Recipe is how a picture becomes an item: steps, one after the other, then
// numbers.
//
//	r := transform.Recipe{
//		Steps:     []transform.Step{transform.Resize{Size: 256}, transform.CentreCrop{}},
//		Normalise: transform.ImageNet,
//	}
type Recipe struct {
	Name      string // for messages
	Steps     []Step
	Normalise Normalise
}

// Sized is a Step whose pictures all have one size.
type Sized interface {
	Step
	Out() (w, h int)
}

// Size is width and height of every picture after the steps: that of the last
// Sized step; 0 if there is none.
func (r Recipe) Size() (w, h int) {
	for _, s := range r.Steps {
		if s, ok := s.(Sized); ok {
			w, h = s.Out()
		}
	}
	return w, h
}

// Check says what makes no sense, and whether some step settles the size.
func (r Recipe) Check() error {
	for i, s := range r.Steps {
		if s == nil {
			return fmt.Errorf("transform: recipe %q: step %d is nil", r.Name, i)
		}
		if err := s.Check(); err != nil {
			return err
		}
	}
	if w, h := r.Size(); w < 1 || h < 1 {
		return fmt.Errorf("transform: recipe %q: no step gives pictures of one size: add CentreCrop or RandomResizedCrop", r.Name)
	}
	return r.Normalise.Check()
}

// Apply is the picture after the steps. What they leave to chance is a function
// of rng. The result may share m's memory.
//
// Of a Resize followed by a CentreCrop only what the crop leaves is computed.
func (r Recipe) Apply(m RGB, rng *rand.Rand) RGB {
	for i := 0; i < len(r.Steps); i++ {
		if resize, ok := r.Steps[i].(Resize); ok && i+1 < len(r.Steps) {
			if crop, ok := r.Steps[i+1].(CentreCrop); ok {
				m = resizeCrop(m, resize, crop)
				i++
				continue
			}
		}
		m = r.Steps[i].Apply(m, rng)
	}
	return m
}

// resizeCrop is crop after resize.
func resizeCrop(m RGB, resize Resize, crop CentreCrop) RGB {
	w, h := resize.size(m.W, m.H)
	if cw, ch := crop.Out(); w < cw || h < ch {
		return crop.Apply(resize.Apply(m, nil), nil)
	}
	return resample(m, w, h, crop.part(w, h), resize.Filter)
}

// String is the recipe on one line.
func (r Recipe) String() string {
	var steps []string
	for _, s := range r.Steps {
		steps = append(steps, strings.TrimPrefix(fmt.Sprintf("%T%+v", s, s), "transform."))
	}
	steps = append(steps, fmt.Sprintf("Normalise%+v", r.Normalise))
	text := strings.Join(steps, " → ")
	if r.Name == "" {
		return text
	}
	return r.Name + ": " + text
}
