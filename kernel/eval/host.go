package eval

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"strings"
)

// foreign finds where a value of a cell's own type goes to compiled code that
// would look into it. There the interpreter's types have other names and no
// methods, so that the result would be wrong without a word; it is refused.
func (s *Session) foreign(c *ast.CallExpr, info *types.Info) *refusal {
	f := calledFunc(c, info)
	if f == nil || f.Pkg() == nil || f.Pkg().Path() == "main" {
		return nil
	}
	sig, ok := f.Type().(*types.Signature)
	if !ok {
		return nil
	}
	path := f.Pkg().Path()
	for i, arg := range c.Args {
		t := info.TypeOf(arg)
		name := f.Pkg().Name() + "." + f.Name()
		if own := hiddenPrinter(t); own != "" && (path == "fmt" || path == "log") {
			return &refusal{arg.Pos(), name + " would not call the String or Error method of " + own + " through " + types.TypeString(t, short) + " in this interpreter: call it, or add it to the interface"}
		}
		if t == nil || !types.IsInterface(param(sig, i)) || types.IsInterface(t) {
			continue
		}
		switch {
		case path == "errors" && f.Name() == "Is":
			if own := ownType(t, map[types.Type]bool{}, func(n *types.Named) bool { return method(n, "Is") || method(n, "Unwrap") }); own != "" {
				return &refusal{arg.Pos(), "errors.Is would not call the methods of the cell's own type " + own + " in this interpreter: compare with a type assertion"}
			}
		case path == "io" && f.Name() == "WriteString":
			if own := ownType(t, map[types.Type]bool{}, func(n *types.Named) bool { return method(n, "WriteString") }); own != "" {
				return &refusal{arg.Pos(), "io.WriteString would not call WriteString of the cell's own type " + own + " in this interpreter: call it directly"}
			}
		case path == "errors" && f.Name() == "As":
			if own := ownType(t, map[types.Type]bool{}, func(*types.Named) bool { return true }); own != "" {
				return &refusal{arg.Pos(), "errors.As cannot find the cell's own type " + own + " in this interpreter: use a type assertion, such as e, ok := err.(" + own + ")"}
			}
		case looksInside(path):
			odd := oddInside
			if strings.HasPrefix(path, "encoding/") {
				odd = oddEncoded
			}
			if own := ownType(t, map[types.Type]bool{}, odd); own != "" {
				return &refusal{arg.Pos(), name + " would not see the cell's own type " + own + " as Go does in this interpreter (its methods, private and embedded fields): give it a map, or a struct of plain exported fields"}
			}
		case path == "fmt" || path == "log" || path == "testing":
			if n, ok := types.Unalias(t).(*types.Named); ok && isOwn(n) && !prints(n) && prints(types.NewPointer(n)) && !types.IsInterface(n) {
				return &refusal{arg.Pos(), name + " would call a method of *" + n.Obj().Name() + " in this interpreter, which Go does not do for a value: give it a pointer, or convert the value"}
			}
			if own := nestedMethods(t); own != "" {
				return &refusal{arg.Pos(), name + " would not call the String or Error method of " + own + " inside " + types.TypeString(t, short) + " in this interpreter: print the parts one by one"}
			}
		}
	}
	if path == "fmt" || path == "log" {
		return typeVerb(c, f, sig, info)
	}
	return nil
}

// calledFunc is the function or method that a call names; nil for others.
func calledFunc(c *ast.CallExpr, info *types.Info) *types.Func {
	var id *ast.Ident
	switch x := ast.Unparen(c.Fun).(type) {
	case *ast.Ident:
		id = x
	case *ast.SelectorExpr:
		id = x.Sel
	default:
		return nil
	}
	f, _ := info.Uses[id].(*types.Func)
	return f
}

// param is the type of the i-th argument of a function.
func param(sig *types.Signature, i int) types.Type {
	n := sig.Params().Len()
	if sig.Variadic() && i >= n-1 {
		return sig.Params().At(n - 1).Type().(*types.Slice).Elem()
	}
	if i >= n {
		return types.Typ[types.Invalid]
	}
	return sig.Params().At(i).Type()
}

// isOwn says whether a type is of the notebook.
func isOwn(n *types.Named) bool { return n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == "main" }

// method says whether a type or its pointer has a method.
func method(n *types.Named, name string) bool {
	o, _, _ := types.LookupFieldOrMethod(types.NewPointer(n), false, n.Obj().Pkg(), name)
	_, ok := o.(*types.Func)
	return ok
}

// looksInside says whether a package goes through values by reflection.
func looksInside(path string) bool {
	return strings.HasPrefix(path, "encoding/") || strings.HasSuffix(path, "/template") || path == "reflect"
}

// ownType is the name of a type of the notebook in t that is odd, or "".
func ownType(t types.Type, seen map[types.Type]bool, odd func(*types.Named) bool) string {
	if seen[t] {
		return ""
	}
	seen[t] = true
	switch t := t.(type) {
	case *types.Alias:
		return ownType(types.Unalias(t), seen, odd)
	case *types.Named:
		if p := t.Obj().Pkg(); p == nil || p.Path() != "main" {
			return ""
		}
		if odd(t) {
			return t.Obj().Name()
		}
		return ownType(t.Underlying(), seen, odd)
	case *types.Pointer:
		return ownType(t.Elem(), seen, odd)
	case *types.Slice:
		return ownType(t.Elem(), seen, odd)
	case *types.Array:
		return ownType(t.Elem(), seen, odd)
	case *types.Map:
		if own := ownType(t.Key(), seen, odd); own != "" {
			return own
		}
		return ownType(t.Elem(), seen, odd)
	case *types.Struct:
		for i := range t.NumFields() {
			if own := ownType(t.Field(i).Type(), seen, odd); own != "" {
				return own
			}
		}
	}
	return ""
}

// oddEncoded says whether a type of a cell is encoded otherwise than Go does:
// by methods of its own, or with private or embedded fields.
func oddEncoded(n *types.Named) bool {
	for i := range n.NumMethods() {
		switch name := n.Method(i).Name(); {
		case strings.HasPrefix(name, "Marshal"), strings.HasPrefix(name, "Unmarshal"), strings.HasPrefix(name, "Gob"):
			return true
		}
	}
	return oddFields(n)
}

// oddInside says whether reflection sees a type of a cell otherwise than Go:
// it has methods, or a struct has private or embedded fields.
func oddInside(n *types.Named) bool {
	return n.NumMethods() > 0 || oddFields(n)
}

// oddFields says whether a struct has private or embedded fields.
func oddFields(n *types.Named) bool {
	s, ok := n.Underlying().(*types.Struct)
	if !ok {
		return false
	}
	for i := range s.NumFields() {
		if f := s.Field(i); !f.Exported() || f.Embedded() {
			return true
		}
	}
	return false
}

// nestedMethods is the name of a type of the notebook below the top of t that
// has a method which fmt calls, or "". At the top the session gives fmt the
// method.
func nestedMethods(t types.Type) string {
	has := func(n *types.Named) bool { return prints(n) || prints(types.NewPointer(n)) }
	seen := map[types.Type]bool{}
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		t = p.Elem()
	}
	n, ok := types.Unalias(t).(*types.Named)
	if !ok {
		return ownType(t, seen, has)
	}
	if n.Obj().Pkg() == nil || n.Obj().Pkg().Path() != "main" || has(n) {
		return ""
	}
	return ownType(n.Underlying(), seen, has)
}

// hiddenPrinter is a type of the notebook that fmt would print by a method, if
// it comes in a value of an interface of the notebook that lacks the method.
func hiddenPrinter(t types.Type) string {
	n, ok := types.Unalias(t).(*types.Named)
	if !ok || !isOwn(n) || !types.IsInterface(n) || prints(n) {
		return ""
	}
	i := n.Underlying().(*types.Interface)
	scope := n.Obj().Pkg().Scope()
	for _, name := range scope.Names() {
		o, ok := scope.Lookup(name).(*types.TypeName)
		if !ok || types.IsInterface(o.Type()) {
			continue
		}
		for _, t := range []types.Type{o.Type(), types.NewPointer(o.Type())} {
			if named, ok := o.Type().(*types.Named); ok && named.TypeParams() == nil && types.Implements(t, i) && prints(t) {
				return name
			}
		}
	}
	return ""
}

// unshowable refuses a value at the end of a cell that would be shown without
// the methods of what is in it.
func unshowable(items []item, info *types.Info) *refusal {
	if len(items) == 0 || items[len(items)-1].semi {
		return nil
	}
	e, ok := items[len(items)-1].stmt.(*ast.ExprStmt)
	if !ok || info.TypeOf(e.X) == nil {
		return nil
	}
	if _, isTuple := info.TypeOf(e.X).(*types.Tuple); isTuple {
		return nil
	}
	if own := nestedMethods(info.TypeOf(e.X)); own != "" {
		return &refusal{e.Pos(), "the value would be shown without the String or Error method of " + own + " in this interpreter: show its parts one by one"}
	}
	return nil
}

// prints says whether fmt calls a method of t, which only exported things
// have: fmt does not reach into private fields either.
func prints(t types.Type) bool {
	for _, name := range []string{"String", "Error", "Format", "GoString"} {
		if o, _, _ := types.LookupFieldOrMethod(t, false, nil, name); o != nil {
			if _, ok := o.(*types.Func); ok {
				return true
			}
		}
	}
	return false
}

// typeVerb refuses the verbs that print the name of a cell's own type or of
// its private fields, which the interpreter changes.
func typeVerb(c *ast.CallExpr, f *types.Func, sig *types.Signature, info *types.Info) *refusal {
	if !sig.Variadic() || !strings.HasSuffix(f.Name(), "f") {
		return nil
	}
	at := sig.Params().Len() - 2
	if at < 0 || at >= len(c.Args) || info.Types[c.Args[at]].Value == nil || c.Ellipsis != token.NoPos {
		return nil
	}
	format := constant.StringVal(info.Types[c.Args[at]].Value)
	for i, verb := range verbs(format) {
		if at+1+i >= len(c.Args) {
			break
		}
		arg := c.Args[at+1+i]
		t := info.TypeOf(arg)
		if n, ok := types.Unalias(t).(*types.Named); ok && types.IsInterface(t) && isOwn(n) && verb == "T" {
			return &refusal{arg.Pos(), "%T would not print the names of the cell's own types in this interpreter"}
		}
		if t == nil || types.IsInterface(t) {
			continue
		}
		if s, ok := t.(*types.Struct); ok && verb != "v" && hidden(s) {
			return &refusal{arg.Pos(), "%" + verb + " would print private fields otherwise than Go in this interpreter: print them with %v"}
		}
		private := func(n *types.Named) bool {
			s, ok := n.Underlying().(*types.Struct)
			return ok && hidden(s)
		}
		any := func(*types.Named) bool { return true }
		if n, ok := types.Unalias(t).(*types.Named); ok && isOwn(n) && prints(n) && !strings.ContainsAny(verb, "vsqxXTp") {
			return &refusal{arg.Pos(), fmt.Sprintf("%%%s of %s, which has a String or Error method, is not supported by this interpreter: convert it, such as int(x)", verb, n.Obj().Name())}
		}
		own := ""
		switch verb {
		case "T", "#v":
			own = ownType(t, map[types.Type]bool{}, any)
		case "+v":
			if !prints(t) {
				own = ownType(t, map[types.Type]bool{}, private)
			}
		}
		if own != "" {
			return &refusal{arg.Pos(), fmt.Sprintf("%%%s would print the cell's own type %s otherwise than Go in this interpreter: print its fields with %%v", verb, own)}
		}
	}
	return nil
}

// hidden says whether a struct has private fields.
func hidden(s *types.Struct) bool {
	for i := range s.NumFields() {
		if !s.Field(i).Exported() {
			return true
		}
	}
	return false
}

// verbs lists the verbs of a format with their flags, one for each argument;
// nothing behind an explicit index or a * is known.
func verbs(format string) (list []string) {
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			continue
		}
		flags := ""
		for i++; i < len(format) && strings.IndexByte("+-# 0123456789.", format[i]) >= 0; i++ {
			if format[i] == '+' || format[i] == '#' {
				flags += format[i : i+1]
			}
		}
		if i == len(format) || format[i] == '[' || format[i] == '*' {
			return list
		}
		if format[i] != '%' {
			list = append(list, flags+format[i:i+1])
		}
	}
	return list
}

// badEmbed refuses what calls of promoted methods fail on: an interface of a
// cell that is embedded in a struct.
func badEmbed(t *ast.StructType, info *types.Info) *refusal {
	for _, f := range t.Fields.List {
		if len(f.Names) > 0 {
			continue
		}
		n, ok := types.Unalias(info.TypeOf(f.Type)).(*types.Named)
		if ok && types.IsInterface(n) && (isOwn(n) || n.Underlying().(*types.Interface).NumMethods() > 1) {
			return &refusal{f.Pos(), "a struct cannot embed the interface " + n.Obj().Name() + " in this interpreter: give the field a name and write the methods"}
		}
	}
	return nil
}

// rangesFunc refuses a range over a function.
func rangesFunc(r *ast.RangeStmt, info *types.Info) *refusal {
	if t := info.TypeOf(r.X); t != nil {
		if _, ok := t.Underlying().(*types.Signature); ok {
			return &refusal{r.X.Pos(), "range over a function is not supported by this interpreter: call it with a function literal for the body of the loop"}
		}
	}
	return nil
}
