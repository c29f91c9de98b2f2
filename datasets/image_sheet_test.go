package datasets

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chestlab/chest/kernel/display"
)

// TestImageSheet: a set with many classes shows some of them under their
// superclasses; its squares are those of the files.
func TestImageSheet(t *testing.T) {
	f := writePhotos(t, 30, 70, 60)
	f.Classes, f.Super, f.Supers = nil, nil, []string{"even", "odd", "third"}
	for i := range 15 {
		f.Classes, f.Super = append(f.Classes, fmt.Sprint("class ", i)), append(f.Super, i%3)
	}
	for i := range f.Labels {
		f.Labels[i] = (7 * i) % 15
	}
	s := openSet(t, f, smallRecipes())
	few := s.sample()
	if err := few.Validate(); err != nil {
		t.Fatal(err)
	}
	if few.Len() != 30 || len(few.Classes) != 15 || few.Name != "photos train" {
		t.Errorf("%v", few)
	}
	for k := range few.Len() { // classes of one name have one superclass in both
		c := few.Labels[k]
		var old int
		if _, err := fmt.Sscanf(few.Classes[c], "class %d", &old); err != nil || few.Supers[few.Super[c]] != f.Supers[f.Super[old]] {
			t.Errorf("class %q stands in %q: %v", few.Classes[c], few.Supers[few.Super[c]], err)
		}
	}
	b := s.MIMEBundle()
	if b[display.MIMEText] != s.String() || len(b[display.MIMEPNG].([]byte)) < 1000 {
		t.Errorf("text %q", b[display.MIMEText])
	}
	f.Super, f.Supers = nil, nil
	if err := os.WriteFile(filepath.Join(f.Root, f.Paths[0]), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if few := openSet(t, f, smallRecipes()).sample(); few.Validate() != nil || !strings.HasPrefix(string(few.Pixels), "\x00\x00\x00") {
		t.Errorf("%v: %v, and a damaged file must be black", few, few.Validate())
	}
}
