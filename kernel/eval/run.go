package eval

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"io"
	"log"
	"maps"
	"path"
	"reflect"
	"sort"
	"time"

	"github.com/chestlab/chest/kernel/display"
	"github.com/traefik/yaegi/interp"
)

const (
	// politeTime is how long a cell may end by itself after an interrupt: a
	// compiled call that watches display.Context returns, and no function of
	// the session is lost.
	politeTime = 40 * time.Millisecond
	// callTime is how long a compiled call may go on after that.
	callTime = 2 * time.Second
)

// load gives the interpreter its packages.
func (s *Session) load(symbols []map[string]map[string]reflect.Value) error {
	all := map[string]map[string]reflect.Value{}
	for _, table := range symbols {
		for key, names := range table {
			if key != "." {
				s.packages[path.Dir(key)] = path.Base(key)
				if all[key] == nil {
					all[key] = names
				}
			}
		}
		if err := s.interp.Use(table); err != nil {
			return fmt.Errorf("eval: loading symbols: %w", err)
		}
	}
	show := reflect.ValueOf(func(v ...any) { s.shown(v) })
	var err error
	forms := []reflect.Type{reflect.TypeOf((*error)(nil)).Elem(), reflect.TypeOf((*display.Displayer)(nil)).Elem(), reflect.TypeOf((*fmt.Stringer)(nil)).Elem()}
	host := interp.Exports{
		hostPath + "/cell": {
			"Show":      show,
			"ShowError": reflect.ValueOf(func(e error) { s.shown([]any{e}) }),
			"Body":      reflect.ValueOf(func() { s.body() }),
		},
		".": {"MapTypes": reflect.ValueOf(map[reflect.Value][]reflect.Type{show: forms})},
	}
	if err = s.interp.Use(host); err != nil {
		return fmt.Errorf("eval: loading symbols: %w", err)
	}
	return nil
}
