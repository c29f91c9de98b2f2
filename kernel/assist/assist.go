// Package assist answers Tab and Shift-Tab: what could stand at the cursor of
// a cell, and what the name at the cursor means.
//
// Both go the same way, each stage in its own file: scan (text → tokens), cut
// (tokens → pieces, and how a broken one is closed behind the cursor), parse
// (pieces → syntax), view (syntax → types, with what earlier cells declared in
// scope). Cells under the cursor are mostly broken, so no stage fails: each
// gives what it could make out.
//
// The package knows neither the evaluator nor the wire; Env is all it is told.
package assist

import "go/types"

// Env is what a notebook knows at a moment. The zero value knows Go itself. A
// nil function knows nothing.
type Env struct {
	Scope    *types.Package                 // path "main": variables, functions, types, constants of earlier cells
	Imports  map[string]string              // name in cells → import path
	Importer types.Importer                 // reads packages
	Paths    func() []string                // all importable paths
	Doc      func(path, name string) string // documentation of a package symbol, "" unknown; name: "", "Func", "Type", "Type.Method", "Type.Field"
	Source   func(name string) string       // source of a function, method "T.M" or type of an earlier cell, with its comment
	Value    func(name string) string       // short text of a variable's present value
	Commands []Command                      // special commands
	Dir      string                         // where relative file paths begin; "" means the working directory
}

// Command is a special command of a notebook, such as %time.
type Command struct {
	Name string // with or without the leading %
	Help string // one line
}

func (e Env) paths() []string {
	if e.Paths == nil {
		return nil
	}
	return e.Paths()
}

func (e Env) doc(path, name string) string {
	if e.Doc == nil {
		return ""
	}
	return e.Doc(path, name)
}

func (e Env) source(name string) string {
	if e.Source == nil {
		return ""
	}
	return e.Source(name)
}

func (e Env) value(name string) string {
	if e.Value == nil {
		return ""
	}
	return e.Value(name)
}

// lookup is the object of earlier cells with this name, or nil.
func (e Env) lookup(name string) types.Object {
	if e.Scope == nil {
		return nil
	}
	return e.Scope.Scope().Lookup(name)
}
