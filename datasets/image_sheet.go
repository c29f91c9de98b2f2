package datasets

import (
	"fmt"

	"github.com/chestlab/chest/datasets/transform"
	"github.com/chestlab/chest/internal/parallel"
)

// MIMEBundle is some images as a contact sheet, chosen as Set.MIMEBundle does,
// and the set as one line of text. It decodes up to 144 files. A file that cannot
// be decoded is black.
func (s *ImageSet) MIMEBundle() map[string]any {
	return bundle(s.String(), s.sample())
}

// sample is the images of a contact sheet, as squares.
func (s *ImageSet) sample() *Set {
	whole := &Set{Labels: s.labels, Classes: s.Classes, Super: s.Super, Supers: s.Supers}
	var items []int
	for _, row := range whole.sheetItems() {
		items = append(items, row...)
	}
	t := &Set{Name: s.Name, C: 3, H: sheetCell, W: sheetCell}
	if len(items) < s.Len() {
		t.Name = fmt.Sprintf("%s, some of %d", s.Name, s.Len())
	}
	classOf, superOf := map[int]int{}, map[int]int{}
	for _, i := range items {
		c, seen := classOf[s.labels[i]]
		if !seen {
			c = len(t.Classes)
			classOf[s.labels[i]], t.Classes = c, append(t.Classes, s.Classes[s.labels[i]])
			if s.Super != nil {
				t.addSuper(superOf, s.Super[s.labels[i]], s.Supers)
			}
		}
		t.Labels = append(t.Labels, c)
	}
	t.Pixels = s.squares(items)
	return t
}

// addSuper gives the newest class its superclass, by the name it has elsewhere.
func (t *Set) addSuper(superOf map[int]int, old int, names []string) {
	p, seen := superOf[old]
	if !seen {
		p = len(t.Supers)
		superOf[old], t.Supers = p, append(t.Supers, names[old])
	}
	t.Super = append(t.Super, p)
}

// squares is small squares of items, n×3×side×side.
func (s *ImageSet) squares(items []int) []uint8 {
	const plane = sheetCell * sheetCell
	pix := make([]uint8, len(items)*3*plane)
	small := transform.Recipe{Steps: []transform.Step{transform.Resize{Size: sheetCell}, transform.CentreCrop{Size: sheetCell}}}
	parallel.For(len(items), 1, func(k, _ int) {
		m, err := s.picture(items[k])
		if err != nil {
			return
		}
		m = small.Apply(m, nil)
		for y := range m.H {
			for j, v := range m.Row(y) {
				pix[(3*k+j%3)*plane+y*m.W+j/3] = v
			}
		}
	})
	return pix
}
