// Package typedata holds the types and the documentation of every package that
// cells may import, embedded in the program: a cell is type-checked, and Tab
// and Shift-Tab answer, without a Go tool chain.
//
// The data are of the standard library of the Go version that made them, and
// of the packages listed in kernel/symbols/packages.txt.
package typedata

//go:generate go run ./gen

import (
	"bytes"
	"compress/flate"
	_ "embed"
	"fmt"
	"go/token"
	"go/types"
	"io"
	"sort"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/tools/go/gcexportdata"
)

// typedata.bin is an index in text, a line for each package, an empty line,
// and the compressed segments. The first line of the index is the Go version.
//
//go:embed typedata.bin
var file []byte

// entry is the place of a package in the segments.
type entry struct {
	path, name   string
	at           int
	types, texts int // compressed sizes: export data, then documentation
}

var index = sync.OnceValues(func() ([]entry, []byte) {
	head, segments, _ := bytes.Cut(file, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")[1:]
	list := make([]entry, 0, len(lines))
	at := 0
	for _, line := range lines {
		f := strings.Fields(line)
		e := entry{path: f[0], name: f[1], at: at}
		e.types, _ = strconv.Atoi(f[2])
		e.texts, _ = strconv.Atoi(f[3])
		at += e.types + e.texts
		list = append(list, e)
	}
	return list, segments
})

// find looks a package up.
func find(path string) (e entry, segments []byte, ok bool) {
	list, segments := index()
	i := sort.Search(len(list), func(i int) bool { return list[i].path >= path })
	if i == len(list) || list[i].path != path {
		return entry{}, nil, false
	}
	return list[i], segments, true
}

// GoVersion is the version whose standard library the data describe, such as
// "go1.26.8".
func GoVersion() string {
	line, _, _ := bytes.Cut(file, []byte("\n"))
	return string(line)
}

// Paths lists the import paths of all packages, sorted.
func Paths() []string {
	list, _ := index()
	paths := make([]string, len(list))
	for i, e := range list {
		paths[i] = e.path
	}
	return paths
}

// Name is the name of a package, which is not always the end of its path.
func Name(path string) (string, bool) {
	e, _, ok := find(path)
	return e.name, ok
}

// NotFound is the error of Import for a package without data.
type NotFound struct{ Path string }

func (e *NotFound) Error() string { return "package " + e.Path + " is not in this kernel" }

// Importer gives packages to go/types. It reads one when it is asked for the
// first time, in about a millisecond. It is safe for concurrent use, and the
// packages it gave may be used while it reads others. Their Imports is empty.
type Importer struct {
	mu     sync.Mutex
	fset   *token.FileSet
	loaded map[string]*types.Package // complete or not: what others refer to
	done   map[string]bool
}

// New returns an importer that has read nothing. The objects of its packages
// have no positions.
func New(fset *token.FileSet) *Importer {
	return &Importer{fset: fset, loaded: map[string]*types.Package{}, done: map[string]bool{}}
}

// Import returns a package; the error is a *NotFound if there is none.
func (im *Importer) Import(path string) (*types.Package, error) {
	if path == "unsafe" {
		return types.Unsafe, nil
	}
	im.mu.Lock()
	defer im.mu.Unlock()
	if im.done[path] {
		return im.loaded[path], nil
	}
	e, segments, ok := find(path)
	if !ok {
		return nil, &NotFound{path}
	}
	r := flate.NewReader(bytes.NewReader(segments[e.at : e.at+e.types]))
	p, err := gcexportdata.Read(r, im.fset, im.loaded, path)
	if err != nil {
		return nil, fmt.Errorf("typedata: %s: %w", path, err)
	}
	// A checker that words an error walks from import to import. It must not get
	// to a package that is there in part: a later Import changes it.
	p.SetImports(nil)
	im.done[path] = true
	return p, nil
}

// Doc is the documentation of a symbol of a package: name is "" for the
// package itself, "Func", "Type", "Const", "Var", "Type.Method" or
// "Type.Field".
func Doc(path, name string) (text string, ok bool) {
	docs.Lock()
	defer docs.Unlock()
	if docs.of[path] == nil {
		e, segments, found := find(path)
		if !found {
			return "", false
		}
		if docs.of == nil {
			docs.of = map[string]map[string]string{}
		}
		docs.of[path] = readDocs(segments[e.at+e.types : e.at+e.types+e.texts])
	}
	text, ok = docs.of[path][name]
	return text, ok
}

var docs struct {
	sync.Mutex
	of map[string]map[string]string
}

// readDocs reads a segment of names and texts, each ended by a zero byte.
func readDocs(segment []byte) map[string]string {
	all, err := io.ReadAll(flate.NewReader(bytes.NewReader(segment)))
	table := map[string]string{}
	if err != nil {
		return table
	}
	parts := strings.Split(string(all), "\x00")
	for i := 0; i+1 < len(parts); i += 2 {
		table[parts[i]] = parts[i+1]
	}
	return table
}
