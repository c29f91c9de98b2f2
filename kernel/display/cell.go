package display

import (
	"fmt"
	"reflect"
	"unicode"
	"unicode/utf8"
)

// A value of a type that a cell declares has no methods in compiled code. The
// interpreter hands it over in a struct that has them as fields:
//
//	struct {
//		IValue  any
//		WHTML   func() string
//		WString func() string
//	}
//
// which may itself be a named type with the methods of an interface, or have
// fields of type any for them.

// wrapped says whether v is such a struct.
func wrapped(v any) (reflect.Value, bool) {
	r := reflect.ValueOf(v)
	if !r.IsValid() || r.Kind() != reflect.Struct || r.NumField() < 2 || r.Type().Field(0).Name != "IValue" {
		return reflect.Value{}, false
	}
	return r, true
}

// wholeValue is the field for the method by which a cell's value gives itself:
// IValue may be a part of it only.
const wholeValue = "Wchest__value"

// unwrap is the value inside the struct of the interpreter, or v.
func unwrap(v any) any {
	w, ok := wrapped(v)
	if !ok {
		return v
	}
	if f := w.FieldByName(wholeValue); f.IsValid() && f.Kind() == reflect.Interface && !f.IsNil() {
		if out := f.Elem().Call(nil); len(out) == 1 {
			return out[0].Interface()
		}
	}
	return w.Field(0).Interface()
}

// method finds a method of Interfaces: in the struct of the interpreter or as
// a method of the type. The zero Value means that there is none of that shape.
func method(v any, name string) (m reflect.Value) {
	if w, ok := wrapped(v); ok {
		m = w.FieldByName("W" + name)
		if m.IsValid() && m.Kind() == reflect.Interface {
			m = m.Elem()
		}
	} else {
		m = reflect.ValueOf(v).MethodByName(name)
	}
	if !m.IsValid() || m.Kind() != reflect.Func || m.IsNil() {
		return reflect.Value{}
	}
	t := m.Type()
	if t.NumIn() != 0 || t.NumOut() != 1 || !t.Out(0).ConvertibleTo(results[name]) || t.Out(0).Kind() != results[name].Kind() {
		return reflect.Value{}
	}
	return m
}

// textual finds the text that a value gives itself: as an error, a
// fmt.Formatter or a fmt.Stringer.
func textual(v any) (func() string, bool) {
	if w, ok := wrapped(v); ok {
		for _, name := range []string{"WError", "WString"} {
			if f := w.FieldByName(name); f.IsValid() {
				if s, ok := f.Interface().(func() string); ok && s != nil {
					return s, true
				}
			}
		}
		return nil, false
	}
	switch v.(type) {
	case error, fmt.Formatter, fmt.Stringer:
		return func() string { return fmt.Sprint(v) }, true
	}
	return nil, false
}

// text is v in plain text.
func text(v any) string {
	if s, ok := textual(v); ok {
		return s()
	}
	return fmt.Sprint(unwrap(v))
}

// typeName is the name of v's type; types of cells have none.
func typeName(v any) string {
	t := reflect.TypeOf(unwrap(v))
	if t == nil {
		return ""
	}
	star := ""
	for t.Kind() == reflect.Pointer && t.Name() == "" {
		t, star = t.Elem(), star+"*"
	}
	if t.Kind() == reflect.Struct && t.Name() == "" {
		return star + "struct"
	}
	return star + t.String()
}

// isNil says whether v is nil or a nil pointer.
func isNil(v any) bool {
	r := reflect.ValueOf(v)
	return !r.IsValid() || r.Kind() == reflect.Pointer && r.IsNil()
}

// fieldNames lists the names of t's fields as its cell wrote them; "" is a
// field that is not shown. The interpreter makes struct types without a name
// and exports a field called name as Xname. Nothing tells that from a field
// that a cell calls Xname, so X stays where a field Yname or Zname stands
// beside it, or name itself.
func fieldNames(t reflect.Type) []string {
	names := make([]string, t.NumField())
	all, coordinates := map[string]bool{}, false
	for i := range names {
		f := t.Field(i)
		if f.IsExported() {
			names[i] = f.Name
		}
		all[f.Name] = true
		coordinates = coordinates || len(f.Name) > 1 && (f.Name[0] == 'Y' || f.Name[0] == 'Z') && hiddenName(f.Name)
	}
	if t.Name() != "" || coordinates {
		return names
	}
	for i, n := range names {
		if hiddenName(n) && n[0] == 'X' && !all[n[1:]] {
			names[i] = n[1:]
		}
	}
	return names
}

// hiddenName says whether a name is one letter and a name that Go does not
// export.
func hiddenName(s string) bool {
	if len(s) < 2 {
		return false
	}
	r, _ := utf8.DecodeRuneInString(s[1:])
	return r == '_' || unicode.IsLetter(r) && !unicode.IsUpper(r)
}
