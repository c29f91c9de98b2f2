package eval

import (
	"fmt"
	"go/ast"
	"go/types"
	"strings"

	"github.com/chestlab/chest/kernel/display"
)

// Variable is a variable of the notebook.
type Variable struct {
	Name, Type string
	Value      string // one line, cut; "" when it cannot be had
}

// Vars lists the variables of the notebook by name. It is for the time between
// cells.
func (s *Session) Vars() (list []Variable) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.typing == nil {
		return nil
	}
	scope := s.typing.Scope().Scope()
	for _, name := range scope.Names() {
		v, ok := scope.Lookup(name).(*types.Var)
		if !ok || strings.HasPrefix(name, prefix) {
			continue
		}
		list = append(list, Variable{name, types.TypeString(v.Type(), short), s.valueText(name)})
	}
	return list
}

// short names packages as cells do.
func short(p *types.Package) string {
	if p.Path() == "main" {
		return ""
	}
	return p.Name()
}

const valueLimit = 60 // runes of a value in a list

// valueText is the value of a variable in one line.
func (s *Session) valueText(name string) (text string) {
	defer func() {
		if recover() != nil {
			text = ""
		}
	}()
	p, err := s.compile(block(&ast.ExprStmt{X: ident(1, name)}))
	if err != nil {
		return ""
	}
	v, err := s.interp.Execute(p)
	if err != nil || !v.IsValid() || !v.CanInterface() {
		return ""
	}
	text = fmt.Sprint(display.Of(v.Interface())[display.MIMEText])
	text = strings.Join(strings.Fields(text), " ")
	if r := []rune(text); len(r) > valueLimit {
		text = string(r[:valueLimit-1]) + "…"
	}
	return text
}
