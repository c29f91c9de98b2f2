package main

import (
	"io"

	"github.com/chestlab/chest/kernel/eval"
	"github.com/chestlab/chest/kernel/symbols"
)

// newSession is a fresh notebook: every package that cells may use, and the
// most used ones imported unless bare is set.
func newSession(stdout, stderr io.Writer, bare bool) (*eval.Session, error) {
	o := eval.Options{Symbols: symbols.All(), Stdout: stdout, Stderr: stderr}
	if !bare {
		o.Imports = symbols.Imported()
	}
	return eval.New(o)
}
