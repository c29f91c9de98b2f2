package datasets

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
)

// InShop reads In-Shop Clothes Retrieval of DeepFashion, as published:
//
//	Eval/list_eval_partition.txt   the number of rows, a header, then
//	                               image_name item_id evaluation_status
//	                               "img/WOMEN/Dresses/id_00000002/02_1_front.jpg id_00000002 train"
//	Img/img/ …                     the pictures, of img.zip
//
// Items are the classes; status train is Train, query is Query, gallery is
// Gallery. Query and Gallery share one numbering of their classes, so a class of
// one may be without files of the other; Notes says of how many queries. Where
// paths have two folders above that of the item (WOMEN/Dresses) they are the
// superclasses. An item of Train and of another part is an error. Published are
// 25,882, 14,218 and 12,612 pictures; other counts are said in Notes.
//
// The folder "In-shop Clothes Retrieval Benchmark" lies in dir or is dir;
// list_eval_partition.txt may lie in it directly, and so may img. The rest is
// as with CUB.
//
// Source: Liu, Luo, Qiu, Wang, Tang, "DeepFashion: Powering Robust Clothes
// Recognition and Retrieval with Rich Annotations", CVPR 2016.
func InShop(ctx context.Context, dir string) (*Benchmark, error) {
	b, err := openBase(ctx, "inshop", dir)
	if err != nil {
		return nil, err
	}
	defer b.close()
	file := "Eval/list_eval_partition.txt"
	if !b.has(file) {
		file = "list_eval_partition.txt"
	}
	l, err := b.listing(file)
	if err != nil {
		return nil, err
	}
	r := shopReader{l: l, paths: once{}, kinds: map[int]string{}, parts: map[string][]listed{}, trains: map[int]bool{}, lines: map[int]int{}}
	if err := r.read(); err != nil {
		return nil, err
	}
	return r.benchmark()
}

const (
	shopForm     = "image_name item_id evaluation_status"
	shopStatuses = "train, query or gallery"
)

// shopReader reads the list of In-Shop.
type shopReader struct {
	l      *listing
	want   int // rows, as the first line says
	paths  once
	parts  map[string][]listed
	kinds  map[int]string // superclass of an item
	trains map[int]bool   // whether an item is of train
	lines  map[int]int    // the first line of an item
	mixed  int            // files of another kind than their item's first
	flat   bool           // some path tells no kind
}

// read reads the rows.
func (r *shopReader) read() error {
	at, rows := 0, 0
	err := r.l.each(func(line int, text string) (err error) {
		switch at++; at {
		case 1:
			r.want, err = r.l.integer(line, strings.TrimSpace(text), "the number of rows", 1, maxLines)
			return err
		case 2:
			return r.l.header(line, text, shopForm)
		}
		rows++
		return r.row(line, text)
	})
	if err != nil {
		return err
	}
	if rows != r.want {
		return r.l.errorf(1, "the first line promises %d rows, there are %d; the file was cut short or edited: put the published file there again", r.want, rows)
	}
	return nil
}

// row reads one row.
func (r *shopReader) row(line int, text string) error {
	f, err := r.l.fields(line, text, shopForm)
	if err != nil {
		return err
	}
	if err := r.l.image(line, f[0]); err != nil {
		return err
	}
	if err := r.paths.check(r.l, line, "image_name", f[0]); err != nil {
		return err
	}
	digits, ok := strings.CutPrefix(f[1], "id_")
	if !ok {
		return r.l.errorf(line, "item_id is %s; want one like id_00000002", shown(f[1]))
	}
	item, err := r.l.integer(line, digits, "the number of item_id", 0, maxClass)
	if err != nil {
		return err
	}
	train := f[2] == "train"
	if !train && f[2] != "query" && f[2] != "gallery" {
		return r.l.errorf(line, "evaluation_status is %s; want %s", shown(f[2]), shopStatuses)
	}
	if before, ok := r.lines[item]; !ok {
		r.lines[item], r.trains[item] = line, train
	} else if r.trains[item] != train {
		return r.l.errorf(line, "item_id %s is %s, on line %d it is not; training and test may not share an item: put the published file there again", shown(f[1]), f[2], before)
	}
	r.kind(item, f[0])
	r.parts[f[2]] = append(r.parts[f[2]], listed{f[0], item, line})
	return nil
}

// kind notes the superclass that a path tells.
func (r *shopReader) kind(item int, p string) {
	parts := strings.Split(p, "/")
	if len(parts) != 5 {
		r.flat = true
		return
	}
	kind := parts[1] + "/" + parts[2]
	if before, ok := r.kinds[item]; ok && before != kind {
		r.mixed++
		return
	}
	r.kinds[item] = kind
}

// benchmark checks the files and makes the parts.
func (r *shopReader) benchmark() (*Benchmark, error) {
	b := r.l.base
	var all []listed
	for _, status := range []string{"train", "query", "gallery"} {
		if len(r.parts[status]) == 0 {
			return nil, r.l.errorf(0, "no row has the evaluation_status %s; put the published file there again", status)
		}
		all = append(all, r.parts[status]...)
	}
	under := ""
	if b.has("Img") && !b.has(all[0].path) {
		under = "Img"
	}
	if err := b.present(r.l.name, under, all); err != nil {
		return nil, err
	}
	root := filepath.Join(b.path, under)
	name := func(id int) string { return fmt.Sprintf("id_%08d", id) }
	trainIDs, to := numbered(r.parts["train"])
	out := &Benchmark{Name: b.source.Title, Train: part("inshop train", root, r.parts["train"], trainIDs, to, name)}
	ids, to := numbered(r.parts["query"], r.parts["gallery"])
	out.Query = part("inshop query", root, r.parts["query"], ids, to, name)
	out.Gallery = part("inshop gallery", root, r.parts["gallery"], ids, to, name)
	if !r.flat {
		kind := func(id int) string { return r.kinds[id] }
		out.Train.grouped(trainIDs, kind)
		out.Query.grouped(ids, kind)
		out.Gallery.grouped(ids, kind)
	}
	out.Notes = append(b.source.differ(out), r.notes(out)...)
	return out, nil
}

// notes says what a reader of the scores should know.
func (r *shopReader) notes(b *Benchmark) (notes []string) {
	if n := b.lonely(); n > 0 {
		notes = append(notes, strconv.Itoa(n)+" query files have no file of their class in the gallery: no search can find it")
	}
	if r.mixed > 0 && !r.flat {
		notes = append(notes, strconv.Itoa(r.mixed)+" files lie under another kind than the first file of their item, whose kind is the superclass")
	}
	return notes
}

// lonely is the number of query files whose class has no file to find.
func (b *Benchmark) lonely() (n int) {
	counts := make([]int, len(b.Query.Classes))
	among, least := b.Query, 2
	if b.Gallery != nil {
		among, least = b.Gallery, 1
	}
	for _, c := range among.Labels {
		counts[c]++
	}
	for _, c := range b.Query.Labels {
		if counts[c] < least {
			n++
		}
	}
	return n
}
