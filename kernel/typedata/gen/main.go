// Command gen writes typedata.bin: the types and the documentation of the
// packages that cells may import. Run by: go generate ./kernel/typedata
package main

import (
	"bytes"
	"compress/flate"
	"fmt"
	"go/ast"
	"go/doc"
	"go/token"
	"log"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/tools/go/gcexportdata"
	"golang.org/x/tools/go/packages"
)

func main() {
	log.SetFlags(0)
	list, err := os.ReadFile("../symbols/packages.txt")
	if err != nil {
		log.Fatal(err)
	}
	data, err := generate(append(strings.Fields(string(list)), "std"))
	if err != nil {
		log.Fatalf("typedata: %v", err)
	}
	if err := os.WriteFile("typedata.bin.new", data, 0o644); err != nil {
		log.Fatal(err)
	}
	if err := os.Rename("typedata.bin.new", "typedata.bin"); err != nil {
		log.Fatal(err)
	}
}

// generate loads the packages and returns the contents of the file.
func generate(patterns []string) ([]byte, error) {
	// The data are the same on every machine: those of linux/amd64, no cgo.
	env := append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
	config := &packages.Config{
		Mode: packages.NeedName | packages.NeedTypes | packages.NeedSyntax | packages.NeedImports | packages.NeedDeps | packages.NeedFiles,
		Env:  env,
	}
	found, err := packages.Load(config, patterns...)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(found, func(a, b *packages.Package) int { return strings.Compare(a.PkgPath, b.PkgPath) })
	var head, segments bytes.Buffer
	fmt.Fprintln(&head, runtime.Version())
	for _, p := range found {
		if hidden(p.PkgPath) || p.Name == "main" {
			continue
		}
		if len(p.Errors) > 0 {
			return nil, fmt.Errorf("%s: %v", p.PkgPath, p.Errors[0])
		}
		var raw bytes.Buffer
		// A new file set has no files: the data hold no positions.
		if err := gcexportdata.Write(&raw, token.NewFileSet(), p.Types); err != nil {
			return nil, fmt.Errorf("%s: %w", p.PkgPath, err)
		}
		texts, err := documentation(p)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.PkgPath, err)
		}
		a, b := pack(raw.Bytes()), pack(texts)
		fmt.Fprintln(&head, p.PkgPath, p.Name, len(a), len(b))
		segments.Write(a)
		segments.Write(b)
	}
	return append(append(head.Bytes(), '\n'), segments.Bytes()...), nil
}

// hidden says whether cells may not import a package of the standard library.
func hidden(path string) bool {
	for _, part := range strings.Split(path, "/") {
		if part == "internal" || part == "vendor" {
			return true
		}
	}
	return path == "unsafe" || strings.HasPrefix(path, "cmd/")
}

func pack(raw []byte) []byte {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := w.Write(raw); err != nil {
		log.Fatal(err)
	}
	if err := w.Close(); err != nil {
		log.Fatal(err)
	}
	return b.Bytes()
}

// documentation is the names and texts of a package, each ended by a zero
// byte.
func documentation(p *packages.Package) ([]byte, error) {
	d, err := doc.NewFromFiles(p.Fset, p.Syntax, p.PkgPath)
	if err != nil {
		return nil, err
	}
	texts := map[string]string{"": d.Doc}
	values := func(list []*doc.Value) {
		for _, v := range list {
			own := specDocs(v.Decl)
			for _, n := range v.Names {
				texts[n] = own[n]
				if own[n] == "" {
					texts[n] = v.Doc
				}
			}
		}
	}
	values(d.Consts)
	values(d.Vars)
	for _, f := range d.Funcs {
		texts[f.Name] = f.Doc
	}
	for _, t := range d.Types {
		texts[t.Name] = t.Doc
		values(t.Consts)
		values(t.Vars)
		for _, f := range t.Funcs {
			texts[f.Name] = f.Doc
		}
		for _, f := range t.Methods {
			texts[t.Name+"."+f.Name] = f.Doc
		}
		for _, spec := range t.Decl.Specs {
			if s, ok := spec.(*ast.TypeSpec); ok && s.Name.Name == t.Name {
				fieldDocs(texts, t.Name, s.Type)
			}
		}
	}
	var b bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		if text := strings.TrimSpace(texts[name]); text != "" {
			fmt.Fprintf(&b, "%s\x00%s\x00", name, strings.ReplaceAll(text, "\x00", ""))
		}
	}
	return b.Bytes(), nil
}

// specDocs is the comments at the single names of a const or var declaration.
func specDocs(d *ast.GenDecl) map[string]string {
	texts := map[string]string{}
	for _, spec := range d.Specs {
		s, ok := spec.(*ast.ValueSpec)
		if !ok {
			continue
		}
		text := strings.TrimSpace(s.Doc.Text() + s.Comment.Text())
		for _, n := range s.Names {
			texts[n.Name] = text
		}
	}
	return texts
}

// fieldDocs adds the comments at the fields of a struct and the methods of an
// interface.
func fieldDocs(texts map[string]string, name string, t ast.Expr) {
	var fields *ast.FieldList
	switch t := t.(type) {
	case *ast.StructType:
		fields = t.Fields
	case *ast.InterfaceType:
		fields = t.Methods
	default:
		return
	}
	for _, f := range fields.List {
		for _, n := range f.Names {
			if text := f.Doc.Text() + f.Comment.Text(); n.IsExported() && text != "" {
				texts[name+"."+n.Name] = text
			}
		}
	}
}
