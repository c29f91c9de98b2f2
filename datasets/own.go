package datasets

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxOwn bounds the pictures of an own folder.
const maxOwn = 5_000_000

// pictures are the endings of files that Images decodes.
var pictures = []string{".jpg", ".jpeg", ".png", ".gif", ".webp"}

// Folder reads own pictures: dir/class/name.jpg, also .jpeg, .png, .gif and .webp.
// Folders are the classes, in the order of their names. Other files, folders in
// a class and names that begin with a dot are skipped; Notes says how many.
//
// With a file split.csv in dir,
//
//	path,split
//	cats/tom.jpg,train
//
// the parts are those of its second column: train, query (or test, the same)
// and gallery; pictures that it does not name are left out. Without it the first
// half of the classes, rounded up, is Train and the second half Query, as in the
// field's benchmarks. Query and Gallery share one numbering of their classes.
// Classes of Train that occur in Query are said in Notes.
//
// Folders and files are not trusted: a symbolic link out of dir, or a row of
// split.csv that does not fit, gives an error that names file, line, finding and
// remedy.
func Folder(ctx context.Context, dir string) (*Benchmark, error) {
	root, err := os.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		if whole, err := filepath.Abs(dir); err == nil {
			dir = whole // a notebook's folder may not be the one that its reader thinks of
		}
		return nil, fmt.Errorf("%w: image folder: there is no %s; make it, with a folder of pictures for each class", ErrNoData, dir)
	}
	if err != nil {
		return nil, fmt.Errorf("datasets: image folder: %w", err)
	}
	b := &base{Source{Name: "folder", Title: "image folder"}, dir, root, ctx}
	defer b.close()
	r := ownReader{base: b, class: map[string]int{}}
	if err := r.walk(); err != nil {
		return nil, err
	}
	if !b.has("split.csv") {
		return r.byClass()
	}
	return r.bySplit()
}

// ownReader finds the pictures of a folder.
type ownReader struct {
	base    *base
	classes []string
	class   map[string]int // of each path
	items   []listed
	skipped int
}

// walk finds the pictures in the order of their paths.
func (r *ownReader) walk() error {
	folders, err := fs.ReadDir(r.base.root.FS(), ".")
	if err != nil {
		return r.base.errorf(".", 0, "%s", opening(err))
	}
	for _, folder := range folders {
		name := folder.Name()
		if strings.HasPrefix(name, ".") || folder.Type().IsRegular() {
			if name != "split.csv" {
				r.skipped++
			}
			continue
		}
		st, err := r.base.root.Stat(name)
		if err != nil {
			return r.base.errorf(name, 0, "%s", opening(err))
		}
		if !st.IsDir() {
			r.skipped++
			continue
		}
		if err := r.folder(name); err != nil {
			return err
		}
	}
	if len(r.items) == 0 {
		return r.base.errorf(".", 0, "no picture in %d folders; put pictures (%s) into a folder for each class: %s",
			len(folders), strings.Join(pictures, " "), filepath.Join(r.base.path, "cats", "tom.jpg"))
	}
	return nil
}

// folder finds the pictures of a class; one without any is left out.
func (r *ownReader) folder(name string) error {
	files, err := fs.ReadDir(r.base.root.FS(), name)
	if err != nil {
		return r.base.errorf(name, 0, "%s", opening(err))
	}
	before := len(r.items)
	for _, file := range files {
		p := name + "/" + file.Name()
		if strings.HasPrefix(file.Name(), ".") || !slices.Contains(pictures, strings.ToLower(filepath.Ext(p))) || file.IsDir() {
			r.skipped++
			continue
		}
		if err := checkPath(p); err != nil {
			return r.base.errorf(name, 0, "%w, or rename the file", err)
		}
		r.class[p] = len(r.classes)
		r.items = append(r.items, listed{path: p, class: len(r.classes)})
		if len(r.items) > maxOwn {
			return r.base.errorf(name, 0, "more than %d pictures; split the folder", maxOwn)
		}
	}
	if len(r.items) > before {
		r.classes = append(r.classes, name)
	}
	return r.base.present(name, "", r.items[before:])
}

// name is the name of the folder, also where it was called ".".
func (r *ownReader) name() string {
	if abs, err := filepath.Abs(r.base.path); err == nil {
		return filepath.Base(abs)
	}
	return filepath.Base(r.base.path)
}

// className is the folder of a class.
func (r *ownReader) className(id int) string { return r.classes[id] }

// notes begins the notes.
func (r *ownReader) notes() []string {
	if r.skipped == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%d files or folders were skipped: they are not pictures (%s) in the folder of a class", r.skipped, strings.Join(pictures, " "))}
}

// byClass cuts at half of the classes.
func (r *ownReader) byClass() (*Benchmark, error) {
	if len(r.classes) < 2 {
		return nil, r.base.errorf(".", 0, "only one class, %s; want two or more, or a file split.csv that says what is train and what is test", shown(r.classes[0]))
	}
	out, err := r.base.halves(r.items, (len(r.classes)+1)/2-1, r.base.path, r.className, r.notes())
	if err != nil {
		return nil, err
	}
	out.Name = r.name()
	return out, nil
}

// bySplit cuts as split.csv says.
func (r *ownReader) bySplit() (*Benchmark, error) {
	l, err := r.base.listing("split.csv")
	if err != nil {
		return nil, err
	}
	parts, rows, headed := map[string][]listed{}, once{}, false
	err = l.each(func(line int, text string) error {
		if !headed {
			headed = true
			return l.header(line, text, "path,split")
		}
		return r.splitRow(l, line, text, rows, parts)
	})
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"train", "query"} {
		if len(parts[name]) == 0 {
			return nil, l.errorf(0, "no row says %s; both train and query (or test) are needed", name)
		}
	}
	return r.split(parts, len(r.items)-len(rows)), nil
}

// splitRow reads a row of split.csv. The path may hold commas.
func (r *ownReader) splitRow(l *listing, line int, text string, rows once, parts map[string][]listed) error {
	at := strings.LastIndexByte(text, ',')
	if at < 0 {
		return l.errorf(line, "%s has no comma; want path,split", shown(text))
	}
	p, split := strings.TrimSpace(text[:at]), strings.TrimSpace(text[at+1:])
	if len(p) > 1 && p[0] == '"' && p[len(p)-1] == '"' {
		p = strings.ReplaceAll(p[1:len(p)-1], `""`, `"`)
	}
	if err := l.image(line, p); err != nil {
		return err
	}
	if split == "test" {
		split = "query"
	}
	if split != "train" && split != "query" && split != "gallery" {
		return l.errorf(line, "split is %s; want train, query, test or gallery", shown(split))
	}
	class, ok := r.class[p]
	if !ok {
		return l.errorf(line, "there is no picture %s in %s; correct the path or delete the row", shown(p), r.base.path)
	}
	if err := rows.check(l, line, "path", p); err != nil {
		return err
	}
	parts[split] = append(parts[split], listed{p, class, line})
	return nil
}

// split makes the parts.
func (r *ownReader) split(parts map[string][]listed, left int) *Benchmark {
	root := r.base.path
	ids, to := numbered(parts["query"], parts["gallery"])
	out := &Benchmark{
		Name:  r.name(),
		Train: alone("folder train", root, parts["train"], r.className),
		Query: part("folder query", root, parts["query"], ids, to, r.className),
		Notes: r.notes(),
	}
	if len(parts["gallery"]) > 0 {
		out.Gallery = part("folder gallery", root, parts["gallery"], ids, to, r.className)
	}
	if left > 0 {
		out.Notes = append(out.Notes, fmt.Sprintf("%d pictures were left out: split.csv does not name them", left))
	}
	shared, trained := 0, map[string]bool{}
	for _, c := range out.Train.Classes {
		trained[c] = true
	}
	for _, c := range out.Query.Classes {
		if trained[c] {
			shared++
		}
	}
	if shared > 0 {
		out.Notes = append(out.Notes, fmt.Sprintf("%d of %d classes of query or gallery occur in training too: they are not all unseen", shared, len(out.Query.Classes)))
	}
	if n := out.lonely(); n > 0 {
		out.Notes = append(out.Notes, fmt.Sprintf("%d query files have no file of their class to find", n))
	}
	return out
}
