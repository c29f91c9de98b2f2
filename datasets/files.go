package datasets

import (
	"fmt"
	"slices"
	"strings"
)

// Files is labelled image files: what the readers of benchmarks return and what Images decodes.
type Files struct {
	Name    string   // "cub train"
	Root    string   // the folder that Paths are relative to
	Paths   []string // slash-separated, relative to Root, checked to lie inside it
	Labels  []int    // class of each file, in [0, len(Classes))
	Classes []string
	Super   []int // superclass of each class; nil: none known
	Supers  []string
}

// Benchmark is a data set as its field splits it. Gallery nil: every query is searched among all others.
type Benchmark struct {
	Name         string
	Train, Query *Files
	Gallery      *Files
	Notes        []string // what differs from the published counts, and what was skipped
}

// String is one line, such as "cub train: 5864 files, 100 classes".
func (f *Files) String() string {
	t := fmt.Sprintf("%s: %d files, %d classes", f.Name, len(f.Paths), len(f.Classes))
	if n := len(f.Supers); n > 0 {
		t += fmt.Sprintf(", %d superclasses", n)
	}
	return t
}

// Parts are the parts that the benchmark has: Train, Query and Gallery, less
// those that are nil.
func (b *Benchmark) Parts() []*Files {
	return slices.DeleteFunc([]*Files{b.Train, b.Query, b.Gallery}, func(f *Files) bool { return f == nil })
}

// String is a line for each part and each note.
func (b *Benchmark) String() string {
	var lines []string
	for _, f := range b.Parts() {
		lines = append(lines, f.String())
	}
	return strings.Join(append(lines, b.Notes...), "\n")
}

// listed is an image as a list names it.
type listed struct {
	path  string
	class int // the publisher's number
	line  int // of the list; 0: the list has no lines
}

// numbered numbers the classes of all parts from 0, in the order of the
// publisher's numbers, which come back by the new ones.
func numbered(parts ...[]listed) (ids []int, to map[int]int) {
	to = map[int]int{}
	for _, items := range parts {
		for _, it := range items {
			if _, ok := to[it.class]; !ok {
				to[it.class] = 0
				ids = append(ids, it.class)
			}
		}
	}
	slices.Sort(ids)
	for k, id := range ids {
		to[id] = k
	}
	return ids, to
}

// part makes Files of the items with the numbering of their classes.
func part(name, root string, items []listed, ids []int, to map[int]int, className func(id int) string) *Files {
	f := &Files{Name: name, Root: root, Paths: make([]string, len(items)), Labels: make([]int, len(items)), Classes: make([]string, len(ids))}
	for i, it := range items {
		f.Paths[i], f.Labels[i] = it.path, to[it.class]
	}
	for k, id := range ids {
		f.Classes[k] = className(id)
	}
	return f
}

// alone makes Files of items that share their numbering with no other part.
func alone(name, root string, items []listed, className func(id int) string) *Files {
	ids, to := numbered(items)
	return part(name, root, items, ids, to, className)
}

// grouped gives the classes of f superclasses by name, numbered in the order
// of their names; of is asked for each class.
func (f *Files) grouped(ids []int, of func(id int) string) {
	to := map[string]int{}
	for _, id := range ids {
		to[of(id)] = 0
	}
	for name := range to {
		f.Supers = append(f.Supers, name)
	}
	slices.Sort(f.Supers)
	for k, name := range f.Supers {
		to[name] = k
	}
	f.Super = make([]int, len(ids))
	for k, id := range ids {
		f.Super[k] = to[of(id)]
	}
}

// thousands writes 5924 as 5,924.
func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
