package eval

import (
	"maps"

	"github.com/chestlab/chest/kernel/assist"
)

// Complete lists what could stand at the cursor, which counts bytes. It may be
// called while a cell runs.
func (s *Session) Complete(code string, cursor int) assist.Completion {
	return assist.Complete(s.env(), code, cursor)
}

// Inspect says what stands at the cursor, which counts bytes; detail 1 says
// more. It may be called while a cell runs; the values of variables are told
// only when none does.
func (s *Session) Inspect(code string, cursor, detail int) assist.Inspection {
	return assist.Inspect(s.env(), code, cursor, detail)
}

// env is what the notebook knows now.
func (s *Session) env() assist.Env {
	e := assist.Env{Doc: s.doc, Commands: s.commands, Paths: func() []string { return sorted(s.packages) }}
	t := s.typing
	if t == nil {
		return e
	}
	e.Scope, e.Importer, e.Source, e.Value = t.Scope(), t.importer, t.source, s.valueNow
	t.mu.Lock()
	defer t.mu.Unlock()
	e.Imports = t.imports
	return e
}

// valueNow is the value of a variable in one line, or "" while a cell runs.
func (s *Session) valueNow(name string) string {
	if !s.mu.TryLock() {
		return ""
	}
	defer s.mu.Unlock()
	return s.valueText(name)
}

// source is the code of a function, method "T.M", type or constant of an
// earlier cell, or "".
func (t *typing) source(name string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if k := t.names.decls[name]; k != nil {
		return k.code
	}
	return ""
}

// importing notes which packages cells can name.
func (t *typing) importing(names map[string]string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	own := maps.Clone(names)
	delete(own, hostName)
	t.imports = own
}
