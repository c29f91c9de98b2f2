package eval

import (
	"fmt"
	"go/ast"
	"path"
	"reflect"
	"slices"

	"github.com/chestlab/chest/kernel/display"
	"github.com/traefik/yaegi/interp"
)

// A value of a cell's type reaches compiled code without its methods. For the
// functions that show values the interpreter wraps it in a struct that has the
// methods of one interface. A type with such methods gets a wrapper of its own
// for all of them, whatever their parameters and results are: package display
// looks whether they fit.
//
//	struct { IValue, WHTML, WString, Wchest__value any }
//
// IValue is not always the whole value, so a hidden method gives it.

const wholeValue = prefix + "value"

// forms lists the interfaces that matter when a value is shown, those of
// package display first: a wrapper for one of them can hold the others.
var forms = append(display.Interfaces(), reflect.TypeFor[error](), reflect.TypeFor[fmt.Stringer]())

// shows is what the interpreter needs to show values of cells: the functions
// that do, with the interfaces that they look for.
func (s *Session) shows(symbols []map[string]map[string]reflect.Value, hosts ...reflect.Value) map[reflect.Value][]reflect.Type {
	s.wraps, s.composed, s.whole = map[reflect.Type]reflect.Value{}, map[reflect.Value][]reflect.Type{}, map[string]bool{}
	for _, table := range symbols {
		for _, t := range display.Interfaces() {
			if w, ok := table[t.PkgPath()+"/"+path.Base(t.PkgPath())]["_"+t.Name()]; ok {
				s.wraps[t] = w
			}
		}
	}
	known := forms[len(forms)-2:]
	if len(s.wraps) > 0 {
		known = forms
	}
	all := map[reflect.Value][]reflect.Type{}
	for _, h := range hosts {
		all[h] = known
	}
	for _, f := range []any{display.Show, display.ShowAs, display.Update, display.Of, display.Render, display.Any, display.Auto} {
		all[reflect.ValueOf(f)] = known
	}
	return all
}

// composeForms makes the wrapper of the type of method f for all the methods of
// forms that it has by now. The interpreter takes the first wrapper of a list
// of which a type has all methods, so larger ones come first.
func (s *Session) composeForms(f *ast.FuncDecl) error {
	name := receiver(f).Name
	anything := reflect.TypeFor[any]()
	fields := []reflect.StructField{{Name: "IValue", Type: anything}}
	var keys []reflect.Value
	for _, t := range forms {
		method := t.Method(0).Name
		if s.decls[name+"."+method] == nil {
			continue
		}
		fields = append(fields, reflect.StructField{Name: "W" + method, Type: anything})
		if w, ok := s.wraps[t]; ok {
			keys = append(keys, w)
		}
	}
	if keys == nil {
		return nil
	}
	if err := s.declareWhole(f); err != nil {
		return err
	}
	fields = append(fields, reflect.StructField{Name: "W" + wholeValue, Type: anything})
	wrapper := reflect.StructOf(fields)
	table := map[reflect.Value][]reflect.Type{}
	for _, k := range keys {
		if slices.Contains(s.composed[k], wrapper) {
			continue
		}
		list := append(slices.Clone(s.composed[k]), wrapper)
		slices.SortStableFunc(list, func(a, b reflect.Type) int { return b.NumField() - a.NumField() })
		s.composed[k], table[k] = list, list
	}
	return s.interp.Use(interp.Exports{".": {"MapTypes": reflect.ValueOf(table)}})
}

// declareWhole declares, once, the method by which a value of f's type gives
// itself.
func (s *Session) declareWhole(f *ast.FuncDecl) error {
	key := receiver(f).Name + "." + wholeValue
	if s.whole[key] {
		return nil
	}
	pos, self := f.Name.Pos(), prefix+"self"
	t := f.Recv.List[0].Type
	err := s.execFile(f.Pos(), &ast.FuncDecl{
		Recv: &ast.FieldList{Opening: pos, List: []*ast.Field{{Names: []*ast.Ident{ident(pos, self)}, Type: t}}, Closing: pos},
		Name: ident(pos, wholeValue),
		Type: &ast.FuncType{
			Func: f.Pos(), Params: &ast.FieldList{Opening: pos, Closing: pos},
			Results: &ast.FieldList{List: []*ast.Field{{Type: t}}},
		},
		Body: block(&ast.ReturnStmt{Return: pos, Results: []ast.Expr{ident(pos, self)}}),
	})
	s.whole[key] = err == nil
	return err
}
