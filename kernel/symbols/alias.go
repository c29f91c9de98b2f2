package symbols

import "reflect"

const displayTable = "github.com/chestlab/chest/kernel/display/display"

// Prelude is the code that a fresh notebook runs before its first cell: it
// makes the function Display known without a package, as in gophernotes.
const Prelude = `import . "chest/predeclared"`

// aliases gives the display package the import path that the notebooks of
// gophernotes know, where the package is called display, too.
func aliases() map[string]map[string]reflect.Value {
	shown := Symbols[displayTable]
	return map[string]map[string]reflect.Value{
		"github.com/gopherdata/gophernotes/display": shown,
		"chest/predeclared/predeclared":             {"Display": shown["Show"]},
	}
}
