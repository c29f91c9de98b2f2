package datasets

import (
	"context"
	"path"
	"strconv"
	"strings"
)

// maxClass bounds the class numbers of lists, far above the published ones.
const maxClass = 10_000_000

// SOP reads Stanford Online Products, pictures of things sold on eBay, as
// published:
//
//	Ebay_train.txt, Ebay_test.txt   a header, then
//	                                image_id class_id super_class_id path
//	                                "1 1 1 bicycle_final/111085122871_0.JPG"
//	bicycle_final/ …                the pictures
//
// Products are the classes, named by their number; the 12 kinds of things are
// the superclasses, named by the folder of their first picture ("bicycle" for
// bicycle_final).
// Ebay_train.txt is Train, Ebay_test.txt is Query; a class of both, or a class
// with two superclasses, is an error. Published are 59,551 and 60,502 pictures;
// other counts are said in Notes.
//
// The folder Stanford_Online_Products lies in dir or is dir; the rest is as
// with CUB. Cost: about 120,000 files are looked for, some seconds on a cold
// disk.
//
// Source: Oh Song, Xiang, Jegelka, Savarese, "Deep Metric Learning via Lifted
// Structured Feature Embedding", CVPR 2016.
func SOP(ctx context.Context, dir string) (*Benchmark, error) {
	b, err := openBase(ctx, "sop", dir)
	if err != nil {
		return nil, err
	}
	defer b.close()
	r := sopReader{b, map[int]sopClass{}, map[int]string{}, once{}}
	out := &Benchmark{Name: b.source.Title}
	if out.Train, err = r.part("Ebay_train.txt", "sop train"); err != nil {
		return nil, err
	}
	if out.Query, err = r.part("Ebay_test.txt", "sop test"); err != nil {
		return nil, err
	}
	out.Notes = b.source.differ(out)
	return out, nil
}

// sopClass is where a class was met first, and its superclass.
type sopClass struct {
	super, line int
	file        string
}

// sopReader remembers what may not differ between the two lists.
type sopReader struct {
	base    *base
	classes map[int]sopClass
	supers  map[int]string // names
	paths   once
}

const sopForm = "image_id class_id super_class_id path"

// part reads one list.
func (r *sopReader) part(file, name string) (*Files, error) {
	l, err := r.base.listing(file)
	if err != nil {
		return nil, err
	}
	var items []listed
	ids, headed := once{}, false
	err = l.each(func(line int, text string) error {
		if !headed {
			headed = true
			return l.header(line, text, sopForm)
		}
		it, err := r.row(l, line, text, ids)
		items = append(items, it)
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(items) == 0 {
		return nil, l.errorf(0, "no row below the header; put the published file there again")
	}
	if err := r.base.present(file, "", items); err != nil {
		return nil, err
	}
	classes, to := numbered(items)
	f := part(name, r.base.path, items, classes, to, strconv.Itoa)
	f.grouped(classes, func(id int) string { return r.supers[r.classes[id].super] })
	return f, nil
}

// header checks the line above the rows.
func (l *listing) header(line int, text, form string) error {
	if strings.Join(strings.Fields(text), " ") != form {
		return l.errorf(line, "the header is %s; want %s", shown(text), form)
	}
	return nil
}

// row reads one row.
func (r *sopReader) row(l *listing, line int, text string, ids once) (it listed, err error) {
	f, err := l.fields(line, text, sopForm)
	if err != nil {
		return it, err
	}
	var n [3]int
	for k, what := range strings.Fields(sopForm)[:3] {
		if n[k], err = l.integer(line, f[k], what, 1, []int{maxClass, maxClass, 1000}[k]); err != nil {
			return it, err
		}
	}
	if err := ids.check(l, line, "image_id", strconv.Itoa(n[0])); err != nil {
		return it, err
	}
	if err := l.image(line, f[3]); err != nil {
		return it, err
	}
	if before, ok := r.paths[f[3]]; ok {
		return it, l.errorf(line, "path %s stands on line %d of this list or the other already; every one may stand there once: delete one of the two", shown(f[3]), before)
	}
	r.paths[f[3]] = line
	return listed{f[3], n[1], line}, r.class(l, line, n[1], n[2], f[3])
}

// class checks that a class is of one list and one superclass.
func (r *sopReader) class(l *listing, line, class, super int, p string) error {
	before, ok := r.classes[class]
	switch {
	case ok && before.file != l.name:
		return l.errorf(line, "class_id %d is in %s line %d, too; training and test may not share a class: put the published files there again", class, before.file, before.line)
	case ok && before.super != super:
		return l.errorf(line, "class_id %d has super_class_id %d, on line %d it has %d; want one for a class", class, super, before.line, before.super)
	case !ok:
		r.classes[class] = sopClass{super, line, l.name}
	}
	if _, ok := r.supers[super]; !ok {
		r.supers[super] = r.superName(super, p)
	}
	return nil
}

// superName is "bicycle" for a first path bicycle_final/…; or the number, if the
// folder is no kind of things, as in sets of other people in this format, or
// another superclass has that name.
func (r *sopReader) superName(super int, p string) string {
	name, ok := strings.CutSuffix(path.Dir(p), "_final")
	for _, other := range r.supers {
		ok = ok && other != name
	}
	if !ok || name == "" {
		return strconv.Itoa(super)
	}
	return name
}
