package worker

import (
	"fmt"
	"io"
	"os"
	"reflect"

	"github.com/traefik/yaegi/stdlib"
)

// exit is the panic of os.Exit in a cell.
type exit int

func (e exit) Error() string {
	return fmt.Sprintf("os.Exit(%d) ends the cell; all variables are kept", int(e))
}

// Symbols is what cells get in place of functions of the standard library that
// would do harm in a worker: printing to os.Stdout and os.Stderr keeps its
// order with fmt.Print, and os.Exit ends the cell and not the worker.
//
// The keys are spelled so that the interpreter does not take the table for the
// standard library itself, whose other symbols it would prepare again.
func Symbols(out *Outlet) map[string]map[string]reflect.Value {
	stdout, stderr := out.Stdout(), out.Stderr()
	ordered := func(w io.Writer) io.Writer {
		switch w {
		case io.Writer(os.Stdout):
			return stdout
		case io.Writer(os.Stderr):
			return stderr
		}
		return w
	}
	fprint := reflect.ValueOf(func(w io.Writer, a ...any) (int, error) { return fmt.Fprint(ordered(w), a...) })
	fprintf := reflect.ValueOf(func(w io.Writer, format string, a ...any) (int, error) { return fmt.Fprintf(ordered(w), format, a...) })
	fprintln := reflect.ValueOf(func(w io.Writer, a ...any) (int, error) { return fmt.Fprintln(ordered(w), a...) })
	return map[string]map[string]reflect.Value{
		"fmt//fmt": {"Fprint": fprint, "Fprintf": fprintf, "Fprintln": fprintln},
		"os//os":   {"Exit": reflect.ValueOf(func(code int) { panic(exit(code)) })},
		".": {"MapTypes": reflect.ValueOf(map[reflect.Value][]reflect.Type{
			fprint:   stdlib.MapTypes[reflect.ValueOf(fmt.Fprint)],
			fprintf:  stdlib.MapTypes[reflect.ValueOf(fmt.Fprintf)],
			fprintln: stdlib.MapTypes[reflect.ValueOf(fmt.Fprintln)],
		})},
	}
}
