package datasets

import (
	"context"
	"fmt"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

// CUB reads CUB-200-2011, 200 kinds of birds, as published:
//
//	images.txt              image_id path       "1 001.Black_footed_Albatross/Black_Footed_Albatross_0046_18.jpg"
//	image_class_labels.txt  image_id class_id   "1 1"
//	classes.txt             class_id name       "1 001.Black_footed_Albatross"
//	images/                 the pictures
//
// Classes 1 to 100 are Train, 101 to 200 Query; train_test_split.txt is not
// used. A class without pictures is left out. Files whose names begin with ._
// are skipped. Published are 5,864 and 5,924 pictures; other counts are said in
// Notes.
//
// The folder CUB_200_2011 lies in dir or is dir; dir "" means the folder that
// the environment variable CHEST_DATA names. Missing data give an error that
// wraps ErrNoData. The files are not trusted: what is wrong gives an error that
// names file, line, finding and remedy, also a picture that is not there.
//
// Source: Wah, Branson, Welinder, Perona, Belongie, "The Caltech-UCSD
// Birds-200-2011 Dataset", 2011.
func CUB(ctx context.Context, dir string) (*Benchmark, error) {
	b, err := openBase(ctx, "cub", dir)
	if err != nil {
		return nil, err
	}
	defer b.close()
	names, err := b.cubNames()
	if err != nil {
		return nil, err
	}
	labels, err := b.cubLabels(names)
	if err != nil {
		return nil, err
	}
	items, skipped, err := b.cubImages(labels)
	if err != nil {
		return nil, err
	}
	if err := b.present("images.txt", "images", items); err != nil {
		return nil, err
	}
	return b.halves(items, 100, filepath.Join(b.path, "images"), func(id int) string { return names[id] }, leftover(skipped))
}

// cubNames reads classes.txt.
func (b *base) cubNames() (map[int]string, error) {
	l, err := b.listing("classes.txt")
	if err != nil {
		return nil, err
	}
	names, seen, ids := map[int]string{}, once{}, once{}
	err = l.each(func(line int, text string) error {
		f, err := l.fields(line, text, "class_id name")
		if err != nil {
			return err
		}
		id, err := l.integer(line, f[0], "class_id", 1, 200)
		if err == nil {
			err = ids.check(l, line, "class_id", strconv.Itoa(id))
		}
		if err == nil {
			err = seen.check(l, line, "the name", f[1])
		}
		names[id] = f[1]
		return err
	})
	return names, err
}

// cubLabel is the class of an image id and whether images.txt has it.
type cubLabel struct {
	class, line int
	used        bool
}

// cubLabels reads image_class_labels.txt.
func (b *base) cubLabels(names map[int]string) (map[int]*cubLabel, error) {
	l, err := b.listing("image_class_labels.txt")
	if err != nil {
		return nil, err
	}
	labels := map[int]*cubLabel{}
	err = l.each(func(line int, text string) error {
		f, err := l.fields(line, text, "image_id class_id")
		if err != nil {
			return err
		}
		id, err := l.integer(line, f[0], "image_id", 1, maxLines)
		if err != nil {
			return err
		}
		if before := labels[id]; before != nil {
			return l.errorf(line, "image_id %d stands on line %d already; every one may stand there once: delete one of the two", id, before.line)
		}
		class, err := l.integer(line, f[1], "class_id", 1, 200)
		if err != nil {
			return err
		}
		if _, ok := names[class]; !ok {
			return l.errorf(line, "class_id %d is not in classes.txt; add its name there", class)
		}
		labels[id] = &cubLabel{class: class, line: line}
		return nil
	})
	return labels, err
}

// cubImages reads images.txt and joins it with the labels.
func (b *base) cubImages(labels map[int]*cubLabel) (items []listed, skipped int, err error) {
	l, err := b.listing("images.txt")
	if err != nil {
		return nil, 0, err
	}
	ids, paths := once{}, once{}
	err = l.each(func(line int, text string) error {
		f, err := l.fields(line, text, "image_id path")
		if err != nil {
			return err
		}
		id, err := l.integer(line, f[0], "image_id", 1, maxLines)
		if err == nil {
			err = ids.check(l, line, "image_id", strconv.Itoa(id))
		}
		if err == nil {
			err = l.image(line, f[1])
		}
		if err == nil {
			err = paths.check(l, line, "path", f[1])
		}
		if err != nil {
			return err
		}
		label := labels[id]
		if label != nil {
			label.used = true
		}
		if strings.HasPrefix(path.Base(f[1]), "._") {
			skipped++
			return nil
		}
		if label == nil {
			return l.errorf(line, "image_id %d has no class in image_class_labels.txt; put both published files there again", id)
		}
		items = append(items, listed{f[1], label.class, line})
		return nil
	})
	if err != nil {
		return nil, 0, err
	}
	first := 0 // the first line of a label that nothing has
	for _, label := range labels {
		if !label.used && (first == 0 || label.line < first) {
			first = label.line
		}
	}
	if first > 0 {
		return nil, 0, b.errorf("image_class_labels.txt", first, "its image_id is not in images.txt; put both published files there again")
	}
	return items, skipped, nil
}

// halves cuts by class: ids up to last are Train, the others Query.
func (b *base) halves(items []listed, last int, root string, className func(id int) string, notes []string) (*Benchmark, error) {
	var train, query []listed
	for _, it := range items {
		if it.class <= last {
			train = append(train, it)
		} else {
			query = append(query, it)
		}
	}
	name := b.source.Name
	out := &Benchmark{
		Name:  b.source.Title,
		Train: alone(name+" train", root, train, className), Query: alone(name+" test", root, query, className),
	}
	for _, f := range out.Parts() {
		if len(f.Paths) == 0 {
			return nil, fmt.Errorf("datasets: %s: %s: no image for %s; classes 1 to %d train and the others test: both are needed", b.source.Title, b.path, f.Name, last)
		}
	}
	out.Notes = append(b.source.differ(out), notes...)
	return out, nil
}
