package main

import (
	"go/token"
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
	return newShell(o)
}

// newShell is a session that knows the special commands.
func newShell(o eval.Options) (*command.Shell, error) {
	session, err := eval.New(o)
	if err != nil {
		return nil, err
	}
	return command.New(session, o.Stdout), nil
}

// sessionOptions is a session without its streams.
func sessionOptions(bare bool, more ...table) eval.Options {
	o := eval.Options{Symbols: append(symbols.All(), more...), Importer: typedata.New(token.NewFileSet()), Doc: docOf, Commands: command.Commands()}
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
