package datasets

import (
	"context"
	"fmt"
	"path"
	"strings"

	"github.com/chestlab/chest/internal/matfile"
)

// Cars196 reads Cars196, 196 models of cars, in any of the forms it is passed on:
//
//	cars_annos.mat          struct array annotations with the fields relative_im_path,
//	                        class (1 to 196), test and four of a box; class_names
//	devkit/                 cars_train_annos.mat and cars_test_annos_withlabels.mat, annotations
//	                        with fname and class; cars_meta.mat; pictures in cars_train/ and cars_test/
//	cars_annos.txt          "car_ims/000001.jpg,1,0", path,class,test on each line
//
// The first that is there is read. The devkit's files may lie in the folder
// itself. Whatever the form, classes 1 to 98 are Train and 99 to 196 Query; the
// boxes and the column test are not used. Classes are named by class_names where
// it is there and by their number otherwise. Published are 8,054 and 8,131
// pictures; other counts are said in Notes.
//
// The folder cars196 lies in dir or is dir; the rest is as with CUB.
//
// Source: Krause, Stark, Deng, Fei-Fei, "3D Object Representations for
// Fine-Grained Categorization", 3dRR 2013.
func Cars196(ctx context.Context, dir string) (*Benchmark, error) {
	b, err := openBase(ctx, "cars", dir)
	if err != nil {
		return nil, err
	}
	defer b.close()
	r := carReader{base: b, paths: map[string]string{}}
	switch kit := b.kit(); {
	case b.has("cars_annos.mat"):
		err = r.annotations("cars_annos.mat", "relative_im_path", "")
	case kit != "":
		err = r.devkit(strings.TrimSuffix(kit, "cars_train_annos.mat"))
	default:
		err = r.text("cars_annos.txt")
	}
	if err != nil {
		return nil, err
	}
	return b.halves(r.items, 98, b.path, r.className, nil)
}

// kit is the devkit's list of training images, "" if there is none.
func (b *base) kit() string {
	for _, name := range []string{"devkit/cars_train_annos.mat", "cars_train_annos.mat"} {
		if b.has(name) {
			return name
		}
	}
	return ""
}

const (
	carClasses = 196
	maxMat     = 32 << 20 // bytes of a .mat file, far above the published ones
	maxCars    = 100_000  // images of a list
)

// carReader reads lists of Cars196.
type carReader struct {
	base  *base
	items []listed
	paths map[string]string // where each path stands
	names []string          // of the classes; nil: none known
}

// className is the name of a class, or its number.
func (r *carReader) className(id int) string {
	if id-1 < len(r.names) {
		return r.names[id-1]
	}
	return fmt.Sprint(id)
}

// devkit reads the two lists of the devkit in folder, "" or "devkit/".
func (r *carReader) devkit(folder string) error {
	if err := r.annotations(folder+"cars_train_annos.mat", "fname", "cars_train/"); err != nil {
		return err
	}
	test := "cars_test_annos_withlabels.mat"
	if !r.base.has(folder+test) && r.base.has(test) {
		folder = "" // it is a download of its own
	} else if !r.base.has(folder+test) && r.base.has(folder+"cars_test_annos.mat") {
		return r.base.errorf(folder+"cars_test_annos.mat", 0, "this file of the devkit has no classes; download %s and put it beside it", test)
	}
	if err := r.annotations(folder+test, "fname", "cars_test/"); err != nil {
		return err
	}
	for _, meta := range []string{folder + "cars_meta.mat", "devkit/cars_meta.mat"} {
		if r.base.has(meta) && r.names == nil {
			vars, err := r.mat(meta)
			if err == nil {
				err = r.classNames(meta, vars)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// mat reads the variables of a .mat file.
func (r *carReader) mat(file string) (map[string]matfile.Value, error) {
	data, err := r.base.read(file, maxMat)
	if err != nil {
		return nil, err
	}
	vars, err := matfile.Read(data)
	if err != nil {
		return nil, r.base.errorf(file, 0, "%w; put the published file there again", err)
	}
	return vars, nil
}

// annotations reads a struct array; field names the one that holds the path,
// which lies in folder.
func (r *carReader) annotations(file, field, folder string) error {
	vars, err := r.mat(file)
	if err != nil {
		return err
	}
	a, ok := vars["annotations"]
	if !ok || a.Fields == nil || a.Len() == 0 {
		return r.base.errorf(file, 0, "no struct array annotations with elements in it; put the published file there again")
	}
	if a.Len() > maxCars {
		return r.base.errorf(file, 0, "%d annotations; want at most %d", a.Len(), maxCars)
	}
	for i := range a.Len() {
		if err := r.annotation(&a, i, file, field, folder); err != nil {
			return fmt.Errorf("%w; put the published file there again", err)
		}
	}
	if err := r.classNames(file, vars); err != nil {
		return err
	}
	return r.present(file, len(r.items)-a.Len())
}

// annotation reads element i of a struct array.
func (r *carReader) annotation(a *matfile.Value, i int, file, field, folder string) error {
	wrong := func(format string, args ...any) error {
		return r.base.errorf(file, 0, "annotations(%d): %w", i+1, fmt.Errorf(format, args...))
	}
	p, class := a.Field(i, field), a.Field(i, "class")
	if p == nil || class == nil {
		missing := field
		if p != nil {
			missing = "class"
		}
		return wrong("there is no field %s among %q", missing, some(a.Fields, 12))
	}
	if len(class.Numbers) != 1 {
		return wrong("class has %d numbers, want one", len(class.Numbers))
	}
	c := class.Numbers[0]
	if c != float64(int(c)) || c < 1 || c > carClasses {
		return wrong("class is %g, want 1 to %d", c, carClasses)
	}
	if err := r.add(folder+p.Text, int(c), fmt.Sprintf("in %s annotations(%d)", file, i+1), 0); err != nil {
		return wrong("%s: %w", field, err)
	}
	return nil
}

// some is at most n of the texts.
func some(texts []string, n int) []string { return texts[:min(n, len(texts))] }

// add adds an image that stands at a place of a list.
func (r *carReader) add(p string, class int, place string, line int) error {
	if err := checkPath(p); err != nil {
		return err
	}
	if before, ok := r.paths[p]; ok {
		return fmt.Errorf("path %s stands %s already; every one may stand there once: delete one of the two", shown(p), before)
	}
	r.paths[p] = place
	r.items = append(r.items, listed{p, class, line})
	return nil
}

// classNames reads class_names, a row of cells, where it is there.
func (r *carReader) classNames(file string, vars map[string]matfile.Value) error {
	v, ok := vars["class_names"]
	if !ok {
		return nil
	}
	if len(v.Cells) != carClasses || v.Fields != nil {
		return r.base.errorf(file, 0, "class_names has %d names; want %d: put the published file there again", len(v.Cells), carClasses)
	}
	names, seen := make([]string, carClasses), map[string]bool{}
	for i, c := range v.Cells {
		names[i] = c.Text
		if !plain(c.Text) || seen[c.Text] {
			return r.base.errorf(file, 0, "class_names{%d} is %s; want a name of its own: put the published file there again", i+1, shown(c.Text))
		}
		seen[c.Text] = true
	}
	r.names = names
	return nil
}

// text reads lines path,class,test.
func (r *carReader) text(file string) error {
	l, err := r.base.listing(file)
	if err != nil {
		return err
	}
	first := true
	err = l.each(func(line int, text string) error {
		if first {
			first = false
			if text == "path,class,test" {
				return nil
			}
		}
		return r.textRow(l, line, text)
	})
	if err != nil {
		return err
	}
	return r.present(file, 0)
}

// textRow reads one line.
func (r *carReader) textRow(l *listing, line int, text string) error {
	f := strings.Split(text, ",")
	if len(f) != 3 {
		return l.errorf(line, "%s has %d fields; want 3, separated by commas: path,class,test", shown(text), len(f))
	}
	class, err := l.integer(line, f[1], "class", 1, carClasses)
	if err != nil {
		return err
	}
	if _, err := l.integer(line, f[2], "test", 0, 1); err != nil {
		return err
	}
	if err := r.add(f[0], class, fmt.Sprintf("on line %d", line), line); err != nil {
		return l.errorf(line, "%w", err)
	}
	return nil
}

// present checks the images from item k on.
func (r *carReader) present(file string, k int) error {
	if len(r.items) > 0 && !r.base.has(path.Dir(r.items[len(r.items)-1].path)) {
		return r.base.errorf(file, 0, "there is no folder %s beside it; unpack the images there", path.Dir(r.items[len(r.items)-1].path))
	}
	return r.base.present(file, "", r.items[k:])
}
