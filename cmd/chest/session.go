package main

import (
	"context"
	"go/token"
	"go/types"
	"io"
	"os"
	"reflect"

	"github.com/chestlab/chest/kernel/command"
	"github.com/chestlab/chest/kernel/eval"
	"github.com/chestlab/chest/kernel/symbols"
	"github.com/chestlab/chest/kernel/typedata"
)

// table is import path/name → exported name → value.
type table = map[string]map[string]reflect.Value

// canExit lets cells end this program by os.Exit, as scripts do. A kernel goes
// without: there a cell that calls it fails.
var canExit = table{"os/os": {"Exit": reflect.ValueOf(os.Exit)}}

// newSession is a fresh notebook: every package that cells may use, and the
// most used ones imported unless bare is set. More tables replace symbols.
func newSession(stdout, stderr io.Writer, bare bool, more ...table) (*command.Shell, error) {
	o := sessionOptions(bare, more...)
	o.Stdin, o.Stdout, o.Stderr = os.Stdin, stdout, stderr
	return newShell(o, bare)
}

// newShell is a session that knows the special commands. Unless it is bare the
// prelude has run, which is no cell: %save does not count it.
func newShell(o eval.Options, bare bool) (*command.Shell, error) {
	session, err := eval.New(o)
	if err != nil {
		return nil, err
	}
	if !bare {
		if res := session.Run(context.Background(), eval.Cell{Name: "prelude", Code: symbols.Prelude}); res.Err != nil {
			return nil, res.Err
		}
	}
	return command.New(session, o.Stdout), nil
}

// importer knows the packages of symbols that exist under another name only.
type importer struct{ types.Importer }

func (im *importer) Import(path string) (*types.Package, error) {
	const show = "github.com/chestlab/chest/kernel/display"
	switch path {
	case "github.com/gopherdata/gophernotes/display":
		return im.Importer.Import(show)
	case "chest/predeclared":
		p, err := im.Importer.Import(show)
		if err != nil {
			return nil, err
		}
		own := types.NewPackage(path, "predeclared")
		f := p.Scope().Lookup("Show").(*types.Func)
		own.Scope().Insert(types.NewFunc(token.NoPos, own, "Display", f.Signature()))
		own.MarkComplete()
		return own, nil
	}
	return im.Importer.Import(path)
}

// sessionOptions is a session without its streams.
func sessionOptions(bare bool, more ...table) eval.Options {
	o := eval.Options{Symbols: append(symbols.All(), more...), Importer: &importer{Importer: typedata.New(token.NewFileSet())}, Doc: docOf, Commands: command.Commands()}
	if !bare {
		o.Imports = symbols.Imported()
	}
	return o
}

// docOf is typedata.Doc, with "" for what has none.
func docOf(path, name string) string {
	text, _ := typedata.Doc(path, name)
	return text
}
